/* playlists line by line, RFC 8216 4.1 and 4.3 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/utf8.h"
#include "reelctl/m3u8.h"


typedef struct {
    reel_m3u8_t         *m;
    unsigned             line;
    reel_str_t           value;         /* behind the tag's colon */
    bool                 inf;           /* EXTINF came, its URI did not */
    bool                 stream;        /* STREAM-INF likewise */
    unsigned             seen;          /* bits of tags that stand once */
    uint64_t             range_end;     /* of the last byte range … */
    reel_str_t           range_uri;     /* … of this */
    reel_m3u8_segment_t  next;
    reel_err_t           err;
} state_t;

typedef struct {
    const char  *name;
    void       (*read)(state_t *st, unsigned arg);
    unsigned     arg;
    bool         once;
    bool         of_master, of_media;
} tag_t;


void
reel_m3u8_fault(reel_m3u8_t *m, unsigned line, const char *fmt, ...)
{
    va_list             ap;
    reel_m3u8_fault_t  *f;

    if (m->nfaults < REEL_M3U8_FAULTS) {
        f = &m->faults[m->nfaults];
        f->line = line;
        va_start(ap, fmt);
        (void) vsnprintf(f->text, sizeof(f->text), fmt, ap);
        va_end(ap);
    }

    m->nfaults++;
}


static void
need(state_t *st, unsigned version, const char *what)
{
    if (version > st->m->needs) {
        st->m->needs = version;
        st->m->needs_for = what;
    }
}


/* room for one more of size bytes; doubles */
static void *
grow(state_t *st, void *all, unsigned n, unsigned max, size_t size)
{
    void  *more;

    if (n == max) {
        st->err = REEL_LIMIT;
        return NULL;
    }

    if (n & (n - 1)) {
        return all;
    }

    more = realloc(all, (n != 0 ? 2 * (size_t) n : 1) * size);
    if (more == NULL) {
        st->err = REEL_NOMEM;
    }

    return more;
}


static void
read_number(state_t *st, uint64_t max, uint64_t *v)
{
    if (reel_str_u64(st->value, max, v) != REEL_OK) {
        reel_m3u8_fault(st->m, st->line, "\"%.*s\" is no number that fits "
                        "here", (int) st->value.len, st->value.p);
        *v = 0;
    }
}


static void
read_version(state_t *st, unsigned arg)
{
    uint64_t  v;

    (void) arg;
    read_number(st, 100, &v);
    st->m->version = (unsigned) v;
}


static void
read_target(state_t *st, unsigned arg)
{
    (void) arg;
    st->m->has_target = true;
    read_number(st, 100000, &st->m->target_s);
}


static void
read_sequence(state_t *st, unsigned arg)
{
    (void) arg;

    if (st->m->nsegments != 0) {
        reel_m3u8_fault(st->m, st->line, "stands behind a segment");
    }

    read_number(st, UINT64_MAX, &st->m->sequence);
}


static void
read_type(state_t *st, unsigned arg)
{
    (void) arg;

    if (reel_str_eqz(st->value, "VOD")) {
        st->m->type = REEL_M3U8_VOD;

    } else if (reel_str_eqz(st->value, "EVENT")) {
        st->m->type = REEL_M3U8_EVENT;

    } else {
        reel_m3u8_fault(st->m, st->line, "neither VOD nor EVENT");
    }
}


enum { ENDED, IFRAMES_ONLY, INDEPENDENT, DISCONTINUITY, GAP, DATED };

static void
read_flag(state_t *st, unsigned arg)
{
    switch (arg) {
    case ENDED:
        st->m->ended = true;
        break;
    case IFRAMES_ONLY:
        st->m->iframes_only = true;
        need(st, 4, "EXT-X-I-FRAMES-ONLY");
        break;
    case INDEPENDENT:
        st->m->independent = true;
        break;
    case DISCONTINUITY:
        st->next.discontinuity++;
        break;
    case GAP:
        st->next.gap = true;
        break;
    case DATED:
        st->m->dated = true;
        break;
    }
}


static void
read_other(state_t *st, unsigned arg)
{
    (void) st;
    (void) arg;
}


static void
read_inf(state_t *st, unsigned arg)
{
    reel_str_t  rest, s = reel_str_cut(st->value, ',', &rest);

    (void) arg;

    if (st->inf) {
        reel_m3u8_fault(st->m, st->line, "the EXTINF before has no URI");
    }

    if (rest.p == NULL) {
        reel_m3u8_fault(st->m, st->line, "EXTINF without its comma");
    }

    if (memchr(s.p, '.', s.len) != NULL) {
        need(st, 3, "EXTINF with a fraction");
    }

    if (!reel_m3u8_decimal(s, &st->next.duration_us)) {
        reel_m3u8_fault(st->m, st->line, "EXTINF \"%.*s\" is no duration",
                        (int) s.len, s.p);
        st->next.duration_us = 0;
    }

    st->inf = true;
}


/* "n[@o]"; without o it follows on the last range, whose URI must be ours */
static bool
read_range(reel_str_t s, uint64_t *length, uint64_t *offset, bool *has_offset)
{
    reel_str_t  rest;

    s = reel_str_cut(s, '@', &rest);
    *has_offset = rest.p != NULL;
    *offset = 0;

    return reel_str_u64(s, INT64_MAX, length) == REEL_OK && *length != 0
           && (!*has_offset
               || reel_str_u64(rest, INT64_MAX - *length, offset) == REEL_OK);
}


static void
read_byterange(state_t *st, unsigned arg)
{
    bool  has_offset;

    (void) arg;
    need(st, 4, "EXT-X-BYTERANGE");

    if (!read_range(st->value, &st->next.length, &st->next.offset,
                    &has_offset))
    {
        reel_m3u8_fault(st->m, st->line, "\"%.*s\" is no byte range",
                        (int) st->value.len, st->value.p);
        st->next.length = 0;

    } else if (!has_offset) {
        st->next.offset = UINT64_MAX;       /* known with the URI */
    }
}


static void
need_of_entry(state_t *st, const reel_m3u8_entry_t *e)
{
    if (e->tag == REEL_M3U8_MAP) {
        need(st, st->m->iframes_only ? 5 : 6, "EXT-X-MAP");

    } else if (e->tag == REEL_M3U8_KEY
               && reel_m3u8_get(e, "KEYFORMAT").p != NULL)
    {
        need(st, 5, "KEYFORMAT");

    } else if (e->tag == REEL_M3U8_KEY && reel_m3u8_get(e, "IV").p != NULL) {
        need(st, 2, "IV of EXT-X-KEY");
    }
}


static void
read_entry(state_t *st, unsigned tag)
{
    void               *all;
    reel_m3u8_t        *m = st->m;
    reel_m3u8_entry_t  *e;

    all = grow(st, m->entries, m->nentries, REEL_M3U8_ENTRIES, sizeof(*e));
    if (all == NULL) {
        return;
    }

    m->entries = all;
    e = &m->entries[m->nentries];
    *e = (reel_m3u8_entry_t) { .tag = tag, .line = st->line };
    reel_m3u8_attrs(m, e, st->value);
    need_of_entry(st, e);

    if (tag == REEL_M3U8_STREAM) {
        if (st->stream) {
            reel_m3u8_fault(m, st->line, "the EXT-X-STREAM-INF before has no "
                            "URI");
        }
        st->stream = true;

    } else if (tag == REEL_M3U8_MAP) {
        st->next.map = (int) m->nentries;

    } else if (tag == REEL_M3U8_KEY) {
        st->next.key = reel_str_eqz(reel_m3u8_get(e, "METHOD"), "NONE")
                       ? -1 : (int) m->nentries;
    }

    m->nentries++;
}


#define MASTER true, false
#define MEDIA  false, true
#define BOTH   false, false

static const tag_t  tags[] = {
    { "EXT-X-VERSION", read_version, 0, true, BOTH },
    { "EXT-X-INDEPENDENT-SEGMENTS", read_flag, INDEPENDENT, true, BOTH },
    { "EXT-X-START", read_entry, REEL_M3U8_START, true, BOTH },
    { "EXT-X-DEFINE", read_entry, REEL_M3U8_DEFINE, false, BOTH },
    { "EXT-X-MEDIA", read_entry, REEL_M3U8_MEDIA, false, MASTER },
    { "EXT-X-STREAM-INF", read_entry, REEL_M3U8_STREAM, false, MASTER },
    { "EXT-X-I-FRAME-STREAM-INF", read_entry, REEL_M3U8_ISTREAM, false,
      MASTER },
    { "EXT-X-SESSION-DATA", read_entry, REEL_M3U8_SESSION_DATA, false,
      MASTER },
    { "EXT-X-SESSION-KEY", read_entry, REEL_M3U8_SESSION_KEY, false, MASTER },
    { "EXTINF", read_inf, 0, false, MEDIA },
    { "EXT-X-BYTERANGE", read_byterange, 0, false, MEDIA },
    { "EXT-X-DISCONTINUITY", read_flag, DISCONTINUITY, false, MEDIA },
    { "EXT-X-GAP", read_flag, GAP, false, MEDIA },
    { "EXT-X-KEY", read_entry, REEL_M3U8_KEY, false, MEDIA },
    { "EXT-X-MAP", read_entry, REEL_M3U8_MAP, false, MEDIA },
    { "EXT-X-PROGRAM-DATE-TIME", read_flag, DATED, false, MEDIA },
    { "EXT-X-DATERANGE", read_entry, REEL_M3U8_DATERANGE, false, MEDIA },
    { "EXT-X-BITRATE", read_other, 0, false, MEDIA },
    { "EXT-X-TARGETDURATION", read_target, 0, true, MEDIA },
    { "EXT-X-MEDIA-SEQUENCE", read_sequence, 0, true, MEDIA },
    { "EXT-X-DISCONTINUITY-SEQUENCE", read_other, 0, true, MEDIA },
    { "EXT-X-ENDLIST", read_flag, ENDED, true, MEDIA },
    { "EXT-X-PLAYLIST-TYPE", read_type, 0, true, MEDIA },
    { "EXT-X-I-FRAMES-ONLY", read_flag, IFRAMES_ONLY, true, MEDIA },
};

#define NTAGS (sizeof(tags) / sizeof(tags[0]))


static void
read_tag(state_t *st, reel_str_t s)
{
    size_t      i;
    reel_str_t  name;

    s.p++;
    s.len--;
    name = reel_str_cut(s, ':', &st->value);

    for (i = 0; i < NTAGS; i++) {

        if (!reel_str_eqz(name, tags[i].name)) {
            continue;
        }

        if (tags[i].once && st->seen & 1u << i) {
            reel_m3u8_fault(st->m, st->line, "%s stands twice", tags[i].name);
        }

        st->seen |= 1u << i;
        st->m->master |= tags[i].of_master;
        st->m->media |= tags[i].of_media;

        if (st->value.p == NULL) {
            st->value = REEL_STR("");
        }

        tags[i].read(st, tags[i].arg);
        return;
    }
}


static void
place_range(state_t *st)
{
    reel_m3u8_segment_t  *g = &st->next;

    if (g->length != 0 && g->offset == UINT64_MAX) {

        if (!reel_str_eq(st->range_uri, g->uri)) {
            reel_m3u8_fault(st->m, st->line, "EXT-X-BYTERANGE has no offset, "
                            "and no range of this file before it");
            st->range_end = 0;
        }

        g->offset = st->range_end;
    }

    st->range_end = g->offset + g->length;
    st->range_uri = g->uri;
}


static void
read_uri(state_t *st, reel_str_t s)
{
    void         *all;
    reel_m3u8_t  *m = st->m;

    if (st->stream) {
        m->entries[m->nentries - 1].uri = s;
        st->stream = false;
        return;
    }

    if (!st->inf) {
        reel_m3u8_fault(m, st->line, "a URI without EXTINF or "
                        "EXT-X-STREAM-INF");
        return;
    }

    all = grow(st, m->segments, m->nsegments, REEL_M3U8_SEGMENTS,
               sizeof(*m->segments));
    if (all == NULL) {
        return;
    }

    m->segments = all;
    st->next.uri = s;
    st->next.line = st->line;
    place_range(st);
    m->segments[m->nsegments++] = st->next;

    st->inf = st->next.gap = false;
    st->next.length = st->next.offset = 0;
}


static void
read_line(state_t *st, reel_str_t s)
{
    if (s.len != 0 && s.p[s.len - 1] == '\r') {
        s.len--;
    }

    if (st->line == 1) {
        if (!reel_str_eqz(s, "#EXTM3U")) {
            reel_m3u8_fault(st->m, 1, "the first line is not #EXTM3U");
        }
        return;
    }

    if (reel_str_prefix(s, "#EXT")) {
        if (st->stream) {
            reel_m3u8_fault(st->m, st->line, "a tag between EXT-X-STREAM-INF "
                            "and its URI");
            st->stream = false;
        }

        read_tag(st, s);

    } else if (s.len != 0 && s.p[0] != '#') {
        read_uri(st, s);
    }
}


static void
check_whole(state_t *st)
{
    reel_m3u8_t  *m = st->m;

    if (st->inf || st->stream) {
        reel_m3u8_fault(m, st->line, "it ends where a URI should stand");
    }

    if (m->master && m->media) {
        reel_m3u8_fault(m, 0, "tags of media and of multivariant playlists "
                        "in one");
    }

    if (!m->master && !m->media) {
        reel_m3u8_fault(m, 0, "neither segments nor variants");
    }

    if (m->media && !m->has_target) {
        reel_m3u8_fault(m, 0, "EXT-X-TARGETDURATION is missing");
    }
}


static void
check_bytes(reel_m3u8_t *m, reel_str_t s)
{
    size_t    i, n;
    unsigned  line = 1;

    for (i = 0; i < s.len; i += n) {
        n = reel_utf8_len((const uint8_t *) s.p + i, s.len - i);
        line += s.p[i] == '\n';

        if (n == 0 || (n == 1 && (uint8_t) s.p[i] < ' ' && s.p[i] != '\n'
                       && s.p[i] != '\r'))
        {
            reel_m3u8_fault(m, line, "byte %zu is a control character or not "
                            "UTF-8", i);
            return;
        }
    }
}


reel_err_t
reel_m3u8_read(reel_m3u8_t *m, reel_str_t text)
{
    state_t     st = { .m = m, .next = { .map = -1, .key = -1 } };
    reel_str_t  rest = text;

    *m = (reel_m3u8_t) { .version = 1, .needs = 1 };

    if (text.len > REEL_M3U8_MAX) {
        return REEL_LIMIT;
    }

    check_bytes(m, text);

    while (rest.len != 0 && st.err == REEL_OK) {
        reel_str_t  s = reel_str_cut(rest, '\n', &rest);

        st.line++;
        read_line(&st, s);
    }

    check_whole(&st);

    return st.err;
}


void
reel_m3u8_release(reel_m3u8_t *m)
{
    free(m->entries);
    free(m->segments);
    *m = (reel_m3u8_t) { 0 };
}
