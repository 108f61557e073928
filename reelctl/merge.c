#include "reelctl/merge.h"

#include <stdlib.h>
#include <string.h>


json_t *
reel_ctl_merge(reel_ctl_redis_t *r, reel_ctl_shard_fn fn, reel_error_t *e)
{
    size_t        i;
    json_t       *all = json_array(), *part, *j;
    char          why[sizeof(e->text)];
    unsigned      n = reel_ctl_redis_shards(r);

    for (unsigned k = 0; k < n; k++) {
        reel_ctl_redis_at(r, k);
        part = fn(r, e);

        if (part == NULL && n > 1) {
            (void) snprintf(why, sizeof(why), "%s", e->text);
            (void) reel_fail(e, REEL_IO, "shard %u: %.200s", k, why);
        }
        if (part == NULL) {
            json_decref(all);
            all = NULL;
            break;
        }

        json_array_foreach(part, i, j) {
            if (n > 1) {
                json_object_set_new(j, "shard", json_integer(k));
            }
            json_array_append(all, j);
        }
        json_decref(part);
    }

    reel_ctl_redis_at(r, 0);

    return all;
}


/* which two objects of one name become: the first stays */
typedef void (*join_fn)(json_t *first, const json_t *j);

static json_t *
once(json_t *all, const char *name, join_fn join)
{
    size_t   i;
    json_t  *list, *names, *j, *first;

    if (all == NULL) {
        return NULL;
    }

    list = json_array();
    names = json_object();

    json_array_foreach(all, i, j) {
        first = json_object_get(names, reel_ctl_text(j, name));

        if (first != NULL) {
            join(first, j);
            continue;
        }

        (void) json_object_del(j, "shard");
        (void) json_object_set(names, reel_ctl_text(j, name), j);
        (void) json_array_append(list, j);
    }

    json_decref(names);
    json_decref(all);

    return list;
}


static void
join_ready(json_t *first, const json_t *j)
{
    (void) json_object_set_new(first, "ready", json_integer(
        reel_ctl_integer(first, "ready") + reel_ctl_integer(j, "ready")));
    (void) json_object_update(json_object_get(first, "names"),
                              json_object_get(j, "names"));

    if (json_object_get(first, "lacks") == NULL
        && json_object_get(j, "lacks") != NULL)
    {
        (void) json_object_set(first, "lacks", json_object_get(j, "lacks"));
    }
}


json_t *
reel_ctl_merge_ready(json_t *all)
{
    size_t   i;
    json_t  *j;

    all = once(all, "queue", join_ready);

    json_array_foreach(all, i, j) {
        (void) json_object_set_new(j, "projects", json_integer((json_int_t)
            json_object_size(json_object_get(j, "names"))));
        (void) json_object_del(j, "names");
    }

    return all;
}


static void
join_worker(json_t *first, const json_t *j)
{
    if (reel_ctl_integer(j, "heard_ms") > reel_ctl_integer(first, "heard_ms"))
    {
        (void) json_object_update(first, (json_t *) j);
        (void) json_object_del(first, "shard");
    }
}


json_t *
reel_ctl_merge_workers(json_t *all)
{
    return once(all, "worker", join_worker);
}


typedef struct {
    int64_t  key;
    size_t   at;
    json_t  *j;
} row_t;


static int
compare(const void *one, const void *two)
{
    const row_t  *a = one, *b = two;

    return a->key != b->key ? (a->key > b->key) - (a->key < b->key)
                            : (a->at > b->at) - (a->at < b->at);
}


void
reel_ctl_merge_sort(json_t *all, const char *name, bool down)
{
    size_t   n = json_array_size(all);
    row_t   *row = n > 0 ? calloc(n, sizeof(*row)) : NULL;
    int64_t  key;

    if (row == NULL) {
        return;
    }

    for (size_t i = 0; i < n; i++) {
        row[i].j = json_incref(json_array_get(all, i));
        key = reel_ctl_integer(row[i].j, name);
        row[i].key = down ? -key : key;
        row[i].at = i;
    }

    qsort(row, n, sizeof(*row), compare);

    for (size_t i = 0; i < n; i++) {
        (void) json_array_set_new(all, i, row[i].j);
    }

    free(row);
}
