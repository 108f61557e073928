/* looks at what reel needs, and says on a line each what is wrong */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "lib/job/keys.h"
#include "reelctl/doctor_impl.h"
#include "reelctl/http.h"
#include "reelctl/progress.h"


#define LOW_SPACE (1024.0 * 1024 * 1024)
#define SKEW_S    60

/* of Redis' maxmemory */
#define LOW_MEMORY 0.9

void
reel_ctl_doctor_say(reel_ctl_doctor_t *d, reel_ctl_grade_t g,
    const char *name, const char *fmt, ...)
{
    char     text[512];
    va_list  ap;

    static const char  *grades[] = { "ok", "skip", "warn", "FAIL" };

    va_start(ap, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    d->failed += g == REEL_DOCTOR_FAIL;

    if (d->checks != NULL) {
        json_array_append_new(d->checks,
            json_pack("{s:s, s:s, s:s}", "name", name, "result",
                      g == REEL_DOCTOR_FAIL ? "fail" : grades[g],
                      "detail", text));
        return;
    }

    (void) printf("%-4s  %-8s  ", grades[g], name);
    reel_ctl_put_safe(stdout, text);
    (void) fputc('\n', stdout);
}


static void
check_keys(reel_ctl_doctor_t *d)
{
    unsigned             mode = 0;
    reel_buf_t           b;
    reel_error_t         e = { "out of memory" };
    const char          *path;
    reel_access_keys_t   k;

    path = reel_ctl_opt(d->c, REEL_OPT_KEYS, "REEL_KEYS", NULL);

    if (path == NULL) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_SKIP, "keys", "no access-key file "
                            "named: --keys FILE");
        return;
    }

    if (access(path, R_OK) != 0) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "keys", "cannot read %s: %s",
                            path, strerror(errno));
        return;
    }

    if (reel_ctl_read_file(path, 4 * 1024 * 1024, &b, &mode)
        != REEL_EXIT_OK)
    {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "keys", "cannot read %s",
                            path);

    } else if (reel_access_keys_parse(&k, reel_buf_cstr(&b), b.len, &e)
               != REEL_OK)
    {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "keys", "%s: %s", path,
                            e.text);

    } else {
        if (mode & 077) {
            reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "keys", "%s has mode "
                                "%04o: chmod 600 %s", path, mode, path);
        } else {
            reel_ctl_doctor_say(d, REEL_DOCTOR_OK, "keys", "%s: %zu key%s, "
                                "mode %04o", path, k.nkeys,
                                k.nkeys == 1 ? "" : "s", mode);
        }

        reel_access_keys_release(&k);
    }

    if (b.len != 0) {
        explicit_bzero(b.data, b.len);
    }

    reel_buf_release(&b);
}


static void
check_space(reel_ctl_doctor_t *d, const char *path)
{
    char            left[24];
    double          bytes;
    struct statvfs  vfs;

    if (statvfs(path, &vfs) != 0) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_WARN, "space", "%s: %s", path,
                            strerror(errno));
        return;
    }

    bytes = (double) vfs.f_bavail * (double) vfs.f_frsize;
    reel_ctl_size(left, bytes);
    reel_ctl_doctor_say(d, bytes < LOW_SPACE ? REEL_DOCTOR_WARN
                                             : REEL_DOCTOR_OK,
                        "space", "%s free in %s%s", left, path,
                        bytes < LOW_SPACE ? ": uploads will soon be refused"
                                          : "");
}


static void
check_store(reel_ctl_doctor_t *d)
{
    const char   *path;
    struct stat   st;

    path = reel_ctl_opt(d->c, REEL_OPT_STORE, "REEL_STORE", NULL);

    if (path == NULL) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_SKIP, "store", "no store named: "
                            "--store DIR");
        return;
    }

    if (stat(path, &st) != 0) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "store", "%s: %s", path,
                            strerror(errno));

    } else if (!S_ISDIR(st.st_mode)) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "store", "%s is not a folder",
                            path);

    } else if (path[0] != '/') {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "store", "%s is not an "
                            "absolute path", path);

    } else if (st.st_mode & 07) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "store", "%s has mode %04o, "
                            "others can enter it: chmod o-rwx %s", path,
                            (unsigned) st.st_mode & 07777, path);

    } else if (access(path, R_OK | W_OK | X_OK) != 0) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "store", "%s belongs to "
                            "%u:%u, mode %04o: this user cannot write there; "
                            "run this as nginx's or workerd's user, or join "
                            "its group", path, st.st_uid, st.st_gid,
                            (unsigned) st.st_mode & 07777);
    } else {
        reel_ctl_doctor_say(d, REEL_DOCTOR_OK, "store", "%s: owner %u:%u, "
                            "mode %04o, writable", path, st.st_uid, st.st_gid,
                            (unsigned) st.st_mode & 07777);
        check_space(d, path);
        reel_ctl_doctor_hooks(d, path);
    }
}


/* CONFIG GET name; "" when Redis does not tell */
static void
redis_config(reel_ctl_redis_t *r, const char *name, char *dst, size_t cap)
{
    const char          *argv[3] = { "CONFIG", "GET", name };
    reel_error_t         e;
    reel_ctl_strings_t   out;

    dst[0] = '\0';

    if (reel_ctl_redis_call(r, &out, &e, 3, argv) == REEL_OK) {
        (void) !reel_str_copy(dst, cap,
                              reel_str(reel_ctl_strings_get(&out, name)));
    }

    reel_ctl_strings_release(&out);
}


/* "shard 3: " when there are several */
static const char *
which(const reel_ctl_redis_t *r, char dst[24])
{
    dst[0] = '\0';

    if (reel_ctl_redis_shards(r) > 1) {
        (void) snprintf(dst, 24, "shard %u: ", reel_ctl_redis_shard(r));
    }

    return dst;
}


static bool
check_appendonly(reel_ctl_doctor_t *d, reel_ctl_redis_t *r)
{
    char  value[64], shard[24];

    redis_config(r, "appendonly", value, sizeof(value));

    if (strcmp(value, "yes") == 0) {
        return true;
    }

    reel_ctl_doctor_say(d, REEL_DOCTOR_WARN, "redis", "%sappendonly %s: set "
                        "it to yes, or the queue is lost with Redis (videos "
                        "are not)", which(r, shard),
                        value[0] != '\0' ? value : "cannot be read");

    return false;
}


static bool
check_policy(reel_ctl_doctor_t *d, reel_ctl_redis_t *r)
{
    char  value[64], shard[24];

    redis_config(r, "maxmemory-policy", value, sizeof(value));

    if (strcmp(value, "noeviction") == 0) {
        return true;
    }

    if (value[0] == '\0') {
        reel_ctl_doctor_say(d, REEL_DOCTOR_WARN, "redis", "%smaxmemory-policy "
                            "cannot be read: it must be noeviction",
                            which(r, shard));
    } else {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "redis", "%smaxmemory-policy "
                            "%s: set it to noeviction, or jobs vanish when "
                            "memory is short", which(r, shard), value);
    }

    return false;
}


/* of the lines of INFO; 0: it is not among them */
static double
info_number(const char *info, const char *name)
{
    size_t       len = strlen(name);
    const char  *at = info;

    while (at != NULL) {
        if (strncmp(at, name, len) == 0 && at[len] == ':') {
            return strtod(at + len + 1, NULL);
        }
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }

    return 0;
}


static void
check_memory(reel_ctl_doctor_t *d, reel_ctl_redis_t *r)
{
    char                 used[24], most[24], shard[24];
    double               bytes, limit;
    const char          *argv[2] = { "INFO", "memory" };
    reel_error_t         e;
    reel_ctl_strings_t   info;

    if (reel_ctl_redis_call(r, &info, &e, 2, argv) == REEL_OK && info.n == 1)
    {
        bytes = info_number(info.v[0], "used_memory");
        limit = info_number(info.v[0], "maxmemory");
        reel_ctl_size(used, bytes);
        reel_ctl_size(most, limit);

        if (limit > 0 && bytes >= limit) {
            reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "redis", "%sno memory is "
                                "left (%s of maxmemory %s): jobs wait until "
                                "that is raised", which(r, shard), used, most);

        } else if (limit > 0 && bytes >= limit * LOW_MEMORY) {
            reel_ctl_doctor_say(d, REEL_DOCTOR_WARN, "redis", "%smemory is "
                                "short: %s of maxmemory %s", which(r, shard),
                                used, most);
        }
    }

    reel_ctl_strings_release(&info);
}


/* what is well is said once, for all shards */
static void
check_redis_config(reel_ctl_doctor_t *d, reel_ctl_redis_t *r)
{
    bool      kept = true, whole = true;
    unsigned  n = reel_ctl_redis_shards(r);

    if (n > 1) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_OK, "redis", "%u shards", n);
    }

    for (unsigned k = 0; k < n; k++) {
        reel_ctl_redis_at(r, k);
        kept = check_appendonly(d, r) && kept;
        whole = check_policy(d, r) && whole;
        check_memory(d, r);
    }
    reel_ctl_redis_at(r, 0);

    if (kept) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_OK, "redis", "appendonly yes");
    }
    if (whole) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_OK, "redis", "maxmemory-policy "
                            "noeviction");
    }
}


static void
check_redis(reel_ctl_doctor_t *d)
{
    bool                     good;
    const char              *address, *argv[2] = { "INFO", "server" };
    char                     version[32] = "";
    const char              *at;
    reel_error_t             e = { "" };
    reel_ctl_redis_t        *r;
    reel_ctl_strings_t       info;
    reel_redis_addr_text_t   where;

    address = reel_ctl_opt(d->c, REEL_OPT_REDIS, "REEL_REDIS", NULL);

    if (address == NULL) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_SKIP, "redis", "no Redis named: "
                            "--redis unix:PATH or HOST:PORT");
        return;
    }

    if (reel_ctl_redis_open(d->c, address, &r, &e) != REEL_OK) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "redis", "%s", e.text);
        return;
    }

    if (reel_ctl_redis_call(r, &info, &e, 2, argv) != REEL_OK) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "redis", "%s", e.text);

    } else {
        at = info.n != 0 ? strstr(info.v[0], "redis_version:") : NULL;

        if (at != NULL) {
            at += sizeof("redis_version:") - 1;
            (void) snprintf(version, sizeof(version), "%.*s",
                            (int) strcspn(at, "\r\n"), at);
        }

        good = strtol(version, NULL, 10) >= 7;
        reel_ctl_doctor_say(d, good ? REEL_DOCTOR_OK : REEL_DOCTOR_FAIL,
                            "redis", "%s answers, version %s%s",
                            reel_ctl_redis_address(r, where), version,
                            good ? "" : ": 7.0 is needed");
        check_redis_config(d, r);
        reel_ctl_doctor_queues(d, r);
        reel_ctl_doctor_live(d, r);
    }

    reel_ctl_strings_release(&info);
    reel_ctl_redis_close(r);
}


static void
check_clock(reel_ctl_doctor_t *d, const char *date)
{
    double     off;
    struct tm  tm = { 0 };

    if (strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &tm) == NULL) {
        return;
    }

    off = difftime(time(NULL), timegm(&tm));
    off = off < 0 ? -off : off;

    if (off > SKEW_S) {
        reel_ctl_doctor_say(d, off > REEL_SIGV4_SKEW_S ? REEL_DOCTOR_FAIL
                                                       : REEL_DOCTOR_WARN,
                            "clock", "differs from the server's by %.0f s; "
                            "signatures allow %d", off, REEL_SIGV4_SKEW_S);
    } else {
        reel_ctl_doctor_say(d, REEL_DOCTOR_OK, "clock", "as the server's, "
                            "within %.0f s", off);
    }
}


static void
judge_server(reel_ctl_doctor_t *d, const char *url, const reel_ctl_answer_t *a)
{
    json_t      *problem;
    const char  *code, *detail;

    problem = json_loadb((char *) a->body.data, a->body.len, 0, NULL);
    code = json_string_value(json_object_get(problem, "code"));
    detail = json_string_value(json_object_get(problem, "detail"));

    if (a->status == 200 && problem != NULL) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_OK, "server", "%s answers and "
                            "takes the key %s", url, d->c->key->id);

    } else if (code != NULL && strcmp(code, "REDIS_UNAVAILABLE") == 0) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_WARN, "server", "%s answers and "
                            "takes the key, but its Redis does not answer: "
                            "jobs wait", url);

    } else {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "server", "%s: HTTP "
                            "%ld%s%s%s%s", url, a->status,
                            code != NULL ? " " : ": no reel_api there",
                            code != NULL ? code : "",
                            detail != NULL ? ": " : "",
                            detail != NULL ? detail : "");
    }

    json_decref(problem);
    check_clock(d, a->date);
}


static void
check_server(reel_ctl_doctor_t *d)
{
    int                 code;
    const char         *url;
    reel_err_t          err = REEL_OK;
    reel_error_t        e = { "" };
    reel_ctl_answer_t   a;

    url = reel_ctl_opt(d->c, REEL_OPT_SERVER, "REEL_SERVER",
                       "http://127.0.0.1:8080");

    if (reel_ctl_opt(d->c, REEL_OPT_KEYS, "REEL_KEYS", NULL) == NULL) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_SKIP, "server", "no access key to "
                            "ask %s with", url);
        return;
    }

    code = reel_ctl_api_try(d->c, "GET", "assets", "limit=1", NULL, &a, &err,
                            &e);

    if (code != REEL_EXIT_OK) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "server", "cannot be asked "
                            "without a good key and URL");

    } else if (err != REEL_OK) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "server", "%s: %s; is nginx "
                            "running there?", url, e.text);
    } else {
        judge_server(d, url, &a);
    }

    reel_ctl_answer_release(&a);
}


int
reel_ctl_cmd_doctor(reel_ctl_t *c)
{
    int       code;
    reel_ctl_doctor_t  d = { .c = c, .checks = c->json ? json_array() : NULL };

    check_keys(&d);
    check_store(&d);
    check_redis(&d);
    check_server(&d);
    reel_ctl_doctor_pipelines(&d);
    json_decref(d.live);

    code = c->json ? reel_ctl_put_json(json_pack("{s:o, s:b}", "checks",
                                                 d.checks, "ok",
                                                 d.failed == 0))
                   : reel_ctl_done();

    return d.failed != 0 ? REEL_EXIT_FAILED : code;
}
