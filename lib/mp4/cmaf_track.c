#include "lib/mp4/box.h"
#include "lib/mp4/box_reader.h"
#include "lib/mp4/cmaf.h"
#include "lib/mp4/trak.h"


/* a CMAF file has one track */
static reel_err_t
read_moov(reel_trak_t *t, reel_reader_t *r, reel_error_t *e)
{
    bool           seen = false;
    uint32_t       type;
    reel_err_t     err;
    reel_reader_t  body;

    while (reel_box_next(r, &type, &body)) {

        if (type != REEL_FOURCC('t', 'r', 'a', 'k')) {
            continue;
        }

        if (seen) {
            return reel_fail(e, REEL_BADDATA, "trak: a second one");
        }

        seen = true;

        err = reel_mp4_read_trak(t, &body, e);
        if (err != REEL_OK) {
            return err;
        }
    }

    if (r->err != REEL_OK) {
        return reel_fail(e, r->err, "moov: a box does not fit");
    }

    return seen ? REEL_OK : reel_fail(e, REEL_BADDATA, "moov: no trak");
}


reel_err_t
reel_cmaf_read_header(reel_cmaf_track_t *t, const void *data, size_t len,
    reel_error_t *e)
{
    uint32_t       type;
    reel_err_t     err;
    reel_trak_t    trak = { 0 };
    reel_reader_t  r, body;

    reel_reader_init(&r, data, len);

    while (reel_box_next(&r, &type, &body)) {

        if (type != REEL_FOURCC('m', 'o', 'o', 'v')) {
            continue;
        }

        err = read_moov(&trak, &body, e);
        *t = trak.cmaf;

        return err;
    }

    return reel_fail(e, r.err != REEL_OK ? r.err : REEL_BADDATA,
                     "header: no whole moov in %zu bytes", len);
}
