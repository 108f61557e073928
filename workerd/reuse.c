#include "workerd/reuse.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/crypt/digest.h"
#include "lib/store/twins.h"
#include "workerd/answer.h"
#include "workerd/final.h"
#include "workerd/log.h"

/* of a digest in a part's name: as much as names may have */
#define NAME_DIGITS 48

/* of the twins of an asset so many are asked, in no order */
#define TWINS_MAX 32

/* a twin that does the same is asked for at most so seldom */
#define AGAIN_MAX_S 20

/* what a task may take beyond its time, as its lease does */
#define LATE_S 60

/* each name is synced, and the loop, which renews leases, waits for it */
#define LINKS_MAX 256

typedef struct {
    reel_attempt_t *a;
    const char     *twin;       /* asked just now */
    unsigned        left;
    unsigned        links;      /* that may still be made of it */
} search_t;


static bool
applies(const reel_attempt_t *a)
{
    return a->w->conf.reuse && a->ops != NULL && a->ops->reused;
}


static reel_err_t
part_key(reel_key_t key, const char *asset, const char *digest)
{
    return reel_key_object(key, reel_str(asset), REEL_STR(REEL_FOLDER_PARTS),
                           (reel_str_t) { digest, NAME_DIGITS });
}


/* an answer of `asset` to just this, whose objects stand */
static reel_err_t
read_part(reel_attempt_t *a, const char *asset, reel_answer_t *answer)
{
    reel_key_t    key;
    reel_err_t    err;
    reel_error_t  e = { "" };

    *answer = (reel_answer_t) { 0 };

    err = part_key(key, asset, a->digest);
    if (err == REEL_OK) {
        err = reel_answer_load(a->w->store, key, answer, &e);
    }
    if (err == REEL_OK && strcmp(answer->digest, a->digest) != 0) {
        err = REEL_NOTFOUND;
    }
    if (err == REEL_OK) {
        err = reel_answer_stands(a->w->store, asset, answer);
    }

    if (err != REEL_OK) {
        reel_answer_release(answer);
        if (err != REEL_NOTFOUND) {
            reel_log_task(REEL_LOG_WARN, a->job, a->task, "the result of "
                          "asset %s is not used: %s", asset,
                          e.text[0] != '\0' ? e.text : reel_err_name(err));
        }
    }

    return err;
}


static reel_err_t
count_object(void *arg, const char *folder, const char *name, uint64_t bytes)
{
    search_t  *s = arg;

    (void) folder;
    (void) name;
    (void) bytes;

    return s->links-- > 0 ? REEL_OK : REEL_LIMIT;
}


/* one object of a twin, under the same name; no two claims make one alike */
static reel_err_t
link_object(void *arg, const char *folder, const char *name, uint64_t bytes)
{
    reel_key_t  from, to;
    reel_err_t  err;
    search_t   *s = arg;

    (void) bytes;

    err = reel_key_object(from, reel_str(s->twin), reel_str(folder),
                          reel_str(name));
    if (err == REEL_OK) {
        err = reel_key_object(to, reel_str(s->a->asset), reel_str(folder),
                              reel_str(name));
    }
    if (err == REEL_OK) {
        err = reel_store_link(s->a->w->store, from, to);
    }

    return err == REEL_EXISTS ? REEL_OK : err;
}


/*
 * Locked against who sweeps the asset: what is about to be named is not
 * deleted, and what is being deleted not named.
 */
static reel_err_t
take(search_t *s, reel_answer_t *answer)
{
    reel_err_t         err;
    reel_store_t      *store = s->a->w->store;
    reel_multipart_t  *lock;

    err = reel_final_lock_task(store, s->a->asset, s->a->digest, &lock);
    if (err != REEL_OK) {
        return err;
    }

    if (strcmp(s->twin, s->a->asset) != 0) {
        s->links = LINKS_MAX;
        err = reel_answer_each(answer, count_object, s);
        err = err != REEL_OK ? err
              : reel_answer_each(answer, link_object, s);
    }
    if (err == REEL_OK) {
        err = reel_answer_stands(store, s->a->asset, answer);
    }
    if (err == REEL_OK) {
        reel_answer_release(&s->a->answer);
        s->a->answer = *answer;
        *answer = (reel_answer_t) { 0 };
        s->a->reused = true;
        err = reel_answer_put(s->a);
    }

    reel_multipart_close(lock);

    return err;
}


/* REEL_EXISTS: what was looked for */
static reel_err_t
ask(search_t *s, const char *twin)
{
    reel_err_t     err;
    reel_answer_t  answer;

    s->twin = twin;

    err = read_part(s->a, twin, &answer);
    if (err != REEL_OK) {
        return REEL_OK;
    }

    err = take(s, &answer);
    reel_answer_release(&answer);

    if (err != REEL_OK) {
        reel_log_task(REEL_LOG_INFO, s->a->job, s->a->task, "the result of "
                      "asset %s is not used: %s", twin, reel_err_name(err));
        s->a->outcome = (reel_outcome_t) { 0 };
        s->a->reused = false;
        reel_answer_release(&s->a->answer);
        return REEL_OK;
    }

    reel_log_task(REEL_LOG_INFO, s->a->job, s->a->task, "is not done again: "
                  "asset %s has the same", twin);

    return REEL_EXISTS;
}


static reel_err_t
on_twin(void *arg, const char *name, bool is_prefix)
{
    search_t  *s = arg;

    if (is_prefix || strcmp(name, s->a->asset) == 0) {
        return REEL_OK;
    }
    if (s->left == 0) {
        return REEL_LIMIT;
    }
    s->left--;

    return ask(s, name);
}


/* asked again after as long as the other is at it */
static unsigned
again_ms(uint32_t for_s)
{
    unsigned  ms;
    uint32_t  random;

    ms = for_s > AGAIN_MAX_S ? AGAIN_MAX_S * 1000
         : for_s > 1 ? for_s * 1000 : 1000;
    reel_random(&random, sizeof(random));

    return ms + random % (ms / 4);
}


/* a store without locks, or whose file is another user's: so is every task */
static void
no_lock(reel_attempt_t *a, reel_err_t err)
{
    char  text[128];

    (void) snprintf(text, sizeof(text), "twins may do the same at the same "
                    "time: %s", reel_err_name(err));

    if (reel_lacks_news(&a->w->lacks, text, reel_loop_now())) {
        reel_log_task(REEL_LOG_WARN, a->job, a->task, "%s; said once a minute",
                      text);
    }
}


/*
 * REEL_AGAIN: a twin does the same just now.  It is not waited for when no
 * try of it can take so long: its worker sleeps.
 */
static reel_err_t
begin(reel_attempt_t *a, const char *hash, uint32_t *for_s)
{
    reel_err_t  err;

    err = reel_twins_begin(a->w->store, hash, a->digest, a->asset,
                           reel_unix_ms() / 1000, &a->work, for_s);

    if (err == REEL_AGAIN && *for_s <= a->timeout_s + LATE_S) {
        return err;
    }

    if (err == REEL_AGAIN) {
        reel_log_task(REEL_LOG_WARN, a->job, a->task, "an asset with the same "
                      "source does it for %u s now: it is not waited for",
                      *for_s);

    } else if (err != REEL_OK && err != REEL_EXISTS) {
        no_lock(a, err);
    }

    return REEL_OK;
}


/*
 * Begun first: what a twin has done meanwhile is found then.  Looked for in
 * any case: who holds the lock may sleep, and another have done it.
 */
static reel_err_t
find_twin(search_t *s, const char *hash)
{
    uint32_t         for_s;
    reel_err_t       err, found;
    reel_attempt_t  *a = s->a;

    err = begin(a, hash, &for_s);

    found = reel_twins_list(a->w->store, hash, on_twin, s);
    if (found == REEL_EXISTS) {
        return found;
    }

    if (err == REEL_AGAIN) {
        a->again_ms = again_ms(for_s);
        return reel_attempt_fail(a, err, REEL_TWIN, a->task, "an asset with "
                                 "the same source does it, for %u s now",
                                 for_s);
    }

    return REEL_OK;
}


reel_err_t
reel_reuse_find(reel_attempt_t *a)
{
    char        hash[REEL_TWINS_HASH];
    search_t    s = { .a = a, .left = TWINS_MAX };
    reel_err_t  err;

    if (!applies(a)) {
        return REEL_OK;
    }

    err = ask(&s, a->asset);

    if (err == REEL_OK
        && reel_twins_hash(a->w->store, reel_str(a->asset), hash) == REEL_OK)
    {
        err = find_twin(&s, hash);
    }

    return err;
}


void
reel_reuse_end(reel_attempt_t *a)
{
    reel_twins_end(a->work);
    a->work = NULL;
}


void
reel_reuse_keep(reel_attempt_t *a, const reel_buf_t *text)
{
    reel_key_t  key;
    reel_err_t  err;

    if (!applies(a) || a->forgiven) {
        return;
    }

    err = part_key(key, a->asset, a->digest);
    if (err == REEL_OK) {
        err = reel_store_replace(a->w->store, key, text->data, text->len);
    }
    if (err != REEL_OK) {
        reel_log_task(REEL_LOG_WARN, a->job, a->task, "its result is not "
                      "kept for others: %s", reel_err_name(err));
    }
}


void
reel_reuse_keep_standing(reel_attempt_t *a, const reel_answer_t *answer)
{
    reel_key_t         key;
    reel_buf_t         b;
    reel_store_stat_t  st;

    if (!applies(a) || answer->warnings.of[REEL_WARN_GIVEN_UP].count > 0
        || part_key(key, a->asset, a->digest) != REEL_OK
        || reel_store_stat(a->w->store, key, &st) != REEL_NOTFOUND)
    {
        return;
    }

    reel_buf_init(&b, REEL_ANSWER_MAX);
    if (reel_answer_print(&b, answer) == REEL_OK) {
        reel_reuse_keep(a, &b);
    }
    reel_buf_release(&b);
}


/* SHA-256 of "<project>\n<sha256>": no project has a newline */
static reel_err_t
twins_hash(char hash[REEL_TWINS_HASH], const char *project,
    const char *sha256)
{
    int         n;
    char        text[65 + 1 + 65];
    uint8_t     sum[REEL_SHA256_LEN];
    reel_err_t  err;

    n = snprintf(text, sizeof(text), "%s\n%s", project, sha256);
    if (n < 0 || (size_t) n >= sizeof(text)) {
        return REEL_LIMIT;
    }

    err = reel_sha256(sum, text, (size_t) n);
    if (err == REEL_OK) {
        reel_hex(hash, sum, sizeof(sum));
    }

    return err;
}


reel_err_t
reel_reuse_join(reel_attempt_t *a, const char *sha256)
{
    bool        dead = false;
    char        hash[REEL_TWINS_HASH];
    reel_err_t  err;

    err = twins_hash(hash, a->project, sha256);
    if (err == REEL_OK) {
        err = reel_twins_join(a->w->store, reel_str(a->asset), hash);
    }

    /* deleted meanwhile: who did that may have looked before */
    if (err == REEL_OK) {
        err = reel_final_tombstone(a->w->store, a->asset, &dead);
    }
    if (err == REEL_OK && dead) {
        err = reel_twins_leave(a->w->store, reel_str(a->asset));
    }

    return err;
}


typedef struct {
    reel_store_t *s;
    const char   *asset;
} sweep_t;


static reel_err_t
sweep_part(void *arg, const char *name, bool is_prefix)
{
    sweep_t       *w = arg;
    reel_key_t     key;
    reel_err_t     err;
    reel_answer_t  answer;

    if (is_prefix
        || reel_key_object(key, reel_str(w->asset),
                           REEL_STR(REEL_FOLDER_PARTS), reel_str(name))
           != REEL_OK)
    {
        return REEL_OK;
    }

    err = reel_answer_load(w->s, key, &answer, NULL);
    if (err == REEL_OK) {
        err = reel_answer_stands(w->s, w->asset, &answer);
    }
    reel_answer_release(&answer);

    return err == REEL_OK ? err : reel_store_del(w->s, key);
}


reel_err_t
reel_reuse_sweep(reel_store_t *s, const char *asset)
{
    sweep_t     w = { s, asset };
    reel_key_t  key;
    reel_err_t  err;

    err = reel_key_asset_part(key, reel_str(asset), REEL_FOLDER_PARTS);

    return err == REEL_OK ? reel_store_list(s, key, sweep_part, &w) : err;
}
