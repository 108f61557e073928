#include "lib/base/crc.h"


/*
 * A CRC is linear, so what a byte gives is the sum of what its bits give.
 * The SLICE of k lists the latter, from bit 7 down: the polynomial's
 * remainders of x^(w + 8 k) up to x^(w + 8 k + 7), w being its width.  Each
 * is the one before shifted right, with the polynomial added when a bit fell
 * out.
 */

#define BIT(n, i, v)  ((n) >> (i) & 1 ? UINT64_C(v) : 0)

#define ENTRY(n, a, b, c, d, e, f, g, h)                                      \
    (BIT(n, 7, a) ^ BIT(n, 6, b) ^ BIT(n, 5, c) ^ BIT(n, 4, d)                \
     ^ BIT(n, 3, e) ^ BIT(n, 2, f) ^ BIT(n, 1, g) ^ BIT(n, 0, h))

#define ENTRIES4(n, ...)                                                      \
    ENTRY(n, __VA_ARGS__), ENTRY((n) + 1, __VA_ARGS__),                       \
    ENTRY((n) + 2, __VA_ARGS__), ENTRY((n) + 3, __VA_ARGS__)

#define ENTRIES16(n, ...)                                                     \
    ENTRIES4(n, __VA_ARGS__), ENTRIES4((n) + 4, __VA_ARGS__),                 \
    ENTRIES4((n) + 8, __VA_ARGS__), ENTRIES4((n) + 12, __VA_ARGS__)

#define ENTRIES64(n, ...)                                                     \
    ENTRIES16(n, __VA_ARGS__), ENTRIES16((n) + 16, __VA_ARGS__),              \
    ENTRIES16((n) + 32, __VA_ARGS__), ENTRIES16((n) + 48, __VA_ARGS__)

#define SLICE(...)                                                            \
    { ENTRIES64(0, __VA_ARGS__), ENTRIES64(64, __VA_ARGS__),                  \
      ENTRIES64(128, __VA_ARGS__), ENTRIES64(192, __VA_ARGS__) }


const reel_crc_t  reel_crc_32 = {
    .mask = UINT32_MAX,
    .fold512 = { 0x653d982200000000, 0xcad38e8f00000000 },
    .fold128 = { 0x65673b4600000000, 0x9ba54c6f00000000 },
    .table = {
        SLICE(0xedb88320, 0x76dc4190, 0x3b6e20c8, 0x1db71064,
              0x0edb8832, 0x076dc419, 0xee0e612c, 0x77073096),
        SLICE(0x3b83984b, 0xf0794f05, 0x958424a2, 0x4ac21251,
              0xc8d98a08, 0x646cc504, 0x32366282, 0x191b3141),
        SLICE(0xe1351b80, 0x709a8dc0, 0x384d46e0, 0x1c26a370,
              0x0e1351b8, 0x0709a8dc, 0x0384d46e, 0x01c26a37),
        SLICE(0xed59b63b, 0x9b14583d, 0xa032af3e, 0x5019579f,
              0xc5b428ef, 0x8f629757, 0xaa09c88b, 0xb8bc6765),
        SLICE(0xb1e6b092, 0x58f35849, 0xc1c12f04, 0x60e09782,
              0x30704bc1, 0xf580a6c0, 0x7ac05360, 0x3d6029b0),
        SLICE(0x1eb014d8, 0x0f580a6c, 0x07ac0536, 0x03d6029b,
              0xec53826d, 0x9b914216, 0x4dc8a10b, 0xcb5cd3a5),
        SLICE(0x8816eaf2, 0x440b7579, 0xcfbd399c, 0x67de9cce,
              0x33ef4e67, 0xf44f2413, 0x979f1129, 0xa6770bb4),
        SLICE(0x533b85da, 0x299dc2ed, 0xf9766256, 0x7cbb312b,
              0xd3e51bb5, 0x844a0efa, 0x4225077d, 0xccaa009e),
    }
};


const reel_crc_t  reel_crc_32c = {
    .mask = UINT32_MAX,
    .fold512 = { 0x1c19243b00000000, 0x75bba45b00000000 },
    .fold128 = { 0x3743f7bd00000000, 0x3171d43000000000 },
    .table = {
        SLICE(0x82f63b78, 0x417b1dbc, 0x20bd8ede, 0x105ec76f,
              0x8ad958cf, 0xc79a971f, 0xe13b70f7, 0xf26b8303),
        SLICE(0xfbc3faf9, 0xff17c604, 0x7f8be302, 0x3fc5f181,
              0x9d14c3b8, 0x4e8a61dc, 0x274530ee, 0x13a29877),
        SLICE(0x8b277743, 0xc76580d9, 0xe144fb14, 0x70a27d8a,
              0x38513ec5, 0x9edea41a, 0x4f6f520d, 0xa541927e),
        SLICE(0x52a0c93f, 0xaba65fe7, 0xd725148b, 0xe964b13d,
              0xf64463e6, 0x7b2231f3, 0xbf672381, 0xdd45aab8),
        SLICE(0x6ea2d55c, 0x37516aae, 0x1ba8b557, 0x8f2261d3,
              0xc5670b91, 0xe045beb0, 0x7022df58, 0x38116fac),
        SLICE(0x1c08b7d6, 0x0e045beb, 0x85f4168d, 0xc00c303e,
              0x6006181f, 0xb2f53777, 0xdb8ca0c3, 0xef306b19),
        SLICE(0xf56e0ef4, 0x7ab7077a, 0x3d5b83bd, 0x9c5bfaa6,
              0x4e2dfd53, 0xa5e0c5d1, 0xd0065990, 0x68032cc8),
        SLICE(0x34019664, 0x1a00cb32, 0x0d006599, 0x847609b4,
              0x423b04da, 0x211d826d, 0x9278fa4e, 0x493c7d27),
    }
};


const reel_crc_t  reel_crc_64nvme = {
    .mask = UINT64_MAX,
    .fold512 = { 0x0c32cdb31e18a84a, 0x62242240ace5045a },
    .fold128 = { 0xeadc41fd2ba3d420, 0x21e9761e252621ac },
    .table = {
        SLICE(0x9a6c9329ac4bc9b5, 0xd75adabd7a6e2d6f, 0xf1c1fe77117cdf02,
              0x78e0ff3b88be6f81, 0xa61cecb46814fe75, 0xc962e5739841b68f,
              0xfedde190606b12f2, 0x7f6ef0c830358979),
        SLICE(0xa5dbeb4db4510d09, 0xc881668f76634f31, 0xfe2c206e177a6e2d,
              0xe57a831ea7f6fea3, 0xe8d1d2a6ffb0b6e4, 0x7468e9537fd85b72,
              0x3a3474a9bfec2db9, 0x8776a97d73bddf69),
        SLICE(0xd9d7c79715952601, 0xf68770e226815ab5, 0xe12f2b58bf0b64ef,
              0xeafb0685f3ce7bc2, 0x757d8342f9e73de1, 0xa0d25288d0b85745,
              0xca05ba6dc417e217, 0xff6e4e1f4e4038be),
        SLICE(0x7fb7270fa7201c5f, 0xa5b700ae7fdbc79a, 0x52db80573fede3cd,
              0xb301530233bd3853, 0xc3ec3aa8b595559c, 0x61f61d545acaaace,
              0x30fb0eaa2d655567, 0x8211147cbaf96306),
        SLICE(0x41088a3e5d7cb183, 0xbae8d63682f59174, 0x5d746b1b417ac8ba,
              0x2eba358da0bd645d, 0x8d3189ef7c157b9b, 0xdcf457de12417478,
              0x6e7a2bef0920ba3c, 0x373d15f784905d1e),
        SLICE(0x1b9e8afbc2482e8f, 0x97a3d6544d6fdef2, 0x4bd1eb2a26b7ef79,
              0xbf8466bcbf103e09, 0xc5aea077f3c3d6b1, 0xf8bbc31255aa22ed,
              0xe63172a0869ed8c3, 0xe9742a79ef04a5d4),
        SLICE(0x74ba153cf78252ea, 0x3a5d0a9e7bc12975, 0x8742166691ab5d0f,
              0xd9cd981ae49e6732, 0x6ce6cc0d724f3399, 0xac1ff52f156c5079,
              0xcc6369be26fde189, 0xfc5d27f6bf353971),
        SLICE(0xe44200d2f3d1550d, 0xe84d9340d5a36333, 0xee4a5a89c69a782c,
              0x77252d44e34d3c16, 0x3b9296a271a69e0b, 0x87a5d878949886b0,
              0x43d2ec3c4a4c4358, 0x21e9761e252621ac),
    }
};
