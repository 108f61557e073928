/*
 * Why an attempt failed: the codes of docs/child-contract.md, what each
 * means for the queue and what the user reads.  The one mapping from
 * reel_err_t to a task's outcome.
 */

#ifndef REEL_WORKERD_OUTCOME_H
#define REEL_WORKERD_OUTCOME_H

#include <stdbool.h>

#include "lib/base/err.h"

#define REEL_CODE_MAX 32
#define REEL_CODES    22       /* in the table */

/* what a user's cancel ends with; nothing else does */
#define REEL_CANCELLED "CANCELLED"

/* an asset with the same source does the same just now (reuse.h) */
#define REEL_TWIN "TWIN"

/* the code of a film that a program refuses: its detail is for the user */
#define REEL_REJECTED "REJECTED"

typedef struct {
    const char *code;
    bool        retry;          /* the fault may pass: try the task again */
    bool        counted;        /* the try counts against its attempts */
    bool        retryable;      /* a user's retry may help: now, or once the
                                   operator has mended what is wrong */
    const char *sentence;       /* for the user */
} reel_code_t;

typedef struct {
    bool failed;
    bool retry;
    bool lacks;                 /* this worker alone: another may have it */
    char code[REEL_CODE_MAX];
    char stage[32];             /* both UTF-8 without control characters */
    char detail[256];           /* for the operator; of REJECTED, the user */
} reel_outcome_t;

/* never NULL: an unknown code is INTERNAL */
const reel_code_t *reel_code_find(const char *code);
size_t reel_code_count(void);
const reel_code_t *reel_code_at(size_t i);

/* retry follows from the code */
void reel_outcome_fail(reel_outcome_t *o, const char *code,
    const char *stage, const char *fmt, ...) REEL_PRINTF(4, 5);

/* the code for what the store, memory or a record reported */
const char *reel_outcome_code(reel_err_t err);

/*
 * Milliseconds before try number n + 1 (n from 1): 1 s * 2^(n - 1), at most
 * 60 s, of which a random part is taken (full jitter, not below a quarter).
 */
unsigned reel_backoff_ms(unsigned n, unsigned random);

#endif
