/* SPDX-License-Identifier: Apache-2.0 */
/* The folder that a command begins in: its own files, then those of the folders in it, and so on.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "root_copy_private.h"

#define FOLDERS_MAX 4096

/* Those that are still to be looked into, in order. */
struct folders {
	char *paths[FOLDERS_MAX];
	size_t count;
};

static int copy_link(struct root_copy *copy, int folder, const char *name, const char *path)
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(folder, name, target, sizeof(target) - 1);

	if (size < 0)
		return 0;
	target[size] = '\0';
	return cpio_add_link(copy->cpio, path, target);
}

static int copy_regular(struct root_copy *copy, int folder, const char *name, const char *path)
{
	_cleanup_close_ int fd =
		openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_free_ char *bytes = NULL;
	struct stat st;
	size_t size;
	int r = fd < 0 || fstat(fd, &st) < 0 ? -EIO : root_read(copy, fd, &bytes, &size);

	if (r == -EIO || r == -EFBIG) {
		copy->report->left_out++;
		return 0;
	}
	return r < 0 ? r : cpio_add_file(copy->cpio, path, st.st_mode & 07777, bytes, size);
}

/* What is called @name in @folder, of the file system @device; @path is that in the root. */
static int copy_entry(struct root_copy *copy, struct folders *folders, int folder, const char *path,
		      dev_t device)
{
	const char *name = strrchr(path, '/') + 1;
	struct stat st;

	if (root_knows(copy, path) || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISREG(st.st_mode))
		return copy_regular(copy, folder, name, path);
	if (S_ISLNK(st.st_mode))
		return copy_link(copy, folder, name, path);
	/* The history of a tree is much, and nothing that runs needs it. */
	if (!S_ISDIR(st.st_mode) || st.st_dev != device || !strcmp(name, ".git"))
		return 0;
	if (folders->count == FOLDERS_MAX) {
		copy->report->left_out++;
		return 0;
	}
	folders->paths[folders->count] = strdup(path);
	if (!folders->paths[folders->count])
		return -ENOMEM;
	folders->count++;
	return cpio_add_folder(copy->cpio, path, st.st_mode & 07777);
}

static int copy_one(struct root_copy *copy, struct folders *folders, const char *path)
{
	int fd = root_open(copy, path, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char inside[PATH_MAX];
	struct dirent *entry;
	struct stat st;
	int r = 0;

	if (!dir || fstat(fd, &st) < 0) {
		copy->report->left_out++;
		dir ? closedir(dir) : close_fd(fd);
		return 0;
	}
	while (r == 0 && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name) < PATH_MAX)
			r = copy_entry(copy, folders, fd, inside, st.st_dev);
	}
	closedir(dir);
	return r;
}

int root_copy_folder(struct root_copy *copy, const char *path)
{
	_cleanup_close_ int fd = root_open(copy, path, O_PATH | O_DIRECTORY);
	_cleanup_free_ struct folders *folders = calloc(1, sizeof(*folders));
	int r;

	if (!folders)
		return -ENOMEM;
	/* The guest's init tells of one that is not there. */
	if (fd < 0)
		return 0;
	r = cpio_add_folder(copy->cpio, path, 0755);
	if (r == 0)
		r = copy_one(copy, folders, path);
	for (size_t i = 0; i < folders->count; i++) {
		if (r == 0)
			r = copy_one(copy, folders, folders->paths[i]);
		free(folders->paths[i]);
	}
	return r;
}
