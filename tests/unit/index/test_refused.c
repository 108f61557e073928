#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <ctype.h>
#include <stdbool.h>

#include "lib/index/format.h"
#include "tests/unit/index/facts.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define S(lit)   { (lit), sizeof(lit) - 1 }


/* an index by hand: two fragments, one rendition, one object */
#define MAGIC     "\x89REELIX\n"
#define VERSIONS  "\x01\0\x01\0"
#define FLAGS     "\0\0\0\0" "\x01\0\0\0"
#define REST      "0123456789abcdef" "\0\0\0\0" "\0\0\0\0\0\0\0\0"

#define GRID      "\x01\x07" "\x64" "\xc8\x01" "\x02" "\xf4\x03" "\x01"
#define HEADER    "\x02\x03" "hdr"
#define OBJECTS   "\x03\x09" "\x01" "\x06" "a1.mp4" "\x02"
#define FACTS     "\x02v1" "\x01" "\0" "\x04" "avc1" "\0" "\0" "\x64"         \
                  "\x10" "\x09" "\x18" "\x01" "\0" "\0"
#define RUNS      "\x02\0\x01" "\x02\x05\x01"
#define SIZES     "\x02\x0a\x14"
#define IFRAMES   "\x02\x0a\x01"
#define RENDITION "\x04\x27" FACTS "\0" RUNS SIZES "\x03\xc8\x01\x02"         \
                  "\x02\x30\x02" IFRAMES
#define IMAGE     "\x05\x0b" "\x01" "\x05p.jpg" "\x80\x0a" "\x01" "\x07"

#define PICTURES(shape, sizes)                                                \
    "\x06\x10" "\x05p.jpg" "\x10" "\x09" shape "\x03" sizes

static const struct {
    const char *head[2];        /* instead of VERSIONS, FLAGS */
    struct {
        const char *p;
        size_t      n;
    } sections;
    reel_err_t  err;
    const char *text;
} cases[] = {

    { { NULL }, S(GRID HEADER OBJECTS RENDITION IMAGE), REEL_OK, "" },

    /* unknown sections anywhere; known ones that grew at their end */
    { { NULL }, S("\x63\x02zz" GRID HEADER "\x80\x01\0" OBJECTS RENDITION
                  IMAGE "\x7f\x01x"), REEL_OK, "" },
    { { NULL }, S("\x01\x0a" "\x64\xc8\x01\x02\xf4\x03\x01\x55\x55" "z"),
      REEL_OK, "" },

    /* versions */
    { { "\x02\0\x01\0" }, S(GRID), REEL_OK, "" },
    { { "\x02\0\x02\0" }, S(GRID), REEL_UNSUPPORTED, "version 2, this" },
    { { "\x01\0\x02\0" }, S(GRID), REEL_UNSUPPORTED, "version 2, this" },
    { { "\0\0\x01\0" }, S(GRID), REEL_BADDATA, "version 0 readable by 1" },
    { { "\x01\0\0\0" }, S(GRID), REEL_BADDATA, "readable by 0" },
    { { NULL, "\0\0\0\0" "\0\0\0\0" }, S(GRID), REEL_BADDATA,
      "publication 0" },

    /* sections: order, number, length */
    { { NULL }, S(""), REEL_BADDATA, "no GRID" },
    { { NULL }, S("\x63\x01z"), REEL_BADDATA, "no GRID" },
    { { NULL }, S(GRID GRID), REEL_BADDATA, "GRID at 59: out of order" },
    { { NULL }, S(HEADER GRID), REEL_BADDATA, "HEADER at 50: out of order" },
    { { NULL }, S(GRID OBJECTS HEADER), REEL_BADDATA,
      "HEADER at 70: out of order" },
    { { NULL }, S(GRID HEADER OBJECTS IMAGE RENDITION), REEL_BADDATA,
      "RENDITION at 88: out of order" },
    { { NULL }, S(GRID HEADER RENDITION), REEL_BADDATA, "RENDITION at" },
    { { NULL }, S("\x01\x09" "\x64\xc8\x01\x02\xf4\x03\x01"), REEL_BADDATA,
      "longer than the file" },
    { { NULL }, S(GRID "\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
      REEL_BADDATA, "longer than the file" },
    { { NULL }, S(GRID "\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
      REEL_BADDATA, "longer than the file" },
    { { NULL }, S(GRID "\x82\0" "\0"), REEL_BADDATA, "section at" },

    /* GRID */
    { { NULL }, S("\x01\x07" "\0" "\xc8\x01\x02\xf4\x03\x01"), REEL_BADDATA,
      "GRID at 50" },
    { { NULL }, S("\x01\x06" "\x64\0\x02\xf4\x03\x01"), REEL_BADDATA,
      "GRID at 50" },
    { { NULL }, S("\x01\x09" "\x64\xc8\x01" "\x81\x80\x40" "\xf4\x03\x01"),
      REEL_BADDATA, "GRID at 50" },
    { { NULL }, S("\x01\x0d" "\x64\xc8\x01\x02"
                  "\x80\x80\x80\x80\x80\x80\x80\x10" "\x01"),
      REEL_BADDATA, "GRID at 50" },
    { { NULL }, S("\x01\x04" "\x64\xc8\x01\x02"), REEL_BADDATA,
      "GRID at 50" },

    /* OBJECTS */
    { { NULL }, S(GRID "\x03\x09" "\x01" "\x06" "a1.mp4" "\x01"),
      REEL_BADDATA, "OBJECTS at" },
    { { NULL }, S(GRID "\x03\x09" "\x01" "\x06" "a1.mp4" "\x03"),
      REEL_BADDATA, "OBJECTS at" },
    { { NULL }, S(GRID "\x03\x09" "\x01" "\x06" "a1.mp4" "\0"),
      REEL_BADDATA, "OBJECTS at" },
    { { NULL }, S(GRID "\x03\x09" "\x01" "\x06" "a/.mp4" "\x02"),
      REEL_BADDATA, "OBJECTS at" },
    { { NULL }, S(GRID "\x03\x09" "\x01" "\x06" ".1.mp4" "\x02"),
      REEL_BADDATA, "OBJECTS at" },
    { { NULL }, S(GRID "\x03\x09" "\x01" "\x06" "a\0.mp4" "\x02"),
      REEL_BADDATA, "OBJECTS at" },
    { { NULL }, S(GRID "\x03\x09" "\x02" "\x06" "a1.mp4" "\x02"),
      REEL_BADDATA, "OBJECTS at" },
    { { NULL }, S(GRID "\x03\x04" "\x81\x80\x04" "\0"), REEL_BADDATA,
      "OBJECTS at" },
    { { NULL }, S(GRID "\x03\x0d" "\x01" "\0" "\x05\x06" "nonce 8!" "\x02"),
      REEL_OK, "" },
    { { NULL }, S(GRID "\x03\x0c" "\x01" "\0" "\x05\x06" "nonce 7" "\x02"),
      REEL_BADDATA, "OBJECTS at" },
    { { NULL }, S(GRID "\x03\x11" "\x01" "\0" "\x80\x80\x80\x80\x10" "\x06"
                  "nonce 8!" "\x02"), REEL_BADDATA, "OBJECTS at" },

    /* IMAGE */
    { { NULL }, S(GRID "\x05\x0b" "\x07" "\x05p.jpg" "\x80\x0a" "\x01"
                  "\x07"), REEL_OK, "" },
    { { NULL }, S(GRID "\x05\x0a" "\x01" "\x05p/jpg" "\x0a" "\x01" "\x07"),
      REEL_BADDATA, "IMAGE at" },
    { { NULL }, S(GRID "\x05\x0a" "\x01" "\x05p.jpg" "\0" "\x01" "\x07"),
      REEL_BADDATA, "IMAGE at" },
    { { NULL }, S(GRID "\x05\x06" "\x01" "\0" "\x01" "\x01" "\x07" "z"),
      REEL_BADDATA, "IMAGE at" },

    /* PICTURES: 5 of 16 x 9, two a sheet, three sheets */
    { { NULL }, S(GRID PICTURES("\x02" "\x01" "\x0a" "\x05", "\x07\x08\x09")),
      REEL_OK, "" },
    { { NULL }, S(GRID PICTURES("\x02" "\x01" "\x0a" "\x05", "\x07\0\x09")),
      REEL_BADDATA, "PICTURES at" },
    { { NULL }, S(GRID PICTURES("\x02" "\x01" "\x0a" "\x07", "\x07\x08\x09")),
      REEL_BADDATA, "PICTURES at" },
    { { NULL }, S(GRID PICTURES("\x02" "\x01" "\x0a" "\x04", "\x07\x08\x09")),
      REEL_BADDATA, "PICTURES at" },
    { { NULL }, S(GRID PICTURES("\0" "\x01" "\x0a" "\x05", "\x07\x08\x09")),
      REEL_BADDATA, "PICTURES at" },
    { { NULL }, S(GRID PICTURES("\x21" "\x01" "\x0a" "\x05", "\x07\x08\x09")),
      REEL_BADDATA, "PICTURES at" },
    { { NULL }, S(GRID PICTURES("\x02" "\x01" "\0" "\x05", "\x07\x08\x09")),
      REEL_BADDATA, "PICTURES at" },
    { { NULL }, S(GRID PICTURES("\x02" "\x01" "\x0a" "\0", "\x07\x08\x09")),
      REEL_BADDATA, "PICTURES at" }
};


/* the bytes of one case, sealed; to be freed */
static uint8_t *
build(size_t *len, const char *versions, const char *flags, const char *p,
    size_t n)
{
    uint8_t  *d = malloc(48 + n + 4);

    assert_non_null(d);
    memcpy(d, MAGIC, 8);
    memcpy(d + 8, versions != NULL ? versions : VERSIONS, 4);
    memcpy(d + 12, flags != NULL ? flags : FLAGS, 8);
    memcpy(d + 20, REST, 28);
    memcpy(d + 48, p, n);
    *len = 48 + n + 4;
    facts_seal(d, *len);

    return d;
}


static void
expect(size_t number, const uint8_t *d, size_t len, reel_err_t want,
    const char *text)
{
    reel_err_t    err;
    reel_index_t  ix;
    reel_error_t  e = { "" };

    err = reel_index_parse(&ix, d, len, &e);

    if (err != want || strstr(e.text, text) == NULL) {
        print_error("case %zu: %s, \"%s\"\n", number, reel_err_name(err),
                    e.text);
        fail();
    }

    assert_true(err == REEL_OK || e.text[0] != '\0');
}


static void
by_hand(void **state)
{
    size_t    i, len;
    uint8_t  *d;

    (void) state;

    for (i = 0; i < COUNT(cases); i++) {
        d = build(&len, cases[i].head[0], cases[i].head[1],
                  cases[i].sections.p, cases[i].sections.n);
        expect(i, d, len, cases[i].err, cases[i].text);
        free(d);
    }
}


/* one RENDITION, field by field */
static const struct {
    struct {
        const char *p;
        size_t      n;
    } body;
    const char *text;
} bodies[] = {
    { S(FACTS "\0" RUNS SIZES "\x03\xc8\x01\x02" "\x02\x30\x02" IFRAMES),
      "" },
    { S(FACTS "\0" RUNS SIZES "\x06\xc8\x01\x01\xc8\x01\x01"
        "\x02\x30\x02" IFRAMES "more"), "" },

    /* names */
    { S("\x02V1" "\x01" "\0" "\x04" "avc1" "\0" "\0" "\x64" "\x10" "\x09"
        "\x18" "\x01" "\0" "\0" "\0" RUNS SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "not of its form" },
    { S("\0" "\x01" "\0" "\x04" "avc1" "\0" "\0" "\x64" "\x10" "\x09"
        "\x18" "\x01" "\0" "\0" "\0" RUNS SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "not of its form" },
    { S("\x02-1" "\x01" "\0" "\x04" "avc1" "\0" "\0" "\x64" "\x10" "\x09"
        "\x18" "\x01" "\0" "\0" "\0" RUNS SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "not of its form" },
    { S("\x02v1" "\x01" "\0" "\x04" "av\"1" "\0" "\0" "\x64" "\x10" "\x09"
        "\x18" "\x01" "\0" "\0" "\0" RUNS SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "bad codec" },
    { S("\x02v1" "\x01" "\0" "\0" "\0" "\0" "\x64" "\x10" "\x09"
        "\x18" "\x01" "\0" "\0" "\0" RUNS SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "bad codec" },
    { S("\x02v1" "\x01" "\0" "\x04" "avc1" "\x02" "e\n" "\0" "\x64" "\x10"
        "\x09" "\x18" "\x01" "\0" "\0" "\0" RUNS SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "bad language" },
    { S("\x02v1" "\x01" "\0" "\x04" "avc1" "\0" "\x02" "e\n" "\x64" "\x10"
        "\x09" "\x18" "\x01" "\0" "\0" "\0" RUNS SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "bad label" },

    /* numbers: kind, size of the picture, rate, sound in a picture */
    { S("\x02v1" "\x04" "\0" "\x04" "avc1" "\0" "\0" "\x64" "\x10" "\x09"
        "\x18" "\x01" "\0" "\0" "\0" RUNS SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "RENDITION at" },
    { S("\x02v1" "\x01" "\0" "\x04" "avc1" "\0" "\0" "\x64" "\0" "\x09"
        "\x18" "\x01" "\0" "\0" "\0" RUNS SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "RENDITION at" },
    { S("\x02v1" "\x01" "\0" "\x04" "avc1" "\0" "\0" "\0" "\x10" "\x09"
        "\x18" "\x01" "\0" "\0" "\0" RUNS SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "RENDITION at" },
    { S("\x02v1" "\x01" "\0" "\x04" "avc1" "\0" "\0" "\x64" "\x10" "\x09"
        "\x18" "\0" "\0" "\0" "\0" RUNS SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "RENDITION at" },
    { S("\x02v1" "\x01" "\0" "\x04" "avc1" "\0" "\0" "\x64" "\x10" "\x09"
        "\x18" "\x01" "\x02" "\0" "\0" RUNS SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "RENDITION at" },
    { S("\x02v1" "\x02" "\0" "\x04" "mp4a" "\0" "\0" "\x64" "\0" "\0"
        "\0" "\x01" "\0" "\x64" "\0" RUNS SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02"), "RENDITION at" },

    /* lists and runs */
    { S(FACTS "\x01" RUNS SIZES "\x03\xc8\x01\x02" "\x02\x30\x02" IFRAMES),
      "RENDITION at" },
    { S(FACTS "\0" "\x02\x01\x01" "\x02\x05\x01" SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "bad headers" },
    { S(FACTS "\0" "\x02\0\x02" "\x02\x05\x01" SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "bad headers" },
    { S(FACTS "\0" "\0" "\x02\x05\x01" SIZES "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "bad headers" },
    { S(FACTS "\0" "\x02\0\x01" "\x04\x05\0\x05\x01" SIZES
        "\x03\xc8\x01\x02" "\x02\x30\x02" IFRAMES), "bad bases" },
    { S(FACTS "\0" "\x02\0\x01" "\x09\x80\x80\x80\x80\x80\x80\x80\x10\x01"
        SIZES "\x03\xc8\x01\x02" "\x02\x30\x02" IFRAMES), "bad bases" },
    { S(FACTS "\0" RUNS "\x01\x0a" "\x03\xc8\x01\x02" "\x02\x30\x02"
        IFRAMES), "bad sizes" },
    { S(FACTS "\0" RUNS "\x03\x0a\x14\x01" "\x03\xc8\x01\x02" "\x02\x30\x02"
        IFRAMES), "bad sizes" },
    { S(FACTS "\0" RUNS "\x02\x0a\0" "\x03\xc8\x01\x02" "\x02\x30\x02"
        IFRAMES), "bad sizes" },
    { S(FACTS "\0" RUNS "\x06\x80\x80\x80\x80\x10\x01" "\x03\xc8\x01\x02"
        "\x02\x30\x02" IFRAMES), "bad sizes" },
    { S(FACTS "\0" RUNS SIZES "\x03\xc8\x01\x02" "\x02\x30\x02" "\x02\x0b"
        "\x01"), "bad sizes or iframes" },
    { S(FACTS "\0" RUNS SIZES "\x03\xc8\x01\x02" "\x02\x30\x02" "\x02\0"
        "\x01"), "bad sizes or iframes" },
    { S(FACTS "\0" RUNS SIZES "\x03\xc8\x01\x02" "\x02\x30\x02" "\x01\x01"),
      "bad sizes or iframes" },
    { S(FACTS "\0" RUNS SIZES "\x03\xc8\x01\x02" "\x02\x30\x02"),
      "RENDITION at" },
    { S(FACTS "\0" RUNS SIZES "\x03\xc8\x01\x01" "\x02\x30\x02" IFRAMES),
      "bad durations" },
    { S(FACTS "\0" RUNS SIZES "\x03\xc8\x01\x03" "\x02\x30\x02" IFRAMES),
      "bad durations" },
    { S(FACTS "\0" RUNS SIZES "\x02\0\x02" "\x02\x30\x02" IFRAMES),
      "bad durations" },
    { S(FACTS "\0" RUNS SIZES "\x03\xc8\x01\x02" "\x02\0\x02" IFRAMES),
      "bad samples" },
    { S(FACTS "\0" RUNS SIZES "\x03\xc8\x01\x02" "\x04\x81\x80\x40\x02"
        IFRAMES), "bad samples" },
    { S(FACTS "\0" RUNS SIZES "\x7f\xc8\x01\x02" "\x02\x30\x02" IFRAMES),
      "RENDITION at" }
};


static void
renditions(void **state)
{
    char      sections[512], *p;
    size_t    i, len, n;
    uint8_t  *d;

    (void) state;

    for (i = 0; i < COUNT(bodies); i++) {
        n = bodies[i].body.n;
        assert_true(n < 128);

        p = sections;
        memcpy(p, GRID HEADER OBJECTS, sizeof(GRID HEADER OBJECTS) - 1);
        p += sizeof(GRID HEADER OBJECTS) - 1;
        *p++ = 4;
        *p++ = (char) n;
        memcpy(p, bodies[i].body.p, n);
        p += n;

        d = build(&len, NULL, NULL, sections, (size_t) (p - sections));
        expect(i, d, len, bodies[i].text[0] == '\0' ? REEL_OK : REEL_BADDATA,
               bodies[i].text);
        free(d);
    }
}


/* UTF-8 without controls */
static void
labels(void **state)
{
    static const struct {
        reel_str_t label;
        bool       good;
    } table[] = {
        { S(""), true }, { S("English"), true },
        { S("\xc3\xa9\xe6\x97\xa5\xf0\x9f\x8e\xac \xc2\xa0"), true },
        { S("\xf4\x8f\xbf\xbf"), true }, { S("\xed\x9f\xbf"), true },
        { S("a\tb"), false }, { S("\x7f"), false }, { S("\0"), false },
        { S("\xc2\x85"), false }, { S("\x80"), false }, { S("\xc3"), false },
        { S("\xc1\xbf"), false }, { S("\xe0\x9f\xbf"), false },
        { S("\xed\xa0\x80"), false }, { S("\xf0\x8f\xbf\xbf"), false },
        { S("\xf4\x90\x80\x80"), false }, { S("\xf5\x80\x80\x80"), false },
        { S("\xe6\x97"), false }, { S("\xe6\x97z"), false }
    };

    facts_t       f;
    size_t        i;
    reel_buf_t    b;
    reel_error_t  e;

    (void) state;

    facts_first(&f);

    for (i = 0; i < COUNT(table); i++) {
        f.renditions[1].head.label = table[i].label;
        reel_buf_init(&b, 1 << 20);
        assert_int_equal(reel_index_write(&b, &f.ix, f.renditions, f.n, &e),
                         table[i].good ? REEL_OK : REEL_INVAL);
        reel_buf_release(&b);
    }

    facts_release(&f);
}


/* the writer refuses what the reader would, and says why */
static void
writer(void **state)
{
    facts_t              f, g;
    unsigned             i;
    reel_buf_t           b;
    reel_error_t         e;
    reel_ix_object_t    *o;
    reel_ix_rendition_t  many[REEL_INDEX_MAX_RENDITIONS + 1];

    (void) state;

#define REFUSED(change, what)                                                 \
    facts_first(&f);                                                          \
    o = (reel_ix_object_t *) f.renditions[1].objects;                         \
    change;                                                                   \
    reel_buf_init(&b, 1 << 20);                                               \
    e.text[0] = '\0';                                                         \
    assert_int_equal(reel_index_write(&b, &f.ix, f.renditions, f.n, &e),      \
                     REEL_INVAL);                                             \
    assert_int_equal(b.len, 0);                                               \
    assert_non_null(strstr(e.text, what));                                    \
    reel_buf_release(&b);                                                     \
    facts_release(&f)

    REFUSED(f.ix.fragments = 9, "\"v720\" has 8 fragments, the grid 9");
    REFUSED(o[0].nfragments = 2, "\"v480\" has 7 fragments, the grid 8");
    REFUSED(f.ix.end_ts = -1, "negative");
    REFUSED(f.ix.created_ms = -1, "negative");
    REFUSED(f.ix.end_ts = INT64_C(1) << 53, "GRID");
    REFUSED(f.ix.timescale = 0, "GRID");
    REFUSED(f.ix.publication = 0, "publication 0");
    REFUSED(f.ix.nheaders = REEL_INDEX_MAX_HEADERS + 1, "over");
    REFUSED(f.ix.nheaders = 3, "bad headers");
    REFUSED(f.ix.images[0].object = REEL_STR("../x"), "IMAGE");
    REFUSED(f.renditions[1].head.name = REEL_STR("v720"), "two are named");
    REFUSED(f.renditions[1].head.name = REEL_STR(""), "not of its form");
    REFUSED(f.renditions[1].head.width = 65536, "RENDITION");
    REFUSED(f.renditions[1].head.rate_den = 0, "RENDITION");
    REFUSED(f.renditions[3].head.channels = 0, "RENDITION");
    REFUSED(f.renditions[1].head.kind = (reel_kind_t) 0, "RENDITION");
    REFUSED(o[1].name = REEL_STR(""), "without a name");
    REFUSED(o[1].name = REEL_STR("a b"), "OBJECTS");
    REFUSED(o[1].base = UINT64_C(1) << 53, "bad bases");
    REFUSED(((reel_ix_fragment_t *) o[1].fragments)[0].size = 0,
            "bad sizes");
    REFUSED(((reel_ix_fragment_t *) o[1].fragments)[0].iframe = 1 << 24,
            "bad sizes or iframes");
    REFUSED(((reel_ix_fragment_t *) o[1].fragments)[0].duration = 0,
            "bad durations");
    REFUSED(((reel_ix_fragment_t *) o[1].fragments)[0].samples = 0,
            "bad samples");

    facts_first(&g);

    for (i = 0; i < COUNT(many); i++) {
        many[i] = g.renditions[0];
    }

    reel_buf_init(&b, 1 << 20);
    assert_int_equal(reel_index_write(&b, &g.ix, many, COUNT(many), &e),
                     REEL_INVAL);
    assert_non_null(strstr(e.text, "over 64 renditions"));
    reel_buf_release(&b);

    /* a buffer that is too small is no fault of the facts */
    reel_buf_init(&b, 100);
    assert_int_equal(reel_index_write(&b, &g.ix, g.renditions, g.n, &e),
                     REEL_LIMIT);
    reel_buf_release(&b);
    facts_release(&g);
}


/* walks all that an accepted index offers; returns something of it all */
static uint64_t
walk(const reel_index_t *ix)
{
    uint32_t           k, size;
    uint64_t           sum = 0, offset;
    bool               text;
    unsigned           i, n, j;
    reel_extent_t      ext[REEL_EXTENTS_MAX];
    reel_fragments_t   w;

    for (i = 0; i < ix->nrenditions; i++) {
        reel_fragments_init(&w, ix, &ix->renditions[i]);
        text = ix->renditions[i].kind == REEL_TEXT;

        while (reel_fragments_next(&w)) {
            assert_true(w.duration > 0);
            assert_true(text || (w.size > 0 && w.nsamples > 0));
            assert_true(w.iframe <= w.size);
            sum += w.size;
        }

        for (k = 0; k < ix->fragments; k++) {
            if (reel_index_locate(ix, &ix->renditions[i], k,
                                  k + 1 < ix->fragments ? 2 : 1, ext, &n)
                != REEL_OK)
            {
                fail();
            }

            for (j = 0; j < n; j++) {
                assert_true(ext[j].object.len > 0);
                assert_true(text || ext[j].header < ix->nheaders);
                sum += ext[j].offset + ext[j].size;
            }
        }

        sum += reel_index_bitrate(ix, &ix->renditions[i], 3).peak;
    }

    for (i = 0; i < ix->npictures; i++) {
        for (k = 0; k < ix->pictures[i].sheets; k++) {
            assert_int_equal(reel_index_sheet(&ix->pictures[i], k, &offset,
                                              &size), REEL_OK);
            sum += offset + size;
        }
    }

    return sum;
}


/* "OBJECTS at 88: …", "RENDITION: …", "section at 90: …" */
static bool
names_place(const char *text)
{
    return strstr(text, " at ") != NULL
           || (isupper((unsigned char) text[0])
               && isupper((unsigned char) text[1]));
}


/* any byte changed: the CRC tells, and where it shows is said; with a right
   CRC, nothing worse than an error comes of it */
static void
changed(void **state)
{
    facts_t        f;
    size_t         i;
    unsigned       v, kept = 0;
    uint8_t       *d;
    reel_buf_t     b;
    reel_index_t  *ix;
    reel_error_t   e;

    (void) state;

    facts_first(&f);
    facts_write(&b, &f);
    facts_release(&f);

    ix = malloc(sizeof(reel_index_t));
    d = malloc(b.len);
    assert_non_null(ix);
    assert_non_null(d);
    memcpy(d, b.data, b.len);

    for (i = 0; i < b.len; i++) {
        for (v = 1; v < 256; v = v < 8 ? v + 1 : v * 2 + 1) {
            d[i] = (uint8_t) (b.data[i] ^ v);
            assert_int_not_equal(reel_index_parse(ix, d, b.len, &e),
                                 REEL_OK);
            assert_true(i < REEL_IX_HEAD || names_place(e.text));

            facts_seal(d, b.len);

            if (i < b.len - 4
                && reel_index_parse(ix, d, b.len, &e) == REEL_OK)
            {
                kept++;
                (void) walk(ix);
                assert_int_equal(reel_index_reparse(ix, d, b.len), REEL_OK);
            }

            memcpy(d, b.data, b.len);
        }
    }

    assert_true(kept > 0);
    free(ix);
    free(d);
    reel_buf_release(&b);
}


/* cut anywhere, and sealed: at the end of a section it may stand */
static void
cut(void **state)
{
    facts_t        f;
    size_t         n;
    uint8_t       *d;
    reel_buf_t     b;
    reel_index_t  *ix;
    reel_error_t   e;

    (void) state;

    facts_first(&f);
    facts_write(&b, &f);
    facts_release(&f);

    ix = malloc(sizeof(reel_index_t));
    assert_non_null(ix);

    for (n = 0; n < b.len; n++) {
        d = malloc(n + 1);
        assert_non_null(d);
        memcpy(d, b.data, n);

        assert_int_not_equal(reel_index_parse(ix, d, n, &e), REEL_OK);
        (void) !reel_index_reparse(ix, d, n);

        if (n >= 52) {
            facts_seal(d, n);

            if (reel_index_parse(ix, d, n, &e) == REEL_OK) {
                (void) walk(ix);
            }
        }

        free(d);
    }

    free(ix);
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(renditions),
        cmocka_unit_test(labels),
        cmocka_unit_test(writer),
        cmocka_unit_test(changed),
        cmocka_unit_test(cut)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
