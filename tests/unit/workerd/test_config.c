#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workerd/config.h"

static char  file[] = "/tmp/reel-config-XXXXXX";


static int
setup(void **state)
{
    int  fd = mkstemp(file);

    (void) state;

    return fd < 0 || close(fd) != 0;
}


static int
teardown(void **state)
{
    (void) state;

    return unlink(file);
}


static reel_err_t
load(reel_config_t *c, const char *text, reel_error_t *e)
{
    FILE  *f = fopen(file, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    e->text[0] = '\0';

    return reel_config_load(c, file, e);
}


#define REQUIRED "store: /s\npipelines: /p\n"


static void
defaults(void **state)
{
    reel_error_t   e;
    reel_config_t  c;

    (void) state;

    assert_int_equal(load(&c, REQUIRED "redis: unix:/r.sock\n", &e),
                     REEL_OK);
    assert_string_equal(c.store, "/s");
    assert_string_equal(c.pipelines, "/p");
    assert_string_equal(c.redis.addr[0].socket, "/r.sock");
    assert_string_equal(c.worker, "");
    assert_int_equal(c.slots, 0);
    assert_int_equal(c.lease_s, 30);
    assert_int_equal(c.drain_s, 30);
    assert_int_equal(c.outbox_s, 5);
    assert_int_equal(c.sweep_uploads, 1000);
    assert_int_equal(c.upload_age_h, 24);
    assert_int_equal(c.retry_age_h, 24);
    assert_true(c.reuse);
    assert_int_equal(c.memory_mib, 4096);
    assert_int_equal(c.folder_mib, 16384);
    assert_int_equal(c.processes, 0);
    assert_int_equal(c.devices.n, 0);
    assert_int_equal(c.disk_free_mib, 512);
    assert_int_equal(c.room_mib, 0);
    assert_string_equal(c.labels, "");
    assert_true(c.sandbox_required);
    assert_int_equal(c.log, REEL_LOG_INFO);
    assert_string_equal(c.metrics.socket, "");
    assert_int_equal(c.metrics.port, 0);
}


static void
everything_set(void **state)
{
    reel_error_t   e;
    reel_config_t  c;

    (void) state;

    assert_int_equal(load(&c, REQUIRED
        "redis: { address: 'db.example:6380', db: 3, password_file: /pw }\n"
        "worker: w-1\nslots: 7\nlease_s: 12\npoll_ms: 90\ndrain_s: 0\n"
        "outbox_s: 2\nsweep_s: 3\nsweep_age_s: 4\nupload_age_h: 5\n"
        "sweep_uploads: 6\nretry_age_h: 0\nreuse: false\n"
        "limits: { memory_mib: 512, output_mib: 64, disk_free_mib: 0,\n"
        "  folder_mib: 32, processes: 100 }\n"
        "memory_mib: 2048\nlabels: gpu,av1\n"
        "devices: [ /dev/dri, /dev/nvidia0 ]\n"
        "sandbox: best-effort\nlog: debug\nmetrics: '[::1]:9'\n", &e),
        REEL_OK);

    assert_string_equal(c.redis.addr[0].host, "db.example");
    assert_string_equal(c.redis.addr[0].socket, "");
    assert_int_equal(c.redis.addr[0].port, 6380);
    assert_int_equal(c.redis.db, 3);
    assert_int_equal(c.redis.shards, 1);
    assert_string_equal(c.redis.password_file, "/pw");
    assert_string_equal(c.worker, "w-1");
    assert_int_equal(c.slots, 7);
    assert_int_equal(c.lease_s, 12);
    assert_int_equal(c.poll_ms, 90);
    assert_int_equal(c.drain_s, 0);
    assert_int_equal(c.sweep_s, 3);
    assert_int_equal(c.sweep_age_s, 4);
    assert_int_equal(c.sweep_uploads, 6);
    assert_int_equal(c.retry_age_h, 0);
    assert_false(c.reuse);
    assert_int_equal(c.output_mib, 64);
    assert_int_equal(c.disk_free_mib, 0);
    assert_int_equal(c.folder_mib, 32);
    assert_int_equal(c.processes, 100);
    assert_int_equal(c.room_mib, 2048);
    assert_string_equal(c.labels, "gpu,av1");
    assert_int_equal(c.devices.n, 2);
    assert_string_equal(c.devices.path[0], "/dev/dri");
    assert_string_equal(c.devices.path[1], "/dev/nvidia0");
    assert_false(c.sandbox_required);
    assert_int_equal(c.log, REEL_LOG_DEBUG);
    assert_string_equal(c.metrics.host, "::1");
    assert_int_equal(c.metrics.port, 9);
}


static void
refused_with_its_place(void **state)
{
    char           want[256];
    reel_error_t   e;
    reel_config_t  c;

    static const struct {
        const char *text;
        const char *place;
    } rows[] = {
        { "redis: nowhere\n", ":3:8: " },
        { "redis: unix:/r\nlabels: gpu av1\n", ":4:9: " },
        { "redis: 'unix:relative'\n", ":3:8: " },
        { "redis: { db: 1 }\n", ":3:" },
        { "redis: { address: 'h:1', port: 1 }\n", ":3:26: " },
        { "redis: 'h:1'\nlogs: info\n", ":4:1: " },
        { "redis: 'h:1'\nlog: [info]\n", ":4:" },
        { "redis: 'h:1'\nslots: '2'\n", ":4:8: " },
        { "redis: 'h:1'\nslots: 257\n", ":4:8: " },
        { "redis: 'h:1'\nworker: a/b\n", ":4:9: " },
        { "redis: 'h:1'\nredis: 'h:1'\n", ":4:1: " },
        { "redis: { address: 'h:1', tls: true }\n", ":3:" },
        { "redis: { address: [], db: 1 }\n", ":3:" },
        { "redis: { address: 'h:1', user: u }\n", ":3:" },
        { "redis: { address: 'h:1', sentinel: m, sentinel_user: u }\n",
          ":3:" },
        { "redis: { address: 'h:1', sentinel_password_file: /p }\n", ":3:" },
        { "redis: { address: [ 'h:1', 'h' ] }\n", ":3:" },
        { "redis: 'h:1'\ndevices: /dev/dri\n", ":4:10: " },
        { "redis: 'h:1'\ndevices: [/dev/dri, /etc]\n", ":4:21: " },
        { "redis: 'h:1'\ndevices: [/dev/]\n", ":4:11: " },
        { "redis: 'h:1'\ndevices: [/dev/../etc]\n", ":4:11: " },
        { "redis: 'h:1'\nmetrics: localhost:9424\n", ":4:10: " },
        { "redis: 'h:1'\nmetrics: 127.0.0.1\n", ":4:10: " },
        { "redis: 'h:1'\nmetrics: 65536\n", ":4:10: " },
        { "redis: 'h:1'\nmetrics: unix:m.sock\n", ":4:10: " },
        { "log: info\n", "redis" }
    };

    (void) state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char  text[256];

        snprintf(text, sizeof(text), REQUIRED "%s", rows[i].text);
        assert_int_equal(load(&c, text, &e), REEL_BADDATA);
        snprintf(want, sizeof(want), "%s%s",
                 rows[i].place[0] == ':' ? file : "", rows[i].place);
        if (strstr(e.text, want) == NULL) {
            fail_msg("row %zu: \"%s\" not in \"%s\"", i, want, e.text);
        }
    }
}


static void
redis_of_many(void **state)
{
    reel_error_t   e;
    reel_config_t  c;

    (void) state;

    assert_int_equal(load(&c, REQUIRED "redis: { address: ['a:1', '[::1]:2'],"
                          " sentinel: films, user: reel, password_file: /p, "
                          "sentinel_user: ask, sentinel_password_file: /s, "
                          "shards: 64 }"
                          "\n", &e), REEL_OK);
    assert_int_equal(c.redis.naddr, 2);
    assert_string_equal(c.redis.addr[1].host, "::1");
    assert_int_equal(c.redis.addr[1].port, 2);
    assert_string_equal(c.redis.sentinel, "films");
    assert_string_equal(c.redis.user, "reel");
    assert_string_equal(c.redis.password_file, "/p");
    assert_string_equal(c.redis.sentinel_user, "ask");
    assert_string_equal(c.redis.sentinel_password_file, "/s");
    assert_int_equal(c.redis.shards, 64);
}


static void
metrics_are_told_on_loopback(void **state)
{
    reel_error_t   e;
    reel_config_t  c;

    (void) state;

    assert_int_equal(load(&c, REQUIRED "redis: 'h:1'\nmetrics: 9424\n", &e),
                     REEL_OK);
    assert_string_equal(c.metrics.host, "127.0.0.1");
    assert_int_equal(c.metrics.port, 9424);

    assert_int_equal(load(&c, REQUIRED "redis: 'h:1'\nmetrics: unix:/m\n",
                          &e), REEL_OK);
    assert_string_equal(c.metrics.socket, "/m");
    assert_int_equal(c.metrics.port, 0);
}


static void
webhooks(void **state)
{
    int            fd;
    char           text[1024], secret[] = "/tmp/reel-secret-XXXXXX";
    reel_error_t   e;
    reel_config_t  c;

    static const struct {
        const char *conf;
        const char *says;           /* NULL: it is fine */
    } rows[] = {
        { "url: 'https://x.example/'", NULL },
        { "url: 'https://x.example/', types: [video.asset.errored]", NULL },
        { "url: 'http://[::1]:80/', allow_private: true", NULL },
        { "url: 'http://x.example/'", "https://" },
        { "url: 'ftp://x.example/', allow_private: true", "https://" },
        { "url: 'https://u:p@x.example/'", "has a user" },
        { "url: 'https://x.example/a b'", "a blank" },
        { "url: 'https://x.example/', types: [video.asset.seen]",
          "no event" },
        { "url: 'https://x.example/', ca_file: x", "not an absolute" },
        { "url: 'https://x.example/' } , { name: a, url: 'https://y.example/'",
          "two endpoints" },
        { "allow_private: true", "url" },
    };

    (void) state;

    fd = mkstemp(secret);
    assert_true(fd >= 0);
    assert_int_equal(dprintf(fd, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"),
                     39);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(text, sizeof(text), REQUIRED "redis: 'h:1'\nwebhooks: [{ "
                 "name: a, secret_file: '%s', %s%s%s }]\n", secret,
                 rows[i].conf, strchr(rows[i].conf, '{') != NULL
                 ? ", secret_file: " : "",
                 strchr(rows[i].conf, '{') != NULL ? secret : "");
        if (rows[i].says == NULL) {
            assert_int_equal(load(&c, text, &e), REEL_OK);
            assert_int_equal(c.webhooks.n, 1);
            assert_string_equal(c.webhooks.endpoint[0].name, "a");
            continue;
        }
        assert_int_equal(load(&c, text, &e), REEL_BADDATA);
        if (strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu: \"%s\" not in \"%s\"", i, rows[i].says,
                     e.text);
        }
    }

    snprintf(text, sizeof(text), REQUIRED "redis: 'h:1'\nwebhooks: [{ name: a,"
             " url: 'https://x.example/', secret_file: '%s' }]\n", secret);
    assert_int_equal(fchmod(fd, 0640), 0);
    assert_int_equal(load(&c, text, &e), REEL_BADDATA);
    assert_non_null(strstr(e.text, "chmod 600"));
    assert_null(strstr(e.text, "MfKQ"));

    assert_int_equal(unlink(secret), 0);
    assert_int_equal(load(&c, text, &e), REEL_BADDATA);
    assert_non_null(strstr(e.text, "No such file"));
    (void) close(fd);
}


static void
there_is_a_core(void **state)
{
    (void) state;

    assert_in_range(reel_config_cores(), 1, 4096);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(everything_set),
        cmocka_unit_test(refused_with_its_place),
        cmocka_unit_test(redis_of_many),
        cmocka_unit_test(metrics_are_told_on_loopback),
        cmocka_unit_test(webhooks),
        cmocka_unit_test(there_is_a_core)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
