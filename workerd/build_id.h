#ifndef REEL_WORKERD_BUILD_ID_H
#define REEL_WORKERD_BUILD_ID_H

#define REEL_BUILD_ID 65        /* bytes with the terminator */

/*
 * SHA-256 (hex) of what makes an encode come out as it does, besides its
 * payload and source: the build IDs of this program and of the loaded
 * libraries that decode, scale and encode.  "" when there is no memory.
 */
void reel_build_id(char dst[REEL_BUILD_ID]);

#endif
