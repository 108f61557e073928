/* uploads, abort: what is on its way to become an asset */

#include <stdio.h>
#include <string.h>

#include "lib/job/upload_record.h"
#include "reelctl/http.h"
#include "reelctl/list.h"
#include "reelctl/progress.h"


static void
print_upload(const json_t *u)
{
    char           have[24], all[24] = "?";
    const json_t  *length = json_object_get(u, "length");

    reel_ctl_size(have, json_number_value(json_object_get(u, "offset")));

    if (json_is_number(length)) {
        reel_ctl_size(all, json_number_value(length));
    }

    reel_ctl_put_safe(stdout, reel_ctl_text(u, "id"));
    (void) printf("  %-8.16s  %-9.16s  %10s of %-10s  ",
                  reel_ctl_text(u, "state"), reel_ctl_text(u, "door"), have,
                  all);
    reel_ctl_put_safe(stdout, reel_ctl_text(u, "asset"));
    (void) fputs("  ", stdout);
    reel_ctl_put_safe(stdout, reel_ctl_text(u, "name"));
    (void) fputc('\n', stdout);
}


static const reel_ctl_list_t  uploads = {
    "uploads", REEL_OPT_UPLOAD_STATE,
    { "open", "complete", "aborted", "expired" }, print_upload
};


int
reel_ctl_cmd_uploads(reel_ctl_t *c)
{
    return reel_ctl_list(c, &uploads);
}


int
reel_ctl_cmd_abort(reel_ctl_t *c)
{
    int          code;
    char         path[64];
    const char  *id = c->argv[0];

    if (!reel_upload_id_valid(reel_str(id))) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "%.40s is not an upload's id: "
                             "32 hex digits", id);
    }

    (void) snprintf(path, sizeof(path), "uploads/%s", id);

    code = reel_ctl_api(c, "DELETE", path, "", NULL, NULL);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    if (c->json) {
        return reel_ctl_put_json(json_pack("{s:s, s:b}", "id", id, "aborted",
                                           1));
    }

    (void) printf("aborted %s\n", id);

    return reel_ctl_done();
}
