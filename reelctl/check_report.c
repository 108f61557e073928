/* runs the rules, and tells what came of them */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "reelctl/check.h"


#define LINE 400


void
reel_check_seen(reel_check_t *k)
{
    k->now->seen++;
}


static void
add_fault(reel_check_t *k, const char *fmt, va_list ap)
{
    char                  text[LINE];
    reel_check_result_t  *r = k->now;

    if (r->faults < REEL_CHECK_FAULTS) {
        (void) vsnprintf(text, sizeof(text), fmt, ap);
        r->told[r->faults] = strdup(text);
        k->broken |= r->told[r->faults] == NULL;
    }

    r->faults++;
}


void
reel_check_fault(reel_check_t *k, const char *fmt, ...)
{
    va_list  ap;

    va_start(ap, fmt);
    add_fault(k, fmt, ap);
    va_end(ap);
}


void
reel_check_that(reel_check_t *k, bool holds, const char *fmt, ...)
{
    va_list  ap;

    k->now->seen++;

    if (!holds) {
        va_start(ap, fmt);
        add_fault(k, fmt, ap);
        va_end(ap);
    }
}


static bool
applies(const reel_check_t *k, const reel_check_rule_t *r)
{
    switch (r->on) {
    case REEL_CHECK_ON_HLS:
        return k->hls;
    case REEL_CHECK_ON_MASTER:
        return k->master != NULL;
    case REEL_CHECK_ON_MPD:
        return k->dash;
    case REEL_CHECK_ON_DASH:
        return k->dash && k->mpd.fault[0] == '\0';
    case REEL_CHECK_ON_ANY:
        return true;
    }

    return false;
}


void
reel_check_run(reel_check_t *k)
{
    unsigned  n;

    for (n = 0; n < reel_check_nrules; n++) {
        k->now = &k->results[n];
        k->now->rule = n;

        if (applies(k, &reel_check_rules[n])) {
            reel_check_rules[n].run(k);
        }
    }
}


static const char *
level_name(const reel_check_rule_t *r)
{
    return r->level == REEL_CHECK_MUST ? "MUST" : "SHOULD";
}


static const char *
verdict(const reel_check_result_t *r)
{
    return r->faults != 0 ? "FAIL" : r->seen != 0 ? "ok" : "n/a";
}


static void
put_line(const reel_check_rule_t *rule, const reel_check_result_t *r)
{
    unsigned  n;

    (void) printf("rule %s %s %s: ", rule->number, level_name(rule),
                  verdict(r));

    if (r->faults == 0) {
        (void) printf("%s\n", rule->text);
        return;
    }

    reel_ctl_put_safe(stdout, r->told[0] != NULL ? r->told[0] : rule->text);
    (void) printf("; %s\n", rule->hint);

    for (n = 1; n < r->faults && n < REEL_CHECK_FAULTS; n++) {
        (void) printf("    also: ");
        reel_ctl_put_safe(stdout, r->told[n] != NULL ? r->told[n] : "");
        (void) fputc('\n', stdout);
    }

    if (r->faults > REEL_CHECK_FAULTS) {
        (void) printf("    and %u more\n", r->faults - REEL_CHECK_FAULTS);
    }
}


/* JSON is UTF-8; of a server's text that is none, other bytes become \\xNN */
json_t *
reel_check_json(const char *z)
{
    json_t               *j = json_string(z);
    reel_buf_t            b;
    const unsigned char  *p = (const unsigned char *) z;

    if (j != NULL) {
        return j;
    }

    reel_buf_init(&b, 4 * strlen(z) + 1);

    for ( /* void */ ; *p != '\0'; p++) {
        if (*p < 0x80) {
            reel_buf_u8(&b, *p);
        } else {
            reel_buf_printf(&b, "\\x%02x", *p);
        }
    }

    j = reel_buf_err(&b) == REEL_OK
        ? json_stringn((const char *) b.data, b.len) : NULL;
    reel_buf_release(&b);

    return j;
}


static json_t *
as_json(const reel_check_rule_t *rule, const reel_check_result_t *r)
{
    json_t    *faults = json_array();
    unsigned   n;

    for (n = 0; n < r->faults && n < REEL_CHECK_FAULTS; n++) {
        json_array_append_new(faults, reel_check_json(r->told[n] != NULL
                                                      ? r->told[n] : ""));
    }

    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:o, s:s}", "rule",
                     rule->number, "level", level_name(rule), "result",
                     verdict(r), "text", rule->text, "count",
                     (int) r->faults, "faults", faults, "hint", rule->hint);
}


/* the exit code: 0, or 7 where a MUST does not hold */
int
reel_check_report(reel_check_t *k, const char *profile)
{
    int                        code;
    json_t                    *rules = NULL, *devices = NULL;
    unsigned                   n, must = 0, should = 0, ok = 0, refused = 0;
    const reel_check_rule_t   *rule;
    const reel_check_result_t *r;

    if (k->c->json) {
        rules = json_array();
        devices = json_array();
    }

    for (n = 0; n < reel_check_nrules; n++) {
        rule = &reel_check_rules[n];
        r = &k->results[n];
        must += r->faults != 0 && rule->level == REEL_CHECK_MUST;
        should += r->faults != 0 && rule->level == REEL_CHECK_SHOULD;
        ok += r->faults == 0 && r->seen != 0;

        if (rules != NULL) {
            json_array_append_new(rules, as_json(rule, r));
        } else {
            put_line(rule, r);
        }
    }

    if (profile != NULL) {
        refused = (unsigned) reel_check_devices(k, profile, devices);
    }

    if (rules != NULL) {
        code = reel_ctl_put_json(json_pack(
            "{s:o, s:o, s:o, s:i, s:i, s:i, s:i, s:b}", "url",
            reel_check_json(k->url),
            "rules", rules, "devices", devices, "ok", (int) ok, "must_failed",
            (int) must, "should_failed", (int) should, "devices_failed",
            (int) refused, "conforms", must == 0 && refused == 0));

    } else {
        (void) printf("%u rules hold, %u MUST and %u SHOULD do not", ok, must,
                      should);

        if (profile != NULL) {
            (void) printf("; %u of the %s devices will not play it", refused,
                          profile);
        }

        (void) fputc('\n', stdout);
        code = reel_ctl_done();
    }

    return must != 0 || refused != 0 ? REEL_EXIT_RULES : code;
}


int
reel_check_list_rules(reel_ctl_t *c)
{
    json_t    *all = c->json ? json_array() : NULL;
    unsigned   n;

    for (n = 0; n < reel_check_nrules; n++) {
        const reel_check_rule_t  *r = &reel_check_rules[n];

        if (all != NULL) {
            json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:s}",
                "rule", r->number, "level", level_name(r), "text", r->text,
                "hint", r->hint));
        } else {
            (void) printf("%-9s %-6s  %s\n", r->number, level_name(r),
                          r->text);
        }
    }

    if (all != NULL) {
        return reel_ctl_put_json(all);
    }

    reel_check_list_devices();

    return reel_ctl_done();
}
