/* what the files of playback share */

#ifndef NGX_HTTP_REEL_PLAY_H
#define NGX_HTTP_REEL_PLAY_H

#include "ngx_module/ngx_http_reel_key_server.h"
#include "ngx_module/ngx_http_reel_module.h"
#include "ngx_module/ngx_http_reel_token.h"

#include "lib/title/vod_name.h"

typedef struct ngx_http_reel_play_s  ngx_http_reel_play_t;

/* sends the answer; returns what ngx_http_finalize_request takes */
typedef ngx_int_t (*ngx_http_reel_answer_pt)(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);

typedef enum {
    NGX_HTTP_REEL_OF_ASSET,         /* /<id>/<name> */
    NGX_HTTP_REEL_OF_RENDITION,     /* /<id>/<rendition>[~<hash>]/<name> */
    NGX_HTTP_REEL_OF_HEADER,        /* as that, name = init-<n><suffix> */
    NGX_HTTP_REEL_OF_KEY,           /* as of a segment; or for <rendition>
                                       "video", "audio" */
    NGX_HTTP_REEL_OF_SHEET,         /* /<id>/storyboard[~<hash>]/<n><suffix> */
    NGX_HTTP_REEL_OF_SEGMENT        /* as that, name = <n><suffix> */
} ngx_http_reel_of_e;

/* which version of an asset it is of */
typedef enum {
    NGX_HTTP_REEL_IN_CMAF = REEL_CONTAINER_CMAF,
    NGX_HTTP_REEL_IN_TS = REEL_CONTAINER_TS,
    NGX_HTTP_REEL_IN_CONFIGURED         /* the hash's, or the location's */
} ngx_http_reel_in_e;

typedef struct {
    ngx_http_reel_of_e       of;
    ngx_str_t                name;      /* or suffix */
    ngx_uint_t               manifest;  /* changes while the index grows */
    ngx_http_reel_in_e       container;
    ngx_http_reel_answer_pt  answer;
    /* Content-Type: video, audio, text; of a kind without it is no answer */
    ngx_str_t                type[3];
} ngx_http_reel_route_t;

struct ngx_http_reel_play_s {
    /* of the path */
    ngx_str_t                    asset;     /* id, or a file's URI */
    ngx_http_reel_place_t        place;
    ngx_str_t                    name;      /* rendition without hash */
    ngx_str_t                    track;     /* of a title: its name in the
                                               file's index */
    struct ngx_http_reel_title_s  *title;   /* NULL: it is none */
    reel_vod_name_t             *compat;    /* a name of nginx-vod-module's */
    reel_shape_t                 clip;      /* /clipFrom/<ms>/clipTo/<ms> */
    ngx_str_t                    hash;      /* len 0: a bare name */
    ngx_str_t                    segment;   /* digits */
    ngx_str_t                    header;    /* init-<n> */
    uint32_t                     number;    /* of either */
    const ngx_http_reel_route_t *route;

    /* of the index */
    const reel_index_t          *index;
    const reel_rendition_t      *rendition;
    const reel_rendition_t      *second;    /* sound in its segments, too */
    reel_manifest_opts_t         opts;
    const char                  *version;   /* hash with these opts */
    const char                  *exact;     /* and of what is there now, if
                                               names stay while it grows */
    ngx_http_reel_hash_t        *hashes;    /* encrypted, else NULL */
    time_t                       mtime;
    struct ngx_http_reel_entry_s  *entry;   /* what index lies in */

    /*
     * Parameters of the query that change what is printed, one spelling of
     * each, in one order: part of the key of what is kept and of the ETag.
     */
    ngx_str_t                    shape;
    reel_shape_t                 told;      /* without the path's clip */

    /* what a token, here or at an edge, permits of it; narrowed into shape */
    reel_shape_t                 limits;
    ngx_uint_t                   outside;   /* nothing of the clip is left */
    ngx_str_t                    file;      /* of a movie's samples */

    ngx_uint_t                   again;     /* looked up a second time */
    ngx_uint_t                   sourced;   /* and in the source */

    /* what an answer goes on with that waits for the key server; its key */
    ngx_http_reel_loaded_t       loaded;
    u_char                       master[NGX_HTTP_REEL_MASTER_KEY];
    ngx_uint_t                   keyed;
    void                        *out;       /* of the file that answers */
};


/* ngx_http_reel_path.c */

/* fills in what p has of the path; NGX_DECLINED: it is of no known form */
ngx_int_t ngx_http_reel_path_parse(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);

/* the same of parts: a name in a rendition's folder, or in the asset's */
ngx_int_t ngx_http_reel_path_name(ngx_http_reel_play_t *p, ngx_str_t *name,
    ngx_str_t *rendition);


/* ngx_http_reel_query.c */

/*
 * Fills in p->opts.shape and p->shape; NGX_DECLINED: a parameter of ours is
 * malformed, e says which.
 */
ngx_int_t ngx_http_reel_query_parse(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, reel_error_t *e);


/* ngx_http_reel_limit.c */

/*
 * Do its limits, and a token that has expired, permit what p asks for?
 * p->index and p->rendition are set.  REEL_TOKEN_OK, or why not.
 */
reel_token_status_t ngx_http_reel_limit_check(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);

/* of a picture that shows for so long */
ngx_uint_t ngx_http_reel_limit_overlaps(ngx_http_reel_play_t *p,
    uint64_t from_ms, uint64_t len_ms);


/* ngx_http_reel_movie.c */

/*
 * The same in a location of files: what is no name of a route is the file's
 * path.  Sets p->place.
 */
ngx_int_t ngx_http_reel_movie_path(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);

ngx_int_t ngx_http_reel_movie_media(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);

/* sets p->place, or p->title, of p->asset, which loses a clip at its end */
ngx_int_t ngx_http_reel_movie_file(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);

/* where the file of a URI below this location is, terminated */
ngx_int_t ngx_http_reel_movie_map(ngx_http_request_t *r, ngx_str_t *uri,
    ngx_str_t *path);

/* and its place */
ngx_int_t ngx_http_reel_movie_place(ngx_http_request_t *r, ngx_str_t *uri,
    ngx_http_reel_place_t *place);


/* ngx_http_reel_title.c */

/* NGX_DECLINED: p->asset is a file; else sets p->title */
ngx_int_t ngx_http_reel_title_path(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);

/* answers a request for p->title; as a content handler */
ngx_int_t ngx_http_reel_title_play(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);


/* ngx_http_reel_compat.c */

/* as ngx_http_reel_movie_path(), which takes what is no such name */
ngx_int_t ngx_http_reel_compat_path(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);

/* which tracks its name tells, "f2-v1" */
ngx_str_t ngx_http_reel_compat_told(ngx_http_reel_play_t *p);

/* is it a playlist of pictures and sound of one of a title's files? */
ngx_uint_t ngx_http_reel_compat_both(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);

/* of a title, from 1 */
ngx_uint_t ngx_http_reel_compat_file(ngx_http_reel_play_t *p);

/* finds its track, or names all of them; else what the 404 says */
const char *ngx_http_reel_compat_loaded(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);


/* ngx_http_reel_play.c */

/* looks up the index of place, and answers from it */
ngx_int_t ngx_http_reel_play_place(ngx_http_request_t *r,
    ngx_http_reel_place_t *place);

/* answers from what was looked up */
ngx_int_t ngx_http_reel_play_loaded(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, ngx_http_reel_loaded_t *loaded);

/* what an asset without an index is answered */
ngx_int_t ngx_http_reel_play_refuse(ngx_http_request_t *r,
    ngx_http_reel_asset_e state);

/* 404: of a rendition, segment or image that the index does not have */
ngx_int_t ngx_http_reel_play_absent(ngx_http_request_t *r,
    const char *detail);

/*
 * An object that the index names is gone: the asset was deleted or
 * published anew less than a second ago.  Looks it up again, once.
 */
ngx_int_t ngx_http_reel_play_again(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);

/* goes on where an answer waited for keys, and finalizes r */
void ngx_http_reel_play_resume(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);


/* ngx_http_reel_play_version.c */

/*
 * Which of an index's forms p's path names by its hash, or gets: p's version,
 * exact and opts.  NGX_DECLINED: none that is served any more.
 */
ngx_int_t ngx_http_reel_play_version(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, ngx_http_reel_hash_t *hashes);


/* ngx_http_reel_play_output.c */

/*
 * Fills in the headers of a 200 whose body has len bytes; etag is not
 * copied, quotes included.  The length, unless the filters change it.
 */
ngx_int_t ngx_http_reel_play_headers(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, off_t len, ngx_str_t *etag);

/* NGX_DECLINED: a body may follow; else that was all, return the code */
ngx_int_t ngx_http_reel_play_send_header(ngx_http_request_t *r);

/* sends the headers, and out unless they are all that is wanted */
ngx_int_t ngx_http_reel_play_output(ngx_http_request_t *r,
    ngx_chain_t *out);

/* the same with len bytes of memory, which stay as long as r's pool */
ngx_int_t ngx_http_reel_play_bytes(ngx_http_request_t *r, u_char *data,
    size_t len);

/* an ETag: version, rendition, what; weak: W/"…" */
ngx_int_t ngx_http_reel_play_etag(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, ngx_str_t *what, ngx_uint_t weak,
    ngx_str_t *etag);


/* ngx_http_reel_manifest.c */

/* the bit rates of an entry's whole index, kept beside it */
const reel_rates_t *ngx_http_reel_manifest_rates(
    struct ngx_http_reel_entry_s *e, reel_container_t container);

ngx_int_t ngx_http_reel_manifest_master(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);
ngx_int_t ngx_http_reel_manifest_media(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);
ngx_int_t ngx_http_reel_manifest_iframes(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);
ngx_int_t ngx_http_reel_manifest_mpd(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);
ngx_int_t ngx_http_reel_manifest_storyboard(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);


/* ngx_http_reel_gzip.c */

/* does the client take gzip? */
ngx_uint_t ngx_http_reel_gzip_wanted(ngx_http_request_t *r);

/* fills out; NGX_DECLINED: it stays plain, out has nothing to release */
ngx_int_t ngx_http_reel_gzip(ngx_str_t *plain, reel_buf_t *out);


/* ngx_http_reel_segment.c */

ngx_int_t ngx_http_reel_segment_init(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);
ngx_int_t ngx_http_reel_segment_media(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);

/* sends the n stretches of objects in folder; what: names it in the ETag */
ngx_int_t ngx_http_reel_segment_send(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, const reel_extent_t *ext, ngx_uint_t n,
    reel_str_t folder, ngx_str_t *what);

/* makes b the stretch ext of an object; as ngx_http_reel_object_open() */
ngx_int_t ngx_http_reel_segment_open(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, reel_str_t folder, const reel_extent_t *ext,
    ngx_buf_t *b);

/* which fragments p->number is; else what the 404 says */
const char *ngx_http_reel_segment_fragments(ngx_http_reel_play_t *p,
    uint32_t *first, uint32_t *count);

/* logs and answers that the index does not say where they lie */
ngx_int_t ngx_http_reel_segment_lost(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, reel_err_t err);


/* ngx_http_reel_image.c */

ngx_int_t ngx_http_reel_image_poster(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);
ngx_int_t ngx_http_reel_image_thumb(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);
ngx_int_t ngx_http_reel_image_sheet(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);


/* ngx_http_reel_sealed.c */

ngx_int_t ngx_http_reel_sealed_iframe(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);


/* ngx_http_reel_key.c */

ngx_int_t ngx_http_reel_key(ngx_http_request_t *r, ngx_http_reel_play_t *p);
ngx_int_t ngx_http_reel_key_iframe(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);
ngx_int_t ngx_http_reel_license(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);


/* ngx_http_reel_text.c */

ngx_int_t ngx_http_reel_text_segment(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);
ngx_int_t ngx_http_reel_text_whole(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);


/* ngx_http_reel_download.c */

ngx_int_t ngx_http_reel_download(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);


/* ngx_http_reel_object.c */

/*
 * Opens the object that holds ext, for as long as pool lives, and sets file's
 * name, descriptor and so on.  cached: it is read through the page cache,
 * whatever "directio" says.  NGX_DECLINED: there is no such file; NGX_ABORT:
 * it is not what the index says, which was logged.
 */
ngx_int_t ngx_http_reel_object_open(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, ngx_pool_t *pool, reel_str_t folder,
    const reel_extent_t *ext, ngx_uint_t cached, ngx_file_t *file);

/* answers what an opening or a look into an object came to, but DECLINED */
ngx_int_t ngx_http_reel_object_refuse(ngx_http_request_t *r, ngx_int_t rc);


/* ngx_http_reel_socket.c */

/* for responses of several pieces of files; before the first is sent */
void ngx_http_reel_socket_no_delay(ngx_http_request_t *r);

/* first of a write_event_handler: did the client time out?  finalizes r */
ngx_uint_t ngx_http_reel_socket_timed_out(ngx_http_request_t *r);

/* has r's write_event_handler called when it takes more, or timed out */
ngx_int_t ngx_http_reel_socket_wait(ngx_http_request_t *r);


/* ngx_http_reel_ts.c */

ngx_int_t ngx_http_reel_ts_media(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);

#endif
