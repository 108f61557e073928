#include "lib/conf/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lib/conf/file.h"

#define DEPTH_MAX  16
#define FILE_SHOWN 80           /* the end of a path, so that the text fits */

typedef struct {
    yaml_parser_t  parser;
    char          *file;
    reel_error_t  *e;
} load_t;


static const char *
shown(const char *file)
{
    size_t n = strlen(file);

    return n > FILE_SHOWN ? file + n - FILE_SHOWN : file;
}


static reel_err_t
tell(const reel_yaml_t *n, unsigned skip, reel_error_t *e, const char *fmt,
    va_list args)
{
    char          text[160];
    reel_err_t    err;
    reel_error_t  own;

    e = e != NULL ? e : &own;
    (void) vsnprintf(text, sizeof(text), fmt, args);

    err = reel_fail(e, REEL_BADDATA, "%s:%u:%u: %s", shown(n->file),
                    n->line, n->column + skip, text);

    if (n->faults != NULL && n->faults->n < REEL_YAML_FAULTS) {
        n->faults->v[n->faults->n++] = *e;
    }

    return err;
}


reel_err_t
reel_yaml_fail(const reel_yaml_t *n, reel_error_t *e, const char *fmt, ...)
{
    va_list     args;
    reel_err_t  err;

    va_start(args, fmt);
    err = tell(n, 0, e, fmt, args);
    va_end(args);

    return err;
}


reel_err_t
reel_yaml_fail_at(const reel_yaml_t *n, unsigned skip, reel_error_t *e,
    const char *fmt, ...)
{
    va_list     args;
    reel_err_t  err;

    va_start(args, fmt);
    err = tell(n, skip + !n->plain, e, fmt, args);
    va_end(args);

    return err;
}


void
reel_yaml_collect(reel_yaml_t *n, reel_yaml_faults_t *f)
{
    n->faults = f;

    for (n = n->child; n != NULL; n = n->next) {
        reel_yaml_collect(n, f);
    }
}


bool
reel_yaml_goes_on(const reel_yaml_t *n, reel_err_t err)
{
    return err == REEL_OK
           || (err == REEL_BADDATA && n->faults != NULL
               && n->faults->n < REEL_YAML_FAULTS);
}


/* the same for a place where no node stands yet */
static reel_err_t
fail_at(const load_t *l, yaml_mark_t at, const char *text)
{
    return reel_fail(l->e, REEL_BADDATA, "%s:%zu:%zu: %s", shown(l->file),
                     at.line + 1, at.column + 1, text);
}


static reel_err_t
next_event(load_t *l, yaml_event_t *ev)
{
    if (yaml_parser_parse(&l->parser, ev)) {
        return REEL_OK;
    }

    memset(ev, 0, sizeof(*ev));

    if (l->parser.error == YAML_MEMORY_ERROR) {
        return REEL_NOMEM;
    }

    return fail_at(l, l->parser.problem_mark,
                   l->parser.problem == NULL ? "not YAML"
                                             : l->parser.problem);
}


static void
free_node(reel_yaml_t *n)
{
    reel_yaml_t *child;

    while (n->child != NULL) {
        child = n->child;
        n->child = child->next;
        free_node(child);
    }

    free(n->text);
    free(n->key);
    free(n);
}


void
reel_yaml_free(reel_yaml_t *root)
{
    char *file;

    if (root != NULL) {
        file = (char *) root->file;
        free_node(root);
        free(file);
    }
}


static char *
copy(const void *p, size_t len)
{
    char *z;

    z = malloc(len + 1);

    if (z != NULL) {
        memcpy(z, p, len);
        z[len] = '\0';
    }

    return z;
}


static reel_yaml_t *
new_node(const load_t *l, reel_yaml_kind_t kind, yaml_mark_t at)
{
    reel_yaml_t *n;

    n = calloc(1, sizeof(*n));

    if (n != NULL) {
        n->kind = kind;
        n->file = l->file;
        n->line = (unsigned) at.line + 1;
        n->column = (unsigned) at.column + 1;
    }

    return n;
}


static reel_err_t read_node(load_t *l, yaml_event_t *ev, unsigned depth,
    reel_yaml_t **out);


/* ev is a map's key: its scalar becomes the name of the value after it */
static reel_err_t
read_member(load_t *l, const reel_yaml_t *map, const yaml_event_t *key,
    unsigned depth, reel_yaml_t **out)
{
    char         *name;
    reel_err_t    err;
    yaml_event_t  ev;

    if (key->type != YAML_SCALAR_EVENT) {
        return fail_at(l, key->start_mark, "a key must be a word");
    }

    name = copy(key->data.scalar.value, key->data.scalar.length);
    if (name == NULL) {
        return REEL_NOMEM;
    }

    if (strlen(name) != key->data.scalar.length
        || reel_yaml_find(map, name) != NULL)
    {
        err = reel_fail(l->e, REEL_BADDATA, "%s:%zu:%zu: \"%.64s\" stands "
                        "twice", shown(l->file), key->start_mark.line + 1,
                        key->start_mark.column + 1, name);
        free(name);
        return err;
    }

    err = next_event(l, &ev);

    if (err == REEL_OK) {
        err = read_node(l, &ev, depth, out);
        yaml_event_delete(&ev);
    }

    if (err != REEL_OK) {
        free(name);
        return err;
    }

    (*out)->key = name;
    (*out)->key_line = (unsigned) key->start_mark.line + 1;
    (*out)->key_column = (unsigned) key->start_mark.column + 1;

    return REEL_OK;
}


/* the members of a map or list, up to its end event */
static reel_err_t
read_children(load_t *l, reel_yaml_t *n, unsigned depth)
{
    bool           end;
    reel_err_t     err;
    reel_yaml_t  **tail = &n->child;
    yaml_event_t   ev;

    for ( ;; ) {
        err = next_event(l, &ev);
        if (err != REEL_OK) {
            return err;
        }

        end = ev.type == YAML_MAPPING_END_EVENT
              || ev.type == YAML_SEQUENCE_END_EVENT;

        if (!end) {
            err = n->kind == REEL_YAML_MAP
                  ? read_member(l, n, &ev, depth, tail)
                  : read_node(l, &ev, depth, tail);
        }

        yaml_event_delete(&ev);

        if (end || err != REEL_OK) {
            return err;
        }

        tail = &(*tail)->next;
        n->count++;
    }
}


static reel_err_t
read_scalar(reel_yaml_t *n, const yaml_event_t *ev)
{
    n->len = ev->data.scalar.length;
    n->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    n->text = copy(ev->data.scalar.value, n->len);

    return n->text == NULL ? REEL_NOMEM : REEL_OK;
}


static bool
has_extras(const yaml_event_t *ev)
{
    switch (ev->type) {
    case YAML_SCALAR_EVENT:
        return ev->data.scalar.anchor != NULL || ev->data.scalar.tag != NULL;
    case YAML_MAPPING_START_EVENT:
        return ev->data.mapping_start.anchor != NULL
               || ev->data.mapping_start.tag != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return ev->data.sequence_start.anchor != NULL
               || ev->data.sequence_start.tag != NULL;
    default:
        return true;            /* an alias, or nothing that is a node */
    }
}


static reel_err_t
read_node(load_t *l, yaml_event_t *ev, unsigned depth, reel_yaml_t **out)
{
    reel_err_t   err;
    reel_yaml_t *n;

    if (has_extras(ev)) {
        return fail_at(l, ev->start_mark,
                       "anchors, aliases and tags are not supported");
    }

    if (depth == DEPTH_MAX) {
        return fail_at(l, ev->start_mark, "nested too deep");
    }

    n = new_node(l, ev->type == YAML_SCALAR_EVENT ? REEL_YAML_SCALAR
                    : ev->type == YAML_MAPPING_START_EVENT ? REEL_YAML_MAP
                    : REEL_YAML_LIST, ev->start_mark);
    if (n == NULL) {
        return REEL_NOMEM;
    }

    err = n->kind == REEL_YAML_SCALAR ? read_scalar(n, ev)
                                      : read_children(l, n, depth + 1);
    if (err != REEL_OK) {
        free_node(n);
        return err;
    }

    *out = n;
    return REEL_OK;
}


/* stream start, then at most one document */
static reel_err_t
read_document(load_t *l, reel_yaml_t **root)
{
    reel_err_t       err;
    yaml_event_t     ev;
    yaml_mark_t      at;
    yaml_event_type_t type;

    *root = NULL;

    for ( ;; ) {
        err = next_event(l, &ev);
        if (err != REEL_OK) {
            return err;
        }

        type = ev.type;
        at = ev.start_mark;

        if (type == YAML_STREAM_START_EVENT
            || type == YAML_DOCUMENT_START_EVENT
            || type == YAML_DOCUMENT_END_EVENT
            || type == YAML_STREAM_END_EVENT)
        {
            err = REEL_OK;

        } else if (*root != NULL) {
            err = fail_at(l, at, "a second document");

        } else {
            err = read_node(l, &ev, 0, root);
        }

        yaml_event_delete(&ev);

        if (err != REEL_OK || type == YAML_STREAM_END_EVENT) {
            return err;
        }
    }
}


reel_err_t
reel_yaml_parse(reel_yaml_t **root, const char *file, const char *text,
    size_t len, reel_error_t *e)
{
    load_t       l;
    reel_err_t   err;
    yaml_mark_t  start = { 0, 0, 0 };

    *root = NULL;

    if (len > REEL_YAML_FILE_MAX) {
        return reel_fail(e, REEL_LIMIT, "%s: %zu bytes, at most %u",
                         shown(file), len, REEL_YAML_FILE_MAX);
    }

    l.e = e;
    l.file = copy(file, strlen(file));

    if (l.file == NULL || !yaml_parser_initialize(&l.parser)) {
        free(l.file);
        return REEL_NOMEM;
    }

    yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&l.parser, (const unsigned char *) text,
                                 len);
    err = read_document(&l, root);

    if (err == REEL_OK && *root == NULL) {
        *root = new_node(&l, REEL_YAML_MAP, start);
        err = *root == NULL ? REEL_NOMEM : REEL_OK;
    }

    yaml_parser_delete(&l.parser);

    if (err != REEL_OK) {
        if (*root != NULL) {
            free_node(*root);
            *root = NULL;
        }

        free(l.file);
    }

    return err;
}


static reel_err_t
load(reel_yaml_t **root, const char *file, bool regular, reel_error_t *e)
{
    char       *text;
    size_t      n;
    reel_err_t  err;

    *root = NULL;

    err = (regular ? reel_conf_regular : reel_conf_file)
              (file, REEL_YAML_FILE_MAX, &text, &n);

    if (err == REEL_INVAL) {
        return reel_fail(e, err, "%s: is no regular file", shown(file));
    }
    if (err == REEL_NOTFOUND || err == REEL_IO) {
        return reel_fail(e, err, "%s: %s", shown(file), strerror(errno));
    }
    if (err == REEL_OK) {
        err = reel_yaml_parse(root, file, text, n, e);
    }

    free(text);

    return err;
}


reel_err_t
reel_yaml_load(reel_yaml_t **root, const char *file, reel_error_t *e)
{
    return load(root, file, false, e);
}


reel_err_t
reel_yaml_load_regular(reel_yaml_t **root, const char *file, reel_error_t *e)
{
    return load(root, file, true, e);
}
