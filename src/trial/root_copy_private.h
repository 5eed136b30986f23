/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that copy a root share; see trial/root_copy.h. */
#ifndef ARMLET_TRIAL_ROOT_COPY_PRIVATE_H
#define ARMLET_TRIAL_ROOT_COPY_PRIVATE_H

#include <fcntl.h>

#include "trial/root_copy.h"

/* A path of the root's that is taken care of: "usr/bin/dash". */
struct root_name {
	char *path;
	unsigned depth; /* how many texts it was found through; 0: the command names or needs it */
	bool is_link;   /* to another one */
};

struct root_copy {
	const struct root_copy_request *request;
	struct root_copy_report *report;
	struct cpio *cpio;
	int root;
	char *real; /* its own path, without a slash at the end */
	struct root_name *names;
	size_t count;
	size_t room;   /* of names */
	uint64_t left; /* bytes that may still be added */
	size_t files_left;
	size_t words_left;
};

/* openat2(2) of @path as if the root were /. -1: there is none. */
int root_open(const struct root_copy *copy, const char *path, int flags);

/* All of the regular file @fd, a zero behind it. -EFBIG, -EIO: it is left out; -ENOMEM. */
int root_read(struct root_copy *copy, int fd, char **ret, size_t *ret_size);

/* Whether @path is one of names. */
bool root_knows(const struct root_copy *copy, const char *path);

/* The folder that the command begins in; @path is without a slash in front. */
int root_copy_folder(struct root_copy *copy, const char *path);

#endif
