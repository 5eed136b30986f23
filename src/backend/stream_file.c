/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output into a file, which is never in the way of the guest: what cannot be
 * written is dropped, and counted.
 *
 * With a bound, the file is renamed before it would grow beyond: PATH to PATH.1,
 * that to PATH.2, and so on; the oldest is lost. A write goes into one file,
 * unless it is larger than any may be.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "core/iov.h"
#include "stream_private.h"

#define PIECES_MAX 64
#define WRITE_MAX  (256 * KIB) /* at once: a disk may be slow, and others wait */

struct file {
	struct stream stream;
	char *path;
	int fd;
	uint64_t size;
	uint64_t max_size; /* 0: none */
	unsigned keep;
	bool failing; /* and it was told */
};

static struct file *to_file(struct stream *stream)
{
	return container_of(stream, struct file, stream);
}

static int open_path(const char *path)
{
	/* Without waiting: a FIFO would. */
	int fd =
		open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

/* PATH.@from becomes PATH.@to; 0 is PATH itself. */
static int shift(const struct file *file, unsigned from, unsigned to)
{
	size_t room = strlen(file->path) + 16;
	_cleanup_free_ char *old = malloc(room);
	_cleanup_free_ char *new = malloc(room);

	if (!old || !new)
		return -ENOMEM;
	snprintf(old, room, from ? "%s.%u" : "%s", file->path, from);
	snprintf(new, room, "%s.%u", file->path, to);
	return rename(old, new) < 0 && errno != ENOENT ? -errno : 0;
}

static int rotate(struct file *file)
{
	int r = 0;
	int fd;

	if (!file->keep) {
		if (ftruncate(file->fd, 0) < 0)
			return -errno;
		file->size = 0;
		return 0;
	}
	for (unsigned i = file->keep; i > 0 && r == 0; i--)
		r = shift(file, i - 1, i);
	fd = r == 0 ? open_path(file->path) : r;
	if (fd < 0)
		return fd;
	close_fd(file->fd);
	file->fd = fd;
	file->size = 0;
	return 0;
}

static ssize_t drop(struct file *file, size_t size, int code)
{
	if (!file->failing)
		log_warning("output to %s cannot be written: %s; it is dropped until it can",
			    file->path, strerror(code));
	file->failing = true;
	file->stream.lost += size;
	return (ssize_t)size;
}

/* At most what may be written at once; the rest comes with the next call. */
static ssize_t file_write(struct stream *stream, const struct iovec *iov, size_t count)
{
	struct file *file = to_file(stream);
	struct iovec pieces[PIECES_MAX];
	uint64_t size;
	ssize_t n;
	int r = 0;

	count = min_u64(count, PIECES_MAX);
	size = min_u64(iov_size(iov, count), WRITE_MAX);
	if (!size)
		return 0;
	if (file->max_size && file->size && file->size + size > file->max_size)
		r = rotate(file);
	if (r < 0)
		return drop(file, size, -r);
	if (file->max_size)
		size = min_u64(size, file->max_size);
	r = iov_slice(iov, count, 0, size, pieces, PIECES_MAX);
	do {
		n = writev(file->fd, pieces, r);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return drop(file, size, errno);
	file->failing = false;
	file->size += (uint64_t)n;
	return n;
}

static ssize_t file_read(struct stream *stream, const struct iovec *iov, size_t count)
{
	(void)stream;
	(void)iov;
	(void)count;
	return -EAGAIN;
}

static void file_destroy(struct stream *stream)
{
	struct file *file = to_file(stream);

	if (stream->lost)
		log_warning("%" PRIu64 " bytes of output to %s were not written", stream->lost,
			    file->path);
	close_fd(file->fd);
	free(file->path);
	free(file);
}

static const struct stream_ops file_ops = {
	.read = file_read,
	.write = file_write,
	.destroy = file_destroy,
};

static int open_file(struct file *file, struct error *err)
{
	struct stat st;

	file->fd = open_path(file->path);
	if (file->fd < 0)
		return error_set_errno(err, -file->fd, "file:%s cannot be opened for writing",
				       file->path);
	if (fstat(file->fd, &st) < 0)
		return error_set_errno(err, errno, "file:%s", file->path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL,
				 "file:%s is no regular file; for a socket give unix:PATH",
				 file->path);
	file->size = (uint64_t)st.st_size;
	return 0;
}

int stream_open_file(const char *path, uint64_t max_size, unsigned keep, struct stream **ret,
		     struct error *err)
{
	struct file *file = calloc(1, sizeof(*file));
	int r;

	if (!file)
		return error_set_errno(err, ENOMEM, "file:%s", path);
	file->stream.ops = &file_ops;
	file->stream.open = true;
	file->stream.peers = 1;
	file->fd = -EBADF;
	file->max_size = max_size;
	file->keep = keep;
	file->path = strdup(path);
	file->stream.where = file->path;
	r = file->path ? open_file(file, err) : error_set_errno(err, ENOMEM, "file:%s", path);
	if (r < 0) {
		file_destroy(&file->stream);
		return r;
	}
	*ret = &file->stream;
	return 0;
}
