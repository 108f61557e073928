/*
 * The graph of a pipeline as it is written, without a source: names that
 * nobody has, cycles, what a type cannot do.
 */

#ifndef REEL_JOB_GRAPH_H
#define REEL_JOB_GRAPH_H

#include "lib/base/err.h"
#include "lib/job/pipeline.h"

/*
 * Told of each fault: the node, which of its keys ("after", "inputs", "when",
 * … or "" for the node as a whole), which of that key's elements, and what
 * is wrong.
 */
typedef void (*reel_graph_fault_fn)(void *arg, const reel_node_t *n,
    const char *key, uint32_t i, const char *text);

/* REEL_INVAL when there is any */
reel_err_t reel_graph_check(const reel_pipeline_t *p, reel_graph_fault_fn fn,
    void *arg) REEL_WARN_UNUSED;

#endif
