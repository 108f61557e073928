/* segments of fragmented MP4: moof and mdat, ISO 14496-12 8.8, and CMAF */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/reader.h"
#include "lib/mp4/box.h"
#include "reelctl/check.h"


#define CC(z) REEL_FOURCC((z)[0], (z)[1], (z)[2], (z)[3])

#define SAMPLES_MAX (1u << 20)
#define NON_SYNC    0x00010000u


typedef struct {
    reel_check_media_t      *m;
    const reel_check_init_t *i;
    const uint8_t           *p;         /* the segment */
    size_t                   n;
    bool                     part;

    /* of the moof that is read */
    size_t                   moof, end; /* where it lies */
    unsigned                 trafs, saiz, saio;
    bool                     tfdt, first;
    uint32_t                 flags, duration, size, sample_flags;
    int64_t                  base_dts;
    uint64_t                 bytes;     /* of its samples */

    /* of the segment */
    int64_t                  dts;       /* of the next sample */
    int64_t                  since;     /* the last sync sample */
    int64_t                  last;      /* end of what is shown last */
} state_t;


static void note(char *dst, const char *fmt, ...) REEL_PRINTF(2, 3);


/* the first one stays */
static void
note(char *dst, const char *fmt, ...)
{
    va_list  ap;

    if (dst[0] == '\0') {
        va_start(ap, fmt);
        (void) vsnprintf(dst, REEL_CHECK_NOTE, fmt, ap);
        va_end(ap);
    }
}


static void
read_tfhd(state_t *st, reel_reader_t *r)
{
    reel_read_skip(r, 1);
    st->flags = reel_read_u24(r);
    reel_read_skip(r, 4);

    if (st->flags & REEL_TFHD_BASE_OFFSET) {
        reel_read_skip(r, 8);
        note(st->m->style, "byte %zu: tfhd has a base-data-offset", st->moof);
    }

    if (!(st->flags & REEL_TFHD_BASE_IS_MOOF)) {
        note(st->m->style, "byte %zu: tfhd lacks default-base-is-moof",
             st->moof);
    }

    if (st->flags & REEL_TFHD_DESCRIPTION) {
        reel_read_skip(r, 4);
    }

    st->duration = st->flags & REEL_TFHD_DURATION ? reel_read_u32(r)
                                                  : st->i->duration;
    st->size = st->flags & REEL_TFHD_SIZE ? reel_read_u32(r) : st->i->size;
    st->sample_flags = st->flags & REEL_TFHD_FLAGS ? reel_read_u32(r)
                                                   : st->i->flags;
}


static void
read_tfdt(state_t *st, reel_reader_t *r)
{
    uint64_t  ts;
    uint8_t   version = reel_read_u8(r);

    reel_read_skip(r, 3);
    ts = version == 1 ? reel_read_u64(r) : reel_read_u32(r);
    st->tfdt = true;

    if (ts > INT64_MAX / 4) {
        note(st->m->fault, "byte %zu: tfdt is beyond all time", st->moof);
        return;
    }

    if (st->m->fragments != 0 && (int64_t) ts != st->dts) {
        note(st->m->fault, "byte %zu: tfdt is %" PRIu64 ", the samples before "
             "end at %" PRId64, st->moof, ts, st->dts);
    }

    st->dts = (int64_t) ts;

    if (st->m->fragments == 0) {
        st->m->dts = (int64_t) ts;
        st->m->pts = INT64_MAX;
        st->m->latest = INT64_MIN;
        st->last = INT64_MIN;
        st->since = (int64_t) ts;
    }
}


static void
take_sample(state_t *st, uint32_t duration, uint32_t size, uint32_t flags,
    int64_t cts)
{
    int64_t              at, gap;
    reel_check_media_t  *m = st->m;
    bool                 sync = !(flags & NON_SYNC);

    if (st->first) {
        m->sync &= sync;
        st->first = false;
    }

    if (sync) {
        gap = st->dts - st->since;
        m->sync_gap = gap > m->sync_gap ? gap : m->sync_gap;
        st->since = st->dts;
    }

    if (m->samples == 0) {
        m->first_size = st->end - st->moof + REEL_BOX_HEAD + size;
    }

    at = st->dts + cts;
    m->pts = at < m->pts ? at : m->pts;
    m->latest = at > m->latest ? at : m->latest;
    st->last = at + duration > st->last ? at + duration : st->last;
    m->shown = st->last - m->pts;
    m->samples++;
    m->duration += duration;
    st->dts += duration;
    st->bytes += size;
}


/* the first NAL unit that is a slice: ISO 14496-10 and 23008-2, 7.4.1 */
static bool
starts_with_key(const state_t *st, const uint8_t *p, size_t n)
{
    bool      avc = st->i->entry == CC("avc1") || st->i->entry == CC("avc3");
    size_t    len;
    unsigned  k, type;

    while (n > st->i->nal_size) {

        for (k = 0, len = 0; k < st->i->nal_size; k++) {
            len = len << 8 | *p++;
        }

        n -= st->i->nal_size;

        if (len == 0 || len > n) {
            return false;
        }

        type = avc ? p[0] & 31 : p[0] >> 1 & 63;

        if (avc ? type >= 1 && type <= 5 : type < 32) {
            return avc ? type == 5 : type >= 16 && type <= 21;
        }

        p += len;
        n -= len;
    }

    return false;
}


static void
read_trun(state_t *st, reel_reader_t *r)
{
    int64_t   cts;
    uint8_t   version = reel_read_u8(r);
    uint32_t  k, n, flags, offset = 0, first = 0, v[3];

    flags = reel_read_u24(r);
    n = reel_read_u32(r);

    if (flags & REEL_TRUN_DATA_OFFSET) {
        offset = reel_read_u32(r);
    }

    if (flags & REEL_TRUN_FIRST_FLAGS) {
        first = reel_read_u32(r);
    }

    if (n > SAMPLES_MAX) {
        note(st->m->fault, "byte %zu: trun of %" PRIu32 " samples", st->moof,
             n);
        return;
    }

    for (k = 0; k < n && r->err == REEL_OK; k++) {
        v[0] = flags & REEL_TRUN_DURATION ? reel_read_u32(r) : st->duration;
        v[1] = flags & REEL_TRUN_SIZE ? reel_read_u32(r) : st->size;
        v[2] = flags & REEL_TRUN_FLAGS ? reel_read_u32(r)
               : k == 0 && flags & REEL_TRUN_FIRST_FLAGS ? first
               : st->sample_flags;
        cts = flags & REEL_TRUN_CTS ? reel_read_u32(r) : 0;

        if (version != 0) {
            cts = (int32_t) cts;
        }

        if (st->m->samples == 0 && st->moof + offset < st->n) {
            st->m->keyframe = st->i->nal_size != 0
                ? starts_with_key(st, st->p + st->moof + offset,
                                  v[1] < st->n - st->moof - offset
                                  ? v[1] : st->n - st->moof - offset)
                : !(v[2] & NON_SYNC);
        }

        take_sample(st, v[0], v[1], v[2], cts);
    }
}


static void
read_traf(state_t *st, reel_reader_t *r)
{
    uint32_t       size, type;
    reel_reader_t  b;

    st->trafs++;

    while (reel_reader_left(r) >= REEL_BOX_HEAD) {
        size = reel_read_u32(r);
        type = reel_read_u32(r);

        if (size < REEL_BOX_HEAD || size - REEL_BOX_HEAD > reel_reader_left(r))
        {
            note(st->m->fault, "byte %zu: a box of traf does not fit",
                 st->moof);
            return;
        }

        b = reel_read_sub(r, size - REEL_BOX_HEAD);

        if (type == CC("tfhd")) {
            read_tfhd(st, &b);
        } else if (type == CC("tfdt")) {
            read_tfdt(st, &b);
        } else if (type == CC("trun")) {
            read_trun(st, &b);
        } else if (type == CC("saiz")) {
            st->saiz++;
        } else if (type == CC("saio")) {
            st->saio++;
        } else if (type == CC("senc")) {
            st->saiz++;
            st->saio++;
        }

        if (b.err != REEL_OK) {
            note(st->m->fault, "byte %zu: a box of traf is cut short",
                 st->moof);
        }
    }
}


static void
read_moof(state_t *st, reel_reader_t *r)
{
    uint32_t       size, type;
    reel_reader_t  b;

    st->trafs = st->saiz = st->saio = 0;
    st->tfdt = false;
    st->first = true;
    st->bytes = 0;

    while (reel_reader_left(r) >= REEL_BOX_HEAD) {
        size = reel_read_u32(r);
        type = reel_read_u32(r);

        if (size < REEL_BOX_HEAD || size - REEL_BOX_HEAD > reel_reader_left(r))
        {
            note(st->m->fault, "byte %zu: a box of moof does not fit",
                 st->moof);
            return;
        }

        b = reel_read_sub(r, size - REEL_BOX_HEAD);

        if (type == CC("traf")) {
            read_traf(st, &b);
        }
    }

    if (st->trafs != 1) {
        note(st->m->style, "byte %zu: %u tracks in one moof", st->moof,
             st->trafs);
    }

    if (!st->tfdt) {
        note(st->m->fault, "byte %zu: no tfdt", st->moof);
    }

    st->m->tracks = st->trafs > st->m->tracks ? st->trafs : st->m->tracks;
    st->m->protected &= st->saiz != 0 && st->saio != 0;
    st->m->fragments++;
}


/* boxes of a segment: an mdat follows each moof and holds its samples */
static void
read_boxes(state_t *st)
{
    bool           want_mdat = false;
    size_t         at;
    uint64_t       size;
    uint32_t       type;
    reel_reader_t  b, r;

    reel_reader_init(&r, st->p, st->n);

    while (reel_reader_left(&r) != 0) {
        at = reel_reader_pos(&r);
        size = reel_read_u32(&r);
        type = reel_read_u32(&r);

        if (r.err != REEL_OK || size < REEL_BOX_HEAD
            || size - REEL_BOX_HEAD > reel_reader_left(&r))
        {
            if (!st->part || type != CC("mdat")) {
                note(st->m->fault, "byte %zu: a box that does not fit", at);
            }

            return;
        }

        b = reel_read_sub(&r, size - REEL_BOX_HEAD);

        if (want_mdat && type != CC("mdat")) {
            note(st->m->style, "byte %zu: no mdat behind the moof", at);
        }

        if (type == CC("mdat") && size - REEL_BOX_HEAD != st->bytes) {
            note(st->m->style, "byte %zu: mdat holds %" PRIu64 " bytes, its "
                 "samples have %" PRIu64, at, size - REEL_BOX_HEAD,
                 st->bytes);
        }

        want_mdat = type == CC("moof");

        if (want_mdat) {
            st->moof = at;
            st->end = at + (size_t) size;
            read_moof(st, &b);
        }
    }

    if (want_mdat && !st->part) {
        note(st->m->style, "byte %zu: it ends behind a moof", st->n);
    }
}


void
reel_check_moofs(reel_check_media_t *m, const reel_check_init_t *i,
    const uint8_t *p, size_t n, bool part)
{
    state_t  st = { .m = m, .i = i, .p = p, .n = n, .part = part };
    int64_t  gap;

    *m = (reel_check_media_t) { .read = true, .timescale = i->timescale,
                                .sync = true, .protected = true };

    read_boxes(&st);

    if (m->fragments == 0 || m->samples == 0) {
        note(m->fault, "no samples");
        return;
    }

    gap = st.dts - st.since;
    m->sync_gap = gap > m->sync_gap ? gap : m->sync_gap;
}
