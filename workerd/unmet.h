/*
 * Tasks that ask for labels which no live worker has: said in the log when
 * that is known and when it is over; unmet.lua gives them up after an hour.
 */

#ifndef REEL_WORKERD_UNMET_H
#define REEL_WORKERD_UNMET_H

#include "workerd/redis.h"

/* asks Redis; what it answers is logged as it comes */
void reel_unmet_look(reel_redis_t *redis);

#endif
