/*
 * Parts of a file, some at once.  A part that breaks begins again, alone and
 * later; the others go on.  A part counts when the server has answered with
 * its ETag.
 */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/crc32c.h"
#include "lib/store/pread.h"
#include "reelctl/interrupt.h"
#include "reelctl/progress.h"
#include "reelctl/upload.h"


#define MIB      (1ull << 20)
#define STALL_S  60
#define TICK_MS  100
#define QUIET_MS 500            /* one outage breaks all parts: told once */
#define READ     (256 * 1024)


typedef struct {
    size_t              part;
    bool                used;
    reel_ctl_call_t     call;
    reel_ctl_request_t  rq;
} slot_t;

typedef struct {
    reel_ctl_parts_t    *p;
    reel_ctl_flights_t  *flights;
    reel_ctl_upload_t    bar;
    size_t               flying;
    size_t               left;          /* parts that are not done */
    uint64_t             done;          /* bytes of those that are */
    bool                 proven;        /* a part was taken */
    int64_t              told_ms;
    slot_t               slot[REEL_CTL_AT_ONCE_MAX];
} sender_t;


/* doubled until no more than max parts make up the file */
uint64_t
reel_ctl_part_size(uint64_t file_size, size_t max)
{
    uint64_t  size = 8 * MIB;

    while (size < REEL_CTL_PART_MAX && (file_size - 1) / size >= max) {
        size *= 2;
    }

    return size < REEL_CTL_PART_MAX ? size : REEL_CTL_PART_MAX;
}


int
reel_ctl_parts_init(reel_ctl_parts_t *p, const reel_ctl_how_t *how,
    const reel_ctl_file_t *f, uint64_t part_size)
{
    uint64_t  n;

    *p = (reel_ctl_parts_t) { .how = how, .file = f, .part_size = part_size };

    n = f->size / part_size + (f->size % part_size != 0);
    n = n == 0 ? 1 : n;

    if (n > REEL_CTL_PARTS_MAX) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "parts of %llu bytes would be "
                             "%llu; %d are allowed: raise --part-size",
                             (unsigned long long) part_size,
                             (unsigned long long) n, REEL_CTL_PARTS_MAX);
    }

    p->n = (size_t) n;
    p->part = calloc(p->n, sizeof(reel_ctl_part_t));

    return p->part != NULL ? REEL_EXIT_OK
           : reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
}


void
reel_ctl_parts_release(reel_ctl_parts_t *p)
{
    free(p->part);
    *p = (reel_ctl_parts_t) { 0 };
}


uint64_t
reel_ctl_part_bytes(const reel_ctl_parts_t *p, size_t i)
{
    uint64_t  left = p->file->size - i * p->part_size;

    return left < p->part_size ? left : p->part_size;
}


uint64_t
reel_ctl_parts_done(const reel_ctl_parts_t *p)
{
    size_t    i;
    uint64_t  bytes = 0;

    for (i = 0; i < p->n; i++) {
        bytes += p->part[i].done ? reel_ctl_part_bytes(p, i) : 0;
    }

    return bytes;
}


/* reads the part once more than sending does; it is cached then */
static int
sum_part(reel_ctl_parts_t *p, size_t i)
{
    char      *buf;
    ssize_t    n = 1;
    uint8_t    sum[4];
    uint32_t   crc = 0;
    uint64_t   at, left;

    buf = malloc(READ);
    if (buf == NULL) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
    }

    at = i * p->part_size;
    left = reel_ctl_part_bytes(p, i);

    while (left != 0 && n > 0) {
        n = reel_pread(p->file->fd, buf, left < READ ? (size_t) left : READ,
                       at);

        if (n > 0) {
            crc = reel_crc32c(crc, buf, (size_t) n);
            at += (uint64_t) n;
            left -= (uint64_t) n;
        }
    }

    free(buf);

    if (left != 0) {
        reel_ctl_upload_line();
        return reel_ctl_fail(REEL_EXIT_FAILED, "the file cannot be read: %s",
                             n == 0 ? "it became shorter" : strerror(errno));
    }

    sum[0] = (uint8_t) (crc >> 24);
    sum[1] = (uint8_t) (crc >> 16);
    sum[2] = (uint8_t) (crc >> 8);
    sum[3] = (uint8_t) crc;
    reel_sum_encode(p->part[i].sum, REEL_SUM_CRC32C, sum);

    return REEL_EXIT_OK;
}


static int
start(sender_t *s, size_t slot, size_t i)
{
    int                code;
    size_t             k;
    slot_t            *l = &s->slot[slot];
    reel_ctl_parts_t  *p = s->p;

    code = p->summed ? sum_part(p, i) : REEL_EXIT_OK;

    if (code == REEL_EXIT_OK) {
        code = p->call(p, i, &l->call);
    }

    if (code != REEL_EXIT_OK) {
        reel_ctl_call_release(&l->call);
        return code;
    }

    /*
     * at first a refusal is better heard before the bytes; later the round
     * trip would be lost time
     */
    l->rq = (reel_ctl_request_t) {
        .method = "PUT", .url = l->call.url, .fd = p->file->fd,
        .offset = i * p->part_size, .size = reel_ctl_part_bytes(p, i),
        .stall_s = STALL_S,
        .headers = { "Accept: application/problem+json",
                     s->proven ? "Expect:" : "Expect: 100-continue" }
    };

    for (k = 0; l->call.lines[k] != NULL; k++) {
        l->rq.headers[2 + k] = l->call.lines[k];
    }

    if (reel_ctl_flight_start(s->flights, slot, &l->rq) != REEL_OK) {
        reel_ctl_call_release(&l->call);
        return reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
    }

    l->part = i;
    l->used = true;
    p->part[i].flying = true;
    s->flying++;

    return REEL_EXIT_OK;
}


/* as many as may fly, the lowest first */
static int
start_some(sender_t *s)
{
    int                code = REEL_EXIT_OK;
    size_t             i, slot = 0;
    int64_t            now = reel_ctl_now_ms();
    reel_ctl_part_t   *part;

    for (i = 0; i < s->p->n && s->flying < s->p->how->at_once; i++) {
        part = &s->p->part[i];

        if (part->done || part->flying || part->after_ms > now) {
            continue;
        }

        while (s->slot[slot].used) {
            slot++;
        }

        code = start(s, slot, i);
        if (code != REEL_EXIT_OK) {
            break;
        }
    }

    return code;
}


static int
taken(sender_t *s, size_t i, const reel_ctl_answer_t *a)
{
    reel_ctl_part_t  *part = &s->p->part[i];

    if (a->etag[0] == '\0') {
        reel_ctl_upload_line();
        return reel_ctl_fail(REEL_EXIT_FAILED, "the server took part %zu but "
                             "gave it no ETag", i + 1);
    }

    memcpy(part->etag, a->etag, sizeof(part->etag));
    part->done = true;
    s->proven = true;
    s->left--;
    s->done += reel_ctl_part_bytes(s->p, i);

    reel_ctl_event(s->p->how->c,
                   json_pack("{s:s, s:I, s:I}", "event", "part", "number",
                             (json_int_t) i + 1, "size",
                             (json_int_t) reel_ctl_part_bytes(s->p, i)));

    if (s->p->landed != NULL) {
        s->p->landed(s->p);
    }

    return REEL_EXIT_OK;
}


static void
again(sender_t *s, size_t i, const char *why)
{
    int64_t           now = reel_ctl_now_ms();
    unsigned          wait_s;
    reel_ctl_part_t  *part = &s->p->part[i];

    wait_s = reel_ctl_backoff_s(++part->failures);
    part->after_ms = now + wait_s * 1000;

    if (reel_ctl_events(s->p->how->c)) {
        reel_ctl_event(s->p->how->c,
                       json_pack("{s:s, s:I, s:s, s:i}", "event", "retry",
                                 "part", (json_int_t) i + 1, "why", why,
                                 "wait_s", (int) wait_s));

    } else if (s->told_ms == 0 || now - s->told_ms > QUIET_MS) {
        reel_ctl_upload_line();
        reel_ctl_warn("part %zu: %s; trying again in %u s", i + 1, why,
                      wait_s);
    }

    s->told_ms = now;
}


static int
landed(sender_t *s, size_t slot, const reel_ctl_answer_t *a, reel_err_t err,
    const reel_error_t *e)
{
    char     text[64];
    size_t   i = s->slot[slot].part;

    s->p->part[i].flying = false;
    s->slot[slot].used = false;
    s->flying--;
    reel_ctl_call_release(&s->slot[slot].call);

    if (err == REEL_OK && a->status >= 200 && a->status < 300) {
        return taken(s, i, a);
    }

    if (reel_ctl_interrupted()) {
        return REEL_EXIT_INTERRUPTED;
    }

    if (reel_ctl_passing(a, err)
        && s->p->part[i].failures < s->p->how->retries)
    {
        (void) snprintf(text, sizeof(text), "the server says %ld", a->status);
        again(s, i, err != REEL_OK ? e->text : text);
        return REEL_EXIT_OK;
    }

    reel_ctl_upload_line();

    if (err == REEL_OK) {
        (void) snprintf(text, sizeof(text), "part %zu was refused", i + 1);
        return reel_ctl_refusal(s->p->how->c, a, text);
    }

    return reel_ctl_fail(err == REEL_IO ? REEL_EXIT_UNAVAILABLE
                                        : REEL_EXIT_FAILED,
                         "the upload of %s broke off at part %zu: %s",
                         s->p->file->name, i + 1, e->text);
}


static void
show(sender_t *s)
{
    size_t    slot;
    uint64_t  sent, size, sum = s->done;

    for (slot = 0; slot < s->p->how->at_once; slot++) {
        if (s->slot[slot].used) {
            sent = reel_ctl_flight_sent(s->flights, slot);
            size = s->slot[slot].rq.size;
            sum += sent < size ? sent : size;
        }
    }

    reel_ctl_upload_progress(&s->bar, sum);
}


static int
run(sender_t *s)
{
    int                 code;
    size_t              slot;
    reel_err_t          err;
    reel_error_t        e = { "" };
    reel_ctl_answer_t   a;

    while (s->left != 0) {

        code = start_some(s);

        if (code == REEL_EXIT_OK
            && reel_ctl_flight_land(s->flights, TICK_MS, &slot, &a, &err, &e))
        {
            code = landed(s, slot, &a, err, &e);
            reel_ctl_answer_release(&a);
        }

        if (code != REEL_EXIT_OK) {
            return code;
        }

        if (reel_ctl_interrupted()) {
            return REEL_EXIT_INTERRUPTED;
        }

        show(s);
    }

    return REEL_EXIT_OK;
}


int
reel_ctl_parts_send(reel_ctl_parts_t *p)
{
    int        code;
    size_t     i;
    sender_t  *s;

    s = calloc(1, sizeof(*s));

    if (s != NULL) {
        s->flights = reel_ctl_flights_new((size_t) p->how->at_once);
    }

    if (s == NULL || s->flights == NULL) {
        free(s);
        return reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
    }

    s->p = p;
    s->done = reel_ctl_parts_done(p);

    for (i = 0; i < p->n; i++) {
        s->left += !p->part[i].done;
    }

    reel_ctl_event(p->how->c,
                   json_pack("{s:s, s:I, s:I, s:I, s:I}", "event", "begin",
                             "size", (json_int_t) p->file->size, "sent",
                             (json_int_t) s->done, "parts", (json_int_t) p->n,
                             "part_size", (json_int_t) p->part_size));

    reel_ctl_upload_begin(&s->bar, p->how->c, p->file->name, p->file->size,
                          s->done);
    code = run(s);
    reel_ctl_upload_end(&s->bar, code == REEL_EXIT_OK);

    reel_ctl_flights_free(s->flights);

    for (i = 0; i < REEL_CTL_AT_ONCE_MAX; i++) {
        reel_ctl_call_release(&s->slot[i].call);
    }

    free(s);

    return code;
}
