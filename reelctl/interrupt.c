#include <signal.h>
#include <stddef.h>

#include "reelctl/interrupt.h"
#include "reelctl/progress.h"


#define SLICE_MS 100            /* a signal may come just before a sleep */


static const int  signals[] = { SIGINT, SIGTERM, SIGHUP };

static volatile sig_atomic_t  caught;


static void
on_signal(int number)
{
    caught = number;
}


/* what is ignored stays so: nohup */
static void
handle(void (*handler)(int), int flags)
{
    size_t            i;
    struct sigaction  old, sa = { .sa_flags = flags };

    sa.sa_handler = handler;
    (void) sigemptyset(&sa.sa_mask);

    for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        if (sigaction(signals[i], NULL, &old) == 0
            && old.sa_handler != SIG_IGN)
        {
            (void) sigaction(signals[i], &sa, NULL);
        }
    }
}


void
reel_ctl_catch(void)
{
    handle(on_signal, (int) SA_RESETHAND);
}


void
reel_ctl_catch_no_more(void)
{
    handle(SIG_DFL, 0);
}


bool
reel_ctl_interrupted(void)
{
    return caught != 0;
}


void
reel_ctl_pause_ms(unsigned ms)
{
    unsigned  slice;

    for ( /* void */ ; ms != 0 && caught == 0; ms -= slice) {
        slice = ms < SLICE_MS ? ms : SLICE_MS;
        reel_ctl_sleep_ms(slice);
    }
}
