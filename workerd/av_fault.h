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

/*
 * What libav may allocate at once; reel_av_source_open() says so to it.  The
 * largest 10-bit picture allowed takes 200 MB.
 */
#define REEL_AV_ALLOC_MAX  (512u << 20)

/*
 * averr, or AVERROR_INVALIDDATA where it is ENOMEM while there is memory for
 * the largest allocation: libav says ENOMEM of absurd numbers in a film, too.
 * For what opens and reads a film.  Not for what decodes: pictures are bounded
 * already, and a decoder that was refused memory may have freed as much, so
 * that the film would lose pictures for our want of it.
 */
int reel_av_cause(int averr);

/* each returns -1, so that a caller writes: return reel_av_fault(...); */
int reel_av_fault(reel_av_fault_t *f, const char *code, const char *stage,
    const char *fmt, ...) REEL_PRINTF(4, 5);

/* a negative number of libav; `what` says what was tried */
int reel_av_fault_lib(reel_av_fault_t *f, int averr, const char *stage,
    const char *what);

/*
 * Of what a film may go on without: -1 where memory is what it failed of, so
 * that the film is not judged by our want of it; else 0.
 */
int reel_av_fault_memory(reel_av_fault_t *f, int averr, const char *stage,
    const char *what);

/* the same, of a fault that was told elsewhere */
int reel_av_fault_passed(reel_av_fault_t *f, const reel_av_fault_t *tried);

/* an error of lib or of child_io */
int reel_av_fault_err(reel_av_fault_t *f, reel_err_t err, const char *stage,
    const char *what);

/* tells the parent; the exit status to return */
int reel_av_fault_report(reel_child_t *c, const reel_av_fault_t *f);

#endif
