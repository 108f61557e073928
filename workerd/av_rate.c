#include "workerd/av_rate.h"

#include "lib/base/rescale.h"


#define CANDIDATES_MAX  48
#define TERM_MAX        1000000     /* of a rational that we accept */
#define PPM             1000000


/* penalties in millionths of a slot: a well-known rate wins a near tie */
#define PENALTY_KNOWN    8000
#define PENALTY_HINT     20000
#define PENALTY_DERIVED  30000

/* empty slots are forgiven up to this, if the others are exact to this */
#define HOLES_PERCENT    4
#define EXACT            50000

/* of so many pictures one is there, where others are repeats */
#define REPEATED_MAX     2


typedef struct {
    reel_rational_t  rate;
    uint32_t         penalty;
} candidate_t;

typedef struct {
    uint64_t  slots;
    uint64_t  empty;
    uint64_t  crowded;          /* pictures that share a slot */
    uint64_t  error;            /* mean distance, millionths of a slot */
} fit_t;


static const reel_rational_t known[] = {
    { 24000, 1001 }, { 24, 1 }, { 25, 1 }, { 30000, 1001 }, { 30, 1 },
    { 48000, 1001 }, { 48, 1 }, { 50, 1 }, { 60000, 1001 }, { 60, 1 },
    { 1, 1 }, { 2, 1 }, { 5, 1 }, { 6, 1 }, { 15, 2 }, { 8, 1 }, { 10, 1 },
    { 12000, 1001 }, { 12, 1 }, { 25, 2 }, { 15000, 1001 }, { 15, 1 },
    { 16, 1 }, { 18, 1 }, { 20, 1 }, { 72, 1 }, { 90, 1 }, { 100, 1 },
    { 120000, 1001 }, { 120, 1 }, { 200, 1 }, { 240000, 1001 }, { 240, 1 }
};


static bool
rational(reel_rational_t *r, uint64_t num, uint64_t den)
{
    uint64_t  g;

    if (num == 0 || den == 0) {
        return false;
    }

    g = reel_gcd(num, den);
    num /= g;
    den /= g;

    if (num > TERM_MAX || den > TERM_MAX) {
        return false;
    }

    *r = (reel_rational_t) { (uint32_t) num, (uint32_t) den };
    return true;
}


/* slots a tick, as a fraction; both fit 64 bits: tb is of 31-bit terms */
static uint64_t
slot_num(reel_rational_t tb, reel_rational_t rate)
{
    return (uint64_t) tb.num * rate.num;
}


static uint64_t
slot_den(reel_rational_t tb, reel_rational_t rate)
{
    return (uint64_t) tb.den * rate.den;
}


static int64_t
slot_of(int64_t t, reel_rational_t tb, reel_rational_t rate)
{
    return reel_rescale(t, slot_num(tb, rate), slot_den(tb, rate),
                        REEL_ROUND_NEAR);
}


static fit_t
measure(const int64_t *pts, size_t n, reel_rational_t tb,
    reel_rational_t rate)
{
    fit_t     fit;
    size_t    i;
    int64_t   slot, last, off;
    uint64_t  sum;

    fit = (fit_t) { 0 };
    last = -1;
    sum = 0;

    for (i = 0; i < n; i++) {
        slot = slot_of(pts[i] - pts[0], tb, rate);

        /* distance to the slot's instant, in ticks */
        off = pts[i] - pts[0] - reel_rescale(slot, slot_den(tb, rate),
                                             slot_num(tb, rate),
                                             REEL_ROUND_NEAR);
        sum += (uint64_t) (off < 0 ? -off : off);

        if (slot == last) {
            fit.crowded++;

        } else {
            fit.empty += (uint64_t) (slot - last - 1);
        }

        last = slot;
    }

    fit.slots = (uint64_t) last + 1;
    fit.error = (uint64_t) reel_rescale((int64_t) (sum / n),
                                        slot_num(tb, rate) * PPM,
                                        slot_den(tb, rate), REEL_ROUND_NEAR);
    /* the mean's fraction matters when a tick is a good part of a slot */
    fit.error += (uint64_t) reel_rescale((int64_t) (sum % n),
                                         slot_num(tb, rate) * (PPM / 1000),
                                         slot_den(tb, rate),
                                         REEL_ROUND_NEAR) * 1000 / n;
    return fit;
}


static bool
fits(const fit_t *fit)
{
    if (fit->empty + fit->crowded <= fit->slots / 200) {
        return true;
    }

    /* a camera that misses a picture now and then */
    return fit->crowded <= fit->slots / 200 && fit->error <= EXACT
           && fit->empty <= fit->slots * HOLES_PERCENT / 100;
}


/* within 5 % of the mean rate: others cannot fit */
static bool
plausible(const int64_t *pts, size_t n, reel_rational_t tb,
    reel_rational_t rate)
{
    int64_t  slots, d;

    slots = slot_of(pts[n - 1] - pts[0], tb, rate);
    d = slots - (int64_t) (n - 1);
    d = d < 0 ? -d : d;

    return d <= (int64_t) n / 20;
}


static int64_t
median_step(const int64_t *pts, size_t n)
{
    size_t   i, j, count;
    int64_t  steps[33], v;

    /* of up to 33 steps spread over the whole */
    count = n - 1 < 33 ? n - 1 : 33;

    for (i = 0; i < count; i++) {
        j = i * (n - 1) / count;
        v = pts[j + 1] - pts[j];

        for (j = i; j > 0 && steps[j - 1] > v; j--) {
            steps[j] = steps[j - 1];
        }
        steps[j] = v;
    }

    return steps[count / 2];
}


/* pictures in 1000 seconds, on average; 0 when that is below one */
static int64_t
mean(const int64_t *pts, size_t n, reel_rational_t tb)
{
    uint64_t  ticks;

    ticks = (uint64_t) (pts[n - 1] - pts[0]);

    if (ticks > UINT64_MAX / tb.num) {
        return 0;
    }

    return reel_rescale((int64_t) (n - 1) * 1000, tb.den, ticks * tb.num,
                        REEL_ROUND_NEAR);
}


static unsigned
candidates(candidate_t *c, const int64_t *pts, size_t n, reel_rational_t tb,
    const reel_rational_t *hints, unsigned nhints)
{
    int64_t          per_s;
    unsigned         i, k;
    reel_rational_t  r;

    k = 0;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        c[k++] = (candidate_t) { known[i], PENALTY_KNOWN };
    }

    for (i = 0; i < nhints && i < 4; i++) {
        if (rational(&r, hints[i].num, hints[i].den)) {
            c[k++] = (candidate_t) { r, PENALTY_HINT };
        }
    }

    if (rational(&r, tb.den, (uint64_t) median_step(pts, n) * tb.num)) {
        c[k++] = (candidate_t) { r, PENALTY_DERIVED };
    }

    per_s = mean(pts, n, tb);
    if (per_s > 0 && rational(&r, (uint64_t) per_s, 1000)) {
        c[k++] = (candidate_t) { r, PENALTY_DERIVED };
    }

    /* a rate that is both known and claimed needs no penalty at all */
    for (i = 0; i < nhints && i < 4; i++) {
        unsigned  j;

        for (j = 0; j < sizeof(known) / sizeof(known[0]); j++) {
            if ((uint64_t) known[j].num * hints[i].den
                == (uint64_t) hints[i].num * known[j].den)
            {
                c[j].penalty = 0;
            }
        }
    }

    return k;
}


static bool
best_fit(reel_rate_t *r, const int64_t *pts, size_t n, reel_rational_t tb,
    const reel_rational_t *hints, unsigned nhints)
{
    bool         found;
    fit_t        fit;
    unsigned     i, k;
    uint64_t     score, best;
    candidate_t  c[CANDIDATES_MAX];

    found = false;
    best = 0;
    k = candidates(c, pts, n, tb, hints, nhints);

    for (i = 0; i < k; i++) {
        if (c[i].rate.num < c[i].rate.den
            || !plausible(pts, n, tb, c[i].rate))
        {
            continue;
        }

        fit = measure(pts, n, tb, c[i].rate);
        if (!fits(&fit)) {
            continue;
        }

        score = fit.error + c[i].penalty;
        if (!found || score < best) {
            found = true;
            best = score;
            r->rate = c[i].rate;
            r->frames = fit.slots;
        }
    }

    return found;
}


static void
cap(reel_rate_t *r, const int64_t *pts, size_t n, reel_rational_t tb)
{
    while (r->rate.num > (uint64_t) REEL_RATE_MAX * r->rate.den) {
        if (r->rate.num % 2 == 0) {
            r->rate.num /= 2;

        } else {
            r->rate.den *= 2;
        }
        r->every *= 2;
    }

    if (!r->constant) {
        r->every = 1;

    } else if (r->every > 1) {
        r->frames = (uint64_t) slot_of(pts[n - 1] - pts[0], tb, r->rate) + 1;
    }
}


void
reel_rate_detect(reel_rate_t *r, const int64_t *pts, size_t n,
    reel_rational_t tb, const reel_rational_t *hints, unsigned nhints)
{
    int64_t   milli;
    unsigned  i;

    *r = (reel_rate_t) { .rate = { 25, 1 }, .frames = n, .every = 1 };

    if (n == 1 || pts[n - 1] == pts[0]) {
        /* a still: any rate is right */
        for (i = 0; i < nhints; i++) {
            if (rational(&r->rate, hints[i].num, hints[i].den)
                && r->rate.num >= r->rate.den
                && r->rate.num <= (uint64_t) REEL_RATE_MAX * r->rate.den)
            {
                break;
            }
            r->rate = (reel_rational_t) { 25, 1 };
        }

        r->constant = true;
        r->frames = 1;
        return;
    }

    r->constant = best_fit(r, pts, n, tb, hints, nhints);

    if (!r->constant) {
        milli = mean(pts, n, tb);
        if (milli < 1) {
            milli = 1;
        }

        r->frames = n;
        if (!rational(&r->rate, (uint64_t) milli, 1000)) {
            r->rate = (reel_rational_t) { REEL_RATE_MAX, 1 };
        }
    }

    cap(r, pts, n, tb);
}


bool
reel_rate_fixed(reel_rate_t *r, const int64_t *pts, size_t n,
    reel_rational_t tb, reel_rational_t rate)
{
    uint64_t  slots;

    if (rate.num < rate.den || n < 2 || pts[n - 1] == pts[0]) {
        return false;
    }

    slots = (uint64_t) slot_of(pts[n - 1] - pts[0], tb, rate) + 1;
    if (slots / REPEATED_MAX > n) {
        return false;
    }

    *r = (reel_rate_t) { .constant = true, .rate = rate, .frames = slots,
                         .every = 1 };
    cap(r, pts, n, tb);

    return true;
}
