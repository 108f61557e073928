#include <stdlib.h>

#include "lib/base/xml.h"
#include "reelctl/m3u8.h"
#include "reelctl/mpd.h"


static reel_mpd_node_t *
add_node(reel_mpd_t *m, reel_err_t *err)
{
    void  *more;

    if (m->n == REEL_MPD_NODES) {
        *err = REEL_LIMIT;
        return NULL;
    }

    if ((m->n & (m->n - 1)) == 0) {
        more = realloc(m->nodes, (m->n != 0 ? 2 * (size_t) m->n : 1)
                                 * sizeof(reel_mpd_node_t));
        if (more == NULL) {
            *err = REEL_NOMEM;
            return NULL;
        }

        m->nodes = more;
    }

    return &m->nodes[m->n++];
}


static unsigned
count_lines(reel_str_t text, size_t from, size_t to)
{
    unsigned  n = 0;

    for ( /* void */ ; from < to && from < text.len; from++) {
        n += text.p[from] == '\n';
    }

    return n;
}


reel_err_t
reel_mpd_read(reel_mpd_t *m, reel_str_t text)
{
    int                at = -1;
    size_t             pos = 0;
    unsigned           line = 1;
    reel_err_t         err;
    reel_xml_t         x;
    reel_error_t       e = { "" };
    reel_mpd_node_t   *node;
    reel_xml_event_t   ev;

    *m = (reel_mpd_t) { 0 };
    reel_xml_init(&x, text);

    while ((err = reel_xml_next(&x, &ev, &e)) == REEL_OK
           && ev != REEL_XML_DONE)
    {
        line += count_lines(text, pos, reel_xml_pos(&x));
        pos = reel_xml_pos(&x);

        if (ev == REEL_XML_START) {
            node = add_node(m, &err);
            if (node == NULL) {
                return err;
            }

            *node = (reel_mpd_node_t) { .name = x.name, .attrs = x.attrs,
                                        .parent = at, .line = line };
            at = m->n - 1;

        } else if (ev == REEL_XML_END) {
            m->nodes[at].end = m->n;
            at = m->nodes[at].parent;

        } else if (at >= 0 && m->nodes[at].text.p == NULL) {
            m->nodes[at].text = x.text;
        }
    }

    if (err != REEL_OK) {
        memcpy(m->fault, e.text, sizeof(m->fault));
    }

    return err;
}


void
reel_mpd_release(reel_mpd_t *m)
{
    free(m->nodes);
    m->nodes = NULL;
    m->n = 0;
}


int
reel_mpd_child(const reel_mpd_t *m, int parent, const char *name, int after)
{
    int  i;

    i = after < 0 ? parent + 1 : m->nodes[after].end;

    for ( /* void */ ; i < m->nodes[parent].end; i = m->nodes[i].end) {
        if (name == NULL || reel_str_eqz(m->nodes[i].name, name)) {
            return i;
        }
    }

    return -1;
}


reel_str_t
reel_mpd_get(const reel_mpd_t *m, int node, const char *name)
{
    reel_str_t  rest = m->nodes[node].attrs, key, value;

    while (reel_xml_attr(&rest, &key, &value)) {
        if (reel_str_eqz(key, name)) {
            return value;
        }
    }

    return (reel_str_t) { NULL, 0 };
}


bool
reel_mpd_number(const reel_mpd_t *m, int node, const char *name, uint64_t *v)
{
    reel_str_t  s = reel_mpd_get(m, node, name);

    return s.p != NULL && reel_str_u64(s, UINT64_MAX, v) == REEL_OK;
}


/* xs:duration, but only days and below: the length of a month is unknown */
bool
reel_mpd_duration(reel_str_t s, int64_t *us)
{
    bool     time = false;
    size_t   n;
    int64_t  v, unit;

    *us = 0;

    if (!reel_str_prefix(s, "P") || s.len < 3) {
        return false;
    }

    for (s.p++, s.len--; s.len != 0; s.p += n + 1, s.len -= n + 1) {

        if (s.p[0] == 'T' && !time) {
            time = true;
            n = 0;
            continue;
        }

        for (n = 0; n < s.len && (s.p[n] == '.'
                                  || (s.p[n] >= '0' && s.p[n] <= '9')); n++)
        { /* void */ }

        if (n == s.len
            || !reel_m3u8_decimal((reel_str_t) { s.p, n }, &v))
        {
            return false;
        }

        unit = !time ? (s.p[n] == 'D' ? 86400 : 0)
               : s.p[n] == 'H' ? 3600 : s.p[n] == 'M' ? 60
               : s.p[n] == 'S' ? 1 : 0;

        if (unit == 0 || v > INT64_MAX / 2 / unit
            || *us > INT64_MAX / 2 - v * unit)
        {
            return false;
        }

        *us += v * unit;
    }

    return true;
}
