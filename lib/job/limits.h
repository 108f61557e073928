/* bounds that several headers of lib/job share */

#ifndef REEL_JOB_LIMITS_H
#define REEL_JOB_LIMITS_H

#define REEL_WHEN_MAX     200   /* bytes of a condition */

/* files of a long film's chunks: what one program gets, all of them keep */
#define REEL_EXEC_INPUTS  4096
#define REEL_RESULT_FILES 4096

#endif
