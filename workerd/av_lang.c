#include "workerd/av_lang.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>


/* ISO 639-1, 639-2/T and, where it differs, 639-2/B */
static const struct {
    char  two[3];
    char  three[4];
    char  other[4];
} languages[] = {
    { "aa", "aar", "" }, { "ab", "abk", "" }, { "ae", "ave", "" },
    { "af", "afr", "" }, { "ak", "aka", "" }, { "am", "amh", "" },
    { "an", "arg", "" }, { "ar", "ara", "" }, { "as", "asm", "" },
    { "av", "ava", "" }, { "ay", "aym", "" }, { "az", "aze", "" },
    { "ba", "bak", "" }, { "be", "bel", "" }, { "bg", "bul", "" },
    { "bi", "bis", "" }, { "bm", "bam", "" }, { "bn", "ben", "" },
    { "bo", "bod", "tib" }, { "br", "bre", "" }, { "bs", "bos", "" },
    { "ca", "cat", "" }, { "ce", "che", "" }, { "ch", "cha", "" },
    { "co", "cos", "" }, { "cr", "cre", "" }, { "cs", "ces", "cze" },
    { "cu", "chu", "" }, { "cv", "chv", "" }, { "cy", "cym", "wel" },
    { "da", "dan", "" }, { "de", "deu", "ger" }, { "dv", "div", "" },
    { "dz", "dzo", "" }, { "ee", "ewe", "" }, { "el", "ell", "gre" },
    { "en", "eng", "" }, { "eo", "epo", "" }, { "es", "spa", "" },
    { "et", "est", "" }, { "eu", "eus", "baq" }, { "fa", "fas", "per" },
    { "ff", "ful", "" }, { "fi", "fin", "" }, { "fj", "fij", "" },
    { "fo", "fao", "" }, { "fr", "fra", "fre" }, { "fy", "fry", "" },
    { "ga", "gle", "" }, { "gd", "gla", "" }, { "gl", "glg", "" },
    { "gn", "grn", "" }, { "gu", "guj", "" }, { "gv", "glv", "" },
    { "ha", "hau", "" }, { "he", "heb", "" }, { "hi", "hin", "" },
    { "ho", "hmo", "" }, { "hr", "hrv", "" }, { "ht", "hat", "" },
    { "hu", "hun", "" }, { "hy", "hye", "arm" }, { "hz", "her", "" },
    { "ia", "ina", "" }, { "id", "ind", "" }, { "ie", "ile", "" },
    { "ig", "ibo", "" }, { "ii", "iii", "" }, { "ik", "ipk", "" },
    { "io", "ido", "" }, { "is", "isl", "ice" }, { "it", "ita", "" },
    { "iu", "iku", "" }, { "ja", "jpn", "" }, { "jv", "jav", "" },
    { "ka", "kat", "geo" }, { "kg", "kon", "" }, { "ki", "kik", "" },
    { "kj", "kua", "" }, { "kk", "kaz", "" }, { "kl", "kal", "" },
    { "km", "khm", "" }, { "kn", "kan", "" }, { "ko", "kor", "" },
    { "kr", "kau", "" }, { "ks", "kas", "" }, { "ku", "kur", "" },
    { "kv", "kom", "" }, { "kw", "cor", "" }, { "ky", "kir", "" },
    { "la", "lat", "" }, { "lb", "ltz", "" }, { "lg", "lug", "" },
    { "li", "lim", "" }, { "ln", "lin", "" }, { "lo", "lao", "" },
    { "lt", "lit", "" }, { "lu", "lub", "" }, { "lv", "lav", "" },
    { "mg", "mlg", "" }, { "mh", "mah", "" }, { "mi", "mri", "mao" },
    { "mk", "mkd", "mac" }, { "ml", "mal", "" }, { "mn", "mon", "" },
    { "mr", "mar", "" }, { "ms", "msa", "may" }, { "mt", "mlt", "" },
    { "my", "mya", "bur" }, { "na", "nau", "" }, { "nb", "nob", "" },
    { "nd", "nde", "" }, { "ne", "nep", "" }, { "ng", "ndo", "" },
    { "nl", "nld", "dut" }, { "nn", "nno", "" }, { "no", "nor", "" },
    { "nr", "nbl", "" }, { "nv", "nav", "" }, { "ny", "nya", "" },
    { "oc", "oci", "" }, { "oj", "oji", "" }, { "om", "orm", "" },
    { "or", "ori", "" }, { "os", "oss", "" }, { "pa", "pan", "" },
    { "pi", "pli", "" }, { "pl", "pol", "" }, { "ps", "pus", "" },
    { "pt", "por", "" }, { "qu", "que", "" }, { "rm", "roh", "" },
    { "rn", "run", "" }, { "ro", "ron", "rum" }, { "ru", "rus", "" },
    { "rw", "kin", "" }, { "sa", "san", "" }, { "sc", "srd", "" },
    { "sd", "snd", "" }, { "se", "sme", "" }, { "sg", "sag", "" },
    { "si", "sin", "" }, { "sk", "slk", "slo" }, { "sl", "slv", "" },
    { "sm", "smo", "" }, { "sn", "sna", "" }, { "so", "som", "" },
    { "sq", "sqi", "alb" }, { "sr", "srp", "" }, { "ss", "ssw", "" },
    { "st", "sot", "" }, { "su", "sun", "" }, { "sv", "swe", "" },
    { "sw", "swa", "" }, { "ta", "tam", "" }, { "te", "tel", "" },
    { "tg", "tgk", "" }, { "th", "tha", "" }, { "ti", "tir", "" },
    { "tk", "tuk", "" }, { "tl", "tgl", "" }, { "tn", "tsn", "" },
    { "to", "ton", "" }, { "tr", "tur", "" }, { "ts", "tso", "" },
    { "tt", "tat", "" }, { "tw", "twi", "" }, { "ty", "tah", "" },
    { "ug", "uig", "" }, { "uk", "ukr", "" }, { "ur", "urd", "" },
    { "uz", "uzb", "" }, { "ve", "ven", "" }, { "vi", "vie", "" },
    { "vo", "vol", "" }, { "wa", "wln", "" }, { "wo", "wol", "" },
    { "xh", "xho", "" }, { "yi", "yid", "" }, { "yo", "yor", "" },
    { "za", "zha", "" }, { "zh", "zho", "chi" }, { "zu", "zul", "" },
};

#define LANGUAGES  (sizeof(languages) / sizeof(languages[0]))


static bool
lower(char *dst, size_t cap, const char *s)
{
    size_t  i;

    for (i = 0; s[i] != '\0' && s[i] != '-'; i++) {
        if (i + 1 >= cap) {
            return false;
        }

        dst[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char) (s[i] | 0x20) : s[i];
        if (dst[i] < 'a' || dst[i] > 'z') {
            return false;
        }
    }

    dst[i] = '\0';
    return i >= 2;
}


/* subtags behind the language: letters and digits, 1 … 8 each */
static bool
subtags_valid(const char *s)
{
    size_t  run;

    for (run = 0; /* void */ ; s++) {
        if (*s == '-' || *s == '\0') {
            if (run < 1 || run > 8) {
                return false;
            }
            if (*s == '\0') {
                return true;
            }
            run = 0;

        } else if ((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z')
                   || (*s >= 'A' && *s <= 'Z'))
        {
            run++;

        } else {
            return false;
        }
    }
}


void
reel_av_lang_bcp47(char *dst, size_t cap, const char *tag)
{
    char         lang[4];
    size_t       i;
    const char  *rest;

    dst[0] = '\0';

    if (tag == NULL || !lower(lang, sizeof(lang), tag)
        || strlen(tag) > 35)
    {
        return;
    }

    rest = strchr(tag, '-');
    if (rest != NULL && !subtags_valid(rest + 1)) {
        rest = NULL;
    }

    /* undetermined, several, none, uncoded */
    if (strcmp(lang, "und") == 0 || strcmp(lang, "mul") == 0
        || strcmp(lang, "zxx") == 0 || strcmp(lang, "mis") == 0)
    {
        return;
    }

    for (i = 0; i < LANGUAGES; i++) {
        if (strcmp(lang, languages[i].three) == 0
            || strcmp(lang, languages[i].other) == 0)
        {
            (void) snprintf(lang, sizeof(lang), "%s", languages[i].two);
            break;
        }
    }

    (void) snprintf(dst, cap, "%s%s", lang, rest != NULL ? rest : "");
}


void
reel_av_lang_iso(char dst[4], const char *bcp47)
{
    char    lang[4];
    size_t  i;

    (void) snprintf(dst, 4, "und");

    if (bcp47 == NULL || !lower(lang, sizeof(lang), bcp47)) {
        return;
    }

    if (strlen(lang) == 3) {
        (void) snprintf(dst, 4, "%s", lang);
        return;
    }

    for (i = 0; i < LANGUAGES; i++) {
        if (strcmp(lang, languages[i].two) == 0) {
            (void) snprintf(dst, 4, "%s", languages[i].three);
            return;
        }
    }
}
