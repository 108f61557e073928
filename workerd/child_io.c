#include "workerd/child_io.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/json.h"
#include "workerd/loop.h"

#define PROGRESS_EVERY_MS 200

/* what was told last; a child does one task, so it may be static */
static unsigned  told_permille;
static int64_t   told_ms;


static reel_err_t
write_err(void)
{
    return errno == ENOSPC || errno == EDQUOT ? REEL_NOSPACE : REEL_IO;
}


reel_err_t
reel_child_write(int fd, const void *p, size_t len)
{
    const char  *from = p;

    while (len > 0) {
        ssize_t  n = write(fd, from, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n < 0) {
            return write_err();
        }

        from += n;
        len -= (size_t) n;
    }

    return REEL_OK;
}


reel_err_t
reel_child_sync(int fd)
{
    int  rc;

    do {
        rc = fdatasync(fd);
    } while (rc != 0 && errno == EINTR);

    /* EINVAL: not a file that can be synced (a pipe of a debugging run) */
    return rc == 0 || errno == EINVAL ? REEL_OK : write_err();
}


reel_err_t
reel_child_line(reel_child_t *c, reel_buf_t *b)
{
    reel_err_t  err;

    reel_buf_u8(b, '\n');
    err = reel_buf_err(b);

    if (err == REEL_OK && b->len > REEL_CHILD_LINE_MAX) {
        err = REEL_LIMIT;
    }

    if (err == REEL_OK) {
        err = reel_child_write(c->ctl_fd, b->data, b->len);
    }

    reel_buf_release(b);

    return err;
}


void
reel_child_progress(reel_child_t *c, unsigned permille)
{
    int64_t     now;
    reel_buf_t  b;
    reel_err_t  err;

    if (permille > 1000) {
        permille = 1000;
    }

    if (permille <= told_permille) {
        return;
    }

    now = reel_loop_now();

    if (told_ms != 0 && now - told_ms < PROGRESS_EVERY_MS) {
        return;
    }

    told_permille = permille;
    told_ms = now;

    reel_buf_init(&b, 64);
    reel_buf_printf(&b, "{\"progress\":%u}", permille);
    err = reel_child_line(c, &b);
    (void) err;                     /* the next line meets the same fault */
}


/* {"<key>": <what print made>, …} */
static void
begin_line(reel_buf_t *b, reel_json_t *j, const char *key, reel_buf_t *value)
{
    reel_buf_init(b, REEL_CHILD_LINE_MAX);
    reel_json_init(j, b);
    reel_json_object(j);
    reel_json_key(j, key);
    reel_json_raw(j, (reel_str_t) { (const char *) value->data, value->len });
}


reel_err_t
reel_child_object(reel_child_t *c, const reel_encoded_t *o, unsigned output,
    uint64_t from)
{
    reel_buf_t   b, value;
    reel_err_t   err;
    reel_json_t  j;

    reel_buf_init(&value, REEL_CHILD_LINE_MAX);

    err = reel_encoded_print(&value, o);

    if (err == REEL_OK) {
        begin_line(&b, &j, "object", &value);
        reel_json_kuint(&j, "output", output);
        reel_json_kuint(&j, "from", from);
        reel_json_end(&j, '}');
        err = reel_child_line(c, &b);
    }

    reel_buf_release(&value);

    return err;
}


reel_err_t
reel_child_source(reel_child_t *c, const reel_source_t *s)
{
    reel_buf_t   b, value;
    reel_err_t   err;
    reel_json_t  j;

    reel_buf_init(&value, REEL_CHILD_LINE_MAX);

    err = reel_source_print(&value, s);

    if (err == REEL_OK) {
        begin_line(&b, &j, "source", &value);
        reel_json_end(&j, '}');
        err = reel_child_line(c, &b);
    }

    reel_buf_release(&value);

    return err;
}


reel_err_t
reel_child_image(reel_child_t *c, unsigned output, uint32_t width,
    uint32_t height, uint32_t bytes)
{
    reel_buf_t  b;

    reel_buf_init(&b, 256);
    reel_buf_printf(&b, "{\"image\":{\"output\":%u,\"width\":%u,"
                    "\"height\":%u,\"bytes\":%u}}",
                    output, width, height, bytes);

    return reel_child_line(c, &b);
}


reel_err_t
reel_child_loudness(reel_child_t *c, int clufs)
{
    reel_buf_t  b;

    reel_buf_init(&b, 64);
    reel_buf_printf(&b, "{\"loudness\":{\"clufs\":%d}}", clufs);

    return reel_child_line(c, &b);
}


reel_err_t
reel_child_trials(reel_child_t *c, const reel_trials_t *t)
{
    reel_buf_t   b;
    reel_json_t  j;

    reel_buf_init(&b, REEL_CHILD_LINE_MAX);
    reel_json_init(&j, &b);
    reel_json_object(&j);
    reel_json_key(&j, "complexity");
    reel_json_object(&j);
    reel_trials_print(&j, t);
    reel_json_end(&j, '}');
    reel_json_end(&j, '}');

    return reel_child_line(c, &b);
}


reel_err_t
reel_child_story(reel_child_t *c, const reel_story_t *s, unsigned output)
{
    reel_buf_t   b, value;
    reel_err_t   err;
    reel_json_t  j;

    reel_buf_init(&value, REEL_CHILD_LINE_MAX);

    err = reel_story_print(&value, s);

    if (err == REEL_OK) {
        begin_line(&b, &j, "story", &value);
        reel_json_kuint(&j, "output", output);
        reel_json_end(&j, '}');
        err = reel_child_line(c, &b);
    }

    reel_buf_release(&value);

    return err;
}


reel_err_t
reel_child_warning(reel_child_t *c, reel_warning_code_t code,
    const reel_warning_t *x)
{
    reel_buf_t   b, value;
    reel_err_t   err;
    reel_json_t  j;

    reel_buf_init(&value, REEL_CHILD_LINE_MAX);

    err = reel_warning_print(&value, code, x);

    if (err == REEL_OK) {
        begin_line(&b, &j, "warning", &value);
        reel_json_end(&j, '}');
        err = reel_child_line(c, &b);
    }

    reel_buf_release(&value);

    return err;
}


int
reel_child_fail(reel_child_t *c, bool retry, const char *code,
    const char *stage, const char *fmt, ...)
{
    char         text[256];
    va_list      ap;
    reel_buf_t   b;
    reel_err_t   err;
    reel_json_t  j;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    reel_buf_init(&b, 4096);
    reel_json_init(&j, &b);
    reel_json_object(&j);
    reel_json_key(&j, "error");
    reel_json_object(&j);
    reel_json_kstr(&j, "class", retry ? "retry" : "fail");
    reel_json_kstr(&j, "code", code);
    reel_json_kstr(&j, "stage", stage);
    reel_json_kstr(&j, "detail", text);
    reel_json_end(&j, '}');
    reel_json_end(&j, '}');

    err = reel_child_line(c, &b);
    (void) err;                     /* then it counts as CRASHED */

    fprintf(stderr, "%s: %s: %s\n", code, stage, text);

    return 1;
}
