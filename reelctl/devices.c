/*
 * What devices play, as their makers document it: data first, then the few
 * kinds of judgement.  docs/players.md has a row for each device, and
 * check-docs compares the two.
 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <strings.h>

#include "reelctl/rules.h"


#define TV     1u
#define MOBILE 2u
#define WEB    4u

/* NULL and 0: its document says nothing of that */
typedef struct {
    const char  *name;
    unsigned     profiles;
    const char  *source;        /* the document that says so */
    /* formats: "hls/ts", "hls/mp4", "dash/mp4"; with blanks between */
    const char  *formats;
    /* "entry:profile:level:height": all at most; entry alone: any */
    const char  *video;
    const char  *audio;         /* beginnings of codec strings */
    const char  *schemes;       /* of encrypted MP4 */
    bool         cors;          /* it reads as a web page does */
    bool         even;          /* sound in segments as long as the picture's */
    unsigned     segment_s;     /* the longest segment */
    unsigned     lowest_kbps;   /* some rendition has so little */
    unsigned     mpd_bytes;     /* the longest MPD */
} device_t;


static const device_t  devices[] = {
    { "AVPlayer", TV | MOBILE,
      "Apple: HLS Authoring Specification for Apple Devices",
      "hls/ts hls/mp4", "avc1:100:52:4320 hvc1:2:153:4320 dvh1 av01",
      "mp4a.40 ac-3 ec-3 flac", "cbcs", false, false, 0, 0, 0 },
    { "ExoPlayer", TV | MOBILE, "Android: Media3, Supported formats",
      "hls/ts hls/mp4 dash/mp4", "avc1 hvc1 hev1 vp09 av01",
      "mp4a.40 opus flac ac-3 ec-3", "cenc cbcs", false, false, 0, 0, 0 },
    { "Tizen", TV, "Samsung Smart TV: General and TV Video Specifications",
      "hls/ts hls/mp4 dash/mp4",
      "avc1:100:41:1080 avc1:100:51:2160 hvc1:2:123:1080 hvc1:2:153:2160",
      "mp4a.40 ac-3 ec-3", NULL, false, false, 0, 0, 0 },
    { "webOS", TV, "LG webOS TV: Streaming Protocol and DRM",
      "hls/ts hls/mp4", NULL, NULL, NULL, false, true, 0, 0, 0 },
    { "Roku", TV, "Roku: Streaming specifications, Audio and Video Support",
      "hls/ts hls/mp4 dash/mp4", "avc1:100:255:1080 hvc1:2:255:2160",
      "mp4a.40 ac-3 ec-3", NULL, false, false, 0, 500, 0 },
    { "HbbTV", TV, "ETSI TS 102 796 (HbbTV 2.0.x) and TS 103 285 (DVB-DASH)",
      "dash/mp4", "avc1:100:40:1080 hvc1:2:123:1080 hvc1:2:153:2160",
      "mp4a.40 ec-3", "cenc", false, false, 15, 0, 262144 },
    { "Chromecast", TV | WEB, "Google Cast: Supported Media",
      "hls/ts hls/mp4 dash/mp4", "avc1:100:41:1080 hvc1:2:153:2160 vp09",
      "mp4a.40 opus flac", NULL, true, false, 0, 0, 0 },
    { "Browsers", WEB, "hls.js, shaka-player and dash.js in Chromium: tried",
      "hls/ts hls/mp4 dash/mp4", "avc1 vp09 av01", "mp4a.40 opus flac",
      "cenc cbcs", true, false, 0, 0, 0 },
};

#define NDEVICES (sizeof(devices) / sizeof(devices[0]))


static const struct {
    const char  *name;
    unsigned     bit;
} profiles[] = {
    { "tv", TV }, { "mobile", MOBILE }, { "web", WEB }
};


typedef struct {
    reel_check_t   *k;
    const device_t *d;
    json_t         *faults;     /* with --json */
    unsigned        n;
    unsigned        formats;    /* of ours that it takes: bits */
} judge_t;

#define HLS_TS  1u
#define HLS_MP4 2u
#define DASH    4u


static unsigned
profile_bit(const char *name)
{
    size_t  i;

    for (i = 0; i < 3; i++) {
        if (strcmp(profiles[i].name, name) == 0) {
            return profiles[i].bit;
        }
    }

    return 0;
}


bool
reel_check_profile_known(const char *profile)
{
    return profile_bit(profile) != 0;
}


static void refuse(judge_t *j, const char *fmt, ...) REEL_PRINTF(2, 3);


static void
refuse(judge_t *j, const char *fmt, ...)
{
    char     text[400];
    va_list  ap;

    va_start(ap, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    j->n++;

    if (j->faults != NULL) {
        json_array_append_new(j->faults, reel_check_json(text));
        return;
    }

    (void) printf("device %s FAIL: ", j->d->name);
    reel_ctl_put_safe(stdout, text);
    (void) printf(" (%s)\n", j->d->source);
}


static bool
in_list(const char *list, const char *word)
{
    size_t       n = strlen(word);
    const char  *p;

    for (p = list; (p = strstr(p, word)) != NULL; p += n) {
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0')) {
            return true;
        }
    }

    return false;
}


/* is a codec string one of those that begin as a word of the list? */
static bool
begins_in(const char *list, const char *codec)
{
    size_t       n;
    const char  *p;

    for (p = list; *p != '\0'; p += n + (p[n] == ' ')) {
        n = strcspn(p, " ");

        if (strncasecmp(p, codec, n) == 0) {
            return true;
        }
    }

    return false;
}


/* "avc1:100:41:1080" takes a track of that entry, and not above */
static bool
takes(reel_str_t word, const reel_check_init_t *i)
{
    char        entry[5];
    size_t      n;
    uint64_t    v;
    reel_str_t  rest, one = reel_str_cut(word, ':', &rest);
    uint64_t    mine[] = { i->profile, i->level,
                           i->height < i->width ? i->height : i->width };

    if (!reel_str_eqz(one, reel_check_fourcc(i->entry, entry))) {
        return false;
    }

    for (n = 0; n < 3 && rest.p != NULL; n++) {
        one = reel_str_cut(rest, ':', &rest);

        if (reel_str_u64(one, UINT32_MAX, &v) != REEL_OK || mine[n] > v) {
            return false;
        }
    }

    return true;
}


static bool
video_plays(const device_t *d, const reel_check_init_t *i)
{
    reel_str_t  rest, word;

    if (d->video == NULL) {
        return true;
    }

    rest = reel_str(d->video);

    while (rest.p != NULL) {
        word = reel_str_cut(rest, ' ', &rest);

        if (takes(word, i)) {
            return true;
        }
    }

    return false;
}


/* in a format that the device takes */
static bool
reachable(const judge_t *j, const reel_check_track_t *t)
{
    unsigned  form = t->dash ? DASH : t->form == REEL_CHECK_TS ? HLS_TS
                                                               : HLS_MP4;

    return (j->formats & form) != 0 && reel_check_head_of(t)->read
           && t->kind != REEL_CHECK_IFRAMES;
}


static void
find_formats(judge_t *j)
{
    unsigned             n, ours = 0, take;
    reel_check_track_t  *t;

    take = (in_list(j->d->formats, "hls/ts") ? HLS_TS : 0)
           | (in_list(j->d->formats, "hls/mp4") ? HLS_MP4 : 0)
           | (in_list(j->d->formats, "dash/mp4") ? DASH : 0);

    REEL_EACH_TRACK(j->k, t, n) {
        if (t->form == REEL_CHECK_MP4 || t->form == REEL_CHECK_TS) {
            ours |= t->dash ? DASH : t->form == REEL_CHECK_TS ? HLS_TS
                                                              : HLS_MP4;
        }
    }

    j->formats = ours & take;

    if (j->formats == 0) {
        refuse(j, "it takes %s, and none of them was checked",
               j->d->formats);
    }
}


static void
judge_codecs(judge_t *j)
{
    bool                       video = false, sees = false, hears = false;
    bool                       audio = false;
    char                       name[5];
    const char                *seen = "", *heard = "";
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    REEL_EACH_TRACK(j->k, t, n) {

        if (!reachable(j, t)) {
            continue;
        }

        i = reel_check_head_of(t);

        if (t->kind == REEL_CHECK_VIDEO) {
            video = true;
            sees |= video_plays(j->d, i);
            seen = i->codec;

        } else if (t->kind == REEL_CHECK_AUDIO) {
            audio = true;
            hears |= j->d->audio == NULL
                     || begins_in(j->d->audio, i->codec);
            heard = i->codec;
        }

        if (i->encrypted && j->d->schemes != NULL
            && !in_list(j->d->schemes, reel_check_fourcc(i->scheme, name)))
        {
            refuse(j, "%s is encrypted by %s, it takes %s", t->name, name,
                   j->d->schemes);
        }
    }

    if (video && !sees) {
        refuse(j, "no rendition of pictures is one of %s (the last is %s)",
               j->d->video, seen);
    }

    if (audio && !hears) {
        refuse(j, "no rendition of sound is one of %s (the last is %s)",
               j->d->audio, heard);
    }
}


static void
judge_segments(judge_t *j)
{
    unsigned                   n, m;
    reel_check_track_t        *t;
    const reel_check_track_t  *video = NULL;

    REEL_EACH_TRACK(j->k, t, n) {

        if (!reachable(j, t)) {
            continue;
        }

        if (t->kind == REEL_CHECK_VIDEO && video == NULL) {
            video = t;
        }

        for (m = 0; m < t->nsegments && j->d->segment_s != 0; m++) {
            if (t->segments[m].duration_us
                > (int64_t) j->d->segment_s * REEL_SECOND)
            {
                refuse(j, "%s: a segment lasts over %u s", t->name,
                       j->d->segment_s);
                break;
            }
        }
    }

    REEL_EACH_TRACK(j->k, t, n) {

        if (!j->d->even || video == NULL || t->kind != REEL_CHECK_AUDIO
            || !reachable(j, t) || t->dash != video->dash)
        {
            continue;
        }

        for (m = 0; m + 1 < t->nsegments && m + 1 < video->nsegments; m++) {
            if (llabs(t->segments[m].duration_us
                      - video->segments[m].duration_us) > REEL_SECOND / 2)
            {
                refuse(j, "%s: segment %u of sound is not as long as that of "
                       "the pictures", t->name, m);
                break;
            }
        }
    }
}


static void
judge_delivery(judge_t *j)
{
    bool                 any = false, low = false;
    unsigned             n;
    reel_check_track_t  *t;

    for (n = 0; j->d->cors && n < j->k->nfiles; n++) {
        if (j->k->files[n]->status == 200 && j->k->files[n]->cors[0] == '\0')
        {
            refuse(j, "%s: no Access-Control-Allow-Origin",
                   j->k->files[n]->url);
            break;
        }
    }

    if (j->d->mpd_bytes != 0 && j->k->mpd_file != NULL
        && j->k->mpd_file->size > j->d->mpd_bytes)
    {
        refuse(j, "%s has %" PRIu64 " bytes, it reads %u",
               j->k->mpd_file->url, j->k->mpd_file->size, j->d->mpd_bytes);
    }

    REEL_EACH_TRACK(j->k, t, n) {
        if (reachable(j, t) && t->kind == REEL_CHECK_VIDEO
            && t->average != 0)
        {
            any = true;
            low |= t->average <= j->d->lowest_kbps * 1000ull;
        }
    }

    if (any && !low && j->d->lowest_kbps != 0) {
        refuse(j, "no rendition of pictures has %u kb/s or less",
               j->d->lowest_kbps);
    }
}


static unsigned
judge(reel_check_t *k, const device_t *d, json_t *out)
{
    judge_t  j = { .k = k, .d = d,
                   .faults = out != NULL ? json_array() : NULL };

    find_formats(&j);

    if (j.formats != 0) {
        judge_codecs(&j);
        judge_segments(&j);
        judge_delivery(&j);
    }

    if (out != NULL) {
        json_array_append_new(out, json_pack("{s:s, s:s, s:b, s:o}", "device",
            d->name, "source", d->source, "plays", j.n == 0, "faults",
            j.faults));

    } else if (j.n == 0) {
        (void) printf("device %s ok: %s%s%s\n", d->name,
                      j.formats & HLS_TS ? "HLS in TS " : "",
                      j.formats & HLS_MP4 ? "HLS in MP4 " : "",
                      j.formats & DASH ? "DASH" : "");
    }

    return j.n != 0;
}


/* how many of the profile's devices refuse it */
int
reel_check_devices(reel_check_t *k, const char *profile, json_t *out)
{
    size_t    i;
    unsigned  n = 0, bit = profile_bit(profile);

    for (i = 0; i < NDEVICES; i++) {
        if (devices[i].profiles & bit) {
            n += judge(k, &devices[i], out);
        }
    }

    return (int) n;
}


static void
put_cell(const char *what, const char *z)
{
    if (z != NULL) {
        (void) printf("; %s %s", what, z);
    }
}


static void
put_bound(const char *what, unsigned n)
{
    if (n != 0) {
        (void) printf("; %s %u", what, n);
    }
}


void
reel_check_list_devices(void)
{
    size_t           i, p;
    const device_t  *d;

    for (i = 0; i < NDEVICES; i++) {
        d = &devices[i];
        (void) printf("device %s:", d->name);

        for (p = 0; p < 3; p++) {
            if (d->profiles & profiles[p].bit) {
                (void) printf(" %s", profiles[p].name);
            }
        }

        put_cell("formats", d->formats);
        put_cell("video", d->video);
        put_cell("audio", d->audio);
        put_cell("schemes", d->schemes);
        put_bound("segments at most s", d->segment_s);
        put_bound("some rendition at most kb/s", d->lowest_kbps);
        put_bound("MPD at most bytes", d->mpd_bytes);
        put_cell(d->cors ? "CORS" : "", d->cors ? "needed" : NULL);
        put_cell("segments of sound", d->even ? "as long as the pictures'"
                                              : NULL);
        put_cell("by", d->source);
        (void) fputc('\n', stdout);
    }
}
