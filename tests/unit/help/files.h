/* whole files and folders; a test fails when one cannot be had */

#ifndef REEL_TESTS_HELP_FILES_H
#define REEL_TESTS_HELP_FILES_H

#include <stddef.h>

/* the file's bytes, and one of zero; to be freed.  len may be NULL */
void *file_read(const char *path, size_t *len);

void file_write(const char *path, const void *data, size_t len);
void file_write_text(const char *path, const char *text);

/* with all that is in it; -1: errno */
int folder_remove(const char *path);

#endif
