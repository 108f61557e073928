/* of all that is built here: reelctl and workerd say it */

#ifndef REEL_BASE_VERSION_H
#define REEL_BASE_VERSION_H

#define REEL_VERSION "0.1.0"

#endif
