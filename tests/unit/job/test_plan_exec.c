/* programs of a pipeline: which become tasks, and what these get */

#include "tests/unit/job/film.h"

#include <stdio.h>
#include <string.h>

#include "lib/job/plan.h"

static reel_pipeline_t  pl;


static reel_node_t *
add(const char *name, reel_each_t each)
{
    reel_node_t *n = &pl.nodes[pl.nnodes++];

    reel_node_init(n, REEL_TASK_EXEC, name);
    n->each = each;
    n->nwords = 1;
    memcpy(n->command, "/bin/p", 7);
    n->noutputs = 1;
    n->outputs[0] = (reel_output_t) { .name = "x", .max_mib = 1,
                                      .keep = true };

    return n;
}


static void
from(reel_node_t *n, const char *other)
{
    reel_input_t *in = &n->inputs[n->ninputs++];

    assert_true(strlen(other) < sizeof(in->from));
    memcpy(in->from, other, strlen(other) + 1);
    memcpy(in->file, "x", 2);
}


static reel_err_t
plan(reel_plan_t *p, const film_t *f, reel_error_t *e)
{
    reel_err_t    err;
    reel_source_t s;

    film_make(&s, f);
    err = reel_plan(p, &pl, &s, 0, e);
    reel_source_release(&s);

    return err;
}


/* "late" gets a file of what gets one of each track, and is named first */
static void
without_sound_they_are_left_out(void **state)
{
    reel_plan_t           p;
    reel_exec_t           t;
    reel_node_t          *late;
    reel_publish_t        pub;
    const reel_planned_t *k;

    (void) state;

    reel_pipeline_default(&pl);
    late = add("late", REEL_EACH_NONE);
    from(add("each", REEL_EACH_AUDIO_TRACK), "sound");
    from(late, "each");
    add("sound", REEL_EACH_AUDIO_TRACK);
    add("alone", REEL_EACH_NONE);

    assert_int_equal(plan(&p, &(film_t) { .num = 25, .den = 1, .frames = 50 },
                          NULL), REEL_OK);
    assert_null(film_task(&p, "late"));
    assert_null(film_task(&p, "each.0"));
    assert_non_null(film_task(&p, "alone"));
    k = film_task(&p, "publish");
    assert_int_equal(reel_publish_parse(&pub, k->payload, strlen(k->payload),
                                        NULL), REEL_OK);
    assert_int_equal(pub.nfiles, 1);
    assert_string_equal(pub.files[0].node, "alone");
    reel_plan_release(&p);

    assert_int_equal(plan(&p, &(film_t) { .num = 25, .den = 1, .frames = 50,
                                          .audio_len = 2 }, NULL), REEL_OK);
    k = film_task(&p, "late");
    assert_non_null(k);
    assert_int_equal(reel_exec_parse(&t, k->payload, strlen(k->payload), NULL),
                     REEL_OK);
    assert_int_equal(t.inputs[0].count, 1);
    assert_non_null(film_task(&p, "each.0"));
    assert_non_null(film_task(&p, "sound.0"));
    reel_plan_release(&p);
}


/* publish reads what is kept, and who may have been given up */
static void
publish_hears_of_what_was_given_up(void **state)
{
    reel_plan_t           p;
    reel_node_t          *n;
    reel_publish_t        pub;
    const reel_planned_t *k;

    (void) state;

    reel_pipeline_default(&pl);
    add("plain", REEL_EACH_NONE)->outputs[0].keep = false;
    n = add("maybe", REEL_EACH_NONE);
    n->outputs[0].keep = false;
    n->optional = true;

    assert_int_equal(plan(&p, &(film_t) { .num = 25, .den = 1, .frames = 50 },
                          NULL), REEL_OK);
    k = film_task(&p, "publish");
    assert_int_equal(reel_publish_parse(&pub, k->payload, strlen(k->payload),
                                        NULL), REEL_OK);
    assert_int_equal(pub.nfiles, 1);
    assert_string_equal(pub.files[0].node, "maybe");
    reel_plan_release(&p);
}


/* the share of the whole work that the tasks of a node are, in thousandths */
static uint64_t
share(const reel_plan_t *p, const char *node)
{
    size_t      i;
    uint64_t    all = 0, own = 0;
    const char *at;

    for (i = 0; i < p->ntasks; i++) {
        for (at = p->tasks[i].renditions; *at != '\0'; /* void */ ) {
            all += p->tasks[i].work_ms;
            own += strncmp(at, node, strlen(node)) == 0
                   ? p->tasks[i].work_ms : 0;
            at += strcspn(at, ",");
            at += *at == ',';
        }
    }

    return own * 1000 / all;
}


/* what a program is said to take is its cost, and as much of the progress */
static void
they_cost_what_is_said(void **state)
{
    reel_plan_t   p;
    reel_node_t  *n;
    uint64_t      encodes;
    size_t        i;
    const film_t  film = { .num = 25, .den = 1, .frames = 25 * 60,
                           .key_every = 50, .width = 640, .height = 360 };

    (void) state;

    reel_pipeline_default(&pl);
    (void) add("usual", REEL_EACH_NONE);
    n = add("all", REEL_EACH_NONE);
    n->cost_s = 10;
    n->cost_percent = 150;
    n->timeout_s = 60;
    n = add("cut", REEL_EACH_CHUNK);
    n->cost_s = 0;
    n->cost_percent = 25;

    assert_int_equal(plan(&p, &film, NULL), REEL_OK);
    assert_int_equal(film_task(&p, "usual")->cost, 1000);
    assert_int_equal(film_task(&p, "all")->cost, 100000);
    assert_int_equal(film_task(&p, "cut.0")->cost, 1000);
    assert_int_equal(film_task(&p, "cut.1")->cost, 3000);

    for (i = 0, encodes = 0; i < p.ntasks; i++) {
        encodes += p.tasks[i].type == REEL_TASK_ENCODE_VIDEO
                   ? p.tasks[i].cost : 0;
    }

    assert_in_range(share(&p, "all"), 100000000 / (116000 + encodes) - 2,
                    100000000 / (116000 + encodes) + 2);
    assert_in_range(share(&p, "cut"), 15000000 / (116000 + encodes) - 2,
                    15000000 / (116000 + encodes) + 2);

    /* and may take ten times as long */
    assert_int_equal(film_task(&p, "all")->timeout_s, 1000);
    reel_plan_release(&p);

    /* nothing else is to do */
    pl.nodes[REEL_TASK_ENCODE_VIDEO].off = true;
    pl.nodes[REEL_TASK_POSTER].off = true;
    pl.nodes[REEL_TASK_STORYBOARD].off = true;
    pl.nnodes -= 1;
    assert_int_equal(plan(&p, &(film_t) { .num = 0, .audio_len = 2 }, NULL),
                     REEL_OK);
    assert_true(share(&p, "all") > 900);
    reel_plan_release(&p);
}


/* some 1200 chunks: no program gets, nor do all keep, more than 4096 */
static void
files_have_a_limit(void **state)
{
    uint32_t     i;
    reel_plan_t  p;
    reel_node_t *cuts, *all;
    reel_error_t e = { "" };
    const film_t film = { .num = 25, .den = 1, .frames = 25 * 3600 * 4,
                          .key_every = 50 };

    (void) state;

    reel_pipeline_default(&pl);
    cuts = add("cuts", REEL_EACH_CHUNK);
    all = add("all", REEL_EACH_NONE);
    for (i = 0; i < 3; i++) {
        from(all, "cuts");
    }
    assert_int_equal(plan(&p, &film, &e), REEL_OK);
    reel_plan_release(&p);

    from(all, "cuts");
    assert_int_equal(plan(&p, &film, &e), REEL_LIMIT);
    assert_non_null(strstr(e.text, "all would get "));

    /* one of them at a time is not many */
    all->each = REEL_EACH_CHUNK;
    all->noutputs = 0;
    assert_int_equal(plan(&p, &film, &e), REEL_OK);
    reel_plan_release(&p);

    for (cuts->noutputs = 4, i = 1; i < 4; i++) {
        cuts->outputs[i] = cuts->outputs[0];
    }
    assert_int_equal(plan(&p, &film, &e), REEL_LIMIT);
    assert_non_null(strstr(e.text, "programs would keep "));

    cuts->outputs[3].keep = false;
    assert_int_equal(plan(&p, &film, &e), REEL_OK);
    reel_plan_release(&p);
}


/* each of eight inputs from the one before it: 8^15 ways to the first */
static void
a_long_chain_is_walked_once(void **state)
{
    char         name[8], before[8] = "";
    uint32_t     i;
    reel_plan_t  p;
    reel_node_t *n, *first = NULL;
    const film_t film = { .num = 25, .den = 1, .frames = 50 };

    (void) state;

    reel_pipeline_default(&pl);

    while (pl.nnodes < REEL_PIPELINE_NODES) {
        (void) snprintf(name, sizeof(name), "n%u", pl.nnodes);
        n = add(name, REEL_EACH_NONE);
        first = first == NULL ? n : first;

        for (i = 0; n != first && i < REEL_NODE_LINKS; i++) {
            from(n, before);
        }

        memcpy(before, name, sizeof(before));
    }

    assert_int_equal(plan(&p, &film, NULL), REEL_OK);
    assert_non_null(film_task(&p, name));
    reel_plan_release(&p);

    /* and without its first there is none of it */
    first->off = true;
    assert_int_equal(plan(&p, &film, NULL), REEL_OK);
    assert_null(film_task(&p, name));
    reel_plan_release(&p);
}


/* layers of three, each after all of the layer before, of a long film */
static void
layers_of_many_chunks_are_linked(void **state)
{
    char                  name[8];
    uint32_t              i, k;
    reel_plan_t           p;
    reel_node_t          *n;
    const reel_planned_t *t;
    const film_t film = { .num = 25, .den = 1, .frames = 25 * 3600 * 8,
                          .key_every = 50 };

    (void) state;

    reel_pipeline_default(&pl);

    for (i = 0; i < 15; i++) {
        (void) snprintf(name, sizeof(name), "n%u", i);
        n = add(name, REEL_EACH_CHUNK);
        n->noutputs = 0;

        for (k = i / 3 * 3 - (i < 3 ? 0 : 3); i >= 3 && k < i / 3 * 3; k++) {
            (void) snprintf(n->after[n->nafter++], REEL_NODE_NAME, "n%u", k);
        }
    }

    assert_int_equal(plan(&p, &film, NULL), REEL_OK);
    assert_true(p.ntasks > 15 * 2000);

    t = film_task(&p, "n14.1999");
    assert_non_null(t);
    assert_int_equal(t->ndeps, 3);
    assert_string_equal(p.tasks[t->deps[0]].name, "n9.1999");
    reel_plan_release(&p);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_sound_they_are_left_out),
        cmocka_unit_test(publish_hears_of_what_was_given_up),
        cmocka_unit_test(they_cost_what_is_said),
        cmocka_unit_test(files_have_a_limit),
        cmocka_unit_test(a_long_chain_is_walked_once),
        cmocka_unit_test(layers_of_many_chunks_are_linked)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
