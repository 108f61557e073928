/* bounds that several headers of lib/job share */

#ifndef REEL_JOB_LIMITS_H
#define REEL_JOB_LIMITS_H

#define REEL_WHEN_MAX    200    /* bytes of a condition */

#endif
