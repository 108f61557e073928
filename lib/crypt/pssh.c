#include "lib/base/base64.h"
#include "lib/base/hex.h"
#include "lib/crypt/pssh.h"


#define PRO_MAX  (64 * 1024)

/* fields of WidevinePsshData, a protocol buffer: number << 3 | wire type */
#define WIDEVINE_KEY_ID  0x12   /* 2, bytes */
#define WIDEVINE_SCHEME  0x48   /* 9, varint: the scheme's four letters */


static const struct {
    const char *id;
    const char *hex;
} systems[REEL_SYSTEMS] = {
    { "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b",
      "1077efecc0b24d02ace33c1e52e2fb4b" },
    { "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",
      "edef8ba979d64acea3c827dcd51d21ed" },
    { "9a04f079-9840-4286-ab92-e65be0885f95",
      "9a04f07998404286ab92e65be0885f95" }
};


const char *
reel_system_id(reel_system_t system)
{
    return systems[system].id;
}


static void
add_widevine(reel_buf_t *b, reel_scheme_t scheme,
    const reel_content_key_t *keys, unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        reel_buf_u8(b, WIDEVINE_KEY_ID);
        reel_buf_u8(b, REEL_KID);
        reel_buf_add(b, keys[i].kid, REEL_KID);
    }

    reel_buf_u8(b, WIDEVINE_SCHEME);
    reel_buf_varint(b, scheme == REEL_SCHEME_CBCS ? 0x63626373 : 0x63656e63);
}


/* a KID as PlayReady has it: a GUID whose first three fields are turned */
static void
add_guid(reel_buf_t *b, const uint8_t *kid)
{
    char      text[REEL_BASE64_LEN(REEL_KID) + 1];
    uint8_t   guid[REEL_KID];
    unsigned  i;

    static const uint8_t  order[REEL_KID] = {
        3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15
    };

    for (i = 0; i < REEL_KID; i++) {
        guid[i] = kid[order[i]];
    }

    reel_base64(text, guid, sizeof(guid));
    reel_buf_addz(b, text);
}


static void
add_wrm_header(reel_buf_t *b, reel_scheme_t scheme,
    const reel_content_key_t *keys, unsigned n)
{
    unsigned  i;

    reel_buf_addz(b, "<WRMHEADER xmlns=\"http://schemas.microsoft.com/DRM/"
                  "2007/03/PlayReadyHeader\" version=\"4.3.0.0\"><DATA>"
                  "<PROTECTINFO><KIDS>");

    for (i = 0; i < n; i++) {
        reel_buf_printf(b, "<KID ALGID=\"%s\" VALUE=\"",
                        scheme == REEL_SCHEME_CBCS ? "AESCBC" : "AESCTR");
        add_guid(b, keys[i].kid);
        reel_buf_addz(b, "\"></KID>");
    }

    reel_buf_addz(b, "</KIDS></PROTECTINFO></DATA></WRMHEADER>");
}


/* PlayReady Header Object: little-endian, the XML in UTF-16 */
void
reel_pssh_playready(reel_buf_t *b, reel_scheme_t scheme,
    const reel_content_key_t *keys, unsigned n)
{
    size_t      i, len;
    reel_buf_t  xml;

    reel_buf_init(&xml, PRO_MAX);
    add_wrm_header(&xml, scheme, keys, n);
    len = 2 * xml.len;

    reel_buf_u32le(b, (uint32_t) (len + 10));
    reel_buf_u16le(b, 1);               /* one record … */
    reel_buf_u16le(b, 1);               /* … which is a header */
    reel_buf_u16le(b, (uint16_t) len);

    for (i = 0; i < xml.len; i++) {
        reel_buf_u16le(b, xml.data[i]);
    }

    reel_buf_release(&xml);
}


void
reel_pssh(reel_buf_t *b, reel_system_t system, reel_scheme_t scheme,
    const reel_content_key_t *keys, unsigned n)
{
    size_t    start = b->len, data;
    uint8_t   id[16];
    unsigned  i;

    if (reel_unhex(id, sizeof(id), reel_str(systems[system].hex))
        != REEL_OK)
    {
        return;
    }

    reel_buf_u32(b, 0);
    reel_buf_addz(b, "pssh");
    reel_buf_u32(b, system == REEL_SYSTEM_COMMON ? 1u << 24 : 0);
    reel_buf_add(b, id, sizeof(id));

    /* version 1 lists KIDs; what the other two say has them inside */
    if (system == REEL_SYSTEM_COMMON) {
        reel_buf_u32(b, n);

        for (i = 0; i < n; i++) {
            reel_buf_add(b, keys[i].kid, REEL_KID);
        }
    }

    data = b->len;
    reel_buf_u32(b, 0);

    if (system == REEL_SYSTEM_WIDEVINE) {
        add_widevine(b, scheme, keys, n);
    } else if (system == REEL_SYSTEM_PLAYREADY) {
        reel_pssh_playready(b, scheme, keys, n);
    }

    if (b->err == REEL_OK) {
        reel_buf_patch32(b, data, (uint32_t) (b->len - data - 4));
        reel_buf_patch32(b, start, (uint32_t) (b->len - start));
    }
}
