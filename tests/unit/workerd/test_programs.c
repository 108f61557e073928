/* programs of pipelines, and of those that were read before them */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "workerd/lacks.h"
#include "workerd/programs.h"

static reel_pipeline_t  p;


/* the pipeline runs /bin/p<i> */
static void
set(unsigned i)
{
    reel_node_t  *n;

    reel_pipeline_default(&p);
    n = &p.nodes[p.nnodes++];
    reel_node_init(n, REEL_TASK_EXEC, "x");
    n->nwords = 1;
    (void) snprintf(n->command, sizeof(n->command), "/bin/p%u", i);
}


static bool
known(const reel_programs_t *k, unsigned i, uint32_t nwords)
{
    reel_exec_t  t = { .nwords = nwords };

    (void) snprintf(t.command, sizeof(t.command), "/bin/p%u", i);

    return reel_programs_known(k, &p, 1, &t);
}


static void
earlier_ones_are_known(void **state)
{
    reel_programs_t  k = { 0 };

    (void) state;

    set(0);
    assert_true(known(&k, 0, 1));
    assert_false(known(&k, 0, 2));
    assert_false(known(&k, 1, 1));
    reel_programs_keep(&k, &p, 1);
    reel_programs_keep(&k, &p, 1);
    assert_int_equal(k.n, 1);
    set(1);
    assert_true(known(&k, 1, 1) && known(&k, 0, 1));
    assert_false(known(&k, 0, 2));
    reel_programs_release(&k);
    assert_false(known(&k, 0, 1));
}


static void
the_oldest_is_forgotten(void **state)
{
    reel_programs_t  k = { 0 };

    (void) state;

    for (unsigned i = 0; i <= REEL_PROGRAMS_KEPT; i++) {
        set(i);
        reel_programs_keep(&k, &p, 1);
    }
    set(9999);
    assert_false(known(&k, 0, 1));
    assert_true(known(&k, 1, 1) && known(&k, REEL_PROGRAMS_KEPT, 1));
    assert_int_equal(k.n, REEL_PROGRAMS_KEPT);
    reel_programs_release(&k);
}


/* inputs: source and a file of two tasks; two outputs */
static reel_exec_t
planned(void)
{
    reel_node_t  *n;
    reel_exec_t   t = { .node = "x", .each = REEL_EACH_CHUNK, .source = true,
                        .ninputs = 2, .noutputs = 2,
                        .inputs = { { "a", "f", 0, 1 }, { "b", "g", 0, 0 } },
                        .outputs = { { .name = "p" }, { .name = "q" } } };

    set(0);
    n = &p.nodes[p.nnodes - 1];
    n->each = REEL_EACH_CHUNK;
    n->ninputs = 3;
    (void) snprintf(n->inputs[0].from, REEL_NODE_NAME, "a");
    (void) snprintf(n->inputs[0].file, REEL_EXEC_FILE, "f");
    (void) snprintf(n->inputs[1].from, REEL_NODE_NAME, "source");
    (void) snprintf(n->inputs[2].from, REEL_NODE_NAME, "b");
    (void) snprintf(n->inputs[2].file, REEL_EXEC_FILE, "g");
    n->noutputs = 2;
    (void) snprintf(n->outputs[0].name, REEL_EXEC_FILE, "p");
    (void) snprintf(n->outputs[1].name, REEL_EXEC_FILE, "q");

    return t;
}


static void
a_node_that_has_but_another_command_is_the_same(void **state)
{
    reel_exec_t  t = planned();

    (void) state;

    assert_ptr_equal(reel_programs_same(&p, &t), &p.nodes[p.nnodes - 1]);

    for (unsigned i = 0; i < 9; i++) {
        t = planned();

        switch (i) {
        case 0: t.node[0] = 'y'; break;
        case 1: t.each = REEL_EACH_NONE; break;
        case 2: t.source = false; break;
        case 3: t.inspect = true; break;
        case 4: t.ninputs = 1; break;
        case 5: t.inputs[1].node[0] = 'c'; break;
        case 6: t.inputs[0].file[0] = 'h'; break;
        case 7: t.noutputs = 1; break;
        case 8: t.outputs[1].name[0] = 'r'; break;
        }

        assert_null(reel_programs_same(&p, &t));
    }

    /* a built-in one is no program */
    t = (reel_exec_t) { .node = "poster" };
    assert_null(reel_programs_same(&p, &t));
}


static void
what_is_lacked_is_said_once_a_minute(void **state)
{
    char          text[16];
    reel_lacks_t  l = { 0 };

    (void) state;

    assert_true(reel_lacks_news(&l, "a", 1));
    assert_true(reel_lacks_news(&l, "b", 2));
    assert_false(reel_lacks_news(&l, "a", 60000));
    assert_true(reel_lacks_news(&l, "a", 60001));
    assert_false(reel_lacks_news(&l, "b", 60001));

    /* more than it has room for: what was said last is still known */
    for (unsigned i = 0; i < 3 * REEL_LACKS_SAID; i++) {
        (void) snprintf(text, sizeof(text), "%u", i);
        assert_true(reel_lacks_news(&l, text, 70000 + i));
        assert_false(reel_lacks_news(&l, text, 70000 + i));
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(earlier_ones_are_known),
        cmocka_unit_test(the_oldest_is_forgotten),
        cmocka_unit_test(a_node_that_has_but_another_command_is_the_same),
        cmocka_unit_test(what_is_lacked_is_said_once_a_minute)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
