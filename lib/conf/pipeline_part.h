/* the parts of a pipeline's file.  Private to lib/conf/pipeline_*.c */

#ifndef REEL_CONF_PIPELINE_PART_H
#define REEL_CONF_PIPELINE_PART_H

#include "lib/conf/yaml.h"
#include "lib/job/pipeline.h"

/* rows of a reel_yaml_key_t table */
#define U32(key, type, member, min, max)                                     \
    { (key), REEL_YAML_TYPE_U32, offsetof(type, member), (min), (max), NULL, \
      false }
#define FN(key, type, member, fn)                                            \
    { (key), REEL_YAML_TYPE_FN, offsetof(type, member), 0, 0, (fn), false }
#define ROWS(table)  (table), sizeof(table) / sizeof((table)[0])

/* dst: a reel_video_codec_t */
reel_err_t reel_conf_codec(void *dst, const reel_yaml_t *n, reel_error_t *e);

/* dst: reel_pipeline_t.copy_codecs */
reel_err_t reel_conf_copy_codecs(void *dst, const reel_yaml_t *n,
    reel_error_t *e);

/* dst: a reel_copy_as_t */
reel_err_t reel_conf_copy_as(void *dst, const reel_yaml_t *n,
    reel_error_t *e);

/* dst: char[REEL_WHEN_MAX + 1] */
reel_err_t reel_conf_when(void *dst, const reel_yaml_t *n, reel_error_t *e);

/* a list of most elements, or one alone: fn gets dst and each of them */
reel_err_t reel_conf_words(void *dst, const reel_yaml_t *n, uint32_t most,
    reel_yaml_fn fn, reel_error_t *e);

/* dst: a reel_node_t of the type exec */
reel_err_t reel_conf_command(void *dst, const reel_yaml_t *n,
    reel_error_t *e);
reel_err_t reel_conf_inputs(void *dst, const reel_yaml_t *n,
    reel_error_t *e);
reel_err_t reel_conf_outputs(void *dst, const reel_yaml_t *n,
    reel_error_t *e);

/* dst: a reel_mark_t */
reel_err_t reel_conf_watermark(void *dst, const reel_yaml_t *n,
    reel_error_t *e);

/* its image, in the folder of the pipeline's file, is there: its sum */
reel_err_t reel_conf_watermark_read(reel_mark_t *m, const char *file,
    const reel_yaml_t *root, reel_error_t *e) REEL_WARN_UNUSED;

/* dst: the pipeline */
reel_err_t reel_conf_tasks(void *dst, const reel_yaml_t *n, reel_error_t *e);

/* names, cycles, inputs; tasks may be NULL */
reel_err_t reel_conf_graph(const reel_pipeline_t *p,
    const reel_yaml_t *tasks, const reel_yaml_t *root, reel_error_t *e)
    REEL_WARN_UNUSED;

#endif
