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


/* the payload is of /bin/p in the node "look" of the default pipeline */
static void
prepare(reel_attempt_t *a, reel_worker_t *w)
{
    reel_buf_t    b;
    reel_exec_t   t = { .node = "look", .nwords = 1, .command = "/bin/p",
                        .stream = -1 };
    reel_child_t  io = { .source_fd = -1 };

    *w = (reel_worker_t) { .pipelines = &pipeline, .npipelines = 1 };
    *a = (reel_attempt_t) { .w = w, .pipeline = "default", .task = "look",
                            .ops = &reel_task_exec, .memfd = -1 };
    assert_int_equal(reel_store_mem_open(&w->store), REEL_OK);

    reel_buf_init(&b, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_exec_print(&b, &t), REEL_OK);
    a->payload = reel_buf_take(&b, &a->payload_len);
    assert_int_equal(reel_attempt_prepare(a, &io), REEL_INVAL);
    free(a->payload);
    free(a->data);
    reel_store_close(w->store);
}


/* a changed file reaches workers one after the other */
static void
another_program_is_tried_again(void **state)
{
    reel_node_t     *n;
    reel_worker_t    w;
    reel_attempt_t   a;

    (void) state;

    reel_pipeline_default(&pipeline);
    prepare(&a, &w);
    assert_true(a.outcome.failed && a.outcome.retry);
    assert_string_equal(a.outcome.code, "BAD_PIPELINE");

    n = &pipeline.nodes[pipeline.nnodes++];
    reel_node_init(n, REEL_TASK_EXEC, "look");
    n->nwords = 1;
    memcpy(n->command, "/bin/q", 7);
    prepare(&a, &w);
    assert_true(a.outcome.failed && a.outcome.retry);
    assert_string_equal(a.outcome.code, "BAD_PIPELINE");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(another_program_is_tried_again)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
