/* when a delivery that failed is tried again */

#ifndef REEL_HOOK_SCHEDULE_H
#define REEL_HOOK_SCHEDULE_H

#include <stdint.h>

/*
 * How long to wait after try number `tried` (from 1) failed, by the schedule
 * of the Standard Webhooks specification, up to a tenth longer by `random`;
 * -1 when it was the last one.
 */
int64_t reel_hook_delay_ms(unsigned tried, uint32_t random);

#endif
