/* what the API lists in pages: assets, uploads */

#ifndef REEL_CTL_LIST_H
#define REEL_CTL_LIST_H

#include "reelctl/ctl.h"

typedef struct {
    const char    *noun;                    /* of the path, and the member */
    reel_ctl_opt_t state;                   /* the option that chooses … */
    const char    *states[5];               /* … one of these; NULL ends */
    void         (*print)(const json_t *row);       /* a line */
} reel_ctl_list_t;

/* the whole command: --limit, --cursor, --all and the state */
int reel_ctl_list(reel_ctl_t *c, const reel_ctl_list_t *l) REEL_WARN_UNUSED;

/* a member that is a string, or "" */
const char *reel_ctl_text(const json_t *o, const char *name);

#endif
