/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/boot_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define COPY_BUFFER (64 * KIB)

static int open_failed(const struct boot_file *file, int code, struct error *err)
{
	return error_set_errno(err, code, "%s '%s' cannot be opened", file->what, file->path);
}

static int read_failed(const struct boot_file *file, int code, struct error *err)
{
	return error_set_errno(err, code, "%s '%s' cannot be read", file->what, file->path);
}

static int keep_failed(const struct boot_file *file, int code, struct error *err)
{
	return error_set_errno(err, code, "%s '%s' cannot be kept in memory", file->what,
			       file->path);
}

/* Make @file an empty one in memory. */
static int move_to_memory(struct boot_file *file, struct error *err)
{
	file->fd = memfd_create("armlet-boot", MFD_CLOEXEC);
	if (file->fd < 0)
		return keep_failed(file, errno, err);
	file->in_memory = true;
	file->size = 0;
	return 0;
}

int boot_file_append(struct boot_file *file, const void *data, size_t size, struct error *err)
{
	const uint8_t *from = data;

	while (size) {
		ssize_t done = pwrite(file->fd, from, size, (off_t)file->size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return keep_failed(file, errno, err);
		from += done;
		size -= (size_t)done;
		file->size += (uint64_t)done;
	}
	return 0;
}

/* Put everything that file->fd still gives into memory, and read it there from now on. */
static int spool(struct boot_file *file, struct error *err)
{
	_cleanup_free_ uint8_t *buffer = malloc(COPY_BUFFER);
	_cleanup_close_ int source = file->fd;
	int r;

	file->fd = -EBADF;
	if (!buffer)
		return open_failed(file, ENOMEM, err);
	r = move_to_memory(file, err);
	if (r < 0)
		return r;
	for (;;) {
		ssize_t got = read(source, buffer, COPY_BUFFER);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return read_failed(file, errno, err);
		if (got == 0)
			return 0;
		if (file->size + (uint64_t)got > BOOT_FILE_MAX)
			return error_set(err, EFBIG,
					 "%s '%s' gives more than 4 GiB through a pipe; "
					 "name a regular file instead",
					 file->what, file->path);
		r = boot_file_append(file, buffer, (size_t)got, err);
		if (r < 0)
			return r;
	}
}

/* Look at what file->fd is, and make it something that can be read at any place, twice. */
static int prepare(struct boot_file *file, struct error *err)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return open_failed(file, errno, err);
	if (S_ISDIR(st.st_mode))
		return error_set(err, EISDIR, "%s '%s' is a directory; name a file in it",
				 file->what, file->path);
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode))
		return error_set(err, EINVAL, "%s '%s' is a device; name a regular file or a pipe",
				 file->what, file->path);
	file->size = (uint64_t)st.st_size;
	file->modified = st.st_mtim;
	/* A regular file of no size may be one of /proc or /sys. */
	if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		int r = spool(file, err);

		if (r < 0)
			return r;
	}
	if (file->size == 0)
		return error_set(err, ENODATA, "%s '%s' is empty; make or download it again",
				 file->what, file->path);
	return 0;
}

int boot_file_adopt(const char *what, const char *path, int fd, struct boot_file *ret,
		    struct error *err)
{
	_cleanup_(boot_file_close) struct boot_file file = {.what = what, .fd = fd};
	int r;

	file.path = strdup(path);
	if (!file.path)
		return error_set_errno(err, ENOMEM, "%s '%s' cannot be opened", what, path);
	r = prepare(&file, err);
	if (r < 0)
		return r;
	*ret = file;
	file = (struct boot_file)BOOT_FILE_INIT;
	return 0;
}

int boot_file_open_fd(const char *what, const char *path, int *ret, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return error_set_errno(err, errno, "%s '%s' cannot be opened", what, path);
	*ret = fd;
	return 0;
}

int boot_file_open(const char *what, const char *path, struct boot_file *ret, struct error *err)
{
	int fd = -EBADF;
	int r = boot_file_open_fd(what, path, &fd, err);

	return r < 0 ? r : boot_file_adopt(what, path, fd, ret, err);
}

int boot_file_create(const struct boot_file *from, struct boot_file *ret, struct error *err)
{
	_cleanup_(boot_file_close) struct boot_file file = {.what = from->what, .fd = -EBADF};
	int r;

	file.path = strdup(from->path);
	if (!file.path)
		return open_failed(from, ENOMEM, err);
	r = move_to_memory(&file, err);
	if (r < 0)
		return r;
	*ret = file;
	file = (struct boot_file)BOOT_FILE_INIT;
	return 0;
}

void boot_file_close(struct boot_file *file)
{
	free(steal_ptr(&file->path));
	file->fd = close_fd(file->fd);
}

int boot_file_read(const struct boot_file *file, uint64_t offset, void *data, uint64_t size,
		   struct error *err)
{
	uint8_t *to = data;

	while (size) {
		ssize_t done = pread(file->fd, to, size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return read_failed(file, errno, err);
		if (done == 0)
			return error_set(err, EIO, "%s '%s' ends early; was it cut while in use?",
					 file->what, file->path);
		to += done;
		offset += (uint64_t)done;
		size -= (uint64_t)done;
	}
	return 0;
}

int boot_file_check(const struct boot_file *file, struct error *err)
{
	struct stat st;

	if (file->in_memory)
		return 0;
	if (fstat(file->fd, &st) < 0)
		return read_failed(file, errno, err);
	if ((uint64_t)st.st_size == file->size && st.st_mtim.tv_sec == file->modified.tv_sec &&
	    st.st_mtim.tv_nsec == file->modified.tv_nsec)
		return 0;
	return error_set(
		err, ESTALE,
		"%s '%s' was changed while the machine ran; start the machine anew to use it",
		file->what, file->path);
}
