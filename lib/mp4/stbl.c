#include "lib/mp4/stbl.h"


#define TS_MAX (INT64_C(1) << 62)


/* a full box's head and the number of its entries, which must be there */
static bool
open_table(reel_stbl_t *s, reel_reader_t *r, const reel_trak_t *t,
    reel_trak_table_t which, unsigned entry, uint32_t *n)
{
    reel_str_t  table = t->tables[which];

    static const char *const  names[] = {
        [REEL_TRAK_STTS] = "stts", [REEL_TRAK_CTTS] = "ctts",
        [REEL_TRAK_STSS] = "stss", [REEL_TRAK_STSC] = "stsc",
        [REEL_TRAK_STCO] = "stco", [REEL_TRAK_CO64] = "co64"
    };

    reel_reader_init(r, table.p, table.len);
    reel_read_u32(r);
    *n = reel_read_u32(r);

    if (r->err != REEL_OK || *n > reel_reader_left(r) / entry) {
        s->err = reel_fail(s->e, REEL_BADDATA, "%s: %u entries need %llu "
                           "bytes, %zu left", names[which], *n,
                           (unsigned long long) *n * entry,
                           reel_reader_left(r));
        return false;
    }

    return true;
}


/* 8.7.3 */
static bool
open_sizes(reel_stbl_t *s, const reel_trak_t *t)
{
    bool           compact = t->tables[REEL_TRAK_STSZ].p == NULL;
    uint64_t       need;
    reel_str_t     table;
    reel_reader_t  r;

    table = t->tables[compact ? REEL_TRAK_STZ2 : REEL_TRAK_STSZ];
    reel_reader_init(&r, table.p, table.len);
    reel_read_u32(&r);

    if (compact) {
        s->size_bits = (uint8_t) (reel_read_u32(&r) & 0xff);
    } else {
        s->size = reel_read_u32(&r);
        s->size_bits = s->size == 0 ? 32 : 0;
    }

    s->samples = reel_read_u32(&r);

    if (r.err != REEL_OK
        || (compact && s->size_bits != 4 && s->size_bits != 8
            && s->size_bits != 16))
    {
        s->err = reel_fail(s->e, REEL_BADDATA, "%s: cut short, or an odd "
                           "field size", compact ? "stz2" : "stsz");
        return false;
    }

    if (s->samples > REEL_STBL_SAMPLES) {
        s->err = reel_fail(s->e, REEL_LIMIT, "stsz: %u samples, over %u",
                           s->samples, REEL_STBL_SAMPLES);
        return false;
    }

    need = ((uint64_t) s->samples * s->size_bits + 7) / 8;

    if (need > reel_reader_left(&r)) {
        s->err = reel_fail(s->e, REEL_BADDATA, "%s: %u entries need %llu "
                           "bytes, %zu left", compact ? "stz2" : "stsz",
                           s->samples, (unsigned long long) need,
                           reel_reader_left(&r));
        return false;
    }

    s->sizes = r;

    return true;
}


/* the number of the next key frame; they ascend */
static void
next_sync(reel_stbl_t *s)
{
    uint32_t  was = s->next_sync;

    if (reel_reader_left(&s->stss) < 4) {
        s->next_sync = 0;
        return;
    }

    s->next_sync = reel_read_u32(&s->stss);

    if (s->next_sync <= was && s->err == REEL_OK) {
        s->err = reel_fail(s->e, REEL_BADDATA, "stss: sample %u behind %u",
                           s->next_sync, was);
    }
}


static bool
open_syncs(reel_stbl_t *s, const reel_trak_t *t)
{
    uint32_t  n;

    s->all_sync = t->tables[REEL_TRAK_STSS].p == NULL;

    if (s->all_sync) {
        return true;
    }

    if (!open_table(s, &s->stss, t, REEL_TRAK_STSS, 4, &n)) {
        return false;
    }

    s->stss = reel_read_sub(&s->stss, (uint64_t) n * 4);
    next_sync(s);

    return s->err == REEL_OK;
}


/* 8.7.4: entry i holds from its first chunk to that of entry i + 1 */
static bool
next_run_of_chunks(reel_stbl_t *s)
{
    uint32_t  first = s->next_chunk;

    s->per_chunk = reel_read_u32(&s->stsc);
    reel_read_u32(&s->stsc);                /* one sample entry: checked */
    s->stsc_left--;

    s->next_chunk = s->stsc_left != 0 ? reel_read_u32(&s->stsc) : 0;

    if (s->per_chunk == 0 || (s->stsc_left != 0 && s->next_chunk <= first)) {
        s->err = reel_fail(s->e, REEL_BADDATA, "stsc: chunk %u: empty, or "
                           "chunks do not ascend", first);
        return false;
    }

    return true;
}


static bool
open_chunks(reel_stbl_t *s, const reel_trak_t *t)
{
    s->co64 = t->tables[REEL_TRAK_STCO].p == NULL;

    if (!open_table(s, &s->offsets, t,
                    s->co64 ? REEL_TRAK_CO64 : REEL_TRAK_STCO,
                    s->co64 ? 8 : 4, &s->chunks)
        || !open_table(s, &s->stsc, t, REEL_TRAK_STSC, 12, &s->stsc_left))
    {
        return false;
    }

    if (s->samples == 0) {
        return true;
    }

    s->next_chunk = s->stsc_left != 0 ? reel_read_u32(&s->stsc) : 0;

    if (s->next_chunk != 1) {
        s->err = reel_fail(s->e, REEL_BADDATA, "stsc: does not begin with "
                           "chunk 1");
        return false;
    }

    return next_run_of_chunks(s);
}


reel_err_t
reel_stbl_init(reel_stbl_t *s, const reel_trak_t *t, reel_error_t *e)
{
    *s = (reel_stbl_t) { .e = e };

    if (t->tables[REEL_TRAK_STTS].p == NULL
        || t->tables[REEL_TRAK_STSC].p == NULL
        || (t->tables[REEL_TRAK_STSZ].p == NULL
            && t->tables[REEL_TRAK_STZ2].p == NULL)
        || (t->tables[REEL_TRAK_STCO].p == NULL
            && t->tables[REEL_TRAK_CO64].p == NULL))
    {
        return reel_fail(e, REEL_BADDATA, "stbl: no stts, stsc, stsz or "
                         "stco");
    }

    s->has_ctts = t->tables[REEL_TRAK_CTTS].p != NULL;

    if (!open_sizes(s, t)
        || !open_table(s, &s->stts.r, t, REEL_TRAK_STTS, 8, &s->stts.entries)
        || (s->has_ctts && !open_table(s, &s->ctts.r, t, REEL_TRAK_CTTS, 8,
                                       &s->ctts.entries))
        || !open_syncs(s, t)
        || !open_chunks(s, t))
    {
        return s->err;
    }

    return REEL_OK;
}


/* the value that the next sample has; entries of no samples are passed */
static bool
next_value(reel_stbl_runs_t *t, uint32_t *v)
{
    while (t->left == 0) {
        if (t->entries == 0) {
            return false;
        }

        t->entries--;
        t->left = reel_read_u32(&t->r);
        t->value = reel_read_u32(&t->r);
    }

    t->left--;
    *v = t->value;

    return true;
}


static uint32_t
next_size(reel_stbl_t *s)
{
    switch (s->size_bits) {
    case 0:
        return s->size;
    case 4:
        /* two a byte, the upper half first */
        return s->number % 2 == 0 ? *s->sizes.p >> 4
                                  : reel_read_u8(&s->sizes) & 0x0f;
    case 8:
        return reel_read_u8(&s->sizes);
    case 16:
        return reel_read_u16(&s->sizes);
    default:
        return reel_read_u32(&s->sizes);
    }
}


static bool
next_chunk(reel_stbl_t *s)
{
    if (s->chunk == s->chunks) {
        s->err = reel_fail(s->e, REEL_BADDATA, "%s: %u chunks hold %u of %u "
                           "samples", s->co64 ? "co64" : "stco", s->chunks,
                           s->number, s->samples);
        return false;
    }

    s->chunk++;

    if (s->chunk == s->next_chunk && s->stsc_left != 0
        && !next_run_of_chunks(s))
    {
        return false;
    }

    s->chunk_left = s->per_chunk;
    s->offset = s->co64 ? reel_read_u64(&s->offsets)
                        : reel_read_u32(&s->offsets);

    return true;
}


static bool
next_times(reel_stbl_t *s, reel_stbl_sample_t *q)
{
    uint32_t  offset = 0;

    if (!next_value(&s->stts, &q->duration)
        || (s->has_ctts && !next_value(&s->ctts, &offset)))
    {
        s->err = reel_fail(s->e, REEL_BADDATA, "stts or ctts: end before "
                           "sample %u of %u", s->number, s->samples);
        return false;
    }

    q->dts = s->dts;
    q->cts_offset = (int32_t) offset;
    s->dts += q->duration;

    if (s->dts > TS_MAX) {
        s->err = reel_fail(s->e, REEL_BADDATA, "stts: times beyond 2^62");
        return false;
    }

    return true;
}


bool
reel_stbl_next(reel_stbl_t *s, reel_stbl_sample_t *q)
{
    if (s->err != REEL_OK || s->number == s->samples) {
        return false;
    }

    if ((s->chunk_left == 0 && !next_chunk(s)) || !next_times(s, q)) {
        return false;
    }

    q->size = next_size(s);
    q->offset = s->offset;

    if (q->offset > INT64_MAX || q->size > INT64_MAX - q->offset) {
        s->err = reel_fail(s->e, REEL_BADDATA, "stco: sample %u lies beyond "
                           "2^63", s->number);
        return false;
    }

    s->offset += q->size;
    s->chunk_left--;
    s->number++;

    q->sync = s->all_sync || s->number == s->next_sync;

    if (!s->all_sync && q->sync) {
        next_sync(s);
    }

    return s->err == REEL_OK;
}
