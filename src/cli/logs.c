/* SPDX-License-Identifier: Apache-2.0 */
/* armlet logs: what a machine in the background has said, or says. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "place.h"
#include "verbs.h"

#define PIECE_SIZE 4096
#define FOLLOW_NS  200000000

struct logs_options {
	const char *name;
	bool messages;
	bool follow;
	uint32_t tail; /* lines; 0: all */
};

static const struct option_def options[] = {
	{.name = "name",
	 .argument = "NAME",
	 .type = OPTION_STRING,
	 .offset = offsetof(struct logs_options, name)},
	{.name = "follow",
	 .letter = 'f',
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct logs_options, follow),
	 .help = "go on with what comes, until the machine's end"},
	{.name = "tail",
	 .letter = 'n',
	 .argument = "LINES",
	 .type = OPTION_U32,
	 .offset = offsetof(struct logs_options, tail),
	 .min = 1,
	 .max = UINT32_MAX,
	 .help = "begin with the last lines (all)"},
	{.name = "messages",
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct logs_options, messages),
	 .help = "what armlet itself has said, not the console"},
	{0},
};

const struct option_table logs_table = {
	.command = "logs",
	.usage = "[OPTIONS] NAME",
	.summary = "print what the console of a machine in the background has said",
	.options = options,
	.positional = "name",
	.names = OPTION_NAMES_KEPT,
};

/* Go back from the end until @lines lines are behind. */
static void seek_tail(int fd, uint32_t lines)
{
	off_t at = lseek(fd, 0, SEEK_END);
	char piece[PIECE_SIZE];
	uint64_t wanted = (uint64_t)lines + 1; /* the end of the line in front counts */
	bool last = true;

	while (at > 0) {
		size_t size = min_u64((uint64_t)at, sizeof(piece));

		at -= (off_t)size;
		if (pread(fd, piece, size, at) != (ssize_t)size)
			return;
		for (size_t i = size; i-- > 0; last = false) {
			/* A last line without an end is one, too. */
			if (piece[i] != '\n' && last)
				wanted--;
			if (piece[i] == '\n' && --wanted == 0) {
				lseek(fd, at + (off_t)i + 1, SEEK_SET);
				return;
			}
		}
	}
	lseek(fd, 0, SEEK_SET);
}

/* All that is there now. */
static int copy_rest(int fd, struct error *err)
{
	char piece[PIECE_SIZE];
	ssize_t size;

	while ((size = read(fd, piece, sizeof(piece))) > 0) {
		if (fwrite(piece, 1, (size_t)size, stdout) != (size_t)size)
			return error_set_errno(err, errno, "standard output");
	}
	if (fflush(stdout) != 0)
		return error_set_errno(err, errno, "standard output");
	return size < 0 ? error_set_errno(err, errno, "the log") : 0;
}

/* Whether @path is another file by now than the open one. */
static bool was_rotated(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 &&
	       (ours.st_ino != there.st_ino || ours.st_dev != there.st_dev);
}

static bool is_running(const char *name)
{
	struct place place;

	if (place_find(name, &place, NULL) < 0)
		return false;
	place_leave(&place);
	return true;
}

static int follow(const struct logs_options *logs, const char *path, int *fd, struct error *err)
{
	const struct timespec pause = {.tv_nsec = FOLLOW_NS};
	bool running = true;
	int r = 0;

	/* Once more when it has ended. */
	while (r == 0 && running) {
		running = is_running(logs->name);
		r = copy_rest(*fd, err);
		if (r == 0 && was_rotated(*fd, path)) {
			close_fd(*fd);
			*fd = open(path, O_RDONLY | O_CLOEXEC);
			r = *fd < 0 ? error_set_errno(err, errno, "%s", path) : 0;
		} else if (running) {
			nanosleep(&pause, NULL);
		}
	}
	return r;
}

static int print_log(const struct logs_options *logs, struct error *err)
{
	_cleanup_free_ char *folder = NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -EBADF;
	int r = place_state(logs->name, false, &folder, err);

	if (r < 0)
		return r;
	if (asprintf(&path, "%s/%s.log", folder, logs->messages ? "messages" : "console") < 0)
		return error_set_errno(err, ENOMEM, "%s", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "%s", path);
	if (logs->tail)
		seek_tail(fd, logs->tail);
	r = copy_rest(fd, err);
	return r == 0 && logs->follow ? follow(logs, path, &fd, err) : r;
}

int logs_main(int argc, char **argv)
{
	struct logs_options logs = {0};
	struct error err = {0};
	int status;

	if (!parse_or_end(&logs_table, argc, argv, &logs, &status))
		return status;
	if (!logs.name) {
		error_set(&err, EINVAL, "name a machine: armlet logs NAME");
		return fail_with("logs", &err);
	}
	return print_log(&logs, &err) < 0 ? fail_with("logs", &err) : EXIT_SUCCESS;
}
