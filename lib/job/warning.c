#include "lib/job/warning.h"

#include <stdio.h>
#include <string.h>

#include "lib/job/fields.h"
#include "lib/job/part.h"

#define ONE_MAX 4096
#define SEP     ", "         /* between places */

static const struct {
    const char *name;
    const char *sentence;       /* for who uploaded the film */
} warnings[REEL_WARNINGS] = {
    [REEL_WARN_ENDS_EARLY] = { "ENDS_EARLY",
        "The file ends within its film. What is there plays; if you have "
        "all of it, upload it again." },
    [REEL_WARN_DAMAGED] = { "DAMAGED",
        "Parts of the file are damaged and cannot be decoded: pictures stand "
        "or look broken there, sound is silent. Look for a better copy." },
    [REEL_WARN_CLOCK_JUMPS] = { "CLOCK_JUMPS",
        "The file's clock jumps, as of recordings put one behind the other. "
        "They play as one film; see whether they belong together." },
    [REEL_WARN_DURATION_WRONG] = { "DURATION_WRONG",
        "The file says another duration than its film has. The film's own "
        "counts; see whether something is missing." },
    [REEL_WARN_RATE_REDUCED] = { "RATE_REDUCED",
        "The film has more pictures a second than players show. Not all of "
        "them are kept; its speed is as it was." },
    [REEL_WARN_COLOURS_WRONG] = { "COLOURS_WRONG",
        "The film's colours are Dolby Vision's alone, which is not "
        "understood: they look wrong. Export it as HDR10, HLG or SDR." },
    [REEL_WARN_TRACK_LEFT_OUT] = { "TRACK_LEFT_OUT",
        "A track is left out: its codec is not supported, or there are more "
        "than are kept. Convert it, if you want it (to H.264, AAC)." },
    [REEL_WARN_TEXT_LEFT_OUT] = { "TEXT_LEFT_OUT",
        "Subtitles are left out: they are images, of a kind that is not "
        "supported, or too many. Add them as text (SubRip, WebVTT)." },
    [REEL_WARN_GIVEN_UP] = { "GIVEN_UP",
        "An extra of the film could not be made. It plays without it." }
};


/* REEL_WARNINGS: of a kind that a newer reel knows, or none */
static reel_warning_code_t
find(const char *name)
{
    unsigned i;

    for (i = 0; i < REEL_WARNINGS; i++) {
        if (strcmp(warnings[i].name, name) == 0) {
            break;
        }
    }

    return (reel_warning_code_t) i;
}


/* of the first of these places */
static size_t
length(const char *where)
{
    const char *end = strstr(where, SEP);

    return end == NULL ? strlen(where) : (size_t) (end - where);
}


/* whether one of the places of where is this one, of n bytes */
static bool
names(const char *where, const char *one, size_t n)
{
    size_t len;

    for (;; where += len + strlen(SEP)) {
        len = length(where);

        if (len == n && memcmp(where, one, n) == 0) {
            return true;
        }

        if (where[len] == '\0') {
            return false;
        }
    }
}


/* "track 1, track 2": each place once; what does not fit any more is left out */
static void
join(char *where, const char *more)
{
    size_t len, n, comma;

    for (;; more += n + strlen(SEP)) {
        len = strlen(where);
        comma = len > 0 ? strlen(SEP) : 0;
        n = length(more);

        if (n > 0 && !names(where, more, n)
            && len + comma + n < REEL_WARNING_WHERE)
        {
            memcpy(where + len, SEP, comma);
            memcpy(where + len + comma, more, n);
            where[len + comma + n] = '\0';
        }

        if (more[n] == '\0') {
            return;
        }
    }
}


void
reel_warnings_add(reel_warnings_t *w, reel_warning_code_t code,
    const reel_warning_t *more)
{
    reel_warning_t *x = &w->of[code];

    if (more->count == 0) {
        return;
    }

    if (x->count == 0) {
        *x = *more;
        return;
    }

    x->count = more->count < UINT32_MAX - x->count ? x->count + more->count
                                                   : UINT32_MAX;
    if (more->at_ms >= 0 && (x->at_ms < 0 || more->at_ms < x->at_ms)) {
        x->at_ms = more->at_ms;
    }
    join(x->where, more->where);
}


void
reel_warnings_merge(reel_warnings_t *w, const reel_warnings_t *more)
{
    unsigned i;

    for (i = 0; i < REEL_WARNINGS; i++) {
        reel_warnings_add(w, (reel_warning_code_t) i, &more->of[i]);
    }
}


void
reel_warnings_stage(reel_warnings_t *w, const char *stage)
{
    unsigned i;

    for (i = 0; i < REEL_WARNINGS; i++) {
        (void) snprintf(w->of[i].stage, REEL_WARNING_STAGE, "%s", stage);
    }
}


bool
reel_warnings_any(const reel_warnings_t *w)
{
    unsigned i;

    for (i = 0; i < REEL_WARNINGS; i++) {
        if (w->of[i].count > 0) {
            return true;
        }
    }

    return false;
}


static void
print_facts(reel_json_t *j, const reel_warning_t *x)
{
    reel_json_kstr(j, "where", x->where);
    reel_json_kuint(j, "count", x->count);

    if (x->at_ms >= 0) {
        reel_json_kint(j, "at_ms", x->at_ms);
    }
}


void
reel_warnings_print(reel_json_t *j, const reel_warnings_t *w)
{
    unsigned i;

    if (!reel_warnings_any(w)) {
        return;
    }

    reel_json_key(j, "warnings");
    reel_json_array(j);

    for (i = 0; i < REEL_WARNINGS; i++) {
        if (w->of[i].count == 0) {
            continue;
        }

        reel_json_object(j);
        reel_json_kstr(j, "code", warnings[i].name);
        reel_json_kstr(j, "stage", w->of[i].stage);
        reel_json_kstr(j, "detail", warnings[i].sentence);
        print_facts(j, &w->of[i]);
        reel_json_end(j, '}');
    }

    reel_json_end(j, ']');
}


reel_err_t
reel_warning_print(reel_buf_t *b, reel_warning_code_t code,
    const reel_warning_t *x)
{
    reel_json_t j;

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_json_kstr(&j, "code", warnings[code].name);
    print_facts(&j, x);
    reel_json_end(&j, '}');

    return reel_buf_err(b);
}


static reel_warning_code_t
parse_facts(reel_warning_t *x, reel_fields_t *f)
{
    char name[REEL_WARNING_STAGE];

    *x = (reel_warning_t) { .at_ms = -1 };
    reel_fields_text(f, "code", name, sizeof(name), 1);
    reel_fields_text(f, "where", x->where, sizeof(x->where), 0);
    x->count = reel_fields_u32(f, "count", 1, UINT32_MAX);

    if (reel_fields_has(f, "at_ms")) {
        x->at_ms = reel_fields_int(f, "at_ms", 0, REEL_PTS_MAX);
    }

    return find(name);
}


void
reel_part_warnings_parse(reel_fields_t *f, reel_warnings_t *w)
{
    size_t               i;
    json_t              *list;
    reel_fields_t        in;
    reel_warning_t       x;
    reel_warning_code_t  code;

    if (!reel_fields_has(f, "warnings")) {
        return;
    }

    list = reel_fields_array(f, "warnings", REEL_PART_WARNINGS);

    for (i = 0; i < json_array_size(list) && f->err == REEL_OK; i++) {
        in = reel_fields_element(f, json_array_get(list, i), "warnings");
        code = parse_facts(&x, &in);
        reel_fields_text(&in, "stage", x.stage, sizeof(x.stage), 0);
        reel_fields_join(f, &in);

        if (f->err == REEL_OK && code < REEL_WARNINGS) {
            reel_warnings_add(w, code, &x);
        }
    }
}


reel_err_t
reel_warning_parse(reel_warnings_t *w, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t           err;
    reel_fields_t        f;
    reel_warning_t       x;
    reel_warning_code_t  code;

    err = reel_fields_load(&f, json, len, ONE_MAX, "warning", e);
    if (err != REEL_OK) {
        return err;
    }

    code = parse_facts(&x, &f);
    if (code == REEL_WARNINGS) {
        reel_fields_fail(&f, REEL_BADDATA, "code", "is none");
    }
    json_decref(f.obj);

    if (f.err == REEL_OK) {
        reel_warnings_add(w, code, &x);
    }

    return f.err;
}
