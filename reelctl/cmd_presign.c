#include "reelctl/presign.h"


int
reel_ctl_cmd_presign(reel_ctl_t *c)
{
    int                 code;
    json_t             *j, *headers;
    reel_ctl_signed_t   s;

    code = reel_ctl_presign(c, c->argv[0], c->argv[1], &s);
    if (code != REEL_EXIT_OK) {
        goto done;
    }

    if (!c->json) {
        (void) printf("%s\n", s.url);
        code = reel_ctl_done();
        goto done;
    }

    headers = json_object();

    if (c->opt[REEL_OPT_TYPE] != NULL) {
        json_object_set_new(headers, "Content-Type",
                            json_string(c->opt[REEL_OPT_TYPE]));
    }

    j = json_pack("{s:s, s:s, s:I, s:o}", "method", c->argv[0], "url", s.url,
                  "expires_at", (json_int_t) s.expires_at, "headers",
                  headers);

    if (j != NULL && s.bucket != NULL) {
        json_object_set_new(j, "bucket", json_string(s.bucket));
        json_object_set_new(j, "name", json_string(c->argv[1]));
    }

    if (j != NULL && s.asset[0] != '\0') {
        json_object_set_new(j, "asset", json_string(s.asset));
    }

    code = reel_ctl_put_json(j);

done:

    reel_ctl_signed_release(&s);

    return code;
}
