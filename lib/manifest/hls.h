/* what the two kinds of HLS playlists share */

#ifndef REEL_MANIFEST_HLS_H
#define REEL_MANIFEST_HLS_H

/*
 * RFC 8216bis, 8: EXT-X-MAP in a playlist that is not I-frames only needs
 * version 6; nothing that is printed needs a later one.
 */
#define REEL_HLS_VERSION 6

#endif
