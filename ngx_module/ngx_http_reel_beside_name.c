/* what the name of a text beside a movie tells */

#include "ngx_module/ngx_http_reel_beside.h"

static ngx_uint_t parse_part(ngx_http_reel_beside_name_t *n, reel_str_t part);
static ngx_uint_t set_language(ngx_http_reel_beside_name_t *n, reel_str_t s);


/* <stem>[<suffix>][.<part>]….srt */
ngx_uint_t
ngx_http_reel_beside_name(ngx_http_reel_beside_name_t *n, const char *name,
    const char *base, size_t stem, reel_str_t suffix)
{
    size_t      len;
    reel_str_t  rest, part;

    len = strlen(name);

    if (len < stem + 4 || memcmp(name, base, stem) != 0
        || name[stem] != '.')
    {
        return 0;
    }

    rest = (reel_str_t) { name + len - 4, 4 };
    n->srt = reel_str_eqz(rest, ".srt");

    if (!n->srt && !reel_str_eqz(rest, ".vtt")) {
        return 0;
    }

    n->language[0] = '\0';
    n->roles = 0;

    rest = (reel_str_t) { name + stem, len - 4 - stem };

    if (suffix.len && rest.len >= suffix.len
        && memcmp(rest.p, suffix.p, suffix.len) == 0
        && (rest.len == suffix.len || rest.p[suffix.len] == '.'))
    {
        rest.p += suffix.len;
        rest.len -= suffix.len;
    }

    if (rest.len == 0) {
        return 1;
    }

    (void) reel_str_cut(rest, '.', &rest);

    while (rest.p != NULL) {
        part = reel_str_cut(rest, '.', &rest);

        if (!parse_part(n, part)) {
            return 0;
        }
    }

    return 1;
}


/* any other part is of another film's name */
static ngx_uint_t
parse_part(ngx_http_reel_beside_name_t *n, reel_str_t part)
{
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        uint32_t     role;
    } flags[] = {
        { "forced", REEL_ROLE_FORCED },
        { "sdh", REEL_ROLE_CAPTIONS },
        { "cc", REEL_ROLE_CAPTIONS },
        { "commentary", REEL_ROLE_COMMENTARY },
        { "default", REEL_ROLE_DEFAULT },
        { NULL, 0 }
    };

    for (i = 0; flags[i].name; i++) {
        if (reel_str_eqz(part, flags[i].name)) {
            n->roles |= flags[i].role;
            return 1;
        }
    }

    return n->language[0] == '\0' && set_language(n, part);
}


/* "en", "ger", "pt-BR", "pt_BR" */
static ngx_uint_t
set_language(ngx_http_reel_beside_name_t *n, reel_str_t s)
{
    size_t  i, run;
    u_char  c;

    if (s.len > NGX_HTTP_REEL_BESIDE_LANGUAGE) {
        return 0;
    }

    for (run = 0, i = 0; i < s.len; i++) {
        c = (u_char) s.p[i];
        n->language[i] = (char) (c == '_' ? '-' : c);

        if (c == '_' || c == '-') {
            if (run < 2 || (run == i && run > 3)) {
                break;
            }

            run = 0;
            continue;
        }

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (run != i && c >= '0' && c <= '9'))
            || ++run > 8)
        {
            break;
        }
    }

    if (i < s.len || run < 2 || (run == i && run > 3)) {
        n->language[0] = '\0';
        return 0;
    }

    n->language[i] = '\0';

    return 1;
}
