#include "lib/base/rescale.h"
#include "lib/crypt/digest.h"
#include "lib/manifest/compose.h"
#include "lib/manifest/protection.h"


#define US         1000000      /* a second */
/* films of one title may differ in length by so much, or one part in so many */
#define LENGTH_US  (2 * US)
#define LENGTH_DIV 20
/* sound is another quality from a quarter more, or less, on */
#define RATE_NUM   5
#define RATE_DEN   4


static int64_t
length_us(const reel_index_t *ix)
{
    return reel_rescale(ix->end_ts, US, ix->timescale, REEL_ROUND_NEAR);
}


static const reel_rendition_t *
first_of(const reel_index_t *ix, reel_kind_t kind)
{
    unsigned  i;

    for (i = 0; i < ix->nrenditions; i++) {
        if (ix->renditions[i].kind == kind) {
            return &ix->renditions[i];
        }
    }

    return NULL;
}


/* the grid is that of the first file with video, else of the first one */
static const reel_index_t *
grid_of(const reel_source_t *s, unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        if (s[i].video && first_of(s[i].ix, REEL_VIDEO) != NULL) {
            return s[i].ix;
        }
    }

    return s[0].ix;
}


static reel_err_t
check_lengths(const reel_source_t *s, unsigned n, const reel_index_t *grid,
    reel_error_t *e)
{
    int64_t   us, whole = length_us(grid), off;
    unsigned  i;

    for (i = 0; i < n; i++) {
        if (!s[i].video || first_of(s[i].ix, REEL_VIDEO) == NULL) {
            continue;
        }

        us = length_us(s[i].ix);
        off = us > whole ? us - whole : whole - us;

        if (off > LENGTH_US && off > whole / LENGTH_DIV) {
            return reel_fail(e, REEL_BADDATA, "file %u lasts %lld ms, the "
                             "first one %lld ms: they are not one film",
                             i + 1, (long long) (us / 1000),
                             (long long) (whole / 1000));
        }
    }

    return REEL_OK;
}


static bool
close_rates(uint64_t a, uint64_t b)
{
    return a <= b / RATE_DEN * RATE_NUM && b <= a / RATE_DEN * RATE_NUM;
}


/* the same sound, or text, beside another file's pictures */
static bool
is_listed(const reel_composed_t *c, const reel_rendition_t *r,
    unsigned source, uint64_t average)
{
    unsigned                 i;
    const reel_rendition_t  *q;

    for (i = 0; i < c->ix.nrenditions; i++) {
        q = &c->ix.renditions[i];

        if (q->kind == r->kind && c->source[i] != source
            && q->roles == r->roles
            && reel_str_eq(reel_listing_language(q), reel_listing_language(r))
            && reel_str_eq(q->label, r->label)
            && reel_str_eq(q->codec, r->codec)
            && q->channels == r->channels
            && (r->kind == REEL_TEXT
                || close_rates(c->rates.segments[i].average, average)))
        {
            return true;
        }
    }

    return false;
}


static void
describe(reel_rendition_t *r, const reel_source_t *s)
{
    r->switching_set = 0;

    if (r->kind != REEL_AUDIO) {
        return;
    }

    r->language = s->language.len != 0 ? s->language : r->language;
    r->label = s->label.len != 0 ? s->label : r->label;
    r->roles = s->has_roles ? s->roles : r->roles;
}


/* of a file of pictures and sound it is the pictures' */
static void
set_rates(reel_composed_t *c, unsigned i, const reel_source_t *s,
    unsigned number)
{
    c->rates.segments[i] = s->rates->segments[number];
    c->rates.iframes[i] = s->rates->iframes[number];

    if (s->bitrate != 0
        && (c->ix.renditions[i].kind == REEL_VIDEO || !s->video
            || first_of(s->ix, REEL_VIDEO) == NULL))
    {
        c->rates.segments[i] = (reel_bitrate_t) { s->bitrate, s->bitrate };
    }
}


static reel_err_t
add_rendition(reel_composed_t *c, const reel_source_t *s, unsigned source,
    unsigned number, reel_error_t *e)
{
    char             *name;
    size_t            prefix = strlen(s->prefix);
    unsigned          i = c->ix.nrenditions;
    reel_rendition_t  r = s->ix->renditions[number];

    describe(&r, s);

    if ((r.kind == REEL_VIDEO && !s->video)
        || (r.kind == REEL_AUDIO && !s->audio)
        || (r.kind == REEL_TEXT && !s->text)
        || (r.kind != REEL_VIDEO
            && is_listed(c, &r, source,
                         s->rates->segments[number].average)))
    {
        return REEL_OK;
    }

    if (i == REEL_INDEX_MAX_RENDITIONS) {
        return reel_fail(e, REEL_LIMIT, "over %d tracks are of one title",
                         REEL_INDEX_MAX_RENDITIONS);
    }

    if (prefix + r.name.len > REEL_COMPOSED_NAME) {
        return reel_fail(e, REEL_LIMIT, "a rendition's name is too long");
    }

    name = c->names[i];
    memcpy(name, s->prefix, prefix);
    memcpy(name + prefix, r.name.p, r.name.len);
    name[prefix + r.name.len] = '\0';
    r.name = reel_str(name);

    c->ix.renditions[i] = r;
    c->origins[i] = (reel_origin_t) {
        s->ix, &s->ix->renditions[number], s->protection
    };
    c->source[i] = source;
    c->number[i] = number;
    c->ix.nrenditions++;
    set_rates(c, i, s, number);

    return REEL_OK;
}


/* of all that decides what is printed, the keys too */
static reel_err_t
set_salt(reel_composed_t *c, const reel_source_t *s, unsigned n,
    reel_str_t salt)
{
    uint8_t         out[REEL_SHA256_LEN];
    uint8_t         keys[REEL_KEY];
    unsigned        i;
    reel_err_t      err;
    reel_sha256_t  *h;

    h = reel_sha256_new();
    if (h == NULL) {
        return REEL_NOMEM;
    }

    err = reel_sha256_update(h, salt.p, salt.len);

    for (i = 0; err == REEL_OK && i < n; i++) {
        err = reel_sha256_update(h, s[i].ix->salt, REEL_INDEX_SALT);

        if (err == REEL_OK && s[i].protection != NULL) {
            err = reel_key_iv(keys, &s[i].protection->keys,
                              REEL_STR("version"), 0);
        }

        if (err == REEL_OK && s[i].protection != NULL) {
            err = reel_sha256_update(h, keys, sizeof(keys));
        }
    }

    if (err != REEL_OK) {
        reel_sha256_free(h);
        return err;
    }

    err = reel_sha256_final(h, out);
    if (err == REEL_OK) {
        memcpy(c->ix.salt, out, REEL_INDEX_SALT);
    }

    return err;
}


static void
set_grid(reel_composed_t *c, const reel_index_t *grid)
{
    c->ix.version = grid->version;
    c->ix.publication = grid->publication;
    c->ix.created_ms = grid->created_ms;
    c->ix.timescale = grid->timescale;
    c->ix.gop_ts = grid->gop_ts;
    c->ix.fragments = grid->fragments;
    c->ix.end_ts = grid->end_ts;
}


reel_err_t
reel_compose(reel_composed_t *c, const reel_source_t *s, unsigned n,
    reel_str_t salt, reel_error_t *e)
{
    unsigned             i, k;
    reel_err_t           err;
    const reel_index_t  *grid = grid_of(s, n);

    memset(c, 0, sizeof(*c));
    set_grid(c, grid);

    err = check_lengths(s, n, grid, e);

    for (i = 0; err == REEL_OK && i < n; i++) {
        for (k = 0; err == REEL_OK && k < s[i].ix->nrenditions; k++) {
            err = add_rendition(c, &s[i], i, k, e);
        }
    }

    if (err != REEL_OK) {
        return err;
    }

    if (c->ix.nrenditions == 0) {
        return reel_fail(e, REEL_UNSUPPORTED, "its files have no track that "
                         "is listed");
    }

    c->ix.nsamples = c->ix.nrenditions;

    return set_salt(c, s, n, salt);
}


/* which one of its kind is it, of those of its file? */
static unsigned
place_of(const reel_composed_t *c, unsigned i)
{
    unsigned  k, n = 0;

    for (k = 0; k < i; k++) {
        n += c->source[k] == c->source[i]
             && c->ix.renditions[k].kind == c->ix.renditions[i].kind;
    }

    return n;
}


unsigned
reel_composed_match(const reel_composed_t *c, unsigned i,
    const reel_composed_t *other)
{
    unsigned  k, place = place_of(c, i);

    for (k = 0; k < other->ix.nrenditions; k++) {
        if (other->source[k] == c->source[i]
            && other->ix.renditions[k].kind == c->ix.renditions[i].kind
            && place_of(other, k) == place)
        {
            return k;
        }
    }

    return REEL_INDEX_MAX_RENDITIONS;
}
