/* Reading of open files. */

#ifndef REEL_STORE_PREAD_H
#define REEL_STORE_PREAD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * pread(2) that goes on after signals and short reads: how many of len bytes
 * from off, less only at the file's end; -1: errno says why.  len must fit
 * ssize_t.
 */
ssize_t reel_pread(int fd, void *dst, size_t len, uint64_t off);

#endif
