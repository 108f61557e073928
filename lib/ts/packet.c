#include "lib/base/reader.h"
#include "lib/ts/ts_impl.h"


/* 13818-1, 2.4.3.4: room bytes of adaptation field that has a PCR */
void
reel_ts_put_pcr(uint8_t *p, size_t room, bool random_access, uint64_t t)
{
    t = (t - REEL_TS_LEAD) & ((UINT64_C(1) << 33) - 1);

    p[0] = (uint8_t) (room - 1);
    p[1] = random_access ? 0x50 : 0x10;
    p[2] = (uint8_t) (t >> 25);
    p[3] = (uint8_t) (t >> 17);
    p[4] = (uint8_t) (t >> 9);
    p[5] = (uint8_t) (t >> 1);
    p[6] = (uint8_t) (t << 7 | 0x7e);
    p[7] = 0;

    memset(p + TS_PCR_FIELD, 0xff, room - TS_PCR_FIELD);
}


/* n bytes of adaptation field that fill a packet up, one at least */
void
reel_ts_put_stuffing(uint8_t *p, size_t n)
{
    p[0] = (uint8_t) (n - 1);

    if (n > 1) {
        p[1] = 0;
        memset(p + 2, 0xff, n - 2);
    }
}


/* such a packet does not count, nor does its counter */
void
reel_ts_put_idle(reel_ts_t *ts, uint8_t *p)
{
    int64_t  at;

    ts->idle--;
    ts->idled++;
    at = ts->pes_ts + (int64_t) ts->idled * ts->tick;

    ts->counter--;
    reel_ts_put_header(p, ts, false, 0x20);
    ts->counter++;

    reel_ts_put_pcr(p + 4, TS_PAYLOAD, false, reel_ts_time(ts, at));
}


/*
 * The lengths of NAL units among the next n bytes of a sample, which stand
 * at in, become start codes.  Of one that begins there the whole is in `in`.
 */
static reel_err_t
put_start_codes(reel_ts_t *ts, uint8_t *in, uint32_t n)
{
    uint32_t  len;
    uint64_t  at;

    /* zeros that belong to no unit (annex B): the size is told already */
    if (n != 0 && reel_ts_drop_delimiter(ts, in)) {
        ts->blank = 4 + TS_DELIMITER;
        ts->nal = 4 + TS_DELIMITER;
    }

    for (at = 0; ts->blank != 0 && at < n; at++) {
        in[at] = 0;
        ts->blank--;
    }

    for (at = 0; ts->code != 0 && at < n; at++) {
        in[at] = reel_ts_start_code[4 - ts->code--];
    }

    for (at = ts->nal; at < n; at += len) {

        if (ts->data - at < 4) {
            return REEL_BADDATA;
        }

        len = reel_be32(in + at);

        if (len > ts->data - at - 4) {
            return REEL_BADDATA;
        }

        memcpy(in + at, reel_ts_start_code, 4);
        at += 4;

        if (at > n) {
            ts->code = (uint8_t) (at - n);
        }
    }

    ts->nal = (uint32_t) (at - n);

    return REEL_OK;
}


static reel_err_t
take(reel_ts_t *ts, uint8_t *in, uint32_t n)
{
    reel_err_t  err = REEL_OK;

    if (ts->codec == REEL_TS_AVC) {
        err = put_start_codes(ts, in, n);
    }

    ts->data -= n;
    ts->taken += n;
    ts->left -= n;

    return err;
}


/* the next n bytes of the PES, of which *in gives those of samples */
static reel_err_t
gather(reel_ts_t *ts, uint8_t *p, size_t n, uint8_t **in)
{
    size_t      part;
    reel_err_t  err;

    while (n != 0) {

        if (ts->head_at != ts->head_len) {
            part = ts->head_len - ts->head_at;
            part = part < n ? part : n;
            memcpy(p, ts->head + ts->head_at, part);
            ts->head_at = (uint8_t) (ts->head_at + part);

        } else if (ts->sets_at != ts->sets_len) {
            part = ts->sets_len - ts->sets_at;
            part = part < n ? part : n;
            memcpy(p, reel_ts_fragment(ts)->config->sets.p + ts->sets_at,
                   part);
            ts->sets_at += part;

        } else if (ts->data != 0) {
            part = ts->data < n ? ts->data : n;

            err = take(ts, *in, (uint32_t) part);
            if (err != REEL_OK) {
                return err;
            }

            memcpy(p, *in, part);
            *in += part;

        } else {
            ts->head_at = 0;
            ts->head_len = 0;
            reel_ts_au_head(ts);
            ts->aus--;
            ts->sample++;
            continue;
        }

        p += part;
        n -= part;
    }

    return REEL_OK;
}


/* any packet of a PES, the first and the last ones too */
static reel_err_t
put_packet(reel_ts_t *ts, uint8_t *p, uint8_t **in)
{
    size_t  field, n;

    field = ts->first ? reel_ts_pcr_field(ts) : 0;

    /* each packet that follows gets a byte at least */
    n = TS_PAYLOAD - field;

    if (n > ts->bytes - (ts->packets - 1)) {
        n = (size_t) (ts->bytes - (ts->packets - 1));
        field = TS_PAYLOAD - n;
    }

    reel_ts_put_header(p, ts, ts->first, field != 0 ? 0x30 : 0x10);

    if (ts->first && reel_ts_pcr_field(ts) != 0) {
        reel_ts_put_pcr(p + 4, field, ts->sync, reel_ts_time(ts, ts->pes_ts));

    } else if (field != 0) {
        reel_ts_put_stuffing(p + 4, field);
    }

    ts->first = false;
    ts->counter++;
    ts->packets--;
    ts->bytes -= n;

    return gather(ts, p + 4 + field, n, in);
}


/* how many packets, of max at most, will be full of one sample's bytes */
static size_t
plain_packets(const reel_ts_t *ts, size_t max, size_t in)
{
    uint64_t  n;

    if (ts->first || ts->head_at != ts->head_len
        || ts->sets_at != ts->sets_len
        || ts->bytes - (ts->packets - 1) < TS_PAYLOAD)
    {
        return 0;
    }

    n = (ts->bytes - (ts->packets - 1) - TS_PAYLOAD) / (TS_PAYLOAD - 1) + 1;

    n = n < ts->packets ? n : ts->packets;
    n = n < max ? n : max;
    n = n < ts->data / TS_PAYLOAD ? n : ts->data / TS_PAYLOAD;

    /* a length may lie across their end */
    in -= in > 4 && in < ts->left ? 4 : 0;

    return n < in / TS_PAYLOAD ? n : in / TS_PAYLOAD;
}


static reel_err_t
put_plain(reel_ts_t *ts, uint8_t *p, size_t n, uint8_t **in)
{
    size_t          i;
    reel_err_t      err;
    const uint8_t  *from = *in;

    err = take(ts, *in, (uint32_t) (n * TS_PAYLOAD));
    if (err != REEL_OK) {
        return err;
    }

    for (i = 0; i < n; i++) {
        reel_ts_put_header(p, ts, false, 0x10);
        memcpy(p + 4, from, TS_PAYLOAD);
        ts->counter++;
        p += REEL_TS_PACKET;
        from += TS_PAYLOAD;
    }

    ts->packets -= (uint32_t) n;
    ts->bytes -= n * TS_PAYLOAD;
    *in += n * TS_PAYLOAD;

    return REEL_OK;
}


static void
put_pmt(const reel_ts_t *ts, uint8_t *p)
{
    uint8_t  counter = (uint8_t) ts->seg->number;

    if (ts->seg->part == REEL_TS_PICTURES) {
        reel_ts_pmt_both(p, counter);
    } else {
        reel_ts_pmt(p, counter, ts->codec);
    }
}


/* one packet or several plain ones: *n of them */
static reel_err_t
put_some(reel_ts_t *ts, uint8_t *p, size_t max, uint8_t **in, size_t len,
    size_t *n)
{
    *n = 1;

    if (ts->out == 0) {
        reel_ts_pat(p, (uint8_t) ts->seg->number);
        return REEL_OK;
    }

    if (ts->out == REEL_TS_PACKET) {
        put_pmt(ts, p);
        return REEL_OK;
    }

    if (ts->packets == 0) {
        reel_ts_put_idle(ts, p);
        return REEL_OK;
    }

    *n = plain_packets(ts, max, len);

    if (*n != 0) {
        return put_plain(ts, p, *n, in);
    }

    *n = 1;

    return put_packet(ts, p, in);
}


reel_err_t
reel_ts_write(reel_ts_t *ts, uint8_t *out, size_t cap, uint8_t *in,
    size_t len, size_t *written)
{
    size_t      n, max;
    uint8_t    *end = in + len;
    reel_err_t  err;

    *written = 0;

    while (ts->fragment != ts->seg->nfragments) {

        if (ts->out >= TS_TABLES * REEL_TS_PACKET && ts->packets == 0
            && ts->idle == 0 && !reel_ts_next_pes(ts))
        {
            break;
        }

        max = (cap - *written) / REEL_TS_PACKET;
        len = (size_t) (end - in);

        if (max == 0
            || (ts->packets != 0 && len < ts->left
                && len < REEL_TS_INPUT_MIN))
        {
            break;
        }

        err = put_some(ts, out + *written, max, &in, len, &n);
        if (err != REEL_OK) {
            return err;
        }

        *written += n * REEL_TS_PACKET;
        ts->out += n * REEL_TS_PACKET;
    }

    return REEL_OK;
}
