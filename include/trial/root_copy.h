/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: A root in the guest's memory
 *
 * For a kernel that can mount no folder of the host's: of the root, an archive gets what a
 * command needs, as far as that can be seen from outside.
 *
 *	the command	its file, and each of its words that names a file or program
 *	a script	what runs it, and what its text names that way
 *	ELF		its interpreter and libraries, and theirs
 *	a folder	that the command begins in, the nearest files first, up to a bound
 *
 * No path leads out of the root: links are followed as they would be if it were /. What the
 * files hold is not trusted.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_TRIAL_ROOT_COPY_H
#define ARMLET_TRIAL_ROOT_COPY_H

#include "base/error.h"
#include "boot/cpio.h"

#define ROOT_COPY_FILES 10000 /* of programs; and again of the folder */

struct root_copy_request {
	const char *root;  /* a folder */
	const char *begin; /* where the command begins, as in the root; NULL: in / */
	const char *path;  /* where programs are, as of PATH */
	const char *const *words;
	size_t word_count;
	uint64_t most; /* bytes; half of them of the folder's */
};

/* What became of it. */
struct root_copy_report {
	size_t files;
	uint64_t bytes;
	size_t left_out;              /* files that cannot be read, or are too many or too large */
	char missing[ERROR_TEXT_MAX]; /* a sentence of the first library that is not there, or "" */
};

/* Fails, with a sentence, if @root cannot be opened, or there is no memory. */
int root_copy(const struct root_copy_request *request, struct cpio *cpio,
	      struct root_copy_report *ret, struct error *err);

#endif
