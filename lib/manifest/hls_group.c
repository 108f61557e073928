/* RFC 8216bis, 4.4.6.1: the sound and the text that go with a variant */

#include <inttypes.h>

#include "lib/manifest/hls.h"


/* characteristics by role, Apple's UTIs */
static const struct {
    uint32_t    role;
    reel_kind_t kind;
    const char *utis;
} characteristics[] = {
    { REEL_ROLE_CAPTIONS, REEL_TEXT,
      "public.accessibility.transcribes-spoken-dialog,"
      "public.accessibility.describes-music-and-sound" },
    { REEL_ROLE_DESCRIPTION, REEL_AUDIO,
      "public.accessibility.describes-video" },
    { REEL_ROLE_COMMENTARY, REEL_AUDIO, "public.auxiliary-content" },
    { REEL_ROLE_COMMENTARY, REEL_TEXT, "public.auxiliary-content" },
    { REEL_ROLE_DUB, REEL_AUDIO, "public.translation.dubbed" }
};


/* 4.2: a quoted-string has no quotes of its own */
static void
add_quoted(reel_buf_t *b, reel_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        reel_buf_u8(b, s.p[i] == '"' ? '\'' : (uint8_t) s.p[i]);
    }
}


/* what a viewer reads in the menu */
static reel_str_t
menu_name(const reel_rendition_t *r)
{
    reel_str_t  language = reel_listing_language(r);

    if (r->label.len != 0) {
        return r->label;
    }

    if (language.len != 0) {
        return language;
    }

    return r->kind == REEL_TEXT ? REEL_STR("Subtitles") : REEL_STR("Audio");
}


/* names are unique in a group: r is number n of list */
static void
add_name(reel_buf_t *b, const reel_rendition_t *const *list, unsigned n)
{
    unsigned                 i;
    const reel_rendition_t  *r = list[n];

    reel_buf_addz(b, ",NAME=\"");
    add_quoted(b, menu_name(r));

    for (i = 0; i < n; i++) {
        if (reel_str_eq(menu_name(list[i]), menu_name(r))) {
            reel_buf_printf(b, " (%.*s)", (int) r->name.len, r->name.p);
            break;
        }
    }

    reel_buf_addz(b, "\"");
}


/* Apple's authoring rules, 8.10: unknown is said too */
static void
add_language(reel_buf_t *b, const reel_rendition_t *r)
{
    reel_str_t  language = reel_listing_language(r);

    if (language.len == 0) {
        language = REEL_STR("und");
    }

    reel_buf_printf(b, ",LANGUAGE=\"%.*s\"", (int) language.len, language.p);
}


static void
add_characteristics(reel_buf_t *b, const reel_rendition_t *r)
{
    size_t    i;
    unsigned  n = 0;

    for (i = 0; i < sizeof(characteristics) / sizeof(characteristics[0]);
         i++)
    {
        if (characteristics[i].kind == r->kind
            && (r->roles & characteristics[i].role))
        {
            reel_buf_addz(b, n++ == 0 ? ",CHARACTERISTICS=\"" : ",");
            reel_buf_addz(b, characteristics[i].utis);
        }
    }

    if (n != 0) {
        reel_buf_addz(b, "\"");
    }
}


/* a player may take it unasked: one of each language and kind */
static bool
may_select(const reel_rendition_t *const *list, unsigned n)
{
    unsigned                 i;
    const reel_rendition_t  *r = list[n];

    if (r->roles & REEL_ROLE_COMMENTARY) {
        return false;
    }

    for (i = 0; i < n; i++) {
        if (reel_str_eq(reel_listing_language(list[i]),
                        reel_listing_language(r))
            && ((list[i]->roles ^ r->roles) & ~REEL_ROLE_DEFAULT) == 0)
        {
            return false;
        }
    }

    return true;
}


static void
add_uri(reel_buf_t *b, const reel_listing_t *l, const reel_listed_t *x)
{
    reel_buf_addz(b, ",URI=\"");
    reel_listing_uri(b, l, x, "media", x->hash);
    reel_buf_addz(b, "\"\n");
}


static void
add_audio(reel_buf_t *b, const reel_listing_t *l, unsigned rank)
{
    bool                     is_default;
    unsigned                 i;
    const reel_rendition_t  *list[REEL_INDEX_MAX_RENDITIONS];

    for (i = 0; i < l->ntracks; i++) {
        list[i] = reel_listing_audio(l, i, rank)->r;
        is_default = i == reel_listing_default(l);

        reel_buf_printf(b, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio%u\"",
                        rank);
        add_name(b, list, i);
        add_language(b, list[i]);
        reel_buf_printf(b, ",DEFAULT=%s,AUTOSELECT=%s",
                        is_default ? "YES" : "NO",
                        is_default || may_select(list, i) ? "YES" : "NO");
        add_characteristics(b, list[i]);
        reel_buf_printf(b, ",CHANNELS=\"%" PRIu32 "\"", list[i]->channels);
        add_uri(b, l, reel_listing_audio(l, i, rank));
    }
}


static void
add_text(reel_buf_t *b, const reel_listing_t *l)
{
    bool                     is_default, had_default = false;
    unsigned                 i;
    const reel_rendition_t  *list[REEL_INDEX_MAX_RENDITIONS];

    for (i = 0; i < l->ntext; i++) {
        list[i] = l->text[i].r;
        is_default = !had_default && (list[i]->roles & REEL_ROLE_DEFAULT);
        had_default |= is_default;

        reel_buf_addz(b, "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"text\"");
        add_name(b, list, i);
        add_language(b, list[i]);
        reel_buf_printf(b, ",DEFAULT=%s,AUTOSELECT=%s",
                        is_default ? "YES" : "NO",
                        is_default || may_select(list, i) ? "YES" : "NO");

        if (list[i]->roles & REEL_ROLE_FORCED) {
            reel_buf_addz(b, ",FORCED=YES");
        }

        add_characteristics(b, list[i]);
        add_uri(b, l, &l->text[i]);
    }
}


void
reel_hls_groups(reel_buf_t *b, const reel_listing_t *l)
{
    unsigned  rank;

    /* one track of sound alone needs no group: its variants are all */
    if (l->nvideo != 0 || l->ntracks > 1) {
        for (rank = 0; rank < l->nranks; rank++) {
            add_audio(b, l, rank);
        }
    }

    add_text(b, l);
}
