#include <assert.h>

#include "tests/unit/codec/bitw.h"


void
bitw_u(bitw_t *w, unsigned n, uint32_t v)
{
    while (n-- > 0) {
        assert(w->bit < sizeof(w->bytes) * 8);
        w->bytes[w->bit / 8] |= (uint8_t) ((v >> n & 1)
                                           << (7 - w->bit % 8));
        w->bit++;
    }
}


void
bitw_ue(bitw_t *w, uint32_t v)
{
    unsigned  n = 0;
    uint64_t  code = (uint64_t) v + 1;

    while (code >> (n + 1) != 0) {
        n++;
    }

    bitw_u(w, n, 0);
    bitw_u(w, 1, 1);
    bitw_u(w, n, (uint32_t) (code & ((UINT64_C(1) << n) - 1)));
}


void
bitw_se(bitw_t *w, int32_t v)
{
    bitw_ue(w, v > 0 ? 2 * (uint32_t) v - 1 : 2 * (uint32_t) -v);
}


size_t
bitw_nal(bitw_t *w, uint8_t *dst, uint8_t head)
{
    size_t    i, n = 0, len;
    unsigned  zeros = 0;

    bitw_u(w, 1, 1);
    len = (w->bit + 7) / 8;
    dst[n++] = head;

    for (i = 0; i < len; i++) {
        if (zeros >= 2 && w->bytes[i] <= 3) {
            dst[n++] = 3;
            zeros = 0;
        }

        zeros = w->bytes[i] == 0 ? zeros + 1 : 0;
        dst[n++] = w->bytes[i];
    }

    return n;
}
