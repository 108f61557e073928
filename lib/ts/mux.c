#include "lib/base/rescale.h"
#include "lib/ts/mux.h"
#include "lib/ts/ts_impl.h"


reel_err_t
reel_ts_mux_init(reel_ts_mux_t *m, const reel_ts_segment_t *pictures,
    const reel_ts_segment_t *sound)
{
    reel_err_t  err;

    *m = (reel_ts_mux_t) { .size = 0 };

    if (pictures->part != REEL_TS_PICTURES || sound->part != REEL_TS_SOUND
        || pictures->number != sound->number)
    {
        return REEL_INVAL;
    }

    err = reel_ts_init(&m->pictures, pictures);

    if (err == REEL_OK) {
        err = reel_ts_init(&m->sound, sound);
    }

    if (err == REEL_OK && (m->pictures.codec != REEL_TS_AVC
                           || m->sound.codec != REEL_TS_AAC))
    {
        err = REEL_INVAL;
    }

    /* that of the sound counts from behind the tables */
    m->size = m->pictures.size + m->sound.size - TS_TABLES * REEL_TS_PACKET;

    return err;
}


static bool
within_pes(const reel_ts_t *ts)
{
    return ts->packets != 0 || ts->idle != 0;
}


/* the next PES of b on the clock of a */
static int64_t
next_of(const reel_ts_t *b, const reel_ts_t *a, reel_round_t round)
{
    return reel_rescale(reel_ts_next_ts(b), a->seg->timescale,
                        b->seg->timescale, round);
}


/* which PES comes next: sets where its stream has to stop */
static reel_ts_t *
choose(reel_ts_mux_t *m)
{
    bool        more;
    reel_ts_t  *p = &m->pictures, *s = &m->sound;

    p->stop_ts = INT64_MAX;
    s->stop_ts = INT64_MAX;

    more = reel_ts_more(s);

    if (!reel_ts_more(p)) {
        return more ? s : NULL;
    }

    if (!more) {
        return p;
    }

    p->stop_ts = next_of(s, p, REEL_ROUND_DOWN);
    s->stop_ts = next_of(p, s, REEL_ROUND_UP) - 1;

    return reel_ts_next_ts(p) <= p->stop_ts ? p : s;
}


reel_ts_t *
reel_ts_mux_next(reel_ts_mux_t *m)
{
    if (m->out < TS_TABLES * REEL_TS_PACKET) {
        m->pictures.stop_ts = INT64_MIN;
        return &m->pictures;
    }

    return within_pes(&m->pictures) ? &m->pictures
           : within_pes(&m->sound) ? &m->sound : choose(m);
}


void
reel_ts_mux_seek(reel_ts_mux_t *m, uint64_t offset)
{
    uint64_t        size;
    reel_ts_t      *ts;
    reel_ts_pes_t   pes;

    reel_ts_rewind(&m->pictures);
    reel_ts_rewind(&m->sound);
    m->out = 0;

    if (offset < TS_TABLES * REEL_TS_PACKET) {
        return;
    }

    m->pictures.out = TS_TABLES * REEL_TS_PACKET;
    m->out = m->pictures.out;

    for (ts = choose(m); ts != NULL; ts = choose(m)) {
        size = reel_ts_pes_next(ts, &pes) * REEL_TS_PACKET;

        if (size > offset - m->out) {
            return;
        }

        reel_ts_pes_skip(ts, &pes);
        m->out += size;
    }
}


size_t
reel_ts_mux_wants(const reel_ts_t *ts)
{
    int64_t                    at;
    uint32_t                   i, aus;
    uint64_t                   n = ts->data;
    const reel_ts_fragment_t  *f = reel_ts_fragment(ts);

    at = reel_ts_next_ts(ts);
    aus = ts->packets != 0 ? ts->aus : 0;

    /* the last PES of sound goes on for up to a tick */
    for (i = ts->sample; i < f->nsamples && n < ts->left; i++) {

        if (aus != 0) {
            aus--;

        } else if (ts->stop_ts != INT64_MAX
                   && at > ts->stop_ts
                           + (ts->codec == REEL_TS_AAC ? ts->tick : 0))
        {
            break;

        } else {
            at += f->samples[i].duration;
        }

        n += f->samples[i].size;
    }

    /* the end of a PES wants more than it takes */
    n += REEL_TS_INPUT_MIN;

    return (size_t) (n < ts->left ? n : ts->left);
}


reel_err_t
reel_ts_mux_write(reel_ts_mux_t *m, reel_ts_t *ts, uint8_t *out, size_t cap,
    uint8_t *in, size_t len, size_t *written)
{
    reel_err_t  err;

    err = reel_ts_write(ts, out, cap, in, len, written);
    m->out += *written;

    return err;
}
