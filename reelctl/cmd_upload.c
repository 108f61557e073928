#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reelctl/interrupt.h"
#include "reelctl/progress.h"
#include "reelctl/upload.h"
#include "reelctl/watch.h"


#define RETRIES     8           /* with their waits more than a minute */
#define RETRIES_MAX 100
#define AT_ONCE     4
#define ONE_PUT     (16ull << 20)   /* files below it */


static int64_t
mtime_ns(const struct stat *st)
{
    return (int64_t) st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}


static int
open_file(reel_ctl_file_t *f, const char *path)
{
    struct stat  st;
    const char  *slash;

    slash = strrchr(path, '/');
    f->path = path;
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
    f->mtime_ns = mtime_ns(&st);

    (void) posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);

    return REEL_EXIT_OK;
}


int
reel_ctl_file_same(const reel_ctl_file_t *f)
{
    struct stat  st;

    if (fstat(f->fd, &st) == 0 && (uint64_t) st.st_size == f->size
        && mtime_ns(&st) == f->mtime_ns)
    {
        return REEL_EXIT_OK;
    }

    return reel_ctl_fail(REEL_EXIT_FAILED, "%s changed while it was "
                         "uploaded: begin anew, without --resume", f->path);
}


/* the numbers among the options */
static int
read_how(reel_ctl_t *c, reel_ctl_how_t *how)
{
    int  code;

    *how = (reel_ctl_how_t) { .c = c };
    how->resume = c->opt[REEL_OPT_RESUME] != NULL;

    code = reel_ctl_opt_number(c, REEL_OPT_RETRIES, RETRIES_MAX, RETRIES,
                               &how->retries);

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_opt_number(c, REEL_OPT_PARTS, REEL_CTL_AT_ONCE_MAX,
                                   AT_ONCE, &how->at_once);
    }

    if (code == REEL_EXIT_OK && how->at_once == 0) {
        code = reel_ctl_fail(REEL_EXIT_USAGE, "--parts must be above 0");
    }

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_opt_bytes(c, REEL_OPT_PART_SIZE, 0, &how->part_size);
    }

    if (code == REEL_EXIT_OK && how->part_size != 0
        && (how->part_size < REEL_CTL_PART_MIN
            || how->part_size > REEL_CTL_PART_MAX))
    {
        code = reel_ctl_fail(REEL_EXIT_USAGE, "--part-size must be from 5M "
                             "to 5G, or 0 for one PUT");
    }

    return code;
}


/* what cannot be meant together */
static int
check(const reel_ctl_t *c)
{
    bool  urls = c->opt[REEL_OPT_PART_URLS] != NULL;

    if (c->opt[REEL_OPT_URL] != NULL
        && (urls || c->opt[REEL_OPT_RESUME] != NULL
            || c->opt[REEL_OPT_PARTS] != NULL
            || c->opt[REEL_OPT_PART_SIZE] != NULL))
    {
        return reel_ctl_fail(REEL_EXIT_USAGE, "--url is one PUT: it goes "
                             "without --parts, --part-size, --part-urls and "
                             "--resume");
    }

    return REEL_EXIT_OK;
}


static int
send_file(const reel_ctl_how_t *how, const reel_ctl_file_t *f,
    reel_ctl_outcome_t *out)
{
    bool               one;
    const reel_ctl_t  *c = how->c;

    if (c->opt[REEL_OPT_PART_URLS] != NULL) {
        return reel_ctl_upload_urls(how, f, out);
    }

    one = c->opt[REEL_OPT_PART_SIZE] == NULL ? f->size < ONE_PUT
          : how->part_size == 0 || f->size <= how->part_size;

    if (one || c->opt[REEL_OPT_URL] != NULL) {
        return reel_ctl_upload_put(how, f, out);
    }

    return reel_ctl_upload_s3(how, f, out);
}


/*
 * A reel server names the asset.  Other servers do not: with their URLs this
 * is no fault, unless the id is needed.
 */
static int
check_asset(const reel_ctl_t *c, const reel_ctl_outcome_t *out)
{
    if (out->asset[0] != '\0') {
        return REEL_EXIT_OK;
    }

    if (c->opt[REEL_OPT_WATCH] == NULL && c->opt[REEL_OPT_ID_FILE] == NULL
        && (c->opt[REEL_OPT_URL] != NULL
            || c->opt[REEL_OPT_PART_URLS] != NULL))
    {
        if (out->parts == NULL) {
            reel_ctl_warn("uploaded; the server named no asset");
        }

        return REEL_EXIT_OK;
    }

    return reel_ctl_fail(REEL_EXIT_FAILED, out->parts != NULL
                         ? "the parts are there, but it is not complete, so "
                           "there is no asset"
                         : "the server took the file but named no asset: is "
                           "this location reel_upload?");
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


/* asset is taken; NULL unless it was watched */
static int
report(const reel_ctl_t *c, const reel_ctl_file_t *f, int64_t took_ms,
    const reel_ctl_outcome_t *out, json_t *asset)
{
    json_t  *j;

    if (!c->json && out->parts == NULL) {
        json_decref(asset);
        return reel_ctl_done();
    }

    j = json_pack("{s:o, s:I, s:f}", "asset",
                  out->asset[0] != '\0' ? json_string(out->asset)
                                        : json_null(),
                  "size", (json_int_t) f->size, "seconds",
                  (double) took_ms / 1000);

    if (j != NULL && out->asset[0] == '\0' && out->etag[0] != '\0') {
        json_object_set_new(j, "etag", json_string(out->etag));
    }

    if (j != NULL && out->parts != NULL) {
        json_object_set(j, "parts", out->parts);
    }

    if (asset != NULL) {
        json_object_set_new(j, "result", asset);
    }

    return reel_ctl_put_json(j);
}


/* what follows an upload that is whole */
static int
after(reel_ctl_t *c, const reel_ctl_file_t *f, const reel_ctl_outcome_t *out,
    int64_t took_ms, uint64_t timeout)
{
    int      code, told;
    json_t  *asset = NULL;

    /* the id counts even if what follows fails */
    if (!c->json && out->asset[0] != '\0') {
        (void) printf("%s\n", out->asset);
        (void) fflush(stdout);
    }

    code = check_asset(c, out);

    if (code == REEL_EXIT_OK && c->opt[REEL_OPT_ID_FILE] != NULL) {
        code = write_id(c->opt[REEL_OPT_ID_FILE], out->asset);
    }

    if (code == REEL_EXIT_OK && c->opt[REEL_OPT_WATCH] != NULL) {
        code = reel_ctl_watch(c, out->asset, timeout, &asset);
    }

    told = report(c, f, took_ms, out, asset);

    return code != REEL_EXIT_OK ? code : told;
}


int
reel_ctl_cmd_upload(reel_ctl_t *c)
{
    int                  code;
    int64_t              began;
    uint64_t             timeout;
    reel_ctl_how_t       how;
    reel_ctl_file_t      f = { .fd = -1 };
    reel_ctl_outcome_t   out = { "" };

    code = reel_ctl_opt_seconds(c, REEL_OPT_TIMEOUT, UINT32_MAX, 0, &timeout);

    if (code == REEL_EXIT_OK) {
        code = read_how(c, &how);
    }

    if (code == REEL_EXIT_OK) {
        code = check(c);
    }

    /* watching needs a key: better said before an hour of upload */
    if (code == REEL_EXIT_OK && c->opt[REEL_OPT_WATCH] != NULL) {
        code = reel_ctl_key(c);
    }

    if (code == REEL_EXIT_OK) {
        code = open_file(&f, c->argv[0]);
    }

    if (code == REEL_EXIT_OK) {
        began = reel_ctl_now_ms();
        reel_ctl_catch();
        code = send_file(&how, &f, &out);
        reel_ctl_catch_no_more();

        if (code == REEL_EXIT_OK) {
            code = after(c, &f, &out, reel_ctl_now_ms() - began, timeout);
        }
    }

    if (f.fd != -1) {
        (void) close(f.fd);
    }

    json_decref(out.parts);

    return code;
}
