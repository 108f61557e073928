/* a node of a pipeline as JSON, as its file has it */

#include <stdio.h>
#include <string.h>

#include "lib/job/part.h"
#include "lib/job/show_part.h"

void
reel_show_list(reel_json_t *j, const char *key, const char *csv)
{
    size_t len;

    reel_json_key(j, key);
    reel_json_array(j);

    while (*csv != '\0') {
        len = strcspn(csv, ",");
        reel_json_str(j, (reel_str_t) { csv, len });
        csv += len + (csv[len] == ',');
    }

    reel_json_end(j, ']');
}


/* null: as of each of its tasks */
static void
needs(reel_json_t *j, const char *key, uint32_t n)
{
    if (n != REEL_NODE_UNSET) {
        reel_json_kuint(j, key, n);
        return;
    }

    reel_json_key(j, key);
    reel_json_null(j);
}


static void
inputs(reel_json_t *j, const reel_node_t *n)
{
    uint32_t k;
    char     path[sizeof(n->inputs[0].from) + sizeof(n->inputs[0].file) + 1];

    reel_json_key(j, "inputs");
    reel_json_array(j);

    for (k = 0; k < n->ninputs; k++) {
        (void) snprintf(path, sizeof(path), "%s%s%s", n->inputs[k].from,
                        n->inputs[k].file[0] != '\0' ? "/" : "",
                        n->inputs[k].file);
        reel_json_str(j, reel_str(path));
    }

    reel_json_end(j, ']');
}


static void
outputs(reel_json_t *j, const reel_node_t *n)
{
    uint32_t k;

    reel_json_key(j, "outputs");
    reel_json_array(j);

    for (k = 0; k < n->noutputs; k++) {
        reel_json_object(j);
        reel_json_kstr(j, "name", n->outputs[k].name);
        reel_json_kuint(j, "max_mib", n->outputs[k].max_mib);
        reel_json_kbool(j, "keep", n->outputs[k].keep);
        reel_json_end(j, '}');
    }

    reel_json_end(j, ']');
}


static void
after(reel_json_t *j, const reel_node_t *n)
{
    uint32_t k;

    reel_json_key(j, "after");
    reel_json_array(j);

    for (k = 0; k < n->nafter; k++) {
        reel_json_str(j, reel_str(n->after[k]));
    }
    for (k = 0; k < n->ninputs; k++) {
        if (n->inputs[k].file[0] != '\0') {
            reel_json_str(j, reel_str(n->inputs[k].from));
        }
    }

    reel_json_end(j, ']');
}


void
reel_show_node(reel_json_t *j, const reel_node_t *n)
{
    reel_json_object(j);
    reel_json_kstr(j, "name", n->name);
    reel_json_kstr(j, "type", reel_task_type_name(n->type));
    reel_json_kbool(j, "off", n->off);
    reel_json_kstr(j, "for_each", reel_each_name(n->each));
    reel_json_kstr(j, "when", n->when);
    needs(j, "slots", n->slots);
    needs(j, "memory_mib", n->memory_mib);
    reel_show_list(j, "labels", n->labels);
    needs(j, "priority", n->priority);
    reel_json_kuint(j, "attempts", n->attempts);
    reel_json_kuint(j, "timeout_s", n->timeout_s);
    reel_part_words_print(j, n->command, n->nwords);
    inputs(j, n);
    outputs(j, n);
    after(j, n);
    reel_json_end(j, '}');
}
