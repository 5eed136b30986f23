/* SPDX-License-Identifier: Apache-2.0 */
#include "disk_overlay.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/log.h"

#define CLUSTER   (64 * KIB)
#define WORD_BITS 64

struct disk_overlay {
	int base_fd;
	int fd;
	uint64_t size;
	uint64_t present[]; /* a bit for each cluster */
};

/* A file without a name in @directory, for file systems that know no O_TMPFILE, too. */
static int unnamed_file(const char *directory)
{
	char name[PATH_MAX];
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return -errno;
	if ((size_t)snprintf(name, sizeof(name), "%s/armlet-XXXXXX", directory) >= sizeof(name))
		return -ENAMETOOLONG;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(name);
	return fd;
}

int disk_overlay_file(const char *path, struct error *err)
{
	const char *directory = getenv("TMPDIR");
	int fd;

	if (!directory || !*directory)
		directory = "/var/tmp";
	fd = unnamed_file(directory);
	if (fd < 0)
		return error_set(err, -fd,
				 "--disk %s: no file can be made in '%s' for what is written: %s; "
				 "name another directory by TMPDIR",
				 path, directory, strerror(-fd));
	return fd;
}

int disk_overlay_clone(const char *path, int fd)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];
	int clone, r;

	if (!slash)
		snprintf(directory, sizeof(directory), ".");
	else if (slash == path)
		snprintf(directory, sizeof(directory), "/");
	else if ((size_t)snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path),
				  path) >= sizeof(directory))
		return -ENAMETOOLONG;
	clone = unnamed_file(directory);
	if (clone < 0)
		return clone;
	if (ioctl(clone, FICLONE, fd) < 0) {
		r = -errno;
		close_fd(clone);
		return r;
	}
	return clone;
}

int disk_overlay_create(int base_fd, int fd, uint64_t size, struct disk_overlay **ret)
{
	uint64_t clusters = (size + CLUSTER - 1) / CLUSTER;
	uint64_t words = (clusters + WORD_BITS - 1) / WORD_BITS;
	struct disk_overlay *overlay = calloc(1, sizeof(*overlay) + words * sizeof(uint64_t));
	int r = 0;

	if (!overlay) {
		close_fd(base_fd);
		close_fd(fd);
		return -ENOMEM;
	}
	overlay->base_fd = base_fd;
	overlay->fd = fd;
	overlay->size = size;
	if (ftruncate(fd, (off_t)size) < 0) {
		r = -errno;
		disk_overlay_destroy(overlay);
		return r;
	}
	*ret = overlay;
	return 0;
}

void disk_overlay_destroy(struct disk_overlay *overlay)
{
	if (!overlay)
		return;
	close_fd(overlay->base_fd);
	close_fd(overlay->fd);
	free(overlay);
}

static bool is_present(const struct disk_overlay *overlay, uint64_t cluster)
{
	return overlay->present[cluster / WORD_BITS] & BIT(cluster % WORD_BITS);
}

uint64_t disk_overlay_run(const struct disk_overlay *overlay, uint64_t offset, uint64_t size,
			  int *ret_fd, bool *ret_present)
{
	uint64_t cluster = offset / CLUSTER;
	bool present = is_present(overlay, cluster);
	uint64_t end = offset + size;
	uint64_t at = (cluster + 1) * CLUSTER;

	while (at < end && is_present(overlay, at / CLUSTER) == present)
		at += CLUSTER;
	*ret_fd = present ? overlay->fd : overlay->base_fd;
	*ret_present = present;
	return min_u64(at, end) - offset;
}

/* The whole of [@offset, @offset + @size) of the file below. */
static int read_base(const struct disk_overlay *overlay, uint8_t *to, uint64_t offset,
		     uint64_t size)
{
	while (size) {
		ssize_t got = pread(overlay->base_fd, to, size, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -EIO;
		to += got;
		offset += (uint64_t)got;
		size -= (uint64_t)got;
	}
	return 0;
}

static int write_overlay(const struct disk_overlay *overlay, const uint8_t *from, uint64_t offset,
			 uint64_t size)
{
	while (size) {
		ssize_t put = pwrite(overlay->fd, from, size, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -EIO;
		from += put;
		offset += (uint64_t)put;
		size -= (uint64_t)put;
	}
	return 0;
}

static void gather(uint8_t *to, size_t size, const struct iovec *iov, uint32_t iov_count)
{
	for (uint32_t i = 0; i < iov_count && size; i++) {
		size_t part = min_u64(size, iov[i].iov_len);

		memcpy(to, iov[i].iov_base, part);
		to += part;
		size -= part;
	}
}

int64_t disk_overlay_fill(struct disk_overlay *overlay, uint64_t offset, uint64_t size,
			  const struct iovec *iov, uint32_t iov_count)
{
	uint64_t start = align_down(offset, CLUSTER);
	uint64_t whole = min_u64(CLUSTER, overlay->size - start);
	uint64_t head = offset - start;
	uint64_t part = min_u64(size, whole - head);
	_cleanup_free_ uint8_t *data = NULL;
	int r;

	if (iov || part < whole) {
		data = calloc(1, whole);
		if (!data)
			return -ENOMEM;
		r = read_base(overlay, data, start, head);
		if (r == 0)
			r = read_base(overlay, data + head + part, offset + part,
				      whole - head - part);
		if (r < 0)
			return r;
		if (iov)
			gather(data + head, part, iov, iov_count);
		r = write_overlay(overlay, data, start, whole);
		if (r < 0)
			return r;
	}
	/* What was never written to the overlay is zeroes already. */
	overlay->present[start / CLUSTER / WORD_BITS] |= BIT(start / CLUSTER % WORD_BITS);
	return (int64_t)part;
}
