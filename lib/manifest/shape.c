#include <inttypes.h>
#include <stdio.h>

#include "lib/manifest/shape.h"


#define US         1000000      /* a second */
#define SECONDS    UINT64_C(1000000000)
#define HEIGHT_MAX UINT16_MAX


typedef reel_err_t (*set_t)(reel_shape_t *s, reel_str_t value);

static reel_err_t set_start(reel_shape_t *s, reel_str_t value);
static reel_err_t set_end(reel_shape_t *s, reel_str_t value);
static reel_err_t set_min_height(reel_shape_t *s, reel_str_t value);
static reel_err_t set_max_height(reel_shape_t *s, reel_str_t value);


/* in canonical order */
static const struct {
    const char *name;
    set_t       set;
    const char *form;
} params[] = {
    { "start", set_start, "seconds, such as 12.5" },
    { "end", set_end, "seconds above 0, such as 12.5" },
    { "min_height", set_min_height, "a number of lines, 1 to 65535" },
    { "max_height", set_max_height, "a number of lines, 1 to 65535" }
};

#define NPARAMS (sizeof(params) / sizeof(params[0]))


/* decimal seconds; what is finer than a microsecond is dropped */
static reel_err_t
seconds(reel_str_t value, int64_t *us)
{
    size_t      i;
    uint64_t    whole, unit = US, part = 0;
    reel_err_t  err;
    reel_str_t  fraction;

    err = reel_str_u64(reel_str_cut(value, '.', &fraction), SECONDS, &whole);

    if (err != REEL_OK || (fraction.p != NULL && fraction.len == 0)) {
        return REEL_INVAL;
    }

    for (i = 0; i < fraction.len; i++) {
        if (fraction.p[i] < '0' || fraction.p[i] > '9') {
            return REEL_INVAL;
        }

        unit /= 10;
        part += unit * (uint64_t) (fraction.p[i] - '0');
    }

    *us = (int64_t) (whole * US + part);

    return REEL_OK;
}


static reel_err_t
set_start(reel_shape_t *s, reel_str_t value)
{
    return seconds(value, &s->start_us);
}


static reel_err_t
set_end(reel_shape_t *s, reel_str_t value)
{
    reel_err_t  err = seconds(value, &s->end_us);

    return err == REEL_OK && s->end_us == 0 ? REEL_INVAL : err;
}


static reel_err_t
height(reel_str_t value, uint32_t *lines)
{
    uint64_t  v;

    if (reel_str_u64(value, HEIGHT_MAX, &v) != REEL_OK || v == 0) {
        return REEL_INVAL;
    }

    *lines = (uint32_t) v;

    return REEL_OK;
}


static reel_err_t
set_min_height(reel_shape_t *s, reel_str_t value)
{
    return height(value, &s->min_height);
}


static reel_err_t
set_max_height(reel_shape_t *s, reel_str_t value)
{
    return height(value, &s->max_height);
}


reel_err_t
reel_shape_set(reel_shape_t *s, reel_str_t name, reel_str_t value,
    reel_error_t *e)
{
    size_t  i;

    for (i = 0; i < NPARAMS; i++) {
        if (!reel_str_eqz(name, params[i].name)) {
            continue;
        }

        if (s->given & 1u << i) {
            return reel_fail(e, REEL_INVAL, "%s is given twice",
                             params[i].name);
        }

        s->given |= 1u << i;

        if (params[i].set(s, value) != REEL_OK) {
            return reel_fail(e, REEL_INVAL, "%s is not %s", params[i].name,
                             params[i].form);
        }
    }

    return REEL_OK;
}


reel_err_t
reel_shape_check(const reel_shape_t *s, reel_error_t *e)
{
    if (s->end_us != 0 && s->end_us <= s->start_us) {
        return reel_fail(e, REEL_INVAL, "end is not after start");
    }

    if (s->max_height != 0 && s->max_height < s->min_height) {
        return reel_fail(e, REEL_INVAL, "max_height is below min_height");
    }

    return REEL_OK;
}


/* "&start=12.5" behind n bytes; the first has no '&' */
static size_t
print_seconds(char *dst, size_t n, const char *name, int64_t us)
{
    int       len;
    unsigned  digits = 6;
    uint64_t  rest = (uint64_t) us % US;

    if (us == 0) {
        return n;
    }

    len = snprintf(dst + n, REEL_SHAPE_MAX - n, "%s%s=%" PRIu64,
                   n != 0 ? "&" : "", name, (uint64_t) us / US);
    n += (size_t) len;

    if (rest == 0) {
        return n;
    }

    while (rest % 10 == 0) {
        rest /= 10;
        digits--;
    }

    len = snprintf(dst + n, REEL_SHAPE_MAX - n, ".%0*" PRIu64, (int) digits,
                   rest);

    return n + (size_t) len;
}


static size_t
print_height(char *dst, size_t n, const char *name, uint32_t lines)
{
    if (lines == 0) {
        return n;
    }

    return n + (size_t) snprintf(dst + n, REEL_SHAPE_MAX - n,
                                 "%s%s=%" PRIu32, n != 0 ? "&" : "", name,
                                 lines);
}


/* all values at their bounds take less than REEL_SHAPE_MAX */
size_t
reel_shape_print(char dst[REEL_SHAPE_MAX], const reel_shape_t *s,
    bool clip_only)
{
    size_t  n = 0;

    dst[0] = '\0';
    n = print_seconds(dst, n, params[0].name, s->start_us);
    n = print_seconds(dst, n, params[1].name, s->end_us);

    if (!clip_only) {
        n = print_height(dst, n, params[2].name, s->min_height);
        n = print_height(dst, n, params[3].name, s->max_height);
    }

    return n;
}


size_t
reel_shape_print_limits(char dst[REEL_SHAPE_MAX], const reel_shape_t *s)
{
    size_t  n = 0;

    dst[0] = '\0';
    n = print_seconds(dst, n, REEL_SHAPE_LIMIT "start", s->start_us);
    n = print_seconds(dst, n, REEL_SHAPE_LIMIT "end", s->end_us);

    return print_height(dst, n, REEL_SHAPE_LIMIT "max_height",
                        s->max_height);
}


bool
reel_shape_limit(reel_shape_t *s, const reel_shape_t *limits)
{
    if (s->start_us < limits->start_us) {
        s->start_us = limits->start_us;
    }

    if (limits->end_us != 0
        && (s->end_us == 0 || s->end_us > limits->end_us))
    {
        s->end_us = limits->end_us;
    }

    if (limits->max_height != 0
        && (s->max_height == 0 || s->max_height > limits->max_height))
    {
        s->max_height = limits->max_height;
    }

    return s->end_us == 0 || s->end_us > s->start_us;
}
