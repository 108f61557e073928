/* a program that a pipeline names, as this machine has it */

#ifndef REEL_CONF_PROGRAM_H
#define REEL_CONF_PROGRAM_H

#include "lib/base/err.h"

/*
 * Can it be run here, by this user?  path is absolute.  REEL_NOTFOUND when
 * not, and e says why: it is not there, no file, may not be executed, or is a
 * script whose interpreter cannot be run.  What is in it is not judged.
 */
reel_err_t reel_program_check(const char *path, reel_error_t *e)
    REEL_WARN_UNUSED;

#endif
