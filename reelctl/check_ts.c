/* segments of MPEG-2 transport streams: ISO 13818-1, and RFC 8216 3.2 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/reader.h"
#include "lib/codec/avc.h"
#include "lib/mp4/box.h"
#include "reelctl/check.h"


#define PACKET     188
#define PIDS       8192
#define STREAMS    8
#define FIRST_PID  0x20         /* below are tables, of DVB too */
#define CLOCK      90000
#define PCR_MAX    (CLOCK / 10)         /* 2.7.2: every 100 ms */
#define WRAP       (1ll << 33)
#define NONE       INT64_MIN

#define CC(z) REEL_FOURCC((z)[0], (z)[1], (z)[2], (z)[3])


typedef struct {
    unsigned  pid, type;
    bool      video;
    int64_t   dts, first_pts, last_pts, end;
    unsigned  samples;
} stream_t;

typedef struct {
    reel_check_media_t *m;
    reel_check_init_t  *i;
    const uint8_t      *p;
    size_t              at;             /* of the packet */
    uint8_t             next[PIDS];     /* counter + 1; 0: none yet */
    unsigned            pmt, pcr_pid;
    bool                pat_seen, pmt_seen;
    int64_t             pcr;
    unsigned            n;
    stream_t            streams[STREAMS];
} state_t;


static void wrong(state_t *st, const char *fmt, ...) REEL_PRINTF(2, 3);


static void
wrong(state_t *st, const char *fmt, ...)
{
    int      n;
    va_list  ap;
    char    *dst = st->m->ts;

    if (dst[0] != '\0') {
        return;
    }

    n = snprintf(dst, REEL_CHECK_NOTE, "byte %zu: ", st->at);
    va_start(ap, fmt);
    (void) vsnprintf(dst + n, REEL_CHECK_NOTE - (size_t) n, fmt, ap);
    va_end(ap);
}


static const struct {
    uint8_t      type;
    bool         video;
    const char  *codec;         /* "" is read from the stream */
    const char   entry[5];
} types[] = {
    { 0x1b, true, "", "avc1" }, { 0xdb, true, "", "avc1" },
    { 0x24, true, "hvc1", "hvc1" },
    { 0x0f, false, "mp4a.40.2", "mp4a" }, { 0xcf, false, "mp4a.40.2", "mp4a" },
    { 0x03, false, "mp4a.40.34", "mp4a" },
    { 0x81, false, "ac-3", "ac-3" }, { 0xc1, false, "ac-3", "ac-3" },
    { 0x87, false, "ec-3", "ec-3" }, { 0xc2, false, "ec-3", "ec-3" },
    { 0x15, false, NULL, "" }                   /* timed metadata */
};


static stream_t *
stream_of(state_t *st, unsigned pid)
{
    unsigned  k;

    for (k = 0; k < st->n; k++) {
        if (st->streams[k].pid == pid) {
            return &st->streams[k];
        }
    }

    return NULL;
}


static void
add_stream(state_t *st, unsigned pid, unsigned type)
{
    size_t     k;
    stream_t  *s;

    for (k = 0; k < sizeof(types) / sizeof(types[0]); k++) {
        if (types[k].type == type) {
            break;
        }
    }

    if (k == sizeof(types) / sizeof(types[0])) {
        wrong(st, "the PMT has stream type 0x%02x, which HLS does not know",
              type);
        return;
    }

    if (st->n == STREAMS || types[k].codec == NULL
        || stream_of(st, pid) != NULL)
    {
        return;
    }

    s = &st->streams[st->n++];
    *s = (stream_t) { .pid = pid, .type = type, .video = types[k].video,
                      .dts = NONE, .first_pts = NONE, .last_pts = NONE };

    st->m->video_tracks += s->video;
    st->m->audio_tracks += !s->video;

    /* the picture's codec counts, else the sound's */
    if (s->video || st->i->entry == 0) {
        st->i->entry = CC(types[k].entry);
        (void) snprintf(st->i->codec, sizeof(st->i->codec), "%s",
                        types[k].codec);
    }
}


static void
read_pat(state_t *st, reel_reader_t *r)
{
    reel_read_skip(r, 8);
    reel_read_skip(r, 2);               /* program number */
    st->pmt = reel_read_u16(r) & 0x1fff;

    if (r->err != REEL_OK) {
        wrong(st, "the PAT is cut short");
    }

    st->pat_seen = true;
}


static void
read_pmt(state_t *st, reel_reader_t *r)
{
    unsigned       length, type, pid;
    reel_reader_t  body;

    reel_read_skip(r, 1);
    length = reel_read_u16(r) & 0xfff;

    /* behind it: five bytes of head, then the PCR's PID; a CRC at the end */
    if (length < 13 || length > reel_reader_left(r)) {
        wrong(st, "a PMT of %u bytes", length);
        return;
    }

    body = reel_read_sub(r, length - 4);
    reel_read_skip(&body, 5);
    st->pcr_pid = reel_read_u16(&body) & 0x1fff;
    reel_read_skip(&body, reel_read_u16(&body) & 0xfff);

    while (reel_reader_left(&body) >= 5) {
        type = reel_read_u8(&body);
        pid = reel_read_u16(&body) & 0x1fff;
        reel_read_skip(&body, reel_read_u16(&body) & 0xfff);
        add_stream(st, pid, type);
    }

    if (body.err != REEL_OK || st->n == 0) {
        wrong(st, "a PMT without streams, or cut short");
    }

    st->pmt_seen = true;
}


/* Annex B up to the first slice: parameter sets, then an IDR or not */
static void
look_for_key(state_t *st, const stream_t *s, reel_str_t es)
{
    bool            hevc = s->type == 0x24, sps = false;
    size_t          k;
    unsigned        type;
    reel_avc_sps_t  x;
    const uint8_t  *p = (const uint8_t *) es.p;

    for (k = 0; k + 4 < es.len; k++) {

        if (p[k] != 0 || p[k + 1] != 0 || p[k + 2] != 1) {
            continue;
        }

        type = hevc ? p[k + 3] >> 1 & 63 : p[k + 3] & 31;

        if (!hevc && type == REEL_NAL_SPS) {
            sps = true;

            if (reel_avc_sps(&x, p + k + 3, es.len - k - 3) == REEL_OK) {
                st->i->width = x.width;
                st->i->height = x.height;
                st->i->profile = x.profile;
                st->i->level = x.level;
                st->i->interlaced = x.interlaced;
                st->i->primaries = x.vui.primaries;
                st->i->transfer = x.vui.transfer;
                st->i->matrix = x.vui.matrix;
                (void) snprintf(st->i->codec, sizeof(st->i->codec),
                                "avc1.%02x%02x%02x", x.profile, x.compat,
                                x.level);
            }
        }

        if (hevc ? type < 32 : type >= 1 && type <= REEL_NAL_IDR) {
            st->m->keyframe = hevc ? type >= 16 && type <= 21
                                   : type == REEL_NAL_IDR && sps;
            return;
        }
    }
}


/* ADTS: sampling rate and channels of the first frame */
static void
look_for_sound(state_t *st, reel_str_t es)
{
    unsigned        rate;
    const uint8_t  *p = (const uint8_t *) es.p;

    static const uint32_t  rates[] = {
        96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000,
        11025, 8000, 7350, 0, 0, 0
    };

    if (es.len < 7 || p[0] != 0xff || (p[1] & 0xf6) != 0xf0) {
        wrong(st, "AAC without an ADTS header");
        return;
    }

    rate = p[2] >> 2 & 15;
    st->i->sample_rate = rates[rate];
    st->i->channels = (p[2] & 1u) << 2 | p[3] >> 6;
}


static int64_t
read_stamp(reel_reader_t *r)
{
    uint64_t  v = (uint64_t) (reel_read_u8(r) >> 1 & 7) << 30;

    v |= (uint64_t) (reel_read_u16(r) >> 1) << 15;

    return (int64_t) (v | reel_read_u16(r) >> 1);
}


/* the way from a to b, the short one: stamps have 33 bits */
static int64_t
way(int64_t a, int64_t b)
{
    int64_t  d = (b - a) & (WRAP - 1);

    return d >= WRAP / 2 ? d - WRAP : d;
}


static void
take_stamps(state_t *st, stream_t *s, int64_t pts, int64_t dts)
{
    int64_t  d;

    if (s->dts == NONE) {
        s->first_pts = pts;
        s->last_pts = pts;
    } else {
        d = way(s->dts, dts);

        if (d <= 0 || d > 10 * CLOCK) {
            wrong(st, "PID %u: DTS goes from %" PRId64 " to %" PRId64, s->pid,
                  s->dts, dts);
        }
    }

    if (way(dts, pts) < 0) {
        wrong(st, "PID %u: PTS %" PRId64 " before its DTS %" PRId64, s->pid,
              pts, dts);
    }

    if (way(s->first_pts, pts) < 0) {
        s->first_pts = pts;
    }

    if (way(s->last_pts, pts) > 0) {
        s->last_pts = pts;
    }

    s->dts = dts;
    s->samples++;
}


static void
read_pes(state_t *st, stream_t *s, reel_reader_t *r)
{
    bool        first = s->dts == NONE;
    int64_t     pts, dts;
    unsigned    flags, length, left;
    reel_str_t  es;

    if (reel_read_u24(r) != 1) {
        wrong(st, "PID %u: no PES start code", s->pid);
        return;
    }

    reel_read_skip(r, 4);
    flags = reel_read_u8(r) >> 6;
    length = reel_read_u8(r);
    left = length;

    if (flags < 2) {
        wrong(st, "PID %u: a PES without a PTS", s->pid);
        return;
    }

    pts = dts = read_stamp(r);
    left -= 5;

    if (flags == 3) {
        dts = read_stamp(r);
        left -= 5;
    }

    reel_read_skip(r, length >= left ? left : 0);

    if (r->err != REEL_OK) {
        wrong(st, "PID %u: a PES header is cut short", s->pid);
        return;
    }

    take_stamps(st, s, pts, dts);

    if (!first) {
        return;
    }

    es = (reel_str_t) { (const char *) r->p, reel_reader_left(r) };

    if (!s->video && s->type == 0x0f) {
        look_for_sound(st, es);
    }
}


/* the first access unit's bytes, out of as many packets as it takes */
static void
gather_first(state_t *st, const stream_t *s, size_t n)
{
    bool            begun = false;
    size_t          at, skip;
    unsigned        pid;
    reel_buf_t      b;
    const uint8_t  *p;

    reel_buf_init(&b, 1u << 20);

    for (at = 0; at + PACKET <= n && b.len < (1u << 16); at += PACKET) {
        p = st->p + at;
        pid = (p[1] & 0x1fu) << 8 | p[2];

        if (pid != s->pid || !(p[3] & 0x10)) {
            continue;
        }

        if (p[1] & 0x40 && begun) {
            break;
        }

        begun |= (p[1] & 0x40) != 0;
        skip = 4 + (p[3] & 0x20 ? 1u + p[4] : 0u);

        if (begun && skip < PACKET) {
            reel_buf_add(&b, p + skip, PACKET - skip);
        }
    }

    if (b.len > 9 && b.len > 9u + b.data[8]) {
        skip = 9u + b.data[8];
        look_for_key(st, s, (reel_str_t) { (const char *) b.data + skip,
                                           b.len - skip });
    }

    reel_buf_release(&b);
}


static void
read_adaptation(state_t *st, unsigned pid, reel_reader_t *r, bool *jump)
{
    int64_t        pcr;
    unsigned       flags;
    reel_reader_t  a = reel_read_sub(r, reel_read_u8(r));

    if (reel_reader_left(&a) == 0) {
        return;
    }

    flags = reel_read_u8(&a);
    *jump = (flags & 0x80) != 0;

    if (!(flags & 0x10) || pid != st->pcr_pid) {
        return;
    }

    pcr = (int64_t) reel_read_u32(&a) << 1;
    pcr |= reel_read_u8(&a) >> 7;

    if (st->pcr != NONE && !*jump
        && (way(st->pcr, pcr) <= 0 || way(st->pcr, pcr) > PCR_MAX))
    {
        wrong(st, "PCR goes from %" PRId64 " to %" PRId64 ": not within "
              "100 ms", st->pcr, pcr);
    }

    st->pcr = pcr;
}


static void
count_on(state_t *st, unsigned pid, unsigned head, bool payload, bool jump)
{
    uint8_t  counter = head & 15;

    if (st->next[pid] != 0 && payload && !jump
        && counter != ((st->next[pid]) & 15))
    {
        wrong(st, "PID %u: continuity counter %u where %u comes next", pid,
              counter, st->next[pid] & 15);
    }

    /* one above it, kept off 0 by bit 4 */
    if (payload) {
        st->next[pid] = (uint8_t) (((counter + 1) & 15) | 16);
    }
}


static void
read_packet(state_t *st)
{
    bool            jump = false, start;
    unsigned        pid, head;
    stream_t       *s;
    reel_reader_t   r;

    reel_reader_init(&r, st->p + st->at, PACKET);
    reel_read_skip(&r, 1);
    pid = reel_read_u16(&r);
    start = (pid & 0x4000) != 0;
    pid &= 0x1fff;
    head = reel_read_u8(&r);

    if (head & 0x20) {
        read_adaptation(st, pid, &r, &jump);
    }

    if (pid == 0x1fff) {
        return;
    }

    count_on(st, pid, head, (head & 0x10) != 0, jump);

    if (!(head & 0x10) || !start) {
        return;
    }

    s = stream_of(st, pid);

    if (pid == 0) {
        reel_read_skip(&r, reel_read_u8(&r));
        read_pat(st, &r);

    } else if (st->pat_seen && pid == st->pmt) {
        reel_read_skip(&r, reel_read_u8(&r));
        read_pmt(st, &r);

    } else if (s != NULL) {
        read_pes(st, s, &r);

    } else if (!st->pmt_seen && pid >= FIRST_PID) {
        wrong(st, "media before the PAT and the PMT");
    }
}


/* what of the streams counts for the segment: the picture, else the sound */
static void
sum_up(state_t *st, size_t n)
{
    unsigned   k;
    stream_t  *s, *main = NULL;

    for (k = 0; k < st->n; k++) {
        s = &st->streams[k];

        if (s->samples == 0) {
            wrong(st, "PID %u is in the PMT, but has no media", s->pid);

        } else if (main == NULL || (s->video && !main->video)) {
            main = s;
        }
    }

    if (main == NULL) {
        (void) snprintf(st->m->fault, sizeof(st->m->fault),
                        "no stream that can be played");
        return;
    }

    if (main->video) {
        gather_first(st, main, n);
    } else {
        st->m->keyframe = true;
    }

    st->m->pts = main->first_pts;
    st->m->latest = main->first_pts
                    + way(main->first_pts, main->last_pts);
    st->m->dts = main->first_pts;
    st->m->samples = main->samples;
    st->m->fragments = 1;
    st->m->tracks = st->n;
    st->m->sync = st->m->keyframe;

    /* the last sample's own duration is not said: the mean of the others */
    if (main->video && main->samples > 1) {
        int64_t  d = way(main->first_pts, main->last_pts);

        st->m->duration = d + d / (main->samples - 1);
        st->m->shown = st->m->duration;
    }
}


void
reel_check_ts(reel_check_media_t *m, reel_check_init_t *i, const uint8_t *p,
    size_t n)
{
    state_t  st = { .m = m, .i = i, .p = p, .pcr = NONE };

    *m = (reel_check_media_t) { .read = true, .timescale = CLOCK };
    *i = (reel_check_init_t) { .read = true, .timescale = CLOCK,
                               .primaries = 2, .transfer = 2, .matrix = 2 };

    if (n == 0 || n % PACKET != 0) {
        wrong(&st, "%zu bytes are no whole packets of %d", n, PACKET);
    }

    for (st.at = 0; n - st.at >= PACKET; st.at += PACKET) {

        if (p[st.at] != 0x47) {
            (void) snprintf(m->fault, sizeof(m->fault), "byte %zu: 0x%02x "
                            "where a packet's 0x47 should stand", st.at,
                            p[st.at]);
            return;
        }

        read_packet(&st);
    }

    if (!st.pat_seen || !st.pmt_seen) {
        st.at = 0;
        wrong(&st, "no PAT and PMT");
    }

    i->tracks = st.n;
    sum_up(&st, n);
}
