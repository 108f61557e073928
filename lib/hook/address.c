#include "lib/hook/address.h"

#include <string.h>

typedef struct {
    uint8_t  first[16];
    unsigned bits;
} net_t;

static const net_t v4[] = {
    { { 0 }, 8 },                       /* this network */
    { { 10 }, 8 },                      /* private */
    { { 100, 64 }, 10 },                /* carriers' NAT */
    { { 127 }, 8 },                     /* loopback */
    { { 169, 254 }, 16 },               /* link-local, and clouds' metadata */
    { { 172, 16 }, 12 },                /* private */
    { { 192, 0, 0 }, 24 },              /* protocol assignments */
    { { 192, 0, 2 }, 24 },              /* documentation */
    { { 192, 88, 99 }, 24 },            /* 6to4 relays */
    { { 192, 168 }, 16 },               /* private */
    { { 198, 18 }, 15 },                /* benchmarks */
    { { 198, 51, 100 }, 24 },           /* documentation */
    { { 203, 0, 113 }, 24 },            /* documentation */
    { { 224 }, 4 },                     /* multicast */
    { { 240 }, 4 }                      /* reserved, broadcast */
};

/* of 2000::/3; whatever lies outside is not public anyway */
static const net_t v6[] = {
    { { 0x20, 0x01 }, 23 },             /* assignments, Teredo */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
    { { 0x3f, 0xff }, 20 }              /* documentation */
};

static const net_t global = { { 0x20 }, 3 };
static const net_t six_to_four = { { 0x20, 0x02 }, 16 };
static const net_t nat64 = { { 0, 0x64, 0xff, 0x9b }, 96 };
static const net_t mapped = {
    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96
};

#define NETS(table) (sizeof(table) / sizeof(table[0]))


static bool
in_net(const uint8_t *address, const net_t *net)
{
    size_t   bytes = net->bits / 8;
    unsigned rest = net->bits % 8;

    return memcmp(address, net->first, bytes) == 0
           && (rest == 0
               || ((address[bytes] ^ net->first[bytes]) >> (8 - rest)) == 0);
}


static bool
in_any(const uint8_t *address, const net_t *nets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (in_net(address, &nets[i])) {
            return true;
        }
    }

    return false;
}


bool
reel_hook_address_public(const uint8_t *address, size_t len)
{
    if (len == 4) {
        return !in_any(address, v4, NETS(v4));
    }

    if (len != 16) {
        return false;
    }

    if (in_net(address, &mapped) || in_net(address, &nat64)) {
        return !in_any(address + 12, v4, NETS(v4));
    }

    if (in_net(address, &six_to_four)) {
        return !in_any(address + 2, v4, NETS(v4));
    }

    return in_net(address, &global) && !in_any(address, v6, NETS(v6));
}
