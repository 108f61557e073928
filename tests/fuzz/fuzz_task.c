/*
 * What tasks are told and what they answer.  The first byte chooses:
 * 0 encode_video, 1 encode_audio, 2 poster, 3 publish, 4 object, 5 answer,
 * 6 storyboard, 7 story, 8 extract_subtitles.
 */

#include "tests/fuzz/round_trip.h"

#include "lib/job/task.h"

FORMAT(encode_video, NOTHING)
FORMAT(encode_audio, NOTHING)
FORMAT(poster, NOTHING)
FORMAT(publish, NOTHING)
FORMAT(encoded, reel_encoded_release)
FORMAT(answer, reel_answer_release)
FORMAT(storyboard, NOTHING)
FORMAT(story, NOTHING)
FORMAT(subtitles, NOTHING)

typedef union {
    reel_encode_video_t video;
    reel_encode_audio_t audio;
    reel_poster_t       poster;
    reel_publish_t      publish;
    reel_encoded_t      object;
    reel_answer_t       answer;
    reel_storyboard_t   storyboard;
    reel_story_t        story;
    reel_subtitles_t    subtitles;
} any_t;


static void
check_audio(const reel_encode_audio_t *t)
{
    int64_t from, to;

    from = reel_audio_first_au(&t->grid, t->sample_rate, t->frag_from);
    to = reel_audio_first_au(&t->grid, t->sample_rate, t->frag_to);
    need(from >= 0 && to >= from);
    need(reel_audio_total_aus(&t->grid, t->sample_rate)
         > reel_audio_first_au(&t->grid, t->sample_rate,
                               t->grid.fragments - 1));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    any_t     v;
    unsigned  which;

    static const format_t formats[] = {
        ROW(encode_video), ROW(encode_audio), ROW(poster), ROW(publish),
        ROW(encoded), ROW(answer), ROW(storyboard), ROW(story),
        ROW(subtitles)
    };

    if (size == 0) {
        return 0;
    }

    which = data[0] % (sizeof(formats) / sizeof(formats[0]));

    if (round_trip(&formats[which], &v, data + 1, size - 1) && which == 1) {
        check_audio(&v.audio);
    }

    return 0;
}
