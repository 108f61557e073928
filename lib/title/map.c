/* a mapping: JSON that somebody else wrote, so nothing of it is taken as it is */

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "lib/index/index.h"
#include "lib/title/title.h"

#define US           1000000    /* a second */
#define SECONDS_MAX  1000000000.0
#define LANGUAGE_MAX 35
#define LABEL_MAX    127

typedef struct {
    reel_title_t *t;
    reel_error_t *e;
    unsigned      part;
    char          where[48];    /* begins the text of an error */
} map_t;

static const struct {
    const char *name;
    uint32_t    role;
} roles[] = {
    { "main", 0 },
    { "dub", REEL_ROLE_DUB },
    { "commentary", REEL_ROLE_COMMENTARY },
    { "description", REEL_ROLE_DESCRIPTION }
};


/* a member that nobody knows is a mistake of its writer */
static reel_err_t
check_members(const map_t *m, json_t *o, const char *const *known)
{
    size_t       i;
    json_t      *value;
    const char  *key;

    if (!json_is_object(o)) {
        return reel_fail(m->e, REEL_BADDATA, "%s is not an object", m->where);
    }

    json_object_foreach(o, key, value) {
        for (i = 0; known[i] != NULL && strcmp(known[i], key) != 0; i++) {
            /* void */
        }

        if (known[i] == NULL) {
            return reel_fail(m->e, REEL_BADDATA, "%s has an unknown member "
                             "\"%.40s\"", m->where, key);
        }
    }

    return REEL_OK;
}


/* letters, digits and '-' go into tags and attributes */
static bool
is_language(reel_str_t s)
{
    char    c;
    size_t  i;

    if (s.len == 0 || s.len > LANGUAGE_MAX) {
        return false;
    }

    for (i = 0; i < s.len; i++) {
        c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '-'))
        {
            return false;
        }
    }

    return true;
}


static bool
is_label(reel_str_t s)
{
    size_t  i;

    if (s.len == 0 || s.len > LABEL_MAX) {
        return false;
    }

    for (i = 0; i < s.len; i++) {
        if ((unsigned char) s.p[i] < 0x20 || s.p[i] == 0x7f) {
            return false;
        }
    }

    return true;
}


static reel_err_t
get_text(const map_t *m, json_t *o, const char *key, bool (*good)(reel_str_t),
    reel_str_t *s)
{
    json_t  *v = json_object_get(o, key);

    if (v == NULL || json_is_null(v)) {
        return REEL_OK;
    }

    if (json_is_string(v)) {
        *s = (reel_str_t) { json_string_value(v), json_string_length(v) };
    }

    if (!json_is_string(v) || !good(*s)) {
        return reel_fail(m->e, REEL_BADDATA, "%s: \"%s\" is not a %s",
                         m->where, key,
                         strcmp(key, "path") == 0 ? "path below the root"
                         : key);
    }

    return REEL_OK;
}


static reel_err_t
get_seconds(const map_t *m, json_t *o, const char *key, int64_t *us)
{
    double   s;
    json_t  *v = json_object_get(o, key);

    if (v == NULL || json_is_null(v)) {
        return REEL_OK;
    }

    s = json_number_value(v);

    if (!json_is_number(v) || !(s >= 0 && s <= SECONDS_MAX)) {
        return reel_fail(m->e, REEL_BADDATA, "%s: \"%s\" is not a number of "
                         "seconds", m->where, key);
    }

    *us = (int64_t) (s * US + 0.5);

    return REEL_OK;
}


static reel_err_t
get_roles(const map_t *m, json_t *o, reel_title_file_t *f)
{
    size_t   i, n = sizeof(roles) / sizeof(roles[0]);
    json_t  *role = json_object_get(o, "role");
    json_t  *first = json_object_get(o, "default");

    if (first != NULL && !json_is_boolean(first)) {
        return reel_fail(m->e, REEL_BADDATA, "%s: \"default\" is neither "
                         "true nor false", m->where);
    }

    f->has_roles = role != NULL || first != NULL;
    f->roles = json_is_true(first) ? REEL_ROLE_DEFAULT : 0;

    if (role == NULL) {
        return REEL_OK;
    }

    for (i = 0; i < n; i++) {
        if (json_is_string(role)
            && strcmp(json_string_value(role), roles[i].name) == 0)
        {
            f->roles |= roles[i].role;
            return REEL_OK;
        }
    }

    return reel_fail(m->e, REEL_BADDATA, "%s: \"role\" is none of main, "
                     "dub, commentary, description", m->where);
}


static reel_err_t
get_tracks(const map_t *m, json_t *o, reel_title_file_t *f)
{
    json_t      *v = json_object_get(o, "tracks");
    const char  *s = json_string_value(v);

    f->video = v == NULL || (s != NULL && strcmp(s, "video") == 0);
    f->audio = v == NULL || (s != NULL && strcmp(s, "audio") == 0);

    if (!f->video && !f->audio) {
        return reel_fail(m->e, REEL_BADDATA, "%s: \"tracks\" is neither "
                         "\"video\" nor \"audio\"", m->where);
    }

    return REEL_OK;
}


static reel_err_t
get_bitrate(const map_t *m, json_t *o, reel_title_file_t *f)
{
    json_t  *v = json_object_get(o, "bitrate");

    if (v == NULL) {
        return REEL_OK;
    }

    if (!json_is_integer(v) || json_integer_value(v) < 1
        || json_integer_value(v) > UINT32_MAX)
    {
        return reel_fail(m->e, REEL_BADDATA, "%s: \"bitrate\" is not a "
                         "number of bits a second", m->where);
    }

    f->bitrate = (uint32_t) json_integer_value(v);

    return REEL_OK;
}


static reel_err_t
add_file(map_t *m, json_t *o, unsigned number)
{
    reel_err_t          err;
    reel_title_file_t  *f = &m->t->files[m->t->nfiles];

    static const char *const known[] = {
        "path", "language", "label", "role", "default", "bitrate", "tracks",
        NULL
    };

    (void) snprintf(m->where, sizeof(m->where), "rendition %u of part %u",
                    number, m->part);

    err = check_members(m, o, known);

    if (err == REEL_OK && json_object_get(o, "path") == NULL) {
        err = reel_fail(m->e, REEL_BADDATA, "%s has no \"path\"", m->where);
    }

    if (err == REEL_OK) {
        err = get_text(m, o, "path", reel_title_path_valid, &f->path);
    }
    if (err == REEL_OK && f->path.len == 0) {
        err = reel_fail(m->e, REEL_BADDATA, "%s has no \"path\"", m->where);
    }
    if (err == REEL_OK) {
        err = get_text(m, o, "language", is_language, &f->language);
    }
    if (err == REEL_OK) {
        err = get_text(m, o, "label", is_label, &f->label);
    }
    if (err == REEL_OK) {
        err = get_roles(m, o, f);
    }
    if (err == REEL_OK) {
        err = get_tracks(m, o, f);
    }
    if (err == REEL_OK) {
        err = get_bitrate(m, o, f);
    }

    m->t->nfiles++;

    return err;
}


/* nothing is allocated before it is known how many there are */
static reel_err_t
add_part(map_t *m, json_t *o, json_t *list)
{
    size_t              i, n = json_array_size(list);
    void               *p;
    reel_err_t          err;
    reel_title_part_t  *part = &m->t->parts[m->t->nparts];

    (void) snprintf(m->where, sizeof(m->where), "part %u", m->part);

    if (!json_is_array(list) || n == 0 || n > REEL_TITLE_FILES) {
        return reel_fail(m->e, n > REEL_TITLE_FILES ? REEL_LIMIT
                         : REEL_BADDATA, "%s: \"renditions\" is not a list "
                         "of 1 to %d", m->where, REEL_TITLE_FILES);
    }

    p = realloc(m->t->files, (m->t->nfiles + n) * sizeof(*m->t->files));
    if (p == NULL) {
        return REEL_NOMEM;
    }

    m->t->files = p;
    memset(m->t->files + m->t->nfiles, 0, n * sizeof(*m->t->files));

    *part = (reel_title_part_t) { .first = m->t->nfiles, .n = (uint32_t) n };
    m->t->nparts++;

    err = get_seconds(m, o, "start", &part->start_us);
    if (err == REEL_OK) {
        err = get_seconds(m, o, "end", &part->end_us);
    }

    if (err == REEL_OK && json_object_get(o, "end") != NULL
        && part->end_us <= part->start_us)
    {
        err = reel_fail(m->e, REEL_BADDATA, "%s: \"end\" is not after "
                        "\"start\"", m->where);
    }

    for (i = 0; err == REEL_OK && i < n; i++) {
        err = add_file(m, json_array_get(list, i), (unsigned) i + 1);
    }

    return err;
}


static reel_err_t
add_parts(map_t *m, json_t *list)
{
    size_t      i, n = json_array_size(list);
    json_t     *o;
    reel_err_t  err = REEL_OK;

    static const char *const known[] = {
        "renditions", "start", "end", NULL
    };

    if (!json_is_array(list) || n == 0 || n > REEL_TITLE_PARTS) {
        return reel_fail(m->e, n > REEL_TITLE_PARTS ? REEL_LIMIT
                         : REEL_BADDATA, "\"parts\" is not a list of 1 to "
                         "%d", REEL_TITLE_PARTS);
    }

    m->t->parts = calloc(n, sizeof(*m->t->parts));
    if (m->t->parts == NULL) {
        return REEL_NOMEM;
    }

    for (i = 0; err == REEL_OK && i < n; i++) {
        m->part = (unsigned) i + 1;
        (void) snprintf(m->where, sizeof(m->where), "part %u", m->part);

        o = json_array_get(list, i);

        err = check_members(m, o, known);
        if (err == REEL_OK) {
            err = add_part(m, o, json_object_get(o, "renditions"));
        }
    }

    return err;
}


static reel_err_t
read_title(map_t *m, json_t *o)
{
    reel_err_t  err;
    json_t     *parts = json_object_get(o, "parts");

    static const char *const one[] = { "renditions", "start", "end", NULL };
    static const char *const several[] = { "parts", NULL };

    (void) snprintf(m->where, sizeof(m->where), "the mapping");

    err = check_members(m, o, parts != NULL ? several : one);
    if (err != REEL_OK) {
        return err;
    }

    if (parts != NULL) {
        return add_parts(m, parts);
    }

    m->part = 1;
    m->t->parts = calloc(1, sizeof(*m->t->parts));

    return m->t->parts != NULL
           ? add_part(m, o, json_object_get(o, "renditions")) : REEL_NOMEM;
}


/* texts quote what was read: one line of the log stays one */
static void
make_plain(reel_error_t *e)
{
    char  *p;

    for (p = e->text; *p != '\0'; p++) {
        if ((unsigned char) *p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
    }
}


reel_err_t
reel_title_map(reel_title_t *t, const char *json, size_t len,
    reel_error_t *e)
{
    map_t         m = { .t = t, .e = e };
    reel_err_t    err;
    json_error_t  why;

    *t = (reel_title_t) { .nparts = 0 };

    if (len > REEL_TITLE_BYTES) {
        return reel_fail(e, REEL_LIMIT, "the mapping has over %u KiB",
                         REEL_TITLE_BYTES >> 10);
    }

    t->json = json_loadb(json, len, JSON_REJECT_DUPLICATES, &why);

    if (t->json == NULL) {
        err = reel_fail(e, REEL_BADDATA, "the mapping is no JSON: line %d, "
                        "%.100s", why.line, why.text);
        make_plain(e);
        return err;
    }

    err = read_title(&m, t->json);

    if (err != REEL_OK) {
        reel_title_release(t);
        make_plain(e);
    }

    return err;
}
