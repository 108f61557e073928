/* what a worker says of a program that its own pipelines do not name */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "workerd/attempt.h"
#include "workerd/worker.h"

static reel_pipeline_t  pipeline;


/* the payload is of a program in the node "look" of the default pipeline */
static reel_err_t
prepare(reel_attempt_t *a, reel_worker_t *w, const char *program)
{
    reel_buf_t    b;
    reel_err_t    err;
    reel_exec_t   t = { .node = "look", .nwords = 1, .stream = -1 };
    reel_child_t  io = { .source_fd = -1 };

    memcpy(t.command, program, strlen(program) + 1);
    *w = (reel_worker_t) { .pipelines = &pipeline, .npipelines = 1 };
    *a = (reel_attempt_t) { .w = w, .pipeline = "default", .task = "look",
                            .ops = &reel_task_exec, .memfd = -1 };
    assert_int_equal(reel_store_mem_open(&w->store), REEL_OK);

    reel_buf_init(&b, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_exec_print(&b, &t), REEL_OK);
    a->payload = reel_buf_take(&b, &a->payload_len);
    err = reel_attempt_prepare(a, &io);
    free(a->payload);
    free(a->data);
    reel_store_close(w->store);

    return err;
}


static void
lacks(const char *program, const char *detail)
{
    reel_worker_t    w;
    reel_attempt_t   a;

    assert_int_equal(prepare(&a, &w, program), REEL_NOTFOUND);
    assert_true(a.outcome.failed && a.outcome.retry && a.outcome.lacks);
    assert_string_equal(a.outcome.code, "BAD_PIPELINE");
    assert_non_null(strstr(a.outcome.detail, detail));
}


/* a changed file reaches workers one after the other */
static void
another_worker_may_have_it(void **state)
{
    reel_node_t     *n;
    reel_worker_t    w;
    reel_attempt_t   a;

    (void) state;

    reel_pipeline_default(&pipeline);
    lacks("/bin/sh", "planned with: /bin/sh");

    n = &pipeline.nodes[pipeline.nnodes++];
    reel_node_init(n, REEL_TASK_EXEC, "look");
    n->nwords = 1;
    memcpy(n->command, "/nowhere/x", 11);
    lacks("/bin/sh", "planned with: /bin/sh");
    lacks("/nowhere/x", "/nowhere/x: No such file");

    memset(n->command, 0, sizeof(n->command));
    memcpy(n->command, "/bin/sh", 8);
    assert_int_equal(prepare(&a, &w, "/bin/sh"), REEL_OK);

    /* whatever it is called now */
    memcpy(n->name, "see", 4);
    assert_int_equal(prepare(&a, &w, "/bin/sh"), REEL_OK);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(another_worker_may_have_it)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
