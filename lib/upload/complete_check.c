#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/upload/complete_check.h"


reel_err_t
reel_complete_whole_parse(reel_complete_whole_t *w, reel_sum_kind_t kind,
    reel_str_t text)
{
    uint64_t    n = 0;
    reel_str_t  parts;

    *w = (reel_complete_whole_t) { .kind = kind };

    /* base64 has no '-' */
    text = reel_str_cut(text, '-', &parts);

    if (parts.p != NULL) {
        if (reel_str_u64(parts, REEL_UPLOAD_PARTS_MAX, &n) != REEL_OK
            || n == 0)
        {
            return REEL_INVAL;
        }

        w->composite = true;
        w->n = (size_t) n;
    }

    return reel_sum_decode(w->sum, kind, text) == REEL_OK ? REEL_OK
                                                          : REEL_INVAL;
}


void
reel_complete_whole_print(char dst[REEL_COMPLETE_SUM_TEXT],
    const reel_complete_whole_t *w)
{
    size_t  len;

    reel_sum_encode(dst, w->kind, w->sum);

    if (w->composite) {
        len = strlen(dst);
        (void) snprintf(dst + len, REEL_COMPLETE_SUM_TEXT - len, "-%zu",
                        w->n);
    }
}


/* of n checksums of one kind */
static reel_err_t
composite(reel_complete_whole_t *w, reel_sum_kind_t kind,
    const reel_complete_sum_t *sums, size_t n)
{
    size_t      i;
    reel_sum_t  s;
    reel_err_t  err;

    err = reel_sum_init(&s, kind);

    for (i = 0; err == REEL_OK && i < n; i++) {
        err = reel_sum_update(&s, sums[i].sum, reel_sum_len(kind));
    }

    if (err != REEL_OK) {
        reel_sum_release(&s);
        return err;
    }

    *w = (reel_complete_whole_t) { .kind = kind, .composite = true, .n = n };

    return reel_sum_final(&s, w->sum);
}


static bool
all_of_kind(const reel_complete_sum_t *sums, size_t n, reel_sum_kind_t kind)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (sums[i].kind != kind) {
            return false;
        }
    }

    return true;
}


reel_err_t
reel_complete_composite(reel_complete_whole_t *w, const reel_complete_t *c)
{
    reel_sum_kind_t  kind = c->n ? c->sums[0].kind : REEL_SUM_NONE;

    *w = (reel_complete_whole_t) { .kind = REEL_SUM_NONE };

    /* S3 has no composite form of this one */
    if (kind == REEL_SUM_NONE || kind == REEL_SUM_CRC64NVME
        || !all_of_kind(c->sums, c->n, kind))
    {
        return REEL_OK;
    }

    return composite(w, kind, c->sums, c->n);
}


/* the sums that the parts came with, and their sizes, in the list's order */
typedef struct {
    reel_complete_sum_t *sums;
    uint64_t            *sizes;
} taken_t;


static reel_complete_fit_t
full_object(const reel_complete_whole_t *w, const taken_t *t, size_t n,
    bool *same)
{
    size_t   i;
    uint8_t  sum[REEL_SUM_MAX];

    memcpy(sum, t->sums[0].sum, sizeof(sum));

    for (i = 1; i < n; i++) {
        if (reel_sum_combine(w->kind, sum, sum, t->sums[i].sum, t->sizes[i])
            != REEL_OK)
        {
            return REEL_COMPLETE_UNKNOWN;
        }
    }

    /* one part is the whole, whatever the kind */
    *same = memcmp(sum, w->sum, reel_sum_len(w->kind)) == 0;

    return REEL_COMPLETE_FITS;
}


static reel_complete_fit_t
check_whole(const reel_complete_whole_t *w, const taken_t *t, size_t n,
    reel_error_t *e)
{
    bool                   same = false;
    reel_complete_fit_t    fit = REEL_COMPLETE_FITS;
    reel_complete_whole_t  have;

    if (w->kind == REEL_SUM_NONE) {
        return fit;
    }

    if (!all_of_kind(t->sums, n, w->kind)) {
        fit = REEL_COMPLETE_UNKNOWN;

    } else if (!w->composite) {
        fit = full_object(w, t, n, &same);

    } else if (composite(&have, w->kind, t->sums, n) != REEL_OK) {
        fit = REEL_COMPLETE_NOMEM;

    } else {
        same = n == w->n
               && memcmp(have.sum, w->sum, reel_sum_len(w->kind)) == 0;
    }

    if (fit == REEL_COMPLETE_UNKNOWN) {
        (void) reel_fail(e, REEL_INVAL, "the parts came without the checksums "
                         "from which this %s follows", reel_sum_s3(w->kind));
    }

    if (fit != REEL_COMPLETE_FITS || same) {
        return fit;
    }

    (void) reel_fail(e, REEL_BADDATA, "the parts together do not have the "
                     "%s that the request names", reel_sum_s3(w->kind));

    return REEL_COMPLETE_DIGEST;
}


static reel_complete_fit_t
check_order(const reel_complete_t *c, reel_error_t *e)
{
    size_t  i;

    for (i = 1; i < c->n; i++) {
        if (c->numbers[i] <= c->numbers[i - 1]) {
            (void) reel_fail(e, REEL_BADDATA, "part %u is listed behind part "
                             "%u: they must ascend", (unsigned) c->numbers[i],
                             (unsigned) c->numbers[i - 1]);
            return REEL_COMPLETE_ORDER;
        }
    }

    return REEL_COMPLETE_FITS;
}


static bool
is_part(const reel_upload_part_t *p, const reel_complete_t *c, size_t i)
{
    reel_sum_kind_t  kind = c->sums[i].kind;

    /* a checksum that was not sent with the part cannot be told now */
    return p->number == c->numbers[i] && p->tag == c->tags[i]
           && (kind == REEL_SUM_NONE || kind != p->sum_kind
               || memcmp(p->sum, c->sums[i].sum, reel_sum_len(kind)) == 0);
}


/* both ascend */
static reel_complete_fit_t
check_parts(const reel_complete_t *c, const reel_upload_part_t *parts,
    size_t nparts, taken_t *t, reel_error_t *e)
{
    size_t  i, k;

    for (i = 0, k = 0; i < c->n; i++) {

        while (k < nparts && parts[k].number < c->numbers[i]) {
            k++;
        }

        if (k == nparts || !is_part(&parts[k], c, i)) {
            (void) reel_fail(e, REEL_BADDATA, "part %u was not uploaded, or "
                             "has another ETag or checksum than listed",
                             (unsigned) c->numbers[i]);
            return REEL_COMPLETE_PART;
        }

        t->sums[i].kind = parts[k].sum_kind;
        memcpy(t->sums[i].sum, parts[k].sum, REEL_SUM_MAX);
        t->sizes[i] = parts[k].size;
    }

    return REEL_COMPLETE_FITS;
}


static reel_complete_fit_t
check_sizes(const reel_complete_t *c, const taken_t *t, uint64_t size,
    reel_error_t *e)
{
    size_t    i;
    uint64_t  total = 0;

    for (i = 0; i < c->n; i++) {

        if (i + 1 < c->n && t->sizes[i] < REEL_COMPLETE_PART_MIN) {
            (void) reel_fail(e, REEL_BADDATA, "part %u has %llu bytes: all "
                             "but the last need %u",
                             (unsigned) c->numbers[i],
                             (unsigned long long) t->sizes[i],
                             REEL_COMPLETE_PART_MIN);
            return REEL_COMPLETE_SMALL;
        }

        if (t->sizes[i] > INT64_MAX - total) {
            return REEL_COMPLETE_PART;
        }

        total += t->sizes[i];
    }

    if (size == REEL_UPLOAD_UNKNOWN || size == total) {
        return REEL_COMPLETE_FITS;
    }

    (void) reel_fail(e, REEL_BADDATA, "the parts have %llu bytes, not the "
                     "%llu of x-amz-mp-object-size",
                     (unsigned long long) total, (unsigned long long) size);

    return REEL_COMPLETE_SIZE;
}


reel_complete_fit_t
reel_complete_check(const reel_complete_t *c, const reel_upload_part_t *parts,
    size_t nparts, uint64_t size, const reel_complete_whole_t *w,
    reel_error_t *e)
{
    taken_t              t;
    reel_complete_fit_t  fit;

    t.sums = calloc(c->n, sizeof(*t.sums));
    t.sizes = calloc(c->n, sizeof(*t.sizes));

    fit = t.sums == NULL || t.sizes == NULL ? REEL_COMPLETE_NOMEM
                                            : check_order(c, e);

    if (fit == REEL_COMPLETE_FITS) {
        fit = check_parts(c, parts, nparts, &t, e);
    }

    if (fit == REEL_COMPLETE_FITS) {
        fit = check_sizes(c, &t, size, e);
    }

    if (fit == REEL_COMPLETE_FITS) {
        fit = check_whole(w, &t, c->n, e);
    }

    free(t.sums);
    free(t.sizes);

    return fit;
}
