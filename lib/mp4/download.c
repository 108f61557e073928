#include "lib/base/rescale.h"
#include "lib/mp4/box.h"
#include "lib/mp4/box_reader.h"
#include "lib/mp4/download.h"

#define FTYP        REEL_FOURCC('f', 't', 'y', 'p')
#define MOOV        REEL_FOURCC('m', 'o', 'o', 'v')
#define MVHD        REEL_FOURCC('m', 'v', 'h', 'd')
#define TRAK        REEL_FOURCC('t', 'r', 'a', 'k')
#define TKHD        REEL_FOURCC('t', 'k', 'h', 'd')
#define MVEX        REEL_FOURCC('m', 'v', 'e', 'x')
#define TREX        REEL_FOURCC('t', 'r', 'e', 'x')
#define MEHD        REEL_FOURCC('m', 'e', 'h', 'd')
#define SIDX        REEL_FOURCC('s', 'i', 'd', 'x')

#define NEXT_ID     4               /* the last bytes of mvhd */
#define SAP_1       0x90000000u     /* starts_with_SAP, SAP_type 1 */
#define SIZE_MAX_31 0x7fffffffu

/* whole boxes of a stored header, borrowed from the index */
typedef struct {
    reel_str_t mvhd;
    reel_str_t trak;
    reel_str_t trex;
    uint32_t   track_id;
    uint32_t   timescale;       /* of the movie */
} header_t;

const uint8_t  reel_download_tail[REEL_DOWNLOAD_TAIL] = {
    0, 0, 0, REEL_DOWNLOAD_TAIL, 'f', 'r', 'e', 'e'
};



static uint64_t
bytes_of(const reel_index_t *ix, const reel_rendition_t *r)
{
    uint32_t       i;
    uint64_t       sum = 0;
    reel_packed_t  sizes = reel_packed(r->size_bytes);

    for (i = 0; i < ix->fragments; i++) {
        sum += reel_packed_next(&sizes);
    }

    return sum;
}


/* more pixels, or of as many the better one */
static bool
is_better(const reel_index_t *ix, const reel_rendition_t *r,
    const reel_rendition_t *than)
{
    if (r->height != than->height) {
        return r->height > than->height;
    }

    return bytes_of(ix, r) > bytes_of(ix, than);
}


const reel_rendition_t *
reel_download_video(const reel_index_t *ix, uint8_t switching_set,
    uint32_t min_height, uint32_t max_height)
{
    unsigned                 i;
    const reel_rendition_t  *r, *best = NULL;

    for (i = 0; i < ix->nrenditions; i++) {
        r = &ix->renditions[i];

        if (r->kind == REEL_VIDEO && r->switching_set == switching_set
            && r->height >= min_height
            && (max_height == 0 || r->height <= max_height)
            && (best == NULL || is_better(ix, r, best)))
        {
            best = r;
        }
    }

    return best;
}


const reel_rendition_t *
reel_download_audio(const reel_index_t *ix)
{
    unsigned                 i;
    const reel_rendition_t  *r, *first = NULL;

    for (i = 0; i < ix->nrenditions; i++) {
        r = &ix->renditions[i];

        if (r->kind != REEL_AUDIO) {
            continue;
        }

        if (r->roles & REEL_ROLE_DEFAULT) {
            return r;
        }

        if (first == NULL) {
            first = r;
        }
    }

    return first;
}


static reel_str_t
whole_box(const reel_reader_t *body)
{
    return (reel_str_t) {
        (const char *) body->start - REEL_BOX_HEAD,
        (size_t) (body->end - body->start) + REEL_BOX_HEAD
    };
}


/* 8.2.2: the timescale behind two times, of 32 or 64 bits */
static void
read_mvhd(header_t *h, reel_reader_t body)
{
    uint32_t  full;

    h->mvhd = whole_box(&body);
    full = reel_read_u32(&body);
    reel_read_skip(&body, full >> 24 == 1 ? 16 : 8);
    h->timescale = reel_read_u32(&body);

    if (body.err != REEL_OK || reel_reader_left(&body) < NEXT_ID) {
        h->timescale = 0;
    }
}


/* 8.3.2: the track_ID likewise */
static void
read_trak(header_t *h, reel_reader_t in)
{
    uint32_t       type, full;
    reel_reader_t  body;

    h->trak = whole_box(&in);

    while (reel_box_next(&in, &type, &body)) {
        if (type == TKHD) {
            full = reel_read_u32(&body);
            reel_read_skip(&body, full >> 24 == 1 ? 16 : 8);
            h->track_id = reel_read_u32(&body);
        }
    }
}


static void
read_moov(header_t *h, reel_reader_t in, unsigned *traks)
{
    uint32_t       type;
    reel_reader_t  body, trex;

    while (reel_box_next(&in, &type, &body)) {

        if (type == MVHD) {
            read_mvhd(h, body);

        } else if (type == TRAK) {
            read_trak(h, body);
            (*traks)++;

        } else if (type == MVEX) {
            while (reel_box_next(&body, &type, &trex)) {
                if (type == TREX) {
                    h->trex = whole_box(&trex);
                }
            }
        }
    }
}


static reel_err_t
read_header(header_t *h, const reel_rendition_t *r, reel_str_t stored,
    reel_error_t *e)
{
    uint32_t       type;
    unsigned       traks = 0;
    reel_reader_t  in, body;

    *h = (header_t) { .track_id = 0 };
    reel_reader_init(&in, stored.p, stored.len);

    while (reel_box_next(&in, &type, &body)) {
        if (type == MOOV) {
            read_moov(h, body, &traks);
        }
    }

    if (in.err != REEL_OK || traks != 1 || h->track_id == 0
        || h->timescale == 0 || h->trex.len == 0)
    {
        return reel_fail(e, REEL_BADDATA, "the header of %.*s has not the "
                         "boxes of one track", (int) r->name.len, r->name.p);
    }

    return REEL_OK;
}


/* one moov has one sample entry a track */
static reel_err_t
only_header(const reel_index_t *ix, const reel_rendition_t *r,
    reel_str_t *header, reel_error_t *e)
{
    uint64_t     first;
    reel_runs_t  runs = reel_runs(r->header_bytes);

    if (!reel_runs_load(&runs) || runs.value >= ix->nheaders) {
        return reel_fail(e, REEL_NOTFOUND, "%.*s has no fragment",
                         (int) r->name.len, r->name.p);
    }

    first = runs.value;

    while (reel_runs_load(&runs)) {
        if (runs.value != first) {
            return reel_fail(e, REEL_UNSUPPORTED, "%.*s changes its header",
                             (int) r->name.len, r->name.p);
        }
    }

    *header = ix->headers[first];

    return REEL_OK;
}


/* 4.3: no CMAF brand, since a CMAF file has one track */
static void
write_ftyp(reel_buf_t *b)
{
    size_t  box = reel_box_begin(b, FTYP);

    reel_buf_addz(b, "iso6");
    reel_buf_u32(b, 0);
    reel_buf_addz(b, "iso6");
    reel_buf_addz(b, "mp41");

    reel_box_end(b, box);
}


/* ticks of the whole rendition */
static uint64_t
ticks_of(const reel_index_t *ix, const reel_rendition_t *r)
{
    reel_runs_t  durations = reel_runs(r->duration_bytes);

    return reel_runs_sum(&durations, ix->fragments);
}


/* 8.8.2: of the longest track, in the movie's timescale */
static void
write_mehd(reel_buf_t *b, const reel_download_t *d, uint32_t timescale)
{
    size_t    box = reel_full_box_begin(b, MEHD, 1, 0);
    int64_t   ticks, longest = 0;
    unsigned  i;

    for (i = 0; i < d->ntracks; i++) {
        ticks = reel_rescale((int64_t) ticks_of(d->ix, d->track[i]),
                             timescale, d->track[i]->timescale,
                             REEL_ROUND_NEAR);
        longest = ticks > longest ? ticks : longest;
    }

    reel_buf_u64(b, (uint64_t) longest);
    reel_box_end(b, box);
}


static void
write_moov(reel_buf_t *b, const reel_download_t *d, const header_t *h)
{
    size_t    moov, mvex, end;
    uint32_t  last = 0;
    unsigned  i;

    moov = reel_box_begin(b, MOOV);

    reel_buf_adds(b, h[0].mvhd);
    end = b->len;

    for (i = 0; i < d->ntracks; i++) {
        reel_buf_adds(b, h[i].trak);
        last = h[i].track_id > last ? h[i].track_id : last;
    }

    mvex = reel_box_begin(b, MVEX);
    write_mehd(b, d, h[0].timescale);

    for (i = 0; i < d->ntracks; i++) {
        reel_buf_adds(b, h[i].trex);
    }

    reel_box_end(b, mvex);
    reel_box_end(b, moov);

    if (b->err == REEL_OK) {
        /* all ones: any that is free (8.2.2.3) */
        reel_buf_patch32(b, end - NEXT_ID, last < UINT32_MAX ? last + 1
                                                             : last);
    }
}


/* bytes and ticks (of the first track) of the segments of one reference */
static void
next_reference(reel_download_pieces_t *p, reel_runs_t *durations,
    uint32_t segments, uint64_t *size, uint64_t *ticks)
{
    uint32_t  i;

    *size = 0;
    *ticks = 0;

    for (i = 0; i < segments * p->d->ntracks && reel_download_next(p); i++) {
        *size += p->size;

        if (p->r == p->d->track[0]) {
            *ticks += reel_runs_sum(durations, p->count);
        }
    }
}


/*
 * 8.16.3, in the first track's time; what does not fit into its fields gets
 * no sidx: such a file plays, and is slower to seek.
 */
static void
write_sidx(reel_buf_t *b, const reel_download_t *d, uint32_t track_id)
{
    size_t                  box;
    uint32_t                segments, step, left;
    uint64_t                size, ticks;
    reel_runs_t             durations = reel_runs(d->track[0]->duration_bytes);
    const size_t            before = b->len;
    reel_download_pieces_t  p;

    segments = reel_index_segments(d->ix, REEL_SEGMENT_FRAGMENTS);
    step = (segments + REEL_DOWNLOAD_SEEKS - 1) / REEL_DOWNLOAD_SEEKS;

    box = reel_full_box_begin(b, SIDX, 1, 0);
    reel_buf_u32(b, track_id);
    reel_buf_u32(b, d->track[0]->timescale);
    reel_buf_u64(b, 0);                 /* earliest_presentation_time */
    reel_buf_u64(b, 0);                 /* first_offset: right behind */
    reel_buf_u16(b, 0);
    reel_buf_u16(b, (uint16_t) ((segments + step - 1) / step));

    reel_download_pieces(&p, d);

    for (left = segments; left != 0; left -= step < left ? step : left) {
        next_reference(&p, &durations, step < left ? step : left, &size,
                       &ticks);

        if (size > SIZE_MAX_31 || ticks > UINT32_MAX) {
            if (b->err == REEL_OK) {
                b->len = before;
            }

            return;
        }

        reel_buf_u32(b, (uint32_t) size);
        reel_buf_u32(b, (uint32_t) ticks);
        reel_buf_u32(b, SAP_1);
    }

    reel_box_end(b, box);
}


reel_err_t
reel_download_init(reel_download_t *d, reel_buf_t *head,
    const reel_index_t *ix, const reel_rendition_t *video,
    const reel_rendition_t *audio, reel_error_t *e)
{
    header_t    h[REEL_DOWNLOAD_TRACKS];
    unsigned    i;
    reel_str_t  stored = { NULL, 0 };
    reel_err_t  err;

    *d = (reel_download_t) { .ix = ix };

    if (video != NULL) {
        d->track[d->ntracks++] = video;
    }

    if (audio != NULL) {
        d->track[d->ntracks++] = audio;
    }

    if (d->ntracks == 0) {
        return reel_fail(e, REEL_INVAL, "no track");
    }

    for (i = 0; i < d->ntracks; i++) {
        err = only_header(ix, d->track[i], &stored, e);
        if (err == REEL_OK) {
            err = read_header(&h[i], d->track[i], stored, e);
        }

        if (err != REEL_OK) {
            return err;
        }

        d->size += bytes_of(ix, d->track[i]);
    }

    if (d->ntracks == 2 && h[0].track_id == h[1].track_id) {
        return reel_fail(e, REEL_UNSUPPORTED, "both have the track_ID %u",
                         (unsigned) h[0].track_id);
    }

    write_ftyp(head);
    write_moov(head, d, h);
    write_sidx(head, d, h[0].track_id);

    d->head = head->len;
    d->media = d->size + d->head;
    d->size = d->media + REEL_DOWNLOAD_TAIL;

    return reel_buf_err(head);
}


void
reel_download_pieces(reel_download_pieces_t *p, const reel_download_t *d)
{
    unsigned  i;

    *p = (reel_download_pieces_t) { .d = d, .start = d->head };

    for (i = 0; i < d->ntracks; i++) {
        p->sizes[i] = reel_packed(d->track[i]->size_bytes);
    }
}


bool
reel_download_next(reel_download_pieces_t *p)
{
    uint32_t  i, left = p->d->ix->fragments - p->next;

    if (left == 0) {
        return false;
    }

    p->start += p->size;
    p->r = p->d->track[p->turn];
    p->first = p->next;
    p->count = left < REEL_SEGMENT_FRAGMENTS ? left : REEL_SEGMENT_FRAGMENTS;
    p->size = 0;

    for (i = 0; i < p->count; i++) {
        p->size += reel_packed_next(&p->sizes[p->turn]);
    }

    if (++p->turn == p->d->ntracks) {
        p->turn = 0;
        p->next += p->count;
    }

    return true;
}


bool
reel_download_seek(reel_download_pieces_t *p, const reel_download_t *d,
    uint64_t offset)
{
    reel_download_pieces(p, d);

    while (reel_download_next(p)) {
        if (offset >= p->start && offset - p->start < p->size) {
            return true;
        }
    }

    return false;
}
