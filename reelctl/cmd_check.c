/* what the server hands out, against the rules of players */

#include <stdlib.h>
#include <strings.h>

#include "lib/base/ulid.h"
#include "reelctl/check.h"


static bool
has_path_end(const char *url, const char *end)
{
    size_t  n = strcspn(url, "?#"), m = strlen(end);

    return n >= m && strncasecmp(url + n - m, end, m) == 0;
}


static bool
is_url(const char *s)
{
    return strncasecmp(s, "http://", 7) == 0
           || strncasecmp(s, "https://", 8) == 0;
}


/* an id is asked for where it plays; yours */
static int
url_of_id(reel_ctl_t *c, const char *id, char **url)
{
    int                 code;
    json_t             *asset = NULL;
    const char         *hls, *end;
    reel_ctl_server_t   s = { 0 };

    code = reel_ctl_get_asset(c, id, &asset);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    hls = json_string_value(json_object_get(json_object_get(asset,
                                                            "playback"),
                                            "hls"));
    end = hls != NULL ? strrchr(hls, '/') : NULL;

    if (end == NULL) {
        code = reel_ctl_fail(REEL_EXIT_UNAVAILABLE,
                             "%s: nothing is playable yet", id);
        goto done;
    }

    code = reel_ctl_server(c, &s);

    if (code == REEL_EXIT_OK) {
        /* its folder: both formats */
        *url = reel_ctl_url_join(s.origin, (reel_str_t) { hls,
                                            (size_t) (end - hls) + 1 });

        if (*url == NULL) {
            code = reel_ctl_fail(REEL_EXIT_FAILED, "%s is no URL", hls);
        }
    }

done:

    reel_ctl_server_release(&s);
    json_decref(asset);

    return code;
}


static bool
load(reel_check_t *k)
{
    bool   got;
    char  *url;

    if (has_path_end(k->url, ".mpd")) {
        return reel_check_load_dash(k, k->url);
    }

    if (has_path_end(k->url, ".m3u8")) {
        return reel_check_load_hls(k, k->url);
    }

    /* a folder: what lies below it */
    url = reel_ctl_url_join(k->url, REEL_STR("master.m3u8"));
    got = url != NULL && reel_check_load_hls(k, url);
    free(url);

    if (got) {
        url = reel_ctl_url_join(k->url, REEL_STR("manifest.mpd"));
        got = url != NULL && reel_check_load_dash(k, url);
        free(url);
    }

    return got;
}


static int
absolute(reel_ctl_t *c, const char *what, char **url)
{
    size_t  n;

    if (!is_url(what) && reel_ulid_valid(reel_str(what))) {
        return url_of_id(c, what, url);
    }

    if (!is_url(what)) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "%s: neither an http URL nor "
                             "an asset's id", what);
    }

    n = strlen(what);
    *url = malloc(n + 2);

    if (*url == NULL) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
    }

    memcpy(*url, what, n + 1);

    if (!has_path_end(what, ".m3u8") && !has_path_end(what, ".mpd")
        && what[strcspn(what, "?#")] == '\0' && what[n - 1] != '/')
    {
        memcpy(*url + n, "/", 2);
    }

    return REEL_EXIT_OK;
}


int
reel_ctl_cmd_check(reel_ctl_t *c)
{
    int            code;
    uint64_t       seconds = 0;
    const char    *profile = c->opt[REEL_OPT_PROFILE];
    reel_check_t  *k;

    if (c->opt[REEL_OPT_RULES] != NULL) {
        return reel_check_list_rules(c);
    }

    if (c->argc == 0) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "check takes a URL, or --rules");
    }

    if (profile != NULL && !reel_check_profile_known(profile)) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "--profile %s: must be tv, "
                             "mobile or web", profile);
    }

    k = reel_check_new(c);
    if (k == NULL) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
    }

    k->full = c->opt[REEL_OPT_FULL] != NULL;
    code = reel_ctl_opt_seconds(c, REEL_OPT_TIMEOUT, UINT32_MAX,
                                k->full ? REEL_CHECK_FULL_S
                                        : REEL_CHECK_TIME_S, &seconds);

    if (code == REEL_EXIT_OK) {
        code = absolute(c, c->argv[0], &k->url);
    }

    if (code == REEL_EXIT_OK) {
        reel_check_until(k, seconds);
        code = load(k) ? REEL_EXIT_OK : REEL_EXIT_FAILED;
    }

    /* half a stream is not judged */
    if (k->stop[0] != '\0') {
        code = reel_ctl_fail(REEL_EXIT_FAILED, "%s: %s", c->argv[0],
                             k->stop);
    }

    if (code == REEL_EXIT_OK) {
        reel_check_try_tls(k, k->url);
        reel_check_run(k);
        code = k->broken ? reel_ctl_fail(REEL_EXIT_FAILED, "out of memory")
                         : reel_check_report(k, profile);
    }

    reel_check_free(k);

    return code;
}
