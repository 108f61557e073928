/* tells who started the daemon that it is ready, by systemd's sd_notify(3) */

#ifndef REEL_WORKERD_NOTIFY_H
#define REEL_WORKERD_NOTIFY_H

#include "lib/base/err.h"

/*
 * Sends READY=1 to the socket that NOTIFY_SOCKET names, and takes that from
 * the environment, so that no child speaks to it.  REEL_OK too where nobody
 * asked; REEL_INVAL: no path and no abstract name; else REEL_IO, with errno.
 */
reel_err_t reel_notify_ready(void) REEL_WARN_UNUSED;

#endif
