/* RFC 8216, and how files are handed out: sections 10 and 12 of Apple's */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reelctl/rules.h"


#define ALL_SEGMENTS(k, t, s, n, m)                                           \
    REEL_EACH_TRACK(k, t, n) REEL_EACH_SEGMENT(t, s, m)


static void
tell_faults(reel_check_t *k, const char *name, const reel_m3u8_t *m)
{
    unsigned  n;

    reel_check_seen(k);

    for (n = 0; n < m->nfaults && n < REEL_M3U8_FAULTS; n++) {
        reel_check_fault(k, "%s line %u: %s", name, m->faults[n].line,
                         m->faults[n].text);
    }
}


/* R.1 */
void
reel_rule_grammar(reel_check_t *k)
{
    unsigned             n;
    reel_check_track_t  *t;

    if (k->master != NULL) {
        tell_faults(k, k->master->url, &k->list);
    }

    REEL_EACH_TRACK(k, t, n) {
        if (t->file != NULL && t->file->status == 200) {
            tell_faults(k, t->name, &t->list);
        }
    }
}


/* R.2 */
void
reel_rule_version(reel_check_t *k)
{
    unsigned             n;
    reel_check_track_t  *t;

    REEL_EACH_TRACK(k, t, n) {
        if (t->file != NULL && t->file->status == 200) {
            reel_check_that(k, t->list.version >= t->list.needs, "%s: "
                            "EXT-X-VERSION:%u, but %s needs %u", t->name,
                            t->list.version, t->list.needs_for,
                            t->list.needs);
        }
    }
}


/* R.3 */
void
reel_rule_target(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    ALL_SEGMENTS(k, t, s, n, m) {
        if (!t->dash && t->list.has_target) {
            reel_check_that(k, (s->duration_us + REEL_SECOND / 2)
                            / REEL_SECOND <= (int64_t) t->list.target_s,
                            "%s line %u: EXTINF of %" PRId64 " us above "
                            "EXT-X-TARGETDURATION:%" PRIu64, t->name, s->line,
                            s->duration_us, t->list.target_s);
        }
    }
}


/* R.4 and D.17 */
static void
answers(reel_check_t *k, bool dash)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    for (n = 0; !dash && n < k->nfiles; n++) {
        reel_check_that(k, k->files[n]->status == 200, "%s: %s",
                        k->files[n]->url, k->files[n]->problem);
    }

    ALL_SEGMENTS(k, t, s, n, m) {

        if (t->dash != dash || !s->tried) {
            continue;
        }

        reel_check_that(k, s->status == 200 || (s->status == 206
                                                && s->length != 0),
                        "%s: HTTP %ld", s->url, s->status);
        reel_check_that(k, !(s->length != 0 && s->status == 206)
                        || s->size == s->length, "%s: bytes %" PRIu64 " to "
                        "%" PRIu64 " are not all there", s->url, s->offset,
                        s->offset + s->length - 1);
    }
}


void
reel_rule_answers(reel_check_t *k)
{
    answers(k, false);
}


void
reel_rule_dash_answers(reel_check_t *k)
{
    answers(k, true);
}


static bool
group_exists(const reel_check_t *k, const char *type, reel_str_t id)
{
    unsigned                 n;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_MEDIA) {
        if (reel_str_eqz(reel_m3u8_get(u->e, "TYPE"), type)
            && reel_str_eq(reel_m3u8_get(u->e, "GROUP-ID"), id))
        {
            return true;
        }
    }

    return false;
}


/* another rendition before this one has its group and NAME, or DEFAULT */
static void
alone_in_group(reel_check_t *k, unsigned at)
{
    unsigned                 n;
    const reel_check_use_t  *u, *me = &k->uses[at];
    const char              *what = "NAME";

    for (n = 0; n < at; n++) {
        u = &k->uses[n];

        if (u->e->tag != REEL_M3U8_MEDIA
            || !reel_str_eq(reel_m3u8_get(u->e, "TYPE"),
                            reel_m3u8_get(me->e, "TYPE"))
            || !reel_str_eq(reel_m3u8_get(u->e, "GROUP-ID"),
                            reel_m3u8_get(me->e, "GROUP-ID")))
        {
            continue;
        }

        if (reel_str_eqz(reel_m3u8_get(u->e, "DEFAULT"), "YES")
            && reel_str_eqz(reel_m3u8_get(me->e, "DEFAULT"), "YES"))
        {
            what = "DEFAULT=YES";

        } else if (!reel_str_eq(reel_m3u8_get(u->e, "NAME"),
                                reel_m3u8_get(me->e, "NAME")))
        {
            continue;
        }

        reel_check_fault(k, "line %u: %s is the group's second, after line %u",
                         me->e->line, what, u->e->line);
    }
}


/* R.5 */
void
reel_rule_groups(reel_check_t *k)
{
    size_t                   i;
    unsigned                 n;
    reel_str_t               id;
    const reel_check_use_t  *u;

    static const char  *types[] = { "AUDIO", "SUBTITLES", "VIDEO" };

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        for (i = 0; i < 3; i++) {
            id = reel_m3u8_get(u->e, types[i]);

            if (id.p != NULL) {
                reel_check_that(k, group_exists(k, types[i], id), "line %u: "
                                "no EXT-X-MEDIA of TYPE=%s has GROUP-ID="
                                "\"%.*s\"", u->e->line, types[i],
                                (int) id.len, id.p);
            }
        }
    }

    REEL_EACH_USE(k, u, n, REEL_M3U8_MEDIA) {
        reel_check_seen(k);
        alone_in_group(k, n);
    }
}


static void
judge_key(reel_check_t *k, const char *where, const reel_m3u8_entry_t *e)
{
    size_t      i;
    bool        known = false;
    reel_str_t  method = reel_m3u8_get(e, "METHOD");
    reel_str_t  iv = reel_m3u8_get(e, "IV");

    static const char  *methods[] = {
        "NONE", "AES-128", "SAMPLE-AES", "SAMPLE-AES-CTR"
    };

    for (i = 0; i < 4; i++) {
        known |= reel_str_eqz(method, methods[i]);
    }

    reel_check_that(k, known, "%s line %u: METHOD=%.*s", where, e->line,
                    (int) method.len, method.p);
    reel_check_that(k, reel_str_eqz(method, "NONE")
                    ? e->nattrs == 1 : reel_m3u8_get(e, "URI").len != 0,
                    "%s line %u: METHOD=%.*s and its URI do not go together",
                    where, e->line, (int) method.len, method.p);
    reel_check_that(k, iv.p == NULL || iv.len == 34, "%s line %u: IV is not "
                    "of 128 bits", where, e->line);
}


/* each URI is meant from the playlist in which it stands; those that are not
   fetched (skd:) cannot be joined */
static bool
same_key(const reel_m3u8_entry_t *a, const char *a_url,
    const reel_m3u8_entry_t *b, const char *b_url)
{
    bool        same;
    char       *x, *y;
    size_t      i;
    reel_str_t  p = reel_m3u8_get(a, "URI"), q = reel_m3u8_get(b, "URI");

    static const char  *names[] = { "METHOD", "KEYFORMAT" };

    for (i = 0; i < 2; i++) {
        if (!reel_str_eq(reel_m3u8_get(a, names[i]),
                         reel_m3u8_get(b, names[i])))
        {
            return false;
        }
    }

    x = reel_ctl_url_join(a_url, p);
    y = reel_ctl_url_join(b_url, q);
    same = x != NULL && y != NULL ? strcmp(x, y) == 0
           : x == y && reel_str_eq(p, q);
    free(x);
    free(y);

    return same;
}


/* R.6: EXT-X-KEY is sound, and EXT-X-SESSION-KEY names keys that are used */
void
reel_rule_keys(reel_check_t *k)
{
    bool                 used;
    unsigned             n, m, i;
    reel_m3u8_entry_t   *e;
    reel_check_track_t  *t;

    REEL_EACH_TRACK(k, t, n) {
        for (m = 0; !t->dash && m < t->list.nentries; m++) {
            if (t->list.entries[m].tag == REEL_M3U8_KEY) {
                judge_key(k, t->name, &t->list.entries[m]);
            }
        }
    }

    for (i = 0; i < k->list.nentries; i++) {
        e = &k->list.entries[i];

        if (e->tag != REEL_M3U8_SESSION_KEY) {
            continue;
        }

        used = false;

        REEL_EACH_TRACK(k, t, n) {
            for (m = 0; !t->dash && m < t->list.nentries; m++) {
                used |= t->list.entries[m].tag == REEL_M3U8_KEY
                        && same_key(&t->list.entries[m], t->file->url, e,
                                    k->master->url);
            }
        }

        reel_check_that(k, used, "line %u: no playlist has this "
                        "EXT-X-SESSION-KEY as its EXT-X-KEY", e->line);
    }
}


static bool
is_playlist(const reel_check_t *k, const reel_check_file_t *f)
{
    unsigned  n;

    for (n = 0; n < k->ntracks; n++) {
        if (k->tracks[n]->file == f) {
            return true;
        }
    }

    return f == k->master;
}


static bool
is_type(const char *type, const char *want)
{
    size_t  n = strlen(want);

    return strncasecmp(type, want, n) == 0
           && (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}


/* 10.1 */
void
reel_rule_gzip(reel_check_t *k)
{
    unsigned  n;

    for (n = 0; n < k->nfiles; n++) {
        if (is_playlist(k, k->files[n]) && k->files[n]->status == 200) {
            reel_check_that(k, strcasecmp(k->files[n]->encoding, "gzip") == 0,
                            "%s: asked for gzip, it came as it is",
                            k->files[n]->url);
        }
    }
}


static bool
segment_type(const reel_check_track_t *t, const char *type)
{
    size_t  i;

    static const char  *mp4[] = {
        "video/mp4", "audio/mp4", "application/mp4", "video/iso.segment",
        "audio/iso.segment", "application/iso.segment", "audio/m4a"
    };

    if (t->form == REEL_CHECK_TS) {
        return is_type(type, "video/mp2t") || is_type(type, "video/MP2T");
    }

    if (t->form == REEL_CHECK_VTT) {
        return is_type(type, "text/vtt");
    }

    for (i = 0; i < sizeof(mp4) / sizeof(mp4[0]); i++) {
        if (is_type(type, mp4[i])) {
            return true;
        }
    }

    return t->form == REEL_CHECK_NONE;
}


/* 10.4 */
void
reel_rule_mime(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_file_t     *f;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    for (n = 0; n < k->nfiles; n++) {
        f = k->files[n];

        if (is_playlist(k, f) && f->status == 200) {
            reel_check_that(k, is_type(f->type, "application/vnd.apple.mpegurl")
                            || is_type(f->type, "audio/mpegurl"),
                            "%s: Content-Type \"%s\"", f->url, f->type);
        }
    }

    ALL_SEGMENTS(k, t, s, n, m) {
        if (!t->dash && (s->status == 200 || s->status == 206)) {
            reel_check_that(k, segment_type(t, s->type), "%s: Content-Type "
                            "\"%s\"", s->url, s->type);
        }
    }
}


/* 8.18 and D.21 */
void
reel_rule_redirects(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    for (n = 0; n < k->nfiles; n++) {
        reel_check_that(k, k->files[n]->redirect[0] == '\0', "%s: redirected "
                        "to %s", k->files[n]->url, k->files[n]->redirect);
    }

    ALL_SEGMENTS(k, t, s, n, m) {
        if (s->tried) {
            reel_check_that(k, s->redirect[0] == '\0', "%s: redirected to %s",
                            s->url, s->redirect);
        }
    }
}


/* 12.1 */
void
reel_rule_tls(reel_check_t *k)
{
    if (k->https) {
        reel_check_that(k, k->strict_tls, "%s: no TLS 1.2 with forward "
                        "secrecy", k->url);
    }
}


/* D.20 */
void
reel_rule_dash_mime(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    reel_check_that(k, is_type(k->mpd_file->type, "application/dash+xml"),
                    "%s: Content-Type \"%s\"", k->mpd_file->url,
                    k->mpd_file->type);

    ALL_SEGMENTS(k, t, s, n, m) {
        if (t->dash && s->status == 200 && t->form == REEL_CHECK_MP4) {
            reel_check_that(k, segment_type(t, s->type), "%s: Content-Type "
                            "\"%s\"", s->url, s->type);
        }
    }
}
