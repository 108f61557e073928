#include <stdlib.h>

#include <jansson.h>

#include "lib/title/title.h"


void
reel_title_release(reel_title_t *t)
{
    free(t->parts);
    free(t->files);
    free(t->text);
    json_decref(t->json);
    *t = (reel_title_t) { .nparts = 0 };
}


/*
 * No part of it leads elsewhere.  "/" at its start is the location's root,
 * as in a URI; control characters would spoil the log.
 */
bool
reel_title_path_valid(reel_str_t path)
{
    size_t      i;
    reel_str_t  part, rest = path;

    if (path.len == 0 || path.len > REEL_TITLE_PATH) {
        return false;
    }

    for (i = 0; i < path.len; i++) {
        if ((unsigned char) path.p[i] < 0x20 || path.p[i] == 0x7f) {
            return false;
        }
    }

    if (rest.p[0] == '/') {
        rest.p++;
        rest.len--;
    }

    while (rest.p != NULL) {
        part = reel_str_cut(rest, '/', &rest);

        if (part.len == 0 || reel_str_eqz(part, ".")
            || reel_str_eqz(part, ".."))
        {
            return false;
        }
    }

    return true;
}


/* one part of n files, whose paths follow one another in t->text */
static reel_err_t
make_part(reel_title_t *t, unsigned n)
{
    unsigned  i;

    t->parts = calloc(1, sizeof(*t->parts));
    t->files = calloc(n, sizeof(*t->files));

    if (t->parts == NULL || t->files == NULL) {
        return REEL_NOMEM;
    }

    t->nparts = 1;
    t->nfiles = n;
    t->parts[0].n = n;

    for (i = 0; i < n; i++) {
        t->files[i].video = true;
        t->files[i].audio = true;
    }

    return REEL_OK;
}


reel_err_t
reel_title_names(reel_title_t *t, const reel_str_t *names, unsigned n,
    reel_error_t *e)
{
    char       *p;
    size_t      len = 0;
    unsigned    i;
    reel_err_t  err;

    *t = (reel_title_t) { .nparts = 0 };

    if (n == 0 || n > REEL_TITLE_FILES) {
        return reel_fail(e, n == 0 ? REEL_NOTFOUND : REEL_LIMIT,
                         n == 0 ? "there is no such file"
                         : "over %d files are of one title",
                         REEL_TITLE_FILES);
    }

    for (i = 0; i < n; i++) {
        if (!reel_title_path_valid(names[i])) {
            return reel_fail(e, REEL_BADDATA, "name %u of the title is no "
                             "path of a file", i + 1);
        }

        len += names[i].len;
    }

    err = make_part(t, n);
    t->text = malloc(len);

    if (err != REEL_OK || t->text == NULL) {
        reel_title_release(t);
        return REEL_NOMEM;
    }

    for (i = 0, p = t->text; i < n; i++) {
        memcpy(p, names[i].p, names[i].len);
        t->files[i].path = (reel_str_t) { p, names[i].len };
        p += names[i].len;
    }

    return REEL_OK;
}


/* the last comma, before which is what differs */
static const char *
last_comma(reel_str_t s)
{
    size_t  i;

    for (i = s.len; i-- != 0; /* void */) {
        if (s.p[i] == ',') {
            return s.p + i;
        }
    }

    return NULL;
}


reel_err_t
reel_title_list(reel_title_t *t, reel_str_t path, reel_error_t *e)
{
    char         buf[REEL_TITLE_FILES][REEL_TITLE_PATH];
    unsigned     n = 0;
    reel_str_t   prefix, middle, suffix, rest, names[REEL_TITLE_FILES];
    const char  *comma = last_comma(path);

    *t = (reel_title_t) { .nparts = 0 };

    prefix = reel_str_cut(path, ',', &rest);

    if (comma == NULL || rest.p > comma) {
        return reel_fail(e, REEL_BADDATA, "a set of files needs two commas "
                         "or more: <start>,<a>,<b>,<end>.urlset");
    }

    suffix = (reel_str_t) { comma + 1,
                            (size_t) (path.p + path.len - comma - 1) };
    rest.len = (size_t) (comma - rest.p);

    while (rest.p != NULL) {
        middle = reel_str_cut(rest, ',', &rest);

        if (n == REEL_TITLE_FILES) {
            return reel_fail(e, REEL_LIMIT, "a set has at most %d files",
                             REEL_TITLE_FILES);
        }

        if (prefix.len + middle.len + suffix.len > REEL_TITLE_PATH) {
            return reel_fail(e, REEL_LIMIT, "a path of the set has over %d "
                             "bytes", REEL_TITLE_PATH);
        }

        memcpy(buf[n], prefix.p, prefix.len);
        memcpy(buf[n] + prefix.len, middle.p, middle.len);
        memcpy(buf[n] + prefix.len + middle.len, suffix.p, suffix.len);
        names[n] = (reel_str_t) { buf[n],
                                  prefix.len + middle.len + suffix.len };
        n++;
    }

    return reel_title_names(t, names, n, e);
}


static size_t
find(reel_str_t s, const char *z, size_t from)
{
    size_t  i, n = strlen(z);

    for (i = from; i + n <= s.len; i++) {
        if (memcmp(s.p + i, z, n) == 0) {
            return i;
        }
    }

    return s.len;
}


bool
reel_title_pattern_valid(reel_str_t s)
{
    size_t                name = find(s, "{}", 0), star = find(s, "*", 0);
    reel_title_pattern_t  p;

    if (name == s.len || star < name || star + 1 >= s.len
        || find(s, "{}", name + 2) != s.len || find(s, "*", star + 1) != s.len
        || find(s, "/", star) != s.len
        || !reel_title_path_valid(s) || s.p[0] == '/')
    {
        return false;
    }

    reel_title_pattern_split(&p, s);

    /* what stands between them parts one title's files from another's */
    return p.between.len != 0;
}


void
reel_title_pattern_split(reel_title_pattern_t *p, reel_str_t s)
{
    size_t  name = find(s, "{}", 0), star = find(s, "*", 0);

    p->before = (reel_str_t) { s.p, name };
    p->between = (reel_str_t) { s.p + name + 2, star - name - 2 };
    p->after = (reel_str_t) { s.p + star + 1, s.len - star - 1 };
}
