/*
 * Any bytes as a checksum field and as data, cut where the first byte says:
 * what parses prints as it was; the fast CRCs are the slow ones; in pieces
 * or at once is the same.
 */

#include <stdlib.h>

#include "lib/base/crc.h"
#include "lib/crypt/sum.h"
#include "tests/fuzz/harness.h"


/* the value is one of its kind and stands in the field as we print it */
static void
check_parsed(reel_sum_kind_t kind, const uint8_t *sum, reel_str_t field)
{
    char     text[REEL_SUM_TEXT];
    size_t   i, n;
    uint8_t  again[REEL_SUM_MAX];

    need(kind != REEL_SUM_NONE);
    reel_sum_encode(text, kind, sum);
    n = strlen(text);

    for (i = 0; i + n <= field.len && memcmp(field.p + i, text, n) != 0;
         i++)
    {
        /* void */
    }

    need(i + n <= field.len);
    need(reel_sum_decode(again, kind, reel_str(text)) == REEL_OK);
    need(memcmp(again, sum, reel_sum_len(kind)) == 0);
}


static void
check_text(reel_str_t s)
{
    char             *text;
    size_t            n;
    uint8_t          *raw, sum[REEL_SUM_MAX];
    reel_error_t      e;
    reel_sum_kind_t   kind;

    if (reel_sum_parse_tus(s, &kind, sum, &e) == REEL_OK) {
        check_parsed(kind, sum, s);
    }

    if (reel_sum_parse_digest(s, &kind, sum, &e) == REEL_OK) {
        check_parsed(kind, sum, s);
    }

    /* in blocks of just the length that is allowed */
    raw = malloc(s.len / 4 * 3 + 1);
    text = malloc(s.len + 5);
    need(raw != NULL && text != NULL);

    if (reel_unbase64(raw, s.len / 4 * 3, &n, s) == REEL_OK) {
        reel_base64(text, raw, n);
        need(reel_str_eqz(s, text));
    }

    free(raw);
    free(text);
}


static uint64_t
slow_crc(const reel_crc_t *k, const uint8_t *p, size_t n)
{
    unsigned  bit;
    uint64_t  c = k->mask, poly = k->table[0][0x80];

    while (n-- > 0) {
        for (c ^= *p++, bit = 0; bit < 8; bit++) {
            c = c & 1 ? c >> 1 ^ poly : c >> 1;
        }
    }

    return c ^ k->mask;
}


static void
check_crc(const reel_crc_t *k, const uint8_t *p, size_t n, size_t cut)
{
    uint64_t  want = slow_crc(k, p, n), a, b;

    need(reel_crc(k, 0, p, n) == want);
    need(reel_crc_soft(k, 0, p, n) == want);

    a = reel_crc(k, 0, p, cut);
    b = reel_crc(k, 0, p + cut, n - cut);
    need(reel_crc(k, a, p + cut, n - cut) == want);
    need(reel_crc_combine(k, a, b, n - cut) == want);
}


static void
check_pieces(reel_sum_kind_t kind, const uint8_t *p, size_t n, size_t cut)
{
    uint8_t     one[REEL_SUM_MAX], two[REEL_SUM_MAX];
    reel_sum_t  s;

    need(reel_sum_init(&s, kind) == REEL_OK);
    need(reel_sum_update(&s, p, n) == REEL_OK);
    need(reel_sum_final(&s, one) == REEL_OK);

    need(reel_sum_init(&s, kind) == REEL_OK);
    need(reel_sum_update(&s, p, cut) == REEL_OK);
    need(reel_sum_update(&s, p + cut, n - cut) == REEL_OK);
    need(reel_sum_final(&s, two) == REEL_OK);

    need(memcmp(one, two, reel_sum_len(kind)) == 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t    cut;
    unsigned  k;

    check_text((reel_str_t) { (const char *) data, size });

    if (size == 0) {
        return 0;
    }

    cut = *data++;
    size--;
    cut = cut > size ? size : cut;

    check_crc(&reel_crc_32, data, size, cut);
    check_crc(&reel_crc_32c, data, size, cut);
    check_crc(&reel_crc_64nvme, data, size, cut);

    for (k = 1; k < REEL_SUM_KINDS; k++) {
        check_pieces((reel_sum_kind_t) k, data, size, cut);
    }

    return 0;
}
