/*
 * The parts of the planner: timeline, chunks, rungs.  Each is pure.
 * Private to lib/job.
 */

#ifndef REEL_JOB_PLAN_PART_H
#define REEL_JOB_PLAN_PART_H

#include <stdbool.h>

#include "lib/job/plan.h"

/* beyond what an optional task is tried: a lost worker is not the film's end */
#define REEL_SPARE_ATTEMPTS  3

/* nanoseconds of one core a pixel, measured with x264 veryfast at 1080p */
#define REEL_DECODE_NS_PIXEL 6

#define REEL_COPY_WHY  96       /* bytes of a reason, terminated */

/* the grid, and where timeline 0 lies in each kept track */
typedef struct {
    reel_grid_t     grid;
    bool            video, audio;       /* kept */
    int64_t         video_origin;       /* in the stream's time base */
    uint32_t        naudios;            /* of the source's, the first ones */
    int64_t         audio_origin[REEL_SOURCE_AUDIOS];
    int64_t         video_end;          /* ticks: end of the source's own
                                           pictures; later ones are held */
    reel_rational_t rate;               /* frames a second, sane */
    uint32_t        copy_gop;           /* frames a fragment, where the
                                           source's packets are copied; or 0 */
    char            encoded[REEL_COPY_WHY];     /* why they are not; "" where
                                                   nobody asked */
    bool            copied[REEL_SOURCE_AUDIOS];
    char            sound[REEL_PLAN_WHY];   /* as in reel_plan_t */
} reel_timeline_t;

/*
 * Whether the pipeline copies this source's pictures: frames a fragment, or 0
 * and, where it was asked for, why not.
 */
uint32_t reel_plan_copy_gop(char why[REEL_COPY_WHY],
    const reel_pipeline_t *pl, const reel_source_t *src);

/*
 * Whether they fill the timeline that was laid out for that.  A fragment in
 * which none of them begins, as sound goes on, becomes the end of the one
 * before.
 */
bool reel_plan_copy_fits(char why[REEL_COPY_WHY], reel_timeline_t *t,
    const reel_source_video_t *v);

/*
 * Whether the last fragment is so long that a playlist, which began while the
 * film grew, would have to raise its target.
 */
bool reel_plan_raises_target(const reel_grid_t *g);

/* the rendition that is the source's */
void reel_plan_copy_rung(reel_video_rung_t *r, const reel_source_video_t *v);

/* which sounds the pipeline copies, of a timeline that is laid out */
void reel_plan_copy_sounds(reel_timeline_t *t, const reel_pipeline_t *pl,
    const reel_source_t *src);

reel_err_t reel_plan_timeline(reel_timeline_t *t, const reel_pipeline_t *pl,
    const reel_source_t *src, reel_error_t *e) REEL_WARN_UNUSED;

/* the tick at which a picture stands: its slot, or its time */
int64_t reel_timeline_place(const reel_timeline_t *t, reel_rational_t tb,
    int64_t pts);

typedef struct {
    uint32_t from, to;          /* fragments */
    int64_t  seek_pts;          /* key frame to start decoding at … */
    int64_t  preroll_ts;        /* … and the ticks decoded in vain */
} reel_chunk_t;

/* *chunks is owned by the caller */
reel_err_t reel_plan_chunks(reel_chunk_t **chunks, size_t *n,
    const reel_pipeline_t *pl, const reel_source_video_t *v,
    const reel_timeline_t *t) REEL_WARN_UNUSED;

/*
 * Rungs of one codec for a picture of that size, falling; returns their
 * number.  src: those whose condition does not hold are left out; NULL: none
 * is, and there is one at least.
 */
uint32_t reel_plan_rungs(reel_video_rung_t rungs[REEL_TASK_RUNGS],
    const reel_pipeline_t *pl, reel_video_codec_t codec, uint32_t width,
    uint32_t height, const reel_source_t *src);

/* by its codec, and the pixels of its short side */
void reel_plan_name_rung(reel_video_rung_t *r, uint32_t side);

/*
 * Of a film of that rate: the most pictures of which a rung of the pipeline
 * has only one (reel_video_rung_t.every).
 */
uint32_t reel_plan_every_most(const reel_pipeline_t *pl,
    reel_rational_t rate);

/* the same of this rung, where others are not left out; largest: it becomes
   that of its codec */
uint32_t reel_plan_every(const reel_pipeline_t *pl,
    const reel_video_rung_t *r, bool largest, reel_rational_t rate);

/*
 * Of the n rungs that a film has if it is encoded, those below top, its own
 * packets: smaller ones, their rates below its own.  Returns how many are
 * left; told: what became of them.
 */
uint32_t reel_plan_below(reel_video_rung_t rungs[REEL_TASK_RUNGS],
    uint32_t n, const reel_video_rung_t *top, const reel_pipeline_t *pl,
    reel_rational_t rate, char told[REEL_PLAN_LADDER]);

/* one thing more, behind "; " */
void reel_plan_told(char told[REEL_PLAN_LADDER], const char *fmt, ...)
    REEL_PRINTF(2, 3);

/* bounds it to kbps, and its buffer in proportion, where it has more */
void reel_plan_bound(reel_video_rung_t *r, uint64_t kbps);

/*
 * Rungs of H.264 by what src->trials found: their quality, their bounds, and
 * those left out that add nothing.  Returns how many are left; told: what
 * became of them.
 */
uint32_t reel_plan_title(reel_video_rung_t rungs[REEL_TASK_RUNGS],
    uint32_t n, const reel_pipeline_t *pl, const reel_source_t *src,
    char told[REEL_PLAN_LADDER]);

/* n scaled by num / den to the nearest even number, at least 2 */
uint32_t reel_plan_even(uint32_t n, uint32_t num, uint32_t den);

/* rungs [first, first + n) of one node: a task a chunk */
typedef struct {
    uint32_t first, n;
    uint32_t node;
    bool     copy;              /* one, the source's own packets */
} reel_rung_group_t;

/* a rendition of sound: a kept track of the source, and what is made of it */
typedef struct {
    uint32_t track;
    bool     surround;          /* in 5.1 */
} reel_plan_sound_t;

/* what the tasks are made from, and where they go */
typedef struct {
    reel_plan_t           *plan;
    const reel_pipeline_t *pl;
    const reel_source_t   *src;
    reel_timeline_t        t;
    reel_video_rung_t      rungs[REEL_TASK_RUNGS];
    uint32_t               nrungs;
    reel_rung_group_t      groups[REEL_TASK_RUNGS];
    uint32_t               ngroups;
    reel_plan_sound_t      sounds[REEL_TASK_SOUNDS];
    uint32_t               nsounds;
    uint32_t               stretches;   /* of each sound, 1 at least … */
    uint32_t               stretch_frags;   /* … of so many fragments, but
                                           the first one, and the last */
    reel_chunk_t          *chunks;
    size_t                 nchunks;
    uint32_t               made[REEL_PIPELINE_NODES];   /* exec: tasks */
    uint32_t               node;        /* whose task is added */
    size_t                 cap;         /* of plan->tasks */
    bool                   growing;     /* publish0 is planned */
    reel_err_t             err;         /* sticky */
} reel_planner_t;

/* pl for the time before the trials: what is made of pictures on conditions
   that they decide is made.  free() it; NULL: no memory */
reel_pipeline_t *reel_plan_untried(const reel_pipeline_t *pl)
    REEL_WARN_UNUSED;

/* is there something to measure, before any task is planned? */
bool reel_plan_measures(const reel_planner_t *p);
void reel_plan_add_complexity(reel_planner_t *p);   /* and the second plan */

/*
 * The next task; NULL after an error.  cost_us: expected CPU.  The
 * caller fills the payload by way of reel_plan_set_payload, and what else
 * than cores it needs.
 */
reel_planned_t *reel_plan_add_task(reel_planner_t *p, reel_task_type_t type,
    uint32_t slots, uint64_t cost_us);
/* k, which waits for none yet, waits for that one task */
void reel_plan_wait(reel_planner_t *p, reel_planned_t *k, uint32_t task);
void reel_plan_add_rendition(reel_planned_t *k, const char *name);
uint32_t reel_plan_span_ms(const reel_grid_t *g, uint32_t from, uint32_t to);
void reel_plan_set_payload(reel_planner_t *p, reel_planned_t *k,
    reel_buf_t *b, reel_err_t err);

/* width and height as shown, scaled to `most` wide, even, never larger */
void reel_plan_shrink(const reel_source_video_t *v, uint32_t most,
    uint32_t *width, uint32_t *height);

/* "<prefix>-<language>", "-<nth>" behind it from the second on */
void reel_plan_name(char dst[33], const char *prefix, const char *language,
    unsigned nth);

/* what a child needs that decodes and encodes so many pixels at a time, MiB */
uint32_t reel_plan_memory(uint64_t pixels);

/* each adds one task behind the others; an error is sticky */
void reel_plan_add_video(reel_planner_t *p, uint32_t chunk, uint32_t number,
    const reel_rung_group_t *g);        /* or a part of a group */
void reel_plan_add_audio(reel_planner_t *p, uint32_t stretch);
                                        /* a task for each sound */
void reel_plan_add_poster(reel_planner_t *p);
bool reel_plan_has_storyboard(const reel_planner_t *p);
void reel_plan_add_storyboard(reel_planner_t *p);
void reel_plan_add_texts(reel_planner_t *p);
uint32_t reel_plan_texts(const reel_planner_t *p);      /* their number */
void reel_plan_add_publish(reel_planner_t *p, bool growing);

/* is the node wanted for this source?  Whether it gets its files,
   reel_plan_execs knows */
bool reel_node_wanted(const reel_pipeline_t *pl, uint32_t node,
    const reel_source_t *src);

/* the node that encodes this codec, wanted or not */
uint32_t reel_plan_encoder(const reel_pipeline_t *pl,
    reel_video_codec_t codec);

/* does any node make pictures of it? */
bool reel_plan_wants_video(const reel_pipeline_t *pl,
    const reel_source_t *src);

/* fills sounds, after the timeline */
void reel_plan_sounds(reel_planner_t *p);

/* into how many tasks each is split, after the groups: none is much longer
   than a chunk of the pictures */
void reel_plan_stretches(reel_planner_t *p);

/* where it starts; of p->stretches: the end of the film */
uint32_t reel_plan_stretch_from(const reel_planner_t *p, uint32_t stretch);

/* expected CPU of going through the file; all: or what lies between the packets
   that are wanted is skipped, where the format has an index of them */
uint64_t reel_plan_read_us(const reel_planner_t *p, bool all);

/* expected CPU of a task that encodes pictures, on average; 0: there is none */
uint64_t reel_plan_chunk_us(const reel_planner_t *p);

/* fills rungs and groups; REEL_INVAL when none is left */
reel_err_t reel_plan_groups(reel_planner_t *p, reel_error_t *e)
    REEL_WARN_UNUSED;

/*
 * Fills made, after the groups: a node that gets a file of one that makes
 * none makes none.  REEL_LIMIT: more files than a program gets, or than all
 * of them keep.
 */
reel_err_t reel_plan_execs(reel_planner_t *p, reel_error_t *e)
    REEL_WARN_UNUSED;
void reel_plan_add_execs(reel_planner_t *p);
void reel_plan_weigh_execs(reel_planner_t *p);  /* behind all others */

/* those whose files publish keeps, or whose warnings; returns their number */
uint32_t reel_plan_files(const reel_planner_t *p,
    reel_publish_files_t files[REEL_PIPELINE_NODES]);

/* what nodes say of their tasks: needs, and what they come after */
void reel_plan_link(reel_planner_t *p);

#endif
