#include "lib/base/reader.h"
#include "lib/codec/aac.h"
#include "lib/ts/sealed_sink.h"
#include "lib/ts/ts_impl.h"


#define AAC_CLEAR    16         /* bytes of a frame */
#define NAL_CLEAR    32
#define NAL_MIN      48         /* with more than these it is encrypted */

/*
 * Of the last PES so many raw bytes stay for the packets that fill a segment
 * up to a multiple of 16; with the bytes of a block that is not whole they
 * fit in one packet, whatever is put between them.
 */
#define KEEP         64
#define KEEP_MAX     (KEEP + REEL_AES_BLOCK)


reel_err_t
reel_ts_sealed_init(reel_ts_sealed_t *x, const reel_ts_segment_t *seg,
    const uint8_t key[16], const uint8_t iv[16])
{
    uint32_t    i;
    reel_err_t  err;

    *x = (reel_ts_sealed_t) { .pes_left = 0 };
    memcpy(x->iv, iv, sizeof(x->iv));

    err = reel_ts_init(&x->ts, seg);

    for (i = 0; i < seg->nfragments && err == REEL_OK; i++) {
        if (seg->fragments[i].config->asc.len > REEL_AAC_CONFIG_MAX) {
            err = REEL_UNSUPPORTED;
        }
    }

    return err == REEL_OK ? reel_seal_init(&x->seal, REEL_SCHEME_CBCS, key)
                          : err;
}


void
reel_ts_sealed_release(reel_ts_sealed_t *x)
{
    reel_seal_release(&x->seal);
}


/* n bytes of input are done */
static void
took(reel_ts_sink_t *s, size_t n)
{
    reel_ts_t  *ts = &s->x->ts;

    s->in += n;
    s->len -= n;
    s->x->pes_left -= n;
    ts->data -= (uint32_t) n;
    ts->taken += n;
    ts->left -= n;
}


/* REEL_AGAIN here and below: it needs more input, or more room */
static reel_err_t
put_frame(reel_ts_sink_t *s, size_t n)
{
    reel_err_t         err;
    reel_ts_sealed_t  *x = s->x;

    if (x->clear != 0) {
        n = n < x->clear ? n : x->clear;
        x->clear -= (uint32_t) n;

        if (x->clear == 0 && x->ts.data != n) {
            err = reel_seal_begin(&x->seal, x->iv, NULL, 0,
                                  x->ts.data - (uint32_t) n);
            if (err != REEL_OK) {
                return err;
            }
        }

    } else {
        err = reel_seal_run(&x->seal, s->in, s->in, n, &n);
        if (err != REEL_OK) {
            return err;
        }
    }

    if (n == 0) {
        return REEL_AGAIN;
    }

    reel_ts_sink_put(s, s->in, n);
    took(s, n);

    return REEL_OK;
}


/* a NAL unit begins: its length becomes a start code */
static reel_err_t
begin_nal(reel_ts_sink_t *s, size_t n)
{
    uint8_t           *p = s->in;
    reel_ts_sealed_t  *x = s->x;

    if (x->ts.data < 4) {
        return REEL_BADDATA;
    }

    if (n < 4 + TS_DELIMITER && n < x->ts.data) {
        return REEL_AGAIN;
    }

    if (reel_ts_drop_delimiter(&x->ts, p)) {
        took(s, 4 + TS_DELIMITER);
        return REEL_OK;
    }

    x->nal = reel_be32(p);

    if (x->nal > x->ts.data - 4) {
        return REEL_BADDATA;
    }

    x->sealed = x->nal > NAL_MIN
                && ((p[4] & 0x1f) == 1 || (p[4] & 0x1f) == 5);

    /* of three bytes: players take a fourth one for the end of the last unit */
    reel_ts_sink_put(s, reel_ts_start_code + 1, 3);
    took(s, 4);

    if (!x->sealed) {
        return REEL_OK;
    }

    x->zeros = 0;

    /* the last byte never is: so a block needs one more behind it */
    x->sub.clear = NAL_CLEAR;
    x->sub.hidden = x->nal - NAL_CLEAR - 1;

    return reel_seal_begin(&x->seal, x->iv, &x->sub, 1, x->nal - 1);
}


static reel_err_t
put_nal(reel_ts_sink_t *s, size_t n)
{
    reel_err_t         err;
    reel_ts_sealed_t  *x = s->x;

    if (x->nal == 0) {
        return begin_nal(s, n);
    }

    n = n < x->nal ? n : x->nal;

    if (!x->sealed) {
        reel_ts_sink_put(s, s->in, n);

    } else {
        if (x->nal != 1) {
            n -= n == x->nal;

            err = reel_seal_run(&x->seal, s->in, s->in, n, &n);
            if (err != REEL_OK) {
                return err;
            }
        }

        if (n == 0) {
            return REEL_AGAIN;
        }

        reel_ts_sink_escaped(s, s->in, n);
    }

    x->nal -= (uint32_t) n;
    took(s, n);

    return REEL_OK;
}


static void
begin_sample(reel_ts_sealed_t *x)
{
    x->nal = 0;
    x->clear = x->ts.data < AAC_CLEAR ? x->ts.data : AAC_CLEAR;
}


static void
next_sample(reel_ts_sealed_t *x)
{
    reel_ts_t  *ts = &x->ts;

    ts->head_at = 0;
    ts->head_len = 0;
    reel_ts_au_head(ts);
    ts->aus--;
    ts->sample++;
    begin_sample(x);
}


/* some of at most n raw bytes of the PES, whatever comes next */
static reel_err_t
put_some(reel_ts_sink_t *s, size_t n)
{
    size_t             part;
    reel_ts_sealed_t  *x = s->x;
    reel_ts_t         *ts = &x->ts;

    if (ts->head_at != ts->head_len) {
        part = ts->head_len - ts->head_at;
        part = part < n ? part : n;
        reel_ts_sink_put(s, ts->head + ts->head_at, part);
        ts->head_at = (uint8_t) (ts->head_at + part);
        x->pes_left -= part;
        return REEL_OK;
    }

    if (ts->sets_at != ts->sets_len) {
        part = ts->sets_len - ts->sets_at;
        part = part < n ? part : n;
        reel_ts_sink_put(s, (const uint8_t *)
                            reel_ts_fragment(ts)->config->sets.p
                            + ts->sets_at, part);
        ts->sets_at += part;
        x->pes_left -= part;
        return REEL_OK;
    }

    if (ts->data == 0) {
        next_sample(x);
        return REEL_OK;
    }

    n = n < ts->data ? n : ts->data;
    n = n < s->len ? n : s->len;

    if (n == 0) {
        return REEL_AGAIN;
    }

    return ts->codec == REEL_TS_AVC ? put_nal(s, n) : put_frame(s, n);
}


/* the end of a segment: what is left goes into as many packets as it takes */
static reel_err_t
put_tail(reel_ts_sink_t *s)
{
    size_t             at, k;
    uint8_t            tail[2 * KEEP_MAX];
    reel_err_t         err = REEL_OK;
    reel_ts_sealed_t  *x = s->x;

    if (s->len < x->ts.left
        || (size_t) (s->end - s->p) < 17 * REEL_TS_PACKET)
    {
        return REEL_AGAIN;
    }

    s->tail = tail;
    s->ntail = 0;

    while (x->pes_left != 0 && err == REEL_OK) {
        err = put_some(s, KEEP_MAX);
    }

    s->tail = NULL;

    if (err != REEL_OK) {
        return err == REEL_AGAIN ? REEL_BADDATA : err;
    }

    if (s->fill != 0) {
        reel_ts_sink_fill(s);
    }

    /* each packet behind the first one gets a byte */
    k = 16 - (x->ts.counter & 15);
    at = s->ntail - (k - 1);
    reel_ts_sink_put(s, tail, at);

    for ( ;; ) {
        if (s->fill != 0) {
            reel_ts_sink_fill(s);
        }

        if (at == s->ntail) {
            return REEL_OK;
        }

        reel_ts_sink_put(s, tail + at++, 1);
    }
}


static bool
next_pes(reel_ts_sealed_t *x)
{
    reel_ts_t  *ts = &x->ts;

    if (!reel_ts_next_pes(ts)) {
        return false;
    }

    x->pes_left = ts->bytes;
    x->last = ts->fragment + 1 == ts->seg->nfragments
              && ts->sample + ts->aus == reel_ts_fragment(ts)->nsamples;
    begin_sample(x);

    return true;
}


/*
 * How many of the PES's raw bytes may be put, if room is for n.  Those that
 * stay at the end of a segment hang on its bytes alone: who cannot go so far
 * stops before.
 */
static size_t
put_max(const reel_ts_sink_t *s, size_t n)
{
    uint64_t                 max;
    const reel_ts_sealed_t  *x = s->x;

    if (!x->last) {
        return n;
    }

    max = x->pes_left - KEEP;

    if (n < max || s->len < x->ts.left) {
        max = x->pes_left - KEEP_MAX - 1;
    }

    return n < max ? n : (size_t) max;
}


static reel_err_t
put_pes(reel_ts_sink_t *s)
{
    size_t             n;
    reel_err_t         err;
    reel_ts_sealed_t  *x = s->x;

    if (x->last && x->pes_left <= KEEP_MAX) {
        return put_tail(s);
    }

    /* three bytes come of two where all are 0, and one that was due */
    n = reel_ts_sink_room(s);
    n = put_max(s, n > 2 ? (n - 2) / 3 * 2 : 0);

    if (n < REEL_AES_BLOCK) {
        return REEL_AGAIN;
    }

    err = put_some(s, n);

    if (err == REEL_OK && x->pes_left == 0 && s->fill != 0) {
        reel_ts_sink_fill(s);
    }

    return err;
}


/* one more packet, or some bytes: REEL_AGAIN when that cannot be */
static reel_err_t
step(reel_ts_sink_t *s)
{
    reel_ts_sealed_t         *x = s->x;
    const reel_ts_segment_t  *seg = x->ts.seg;

    if (x->pes_left != 0) {
        return put_pes(s);
    }

    /* before any room: a fragment is left by the call that ends it */
    if (x->tables == 2 && x->ts.idle == 0) {
        return next_pes(x) ? REEL_OK : REEL_AGAIN;
    }

    if (s->end - s->p < REEL_TS_PACKET) {
        return REEL_AGAIN;
    }

    if (x->tables == 0) {
        reel_ts_pat(s->p, (uint8_t) seg->number);
        x->tables++;

    } else if (x->tables == 1) {
        reel_ts_pmt_sealed(s->p, (uint8_t) seg->number,
                           seg->fragments[0].config);
        x->tables++;

    } else {
        reel_ts_put_idle(&x->ts, s->p);
    }

    s->p += REEL_TS_PACKET;

    return REEL_OK;
}


reel_err_t
reel_ts_sealed_write(reel_ts_sealed_t *x, uint8_t *out, size_t cap,
    uint8_t *in, size_t len, size_t *written)
{
    uint32_t        fragment = x->ts.fragment;
    reel_err_t      err = REEL_OK;
    reel_ts_sink_t  s = {
        .x = x, .p = out, .end = out + cap, .fill = x->filled, .in = in,
        .len = len
    };

    *written = 0;

    if (cap < REEL_TS_PACKET) {
        return REEL_OK;
    }

    memcpy(out, x->packet, x->filled);

    while (err == REEL_OK && x->ts.fragment == fragment
           && fragment != x->ts.seg->nfragments)
    {
        err = step(&s);
    }

    x->filled = (uint8_t) s.fill;
    memcpy(x->packet, s.p, s.fill);

    *written = (size_t) (s.p - out);
    x->ts.out += *written;

    return err == REEL_AGAIN ? REEL_OK : err;
}
