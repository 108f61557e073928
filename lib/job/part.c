#include <string.h>

#include "lib/job/part.h"


void
reel_part_rational(reel_json_t *j, const char *key, reel_rational_t r)
{
    reel_json_key(j, key);
    reel_json_array(j);
    reel_json_uint(j, r.num);
    reel_json_uint(j, r.den);
    reel_json_end(j, ']');
}


int64_t
reel_part_pts(reel_fields_t *f, const char *key)
{
    return reel_fields_int(f, key, -REEL_PTS_MAX, REEL_PTS_MAX);
}


int
reel_part_rotation(reel_fields_t *f)
{
    int v;

    v = (int) reel_fields_int(f, "rotation", 0, 270);

    if (v % 90 != 0) {
        reel_fields_fail(f, REEL_BADDATA, "rotation",
                         "is not a multiple of 90");
        return 0;
    }

    return v;
}


static const char *const combed_names[] = { "", "top", "bottom" };


void
reel_part_combed_print(reel_json_t *j, reel_combed_t c)
{
    if (c != REEL_COMBED_NO) {
        reel_json_kstr(j, "combed", combed_names[c]);
    }
}


reel_combed_t
reel_part_combed(reel_fields_t *f)
{
    char name[8];

    if (!reel_fields_has(f, "combed")) {
        return REEL_COMBED_NO;
    }

    reel_fields_text(f, "combed", name, sizeof(name), 1);

    if (strcmp(name, combed_names[REEL_COMBED_TOP]) == 0) {
        return REEL_COMBED_TOP;
    }

    if (strcmp(name, combed_names[REEL_COMBED_BOTTOM]) == 0) {
        return REEL_COMBED_BOTTOM;
    }

    reel_fields_fail(f, REEL_BADDATA, "combed", "is not top or bottom");

    return REEL_COMBED_NO;
}


void
reel_part_words_print(reel_json_t *j, const char *words, uint32_t n)
{
    uint32_t i;

    reel_json_key(j, "command");
    reel_json_array(j);

    for (i = 0; i < n; i++) {
        reel_json_str(j, reel_str(words));
        words += strlen(words) + 1;
    }

    reel_json_end(j, ']');
}


void
reel_part_grid_print(reel_json_t *j, const reel_grid_t *g)
{
    reel_json_key(j, "grid");
    reel_json_object(j);
    reel_json_kuint(j, "timescale", g->timescale);
    reel_json_kuint(j, "gop_ts", g->gop_ts);
    reel_json_kuint(j, "frame_ts", g->frame_ts);
    reel_json_kuint(j, "fragments", g->fragments);
    reel_json_kint(j, "end_ts", g->end_ts);
    reel_json_end(j, '}');
}


void
reel_part_grid_parse(reel_grid_t *g, reel_fields_t *f)
{
    int64_t       gop;
    reel_fields_t in;

    in = reel_fields_object(f, "grid");

    g->timescale = reel_fields_u32(&in, "timescale", 1, UINT32_MAX);
    g->gop_ts = reel_fields_u32(&in, "gop_ts", 1, UINT32_MAX);
    g->frame_ts = reel_fields_u32(&in, "frame_ts", 0, UINT32_MAX);
    g->fragments = reel_fields_u32(&in, "fragments", 1,
                                   REEL_INDEX_MAX_FRAGMENTS);
    g->end_ts = reel_fields_int(&in, "end_ts", 1, ((int64_t) 1 << 53) - 1);
    gop = g->gop_ts;

    if (in.err == REEL_OK
        && (g->end_ts >= (g->fragments + 1) * gop
            || g->end_ts <= (g->fragments - 1) * gop))
    {
        reel_fields_fail(&in, REEL_BADDATA, "end_ts",
                         "does not lie in the last fragment");
    }

    if (in.err == REEL_OK && g->frame_ts != 0
        && (gop % g->frame_ts != 0 || g->end_ts % g->frame_ts != 0))
    {
        reel_fields_fail(&in, REEL_BADDATA, "frame_ts",
                         "does not divide gop_ts and end_ts");
    }

    reel_fields_join(f, &in);
}


void
reel_part_range_parse(reel_fields_t *f, const reel_grid_t *g, uint32_t *from,
    uint32_t *to)
{
    *from = reel_fields_u32(f, "frag_from", 0, REEL_INDEX_MAX_FRAGMENTS);
    *to = reel_fields_u32(f, "frag_to", 1, REEL_INDEX_MAX_FRAGMENTS);

    if (*from >= *to || *to > g->fragments) {
        reel_fields_fail(f, REEL_BADDATA, "frag_to",
                         "does not end a range of the grid");
    }
}


void
reel_part_stream_print(reel_json_t *j, int stream, reel_rational_t tb)
{
    reel_json_kint(j, "stream", stream);
    reel_part_rational(j, "tb", tb);
}


void
reel_part_stream_parse(reel_fields_t *f, int *stream, reel_rational_t *tb)
{
    *stream = (int) reel_fields_int(f, "stream", 0, INT32_MAX);
    *tb = reel_fields_rational(f, "tb");
}


void
reel_part_jumps_print(reel_json_t *j, const reel_jumps_t *jumps)
{
    uint32_t i;

    if (jumps->n == 0) {
        return;
    }

    reel_json_key(j, "jumps");
    reel_json_array(j);

    for (i = 0; i < jumps->n; i++) {
        reel_json_int(j, jumps->jump[i].pos);
        reel_json_int(j, jumps->jump[i].at);
        reel_json_int(j, jumps->jump[i].shift);
    }

    reel_json_end(j, ']');
}


void
reel_part_jumps_parse(reel_fields_t *f, reel_jumps_t *jumps)
{
    size_t       i, n;
    json_t      *a;
    int64_t      v[3], pos = 0;

    *jumps = (reel_jumps_t) { 0 };

    if (!reel_fields_has(f, "jumps")) {
        return;
    }

    a = reel_fields_array(f, "jumps", 3 * REEL_SOURCE_JUMPS);
    n = json_array_size(a);

    if (n % 3 != 0) {
        reel_fields_fail(f, REEL_BADDATA, "jumps", "are not three numbers "
                         "each");
        return;
    }

    for (i = 0; i < n && f->err == REEL_OK; i++) {
        v[i % 3] = reel_fields_item(f, "jumps", json_array_get(a, i),
                                    i % 3 == 0 ? pos : -REEL_PTS_MAX,
                                    REEL_PTS_MAX);

        if (i % 3 == 2) {
            pos = v[0];
            jumps->jump[jumps->n++] = (reel_jump_t) { v[0], v[1], v[2] };
        }
    }
}


reel_err_t
reel_part_payload(const reel_buf_t *b, size_t before)
{
    reel_err_t err;

    err = reel_buf_err(b);

    if (err == REEL_OK && b->len - before > REEL_PAYLOAD_MAX) {
        return REEL_LIMIT;
    }

    return err;
}
