#include "workerd/av_io.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/error.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/mem.h>

#include "lib/base/str.h"
#include "lib/store/pread.h"


#define IO_BUFFER     (256 * 1024)
#define SNIFF_BYTES   4096
#define TOP_BOXES_MAX 4096
#define TS_SYNC       0x47


static int
io_read(void *opaque, uint8_t *p, int len)
{
    ssize_t        n;
    reel_av_io_t  *io = opaque;

    if (io->movie != NULL) {
        n = reel_av_webp_movie_read(io->movie, p, len, io->pos);
    } else {
        n = reel_pread(io->fd, p, (size_t) len, (uint64_t) io->pos);
    }

    if (n == AVERROR(ENOMEM)) {
        return AVERROR(ENOMEM);
    }

    if (n < 0) {
        io->failed = true;
        return AVERROR(EIO);
    }

    if (n == 0) {
        return AVERROR_EOF;
    }

    io->pos += n;
    return (int) n;
}


static int64_t
io_seek(void *opaque, int64_t offset, int whence)
{
    reel_av_io_t  *io = opaque;

    switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
        return io->size;
    case SEEK_SET:
        break;
    case SEEK_CUR:
        if (offset > INT64_MAX - io->pos) {
            return AVERROR(EINVAL);
        }
        offset += io->pos;
        break;
    case SEEK_END:
        if (offset > INT64_MAX - io->size) {
            return AVERROR(EINVAL);
        }
        offset += io->size;
        break;
    default:
        return AVERROR(EINVAL);
    }

    if (offset < 0) {
        return AVERROR(EINVAL);
    }

    io->pos = offset;
    return offset;
}


int
reel_av_io_open(reel_av_io_t *io, int fd)
{
    uint8_t      *buffer;
    struct stat   st;

    *io = (reel_av_io_t) { .fd = fd };

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return AVERROR(EIO);
    }

    io->bytes = st.st_size;
    io->size = st.st_size;

    buffer = av_malloc(IO_BUFFER);
    if (buffer == NULL) {
        return AVERROR(ENOMEM);
    }

    io->pb = avio_alloc_context(buffer, IO_BUFFER, 0, io, io_read, NULL,
                                io_seek);
    if (io->pb == NULL) {
        av_free(buffer);
        return AVERROR(ENOMEM);
    }

    io->pb->seekable = AVIO_SEEKABLE_NORMAL;
    return 0;
}


void
reel_av_io_close(reel_av_io_t *io)
{
    if (io->pb != NULL) {
        /* libav may have replaced the buffer by another */
        av_freep(&io->pb->buffer);
        avio_context_free(&io->pb);
    }

    if (io->movie != NULL) {
        reel_av_webp_movie_close(io->movie);
        av_freep(&io->movie);
    }
}


int
reel_av_io_present(reel_av_io_t *io, reel_av_fault_t *f)
{
    ssize_t  n;
    uint8_t  head[REEL_AV_WEBP_HEAD];

    n = reel_pread(io->fd, head, sizeof(head), 0);

    if (n < 0 || !reel_av_webp_is_animated(head, (size_t) n)) {
        return 0;
    }

    io->movie = av_mallocz(sizeof(*io->movie));
    if (io->movie == NULL) {
        return reel_av_fault_lib(f, AVERROR(ENOMEM), "demux", "source");
    }

    if (reel_av_webp_movie_open(io->movie, io->fd, (uint64_t) io->bytes, f)
        != 0)
    {
        return -1;
    }

    io->size = io->movie->size;
    return 0;
}


void
reel_av_io_times_only(reel_av_io_t *io)
{
    if (io->movie != NULL) {
        io->movie->blank = true;
    }
}


static reel_str_t
skip_blank(reel_str_t s)
{
    if (reel_str_prefix(s, "\xef\xbb\xbf")) {
        s.p += 3;
        s.len -= 3;
    }

    while (s.len > 0 && memchr(" \t\r\n", s.p[0], 4) != NULL) {
        s.p++;
        s.len--;
    }

    return s;
}


const char *
reel_av_io_sniff_reference(const reel_av_io_t *io)
{
    char        data[SNIFF_BYTES];
    ssize_t     n;
    unsigned    i;
    reel_str_t  s;

    static const struct {
        const char  *prefix;
        const char  *inside;    /* must follow somewhere; NULL = no matter */
        const char  *name;
    } rows[] = {
        { "#EXTM3U",        NULL,       "an HLS playlist" },
        { "ffconcat",       NULL,       "a concat script" },
        { "file ",          NULL,       "a concat script" },
        { "<?xml",          "<MPD",     "a DASH manifest" },
        { "<MPD",           NULL,       "a DASH manifest" },
        { "<?xml",          "<playlist", "a playlist" },
        { "<?xml",          "<SmoothStreamingMedia", "a manifest" },
        { "<SmoothStreamingMedia", NULL, "a manifest" },
        { "<smil",          NULL,       "a playlist" },
        { "<asx",           NULL,       "a playlist" },
        { "v=0",            "o=",       "a session description" },
        { "[playlist]",     NULL,       "a playlist" },
        { "[Reference]",    NULL,       "a playlist" },
        { "RTSPtext",       NULL,       "a redirection" },
        { "rtsp://",        NULL,       "a playlist" },
        { "http://",        NULL,       "a playlist" },
        { "https://",       NULL,       "a playlist" },
    };

    n = reel_pread(io->fd, data, sizeof(data), 0);
    if (n <= 0) {
        return NULL;
    }

    s = skip_blank((reel_str_t) { data, (size_t) n });

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (reel_str_prefix(s, rows[i].prefix)
            && (rows[i].inside == NULL
                || memmem(s.p, s.len, rows[i].inside,
                          strlen(rows[i].inside)) != NULL))
        {
            return rows[i].name;
        }
    }

    return NULL;
}


bool
reel_av_io_lacks_moov(const reel_av_io_t *io)
{
    int64_t   pos;
    uint8_t   h[16];
    ssize_t   n;
    unsigned  i, k;
    uint64_t  size;

    pos = 0;

    for (i = 0; i < TOP_BOXES_MAX; i++) {
        n = reel_pread(io->fd, h, sizeof(h), (uint64_t) pos);
        if (n < 8) {
            return i > 0;
        }

        if (i == 0 && memcmp(h + 4, "ftyp", 4) != 0
            && memcmp(h + 4, "mdat", 4) != 0 && memcmp(h + 4, "wide", 4) != 0)
        {
            return false;
        }

        for (k = 0, size = 0; k < 4; k++) {
            size = size << 8 | h[k];
        }

        if (size == 1 && n == 16) {
            for (k = 8, size = 0; k < 16; k++) {
                size = size << 8 | h[k];
            }
        }

        if (size > (uint64_t) (io->size - pos)) {
            return true;
        }

        if (size < 8 || memcmp(h + 4, "moov", 4) == 0
            || memcmp(h + 4, "moof", 4) == 0)
        {
            return size == 0 && memcmp(h + 4, "mdat", 4) == 0;
        }

        pos += (int64_t) size;
    }

    return false;
}


/* ~0: who wrote it could not go back; the last pad byte may be missing */
static bool
riff_is_cut(const reel_av_io_t *io, const uint8_t *head)
{
    uint32_t  size = AV_RL32(head + 4);

    return size != UINT32_MAX && (int64_t) size + 8 > io->bytes + 1;
}


bool
reel_av_io_ends_within(const reel_av_io_t *io)
{
    uint8_t  head[8];

    if (io->movie != NULL) {
        return io->movie->film.cut;
    }

    if (reel_pread(io->fd, head, sizeof(head), 0) != (ssize_t) sizeof(head)) {
        return false;
    }

    if (memcmp(head, "RIFF", 4) == 0) {
        return riff_is_cut(io, head);
    }

    if (head[0] == TS_SYNC) {
        return io->size % 188 != 0 && io->size % 204 != 0;
    }

    /* blu-ray's, with a time in front */
    return head[4] == TS_SYNC && io->size % 192 != 0;
}
