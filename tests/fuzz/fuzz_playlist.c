/* any bytes as a playlist: what is lent lies in it, and numbers stay sane */

#include "reelctl/m3u8.h"
#include "tests/fuzz/harness.h"


static void
need_inside(reel_str_t s, const uint8_t *data, size_t size)
{
    const uint8_t  *p = (const uint8_t *) s.p;

    need(p == NULL || (p >= data && s.len <= size
                       && (size_t) (p - data) <= size - s.len));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned              n, i;
    reel_m3u8_t           m;
    reel_m3u8_segment_t  *s;

    if (reel_m3u8_read(&m, (reel_str_t) { (const char *) data, size })
        == REEL_OK)
    {
        for (n = 0; n < m.nsegments; n++) {
            s = &m.segments[n];
            need_inside(s->uri, data, size);
            need(s->uri.len != 0 && s->duration_us >= 0);
            need(s->map < (int) m.nentries && s->key < (int) m.nentries);
            need(s->offset <= UINT64_MAX - s->length);
        }

        for (n = 0; n < m.nentries; n++) {
            need(m.entries[n].nattrs <= REEL_M3U8_ATTRS);
            need_inside(m.entries[n].uri, data, size);

            for (i = 0; i < m.entries[n].nattrs; i++) {
                need_inside(m.entries[n].attrs[i].name, data, size);
                need_inside(m.entries[n].attrs[i].value, data, size);
            }
        }
    }

    reel_m3u8_release(&m);

    return 0;
}
