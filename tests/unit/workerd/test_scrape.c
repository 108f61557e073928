/* requests of a scrape, and where it is listened for */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workerd/scrape.h"

#define HOST "Host: x\r\n"


static void
requests(void **state)
{
    static const struct {
        const char *text;
        unsigned    status;
    } rows[] = {
        { "GET /metrics HTTP/1.1\r\n" HOST "\r\n", 200 },
        { "GET /metrics?x=y HTTP/1.1\r\nAccept: */*\r\nhost:\r\n\r\n", 200 },
        { "GET /metrics HTTP/1.0\r\n\r\n", 200 },
        { "GET / HTTP/1.1\r\n" HOST "\r\n", 404 },
        { "GET /metrics/ HTTP/1.1\r\n" HOST "\r\n", 404 },
        { "GET metrics HTTP/1.1\r\n" HOST "\r\n", 404 },
        { "POST /metrics HTTP/1.1\r\n" HOST "\r\nbody", 405 },
        { "HEAD /metrics HTTP/1.1\r\n" HOST "\r\n", 405 },
        { "get /metrics HTTP/1.1\r\n" HOST "\r\n", 405 },
        { "GET /metrics HTTP/1.1\r\n\r\n", 400 },
        { "GET /metrics HTTP/1.1\r\nX-Host: x\r\n\r\n", 400 },
        { "GET /metrics\r\n\r\n", 400 },
        { "GET  /metrics HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /metrics HTTP/1.1 x\r\n" HOST "\r\n", 505 },
        { "GET /metrics HTTP/2.0\r\n" HOST "\r\n", 505 },
        { "\x16\x03\x01\r\n\r\n", 400 },
        { "\r\n\r\n", 400 }
    };

    (void) state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned  got = reel_scrape_status(rows[i].text,
                                           strlen(rows[i].text));

        if (got != rows[i].status) {
            fail_msg("row %zu: %u, not %u", i, got, rows[i].status);
        }
    }

    assert_int_equal(reel_scrape_status("GET /metrics\0 HTTP/1.0\r\n\r\n",
                                        26), 400);
}


/* whatever part of it came: more, and none that is over-read */
static void
parts_of_requests(void **state)
{
    char               *part;
    static const char   whole[] = "GET /metrics HTTP/1.1\r\n" HOST "\r\n";

    (void) state;

    for (size_t n = 0; n < sizeof(whole) - 1; n++) {
        part = malloc(n + 1);
        assert_non_null(part);
        memcpy(part + 1, whole, n);
        assert_int_equal(reel_scrape_status(part + 1, n), 0);
        free(part);
    }
}


static void
a_request_has_its_size(void **state)
{
    char  long_one[REEL_SCRAPE_REQUEST];

    (void) state;

    memset(long_one, 'a', sizeof(long_one));
    assert_int_equal(reel_scrape_status(long_one, sizeof(long_one) - 1), 0);
    assert_int_equal(reel_scrape_status(long_one, sizeof(long_one)), 431);
}


static void
heads(void **state)
{
    reel_buf_t   b;
    const char  *text;

    (void) state;

    reel_buf_init(&b, 1024);
    reel_scrape_head(&b, 200, 1234);
    text = reel_buf_cstr(&b);
    assert_int_equal(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
    assert_non_null(strstr(text, "\r\nContent-Length: 1234\r\n"));
    assert_non_null(strstr(text, "\r\nContent-Type: text/plain; version="
                           "0.0.4; charset=utf-8\r\n"));
    assert_null(strstr(text, "Allow"));
    assert_string_equal(text + b.len - 4, "\r\n\r\n");

    reel_buf_clear(&b);
    reel_scrape_head(&b, 405, 0);
    assert_non_null(strstr(reel_buf_cstr(&b), "\r\nAllow: GET\r\n\r\n"));
    reel_buf_release(&b);
}


static void
loopback_only(void **state)
{
    int                  fd;
    reel_redis_addr_t    at = { .host = "127.0.0.1" };
    struct sockaddr_in   sin = { 0 };
    socklen_t            len = sizeof(sin);

    (void) state;

    fd = reel_scrape_listen(&at);           /* port 0: any */
    assert_true(fd >= 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) &sin, &len), 0);
    assert_int_equal(sin.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);

    at.port = ntohs(sin.sin_port);
    assert_int_equal(reel_scrape_listen(&at), -1);
    assert_int_equal(errno, EADDRINUSE);
    close(fd);

    snprintf(at.host, sizeof(at.host), "localhost");
    assert_int_equal(reel_scrape_listen(&at), -1);
}


/* what a killed worker left behind is taken over, what is in use is not */
static void
unix_sockets(void **state)
{
    int                fd, again;
    char               dir[] = "/tmp/reel-scrape-XXXXXX";
    struct stat        st;
    reel_redis_addr_t  at = { "" };

    (void) state;

    assert_non_null(mkdtemp(dir));
    snprintf(at.socket, sizeof(at.socket), "%s/m", dir);

    fd = reel_scrape_listen(&at);
    assert_true(fd >= 0);
    assert_int_equal(lstat(at.socket, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    assert_int_equal(reel_scrape_listen(&at), -1);
    assert_int_equal(errno, EADDRINUSE);

    close(fd);
    again = reel_scrape_listen(&at);
    assert_true(again >= 0);
    close(again);

    assert_int_equal(unlink(at.socket), 0);
    fd = open(at.socket, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(reel_scrape_listen(&at), -1);  /* a file is not ours */
    assert_int_equal(unlink(at.socket), 0);
    assert_int_equal(rmdir(dir), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(parts_of_requests),
        cmocka_unit_test(a_request_has_its_size),
        cmocka_unit_test(heads),
        cmocka_unit_test(loopback_only),
        cmocka_unit_test(unix_sockets)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
