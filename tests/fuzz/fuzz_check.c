/* any bytes as what reelctl check reads: the first one says as what */

#include "reelctl/check.h"
#include "tests/fuzz/harness.h"


static void
mpd(const uint8_t *data, size_t size)
{
    int          i;
    int64_t      us;
    reel_mpd_t   m;

    if (reel_mpd_read(&m, (reel_str_t) { (const char *) data, size })
        == REEL_OK)
    {
        for (i = 0; i < m.n; i++) {
            need(m.nodes[i].parent < i && m.nodes[i].end > i
                 && m.nodes[i].end <= m.n);
            need(reel_mpd_child(&m, i, NULL, -1) == (m.nodes[i].end > i + 1
                                                     ? i + 1 : -1));
            (void) reel_mpd_get(&m, i, "id");
            (void) reel_mpd_duration(m.nodes[i].text, &us);
        }
    }

    reel_mpd_release(&m);
}


/* a header, then segments by it */
static void
mp4(const uint8_t *data, size_t size, bool part)
{
    size_t               n;
    reel_check_init_t    i;
    reel_check_media_t   m;

    if (size < 2) {
        return;
    }

    n = (size_t) data[0] << 8 | data[1];
    n = n < size - 2 ? n : size - 2;
    reel_check_init(&i, data + 2, n);
    need(memchr(i.fault, 0, sizeof(i.fault)) != NULL);
    reel_check_moofs(&m, &i, data + 2 + n, size - 2 - n, part);
    need(memchr(m.style, 0, sizeof(m.style)) != NULL);
    need(m.samples == 0 || m.fragments != 0 || m.fault[0] != '\0');
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reel_check_init_t    i;
    reel_check_media_t   m;

    if (size == 0) {
        return 0;
    }

    switch (data[0] % 5) {
    case 0:
        mpd(data + 1, size - 1);
        break;
    case 1:
        mp4(data + 1, size - 1, false);
        break;
    case 2:
        mp4(data + 1, size - 1, true);
        break;
    case 3:
        reel_check_ts(&m, &i, data + 1, size - 1);
        break;
    default:
        reel_check_vtt(&m, data + 1, size - 1);
    }

    return 0;
}
