/*
 * extract_subtitles: text tracks as WebVTT on the film's timeline, in one
 * walk over the source.  A track without anything to read has no answer, nor
 * has one beyond the bounds, of which the film's record is told.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rescale.h"
#include "lib/text/ass.h"
#include "lib/text/webvtt.h"
#include "workerd/av_log.h"
#include "workerd/av_read.h"


#define TIMESCALE        1000

#define CUES_MAX   50000
#define BYTES_MAX  (4u << 20)   /* of a track; nginx takes twice that */
#define CUE_MAX    4096

/* a cue without an end stands so long, or until the next one begins */
#define OPEN_MS    5000


typedef struct {
    int64_t  start, end;        /* ms */
    size_t   order;             /* in the source */
    size_t   text, len;         /* in the track's bytes */
    bool     open;              /* its end was not said */
} cue_t;

typedef struct {
    AVCodecContext *dec;
    cue_t          *cues;       /* owned */
    size_t          n, cap;
    reel_buf_t      text;
    bool            given_up;
} track_t;

typedef struct {
    reel_child_t      *child;
    reel_subtitles_t   task;
    reel_av_fault_t    fault;
    reel_av_source_t   src;
    AVPacket          *pkt;
    int64_t            end_ms;  /* of the film */
    track_t            track[REEL_SUBTITLES_TEXTS];
} subs_t;


/* the film goes on without that track */
static int
give_up(subs_t *s, unsigned i, const char *why)
{
    int             stream = s->task.texts[i].stream;
    reel_err_t      err;
    reel_warning_t  x = { .count = 1, .at_ms = -1 };

    s->track[i].given_up = true;
    fprintf(stderr, "%s is left out: %s\n", s->task.texts[i].name, why);

    (void) snprintf(x.where, sizeof(x.where), "track %d (%s)", stream,
                    avcodec_get_name(s->src.fmt->streams[stream]
                                     ->codecpar->codec_id));

    err = reel_child_warning(s->child, REEL_WARN_TEXT_LEFT_OUT, &x);

    return err == REEL_OK
           ? 0 : reel_av_fault_err(&s->fault, err, "write", "answer");
}


static cue_t *
new_cue(track_t *t)
{
    void    *p;
    size_t   cap;

    if (t->n == t->cap) {
        cap = t->cap == 0 ? 256 : t->cap * 2;
        p = reallocarray(t->cues, cap, sizeof(*t->cues));
        if (p == NULL) {
            return NULL;
        }
        t->cues = p;
        t->cap = cap;
    }

    return &t->cues[t->n];
}


/* the rects of one subtitle are lines of one cue */
static reel_err_t
put_text(reel_buf_t *b, const AVSubtitle *sub)
{
    reel_buf_t  one;
    reel_err_t  err = REEL_OK;

    for (unsigned k = 0; k < sub->num_rects && err != REEL_NOMEM; k++) {
        if (sub->rects[k]->ass == NULL) {
            continue;
        }

        reel_buf_init(&one, CUE_MAX);
        reel_ass_text(&one, reel_str(sub->rects[k]->ass));

        err = reel_buf_err(&one);

        if (err == REEL_OK && one.len > 0) {
            if (b->len > 0) {
                reel_buf_u8(b, '\n');
            }
            reel_buf_add(b, one.data, one.len);
        }

        reel_buf_release(&one);
    }

    return err == REEL_NOMEM ? err : reel_buf_err(b);
}


static int64_t
to_ms(const reel_text_track_t *t, int64_t ts)
{
    return av_rescale(ts, INT64_C(1000) * t->tb.num, t->tb.den);
}


static int
add_cue(subs_t *s, unsigned i, const reel_buf_t *text)
{
    cue_t                    *c;
    track_t                  *t = &s->track[i];
    int64_t                   ts = reel_av_packet_ts(s->pkt);
    const reel_text_track_t  *q = &s->task.texts[i];

    if (ts == AV_NOPTS_VALUE || text->len == 0) {
        return 0;
    }

    if (t->n == CUES_MAX || t->text.len + text->len > BYTES_MAX) {
        return give_up(s, i, "it has too many cues");
    }

    c = new_cue(t);
    if (c == NULL) {
        return reel_av_fault_err(&s->fault, REEL_NOMEM, "decode", "cues");
    }

    *c = (cue_t) { .start = to_ms(q, ts - q->origin), .order = t->n,
                   .text = t->text.len, .len = text->len };
    c->open = s->pkt->duration <= 0
              || s->pkt->duration >= REEL_AV_TS_MAX;
    c->end = c->open ? c->start + OPEN_MS
             : to_ms(q, ts - q->origin + s->pkt->duration);
    c->start = c->start < 0 ? 0 : c->start;
    c->end = c->end > s->end_ms ? s->end_ms : c->end;

    if (c->end > c->start) {
        reel_buf_add(&t->text, text->data, text->len);
        t->n++;
    }

    return reel_buf_err(&t->text) == REEL_OK ? 0
           : reel_av_fault_err(&s->fault, REEL_NOMEM, "decode", "text");
}


static int
decode(subs_t *s, unsigned i)
{
    int         rc, got = 0;
    AVSubtitle  sub = { 0 };
    reel_buf_t  text;
    reel_err_t  err;

    /* what cannot be decoded is missing, as with pictures */
    rc = avcodec_decode_subtitle2(s->track[i].dec, &sub, &got, s->pkt);

    if (rc == AVERROR(ENOMEM)) {
        return reel_av_fault_lib(&s->fault, rc, "decode", "subtitles");
    }

    if (rc < 0 || !got) {
        return 0;
    }

    reel_buf_init(&text, CUE_MAX);
    err = put_text(&text, &sub);
    avsubtitle_free(&sub);

    /* one beyond CUE_MAX is nothing that anybody reads */
    rc = err == REEL_OK ? add_cue(s, i, &text)
         : err == REEL_NOMEM ? reel_av_fault_err(&s->fault, err, "decode",
                                                 "text") : 0;
    reel_buf_release(&text);

    return rc;
}


static int
walk(subs_t *s)
{
    int       rc;
    unsigned  i;

    s->src.jumps = &s->task.jumps;

    while ((rc = reel_av_source_read(&s->src, s->pkt, &s->fault)) == 1) {
        for (i = 0; i < s->task.ntexts; i++) {
            if (s->pkt->stream_index == s->task.texts[i].stream
                && !s->track[i].given_up && decode(s, i) != 0)
            {
                return -1;
            }
        }

        if (s->src.io.size > 0) {
            reel_child_progress(s->child,
                                (unsigned) av_rescale(s->src.io.pos, 1000,
                                                      s->src.io.size));
        }
    }

    return rc;
}


static int
by_start(const void *x, const void *y)
{
    const cue_t  *a = x, *b = y;

    if (a->start != b->start) {
        return a->start < b->start ? -1 : 1;
    }

    return a->order < b->order ? -1 : a->order > b->order;
}


/* sorted, without the same said twice at once, open ones ended */
static void
tidy(track_t *t)
{
    size_t  kept = 0;
    cue_t  *c, *last;

    if (t->n > 0) {
        qsort(t->cues, t->n, sizeof(*t->cues), by_start);
    }

    for (size_t k = 0; k < t->n; k++) {
        c = &t->cues[k];
        last = kept > 0 ? &t->cues[kept - 1] : NULL;

        if (last != NULL && last->start == c->start && last->len == c->len
            && memcmp(t->text.data + last->text, t->text.data + c->text,
                      c->len) == 0)
        {
            last->end = c->end > last->end ? c->end : last->end;
            continue;
        }

        if (last != NULL && last->open && last->end > c->start
            && last->start < c->start)
        {
            last->end = c->start;
        }

        t->cues[kept++] = *c;
    }

    t->n = kept;
}


static int64_t
slot_ms(const subs_t *s, uint32_t k)
{
    return reel_rescale(reel_grid_tick(&s->task.grid, k), TIMESCALE,
                        s->task.grid.timescale, REEL_ROUND_DOWN);
}


/* the file, and which of its bytes belong to which slot */
static void
print(const subs_t *s, const track_t *t, reel_buf_t *b, reel_encoded_t *o)
{
    size_t          c = 0, at = 0;
    int64_t         end;
    reel_vtt_cue_t  cue = { 0 };

    reel_buf_addz(b, "WEBVTT\n\n");

    for (uint32_t k = 0; k < o->nfrags; k++) {
        end = k + 1 < o->nfrags ? slot_ms(s, k + 1) : INT64_MAX;

        for (/* void */ ; c < t->n && t->cues[c].start < end; c++) {
            cue.start_ms = t->cues[c].start;
            cue.end_ms = t->cues[c].end;
            cue.text = (reel_str_t) { (char *) t->text.data
                                      + t->cues[c].text, t->cues[c].len };
            reel_vtt_put_cue(b, &cue);
            o->frags[k].samples++;
        }

        o->frags[k].size = (uint32_t) (b->len - at);
        o->frags[k].duration = (uint32_t) (slot_ms(s, k + 1)
                                           - slot_ms(s, k));
        at = b->len;
    }

    o->bytes = b->len;
    o->samples = t->n;
}


static reel_err_t
tell(subs_t *s, unsigned i, const reel_buf_t *b, const reel_encoded_t *o)
{
    int         fd = s->child->out_fd[i];
    reel_err_t  err;

    err = reel_buf_err(b);
    if (err == REEL_OK) {
        err = reel_child_write(fd, b->data, b->len);
    }

    if (err == REEL_OK) {
        err = reel_child_sync(fd);
    }

    return err == REEL_OK ? reel_child_object(s->child, o, i, 0) : err;
}


static int
finish(subs_t *s, unsigned i)
{
    track_t                  *t = &s->track[i];
    reel_buf_t                b;
    reel_err_t                err = REEL_NOMEM;
    reel_encoded_t            o = { .kind = REEL_TEXT,
                                    .timescale = TIMESCALE,
                                    .nfrags = s->task.grid.fragments };
    const reel_text_track_t  *q = &s->task.texts[i];

    if (t->given_up || t->n == 0) {
        return 0;
    }

    tidy(t);

    snprintf(o.codec, sizeof(o.codec), "wvtt");
    memcpy(o.rendition, q->name, sizeof(o.rendition));
    memcpy(o.language, q->language, sizeof(o.language));
    memcpy(o.label, q->label, sizeof(o.label));
    o.roles = q->roles;
    o.frags = calloc(o.nfrags, sizeof(*o.frags));

    reel_buf_init(&b, 2 * BYTES_MAX);

    if (o.frags != NULL) {
        print(s, t, &b, &o);
        err = tell(s, i, &b, &o);
    }

    reel_buf_release(&b);
    free(o.frags);

    return err == REEL_OK
           ? 0 : reel_av_fault_err(&s->fault, err, "write", q->name);
}


static int
open_tracks(subs_t *s)
{
    unsigned         i, k;
    reel_av_fault_t  why;
    AVFormatContext *fmt = s->src.fmt;

    for (k = 0; k < fmt->nb_streams; k++) {
        fmt->streams[k]->discard = AVDISCARD_ALL;
    }

    for (i = 0; i < s->task.ntexts; i++) {
        k = (unsigned) s->task.texts[i].stream;
        why = (reel_av_fault_t) { 0 };

        if (s->task.texts[i].stream < 0 || k >= fmt->nb_streams) {
            return reel_av_fault(&s->fault, "BAD_MEDIA", "demux",
                                 "no stream %u", k);
        }

        reel_buf_init(&s->track[i].text, BYTES_MAX);
        s->track[i].dec = reel_av_decoder_open(fmt->streams[k], 1, &why);

        if (s->track[i].dec != NULL) {
            fmt->streams[k]->discard = AVDISCARD_DEFAULT;

        } else if (reel_av_fault_passed(&s->fault, &why) != 0
                   || give_up(s, i, why.text) != 0)
        {
            return -1;
        }
    }

    return 0;
}


static int
prepare(subs_t *s)
{
    reel_error_t  e = { "" };

    if (reel_subtitles_parse(&s->task, s->child->payload.p,
                             s->child->payload.len, &e) != REEL_OK
        || s->child->nout < s->task.ntexts)
    {
        return reel_av_fault(&s->fault, "INTERNAL", "payload", "%s", e.text);
    }

    s->end_ms = slot_ms(s, s->task.grid.fragments);
    s->pkt = av_packet_alloc();

    if (s->pkt == NULL) {
        return reel_av_fault_err(&s->fault, REEL_NOMEM, "demux", "packet");
    }

    return reel_av_source_open(&s->src, s->child->source_fd, &s->fault);
}


int
reel_av_subtitles(reel_child_t *c)
{
    int       status, rc;
    subs_t   *s;

    reel_av_log_init();

    s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return reel_child_fail(c, true, "NO_MEMORY", "decode", "subtitles");
    }
    s->child = c;

    rc = prepare(s) == 0 && open_tracks(s) == 0 ? walk(s) : -1;

    for (unsigned i = 0; rc == 0 && i < s->task.ntexts; i++) {
        rc = finish(s, i);
    }

    status = rc == 0 ? 0 : reel_av_fault_report(c, &s->fault);

    for (unsigned i = 0; i < REEL_SUBTITLES_TEXTS; i++) {
        avcodec_free_context(&s->track[i].dec);
        reel_buf_release(&s->track[i].text);
        free(s->track[i].cues);
    }

    av_packet_free(&s->pkt);
    reel_av_source_close(&s->src);
    free(s);

    return status;
}
