/*
 * What the walk over a source found amiss with it, though it plays
 * (docs/child-contract.md, Warnings).  Decoders' complaints are av_reader's.
 */

#ifndef REEL_WORKERD_AV_WARN_H
#define REEL_WORKERD_AV_WARN_H

#include "lib/job/source.h"
#include "workerd/av_rate.h"
#include "workerd/av_scan.h"

/* pictures that are not kept */
void reel_av_warn_rate(reel_warnings_t *w, const reel_rate_t *r);

/* after the walk, and when the facts are known */
void reel_av_warn_source(reel_warnings_t *w, const reel_av_source_t *src,
    const reel_scan_t *s, const reel_source_t *facts);

#endif
