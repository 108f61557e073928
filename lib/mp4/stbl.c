#include "lib/mp4/stbl.h"


#define TS_MAX (INT64_C(1) << 62)


/* a full box's head and the number of its entries, which must be there */
static bool
open_table(reel_stbl_t *s, const uint8_t **p, const reel_trak_t *t,
    reel_trak_table_t which, unsigned entry, uint32_t *n)
{
    reel_str_t     table = t->tables[which];
    reel_reader_t  r;

    static const char *const  names[] = {
        [REEL_TRAK_STTS] = "stts", [REEL_TRAK_CTTS] = "ctts",
        [REEL_TRAK_STSS] = "stss", [REEL_TRAK_STSC] = "stsc",
        [REEL_TRAK_STCO] = "stco", [REEL_TRAK_CO64] = "co64"
    };

    reel_reader_init(&r, table.p, table.len);
    reel_read_u32(&r);
    *n = reel_read_u32(&r);
    *p = r.p;

    if (r.err != REEL_OK || *n > reel_reader_left(&r) / entry) {
        s->err = reel_fail(s->e, REEL_BADDATA, "%s: %u entries need %llu "
                           "bytes, %zu left", names[which], *n,
                           (unsigned long long) *n * entry,
                           reel_reader_left(&r));
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

    s->sizes = r.p;

    return true;
}


/* the number of the next key frame; they ascend */
static void
next_sync(reel_stbl_t *s)
{
    uint32_t  was = s->next_sync;

    if (s->stss_left == 0) {
        s->next_sync = 0;
        return;
    }

    s->next_sync = reel_be32(s->stss);
    s->stss += 4;
    s->stss_left--;

    if (s->next_sync <= was && s->err == REEL_OK) {
        s->err = reel_fail(s->e, REEL_BADDATA, "stss: sample %u behind %u",
                           s->next_sync, was);
    }
}


static bool
open_syncs(reel_stbl_t *s, const reel_trak_t *t)
{
    s->all_sync = t->tables[REEL_TRAK_STSS].p == NULL;

    if (s->all_sync) {
        return true;
    }

    if (!open_table(s, &s->stss, t, REEL_TRAK_STSS, 4, &s->stss_left)) {
        return false;
    }

    next_sync(s);

    return s->err == REEL_OK;
}


/* 8.7.4: entry i holds from its first chunk to that of entry i + 1 */
static bool
next_run_of_chunks(reel_stbl_t *s)
{
    uint32_t  first = s->next_chunk;

    /* number of the first, samples of each, sample entry: one, checked */
    s->per_chunk = reel_be32(s->stsc + 4);
    s->stsc += 12;
    s->stsc_left--;

    s->next_chunk = s->stsc_left != 0 ? reel_be32(s->stsc) : 0;

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

    s->next_chunk = s->stsc_left != 0 ? reel_be32(s->stsc) : 0;

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
        || !open_table(s, &s->stts.p, t, REEL_TRAK_STTS, 8, &s->stts.entries)
        || (s->has_ctts && !open_table(s, &s->ctts.p, t, REEL_TRAK_CTTS, 8,
                                       &s->ctts.entries))
        || !open_syncs(s, t)
        || !open_chunks(s, t))
    {
        return s->err;
    }

    return REEL_OK;
}


/* goes to an entry that has samples left */
static bool
next_entry(reel_stbl_runs_t *t)
{
    while (t->left == 0) {
        if (t->entries == 0) {
            return false;
        }

        t->entries--;
        t->left = reel_be32(t->p);
        t->value = reel_be32(t->p + 4);
        t->p += 8;
    }

    return true;
}


/*
 * What follows fills one column each of samples [0, n), and returns of how
 * many it could: fewer when s->err was set.
 */
static uint32_t
read_durations(reel_stbl_t *s, reel_stbl_sample_t *q, uint32_t n)
{
    int64_t   dts = s->dts;
    uint32_t  i, end;

    for (i = 0; i < n && next_entry(&s->stts); s->stts.left -= end) {
        end = s->stts.left < n - i ? s->stts.left : n - i;

        for (uint32_t k = 0; k < end; k++, i++) {
            q[i].duration = s->stts.value;
            q[i].dts = dts;
            dts += s->stts.value;
        }
    }

    s->dts = dts;

    return i;
}


static uint32_t
read_offsets(reel_stbl_t *s, reel_stbl_sample_t *q, uint32_t n)
{
    uint32_t  i, end;

    for (i = 0; i < n && next_entry(&s->ctts); s->ctts.left -= end) {
        end = s->ctts.left < n - i ? s->ctts.left : n - i;

        for (uint32_t k = 0; k < end; k++, i++) {
            q[i].cts_offset = (int32_t) s->ctts.value;
        }
    }

    return i;
}


static uint32_t
read_times(reel_stbl_t *s, reel_stbl_sample_t *q, uint32_t n)
{
    uint32_t  i, k;

    k = read_durations(s, q, n);

    if (s->has_ctts) {
        k = read_offsets(s, q, k);

    } else {
        for (i = 0; i < k; i++) {
            q[i].cts_offset = 0;
        }
    }

    if (k != n) {
        s->err = reel_fail(s->e, REEL_BADDATA, "stts or ctts: end before "
                           "sample %u of %u", s->number + k, s->samples);
    }

    if (s->dts > TS_MAX) {
        s->err = reel_fail(s->e, REEL_BADDATA, "stts: times beyond 2^62");
        return 0;
    }

    return k;
}


/* open_sizes saw the bytes of all of them */
static void
read_sizes(reel_stbl_t *s, reel_stbl_sample_t *q, uint32_t n)
{
    uint32_t        i;
    const uint8_t  *p = s->sizes;
    uint64_t        at = s->number;

    switch (s->size_bits) {
    case 0:
        for (i = 0; i < n; i++) {
            q[i].size = s->size;
        }
        break;
    case 4:
        /* two a byte, the upper half first */
        for (i = 0; i < n; i++, at++) {
            q[i].size = p[at / 2] >> (at % 2 == 0 ? 4 : 0) & 0x0f;
        }
        break;
    case 8:
        for (i = 0; i < n; i++, at++) {
            q[i].size = p[at];
        }
        break;
    case 16:
        for (i = 0; i < n; i++, at++) {
            q[i].size = (uint32_t) p[2 * at] << 8 | p[2 * at + 1];
        }
        break;
    default:
        for (i = 0, p += 4 * at; i < n; i++, p += 4) {
            q[i].size = reel_be32(p);
        }
    }
}


static bool
next_chunk(reel_stbl_t *s, uint32_t number)
{
    if (s->chunk == s->chunks) {
        s->err = reel_fail(s->e, REEL_BADDATA, "%s: %u chunks hold %u of %u "
                           "samples", s->co64 ? "co64" : "stco", s->chunks,
                           number, s->samples);
        return false;
    }

    s->chunk++;

    if (s->chunk == s->next_chunk && s->stsc_left != 0
        && !next_run_of_chunks(s))
    {
        return false;
    }

    s->chunk_left = s->per_chunk;
    s->offset = reel_be32(s->offsets);
    s->offsets += 4;

    if (s->co64) {
        s->offset = s->offset << 32 | reel_be32(s->offsets);
        s->offsets += 4;
    }

    return true;
}


/* sizes are there */
static uint32_t
read_places(reel_stbl_t *s, reel_stbl_sample_t *q, uint32_t n)
{
    uint32_t  i;

    for (i = 0; i < n; i++) {
        if (s->chunk_left == 0 && !next_chunk(s, s->number + i)) {
            return i;
        }

        if (s->offset > (uint64_t) INT64_MAX - q[i].size) {
            s->err = reel_fail(s->e, REEL_BADDATA, "stco: sample %u lies "
                               "beyond 2^63", s->number + i);
            return i;
        }

        q[i].offset = s->offset;
        s->offset += q[i].size;
        s->chunk_left--;
    }

    return n;
}


static uint32_t
read_syncs(reel_stbl_t *s, reel_stbl_sample_t *q, uint32_t n)
{
    uint32_t  i;

    for (i = 0; i < n; i++) {
        q[i].sync = s->all_sync;
    }

    /* numbers begin with 1 */
    while (s->next_sync > s->number && s->next_sync - s->number <= n) {
        i = s->next_sync - s->number - 1;
        q[i].sync = true;
        next_sync(s);

        if (s->err != REEL_OK) {
            return i;
        }
    }

    return n;
}


uint32_t
reel_stbl_read(reel_stbl_t *s, reel_stbl_sample_t *q, uint32_t n)
{
    if (s->err != REEL_OK) {
        return 0;
    }

    n = n < s->samples - s->number ? n : s->samples - s->number;

    /* of two errors the one of the earlier sample is told */
    n = read_times(s, q, n);

    if (!s->times_only) {
        read_sizes(s, q, n);
        n = read_places(s, q, n);
    }

    n = read_syncs(s, q, n);

    s->number += n;

    return n;
}
