#include "workerd/av_sound.h"

#include <stdio.h>
#include <string.h>

#include <libavutil/channel_layout.h>

#include "lib/base/rescale.h"
#include "lib/codec/aac.h"
#include "lib/codec/opus.h"
#include "lib/job/wants.h"
#include "workerd/av_lang.h"


static bool
is_opus(const reel_av_sound_t *a)
{
    return a->task->codec == REEL_AUDIO_OPUS;
}


static uint32_t
unit_rate(const reel_av_sound_t *a)
{
    return reel_audio_unit_rate(a->task->codec, a->task->sample_rate);
}


static int
open_encoder(reel_av_sound_t *a, reel_av_fault_t *f)
{
    int              rc;
    const char      *name = is_opus(a) ? REEL_ENCODER_OPUS
                                         : REEL_ENCODER_AAC;
    AVDictionary    *opts = NULL;
    AVCodecContext  *enc;
    const AVCodec   *codec;

    codec = avcodec_find_encoder_by_name(name);
    if (codec == NULL) {
        return reel_av_fault(f, "INTERNAL", "encode",
                             "this libavcodec has no encoder %s", name);
    }

    enc = a->enc = avcodec_alloc_context3(codec);
    a->pkt = av_packet_alloc();
    if (enc == NULL || a->pkt == NULL) {
        return reel_av_fault_lib(f, AVERROR(ENOMEM), "encode", name);
    }

    enc->sample_fmt = is_opus(a) ? AV_SAMPLE_FMT_FLT : AV_SAMPLE_FMT_FLTP;
    enc->sample_rate = (int) a->task->sample_rate;
    enc->bit_rate = (int64_t) a->task->kbps * 1000;
    enc->time_base = (AVRational) { 1, enc->sample_rate };
    enc->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    enc->thread_count = 1;
    av_channel_layout_default(&enc->ch_layout, (int) a->task->channels);

    /* unconstrained it takes four times its rate for what is tonal */
    rc = is_opus(a) ? av_dict_set(&opts, "vbr", "constrained", 0) : 0;
    if (rc >= 0) {
        rc = avcodec_open2(enc, codec, &opts);
    }
    av_dict_free(&opts);

    if (rc < 0) {
        return reel_av_fault_lib(f, rc, "encode", name);
    }

    /* AAC's delay is a whole unit, which is dropped */
    a->delay = is_opus(a) ? enc->initial_padding : 0;

    if (enc->frame_size != a->frame || (is_opus(a)
        ? a->delay < 0 || a->delay >= a->frame
        : enc->initial_padding != a->frame))
    {
        return reel_av_fault(f, "INTERNAL", "encode", "%s: frames of %d, "
                             "delay of %d", name, enc->frame_size,
                             enc->initial_padding);
    }

    return 0;
}


/* the configuration that its boxes carry */
static int
make_config(reel_av_sound_t *a, reel_buf_t *b, reel_av_fault_t *f)
{
    uint8_t     head[64];
    size_t      n = (size_t) a->enc->extradata_size;
    reel_err_t  err;

    if (!is_opus(a)) {
        reel_buf_add(b, a->enc->extradata, n);
        err = reel_buf_err(b);

    } else if (n < 19 || n > sizeof(head)) {
        err = REEL_BADDATA;

    } else {
        /* what it would skip is not there: the line runs ahead by it */
        memcpy(head, a->enc->extradata, n);
        head[10] = head[11] = 0;
        err = reel_opus_config(b, head, n);
    }

    return err == REEL_OK ? 0
           : reel_av_fault_err(f, err, "encode", "the encoder's headers");
}


static void
set_place(reel_av_sound_t *a, reel_child_t *child,
    const reel_encode_audio_t *task, uint32_t frag_from)
{
    a->child = child;
    a->task = task;
    a->frame = (int) reel_audio_frame(task->codec);
    a->frag = a->frag_from = a->object_from = frag_from;
    a->first_au = reel_audio_first_au(&task->grid, unit_rate(a),
                                      frag_from);
    a->end_au = task->frag_to == task->grid.fragments
                ? reel_audio_total_aus(&task->grid, unit_rate(a))
                : reel_audio_first_au(&task->grid, unit_rate(a),
                                      task->frag_to);
    a->au = a->first_au;
    a->next_in = reel_av_sound_begin(a);
}


static int
open_track(reel_av_sound_t *a, reel_str_t config, reel_av_fault_t *f)
{
    reel_cmaf_track_t           track;
    const reel_encode_audio_t  *task = a->task;

    track = (reel_cmaf_track_t) {
        .codec = is_opus(a) ? REEL_CODEC_OPUS : REEL_CODEC_AAC,
        .track_id = REEL_TRACK_AUDIO,
        .timescale = task->sample_rate,
        .config = config,
        .primaries = 2, .transfer = 2, .matrix = 2,
        .channels = (uint16_t) task->channels,
        .sample_rate = task->sample_rate,
        .bitrate = task->kbps * 1000
    };
    reel_av_lang_iso(track.language, task->language);

    return reel_av_frag_init(&a->out, a->child->out_fd[0], &track, f) != 0
           ? -1 : reel_av_frag_begin(&a->out, f);
}


int
reel_av_sound_open(reel_av_sound_t *a, reel_child_t *child,
    const reel_encode_audio_t *task, uint32_t frag_from, reel_av_fault_t *f)
{
    int         rc = -1;
    reel_buf_t  config;

    set_place(a, child, task, frag_from);

    if (open_encoder(a, f) != 0) {
        return -1;
    }

    reel_buf_init(&config, 4096);

    if (make_config(a, &config, f) == 0) {
        rc = open_track(a, (reel_str_t) { (char *) config.data, config.len },
                        f);
    }

    reel_buf_release(&config);

    return rc;
}


int
reel_av_sound_open_copy(reel_av_sound_t *a, reel_child_t *child,
    const reel_encode_audio_t *task, uint32_t frag_from, reel_str_t config,
    reel_av_fault_t *f)
{
    set_place(a, child, task, frag_from);

    return open_track(a, config, f);
}


int64_t
reel_av_sound_begin(const reel_av_sound_t *a)
{
    int  units = is_opus(a) ? REEL_AV_PREROLL_OPUS : REEL_AV_PREROLL_AUS;

    return a->first_au > units ? a->first_au - units : 0;
}


int64_t
reel_av_sound_end(const reel_av_sound_t *a)
{
    return a->task->frag_to < a->task->grid.fragments
           ? a->end_au + REEL_AV_POSTROLL_AUS : a->end_au;
}


void
reel_av_sound_close(reel_av_sound_t *a)
{
    reel_av_frag_release(&a->out);
    av_packet_free(&a->pkt);
    avcodec_free_context(&a->enc);
}


static int
end_object(reel_av_sound_t *a, reel_av_fault_t *f)
{
    reel_err_t      err;
    reel_encoded_t  o;

    memset(&o, 0, sizeof(o));

    if (reel_av_frag_end(&a->out, &o, f) != 0) {
        return -1;
    }

    err = (is_opus(a) ? reel_opus_codec_string : reel_aac_codec_string)
          (o.codec, sizeof(o.codec), a->out.track.config);
    if (err != REEL_OK) {
        return reel_av_fault_err(f, err, "encode", "codec string");
    }

    (void) snprintf(o.rendition, sizeof(o.rendition), "%s", a->task->name);
    (void) snprintf(o.language, sizeof(o.language), "%s", a->task->language);
    memcpy(o.label, a->task->label, sizeof(o.label));
    o.roles = a->task->roles;
    o.frag_from = a->object_from;
    o.kind = REEL_AUDIO;
    o.timescale = a->task->sample_rate;
    o.rate = (reel_rational_t) { 0, 1 };
    o.channels = a->task->channels;
    o.sample_rate = a->task->sample_rate;

    /* o borrows the writer's memory: nothing to release */
    err = reel_child_object(a->child, &o, 0, a->out.object);
    if (err != REEL_OK) {
        return reel_av_fault_err(f, err, "write", "answer");
    }

    reel_av_frag_next(&a->out);
    a->object_from = a->frag;

    return a->frag < a->task->frag_to ? reel_av_frag_begin(&a->out, f) : 0;
}


/* the first access unit behind the fragment that is open */
static int64_t
frag_end(const reel_av_sound_t *a)
{
    return a->frag + 1 == a->task->frag_to ? a->end_au
           : reel_audio_first_au(&a->task->grid, unit_rate(a),
                                 a->frag + 1);
}


static int
close_fragment(reel_av_sound_t *a, reel_av_fault_t *f)
{
    int64_t   start;
    uint32_t  done;

    start = reel_audio_first_au(&a->task->grid, unit_rate(a),
                                a->frag);

    if (reel_av_frag_close(&a->out, a->frag, start * a->frame,
                           a->au * a->frame, f) != 0)
    {
        return -1;
    }

    a->frag++;
    done = a->frag - a->task->frag_from;

    if (a->frag == a->task->frag_to || done % a->task->object_frags == 0) {
        return end_object(a, f);
    }

    return 0;
}


int
reel_av_sound_put(reel_av_sound_t *a, const uint8_t *data, size_t size,
    reel_av_fault_t *f)
{
    reel_buf_add(&a->out.data, data, size);

    if (reel_av_frag_add(&a->out, a->au * a->frame, true, f) != 0) {
        return -1;
    }

    a->au++;

    reel_child_progress(a->child, (unsigned)
                        reel_rescale(a->au - a->first_au, 1000,
                                     (uint64_t) (a->end_au - a->first_au),
                                     REEL_ROUND_DOWN));

    return a->au == frag_end(a) ? close_fragment(a, f) : 0;
}


static int
take_packet(reel_av_sound_t *a, reel_av_fault_t *f)
{
    a->pkt->pts += a->delay;

    /* the priming unit, and what runs ahead and behind */
    if (a->pkt->pts < a->first_au * a->frame
        || a->pkt->pts >= a->end_au * a->frame)
    {
        return 0;
    }

    if (a->pkt->pts != a->au * a->frame) {
        return reel_av_fault(f, "INTERNAL", "encode", "a unit at %lld, "
                             "not %lld", (long long) a->pkt->pts,
                             (long long) a->au * a->frame);
    }

    return reel_av_sound_put(a, a->pkt->data, (size_t) a->pkt->size, f);
}


static int
drain(reel_av_sound_t *a, reel_av_fault_t *f)
{
    int  rc;

    for ( ;; ) {
        rc = avcodec_receive_packet(a->enc, a->pkt);

        if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) {
            return 0;
        }

        if (rc < 0) {
            return reel_av_fault_lib(f, rc, "encode", "sound");
        }

        rc = take_packet(a, f);
        av_packet_unref(a->pkt);

        if (rc != 0) {
            return -1;
        }
    }
}


/* planes become one; NULL: no memory */
static AVFrame *
interleave(const reel_av_sound_t *a, const AVFrame *frame)
{
    int       c, i, n = a->enc->ch_layout.nb_channels;
    float    *to;
    AVFrame  *out = av_frame_alloc();

    if (out == NULL) {
        return NULL;
    }

    out->format = AV_SAMPLE_FMT_FLT;
    out->sample_rate = frame->sample_rate;
    out->nb_samples = frame->nb_samples;

    if (av_channel_layout_copy(&out->ch_layout, &frame->ch_layout) < 0
        || av_frame_get_buffer(out, 0) < 0)
    {
        av_frame_free(&out);
        return NULL;
    }

    to = (float *) (void *) out->data[0];

    for (c = 0; c < n; c++) {
        const float  *from = (const float *) (void *) frame->extended_data[c];

        for (i = 0; i < frame->nb_samples; i++) {
            to[i * n + c] = from[i];
        }
    }

    return out;
}


int
reel_av_sound_encode(reel_av_sound_t *a, AVFrame *frame, reel_av_fault_t *f)
{
    int       rc;
    AVFrame  *whole = NULL;

    if (is_opus(a)) {
        frame = whole = interleave(a, frame);
        if (frame == NULL) {
            return reel_av_fault_err(f, REEL_NOMEM, "encode", "sound");
        }
    }

    frame->pts = a->next_in++ * a->frame;

    rc = avcodec_send_frame(a->enc, frame);
    av_frame_free(&whole);
    if (rc < 0) {
        return reel_av_fault_lib(f, rc, "encode", "sound");
    }

    return drain(a, f);
}


static int
flush(reel_av_sound_t *a, reel_av_fault_t *f)
{
    int  rc = avcodec_send_frame(a->enc, NULL);

    return rc < 0 ? reel_av_fault_lib(f, rc, "encode", "sound")
                  : drain(a, f);
}


int
reel_av_sound_finish(reel_av_sound_t *a, reel_av_fault_t *f)
{
    if (a->enc != NULL && flush(a, f) != 0) {
        return -1;
    }

    if (a->au != a->end_au || a->frag != a->task->frag_to) {
        return reel_av_fault(f, "INTERNAL", "encode",
                             "ends at unit %lld of %lld",
                             (long long) a->au, (long long) a->end_au);
    }

    return 0;
}
