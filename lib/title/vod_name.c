#include "lib/title/vod_name.h"


#define MS_MAX   UINT64_C(1000000000000)
#define KINDS    3


static const struct {
    const char      *base;
    const char      *suffix;
    reel_vod_kind_t  kind;
} names[] = {
    { "master", ".m3u8", REEL_VOD_MASTER },
    { "index", ".m3u8", REEL_VOD_INDEX },
    { "iframes", ".m3u8", REEL_VOD_IFRAMES },
    { "seg", ".ts", REEL_VOD_SEGMENT },
    { "seg", ".m4s", REEL_VOD_SEGMENT },
    { "seg", ".vtt", REEL_VOD_SEGMENT },
    { "init", ".mp4", REEL_VOD_HEADER },
    { "encryption", ".key", REEL_VOD_KEY },
    { "manifest", ".mpd", REEL_VOD_MPD },
    { "fragment", ".m4s", REEL_VOD_FRAGMENT },
};


/* one spelling a number: from 1 on, no zero before it */
static bool
take_number(reel_str_t s, uint64_t max, uint64_t *n)
{
    reel_err_t  err;

    if (s.len == 0 || s.p[0] == '0') {
        return false;
    }

    err = reel_str_u64(s, max, n);

    if (err == REEL_LIMIT) {
        *n = max;
    }

    return err != REEL_INVAL;
}


/* "f2", "v1", "a1", "s1"; "x3" tells its packager's own versions apart */
static bool
take_choice(reel_vod_name_t *v, reel_str_t s)
{
    uint64_t     n;
    reel_str_t   digits;
    reel_kind_t  kind;

    if (s.len < 2) {
        return false;
    }

    digits = (reel_str_t) { s.p + 1, s.len - 1 };

    if (!take_number(digits, UINT32_MAX, &n)) {
        return false;
    }

    if (s.p[0] == 'x') {
        return true;
    }

    if (s.p[0] == 'f' || v->n == 0) {
        if (v->n == REEL_VOD_TRACKS) {
            return false;
        }

        v->choices[v->n++] = (reel_vod_choice_t) {
            .file = s.p[0] == 'f' ? (unsigned) n : 0
        };

        if (s.p[0] == 'f') {
            return true;
        }
    }

    switch (s.p[0]) {
    case 'v':
        kind = REEL_VIDEO;
        break;
    case 'a':
        kind = REEL_AUDIO;
        break;
    case 's':
        kind = REEL_TEXT;
        break;
    default:
        return false;
    }

    if (n > REEL_VOD_TRACKS) {
        return false;
    }

    v->choices[v->n - 1].tracks[kind] |= UINT64_C(1) << (n - 1);

    return true;
}


/* what stands between base and suffix, each part behind a '-' */
static bool
take_parts(reel_vod_name_t *v, reel_str_t s)
{
    bool        numbered = v->kind == REEL_VOD_SEGMENT
                           || v->kind == REEL_VOD_FRAGMENT;
    reel_str_t  rest, part;

    if (s.len == 0) {
        return !numbered;
    }

    (void) reel_str_cut(s, '-', &rest);

    if (numbered) {
        part = reel_str_cut(rest, '-', &rest);
        v->digits = part;

        if (!take_number(part, UINT32_MAX, &v->number)) {
            return false;
        }
    }

    v->told = rest.p != NULL ? rest : (reel_str_t) { "", 0 };

    while (rest.p != NULL) {
        part = reel_str_cut(rest, '-', &rest);

        if (!take_choice(v, part)) {
            return false;
        }
    }

    return true;
}


bool
reel_vod_name(reel_vod_name_t *v, reel_str_t name)
{
    size_t      i, base, suffix;
    reel_str_t  middle;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        base = strlen(names[i].base);
        suffix = strlen(names[i].suffix);

        if (name.len < base + suffix
            || memcmp(name.p, names[i].base, base) != 0
            || memcmp(name.p + name.len - suffix, names[i].suffix, suffix)
               != 0)
        {
            continue;
        }

        middle = (reel_str_t) { name.p + base, name.len - base - suffix };

        if (middle.len != 0 && middle.p[0] != '-') {
            continue;
        }

        *v = (reel_vod_name_t) {
            .kind = names[i].kind, .suffix = reel_str(names[i].suffix),
            .told = { "", 0 }, .digits = { "", 0 }
        };

        return take_parts(v, middle);
    }

    return false;
}


bool
reel_vod_chosen(const reel_vod_name_t *v, unsigned file, reel_kind_t kind,
    unsigned track)
{
    unsigned                  i;
    const reel_vod_choice_t  *c;

    for (i = 0; i < v->n; i++) {
        c = &v->choices[i];

        if (c->file != 0 && c->file != file) {
            continue;
        }

        if ((c->tracks[REEL_VIDEO] | c->tracks[REEL_AUDIO]
             | c->tracks[REEL_TEXT]) == 0)
        {
            return true;
        }

        if (track <= REEL_VOD_TRACKS
            && c->tracks[kind] & UINT64_C(1) << (track - 1))
        {
            return true;
        }
    }

    return v->n == 0;
}


unsigned
reel_vod_file(const reel_vod_name_t *v)
{
    return v->n != 0 && v->choices[0].file != 0 ? v->choices[0].file : 1;
}


reel_err_t
reel_vod_track(const reel_vod_name_t *v, reel_kind_t *kind, unsigned *track)
{
    unsigned  k, n = 0;
    uint64_t  bits;

    if (v->n > 1) {
        return REEL_UNSUPPORTED;
    }

    for (k = 1; v->n == 1 && k <= KINDS; k++) {
        for (bits = v->choices[0].tracks[k]; bits != 0; bits &= bits - 1) {
            *kind = (reel_kind_t) k;
            *track = (unsigned) __builtin_ctzll(bits) + 1;
            n++;
        }
    }

    return n == 1 ? REEL_OK : n == 0 ? REEL_NOTFOUND : REEL_UNSUPPORTED;
}


reel_err_t
reel_vod_pair(const reel_vod_name_t *v, unsigned *video, unsigned *audio)
{
    const uint64_t  *t = v->choices[0].tracks;

    *video = 1;
    *audio = 1;

    if (v->n == 0 || (v->n == 1 && (t[REEL_VIDEO] | t[REEL_AUDIO]
                                    | t[REEL_TEXT]) == 0))
    {
        return REEL_NOTFOUND;
    }

    if (v->n > 1 || t[REEL_TEXT] != 0
        || __builtin_popcountll(t[REEL_VIDEO]) != 1
        || __builtin_popcountll(t[REEL_AUDIO]) != 1)
    {
        return REEL_UNSUPPORTED;
    }

    *video = (unsigned) __builtin_ctzll(t[REEL_VIDEO]) + 1;
    *audio = (unsigned) __builtin_ctzll(t[REEL_AUDIO]) + 1;

    return REEL_OK;
}


/* the last part of s, which becomes what is before its slash */
static bool
last_part(reel_str_t *s, reel_str_t *part)
{
    size_t  i;

    for (i = s->len; i-- != 0; /* void */) {
        if (s->p[i] == '/') {
            *part = (reel_str_t) { s->p + i + 1, s->len - i - 1 };
            s->len = i;
            return true;
        }
    }

    return false;
}


void
reel_vod_clip(reel_str_t *path, int64_t *start_us, int64_t *end_us)
{
    uint64_t    ms;
    reel_str_t  rest = *path, name, value;

    while (last_part(&rest, &value) && last_part(&rest, &name)
           && rest.len != 0 && reel_str_u64(value, MS_MAX, &ms) == REEL_OK)
    {
        if (reel_str_eqz(name, "clipFrom")) {
            *start_us = (int64_t) ms * 1000;
        } else if (reel_str_eqz(name, "clipTo")) {
            *end_us = (int64_t) ms * 1000;
        } else {
            return;
        }

        *path = rest;
    }
}
