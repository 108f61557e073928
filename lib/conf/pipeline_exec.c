/* what a task of type exec says: its command, inputs and outputs */

#include <string.h>

#include "lib/conf/pipeline_part.h"

#define MAX_MIB  64             /* an output that says nothing */


static reel_err_t
add_command(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    size_t        at = 0;
    reel_err_t    err;
    reel_node_t  *node = dst;

    for (uint32_t i = 0; i < node->nwords; i++) {
        at += strlen(node->command + at) + 1;
    }

    if (at == sizeof(node->command)) {
        return reel_yaml_fail(n, e, "a command has %d bytes at most",
                              REEL_EXEC_COMMAND);
    }

    err = reel_yaml_text(n, 0, sizeof(node->command) - at - 1,
                         node->command + at, e);

    if (err == REEL_OK) {
        for (size_t i = 0; i < n->len; i++) {
            if ((unsigned char) n->text[i] < 0x20 && n->text[i] != '\n'
                && n->text[i] != '\t')
            {
                return reel_yaml_fail(n, e, "a control character");
            }
        }

        node->nwords++;
    }

    return err;
}


reel_err_t
reel_conf_command(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    reel_node_t  *node = dst;

    node->line = n->line;

    return reel_conf_words(dst, n, REEL_EXEC_WORDS, add_command, e);
}


static reel_err_t
add_input(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char           text[REEL_NODE_NAME + REEL_EXEC_FILE];
    char          *slash;
    reel_err_t     err;
    reel_node_t   *node = dst;
    reel_input_t  *in = &node->inputs[node->ninputs];

    err = reel_yaml_text(n, 1, sizeof(text) - 2, text, e);
    if (err != REEL_OK) {
        return err;
    }

    slash = strchr(text, '/');

    if (slash != NULL) {
        *slash = '\0';

        if (!reel_file_name_valid(reel_str(slash + 1))) {
            return reel_yaml_fail(n, e, "\"%s\" is not a file's name",
                                  slash + 1);
        }

        memcpy(in->file, slash + 1, strlen(slash + 1) + 1);
    }

    if (strlen(text) >= sizeof(in->from)) {
        return reel_yaml_fail(n, e, "there is no task \"%s\"", text);
    }

    memcpy(in->from, text, strlen(text) + 1);
    node->ninputs++;

    return REEL_OK;
}


reel_err_t
reel_conf_inputs(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    return reel_conf_words(dst, n, REEL_NODE_LINKS, add_input, e);
}


static reel_err_t
read_output_name(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    reel_err_t  err = reel_yaml_text(n, 1, REEL_EXEC_FILE - 1, dst, e);

    if (err == REEL_OK && !reel_file_name_valid(reel_str(n->text))) {
        err = reel_yaml_fail(n, e, "\"%.40s\" is not a file's name "
                             "([A-Za-z0-9._-], no leading dot)", n->text);
    }

    return err;
}


/* a name, or a map */
static reel_err_t
read_output(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    reel_node_t    *node = dst;
    reel_output_t  *o = &node->outputs[node->noutputs++];

    static const reel_yaml_key_t keys[] = {
        { "name", REEL_YAML_TYPE_FN, offsetof(reel_output_t, name), 0, 0,
          read_output_name, true },
        U32("max_mib", reel_output_t, max_mib, 1, 1u << 20),
        { "keep", REEL_YAML_TYPE_BOOL, offsetof(reel_output_t, keep), 0, 0,
          NULL, false },
    };

    *o = (reel_output_t) { .max_mib = MAX_MIB, .keep = true };

    return n->kind == REEL_YAML_SCALAR ? read_output_name(o->name, n, e)
           : reel_yaml_map(o, n, ROWS(keys), e);
}


reel_err_t
reel_conf_outputs(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    return reel_conf_words(dst, n, REEL_NODE_LINKS, read_output, e);
}
