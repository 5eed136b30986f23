/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/cpio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HEADER_SIZE 110 /* "070701" and 13 numbers of eight digits */
#define ALIGNMENT   4
#define BLOCK       512
#define TRAILER     "TRAILER!!!"

struct cpio {
	char *bytes;
	size_t size;
	size_t room;
	uint32_t inode;
	char **folders; /* that are there */
	size_t folder_count;
};

struct entry {
	const char *path;
	mode_t mode; /* with its kind */
	unsigned major;
	unsigned minor;
	const void *data;
	size_t size;
};

int cpio_create(struct cpio **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void cpio_destroy(struct cpio *cpio)
{
	if (!cpio)
		return;
	for (size_t i = 0; i < cpio->folder_count; i++)
		free(cpio->folders[i]);
	free(cpio->folders);
	free(cpio->bytes);
	free(cpio);
}

static int reserve(struct cpio *cpio, size_t more)
{
	size_t room = cpio->room ? cpio->room : 4096;
	char *bytes;

	while (room < cpio->size + more)
		room *= 2;
	if (room == cpio->room)
		return 0;
	bytes = realloc(cpio->bytes, room);
	if (!bytes)
		return -ENOMEM;
	cpio->bytes = bytes;
	cpio->room = room;
	return 0;
}

/* There is room; @alignment zeroes at most behind it. */
static void append(struct cpio *cpio, const void *data, size_t size, size_t alignment)
{
	if (size)
		memcpy(cpio->bytes + cpio->size, data, size);
	cpio->size += size;
	while (cpio->size % alignment)
		cpio->bytes[cpio->size++] = 0;
}

static int add(struct cpio *cpio, const struct entry *entry)
{
	size_t name_size = strlen(entry->path) + 1;
	char header[HEADER_SIZE + 1];
	int r;

	if (entry->size > UINT32_MAX)
		return -EFBIG;
	r = reserve(cpio, HEADER_SIZE + name_size + entry->size + 2 * ALIGNMENT);
	if (r < 0)
		return r;
	/* ino, mode, uid, gid, nlink, mtime, filesize, dev, rdev, namesize, check. */
	snprintf(header, sizeof(header),
		 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", ++cpio->inode,
		 (unsigned)entry->mode, 0, 0, S_ISDIR(entry->mode) ? 2 : 1, 0,
		 (unsigned)entry->size, 0, 0, entry->major, entry->minor, (unsigned)name_size, 0);
	append(cpio, header, HEADER_SIZE, 1);
	append(cpio, entry->path, name_size, ALIGNMENT);
	append(cpio, entry->data, entry->size, ALIGNMENT);
	return 0;
}

/* A name, slash by slash, none of which leads elsewhere. */
static bool is_path(const char *path)
{
	for (;;) {
		size_t length = strcspn(path, "/");

		if (!length || (length == 1 && path[0] == '.') ||
		    (length == 2 && !strncmp(path, "..", 2)))
			return false;
		if (!path[length])
			return true;
		path += length + 1;
	}
}

static bool has_folder(const struct cpio *cpio, const char *path)
{
	/* From the last: what is added is mostly near what was. */
	for (size_t i = cpio->folder_count; i > 0; i--) {
		if (!strcmp(cpio->folders[i - 1], path))
			return true;
	}
	return false;
}

static int add_folder(struct cpio *cpio, const char *path, mode_t mode)
{
	const struct entry entry = {.path = path, .mode = S_IFDIR | mode};
	char **folders;
	int r;

	if (has_folder(cpio, path))
		return 0;
	folders = reallocarray(cpio->folders, cpio->folder_count + 1, sizeof(*folders));
	if (!folders)
		return -ENOMEM;
	cpio->folders = folders;
	folders[cpio->folder_count] = strdup(path);
	if (!folders[cpio->folder_count])
		return -ENOMEM;
	cpio->folder_count++;
	r = add(cpio, &entry);
	if (r < 0)
		free(folders[--cpio->folder_count]);
	return r;
}

/* The folders that @path is in. */
static int add_parents(struct cpio *cpio, const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	char *last = copy ? strrchr(copy, '/') : NULL;
	int r = copy ? 0 : -ENOMEM;

	if (!last)
		return r;
	*last = '\0';
	if (has_folder(cpio, copy))
		return 0;
	*last = '/';
	for (char *slash = copy; r == 0 && (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		r = add_folder(cpio, copy, 0755);
		*slash = '/';
	}
	return r;
}

static int add_checked(struct cpio *cpio, const struct entry *entry)
{
	int r;

	if (!is_path(entry->path))
		return -EINVAL;
	if (entry->size > UINT32_MAX)
		return -EFBIG;
	r = add_parents(cpio, entry->path);
	return r < 0 ? r : add(cpio, entry);
}

int cpio_add_file(struct cpio *cpio, const char *path, mode_t mode, const void *data, size_t size)
{
	const struct entry entry = {
		.path = path, .mode = S_IFREG | mode, .data = data, .size = size};

	return add_checked(cpio, &entry);
}

int cpio_add_folder(struct cpio *cpio, const char *path, mode_t mode)
{
	int r = is_path(path) ? add_parents(cpio, path) : -EINVAL;

	return r < 0 ? r : add_folder(cpio, path, mode);
}

int cpio_add_link(struct cpio *cpio, const char *path, const char *target)
{
	const struct entry entry = {
		.path = path, .mode = S_IFLNK | 0777, .data = target, .size = strlen(target)};

	return add_checked(cpio, &entry);
}

int cpio_add_device(struct cpio *cpio, const char *path, mode_t mode, unsigned major,
		    unsigned minor)
{
	const struct entry entry = {
		.path = path, .mode = S_IFCHR | mode, .major = major, .minor = minor};

	return add_checked(cpio, &entry);
}

int cpio_finish(struct cpio *cpio, const void **ret, size_t *ret_size)
{
	const struct entry trailer = {.path = TRAILER};
	int r = add(cpio, &trailer);

	if (r == 0)
		r = reserve(cpio, BLOCK);
	if (r < 0)
		return r;
	append(cpio, NULL, 0, BLOCK);
	*ret = cpio->bytes;
	*ret_size = cpio->size;
	return 0;
}
