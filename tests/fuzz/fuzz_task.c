/*
 * What tasks are told and what they answer: the name of a format, a space
 * and its text.  tests/unit/conf/test_seeds.c writes the corpus.
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
FORMAT(complexity, NOTHING)
FORMAT(exec, NOTHING)

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
    reel_complexity_t   complexity;
    reel_exec_t         exec;
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
    any_t            v;
    const format_t  *f;

    static const format_t formats[] = {
        ROW(encode_video), ROW(encode_audio), ROW(poster), ROW(publish),
        ROW(encoded), ROW(answer), ROW(storyboard), ROW(story),
        ROW(subtitles), ROW(complexity), ROW(exec)
    };

    f = choose(formats, sizeof(formats) / sizeof(formats[0]), &data, &size);

    if (f != NULL && round_trip(f, &v, data, size)
        && f->parse == encode_audio_parse)
    {
        check_audio(&v.audio);
    }

    return 0;
}
