/* pipelines as YAML files: conf/pipelines/<name>.yaml */

#ifndef REEL_CONF_PIPELINE_YAML_H
#define REEL_CONF_PIPELINE_YAML_H

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/conf/yaml.h"
#include "lib/job/pipeline.h"

/*
 * Reads a pipeline; what the file leaves out is as reel_pipeline_default
 * has it.  The text of an error begins with file:line:column.
 */
reel_err_t reel_pipeline_load(reel_pipeline_t *p, const char *file,
    reel_error_t *e) REEL_WARN_UNUSED;

/*
 * The same for who wants to see all that is wrong: f is begun with zeros, and
 * holds each error of the file's values (e one of them).  What cannot be read
 * as YAML at all is in e alone.
 */
reel_err_t reel_pipeline_read(reel_pipeline_t *p, const char *file,
    reel_yaml_faults_t *f, reel_error_t *e) REEL_WARN_UNUSED;

/* the same from text; file only names it */
reel_err_t reel_pipeline_parse(reel_pipeline_t *p, const char *file,
    const char *text, size_t len, reel_error_t *e) REEL_WARN_UNUSED;

/* dir/<name>.yaml; REEL_INVAL when name is not a pipeline's name */
reel_err_t reel_pipeline_open(reel_pipeline_t *p, const char *dir,
    reel_str_t name, reel_error_t *e) REEL_WARN_UNUSED;

#endif
