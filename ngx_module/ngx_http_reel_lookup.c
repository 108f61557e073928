/* looks at files that are shared: see ngx_http_reel_lookup.h */

#include "ngx_module/ngx_http_reel_look.h"
#include "ngx_module/ngx_http_reel_lookup.h"
#include "ngx_module/ngx_http_reel_remote.h"

#define BUCKETS      64
/* ms that an answer which is in no zone is known */
#define KNOWN        1000
/* of files that are no movies; of indexes without a zone */
#define KNOWN_BAD    64
#define KNOWN_LARGE  2
/* who waited gets on with it: so many at once, the others 1 ms later */
#define RESUMED      8
/* the files that were last told to be too large for the zone */
#define TOLD         32

typedef struct {
    ngx_http_reel_look_t     look;      /* what the thread gets */
    ngx_http_reel_place_t    place;
    ngx_queue_t              queue;     /* of its bucket */
    ngx_queue_t              mine;      /* of those that are known */
    ngx_queue_t              waiters;
    ngx_event_t              event;     /* goes on with them, or ends it */
    ngx_msec_t               started;
    ngx_shm_zone_t          *zone;
    ngx_http_reel_held_t     held;      /* its own, when it is done */
    unsigned                 listed:1;
    unsigned                 done:1;
    unsigned                 known:1;
} lookup_t;

typedef struct {
    ngx_queue_t              queue;
    ngx_http_request_t      *request;
    ngx_http_reel_held_t    *held;
    ngx_http_reel_loaded_pt  handler;
    lookup_t                *lookup;
    ngx_uint_t               fetching;  /* carries it by subrequests */
} waiter_t;

static lookup_t *find(ngx_http_reel_place_t *place, ngx_queue_t **bucket);
static lookup_t *create(ngx_http_request_t *r, ngx_http_reel_place_t *place,
    ngx_queue_t *bucket);
static ngx_int_t fetch(ngx_http_request_t *r, waiter_t *w);
static void fetched(ngx_http_request_t *r, void *data);
static void abandon(void *data);
static void work(void *data, ngx_log_t *log);
static u_char *make_room(ngx_http_reel_look_t *look, size_t len,
    ngx_log_t *log);
static void make_entry(lookup_t *l, ngx_log_t *log);
static void looked(ngx_http_request_t *r, void *data);
static void settle(lookup_t *l, ngx_http_reel_held_t *held, ngx_log_t *log);
static void tell_large(lookup_t *l, ngx_log_t *log);
static void deliver(lookup_t *l, ngx_http_request_t *r,
    ngx_http_reel_held_t *held, ngx_http_reel_loaded_pt handler);
static void resume(ngx_event_t *ev);
static void keep_known(lookup_t *l);
static void unlist(lookup_t *l);
static void end(lookup_t *l);
static void hold(ngx_http_reel_held_t *held, ngx_http_reel_held_t *from);
static void let_go(void *data);

/* of this worker */
static ngx_queue_t  buckets[BUCKETS];

/* bad files and large indexes, the newest first */
static struct {
    ngx_queue_t  queue;
    ngx_uint_t   n;
    ngx_uint_t   max;
} known[2] = {
    { { NULL, NULL }, 0, KNOWN_BAD },
    { { NULL, NULL }, 0, KNOWN_LARGE }
};


ngx_http_reel_held_t *
ngx_http_reel_lookup_hold(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_reel_held_t));
    if (cln == NULL) {
        return NULL;
    }

    ngx_memzero(cln->data, sizeof(ngx_http_reel_held_t));
    cln->handler = let_go;

    return cln->data;
}


static void
let_go(void *data)
{
    ngx_http_reel_held_t *held = data;

    if (held->entry == NULL) {
        return;
    }

    if (held->zone) {
        ngx_http_reel_zone_release(held->zone, held->entry);

    } else if (--held->entry->refs == 0) {
        ngx_free(held->entry);
    }

    held->entry = NULL;
}


/* a reference more, in the place of what held has */
static void
hold(ngx_http_reel_held_t *held, ngx_http_reel_held_t *from)
{
    if (from->zone) {
        ngx_http_reel_zone_hold(from->zone, from->entry);

    } else {
        from->entry->refs++;
    }

    let_go(held);
    *held = *from;
}


ngx_int_t
ngx_http_reel_lookup(ngx_http_request_t *r, ngx_http_reel_place_t *place,
    ngx_http_reel_held_t *held, ngx_http_reel_loaded_pt handler)
{
    lookup_t     *l;
    waiter_t     *w;
    ngx_queue_t  *bucket;

    l = find(place, &bucket);

    if (l && l->done) {
        r->main->count++;
        deliver(l, r, held, handler);
        return NGX_DONE;
    }

    w = ngx_pcalloc(r->pool, sizeof(waiter_t));
    if (w == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    w->request = r;
    w->held = held;
    w->handler = handler;

    if (l) {
        w->lookup = l;
        ngx_queue_insert_tail(&l->waiters, &w->queue);
        r->main->count++;
        r->main->blocked++;
        return NGX_DONE;
    }

    l = create(r, place, bucket);
    if (l == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    w->lookup = l;

    if (held->entry) {
        l->look.known = 1;
        l->look.st = held->entry->st;
        l->look.beside = held->entry->beside;
    }

    if ((place->uri.len ? fetch(r, w)
                        : ngx_http_reel_task_post(r, work, looked, w))
        != NGX_OK)
    {
        end(l);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    return NGX_DONE;
}


/* a request that is not blocked may go before its subrequests are done */
static ngx_int_t
fetch(ngx_http_request_t *r, waiter_t *w)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = abandon;
    cln->data = w;

    w->lookup->look.remote = 1;

    if (ngx_http_reel_remote_look(r, &w->lookup->look, fetched, w) != NGX_OK) {
        return NGX_ERROR;
    }

    w->fetching = 1;

    return NGX_OK;
}


static void
fetched(ngx_http_request_t *r, void *data)
{
    waiter_t *w = data;

    lookup_t  *l;

    l = w->lookup;
    w->fetching = 0;

    if (l->look.state == NGX_HTTP_REEL_ASSET_PLAYABLE && !l->look.unchanged) {
        if (ngx_http_reel_task_post(r, work, looked, w) == NGX_OK) {
            return;
        }

        reel_movie_free(l->look.movie);
        l->look.state = NGX_HTTP_REEL_ASSET_FAILED;
    }

    looked(r, w);
}


/* those that waited with it are told to try again */
static void
abandon(void *data)
{
    waiter_t *w = data;

    lookup_t  *l;

    if (!w->fetching) {
        return;
    }

    l = w->lookup;
    l->done = 1;
    l->look.state = NGX_HTTP_REEL_ASSET_FAILED;

    if (ngx_queue_empty(&l->waiters)) {
        end(l);
        return;
    }

    unlist(l);
    ngx_add_timer(&l->event, 1);
}


void
ngx_http_reel_lookup_forget(ngx_http_reel_place_t *place)
{
    lookup_t     *l;
    ngx_queue_t  *bucket;

    l = find(place, &bucket);

    if (l) {
        unlist(l);
    }
}


static lookup_t *
find(ngx_http_reel_place_t *place, ngx_queue_t **bucket)
{
    lookup_t     *l;
    ngx_uint_t    i;
    ngx_queue_t  *q;

    if (buckets[0].next == NULL) {
        for (i = 0; i < BUCKETS; i++) {
            ngx_queue_init(&buckets[i]);
        }
    }

    *bucket = &buckets[ngx_murmur_hash2(place->id.data, place->id.len)
                       % BUCKETS];

    for (q = ngx_queue_head(*bucket);
         q != ngx_queue_sentinel(*bucket);
         q = ngx_queue_next(q))
    {
        l = ngx_queue_data(q, lookup_t, queue);

        if (l->place.look == place->look
            && l->place.id.len == place->id.len
            && l->place.root.len == place->root.len
            && ngx_memcmp(l->place.id.data, place->id.data, place->id.len)
               == 0
            && ngx_memcmp(l->place.root.data, place->root.data,
                          place->root.len) == 0)
        {
            return l;
        }
    }

    return NULL;
}


/* it outlives the request that brings it */
static lookup_t *
create(ngx_http_request_t *r, ngx_http_reel_place_t *place,
    ngx_queue_t *bucket)
{
    u_char                     *p;
    lookup_t                   *l;
    ngx_http_reel_loc_conf_t   *conf;
    ngx_http_reel_main_conf_t  *mcf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_reel_module);

    l = ngx_calloc(sizeof(lookup_t) + place->id.len + place->root.len + 2,
                   r->connection->log);
    if (l == NULL) {
        return NULL;
    }

    p = (u_char *) (l + 1);

    l->place = *place;
    l->place.id.data = p;
    p = ngx_cpymem(p, place->id.data, place->id.len) + 1;
    l->place.root.data = p;
    ngx_memcpy(p, place->root.data, place->root.len);

    l->look.asset.p = (char *) l->place.id.data;
    l->look.asset.len = place->id.len;
    l->look.store = conf->store;
    l->look.path = (char *) l->place.root.data;
    l->look.sources = conf->play_source;
    l->look.room = make_room;

    l->zone = place->id.len == REEL_ULID_LEN ? mcf->zone : NULL;
    l->started = ngx_current_msec;
    l->event.handler = resume;
    l->event.data = l;
    l->event.log = ngx_cycle->log;

    ngx_queue_init(&l->waiters);
    ngx_queue_insert_head(bucket, &l->queue);
    l->listed = 1;

    return l;
}


/* in a thread */
static void
work(void *data, ngx_log_t *log)
{
    waiter_t *w = data;

    lookup_t  *l;

    l = w->lookup;

    l->place.look(&l->look, log);

    if (l->look.state == NGX_HTTP_REEL_ASSET_PLAYABLE && !l->look.unchanged) {
        make_entry(l, log);

    } else {
        let_go(&l->held);
    }

    l->look.data = NULL;
}


/*
 * Those of an entry, in the zone or else beside it.  An index is read, or
 * printed, where it stays: it may have tens of MiB, and a page touched first
 * costs more than what stands in it.
 */
static u_char *
make_room(ngx_http_reel_look_t *look, size_t len, ngx_log_t *log)
{
    lookup_t               *l;
    ngx_str_t              *root;
    ngx_http_reel_entry_t  *e;

    l = (lookup_t *) look;
    root = &l->place.root;
    e = NULL;

    if (l->zone) {
        e = ngx_http_reel_zone_alloc(l->zone, root, &l->place.id, len);
    }

    l->held.zone = e ? l->zone : NULL;

    if (e == NULL && l->place.id.len == REEL_ULID_LEN) {
        e = ngx_alloc(ngx_http_reel_entry_size(root, len), log);

        if (e) {
            ngx_http_reel_entry_init(e, root, &l->place.id, len);
        }
    }

    l->held.entry = e;

    return e ? e->data : NULL;
}


static void
make_entry(lookup_t *l, ngx_log_t *log)
{
    ngx_http_reel_entry_t  *e;

    e = l->held.entry;

    ngx_memcpy(e->hashes, l->look.hashes, sizeof(ngx_http_reel_hashes_t));
    e->st = l->look.st;
    e->beside = l->look.beside;
    e->grows = l->look.grows;
    e->checked = l->started;

    if (reel_index_reparse(&e->index, e->data, l->look.len) != REEL_OK) {
        ngx_log_error(NGX_LOG_ALERT, log, 0,
                      "reel: an index that was good is bad now");
        let_go(&l->held);
        l->look.state = NGX_HTTP_REEL_ASSET_FAILED;
    }
}


/* back in the event loop */
static void
looked(ngx_http_request_t *r, void *data)
{
    waiter_t *w = data;

    lookup_t  *l;

    l = w->lookup;
    l->done = 1;

    settle(l, w->held, r->connection->log);

    /* l may end with the last of those that waited */
    if (ngx_queue_empty(&l->waiters)) {
        ngx_post_event(&l->event, &ngx_posted_events);

    } else {
        ngx_add_timer(&l->event, 1);
    }

    deliver(l, r, w->held, w->handler);
}


/* what the zone is told, and what is known from now on */
static void
settle(lookup_t *l, ngx_http_reel_held_t *held, ngx_log_t *log)
{
    if (l->look.state == NGX_HTTP_REEL_ASSET_PLAYABLE) {

        if (l->look.unchanged) {
            hold(&l->held, held);
            ngx_http_reel_zone_checked(held->zone, held->entry, l->started);

        } else if (l->held.zone) {
            ngx_http_reel_zone_link(l->held.zone, l->held.entry);

        } else if (l->zone) {
            ngx_http_reel_zone_drop(l->zone, &l->place.root, &l->place.id);
            tell_large(l, log);
            keep_known(l);
        }

    } else if (l->look.state != NGX_HTTP_REEL_ASSET_FAILED) {

        if (l->zone) {
            ngx_http_reel_zone_drop(l->zone, &l->place.root, &l->place.id);
        }

        if (l->look.state == NGX_HTTP_REEL_ASSET_BAD_FILE) {
            keep_known(l);
        }
    }

    if (!l->known) {
        unlist(l);
    }
}


static void
tell_large(lookup_t *l, ngx_log_t *log)
{
    size_t      size;
    uint32_t    hash;
    ngx_uint_t  i;

    static uint32_t    told[TOLD];
    static ngx_uint_t  next;

    size = ngx_http_reel_entry_size(&l->place.root, l->look.len);

    if (size <= l->zone->shm.size / 4) {
        return;
    }

    hash = ngx_murmur_hash2(l->place.id.data, l->place.id.len) | 1;

    for (i = 0; i < TOLD; i++) {
        if (told[i] == hash) {
            return;
        }
    }

    told[next++ % TOLD] = hash;

    ngx_log_error(NGX_LOG_WARN, log, 0, "reel: the index of \"%V\" has %uz "
                  "bytes, over a quarter of the zone \"%V\": it is made anew "
                  "every second", l->place.look == ngx_http_reel_look
                  ? &l->place.id : &l->place.root, size, &l->zone->shm.name);
}


static void
deliver(lookup_t *l, ngx_http_request_t *r, ngx_http_reel_held_t *held,
    ngx_http_reel_loaded_pt handler)
{
    ngx_http_reel_loaded_t  loaded;

    if (l->look.state == NGX_HTTP_REEL_ASSET_PLAYABLE) {
        hold(held, &l->held);
        ngx_http_reel_lookup_found(r, held->entry, handler);
        return;
    }

    ngx_memzero(&loaded, sizeof(ngx_http_reel_loaded_t));
    loaded.state = l->look.state;
    loaded.status = l->look.status;

    handler(r, &loaded);
}


void
ngx_http_reel_lookup_found(ngx_http_request_t *r, ngx_http_reel_entry_t *e,
    ngx_http_reel_loaded_pt handler)
{
    ngx_http_reel_loaded_t  loaded;

    loaded.state = NGX_HTTP_REEL_ASSET_PLAYABLE;
    loaded.index = &e->index;
    loaded.entry = e;
    loaded.hashes = e->hashes;
    loaded.mtime = (time_t) (e->st.mtime_ns / 1000000000);

    handler(r, &loaded);
}


/* the next ones that waited, or the end of what is known */
static void
resume(ngx_event_t *ev)
{
    lookup_t *l = ev->data;

    waiter_t            *w;
    ngx_uint_t           n;
    ngx_queue_t         *q;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    if (ev->timedout && ev->cancelable) {
        end(l);
        return;
    }

    ev->timedout = 0;

    for (n = 0; n < RESUMED && !ngx_queue_empty(&l->waiters); n++) {
        q = ngx_queue_head(&l->waiters);
        w = ngx_queue_data(q, waiter_t, queue);
        ngx_queue_remove(q);

        r = w->request;
        c = r->connection;
        r->main->blocked--;

        ngx_http_set_log_request(c->log, r);
        deliver(l, r, w->held, w->handler);
        ngx_http_run_posted_requests(c);
    }

    if (!ngx_queue_empty(&l->waiters)) {
        ngx_add_timer(ev, 1);
        return;
    }

    if (!l->known) {
        end(l);
        return;
    }

    /* an exiting worker need not wait for it */
    ev->cancelable = 1;
    ngx_add_timer(ev, KNOWN);
}


/* those that were known for longest make room */
static void
keep_known(lookup_t *l)
{
    lookup_t    *old;
    ngx_uint_t   i;

    if (!l->listed) {
        return;
    }

    i = (l->look.state == NGX_HTTP_REEL_ASSET_PLAYABLE);

    if (known[i].queue.next == NULL) {
        ngx_queue_init(&known[i].queue);
    }

    if (known[i].n == known[i].max) {
        old = ngx_queue_data(ngx_queue_last(&known[i].queue), lookup_t, mine);
        unlist(old);
    }

    ngx_queue_insert_head(&known[i].queue, &l->mine);
    known[i].n++;
    l->known = 1;
}


/* nobody finds it any more; it ends when its event says so */
static void
unlist(lookup_t *l)
{
    if (l->listed) {
        ngx_queue_remove(&l->queue);
        l->listed = 0;
    }

    if (l->known) {
        ngx_queue_remove(&l->mine);
        known[l->look.state == NGX_HTTP_REEL_ASSET_PLAYABLE].n--;
        l->known = 0;

        if (l->event.cancelable) {
            end(l);
        }
    }
}


static void
end(lookup_t *l)
{
    /* before l's event is looked at: unlist() may not come back here */
    l->event.cancelable = 0;
    unlist(l);

    if (l->event.timer_set) {
        ngx_del_timer(&l->event);
    }

    if (l->event.posted) {
        ngx_delete_posted_event(&l->event);
    }

    let_go(&l->held);
    ngx_free(l);
}
