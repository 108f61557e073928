/*
 * How an attempt ended: by what its child said of it, and how the child
 * exited.  The child's word is not taken where it would cost others: a try
 * that does not count is the parent's alone to grant.
 */

#ifndef REEL_WORKERD_VERDICT_H
#define REEL_WORKERD_VERDICT_H

#include <jansson.h>

#include "workerd/attempt.h"
#include "workerd/child.h"

/* the child's {"error": value}: fills a->outcome */
void reel_verdict_said(reel_attempt_t *a, const json_t *value);

/*
 * The child is gone.  Finishes the attempt when it ended well; fills
 * a->outcome otherwise, unless a failure stands there already.
 */
void reel_verdict_exit(reel_attempt_t *a, reel_exit_t how, int detail);

/*
 * A failure of an optional task that no further try would mend: the task is
 * done, with an answer that has nothing in it, and the film goes without.
 */
void reel_verdict_forgive(reel_attempt_t *a);

/*
 * An optional task that took one worker more with it than it has tries: it is
 * not begun again, while attempts are left in which to say so.
 */
bool reel_verdict_hopeless(const reel_attempt_t *a);

#endif
