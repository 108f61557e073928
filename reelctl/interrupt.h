/*
 * Ctrl-C and its kin while something stands that can be gone on with: a
 * signal is remembered, the command ends in order and says how to go on.
 * The second one kills, as ever.
 */

#ifndef REEL_CTL_INTERRUPT_H
#define REEL_CTL_INTERRUPT_H

#include <stdbool.h>

void reel_ctl_catch(void);              /* SIGINT, SIGTERM, SIGHUP */
void reel_ctl_catch_no_more(void);
bool reel_ctl_interrupted(void);

/* sleeps, but not on through a signal */
void reel_ctl_pause_ms(unsigned ms);

#endif
