#include "workerd/config.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "lib/conf/yaml.h"

#define ID_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
                 "0123456789._-"
#define LABEL_CHARS ID_CHARS ","
#define LOOPBACK    "127.0.0.1:"

static reel_err_t read_redis(void *dst, const reel_yaml_t *n,
    reel_error_t *e);
static reel_err_t read_worker(void *dst, const reel_yaml_t *n,
    reel_error_t *e);
static reel_err_t read_sandbox(void *dst, const reel_yaml_t *n,
    reel_error_t *e);
static reel_err_t read_labels(void *dst, const reel_yaml_t *n,
    reel_error_t *e);
static reel_err_t read_log(void *dst, const reel_yaml_t *n, reel_error_t *e);
static reel_err_t read_metrics(void *dst, const reel_yaml_t *n,
    reel_error_t *e);
static reel_err_t read_limits(void *dst, const reel_yaml_t *n,
    reel_error_t *e);
static reel_err_t read_addresses(void *dst, const reel_yaml_t *n,
    reel_error_t *e);

#define AT(member) offsetof(reel_config_t, member)

static const reel_yaml_key_t keys[] = {
    { "store", REEL_YAML_TYPE_PATH, AT(store), 1, REEL_PATH_MAX - 1, NULL,
      true },
    { "pipelines", REEL_YAML_TYPE_PATH, AT(pipelines), 1, REEL_PATH_MAX - 1,
      NULL, true },
    { "redis", REEL_YAML_TYPE_FN, AT(redis), 0, 0, read_redis, true },
    { "worker", REEL_YAML_TYPE_FN, AT(worker), 0, 0, read_worker, false },
    { "slots", REEL_YAML_TYPE_U32, AT(slots), 0, 256, NULL, false },
    { "memory_mib", REEL_YAML_TYPE_U32, AT(room_mib), 0, 1u << 24, NULL,
      false },
    { "labels", REEL_YAML_TYPE_FN, AT(labels), 0, 0, read_labels, false },
    { "lease_s", REEL_YAML_TYPE_U32, AT(lease_s), 3, 3600, NULL, false },
    { "poll_ms", REEL_YAML_TYPE_U32, AT(poll_ms), 50, 60000, NULL, false },
    { "outbox_s", REEL_YAML_TYPE_U32, AT(outbox_s), 1, 3600, NULL, false },
    { "sweep_s", REEL_YAML_TYPE_U32, AT(sweep_s), 1, 86400, NULL, false },
    { "sweep_age_s", REEL_YAML_TYPE_U32, AT(sweep_age_s), 1, 86400, NULL,
      false },
    { "sweep_uploads", REEL_YAML_TYPE_U32, AT(sweep_uploads), 1, 1000000,
      NULL, false },
    { "upload_age_h", REEL_YAML_TYPE_U32, AT(upload_age_h), 1, 8760, NULL,
      false },
    { "reuse", REEL_YAML_TYPE_BOOL, AT(reuse), 0, 0, NULL, false },
    { "retry_age_h", REEL_YAML_TYPE_U32, AT(retry_age_h), 0, 8760, NULL,
      false },
    { "straggler_s", REEL_YAML_TYPE_U32, AT(straggler_s), 0, 86400, NULL,
      false },
    { "drain_s", REEL_YAML_TYPE_U32, AT(drain_s), 0, 86400, NULL, false },
    { "sandbox", REEL_YAML_TYPE_FN, AT(sandbox_required), 0, 0,
      read_sandbox, false },
    { "log", REEL_YAML_TYPE_FN, AT(log), 0, 0, read_log, false },
    { "metrics", REEL_YAML_TYPE_FN, AT(metrics), 0, 0, read_metrics,
      false },
    { "webhooks", REEL_YAML_TYPE_FN, AT(webhooks), 0, 0,
      reel_config_webhooks, false },
    { "devices", REEL_YAML_TYPE_FN, AT(devices), 0, 0,
      reel_config_devices, false },
    { "limits", REEL_YAML_TYPE_FN, 0, 0, 0, read_limits, false },
};

static const reel_yaml_key_t redis_keys[] = {
    { "address", REEL_YAML_TYPE_FN, 0, 0, 0, read_addresses, true },
    { "sentinel", REEL_YAML_TYPE_TEXT, offsetof(reel_redis_conf_t, sentinel),
      1, 63, NULL, false },
    { "sentinel_user", REEL_YAML_TYPE_TEXT,
      offsetof(reel_redis_conf_t, sentinel_user), 1, 127, NULL, false },
    { "sentinel_password_file", REEL_YAML_TYPE_TEXT,
      offsetof(reel_redis_conf_t, sentinel_password_file), 1,
      REEL_PATH_MAX - 1, NULL, false },
    { "user", REEL_YAML_TYPE_TEXT, offsetof(reel_redis_conf_t, user), 1, 127,
      NULL, false },
    { "tls", REEL_YAML_TYPE_BOOL, offsetof(reel_redis_conf_t, tls), 0, 0,
      NULL, false },
    { "db", REEL_YAML_TYPE_U32, offsetof(reel_redis_conf_t, db), 0, 1023,
      NULL, false },
    { "shards", REEL_YAML_TYPE_U32, offsetof(reel_redis_conf_t, shards), 1,
      REEL_SHARDS_MAX, NULL, false },
    { "password_file", REEL_YAML_TYPE_TEXT,
      offsetof(reel_redis_conf_t, password_file), 1, REEL_PATH_MAX - 1,
      NULL, false },
};

static const reel_yaml_key_t limits_keys[] = {
    { "memory_mib", REEL_YAML_TYPE_U32, AT(memory_mib), 256, 1u << 20, NULL,
      false },
    { "output_mib", REEL_YAML_TYPE_U32, AT(output_mib), 16, 1u << 24, NULL,
      false },
    { "folder_mib", REEL_YAML_TYPE_U32, AT(folder_mib), 16, 1u << 24, NULL,
      false },
    { "processes", REEL_YAML_TYPE_U32, AT(processes), 0, 65536, NULL, false },
    { "disk_free_mib", REEL_YAML_TYPE_U32, AT(disk_free_mib), 0, 1u << 24,
      NULL, false },
    { "duration_s", REEL_YAML_TYPE_U32, AT(duration_s), 0, 1u << 24, NULL,
      false },
    { "megapixels", REEL_YAML_TYPE_U32, AT(megapixels), 1, 67, NULL, false },
};

#define NKEYS(table) (sizeof(table) / sizeof(table[0]))


void
reel_config_default(reel_config_t *c)
{
    *c = (reel_config_t) {
        .redis = { .shards = 1 },
        .lease_s = 30,
        .poll_ms = 500,
        .outbox_s = 5,
        .sweep_s = 60,
        .sweep_age_s = 60,
        .sweep_uploads = 1000,
        .upload_age_h = 24,
        .reuse = true,
        .retry_age_h = 24,
        .straggler_s = 30,
        .drain_s = 30,
        .memory_mib = 4096,
        .output_mib = 16384,
        .folder_mib = 16384,
        .disk_free_mib = 512,
        .duration_s = 86400,
        .megapixels = 67,
        .sandbox_required = true,
        .log = REEL_LOG_INFO
    };
}


/* one that is relative would be to where the daemon was started */
static reel_err_t
parse_address(reel_redis_addr_t *r, const char *text)
{
    reel_err_t  err = reel_redis_addr_parse(r, reel_str(text));

    return err == REEL_OK && r->socket[0] != '\0' && r->socket[0] != '/'
           ? REEL_INVAL : err;
}


static reel_err_t
read_address(reel_redis_conf_t *r, const reel_yaml_t *n, reel_error_t *e)
{
    char        text[REEL_PATH_MAX];
    reel_err_t  err;

    err = reel_yaml_text(n, 1, sizeof(text) - 1, text, e);
    if (err != REEL_OK) {
        return err;
    }

    if (r->naddr == REEL_REDIS_ADDRS) {
        return reel_yaml_fail(n, e, "more than %d addresses",
                              REEL_REDIS_ADDRS);
    }

    if (parse_address(&r->addr[r->naddr], text) != REEL_OK) {
        return reel_yaml_fail(n, e, "\"%.60s\" is neither unix:/path nor "
                              "host:port", text);
    }
    r->naddr++;

    return REEL_OK;
}


/* one, or a list */
static reel_err_t
read_addresses(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    reel_err_t          err = REEL_OK;
    const reel_yaml_t  *item;

    if (n->kind == REEL_YAML_SCALAR) {
        return read_address(dst, n, e);
    }

    err = reel_yaml_is(n, REEL_YAML_LIST, e);
    if (err == REEL_OK && n->child == NULL) {
        return reel_yaml_fail(n, e, "no address");
    }

    for (item = n->child; err == REEL_OK && item != NULL; item = item->next) {
        err = read_address(dst, item, e);
    }

    return err;
}


/* each user has a password, and sentinels' are for sentinels */
static reel_err_t
check_users(const reel_redis_conf_t *r, const reel_yaml_t *n, reel_error_t *e)
{
    if (r->user[0] != '\0' && r->password_file[0] == '\0') {
        return reel_yaml_fail(n, e, "user needs password_file");
    }

    if (r->sentinel_user[0] != '\0' && r->sentinel_password_file[0] == '\0')
    {
        return reel_yaml_fail(n, e, "sentinel_user needs "
                              "sentinel_password_file");
    }

    if (r->sentinel_password_file[0] != '\0' && r->sentinel[0] == '\0') {
        return reel_yaml_fail(n, e, "sentinel_password_file needs sentinel");
    }

    return REEL_OK;
}


/* a map, or the address alone */
static reel_err_t
read_redis(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    reel_err_t          err;
    reel_redis_conf_t  *r = dst;

    if (n->kind == REEL_YAML_SCALAR) {
        return read_address(dst, n, e);
    }

    err = reel_yaml_map(r, n, redis_keys, NKEYS(redis_keys), e);

    if (err == REEL_OK && r->tls) {
        return reel_yaml_fail(n, e, "tls: hiredis as it is built in here has "
                              "no TLS: let stunnel or a proxy carry it, and "
                              "name its local address (docs/workerd.md, "
                              "Redis)");
    }

    return err == REEL_OK ? check_users(r, n, e) : err;
}


static reel_err_t
read_limits(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    return reel_yaml_map(dst, n, limits_keys, NKEYS(limits_keys), e);
}


static reel_err_t
read_worker(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char       *id = dst;
    reel_err_t  err = reel_yaml_text(n, 1, REEL_WORKER_ID_MAX - 1, id, e);

    if (err == REEL_OK && strspn(id, ID_CHARS) != strlen(id)) {
        return reel_yaml_fail(n, e, "a worker's id has letters, digits, "
                              "'.', '_' and '-' only");
    }

    return err;
}


static reel_err_t
read_labels(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char       *labels = dst;
    reel_err_t  err = reel_yaml_text(n, 0, REEL_LABELS_MAX - 1, labels, e);

    if (err == REEL_OK && strspn(labels, LABEL_CHARS) != strlen(labels)) {
        return reel_yaml_fail(n, e, "labels are a,b,c of letters, digits, "
                              "'.', '_' and '-'");
    }

    return err;
}


static reel_err_t
read_sandbox(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    bool       *required = dst;
    char        text[16];
    reel_err_t  err = reel_yaml_text(n, 1, sizeof(text) - 1, text, e);

    if (err != REEL_OK) {
        return err;
    }

    *required = strcmp(text, "required") == 0;
    if (!*required && strcmp(text, "best-effort") != 0) {
        return reel_yaml_fail(n, e, "sandbox is \"required\" or "
                              "\"best-effort\"");
    }

    return REEL_OK;
}


static reel_err_t
read_log(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char        text[16];
    reel_err_t  err = reel_yaml_text(n, 1, sizeof(text) - 1, text, e);

    if (err != REEL_OK) {
        return err;
    }

    if (reel_log_level_parse(dst, reel_str(text)) != REEL_OK) {
        return reel_yaml_fail(n, e, "log is error, warn, info or debug");
    }

    return REEL_OK;
}


/* a port alone is loopback's; a name would have to be asked for */
static reel_err_t
read_metrics(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char                text[128], whole[128 + sizeof(LOOPBACK)];
    uint8_t             in[16];
    reel_err_t          err = reel_yaml_text(n, 1, sizeof(text) - 1, text, e);
    reel_redis_addr_t  *at = dst;

    if (err != REEL_OK) {
        return err;
    }

    (void) snprintf(whole, sizeof(whole), "%s%s",
                    strchr(text, ':') == NULL ? LOOPBACK : "", text);

    if (parse_address(at, whole) != REEL_OK
        || (at->socket[0] == '\0' && inet_pton(AF_INET, at->host, in) != 1
            && inet_pton(AF_INET6, at->host, in) != 1))
    {
        return reel_yaml_fail(n, e, "\"%.60s\" is not a port, an address in "
                              "numbers and a port, or unix:/path", text);
    }

    return REEL_OK;
}


reel_err_t
reel_config_load(reel_config_t *c, const char *file, reel_error_t *e)
{
    reel_err_t    err;
    reel_yaml_t  *root;

    reel_config_default(c);

    err = reel_yaml_load(&root, file, e);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_yaml_map(c, root, keys, NKEYS(keys), e);
    reel_yaml_free(root);

    return err;
}
