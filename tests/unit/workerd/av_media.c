#include "av_media.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "tests/unit/help/files.h"


#define OUTPUTS    4
#define ARGS_MAX   8192


static char  folder[] = "/tmp/reel-av-XXXXXX";


int
media_setup(void **state)
{
    (void) state;

    return mkdtemp(folder) == NULL ? -1 : 0;
}


int
media_teardown(void **state)
{
    (void) state;

    return folder_remove(folder);
}


const char *
media_path(const char *name)
{
    static char      paths[4][256];
    static unsigned  next;
    char            *p;

    p = paths[next++ % 4];
    (void) snprintf(p, 256, "%s/%s", folder, name);

    return p;
}


void
media_make(const char *name, const char *args)
{
    int    n;
    char   command[ARGS_MAX];

    n = snprintf(command, sizeof(command),
                 "ffmpeg -nostdin -v error -y %s '%s'", args,
                 media_path(name));
    assert_in_range(n, 1, (int) sizeof(command) - 1);

    if (system(command) != 0) {
        fail_msg("%s", command);
    }
}


void
media_patch(const char *name, const char *tag, size_t behind,
    const void *bytes, size_t n)
{
    char    *film, *at;
    size_t   len;

    film = media_read(name, &len);
    at = memmem(film, len, tag, strlen(tag));
    assert_non_null(at);
    assert_true(behind + n <= len - (size_t) (at - film));
    memcpy(at + behind, bytes, n);
    media_write(name, film, len);
    free(film);
}


void *
media_read(const char *name, size_t *len)
{
    return file_read(media_path(name), len);
}


void
media_write(const char *name, const void *data, size_t len)
{
    file_write(media_path(name), data, len);
}


static int
open_output(const char *out, unsigned i)
{
    int   fd;
    char  name[128];

    (void) snprintf(name, sizeof(name), "%s.%u", out, i);
    fd = open(media_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0);

    return fd;
}


static json_t *
read_lines(const char *path)
{
    FILE    *fp;
    char    *text;
    json_t  *all, *line;

    all = json_array();
    text = malloc(1 << 20);
    fp = fopen(path, "r");
    assert_true(all != NULL && text != NULL && fp != NULL);

    while (fgets(text, 1 << 20, fp) != NULL) {
        line = json_loads(text, 0, NULL);
        assert_non_null(line);
        assert_int_equal(json_array_append_new(all, line), 0);
    }

    fclose(fp);
    free(text);

    return all;
}


media_answer_t
media_run(int (*task)(reel_child_t *), const char *source,
    const char *payload, size_t len, const char *out, uint32_t resume_frag,
    uint64_t max_duration_s)
{
    unsigned        i;
    const char     *lines;
    reel_child_t    c = { 0 };
    media_answer_t  a;

    lines = media_path("lines");
    c.source_fd = open(media_path(source), O_RDONLY);
    c.ctl_fd = open(lines, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_true(c.source_fd >= 0 && c.ctl_fd >= 0);

    c.payload = (reel_str_t) { payload, len };
    c.resume_frag = resume_frag;
    c.max_duration_s = max_duration_s;

    for (i = 0; out != NULL && i < OUTPUTS; i++) {
        c.out_fd[c.nout++] = open_output(out, i);
    }

    a.status = task(&c);

    for (i = 0; i < c.nout; i++) {
        close(c.out_fd[i]);
    }
    close(c.ctl_fd);
    close(c.source_fd);

    a.lines = read_lines(media_path("lines"));
    return a;
}


json_t *
media_line(const media_answer_t *a, const char *key)
{
    size_t   i;
    json_t  *line, *v;

    json_array_foreach(a->lines, i, line) {
        v = json_object_get(line, key);
        if (v != NULL) {
            return v;
        }
    }

    return NULL;
}


void
media_inspect(reel_source_t *s, const char *source)
{
    char            *text;
    media_answer_t   a;
    reel_error_t     e = { "" };

    a = media_run(reel_av_inspect, source, NULL, 0, NULL, 0, 0);
    assert_int_equal(a.status, 0);
    assert_non_null(media_line(&a, "source"));

    text = json_dumps(media_line(&a, "source"), JSON_COMPACT);
    assert_non_null(text);

    if (reel_source_parse(s, text, strlen(text), &e) != REEL_OK) {
        fail_msg("%s", e.text);
    }

    free(text);
    json_decref(a.lines);
}


const char *
media_error(int (*task)(reel_child_t *), const char *source)
{
    json_t          *error;
    static char      code[64];
    media_answer_t   a;

    a = media_run(task, source, NULL, 0, NULL, 0, 0);
    error = media_line(&a, "error");

    assert_int_equal(a.status != 0, error != NULL);
    (void) snprintf(code, sizeof(code), "%s", error == NULL ? ""
                    : json_string_value(json_object_get(error, "code")));

    json_decref(a.lines);
    return code;
}


static void
append(const char *from, uint64_t at, uint64_t len, const char *to)
{
    FILE    *in, *out;
    uint8_t *data;

    in = fopen(media_path(from), "r");
    out = fopen(media_path(to), "a");
    data = malloc(len);
    assert_true(in != NULL && out != NULL && data != NULL);

    assert_int_equal(fseek(in, (long) at, SEEK_SET), 0);
    assert_int_equal(fread(data, 1, len, in), len);
    assert_int_equal(fwrite(data, 1, len, out), len);
    assert_int_equal(fclose(out), 0);

    fclose(in);
    free(data);
}


static uint64_t
number(const json_t *o, const char *key)
{
    return (uint64_t) json_integer_value(json_object_get(o, key));
}


void
media_join(const media_answer_t *a, unsigned output, const char *out,
    const char *to)
{
    char         name[128];
    size_t       i;
    json_t      *line, *o;
    uint64_t     skip;
    struct stat  st;

    (void) snprintf(name, sizeof(name), "%s.%u", out, output);

    json_array_foreach(a->lines, i, line) {
        o = json_object_get(line, "object");
        if (o == NULL || number(line, "output") != output) {
            continue;
        }

        skip = stat(media_path(to), &st) == 0 && st.st_size > 0
               ? number(o, "base") : 0;
        append(name, number(line, "from") + skip, number(o, "bytes") - skip,
               to);
    }
}


static int
read_number(const uint8_t *picture)
{
    int  bit, n;

    for (bit = 0, n = 0; bit < 16; bit++) {
        if (picture[16 * 160 + bit * 10 + 5] > 128) {
            n |= 1 << bit;
        }
    }

    return n;
}


/* what a command prints, up to max bytes; free() it */
static uint8_t *
output_of(const char *command, size_t max, size_t *n)
{
    FILE     *fp;
    uint8_t  *data;

    data = malloc(max);
    fp = popen(command, "r");
    assert_true(data != NULL && fp != NULL);

    *n = fread(data, 1, max, fp);
    assert_int_equal(pclose(fp), 0);

    return data;
}


void
media_pictures(media_pictures_t *p, const char *name)
{
    char      command[1024], line[1024], *at;
    FILE     *fp;
    double    scale = 0;
    size_t    i, n;
    uint8_t  *data;

    memset(p, 0, sizeof(*p));

    /* -xerror: a picture that does not decode cleanly fails the test */
    (void) snprintf(command, sizeof(command),
                    "ffmpeg -nostdin -hide_banner -nostats -xerror -i '%s' "
                    "-vsync 0 -vf showinfo -f rawvideo -pix_fmt gray - "
                    "2>'%s'", media_path(name), media_path("shown"));
    data = output_of(command, 4096 * 160 * 32, &n);
    p->n = n / (160 * 32);

    for (i = 0; i < p->n; i++) {
        p->number[i] = read_number(data + i * 160 * 32);
    }
    free(data);

    fp = fopen(media_path("shown"), "r");
    assert_non_null(fp);

    for (i = 0; fgets(line, sizeof(line), fp) != NULL; /* void */) {
        if ((at = strstr(line, "in time_base: 1/")) != NULL) {
            scale = strtod(at + 16, NULL);

        } else if ((at = strstr(line, " pts:")) != NULL) {
            assert_true(i < p->n && scale > 0);
            p->pts_us[i++] = (int64_t) (strtod(at + 5, NULL) * 1e6 / scale
                                        + 0.5);
        }
    }

    fclose(fp);
    assert_int_equal(i, p->n);
}


int16_t *
media_sound(const char *name, size_t *n)
{
    return media_sound_of(name, 1, n);
}


int16_t *
media_sound_of(const char *name, int channels, size_t *n)
{
    char      command[1024];
    size_t    bytes;
    uint8_t  *data;

    (void) snprintf(command, sizeof(command),
                    "ffmpeg -nostdin -v error -xerror -i '%s' -f s16le "
                    "-ac %d -ar 48000 -", media_path(name), channels);
    data = output_of(command, 64 << 20, &bytes);
    *n = bytes / 2;

    return (int16_t *) (void *) data;
}


void
media_video_gop(reel_encode_video_t *t, const reel_source_t *s,
    uint32_t from, uint32_t to, uint32_t gop_ms)
{
    size_t                      i;
    int64_t                     at;
    reel_pipeline_t             pl;
    const reel_source_video_t  *v = &s->video;

    memset(t, 0, sizeof(*t));
    reel_pipeline_default(&pl);
    pl.gop_ms = gop_ms;
    assert_int_equal(reel_plan_grid(&t->grid, &pl, s), REEL_OK);

    t->stream = v->stream;
    t->tb = v->tb;
    t->origin = v->first_pts;
    t->seek_pts = v->first_pts;
    t->chunk = from;
    t->frag_from = from;
    t->frag_to = to < t->grid.fragments ? to : t->grid.fragments;
    t->rate = v->rate;
    t->interlaced = v->interlaced;
    t->combed = v->combed;
    t->rotation = v->rotation;
    t->hflip = v->hflip;
    t->vflip = v->vflip;
    t->threads = 1;
    t->nrungs = 1;
    (void) snprintf(t->preset, sizeof(t->preset), "veryfast");

    t->rungs[0] = (reel_video_rung_t) {
        .name = "v32", .width = 160, .height = 32, .crf = 18,
        .max_kbps = 4000, .buf_kbits = 4000, .every = 1
    };

    /* the latest key frame at or before the chunk's start */
    at = t->origin + (int64_t) from * t->grid.gop_ts * v->tb.den
                     / ((int64_t) v->tb.num * t->grid.timescale);
    for (i = 0; i < v->nkeyframes && v->keyframes[i] <= at; i++) {
        t->seek_pts = v->keyframes[i];
    }
}


void
media_video_task(reel_encode_video_t *t, const reel_source_t *s,
    uint32_t from, uint32_t to)
{
    media_video_gop(t, s, from, to, 2000);
}


void
media_encode(const reel_encode_video_t *t, const char *source,
    const char *joined)
{
    reel_buf_t      b;
    media_answer_t  a;

    reel_buf_init(&b, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_encode_video_print(&b, t), REEL_OK);

    a = media_run(reel_av_encode_video, source, (char *) b.data, b.len,
                  "chunk", 0, 0);
    assert_int_equal(a.status, 0);
    media_join(&a, 0, "chunk", joined);

    json_decref(a.lines);
    reel_buf_release(&b);
}


void
media_encode_chunk(const reel_source_t *s, const char *source, uint32_t from,
    uint32_t to, const char *joined)
{
    reel_encode_video_t  t;

    media_video_task(&t, s, from, to);
    media_encode(&t, source, joined);
}
