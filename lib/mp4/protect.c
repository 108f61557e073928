#include "lib/base/reader.h"
#include "lib/mp4/box.h"
#include "lib/mp4/protect.h"


#define CENC_IV    8            /* bytes of a sample's */
#define DEPTH      6            /* boxes around the sample entry */



static uint32_t
scheme_type(const reel_protect_t *p)
{
    return p->scheme == REEL_SCHEME_CBCS ? REEL_FOURCC('c', 'b', 'c', 's')
                                         : REEL_FOURCC('c', 'e', 'n', 'c');
}


/*
 * What tenc and seig share (23001-7, 8.2 and 6): pattern, protected or not,
 * size of IVs, KID, constant IV
 */
static void
write_defaults(reel_buf_t *b, const reel_protect_t *p)
{
    bool  cbcs = p->scheme == REEL_SCHEME_CBCS;

    reel_buf_u8(b, 0);
    reel_buf_u8(b, cbcs && !p->whole
                   ? REEL_CBCS_CRYPT << 4 | REEL_CBCS_SKIP : 0);
    reel_buf_u8(b, 1);
    reel_buf_u8(b, cbcs ? 0 : CENC_IV);
    reel_buf_add(b, p->kid, REEL_KID);

    if (cbcs) {
        reel_buf_u8(b, sizeof(p->iv));
        reel_buf_add(b, p->iv, sizeof(p->iv));
    }
}


/* 14496-12, 8.12; format: what the entry was */
static void
write_sinf(reel_buf_t *b, const reel_protect_t *p, uint32_t format)
{
    bool    cbcs = p->scheme == REEL_SCHEME_CBCS;
    size_t  sinf, box, schi;

    sinf = reel_box_begin(b, REEL_FOURCC('s', 'i', 'n', 'f'));

    box = reel_box_begin(b, REEL_FOURCC('f', 'r', 'm', 'a'));
    reel_buf_u32(b, format);
    reel_box_end(b, box);

    box = reel_full_box_begin(b, REEL_FOURCC('s', 'c', 'h', 'm'), 0, 0);
    reel_buf_u32(b, scheme_type(p));
    reel_buf_u32(b, 0x00010000);
    reel_box_end(b, box);

    schi = reel_box_begin(b, REEL_FOURCC('s', 'c', 'h', 'i'));
    box = reel_full_box_begin(b, REEL_FOURCC('t', 'e', 'n', 'c'), cbcs, 0);
    write_defaults(b, p);
    reel_box_end(b, box);
    reel_box_end(b, schi);

    reel_box_end(b, sinf);
}


static uint32_t
get32(reel_str_t s, size_t at)
{
    return reel_be32((const uint8_t *) s.p + at);
}


/*
 * The first box of that type in [at, end), which are bytes of boxes; its
 * place, and its end to *last.  0: there is none.
 */
static size_t
find(reel_str_t s, size_t at, size_t end, uint32_t type, size_t *last)
{
    uint32_t  size;

    while (end - at >= REEL_BOX_HEAD) {
        size = get32(s, at);

        if (size < REEL_BOX_HEAD || size > end - at) {
            return 0;
        }

        if (get32(s, at + 4) == type) {
            *last = at + size;
            return at;
        }

        at += size;
    }

    return 0;
}


/* the boxes around the sample entry, from moov on, and the entry itself */
static reel_err_t
find_entry(reel_str_t in, size_t at[DEPTH + 1], size_t *moov_end,
    size_t *entry_end)
{
    size_t    from = 0, end = in.len;
    unsigned  i;

    static const uint32_t  path[DEPTH] = {
        REEL_FOURCC('m', 'o', 'o', 'v'), REEL_FOURCC('t', 'r', 'a', 'k'),
        REEL_FOURCC('m', 'd', 'i', 'a'), REEL_FOURCC('m', 'i', 'n', 'f'),
        REEL_FOURCC('s', 't', 'b', 'l'), REEL_FOURCC('s', 't', 's', 'd')
    };

    for (i = 0; i < DEPTH; i++) {
        at[i] = find(in, from, end, path[i], &end);

        if (at[i] == 0) {
            return REEL_BADDATA;
        }

        if (i == 0) {
            *moov_end = end;
        }

        from = at[i] + REEL_BOX_HEAD;
    }

    /* version and flags, count of entries: one */
    if (end - from < 8 + REEL_BOX_HEAD || get32(in, from + 4) != 1) {
        return REEL_BADDATA;
    }

    at[DEPTH] = from + 8;
    *entry_end = at[DEPTH] + get32(in, at[DEPTH]);

    return *entry_end > end || get32(in, at[DEPTH]) < REEL_BOX_HEAD
           ? REEL_BADDATA : REEL_OK;
}


/* only pictures have a size in their track header (14496-12, 8.3.2) */
static bool
is_picture(reel_str_t in, const size_t *at, size_t moov_end)
{
    size_t  end, tkhd;

    tkhd = find(in, at[1] + REEL_BOX_HEAD, moov_end,
                REEL_FOURCC('t', 'k', 'h', 'd'), &end);

    return tkhd != 0 && end - tkhd >= REEL_BOX_HEAD + 8
           && get32(in, end - 8) != 0;
}


reel_err_t
reel_protect_header(reel_buf_t *b, reel_str_t in, const reel_protect_t *p)
{
    size_t      start = b->len, at[DEPTH + 1], moov_end = 0, entry_end = 0;
    size_t      sinf;
    uint32_t    grown;
    unsigned    i;
    reel_err_t  err;

    err = find_entry(in, at, &moov_end, &entry_end);
    if (err != REEL_OK) {
        return err;
    }

    reel_buf_add(b, in.p, entry_end);
    sinf = b->len;
    write_sinf(b, p, get32(in, at[DEPTH] + 4));
    grown = (uint32_t) (b->len - sinf);

    reel_buf_add(b, in.p + entry_end, moov_end - entry_end);
    reel_buf_adds(b, p->pssh);
    reel_buf_add(b, in.p + moov_end, in.len - moov_end);

    err = reel_buf_err(b);
    if (err != REEL_OK) {
        return err;
    }

    for (i = 0; i <= DEPTH; i++) {
        reel_buf_patch32(b, start + at[i], get32(in, at[i]) + grown
                                           + (i == 0 ? (uint32_t) p->pssh.len
                                                     : 0));
    }

    reel_buf_patch32(b, start + at[DEPTH] + 4,
                     is_picture(in, at, moov_end)
                     ? REEL_FOURCC('e', 'n', 'c', 'v')
                     : REEL_FOURCC('e', 'n', 'c', 'a'));

    return REEL_OK;
}


/* 14496-12, 8.9: all samples have the key of this group */
static void
write_group(reel_buf_t *b, const reel_protect_t *p, uint32_t n)
{
    bool    cbcs = p->scheme == REEL_SCHEME_CBCS;
    size_t  box;

    box = reel_full_box_begin(b, REEL_FOURCC('s', 'g', 'p', 'd'), 1, 0);
    reel_buf_addz(b, "seig");
    reel_buf_u32(b, 20 + (cbcs ? 17 : 0));
    reel_buf_u32(b, 1);
    write_defaults(b, p);
    reel_box_end(b, box);

    box = reel_full_box_begin(b, REEL_FOURCC('s', 'b', 'g', 'p'), 0, 0);
    reel_buf_addz(b, "seig");
    reel_buf_u32(b, 1);
    reel_buf_u32(b, n);
    reel_buf_u32(b, 0x10001);           /* the first one of this fragment */
    reel_box_end(b, box);
}


/* bytes of what senc says of sample i */
static uint8_t
info_size(const reel_protect_t *p, uint32_t i)
{
    return (uint8_t) ((p->scheme == REEL_SCHEME_CENC ? CENC_IV : 0)
                      + (p->whole ? 0 : 2 + 6 * p->counts[i]));
}


/* 14496-12, 8.7.8 */
static void
write_saiz(reel_buf_t *b, const reel_protect_t *p, uint32_t n)
{
    bool      same = true;
    size_t    box;
    uint32_t  i;

    for (i = 1; i < n; i++) {
        same &= info_size(p, i) == info_size(p, 0);
    }

    box = reel_full_box_begin(b, REEL_FOURCC('s', 'a', 'i', 'z'), 0, 0);
    reel_buf_u8(b, same && n != 0 ? info_size(p, 0) : 0);
    reel_buf_u32(b, n);

    for (i = 0; i < n && !same; i++) {
        reel_buf_u8(b, info_size(p, i));
    }

    reel_box_end(b, box);
}


/* 23001-7, 7.2 */
static size_t
write_senc(reel_buf_t *b, const reel_protect_t *p, int64_t decode_ts,
    const reel_cmaf_sample_t *samples, uint32_t n)
{
    size_t                   box, data;
    uint8_t                  iv[16];
    uint16_t                 k;
    uint32_t                 i;
    const reel_subsample_t  *sub = p->subs;

    box = reel_full_box_begin(b, REEL_FOURCC('s', 'e', 'n', 'c'), 0,
                              p->whole ? 0 : 2);
    reel_buf_u32(b, n);
    data = b->len;

    for (i = 0; i < n; i++) {

        if (p->scheme == REEL_SCHEME_CENC) {
            reel_cenc_iv(iv, p->ordinal, decode_ts);
            reel_buf_add(b, iv, CENC_IV);
            decode_ts += samples[i].duration;
        }

        if (p->whole) {
            continue;
        }

        reel_buf_u16(b, p->counts[i]);

        for (k = 0; k < p->counts[i]; k++, sub++) {
            reel_buf_u16(b, sub->clear);
            reel_buf_u32(b, sub->hidden);
        }
    }

    reel_box_end(b, box);

    return data;
}


void
reel_protect_traf(reel_buf_t *b, size_t moof, const reel_protect_t *p,
    int64_t decode_ts, const reel_cmaf_sample_t *samples, uint32_t n)
{
    size_t  box, offset, data;

    if (p->rotated) {
        write_group(b, p, n);
    }

    /* whole samples with one IV: there is nothing to say of each */
    if (n == 0 || (p->whole && p->scheme == REEL_SCHEME_CBCS)) {
        return;
    }

    write_saiz(b, p, n);

    /* 14496-12, 8.7.9: from the moof's start, as all offsets */
    box = reel_full_box_begin(b, REEL_FOURCC('s', 'a', 'i', 'o'), 0, 0);
    reel_buf_u32(b, 1);
    offset = b->len;
    reel_buf_u32(b, 0);
    reel_box_end(b, box);

    data = write_senc(b, p, decode_ts, samples, n);

    if (b->err == REEL_OK) {
        reel_buf_patch32(b, offset, (uint32_t) (data - moof));
    }
}
