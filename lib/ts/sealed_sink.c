#include "lib/ts/sealed_sink.h"
#include "lib/ts/ts_impl.h"


/* bytes of payload that may still be put */
size_t
reel_ts_sink_room(const reel_ts_sink_t *s)
{
    size_t  n = (size_t) (s->end - s->p) / REEL_TS_PACKET;

    if (n == 0) {
        return 0;
    }

    return n * TS_PAYLOAD - (s->fill != 0 ? s->fill - 4 : 0)
           - (s->x->ts.first ? TS_PCR_FIELD : 0);
}


static void
begin_packet(reel_ts_sink_t *s)
{
    reel_ts_t  *ts = &s->x->ts;

    reel_ts_put_header(s->p, ts, ts->first, ts->first ? 0x30 : 0x10);
    s->fill = 4;

    if (ts->first) {
        reel_ts_put_pcr(s->p + 4, TS_PCR_FIELD, ts->sync,
                        reel_ts_time(ts, ts->pes_ts));
        s->fill += TS_PCR_FIELD;
        ts->first = false;
    }
}


static void
end_packet(reel_ts_sink_t *s)
{
    s->p += REEL_TS_PACKET;
    s->fill = 0;
    s->x->ts.counter++;
}


void
reel_ts_sink_put(reel_ts_sink_t *s, const uint8_t *p, size_t n)
{
    size_t  part;

    if (s->tail != NULL) {
        memcpy(s->tail + s->ntail, p, n);
        s->ntail += n;
        return;
    }

    for ( /* void */ ; n != 0; n -= part) {

        if (s->fill == 0) {
            begin_packet(s);
        }

        part = REEL_TS_PACKET - s->fill;
        part = part < n ? part : n;
        memcpy(s->p + s->fill, p, part);
        s->fill += part;
        p += part;

        if (s->fill == REEL_TS_PACKET) {
            end_packet(s);
        }
    }
}


/* what a packet has not goes before its payload */
void
reel_ts_sink_fill(reel_ts_sink_t *s)
{
    size_t     head, n;
    uint8_t   *p = s->p;
    reel_ts_t *ts = &s->x->ts;

    head = (p[3] & 0x20) != 0 ? 4 + TS_PCR_FIELD : 4;
    n = s->fill - head;

    memmove(p + REEL_TS_PACKET - n, p + head, n);
    p[3] |= 0x20;

    if (head != 4) {
        reel_ts_put_pcr(p + 4, TS_PAYLOAD - n, ts->sync,
                        reel_ts_time(ts, ts->pes_ts));
    } else {
        reel_ts_put_stuffing(p + 4, TS_PAYLOAD - n);
    }

    end_packet(s);
}


/* how many of n bytes there are to the next place of an escape */
static size_t
plain_bytes(const uint8_t *p, size_t n, uint8_t *zeros)
{
    size_t          i = 0;
    const uint8_t  *q;

    while (i < n) {

        if (*zeros == 0) {
            q = memchr(p + i, 0, n - i);
            if (q == NULL) {
                return n;
            }

            i = (size_t) (q - p) + 1;
            *zeros = 1;
            continue;
        }

        if (*zeros == 2 && p[i] <= 3) {
            return i;
        }

        *zeros = p[i] == 0 ? (uint8_t) (*zeros + 1) : 0;
        i++;
    }

    return n;
}


/* 14496-10, 7.4.1: emulation_prevention_three_byte */
void
reel_ts_sink_escaped(reel_ts_sink_t *s, const uint8_t *p, size_t n)
{
    size_t  part;

    static const uint8_t  three = 3;

    for ( ;; ) {
        part = plain_bytes(p, n, &s->x->zeros);
        reel_ts_sink_put(s, p, part);

        if (part == n) {
            return;
        }

        reel_ts_sink_put(s, &three, 1);
        s->x->zeros = 0;
        p += part;
        n -= part;
    }
}
