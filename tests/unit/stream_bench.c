/* SPDX-License-Identifier: Apache-2.0 */
#include "stream_bench.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/log.h"

#define TEXT_MAX 65536
#define ROUNDS   64

static void on_readable(void *data)
{
	((struct stream_bench *)data)->readable++;
}

static void on_writable(void *data)
{
	((struct stream_bench *)data)->writable++;
}

static void on_changed(void *data)
{
	((struct stream_bench *)data)->changed++;
}

void stream_bench_init(struct stream_bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	signal(SIGPIPE, SIG_IGN); /* as the program does */
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(bench->folder, sizeof(bench->folder), "/tmp/armlet-stream-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(bench->folder));
	snprintf(bench->path, sizeof(bench->path), "%.40s/it", bench->folder);
	ck_assert_int_eq(event_loop_create(&bench->loop, NULL), 0);
}

void stream_bench_finish(struct stream_bench *bench)
{
	if (bench->stream)
		stream_detach(bench->stream);
	stream_destroy(bench->stream);
	event_loop_destroy(bench->loop);
	ck_assert_int_eq(rmdir(bench->folder), 0);
}

void stream_bench_attach(struct stream_bench *bench)
{
	const struct stream_client client = {
		.readable = on_readable,
		.writable = on_writable,
		.changed = on_changed,
		.data = bench,
	};

	ck_assert_int_eq(stream_attach(bench->stream, &client), 0);
}

static int try_open(struct stream_bench *bench, const char *spec, struct error *err)
{
	char text[512];
	const char *hole = strstr(spec, "%s");

	if (hole)
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(hole - spec), spec, bench->path,
			 hole + 2);
	else
		snprintf(text, sizeof(text), "%s", spec);
	return stream_open(text, bench->loop, &bench->stream, err);
}

void stream_bench_open(struct stream_bench *bench, const char *spec)
{
	struct error err = {0};

	ck_assert_msg(try_open(bench, spec, &err) == 0, "%s", err.text);
	stream_bench_attach(bench);
}

void stream_bench_refused(struct stream_bench *bench, const char *spec, const char *words)
{
	struct error err = {0};
	int r = try_open(bench, spec, &err);

	ck_assert_ptr_null(bench->stream);
	ck_assert_int_lt(r, 0);
	ck_assert_int_eq(r, -err.code);
	ck_assert_msg(strstr(err.text, words), "%s: %s", spec, err.text);
}

/* The event loop's descriptor: the only one of its kind here. */
static int epoll_fd(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int found = -1;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		char target[64] = "";

		if (readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1) > 0 &&
		    !strcmp(target, "anon_inode:[eventpoll]"))
			found = atoi(entry->d_name);
	}
	closedir(dir);
	ck_assert_int_ge(found, 0);
	return found;
}

void stream_bench_run(struct stream_bench *bench)
{
	struct pollfd pollfd = {.fd = epoll_fd(), .events = POLLIN};

	for (unsigned i = 0; i < ROUNDS; i++) {
		if (poll(&pollfd, 1, 0) == 0)
			return;
		event_loop_stop(bench->loop);
		ck_assert_int_eq(event_loop_run(bench->loop), 0);
	}
	ck_abort_msg("the event loop does not come to rest");
}

ssize_t stream_bench_write(struct stream_bench *bench, const char *text)
{
	/* In two pieces, one of them empty. */
	struct iovec iov[2] = {{(void *)(uintptr_t)text, 0},
			       {(void *)(uintptr_t)text, strlen(text)}};

	return stream_write(bench->stream, iov, 2);
}

const char *stream_bench_read(struct stream_bench *bench)
{
	static char text[TEXT_MAX];
	struct iovec iov[2] = {{text, 1}, {text + 1, sizeof(text) - 2}};
	ssize_t n = stream_read(bench->stream, iov, 2);

	ck_assert_int_ne(n, 0);
	ck_assert(n > 0 || n == -EAGAIN);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

size_t stream_bench_fill(struct stream_bench *bench)
{
	static char bytes[TEXT_MAX];
	struct iovec iov = {bytes, sizeof(bytes)};
	size_t taken = 0;
	ssize_t n;

	memset(bytes, 'x', sizeof(bytes));
	while ((n = stream_write(bench->stream, &iov, 1)) > 0) {
		taken += (size_t)n;
		ck_assert_uint_lt(taken, 64 * MIB);
	}
	ck_assert_int_eq(n, -EAGAIN);
	return taken;
}

int stream_bench_connect(struct stream_bench *bench)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", bench->path);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

const char *stream_bench_take(int fd)
{
	static char text[TEXT_MAX];
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	ssize_t n = poll(&pollfd, 1, 0) > 0 ? read(fd, text, sizeof(text) - 1) : 0;

	text[n > 0 ? n : 0] = '\0';
	return text;
}

const char *stream_bench_file(struct stream_bench *bench, const char *suffix)
{
	static char text[TEXT_MAX];
	char path[STREAM_BENCH_PATH + 8];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s%s", bench->path, suffix);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close_fd(fd);
	unlink(path);
	return text;
}
