#include "workerd/config_webhooks.h"

#include <stddef.h>
#include <string.h>

#include "lib/store/layout.h"
#include "workerd/webhook_send.h"

static reel_err_t read_name(void *dst, const reel_yaml_t *n, reel_error_t *e);
static reel_err_t read_types(void *dst, const reel_yaml_t *n,
    reel_error_t *e);

#define AT(member) offsetof(reel_webhook_conf_t, member)
#define ALL_TYPES  ((1u << REEL_HOOK_TYPES) - 1)

static const reel_yaml_key_t webhooks_keys[] = {
    { "name", REEL_YAML_TYPE_FN, AT(name), 0, 0, read_name, true },
    { "url", REEL_YAML_TYPE_TEXT, AT(url), 9, 512, NULL, true },
    { "secret_file", REEL_YAML_TYPE_PATH, AT(secret_file), 1, 512, NULL,
      true },
    { "ca_file", REEL_YAML_TYPE_PATH, AT(ca_file), 1, 512, NULL, false },
    { "project", REEL_YAML_TYPE_TEXT, AT(project), 1, 128, NULL, false },
    { "types", REEL_YAML_TYPE_FN, AT(types), 0, 0, read_types, false },
    { "allow_private", REEL_YAML_TYPE_BOOL, AT(allow_private), 0, 0, NULL,
      false },
};

#define NKEYS (sizeof(webhooks_keys) / sizeof(webhooks_keys[0]))


static reel_err_t
read_name(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char       *name = dst;
    reel_err_t  err = reel_yaml_text(n, 1, 32, name, e);

    if (err == REEL_OK && !reel_name_valid(reel_str(name))) {
        return reel_yaml_fail(n, e, "an endpoint's name has lower-case "
                              "letters, digits and '-' only");
    }

    return err;
}


static reel_err_t
read_types(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char                text[64];
    unsigned           *types = dst;
    reel_err_t          err = reel_yaml_is(n, REEL_YAML_LIST, e);
    const reel_yaml_t  *item;
    reel_hook_type_t    t;

    if (err != REEL_OK) {
        return err;
    }

    *types = 0;

    for (item = n->child; item != NULL; item = item->next) {
        err = reel_yaml_text(item, 1, sizeof(text) - 1, text, e);
        if (err != REEL_OK) {
            return err;
        }

        t = reel_hook_type_find(text);
        if (t == REEL_HOOK_TYPES) {
            return reel_yaml_fail(item, e, "no event \"%.60s\"", text);
        }
        *types |= 1u << t;
    }

    return REEL_OK;
}


static reel_err_t
check_url(const reel_webhook_conf_t *c, const reel_yaml_t *n,
    reel_error_t *e)
{
    bool        https = strncmp(c->url, "https://", 8) == 0;
    bool        http = strncmp(c->url, "http://", 7) == 0;
    const char *host = c->url + (https ? 8 : 7);

    if (!https && !(http && c->allow_private)) {
        return reel_yaml_fail(n, e, "url begins with https://, or with "
                              "http:// where allow_private is true");
    }

    if (memchr(host, '@', strcspn(host, "/?#")) != NULL
        || host[strcspn(host, " \t\r\n#")] != '\0')
    {
        return reel_yaml_fail(n, e, "url has a user, a blank or a fragment");
    }

    return REEL_OK;
}


static reel_err_t
read_endpoint(reel_webhook_conf_t *c, const reel_yaml_t *n, reel_error_t *e)
{
    reel_err_t           err;
    reel_error_t         why = { "" };
    reel_hook_secrets_t  s;

    *c = (reel_webhook_conf_t) { .types = ALL_TYPES };

    err = reel_yaml_map(c, n, webhooks_keys, NKEYS, e);
    if (err == REEL_OK) {
        err = check_url(c, n, e);
    }

    if (err == REEL_OK
        && reel_webhook_secrets(&s, c->secret_file, &why) != REEL_OK)
    {
        err = reel_yaml_fail(n, e, "secret_file: %s", why.text);
    }
    if (err == REEL_OK) {
        explicit_bzero(&s, sizeof(s));
    }

    return err;
}


reel_err_t
reel_config_webhooks(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    reel_err_t             err = reel_yaml_is(n, REEL_YAML_LIST, e);
    const reel_yaml_t     *item;
    reel_webhook_conf_t   *c;
    reel_webhooks_conf_t  *w = dst;

    if (err != REEL_OK) {
        return err;
    }

    for (item = n->child; item != NULL; item = item->next) {
        if (w->n == REEL_WEBHOOKS_MAX) {
            return reel_yaml_fail(item, e, "more than %d endpoints",
                                  REEL_WEBHOOKS_MAX);
        }

        c = &w->endpoint[w->n];
        err = read_endpoint(c, item, e);
        if (err != REEL_OK) {
            return err;
        }

        for (size_t i = 0; i < w->n; i++) {
            if (strcmp(w->endpoint[i].name, c->name) == 0) {
                return reel_yaml_fail(item, e, "two endpoints have the name "
                                      "\"%s\"", c->name);
            }
        }
        w->n++;
    }

    return REEL_OK;
}
