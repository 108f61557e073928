/*
 * Any bytes as a moof: what the reader accepts, the writer can say again,
 * and the reader finds the same in it.
 */

#include <stdlib.h>

#include "lib/mp4/cmaf.h"
#include "tests/fuzz/harness.h"


#define SAMPLES_MAX 4096        /* written again; more are only read */


typedef struct {
    reel_cmaf_sample_t s[SAMPLES_MAX];
    uint32_t           n;
    uint64_t           bytes;
} seen_t;


static reel_err_t
see(void *arg, const reel_cmaf_sample_t *s)
{
    seen_t  *seen = arg;

    if (seen->n < SAMPLES_MAX) {
        seen->s[seen->n] = *s;
    }

    seen->n++;
    seen->bytes += s->size;

    return REEL_OK;
}


static void
same(const seen_t *a, const seen_t *b)
{
    uint32_t  i;

    need(a->n == b->n && a->bytes == b->bytes);

    for (i = 0; i < a->n; i++) {
        need(a->s[i].size == b->s[i].size
             && a->s[i].duration == b->s[i].duration
             && a->s[i].cts_offset == b->s[i].cts_offset
             && a->s[i].sync == b->s[i].sync);
    }
}


static void
again(const reel_cmaf_moof_t *m, const seen_t *seen, seen_t *other)
{
    reel_buf_t        b;
    reel_err_t        err;
    reel_cmaf_moof_t  w;

    reel_buf_init(&b, 1 << 20);
    err = reel_cmaf_fragment(&b, m->track_id, m->sequence, m->decode_ts,
                             seen->s, seen->n);

    if (m->track_id == 0) {
        need(err == REEL_INVAL);
        reel_buf_release(&b);
        return;
    }

    need(err == REEL_OK);
    need(reel_cmaf_read_moof(&w, b.data, b.len, see, other, NULL) == REEL_OK);
    need(w.track_id == m->track_id && w.sequence == m->sequence
         && w.decode_ts == m->decode_ts && w.mdat_size == m->mdat_size);
    same(seen, other);
    reel_buf_release(&b);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reel_err_t        err;
    reel_error_t      e = { "" };
    reel_cmaf_moof_t  m;

    seen_t  *seen = calloc(2, sizeof(seen_t));

    if (seen == NULL) {
        return 0;
    }

    err = reel_cmaf_read_moof(&m, data, size, see, seen, &e);

    if (err != REEL_OK) {
        need(seen->n == 0);
        need(err == REEL_AGAIN || e.text[0] != '\0');

    } else {
        need(seen->n == m.nsamples && seen->bytes + 8 == m.mdat_size);
        need(m.data_offset <= size);

        if (seen->n <= SAMPLES_MAX) {
            again(&m, &seen[0], &seen[1]);
        }
    }

    free(seen);

    return 0;
}
