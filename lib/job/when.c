/*
 * One walk both checks and evaluates: what is compared has its type from the
 * text alone, and with a source its value too.  Nothing is left out when the
 * left side already decides, so that a condition is checked whole.
 */

#include "lib/job/when.h"

#include <string.h>

#include "lib/job/when_part.h"

#define LETTERS  "abcdefghijklmnopqrstuvwxyz_"
#define DIGITS   "0123456789"

typedef struct {
    const char          *text;
    size_t               len, at;
    unsigned             depth;
    const reel_source_t *s;         /* NULL: only checked */
    bool                 tries;     /* complexity was named */
    reel_err_t           err;       /* sticky */
    size_t               where;     /* of the error */
    reel_error_t        *e;
} when_t;

static bool read_or(when_t *w);


static void
fail(when_t *w, size_t where, const char *what)
{
    if (w->err == REEL_OK) {
        w->where = where;
        w->err = reel_fail(w->e, REEL_INVAL, "%s", what);
    }
}


static void
skip_space(when_t *w)
{
    while (w->at < w->len && w->text[w->at] == ' ') {
        w->at++;
    }
}


/* how many of those stand here */
static size_t
run_of(const when_t *w, const char *set)
{
    size_t n = 0;

    while (w->at + n < w->len && w->text[w->at + n] != '\0'
           && strchr(set, w->text[w->at + n]) != NULL)
    {
        n++;
    }

    return n;
}


/* a word of letters, when it is this one */
static bool
take_word(when_t *w, const char *word)
{
    size_t n;

    skip_space(w);
    n = run_of(w, LETTERS DIGITS);

    if (n != strlen(word) || memcmp(w->text + w->at, word, n) != 0) {
        return false;
    }

    w->at += n;
    return true;
}


static bool
take_char(when_t *w, char c)
{
    skip_space(w);

    if (w->at == w->len || w->text[w->at] != c) {
        return false;
    }

    w->at++;
    return true;
}


static void
read_number(when_t *w, reel_when_value_t *v)
{
    size_t     i, digits, start = w->at;
    uint64_t   whole;
    reel_str_t d = { w->text + w->at, run_of(w, DIGITS) };

    v->type = REEL_WHEN_NUMBER;
    w->at += d.len;

    if (reel_str_u64(d, INT64_MAX / 1000 - 1, &whole) != REEL_OK) {
        fail(w, start, "a number is too large");
        return;
    }
    v->n = (int64_t) whole * 1000;

    if (w->at == w->len || w->text[w->at] != '.') {
        return;
    }

    w->at++;
    digits = run_of(w, DIGITS);

    if (digits == 0 || digits > 3) {
        fail(w, start, "a number has one to three decimals");
        return;
    }

    for (i = 0, whole = 0; i < 3; i++) {
        whole = whole * 10
                + (i < digits ? (uint64_t) (w->text[w->at + i] - '0') : 0);
    }

    v->n += (int64_t) whole;
    w->at += digits;
}


static void
read_text(when_t *w, reel_when_value_t *v)
{
    char        quote = w->text[w->at];
    size_t      start = w->at++;
    const char *end = memchr(w->text + w->at, quote, w->len - w->at);

    v->type = REEL_WHEN_TEXT;

    if (end == NULL) {
        fail(w, start, "a text lacks its closing quote");
        return;
    }

    v->text = w->text + w->at;
    v->len = (size_t) (end - v->text);
    w->at += v->len + 1;
}


static void
read_fact(when_t *w, reel_when_value_t *v)
{
    int        fact;
    reel_str_t name = { w->text + w->at, run_of(w, LETTERS DIGITS) };

    if (reel_str_eqz(name, "true") || reel_str_eqz(name, "false")) {
        v->n = name.p[0] == 't';
        w->at += name.len;
        return;
    }

    fact = name.len > 0 ? reel_when_find(name, &v->type) : -1;

    if (fact < 0) {
        fail(w, w->at, name.len > 0
             ? "no such fact; docs/pipelines.md lists them"
             : "a fact, number or quoted text is expected");
        return;
    }

    w->tries |= fact == REEL_FACT_COMPLEXITY;

    if (w->s != NULL) {
        reel_when_read(v, w->s, fact);
    }

    w->at += name.len;
}


static void
read_value(when_t *w, reel_when_value_t *v)
{
    *v = (reel_when_value_t) { .type = REEL_WHEN_BOOL, .text = "" };
    skip_space(w);

    if (run_of(w, DIGITS) > 0) {
        read_number(w, v);

    } else if (run_of(w, "\"'") > 0) {
        read_text(w, v);

    } else {
        read_fact(w, v);
    }
}


typedef enum { EQ, NE, LT, LE, GT, GE, NONE } op_t;

static op_t
read_op(when_t *w)
{
    op_t   op;
    size_t n;

    static const char *const ops[] = { "==", "!=", "<", "<=", ">", ">=" };

    skip_space(w);
    n = run_of(w, "=!<>");

    for (op = EQ; op < NONE; op++) {
        if (n == strlen(ops[op]) && memcmp(w->text + w->at, ops[op], n) == 0)
        {
            w->at += n;
            return op;
        }
    }

    if (n > 0) {
        fail(w, w->at, "an operator is ==, !=, <, <=, > or >=");
    }

    return NONE;
}


static bool
compare(const reel_when_value_t *a, op_t op, const reel_when_value_t *b)
{
    int d = (a->n > b->n) - (a->n < b->n);

    if (a->type == REEL_WHEN_TEXT) {
        d = a->len != b->len || memcmp(a->text, b->text, a->len) != 0;
    }

    switch (op) {
    case EQ:
        return d == 0;
    case NE:
        return d != 0;
    case LT:
        return d < 0;
    case LE:
        return d <= 0;
    case GT:
        return d > 0;
    default:
        return d >= 0;
    }
}


static bool
read_comparison(when_t *w)
{
    op_t              op;
    size_t            at;
    reel_when_value_t a, b;

    skip_space(w);
    at = w->at;
    read_value(w, &a);
    op = w->err == REEL_OK ? read_op(w) : NONE;

    if (op == NONE) {
        if (a.type != REEL_WHEN_BOOL) {
            fail(w, at, "a number or text must be compared with something");
        }
        return a.n != 0;
    }

    skip_space(w);
    at = w->at;
    read_value(w, &b);

    if (w->err == REEL_OK && a.type != b.type) {
        fail(w, at, "both sides must be numbers, texts or true/false");
    }
    if (a.type != REEL_WHEN_NUMBER && op != EQ && op != NE) {
        fail(w, at, "only numbers are smaller or larger");
    }

    return w->err == REEL_OK && compare(&a, op, &b);
}


static bool
read_not(when_t *w)
{
    bool   v;
    size_t at;

    skip_space(w);
    at = w->at;

    if (++w->depth > REEL_WHEN_DEPTH) {
        fail(w, at, "too many brackets in each other");
    }

    if (w->err != REEL_OK) {
        v = false;

    } else if (take_word(w, "not")) {
        v = !read_not(w);

    } else if (take_char(w, '(')) {
        v = read_or(w);
        if (!take_char(w, ')')) {
            fail(w, w->at, "\")\" is missing");
        }

    } else {
        v = read_comparison(w);
    }

    w->depth--;
    return v;
}


static bool
read_and(when_t *w)
{
    bool v = read_not(w);

    while (w->err == REEL_OK && take_word(w, "and")) {
        v &= read_not(w);
    }

    return v;
}


static bool
read_or(when_t *w)
{
    bool v = read_and(w);

    while (w->err == REEL_OK && take_word(w, "or")) {
        v |= read_and(w);
    }

    return v;
}


static bool
read_all(when_t *w)
{
    bool v = read_or(w);

    skip_space(w);

    if (w->at < w->len) {
        fail(w, w->at, "\"and\", \"or\" or the end is expected");
    }

    return v && w->err == REEL_OK;
}


reel_err_t
reel_when_check(const char *text, size_t len, unsigned *column,
    reel_error_t *e)
{
    when_t w = { .text = text, .len = len, .e = e };

    if (len > REEL_WHEN_MAX) {
        *column = 1;
        return reel_fail(e, REEL_INVAL, "a condition has at most %d bytes",
                         REEL_WHEN_MAX);
    }

    (void) read_all(&w);
    *column = (unsigned) w.where + 1;

    return w.err;
}


bool
reel_when_holds(const char *text, size_t len, const reel_source_t *s)
{
    when_t w = { .text = text, .len = len, .s = s };

    return len == 0 || read_all(&w);
}


bool
reel_when_tries(const char *text, size_t len)
{
    when_t w = { .text = text, .len = len };

    if (len > 0) {
        (void) read_all(&w);
    }

    return w.tries;
}
