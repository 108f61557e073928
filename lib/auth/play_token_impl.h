/* how the strings of a playback token are packed */

#ifndef REEL_AUTH_PLAY_TOKEN_IMPL_H
#define REEL_AUTH_PLAY_TOKEN_IMPL_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

typedef enum {
    REEL_ITEM_SUB = 1,
    REEL_ITEM_AUD,
    REEL_ITEM_NET,              /* REEL_ITEM_NET_LEN bytes */
    REEL_ITEM_COUNTRY,
    REEL_ITEM_REFERRER
} reel_item_t;

/* address as IPv6 has it (IPv4 mapped), and how many bits count */
#define REEL_ITEM_NET_LEN 17

/* "192.0.2.0/24", "2001:db8::/32", or one address */
reel_err_t reel_item_net(uint8_t net[REEL_ITEM_NET_LEN], reel_str_t s)
    REEL_WARN_UNUSED;

#endif
