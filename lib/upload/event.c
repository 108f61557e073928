/* what is told of an upload to those who watch */

#include "lib/upload/upload.h"


bool
reel_upload_event(reel_upload_t *u, const char *asset,
    const char *fields[REEL_UPLOAD_EVENT_FIELDS])
{
    size_t       i;
    const char  *all[REEL_UPLOAD_EVENT_FIELDS] = {
        "upload", u->facts.id,
        "asset", asset != NULL ? asset : u->facts.request.asset,
        "project", u->facts.request.project,
        "door", reel_upload_door_name(u->facts.door),
        "state", reel_upload_phase_name(u->state.phase)
    };

    if (!u->changed) {
        return false;
    }

    for (i = 0; i < REEL_UPLOAD_EVENT_FIELDS; i++) {
        fields[i] = all[i];
    }

    u->changed = false;

    return true;
}
