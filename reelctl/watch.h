/* follows an asset until it is ready or errored */

#ifndef REEL_CTL_WATCH_H
#define REEL_CTL_WATCH_H

#include "reelctl/ctl.h"

/*
 * Polls every 500 ms and shows progress on stderr.  timeout_s 0: no end.
 * *asset (may be NULL) is the last answer, yours, NULL when there was none.
 * REEL_EXIT_OK when ready, REEL_EXIT_ERRORED with the reason told,
 * REEL_EXIT_UNAVAILABLE at the timeout or after 30 s without an answer.
 */
int reel_ctl_watch(reel_ctl_t *c, const char *id, uint64_t timeout_s,
    json_t **asset) REEL_WARN_UNUSED;

/* "ready", "errored" …; "" when the answer has no status */
const char *reel_ctl_asset_status(const json_t *asset);

/* tells the asset's error on stderr */
void reel_ctl_asset_error(const json_t *asset);

#endif
