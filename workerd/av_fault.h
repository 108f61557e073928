/*
 * Why a libav task fails, carried up from where it is known to the one
 * place that tells the parent (reel_av_fault_report).  The first fault
 * stays: what follows from it says less.
 */

#ifndef REEL_WORKERD_AV_FAULT_H
#define REEL_WORKERD_AV_FAULT_H

#include "lib/base/err.h"
#include "workerd/child_io.h"

typedef struct {
    const char *code;           /* docs/child-contract.md; NULL = none yet */
    const char *stage;
    char        text[192];
} reel_av_fault_t;

/* each returns -1, so that a caller writes: return reel_av_fault(...); */
int reel_av_fault(reel_av_fault_t *f, const char *code, const char *stage,
    const char *fmt, ...) REEL_PRINTF(4, 5);

/* a negative number of libav; `what` says what was tried */
int reel_av_fault_lib(reel_av_fault_t *f, int averr, const char *stage,
    const char *what);

/* an error of lib or of child_io */
int reel_av_fault_err(reel_av_fault_t *f, reel_err_t err, const char *stage,
    const char *what);

/* tells the parent; the exit status to return */
int reel_av_fault_report(reel_child_t *c, const reel_av_fault_t *f);

#endif
