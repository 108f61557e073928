/* any bytes as the body of CompleteMultipartUpload, and as text of XML */

#include "lib/base/xml.h"
#include "lib/upload/complete_xml.h"
#include "lib/upload/upload.h"
#include "tests/fuzz/harness.h"


/* what was printed is read as one element again */
static void
round_trip(reel_str_t in)
{
    reel_buf_t        b;
    reel_xml_t        x;
    reel_xml_event_t  ev;

    reel_buf_init(&b, 6 * in.len + 64);
    reel_xml_element(&b, "Key", in);
    need(reel_buf_err(&b) == REEL_OK);

    reel_xml_init(&x, (reel_str_t) { (char *) b.data, b.len });
    need(reel_xml_next(&x, &ev, NULL) == REEL_OK && ev == REEL_XML_START);

    do {
        need(reel_xml_next(&x, &ev, NULL) == REEL_OK);
    } while (ev == REEL_XML_TEXT);

    need(ev == REEL_XML_END && x.depth == 0);
    need(reel_xml_next(&x, &ev, NULL) == REEL_OK && ev == REEL_XML_DONE);
    reel_buf_release(&b);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char             etag[REEL_PART_ETAG_LEN + 1];
    size_t           i;
    reel_error_t     e = { "" };
    reel_complete_t  c;

    if (reel_complete_parse(&c, (const char *) data, size, &e) == REEL_OK) {
        need(c.n > 0 && c.n <= REEL_UPLOAD_PARTS_MAX);

        for (i = 0; i < c.n; i++) {
            need(c.numbers[i] > 0 && c.numbers[i] <= REEL_UPLOAD_PARTS_MAX);
            need(c.sums[i].kind < REEL_SUM_KINDS);
            reel_part_etag(etag, c.tags[i]);
            need(reel_part_etag_parse(reel_str(etag)) == c.tags[i]);
        }

    } else {
        need(c.n == 0);
    }

    reel_complete_release(&c);
    round_trip((reel_str_t) { (const char *) data, size });

    return 0;
}
