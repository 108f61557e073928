#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>

#include "lib/base/version.h"
#include "reelctl/http.h"


int
main(int argc, char **argv)
{
    int         code;
    reel_ctl_t  c = { 0 };

    (void) signal(SIGPIPE, SIG_IGN);

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "libcurl does not start");
    }

    code = reel_ctl_parse(&c, argc, argv);

    if (code == REEL_EXIT_OK && c.opt[REEL_OPT_VERSION] != NULL) {
        (void) puts("reelctl " REEL_VERSION);
        code = reel_ctl_done();

    } else if (code == REEL_EXIT_OK && c.opt[REEL_OPT_HELP] != NULL) {
        reel_ctl_help(c.cmd, stdout);
        code = reel_ctl_done();

    } else if (code == REEL_EXIT_OK) {
        code = c.cmd->run(&c);
    }

    reel_ctl_http_close(&c);
    reel_access_keys_release(&c.keys);
    curl_global_cleanup();

    return code;
}
