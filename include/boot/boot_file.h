/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that the guest is started from - kernel, initrd, device tree - held
 * open, so that it can be loaded again at each reset.
 *
 * Threads: reading and checking any thread; open and close one.
 */
#ifndef ARMLET_BOOT_BOOT_FILE_H
#define ARMLET_BOOT_BOOT_FILE_H

#include <time.h>

#include "base/error.h"

#define BOOT_FILE_MAX (4 * GIB) /* of what comes through a pipe */

struct boot_file {
	const char *what; /* "kernel", "initrd" ...: how sentences begin; not owned */
	char *path;
	int fd;
	bool in_memory; /* fd is a memfd of our own */
	uint64_t size;
	struct timespec modified;
};

/* A boot_file that boot_file_close() takes. */
#define BOOT_FILE_INIT       \
	{                    \
		.fd = -EBADF \
	}

/*
 * Open @path. What cannot be read twice (a pipe, as in `-k <(make-kernel)`) is
 * copied into memory first. Refused with a sentence: what cannot be opened, a
 * directory, a device, an empty file, more than BOOT_FILE_MAX from a pipe.
 */
int boot_file_open(const char *what, const char *path, struct boot_file *ret, struct error *err);

/* Only open(2) for it, with the sentence. */
int boot_file_open_fd(const char *what, const char *path, int *ret, struct error *err);

/* boot_file_open() for @fd, which is taken over, also on failure; @path is for sentences only. */
int boot_file_adopt(const char *what, const char *path, int fd, struct boot_file *ret,
		    struct error *err);

/* An empty file of @from's name in memory, to be filled by boot_file_append(). */
int boot_file_create(const struct boot_file *from, struct boot_file *ret, struct error *err);
int boot_file_append(struct boot_file *file, const void *data, size_t size, struct error *err);

/* Takes a closed one too. */
void boot_file_close(struct boot_file *file);

/* Read exactly @size bytes at @offset; -EIO if the file has become shorter. */
int boot_file_read(const struct boot_file *file, uint64_t offset, void *data, uint64_t size,
		   struct error *err);

/* Before a second load: -ESTALE if the file was written to since it was opened. */
int boot_file_check(const struct boot_file *file, struct error *err);

#endif
