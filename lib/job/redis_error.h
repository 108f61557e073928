/* what of an error of Redis may be told */

#ifndef REEL_JOB_REDIS_ERROR_H
#define REEL_JOB_REDIS_ERROR_H

#include "lib/base/str.h"

/*
 * error, or its beginning: of a command that Redis does not know it repeats
 * the arguments, and of AUTH they are a password.
 */
reel_str_t reel_redis_error(reel_str_t error);

#endif
