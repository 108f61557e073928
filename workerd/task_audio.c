/*
 * encode_audio: one gapless encoder run that answers object after object.
 * Its output is memory: each stretch is put as an object of its own
 * (<first fragment>-<token>.mp4) as soon as it is whole, named in
 * scratch/<job>/<task>.part.json, and given back; the next try goes on
 * behind the last one.  A child that puts nothing holds at most what the
 * whole stretch can need (reel_allowance_limits).
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/store/pread.h"
#include "workerd/allowance.h"
#include "workerd/answer.h"
#include "workerd/attempt.h"
#include "workerd/av_gain.h"
#include "workerd/log.h"

/* of one object: a minute of the best AAC has 4 MiB */
#define OBJECT_MAX (64u << 20)

/* AAC has no more a sample, 14496-3, 4.5.3 */
#define CHANNEL_BITS 6


static uint32_t
next_fragment(const reel_attempt_t *a)
{
    const reel_encoded_t       *o;
    const reel_encode_audio_t  *t = a->data;

    if (a->answer.nobjects == 0) {
        return t->frag_from;
    }

    o = &a->answer.objects[a->answer.nobjects - 1];

    return o->frag_from + o->nfrags;
}


/* takes over what an earlier try put, as far as it stands without a gap */
static void
resume(reel_attempt_t *a)
{
    char            name[REEL_TASK_NAME + 16];
    reel_answer_t   part;
    reel_encoded_t *o;

    snprintf(name, sizeof(name), "%s.part.json", a->task);

    if (reel_answer_read(a->w->store, a->job, name, &part, NULL) != REEL_OK) {
        return;
    }

    for (size_t i = 0; strcmp(part.digest, a->digest) == 0
                       && i < part.nobjects; i++)
    {
        reel_answer_t  one = { .objects = &part.objects[i], .nobjects = 1 };

        o = &part.objects[i];

        if (o->frag_from != next_fragment(a)
            || reel_answer_stands(a->w->store, a->asset, &one) != REEL_OK
            || reel_answer_add(&a->answer, o) != REEL_OK)
        {
            break;
        }
    }

    reel_answer_release(&part);
    a->kept = a->answer.nobjects;
    a->published = a->kept;

    if (a->kept > 0) {
        reel_log_task(REEL_LOG_INFO, a->job, a->task,
                      "goes on at fragment %u, behind %zu objects",
                      next_fragment(a), a->kept);
    }
}


/* from what the task before it measured, the same for all of a sound */
static reel_err_t
set_gain(reel_attempt_t *a, const reel_encode_audio_t *t, reel_child_t *io)
{
    char           name[REEL_TASK_NAME + 8];
    reel_err_t     err;
    reel_error_t   e = { "" };
    reel_answer_t  answer;

    /* where no task did, the child measures */
    if (t->lufs == 0 || t->measured[0] == '\0') {
        return REEL_OK;
    }

    snprintf(name, sizeof(name), "%s.json", t->measured);
    err = reel_answer_read(a->w->store, a->job, name, &answer, &e);

    if (err == REEL_OK && !answer.loudness) {
        err = REEL_BADDATA;
    }
    if (err != REEL_OK) {
        reel_answer_release(&answer);
        return reel_attempt_fail(a, err, "IO", "prepare", "the answer of %s: "
                                 "%s", t->measured, e.text[0] != '\0' ? e.text
                                 : reel_err_name(err));
    }

    io->gain_cdb = reel_av_gain(t->lufs, answer.clufs);
    reel_log_task(REEL_LOG_INFO, a->job, a->task, "%d.%02d LUFS, gain %d "
                  "hundredths of dB", answer.clufs / 100,
                  abs(answer.clufs % 100), io->gain_cdb);
    reel_answer_release(&answer);

    return REEL_OK;
}


/* an encoder keeps to its rate; units of the source have one on average */
static uint32_t
most_kbps(const reel_encode_audio_t *t)
{
    return t->copy ? t->channels * t->sample_rate / 1000 * CHANNEL_BITS
                   : t->kbps;
}


static reel_err_t
parse(void *t, const char *json, size_t len, reel_error_t *e)
{
    return reel_encode_audio_parse(t, json, len, e);
}


static reel_err_t
prepare(reel_attempt_t *a, reel_child_t *io)
{
    reel_err_t                  err;
    const reel_encode_audio_t  *t = a->data;

    resume(a);

    if (next_fragment(a) >= t->frag_to) {
        /* it died between its last object and its answer */
        err = reel_answer_put(a);
        return err == REEL_OK ? REEL_EXISTS : err;
    }

    a->memfd = memfd_create("reel-audio", MFD_CLOEXEC);
    if (a->memfd < 0) {
        return reel_attempt_fail(a, REEL_IO, "IO", "prepare",
                                 "memfd_create: %s", strerror(errno));
    }

    err = set_gain(a, t, io);
    if (err != REEL_OK) {
        return err;
    }

    io->resume_frag = next_fragment(a);
    io->out_fd[0] = a->memfd;
    io->nout = 1;
    a->frags = t->object_frags;
    reel_attempt_media(a, &t->grid, next_fragment(a), t->frag_to);
    reel_allowance_need(a, &t->grid, t->frag_to - next_fragment(a),
                        most_kbps(t));

    return REEL_OK;
}


static int
run(reel_child_t *c, void *attempt)
{
    (void) attempt;

    return reel_av_encode_audio(c);
}


static reel_err_t
put_object(reel_attempt_t *a, const reel_encoded_t *o, uint64_t from)
{
    uint8_t     *data = malloc(o->bytes);
    reel_key_t   key;
    reel_err_t   err;

    if (data == NULL) {
        return reel_attempt_fail(a, REEL_NOMEM, "NO_MEMORY", "answer",
                                 "an object of %llu bytes",
                                 (unsigned long long) o->bytes);
    }

    if (reel_pread(a->memfd, data, o->bytes, from) != (ssize_t) o->bytes) {
        err = reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                "the object is shorter than said");
        goto done;
    }

    err = reel_key_object(key, reel_str(a->asset), reel_str(o->rendition),
                          reel_str(o->name));
    if (err == REEL_OK) {
        err = reel_store_put_if_absent(a->w->store, key, data, o->bytes);
    }
    if (err != REEL_OK) {
        err = reel_attempt_store_fail(a, err, "an object cannot be put");
    }

    /* whole pages go back; what is left of one goes with the next */
    (void) !fallocate(a->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                      (off_t) from, (off_t) o->bytes);

done:

    free(data);

    return err;
}


static reel_err_t
line(reel_attempt_t *a, const char *key, const json_t *value,
    const json_t *whole)
{
    json_int_t            from;
    reel_err_t            err;
    reel_encoded_t        o;
    reel_encode_audio_t  *t = a->data;

    if (strcmp(key, "object") != 0) {
        return REEL_BADDATA;
    }

    err = reel_answer_parse_object(a, value, &o);
    if (err != REEL_OK) {
        return err;
    }

    from = json_integer_value(json_object_get(whole, "from"));

    if (from < 0 || o.bytes > OBJECT_MAX || strcmp(o.rendition, t->name) != 0
        || o.frag_from != next_fragment(a) || o.nfrags == 0
        || o.nfrags > t->frag_to - o.frag_from)
    {
        err = reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                "the child's object is not what was asked");
        goto fail;
    }

    snprintf(o.name, sizeof(o.name), "%u-%.48s.mp4", o.frag_from, a->token);

    err = put_object(a, &o, (uint64_t) from);
    if (err == REEL_OK) {
        err = reel_answer_add(&a->answer, &o);
    }
    if (err != REEL_OK) {
        goto fail;
    }

    a->published = a->answer.nobjects;

    return reel_answer_put_part(a);

fail:

    reel_encoded_release(&o);

    return err;
}


static reel_err_t
finish(reel_attempt_t *a)
{
    reel_encode_audio_t  *t = a->data;

    if (next_fragment(a) != t->frag_to) {
        return reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                 "the child ended at fragment %u of %u",
                                 next_fragment(a), t->frag_to);
    }

    return reel_answer_put(a);
}


const reel_task_ops_t reel_task_audio = {
    .type = REEL_TASK_ENCODE_AUDIO,
    .source = true,
    .confined = true,
    .reused = true,
    .payload = sizeof(reel_encode_audio_t),
    .parse = parse,
    .prepare = prepare,
    .run = run,
    .line = line,
    .finish = finish
};
