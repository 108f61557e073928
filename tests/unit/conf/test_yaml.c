/* YAML as nodes that know their place, and refusals in one form */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf/yaml.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

typedef struct {
    uint32_t n;
    bool     on;
    char     text[9];
    uint32_t inner;
} conf_t;


static reel_err_t
read_inner(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    static const reel_yaml_key_t keys[] = {
        { "deep", REEL_YAML_TYPE_U32, 0, 1, 9, NULL, true },
    };

    return reel_yaml_map(dst, n, keys, COUNT(keys), e);
}


static const reel_yaml_key_t table[] = {
    { "n", REEL_YAML_TYPE_U32, offsetof(conf_t, n), 2, 4000000000, NULL,
      true },
    { "on", REEL_YAML_TYPE_BOOL, offsetof(conf_t, on), 0, 0, NULL, false },
    { "text", REEL_YAML_TYPE_TEXT, offsetof(conf_t, text), 1, 8, NULL,
      false },
    { "inner", REEL_YAML_TYPE_FN, offsetof(conf_t, inner), 0, 0, read_inner,
      false },
};


static reel_err_t
load(conf_t *c, const char *text, reel_error_t *e)
{
    reel_err_t   err;
    reel_yaml_t *root;

    *c = (conf_t) { 0 };
    e->text[0] = '\0';

    err = reel_yaml_parse(&root, "f.yaml", text, strlen(text), e);

    if (err == REEL_OK) {
        err = reel_yaml_map(c, root, table, COUNT(table), e);
        reel_yaml_free(root);
    } else {
        assert_null(root);
    }

    return err;
}


static void
values(void **state)
{
    conf_t       c;
    reel_error_t e;

    (void) state;

    assert_int_equal(load(&c, "# comment\nn: 4000000000\non: true\n"
                              "text: \"a: b\"\ninner: { deep: 7 }\n", &e),
                     REEL_OK);
    assert_int_equal(c.n, 4000000000);
    assert_true(c.on);
    assert_string_equal(c.text, "a: b");
    assert_int_equal(c.inner, 7);

    /* text may look like a number; what is absent stays */
    assert_int_equal(load(&c, "{n: 2, text: 12345678}", &e), REEL_OK);
    assert_string_equal(c.text, "12345678");
    assert_int_equal(c.inner, 0);
}


static void
refused(void **state)
{
    size_t       i;
    conf_t       c;
    reel_error_t e;
    static const struct {
        const char *yaml, *text;
    } rows[] = {
        { "", "f.yaml:1:1: \"n\" is missing" },
        { "n: 5\nm: 6\n", "f.yaml:2:1: unknown key \"m\"" },
        { "n: 5\nn: 6\n", "f.yaml:2:1: \"n\" stands twice" },
        { "on: true\n", "f.yaml:1:1: \"n\" is missing" },
        { "n: 1\n", "f.yaml:1:4: n must lie within 2 to 4000000000, not 1" },
        { "n: 4000000001\n",
          "f.yaml:1:4: n must lie within 2 to 4000000000, not 4000000001" },
        { "n: 99999999999999999999\n", "f.yaml:1:4: n must lie within" },
        { "n: -5\n", "f.yaml:1:4: n must be a whole number, not \"-5\"" },
        { "n: 5.5\n", "f.yaml:1:4: n must be a whole number, not \"5.5\"" },
        { "n: 0x10\n", "f.yaml:1:4: n must be a whole number" },
        { "n: \"5\"\n", "f.yaml:1:4: n must be a whole number, not \"5\"" },
        { "n:\n", "f.yaml:1:3: n must be a whole number, not \"\"" },
        { "n: [5]\n", "f.yaml:1:4: n must be a single value, not a list" },
        { "n: 5\non: yes\n",
          "f.yaml:2:5: on must be true or false, not \"yes\"" },
        { "n: 5\non: \"true\"\n", "f.yaml:2:5: on must be true or false" },
        { "n: 5\ntext: 123456789\n",
          "f.yaml:2:7: text must have 1 to 8 bytes" },
        { "n: 5\ntext: \"\"\n", "f.yaml:2:7: text must have 1 to 8 bytes" },
        { "n: 5\ntext: \"a\\0b\"\n", "f.yaml:2:7: text must have" },
        { "n: 5\ninner: 3\n",
          "f.yaml:2:8: inner must be a map, not a single value" },
        { "n: 5\ninner:\n  deep: 10\n",
          "f.yaml:3:9: deep must lie within 1 to 9, not 10" },
        { "n: 5\ninner:\n  deeper: 1\n",
          "f.yaml:3:3: unknown key \"deeper\"" },
        { "n: 5\ninner: {}\n", "f.yaml:2:8: \"deep\" is missing" },
        { "- n\n", "f.yaml:1:1: value must be a map, not a list" },
        { "n: &x 5\n", "f.yaml:1:4: anchors, aliases and tags" },
        { "n: *x\n", "f.yaml:1:4: anchors, aliases and tags" },
        { "n: !!int 5\n", "f.yaml:1:4: anchors, aliases and tags" },
        { "? [a]\n: 5\n", "f.yaml:1:3: a key must be a word" },
        { "n: 5\n---\nn: 6\n", "f.yaml:3:1: a second document" },
        { "n: {\n", "f.yaml:2:1: " },
        { "n: 5\n\tx: 6\n", "f.yaml:2:1: " },
        { "n: \xff\n", "f.yaml:" },
        { "[[[[[[[[[[[[[[[[[[[[", "f.yaml:1:17: nested too deep" },
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(load(&c, rows[i].yaml, &e), REEL_BADDATA);

        if (strncmp(e.text, rows[i].text, strlen(rows[i].text)) != 0) {
            fail_msg("\"%s\", not \"%s\"", e.text, rows[i].text);
        }
    }
}


static void
nodes(void **state)
{
    static const char text[] = "list:\n  - a\n  - 'b'\n  - { k: v }\n";
    reel_yaml_t       *root;
    const reel_yaml_t *n;

    (void) state;

    assert_int_equal(reel_yaml_parse(&root, "f.yaml", text, strlen(text),
                                     NULL), REEL_OK);
    n = reel_yaml_find(root, "list");
    assert_non_null(n);
    assert_null(reel_yaml_find(root, "lis"));
    assert_int_equal(n->kind, REEL_YAML_LIST);
    assert_int_equal(n->count, 3);
    assert_int_equal(n->key_line, 1);
    assert_true(n->child->plain);
    assert_false(n->child->next->plain);
    assert_string_equal(n->child->next->text, "b");
    assert_int_equal(n->child->next->line, 3);
    assert_int_equal(n->child->next->column, 5);
    assert_string_equal(reel_yaml_find(n->child->next->next, "k")->text,
                        "v");
    reel_yaml_free(root);
    reel_yaml_free(NULL);
}


static void
files(void **state)
{
    char          dir[] = "/tmp/reel-yaml-XXXXXX";
    char          file[64];
    FILE         *fp;
    char         *big;
    reel_error_t  e;
    reel_yaml_t  *root;

    (void) state;

    assert_non_null(mkdtemp(dir));
    (void) snprintf(file, sizeof(file), "%s/a.yaml", dir);

    assert_int_equal(reel_yaml_load(&root, file, &e), REEL_NOTFOUND);
    assert_non_null(strstr(e.text, "a.yaml: No such file"));
    assert_int_equal(reel_yaml_load(&root, dir, &e), REEL_IO);

    big = malloc(REEL_YAML_FILE_MAX + 1);
    assert_non_null(big);
    memset(big, '#', REEL_YAML_FILE_MAX + 1);
    fp = fopen(file, "w");
    assert_non_null(fp);
    assert_int_equal(fwrite(big, 1, REEL_YAML_FILE_MAX, fp),
                     REEL_YAML_FILE_MAX);
    assert_int_equal(fflush(fp), 0);
    assert_int_equal(reel_yaml_load(&root, file, &e), REEL_OK);
    assert_int_equal(root->kind, REEL_YAML_MAP);
    reel_yaml_free(root);

    assert_int_equal(fputc('#', fp), '#');
    assert_int_equal(fclose(fp), 0);
    assert_int_equal(reel_yaml_load(&root, file, &e), REEL_LIMIT);
    free(big);

    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(dir), 0);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(refused),
        cmocka_unit_test(nodes),
        cmocka_unit_test(files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
