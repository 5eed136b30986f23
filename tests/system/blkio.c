/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What busybox cannot ask of a block device. It runs in guests, in which there
 * are no libraries, so it is static and uses the kernel's own interface.
 *
 * Usage: blkio zero FILE OFFSET BYTES	zeroes by BLKZEROOUT
 *	  blkio read FILE COUNT DEPTH	4 KiB direct reads at random places, so many
 *					at once; the places are the same each time
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BLOCK     4096
#define DEPTH_MAX 128

struct reader {
	int fd;
	uint64_t blocks;
	uint64_t random;
	aio_context_t context;
	uint8_t *buffers;
	struct iocb iocbs[DEPTH_MAX];
	struct iocb *free[DEPTH_MAX];
	unsigned free_count;
};

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (!*text || *end)
		errx(125, "'%s' is not a number", text);
	return value;
}

static int open_device(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static int zero(char **args)
{
	uint64_t range[2] = {number(args[1]), number(args[2])};

	if (ioctl(open_device(args[0], O_RDWR), BLKZEROOUT, range) < 0)
		err(1, "%s: BLKZEROOUT", args[0]);
	return 0;
}

/* Knuth's generator: its upper bits are good enough. */
static uint64_t random_offset(struct reader *reader)
{
	reader->random = reader->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (reader->random >> 32) % reader->blocks * BLOCK;
}

/* As many as may be under way, and @left allows. Returns how many. */
static unsigned submit(struct reader *reader, unsigned left)
{
	struct iocb *list[DEPTH_MAX];
	unsigned count = 0;

	while (reader->free_count && count < left) {
		struct iocb *iocb = reader->free[--reader->free_count];

		iocb->aio_offset = (int64_t)random_offset(reader);
		list[count++] = iocb;
	}
	for (unsigned done = 0; done < count;) {
		long r = syscall(SYS_io_submit, reader->context, (long)(count - done), list + done);

		if (r <= 0)
			err(1, "io_submit");
		done += (unsigned)r;
	}
	return count;
}

static unsigned reap(struct reader *reader)
{
	struct io_event events[DEPTH_MAX];
	long r = syscall(SYS_io_getevents, reader->context, 1L, (long)DEPTH_MAX, events, NULL);

	if (r <= 0)
		err(1, "io_getevents");
	for (long i = 0; i < r; i++) {
		if (events[i].res != BLOCK)
			errx(1, "a read ended with %" PRId64, (int64_t)events[i].res);
		reader->free[reader->free_count++] = (struct iocb *)(uintptr_t)events[i].obj;
	}
	return (unsigned)r;
}

static void prepare(struct reader *reader, unsigned depth)
{
	reader->buffers = aligned_alloc(BLOCK, (size_t)depth * BLOCK);
	if (!reader->buffers || syscall(SYS_io_setup, depth, &reader->context) < 0)
		err(1, "io_setup");
	for (unsigned i = 0; i < depth; i++) {
		reader->iocbs[i] = (struct iocb){
			.aio_lio_opcode = IOCB_CMD_PREAD,
			.aio_fildes = (uint32_t)reader->fd,
			.aio_buf = (uintptr_t)(reader->buffers + (size_t)i * BLOCK),
			.aio_nbytes = BLOCK,
		};
		reader->free[reader->free_count++] = &reader->iocbs[i];
	}
}

static int read_random(char **args)
{
	unsigned left = (unsigned)number(args[1]), depth = (unsigned)number(args[2]), flying = 0;
	struct reader reader = {.fd = open_device(args[0], O_RDONLY | O_DIRECT)};
	uint64_t size;

	if (depth < 1 || depth > DEPTH_MAX)
		errx(125, "the depth is from 1 to %d", DEPTH_MAX);
	if (ioctl(reader.fd, BLKGETSIZE64, &size) < 0 || size < BLOCK)
		err(1, "%s: BLKGETSIZE64", args[0]);
	reader.blocks = size / BLOCK;
	prepare(&reader, depth);
	while (left || flying) {
		unsigned count = submit(&reader, left);

		left -= count;
		flying += count;
		if (flying)
			flying -= reap(&reader);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "zero"))
		return zero(argv + 2);
	if (argc == 5 && !strcmp(argv[1], "read"))
		return read_random(argv + 2);
	errx(125, "usage: blkio zero FILE OFFSET BYTES | read FILE COUNT DEPTH");
}
