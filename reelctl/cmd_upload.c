#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reelctl/http.h"
#include "reelctl/presign.h"
#include "reelctl/progress.h"
#include "reelctl/watch.h"


#define URL_MAX     32768
#define RETRIES_MAX 100


typedef struct {
    int          fd;
    uint64_t     size;
    const char  *name;          /* the file's, without folders */
    int64_t      took_ms;
    char         asset[27];
} file_t;


static int
open_file(file_t *f, const char *path)
{
    struct stat  st;
    const char  *slash;

    slash = strrchr(path, '/');
    f->name = slash != NULL ? slash + 1 : path;
    f->fd = open(path, O_RDONLY | O_CLOEXEC);

    if (f->fd == -1 || fstat(f->fd, &st) != 0) {
        return reel_ctl_fail(errno == EACCES ? REEL_EXIT_DENIED
                                             : REEL_EXIT_USAGE,
                             "cannot read %s: %s", path, strerror(errno));
    }

    if (!S_ISREG(st.st_mode)) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "%s is not a regular file",
                             path);
    }

    f->size = (uint64_t) st.st_size;

    (void) posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);

    return REEL_EXIT_OK;
}


/* the URL of --url, or one signed now; yours */
static int
get_url(reel_ctl_t *c, const file_t *f, char **url)
{
    int                 code;
    char                line[URL_MAX];
    reel_ctl_signed_t   s;

    *url = NULL;

    if (c->opt[REEL_OPT_URL] == NULL) {
        code = reel_ctl_presign(c, "PUT",
                                reel_ctl_opt(c, REEL_OPT_NAME, NULL, f->name),
                                &s);
        *url = s.url;
        s.url = NULL;
        reel_ctl_signed_release(&s);

        return code;
    }

    if (strcmp(c->opt[REEL_OPT_URL], "-") != 0) {
        *url = strdup(c->opt[REEL_OPT_URL]);

    } else if (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        *url = strdup(line);
    }

    if (*url == NULL || (strncmp(*url, "http://", 7) != 0
                         && strncmp(*url, "https://", 8) != 0))
    {
        return reel_ctl_fail(REEL_EXIT_USAGE, "--url must be an http or "
                             "https URL");
    }

    return REEL_EXIT_OK;
}


static bool
passing(const reel_ctl_answer_t *a, reel_err_t err)
{
    return err == REEL_IO || a->status == 502 || a->status == 503
           || a->status == 504;
}


/*
 * The same URL again replays the answer that was lost, so trying again is
 * safe; only what never reached the disk is sent twice.
 */
static reel_err_t
send_file(reel_ctl_t *c, const file_t *f, const char *url, uint64_t retries,
    reel_ctl_answer_t *a, reel_error_t *e)
{
    char                 type[512];
    unsigned             wait_s = 1;
    reel_err_t           err;
    reel_ctl_upload_t    u;
    reel_ctl_request_t   rq = {
        .method = "PUT", .url = url, .fd = f->fd, .size = f->size,
        .progress = reel_ctl_upload_progress, .arg = &u,
        .headers = { "Accept: application/problem+json",
                     "Expect: 100-continue" }
    };

    if (c->opt[REEL_OPT_TYPE] != NULL) {
        (void) snprintf(type, sizeof(type), "Content-Type: %s",
                        c->opt[REEL_OPT_TYPE]);
        rq.headers[2] = type;
    }

    reel_ctl_upload_begin(&u, f->name, f->size);

    for ( ;; ) {
        err = reel_ctl_http(c, &rq, a, e);

        if (retries == 0 || !passing(a, err)) {
            break;
        }

        reel_ctl_warn("%s; trying again in %u s",
                      err != REEL_OK ? e->text : "the server is busy",
                      wait_s);
        reel_ctl_answer_release(a);
        reel_ctl_sleep_ms(wait_s * 1000);
        wait_s = wait_s < 16 ? 2 * wait_s : 16;
        retries--;
    }

    reel_ctl_upload_end(&u, err == REEL_OK && a->status == 200);

    return err;
}


static int
write_id(const char *path, const char *id)
{
    FILE  *f;

    f = fopen(path, "we");

    if (f == NULL || fprintf(f, "%s\n", id) < 0 || fclose(f) != 0) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "cannot write %s: %s", path,
                             strerror(errno));
    }

    return REEL_EXIT_OK;
}


static int
upload(reel_ctl_t *c, file_t *f, uint64_t retries)
{
    int                 code;
    char               *url;
    int64_t             began;
    reel_err_t          err;
    reel_error_t        e = { "" };
    reel_ctl_answer_t   a = { 0 };

    code = get_url(c, f, &url);
    if (code != REEL_EXIT_OK) {
        free(url);
        return code;
    }

    began = reel_ctl_now_ms();
    err = send_file(c, f, url, retries, &a, &e);
    f->took_ms = reel_ctl_now_ms() - began;
    free(url);

    if (err != REEL_OK) {
        code = reel_ctl_fail(err == REEL_IO ? REEL_EXIT_UNAVAILABLE
                                            : REEL_EXIT_FAILED,
                             "the upload of %s broke off: %s", f->name,
                             e.text);

    } else if (a.status != 200) {
        code = reel_ctl_refusal(c, &a, "the upload was refused");

    } else if (a.asset[0] == '\0') {
        code = reel_ctl_fail(REEL_EXIT_FAILED, "the server took the file but "
                             "named no asset: is this location reel_upload?");
    } else {
        memcpy(f->asset, a.asset, sizeof(f->asset));
    }

    reel_ctl_answer_release(&a);

    return code;
}


/* asset is taken; NULL unless it was watched */
static int
report(const reel_ctl_t *c, const file_t *f, json_t *asset)
{
    json_t  *j;

    if (!c->json) {
        json_decref(asset);
        return reel_ctl_done();
    }

    j = json_pack("{s:s, s:I, s:f}", "asset", f->asset, "size",
                  (json_int_t) f->size, "seconds",
                  (double) f->took_ms / 1000);

    if (asset != NULL) {
        json_object_set_new(j, "result", asset);
    }

    return reel_ctl_put_json(j);
}


int
reel_ctl_cmd_upload(reel_ctl_t *c)
{
    int        code, told;
    json_t    *asset = NULL;
    file_t     f = { .fd = -1 };
    uint64_t   timeout, retries;

    code = reel_ctl_opt_seconds(c, REEL_OPT_TIMEOUT, UINT32_MAX, 0, &timeout);

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_opt_number(c, REEL_OPT_RETRIES, RETRIES_MAX, 3,
                                   &retries);
    }

    /* watching needs a key: better said before an hour of upload */
    if (code == REEL_EXIT_OK && c->opt[REEL_OPT_WATCH] != NULL) {
        code = reel_ctl_key(c);
    }

    if (code == REEL_EXIT_OK) {
        code = open_file(&f, c->argv[0]);
    }

    if (code == REEL_EXIT_OK) {
        code = upload(c, &f, retries);
    }

    if (f.fd != -1) {
        (void) close(f.fd);
    }

    if (code != REEL_EXIT_OK) {
        return code;
    }

    /* the id counts even if what follows fails */
    if (!c->json) {
        (void) printf("%s\n", f.asset);
        (void) fflush(stdout);
    }

    if (c->opt[REEL_OPT_ID_FILE] != NULL) {
        code = write_id(c->opt[REEL_OPT_ID_FILE], f.asset);
    }

    if (code == REEL_EXIT_OK && c->opt[REEL_OPT_WATCH] != NULL) {
        code = reel_ctl_watch(c, f.asset, timeout, &asset);
    }

    told = report(c, &f, asset);

    return code != REEL_EXIT_OK ? code : told;
}
