/*
 * Which addresses a webhook may be sent to: those of the public Internet.
 * Who may set an endpoint could else make workerd ask what only the inside
 * of a network reaches.
 */

#ifndef REEL_HOOK_ADDRESS_H
#define REEL_HOOK_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * address: 4 or 16 bytes, in network order; else false.  False for what
 * IANA's special-purpose registries (RFC 6890) do not call globally
 * reachable, multicast too, and for IPv6 that carries such an IPv4 address
 * (mapped, NAT64, 6to4).
 */
bool reel_hook_address_public(const uint8_t *address, size_t len);

#endif
