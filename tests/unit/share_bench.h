/* SPDX-License-Identifier: Apache-2.0 */
/* A folder with files in it, for tests that share one. */
#ifndef ARMLET_TESTS_SHARE_BENCH_H
#define ARMLET_TESTS_SHARE_BENCH_H

#include "backend/share.h"

#define SHARE_BENCH_TEXT "a file of the host's\n"

struct share_folder {
	char path[64];
};

/* Holds "file" with SHARE_BENCH_TEXT, and "out", a link to /etc; everybody may write to it. */
void share_folder_make(struct share_folder *folder);
void share_folder_remove(struct share_folder *folder);

/* The path of @name in it, until the next call. */
const char *share_folder_path(const struct share_folder *folder, const char *name);

/* From here on, this process (which is root) is a user like any other. */
void share_become_user(void);

#endif
