/* what the tasks of a node need of whoever runs them, whatever the film is */

#ifndef REEL_JOB_WANTS_H
#define REEL_JOB_WANTS_H

#include <stdbool.h>

#include "lib/job/pipeline.h"

/* libavcodec's names, which workers have as labels */
#define REEL_ENCODER_H264  "libx264"
#define REEL_ENCODER_HEVC  "libx265"
#define REEL_ENCODER_AV1   "libsvtav1"
#define REEL_ENCODER_AAC   "aac"
#define REEL_ENCODER_OPUS  "libopus"

#define REEL_WANTS_MAX  4       /* encoders of a node */

/* may the pipeline's settings alone give the node tasks? */
bool reel_node_used(const reel_pipeline_t *p, const reel_node_t *n);

/* the encoders that its tasks use; how many, each once */
size_t reel_node_encoders(const reel_pipeline_t *p, const reel_node_t *n,
    const char *encoders[REEL_WANTS_MAX]);

#endif
