/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Helper programs
 *
 * A program that does a part of our work, as qemu-nbd does for images. It gets
 * the descriptors that it is given as 3, 4, ... and no others of ours, nothing
 * to read, and a bounded file in memory for what it says. It is in a session of
 * its own, so that an interrupt from the terminal reaches us alone, and it is
 * told to end when the thread that started it does.
 */
#ifndef ARMLET_BACKEND_HELPER_PROCESS_H
#define ARMLET_BACKEND_HELPER_PROCESS_H

#include "base/util.h"

#define HELPER_FDS_MAX 8

struct helper_process;

struct helper_options {
	const char *const *argv; /* ends with NULL; the program is looked for in $PATH */
	const int *fds;
	unsigned fd_count;
	bool activation; /* tell of the descriptors as systemd's socket activation does */
	bool output;     /* the first is its standard output as well */

	/* Optional: the last thing before exec, where nothing may be allocated. 0 or -errno. */
	int (*prepare)(const void *data);
	const void *data;
};

/*
 * A file in memory of zeros, which takes so much and no more: who says too much is not made to
 * wait. -errno.
 */
int helper_process_file(size_t size);

/* -ENOENT: there is no such program. */
int helper_process_start(const struct helper_options *options, struct helper_process **ret);

/* A descriptor that can be read when it has ended. */
int helper_process_fd(const struct helper_process *helper);

/* True if it has ended, or does so in this time. */
bool helper_process_wait(const struct helper_process *helper, int timeout_ms);

/*
 * The last line that it has said with its name in front, which is left out, else
 * the last line; "" if it has said nothing.
 */
const char *helper_process_last_words(struct helper_process *helper);

/* Takes NULL. Wait so long for it to end by itself, then end it. */
void helper_process_end(struct helper_process *helper, int grace_ms);

#endif
