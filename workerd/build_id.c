#include "workerd/build_id.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/crypt/digest.h"

typedef struct {
    reel_sha256_t *hash;
    reel_err_t     err;
} ids_t;


/* the program itself has no name here */
static bool
matters(const char *path)
{
    const char  *name = strrchr(path, '/');

    static const char *const prefixes[] = {
        "libav", "libsw", "libpostproc", "libx264", "libx265", "libSvtAv1",
        "libaom", "libvpx", "libdav1d", "libopus", "libzimg"
    };

    name = name != NULL ? name + 1 : path;

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }

    return path[0] == '\0';
}


/* REEL_NOTFOUND: the linker put none there */
static reel_err_t
add_notes(ids_t *ids, const uint8_t *p, size_t left)
{
    size_t       len;
    ElfW(Nhdr)   h;

    while (left >= sizeof(h)) {
        memcpy(&h, p, sizeof(h));
        len = sizeof(h) + ((h.n_namesz + 3u) & ~3u) + ((h.n_descsz + 3u) & ~3u);
        if (len > left) {
            break;
        }

        if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == 4
            && memcmp(p + sizeof(h), "GNU", 4) == 0)
        {
            return reel_sha256_update(ids->hash, p + sizeof(h) + 4,
                                      h.n_descsz);
        }

        p += len;
        left -= len;
    }

    return REEL_NOTFOUND;
}


static int
on_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    ids_t       *ids = arg;
    reel_err_t   err = REEL_NOTFOUND;
    const char  *name = info->dlpi_name;

    (void) size;

    if (!matters(name)) {
        return 0;
    }

    for (size_t i = 0; err == REEL_NOTFOUND && i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_NOTE) {
            err = add_notes(ids, (const uint8_t *) info->dlpi_addr
                                 + info->dlpi_phdr[i].p_vaddr,
                            info->dlpi_phdr[i].p_memsz);
        }
    }

    /* its file name has its version, more or less */
    if (err == REEL_NOTFOUND) {
        err = reel_sha256_update(ids->hash, name, strlen(name));
    }
    ids->err = ids->err != REEL_OK ? ids->err : err;

    return 0;
}


void
reel_build_id(char dst[REEL_BUILD_ID])
{
    uint8_t  sum[REEL_SHA256_LEN];
    ids_t    ids = { .hash = reel_sha256_new() };

    dst[0] = '\0';

    if (ids.hash == NULL) {
        return;
    }

    dl_iterate_phdr(on_object, &ids);

    if (ids.err != REEL_OK) {
        reel_sha256_free(ids.hash);
    } else if (reel_sha256_final(ids.hash, sum) == REEL_OK) {
        reel_hex(dst, sum, sizeof(sum));
    }
}
