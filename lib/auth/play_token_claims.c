/* what the claims of a playback token permit */

#include <arpa/inet.h>

#include "lib/auth/play_token.h"
#include "lib/auth/play_token_impl.h"


#define ADDR_LEN  16
#define MAPPED    12            /* bytes before an IPv4 address */


static const uint8_t  mapped[MAPPED] = { [10] = 0xff, [11] = 0xff };

typedef bool (*match_pt)(reel_str_t item, reel_str_t want);


/* the next item of that kind behind *at; false: there is none */
static bool
next_item(const reel_play_token_t *t, reel_item_t kind, size_t *at,
    reel_str_t *item)
{
    const uint8_t  *p;

    while (*at < t->len) {
        p = t->items + *at;
        *at += 2u + p[1];

        if (p[0] == kind) {
            *item = (reel_str_t) { (const char *) p + 2, p[1] };
            return true;
        }
    }

    return false;
}


/* true too when there is no such item */
static bool
any_matches(const reel_play_token_t *t, reel_item_t kind, reel_str_t want,
    match_pt match)
{
    bool        none = true;
    size_t      at = 0;
    reel_str_t  item;

    while (next_item(t, kind, &at, &item)) {
        if (match(item, want)) {
            return true;
        }

        none = false;
    }

    return none;
}


reel_token_status_t
reel_token_time(const reel_play_token_t *t, int64_t now_s, int64_t grace_s)
{
    if (t->nbf > now_s + REEL_PLAY_TOKEN_LEEWAY_S) {
        return REEL_TOKEN_NOT_YET;
    }

    /* exp is at most in the year 9999 */
    if (now_s >= t->exp + REEL_PLAY_TOKEN_LEEWAY_S + grace_s) {
        return REEL_TOKEN_EXPIRED;
    }

    return REEL_TOKEN_OK;
}


reel_str_t
reel_token_subject(const reel_play_token_t *t)
{
    size_t      at = 0;
    reel_str_t  sub = REEL_STR("");

    (void) next_item(t, REEL_ITEM_SUB, &at, &sub);

    return sub;
}


bool
reel_token_audience(const reel_play_token_t *t, const char *name)
{
    size_t      at = 0;
    reel_str_t  aud;

    while (next_item(t, REEL_ITEM_AUD, &at, &aud)) {
        if (name == NULL) {
            return false;
        }

        if (reel_str_eqz(aud, name)) {
            return true;
        }
    }

    return name == NULL;
}


bool
reel_token_names_one(const reel_play_token_t *t)
{
    reel_str_t  sub = reel_token_subject(t);

    return sub.len != 0 && sub.p[sub.len - 1] != '*';
}


bool
reel_token_covers(const reel_play_token_t *t, reel_str_t path)
{
    reel_str_t  sub = reel_token_subject(t);

    if (sub.len == 0) {
        return false;
    }

    if (sub.p[sub.len - 1] == '*') {
        sub.len--;
        return path.len >= sub.len && memcmp(path.p, sub.p, sub.len) == 0;
    }

    return path.len >= sub.len && memcmp(path.p, sub.p, sub.len) == 0
           && (path.len == sub.len || path.p[sub.len] == '/');
}


/* bits: as told, or all; false: it is no such number */
static bool
net_bits(reel_str_t rest, uint64_t max, uint64_t *bits)
{
    *bits = max;

    return rest.p == NULL
           || (rest.len <= 3 && reel_str_u64(rest, max, bits) == REEL_OK);
}


reel_err_t
reel_item_net(uint8_t net[REEL_ITEM_NET_LEN], reel_str_t s)
{
    char        text[INET6_ADDRSTRLEN];
    uint64_t    bits;
    reel_str_t  rest, addr = reel_str_cut(s, '/', &rest);

    if (reel_str_copy(text, sizeof(text), addr) != REEL_OK
        || memchr(addr.p, '\0', addr.len) != NULL)
    {
        return REEL_BADDATA;
    }

    if (inet_pton(AF_INET, text, net + MAPPED) == 1) {
        memcpy(net, mapped, MAPPED);

        if (!net_bits(rest, 32, &bits)) {
            return REEL_BADDATA;
        }

        net[ADDR_LEN] = (uint8_t) (8 * MAPPED + bits);
        return REEL_OK;
    }

    if (inet_pton(AF_INET6, text, net) != 1 || !net_bits(rest, 128, &bits)) {
        return REEL_BADDATA;
    }

    net[ADDR_LEN] = (uint8_t) bits;

    return REEL_OK;
}


static bool
in_net(reel_str_t item, reel_str_t addr)
{
    size_t          bits = (uint8_t) item.p[ADDR_LEN];
    const uint8_t  *a = (const uint8_t *) addr.p;
    const uint8_t  *net = (const uint8_t *) item.p;

    return addr.len == ADDR_LEN
           && memcmp(a, net, bits / 8) == 0
           && (bits % 8 == 0 || (a[bits / 8] ^ net[bits / 8]) >> (8 - bits % 8)
                                == 0);
}


bool
reel_token_network(const reel_play_token_t *t, const uint8_t *addr,
    size_t len)
{
    uint8_t     full[ADDR_LEN];
    reel_str_t  want = { (char *) full, sizeof(full) };

    if (addr == NULL) {
        want.len = 0;

    } else if (len == ADDR_LEN - MAPPED) {
        memcpy(full, mapped, MAPPED);
        memcpy(full + MAPPED, addr, len);

    } else {
        memcpy(full, addr, ADDR_LEN);
    }

    return any_matches(t, REEL_ITEM_NET, want, in_net);
}


static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}


static bool
equal_nocase(reel_str_t a, reel_str_t b)
{
    size_t  i;

    for (i = 0; i < a.len && i < b.len; i++) {
        if (lower(a.p[i]) != lower(b.p[i])) {
            return false;
        }
    }

    return a.len == b.len;
}


bool
reel_token_country(const reel_play_token_t *t, reel_str_t country)
{
    return any_matches(t, REEL_ITEM_COUNTRY, country, equal_nocase);
}


/* the host of a URL, without user, port and brackets; "" when it has none */
static reel_str_t
host_of(reel_str_t url)
{
    size_t       i;
    reel_str_t   host, rest;
    const char  *at;

    for (i = 0; i + 2 < url.len; i++) {
        if (memcmp(url.p + i, "://", 3) == 0) {
            break;
        }
    }

    if (i + 3 > url.len) {
        return REEL_STR("");
    }

    host = (reel_str_t) { url.p + i + 3, url.len - i - 3 };

    for (i = 0; i < host.len; i++) {
        if (host.p[i] == '/' || host.p[i] == '?' || host.p[i] == '#') {
            break;
        }
    }

    host.len = i;

    while ((at = memchr(host.p, '@', host.len)) != NULL) {
        host.len -= (size_t) (at + 1 - host.p);
        host.p = at + 1;
    }

    if (host.len != 0 && host.p[0] == '[') {
        host.p++;
        host.len--;
        return reel_str_cut(host, ']', &rest);
    }

    return reel_str_cut(host, ':', &rest);
}


/* "example.com", or "*.example.com" for all below it */
static bool
is_host(reel_str_t item, reel_str_t host)
{
    if (item.len < 2 || item.p[0] != '*') {
        return equal_nocase(item, host);
    }

    item.p++;
    item.len--;

    if (host.len <= item.len) {
        return false;
    }

    host.p += host.len - item.len;
    host.len = item.len;

    return equal_nocase(item, host);
}


bool
reel_token_referrer(const reel_play_token_t *t, reel_str_t referer)
{
    return any_matches(t, REEL_ITEM_REFERRER, host_of(referer), is_host);
}
