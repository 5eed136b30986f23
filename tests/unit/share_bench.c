/* SPDX-License-Identifier: Apache-2.0 */
#include "share_bench.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define NOBODY 65534

const char *share_folder_path(const struct share_folder *folder, const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	return path;
}

void share_folder_make(struct share_folder *folder)
{
	int fd;

	snprintf(folder->path, sizeof(folder->path), "/tmp/armlet-share-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder->path));
	ck_assert_int_eq(chmod(folder->path, 0777), 0);
	fd = open(share_folder_path(folder, "file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, SHARE_BENCH_TEXT, strlen(SHARE_BENCH_TEXT)),
			 strlen(SHARE_BENCH_TEXT));
	close(fd);
	ck_assert_int_eq(symlink("/etc", share_folder_path(folder, "out")), 0);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	return remove(path);
}

void share_folder_remove(struct share_folder *folder)
{
	nftw(folder->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void share_become_user(void)
{
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setresgid(NOBODY, NOBODY, NOBODY), 0);
	ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
	/* As it is for those who never were anybody else. */
	prctl(PR_SET_DUMPABLE, 1);
}
