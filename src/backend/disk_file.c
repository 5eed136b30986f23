/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/parse.h"
#include "disk_format.h"
#include "disk_lock.h"
#include "disk_open.h"
#include "disk_overlay.h"

#define SECTOR             512
#define BLOCK_MAX          65536
#define DIRECT_ALIGN_GUESS 4096 /* of memory, where the kernel does not tell */

struct disk_file {
	struct disk_jobs jobs;
	bool writes; /* the file itself */
	bool fixed;  /* it cannot be resized under us: what is written goes elsewhere */
};

/* ---- Opening -------------------------------------------------------------- */

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a pipe";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
		return "a character device";
	default:
		return NULL;
	}
}

static int check_kind(const char *path, mode_t mode, struct error *err)
{
	const char *kind = kind_of(mode);

	if (kind)
		return error_set(err, S_ISDIR(mode) ? EISDIR : EINVAL,
				 "--disk %s: this is %s; name a disk image or a block device", path,
				 kind);
	return 0;
}

static int open_failed(const struct disk_options *options, bool writes, int code, struct error *err)
{
	const char *path = options->path;

	if (code == ENOENT)
		return error_set(err, code,
				 "--disk %s: there is no such file; a new disk is made by truncate "
				 "-s 10G '%s'",
				 path, path);
	if (code == EINVAL && options->direct)
		return error_set(
			err, code,
			"--disk %s: its file system has no direct access; leave out direct", path);
	if (code == EBUSY)
		return error_set(
			err, code,
			"--disk %s: this host uses the device itself, mounted or as a part "
			"of another; end that first, or add ,ro",
			path);
	if (writes && (code == EACCES || code == EPERM || code == EROFS) &&
	    faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0)
		return error_set(err, code,
				 "--disk %s: it cannot be written: %s; add ,ro to use it without "
				 "writing, or ,ephemeral to forget what is written",
				 path, strerror(code));
	return error_set(err, code, "--disk %s: it cannot be opened for %s: %s", path,
			 writes ? "reading and writing" : "reading", strerror(code));
}

/* A device that is read-only can be opened for writing all the same. */
static bool is_write_protected(int fd, const struct stat *st)
{
	int read_only = 0;

	return S_ISBLK(st->st_mode) && ioctl(fd, BLKROGET, &read_only) == 0 && read_only;
}

/* Returns the descriptor; @ret_stat is of what it is. */
static int open_path(const struct disk_options *options, bool writes, struct stat *ret_stat,
		     struct error *err)
{
	int flags = O_CLOEXEC | O_NOCTTY | (writes ? O_RDWR : O_RDONLY);
	_cleanup_close_ int fd = -EBADF;
	int r;

	/* Looked at first: opening a device can do things to it. */
	if (stat(options->path, ret_stat) < 0)
		return open_failed(options, false, errno, err);
	r = check_kind(options->path, ret_stat->st_mode, err);
	if (r < 0)
		return r;
	/* Of a block device this means that nobody else of this host has it. */
	if (S_ISBLK(ret_stat->st_mode) && writes)
		flags |= O_EXCL;
	/* Not to wait for the writer of a pipe that has taken the file's place. */
	fd = open(options->path, flags | O_NONBLOCK);
	if (fd < 0)
		return open_failed(options, writes, errno, err);
	if (fstat(fd, ret_stat) < 0 || fcntl(fd, F_SETFL, flags) < 0)
		return open_failed(options, writes, errno, err);
	if (writes && is_write_protected(fd, ret_stat))
		return open_failed(options, true, EROFS, err);
	r = check_kind(options->path, ret_stat->st_mode, err);
	return r < 0 ? r : steal_fd(&fd);
}

/* ---- What it is like ------------------------------------------------------ */

static int size_of(int fd, bool block_device, uint64_t *ret)
{
	struct stat st;

	if (block_device)
		return ioctl(fd, BLKGETSIZE64, ret) < 0 ? -errno : 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = (uint64_t)st.st_size;
	return 0;
}

/* A number that the kernel tells of a device's queue; 0 if it does not. */
static uint64_t queue_number(dev_t device, const char *name)
{
	/* A partition's queue is that of the device above it. */
	static const char *const places[] = {"queue", "../queue"};
	char path[128], text[24];
	uint64_t value = 0;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_close_ int fd = -EBADF;
		ssize_t got;

		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s/%s", major(device),
			 minor(device), places[i], name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		if (got <= 0)
			continue;
		text[got] = '\0';
		text[strcspn(text, "\n")] = '\0';
		return parse_u64(text, &value) == 0 ? value : 0;
	}
	return 0;
}

static void look_at_device(struct disk_info *info, int fd, const struct stat *st)
{
	unsigned physical = 0, optimal = 0;
	int logical = 0;

	if (ioctl(fd, BLKSSZGET, &logical) == 0 && logical >= SECTOR)
		info->logical_block = (uint32_t)logical;
	if (ioctl(fd, BLKPBSZGET, &physical) == 0)
		info->physical_block = physical;
	if (ioctl(fd, BLKIOOPT, &optimal) == 0)
		info->optimal_io = optimal;
	info->discard_granularity = (uint32_t)queue_number(st->st_rdev, "discard_granularity");
}

/* Whether the file system can make holes: one behind the end of the file changes nothing. */
static bool can_punch(int fd, const struct stat *st)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 (off_t)align_up((uint64_t)st->st_size, BLOCK_MAX), BLOCK_MAX) == 0;
}

static void look_at_file(struct disk_info *info, int fd, const struct stat *st)
{
	if (is_power_of_two((uint64_t)st->st_blksize))
		info->physical_block = (uint32_t)min_u64((uint64_t)st->st_blksize, BLOCK_MAX);
	if (!info->read_only && can_punch(fd, st))
		info->discard_granularity = info->physical_block;
}

static int set_blocks(struct disk_file *file, const struct disk_options *options,
		      const struct stat *st, struct error *err)
{
	struct disk_info *info = &file->jobs.disk.info;
	uint32_t own;

	info->logical_block = SECTOR;
	if (S_ISBLK(st->st_mode))
		look_at_device(info, file->jobs.fd, st);
	else
		look_at_file(info, file->jobs.fd, st);
	own = info->logical_block;
	if (options->block_size)
		info->logical_block = options->block_size;
	if (options->physical_block_size)
		info->physical_block = options->physical_block_size;
	info->physical_block = (uint32_t)max_u64(info->physical_block, info->logical_block);
	if (info->discard_granularity)
		info->discard_granularity =
			(uint32_t)max_u64(info->discard_granularity, info->logical_block);
	if (info->logical_block < own && S_ISBLK(st->st_mode))
		return error_set(err, EINVAL,
				 "--disk %s: the device has blocks of %" PRIu32 " bytes, which "
				 "cannot be split; leave out block-size, or give that",
				 options->path, own);
	return 0;
}

/* What direct access asks of buffers, and of offsets. */
static int set_direct(struct disk_file *file, const struct disk_options *options, struct error *err)
{
	struct disk_jobs *jobs = &file->jobs;
	struct statx stx = {0};
	uint32_t block = jobs->disk.info.logical_block;

	if (!options->direct || options->ephemeral)
		return 0;
	/* Only now: what has been read of it so far was not aligned. */
	if (fcntl(jobs->fd, F_SETFL, fcntl(jobs->fd, F_GETFL) | O_DIRECT) < 0)
		return open_failed(options, true, errno, err);
	jobs->memory_align = DIRECT_ALIGN_GUESS;
	jobs->length_align = block;
	if (statx(jobs->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) < 0 ||
	    !(stx.stx_mask & STATX_DIOALIGN))
		return 0;
	if (!stx.stx_dio_offset_align)
		return open_failed(options, true, EINVAL, err);
	if (stx.stx_dio_offset_align > block)
		return error_set(err, EINVAL,
				 "--disk %s: direct access to it goes by blocks of %" PRIu32
				 " bytes; add block-size=%" PRIu32 " if what is on it allows that, "
				 "or leave out direct",
				 options->path, stx.stx_dio_offset_align, stx.stx_dio_offset_align);
	jobs->memory_align = (uint32_t)max_u64(stx.stx_dio_mem_align, 1);
	jobs->length_align = (uint32_t)max_u64(stx.stx_dio_offset_align, SECTOR);
	return 0;
}

/* ---- Ephemeral ------------------------------------------------------------ */

/* What is written goes to a copy of the file, or to an overlay. */
static int divert(struct disk_file *file, struct error *err)
{
	struct disk_jobs *jobs = &file->jobs;
	int fd = jobs->block_device ? -EINVAL : disk_overlay_clone(jobs->path, jobs->fd);
	int base, r;

	file->fixed = true;
	jobs->ignore_flush = true;
	jobs->writethrough = false;
	jobs->disk.info.write_cache = true;
	jobs->disk.info.discard_granularity = (uint32_t)(4 * KIB);
	if (fd >= 0) {
		close_fd(jobs->fd);
		jobs->fd = fd;
		return 0;
	}
	fd = disk_overlay_file(jobs->path, err);
	if (fd < 0)
		return fd;
	base = steal_fd(&jobs->fd);
	jobs->block_device = false;
	r = disk_overlay_create(base, fd, jobs->disk.info.size, &jobs->overlay);
	if (r < 0)
		return error_set_errno(
			err, -r, "--disk %s: the file for what is written cannot have its size",
			jobs->path);
	return 0;
}

/* ---- Operations ----------------------------------------------------------- */

static int file_refresh(struct disk *disk)
{
	struct disk_file *file = container_of(disk, struct disk_file, jobs.disk);
	uint64_t size = 0;
	int r;

	if (file->fixed)
		return 0;
	r = size_of(file->jobs.fd, file->jobs.block_device, &size);
	if (r == 0)
		disk->info.size = align_down(size, disk->info.logical_block);
	return r;
}

/* What the disk is of, and not what is written beside it. */
static int file_resize(struct disk *disk, uint64_t size)
{
	struct disk_file *file = container_of(disk, struct disk_file, jobs.disk);

	if (file->fixed || file->jobs.block_device)
		return -EOPNOTSUPP;
	if (disk->info.read_only)
		return -EROFS;
	if (ftruncate(file->jobs.fd, (off_t)size) < 0)
		return -errno;
	return file_refresh(disk);
}

static void file_destroy(struct disk *disk)
{
	struct disk_file *file = container_of(disk, struct disk_file, jobs.disk);

	disk_jobs_finish(&file->jobs);
	free(file);
}

static const struct disk_ops file_ops = {
	.start = disk_jobs_start,
	.submit = disk_jobs_submit,
	.stop = disk_jobs_stop,
	.refresh = file_refresh,
	.resize = file_resize,
	.destroy = file_destroy,
};

static int look(struct disk_file *file, const struct disk_options *options, const struct stat *st,
		struct error *err)
{
	struct disk_jobs *jobs = &file->jobs;
	struct disk_info *info = &jobs->disk.info;
	int r = size_of(jobs->fd, jobs->block_device, &info->size);

	if (r < 0)
		return error_set_errno(err, -r, "--disk %s: its size cannot be read", jobs->path);
	r = set_blocks(file, options, st, err);
	if (r == 0)
		r = set_direct(file, options, err);
	if (r == 0)
		r = disk_check_size(jobs, info->size, err);
	return r;
}

int disk_file_open(const struct disk_options *options, struct disk **ret, const char **ret_format,
		   struct error *err)
{
	bool probed = !options->format || strcmp(options->format, DISK_FORMAT_RAW) != 0;
	bool writes = !options->read_only && !options->ephemeral;
	struct disk_file *file;
	struct disk_jobs *jobs;
	_cleanup_(cleanup_disk_destroy_) struct disk *disk = NULL;
	struct stat st;
	int r;

	file = (struct disk_file *)disk_jobs_new(options, sizeof(*file), err);
	if (!file)
		return -ENOMEM;
	jobs = &file->jobs;
	disk = &jobs->disk;
	disk->ops = &file_ops;
	jobs->fd = open_path(options, writes, &st, err);
	if (jobs->fd < 0)
		return jobs->fd;
	jobs->block_device = S_ISBLK(st.st_mode);
	r = probed ? disk_format_of_file(jobs->fd, (uint64_t)st.st_size, ret_format) : 0;
	if (r < 0)
		return error_set_errno(err, -r, "--disk %s: it cannot be read", jobs->path);
	if (*ret_format)
		return 0;
	r = disk_lock(jobs->fd, jobs->path, writes, err);
	if (r == 0)
		r = look(file, options, &st, err);
	if (r == 0 && options->ephemeral)
		r = divert(file, err);
	if (r < 0)
		return r;
	jobs->guard_first_block = probed && writes;
	disk->info.write_zeroes = !disk->info.read_only;
	if (jobs->ignore_discard || disk->info.read_only)
		disk->info.discard_granularity = 0;
	*ret = steal_ptr(&disk);
	return 0;
}
