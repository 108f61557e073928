/* "light" of inspect.json and of encode_video */

#include <string.h>

#include "lib/job/part.h"

#define MASTERING 10            /* numbers of a display */

static const char *const range_names[] = { "sdr", "hlg", "pq" };


const char *
reel_part_range(reel_video_range_t r)
{
    return range_names[r];
}


/* primaries, white, luminance in one row, as reel_hdr_t has them */
static void
print_mastering(reel_json_t *j, const reel_hdr_t *h)
{
    uint32_t i;

    reel_json_key(j, "mastering");
    reel_json_array(j);

    for (i = 0; i < 6; i++) {
        reel_json_uint(j, h->primaries[i / 2][i % 2]);
    }

    reel_json_uint(j, h->white[0]);
    reel_json_uint(j, h->white[1]);
    reel_json_uint(j, h->max_luminance);
    reel_json_uint(j, h->min_luminance);
    reel_json_end(j, ']');
}


void
reel_part_light_print(reel_json_t *j, const reel_source_light_t *l)
{
    if (l->range == REEL_RANGE_SDR) {
        return;
    }

    reel_json_key(j, "light");
    reel_json_object(j);
    reel_json_kstr(j, "range", range_names[l->range]);

    if (l->told.mastering) {
        print_mastering(j, &l->told);
    }
    if (l->told.light) {
        reel_json_kuint(j, "max_cll", l->told.max_cll);
        reel_json_kuint(j, "max_fall", l->told.max_fall);
    }

    reel_json_end(j, '}');
}


static void
parse_mastering(reel_hdr_t *h, reel_fields_t *f)
{
    uint32_t  i, n[MASTERING] = { 0 };
    json_t   *a = reel_fields_array(f, "mastering", MASTERING);

    if (a != NULL && json_array_size(a) != MASTERING) {
        reel_fields_fail(f, REEL_BADDATA, "mastering", "is not complete");
    }

    for (i = 0; f->err == REEL_OK && i < MASTERING; i++) {
        n[i] = (uint32_t) reel_fields_item(f, "mastering",
                                           json_array_get(a, i), 0,
                                           i < 8 ? UINT16_MAX : UINT32_MAX);
    }

    for (i = 0; i < 6; i++) {
        h->primaries[i / 2][i % 2] = (uint16_t) n[i];
    }

    h->white[0] = (uint16_t) n[6];
    h->white[1] = (uint16_t) n[7];
    h->max_luminance = n[8];
    h->min_luminance = n[9];
    h->mastering = true;
}


void
reel_part_light_parse(reel_fields_t *f, reel_source_light_t *l)
{
    char          name[8];
    reel_fields_t in;

    if (!reel_fields_has(f, "light")) {
        return;
    }

    in = reel_fields_object(f, "light");
    reel_fields_text(&in, "range", name, sizeof(name), 1);

    if (in.err == REEL_OK) {
        l->range = strcmp(name, range_names[REEL_RANGE_PQ]) == 0
                   ? REEL_RANGE_PQ
                   : strcmp(name, range_names[REEL_RANGE_HLG]) == 0
                   ? REEL_RANGE_HLG : REEL_RANGE_SDR;

        if (l->range == REEL_RANGE_SDR) {
            reel_fields_fail(&in, REEL_BADDATA, "range", "is not pq or hlg");
        }
    }

    if (reel_fields_has(&in, "mastering")) {
        parse_mastering(&l->told, &in);
    }

    if (reel_fields_has(&in, "max_cll")) {
        l->told.max_cll = (uint16_t) reel_fields_u32(&in, "max_cll", 0,
                                                     UINT16_MAX);
        l->told.max_fall = (uint16_t) reel_fields_u32(&in, "max_fall", 0,
                                                      UINT16_MAX);
        l->told.light = true;
    }

    reel_fields_join(f, &in);
}
