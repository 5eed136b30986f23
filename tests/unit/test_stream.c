/* SPDX-License-Identifier: Apache-2.0 */
/* Streams to other processes: descriptors, sockets, pseudoterminals. */
#include "backend/stream.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>

#include "stream_bench.h"
#include "unit.h"

static void open_fds(struct stream_bench *bench, int in, int out)
{
	ck_assert_int_eq(stream_open_fds(in, out, bench->loop, &bench->stream, NULL), 0);
	stream_bench_attach(bench);
}

START_TEST(test_null)
{
	struct stream_bench bench;

	stream_bench_init(&bench);
	stream_bench_open(&bench, "null");
	ck_assert(!bench.stream->open);
	ck_assert_int_eq(stream_bench_write(&bench, "nobody"), 6);
	ck_assert_str_eq(stream_bench_read(&bench), "");
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.readable + bench.writable + bench.changed, 0);
	stream_bench_finish(&bench);
}
END_TEST

/* One descriptor for both ways: waiting for input does not hinder waiting for room. */
START_TEST(test_one_fd)
{
	struct stream_bench bench;
	char where[32];
	size_t taken;
	int pair[2];

	stream_bench_init(&bench);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	snprintf(where, sizeof(where), "fd:%d", pair[0]);
	stream_bench_open(&bench, where);
	ck_assert_str_eq(bench.stream->where, "fd");
	ck_assert_str_eq(stream_bench_read(&bench), "");
	taken = stream_bench_fill(&bench);
	ck_assert_uint_ge(taken, 4096);
	ck_assert_uint_eq(bench.writable, 0);
	for (size_t left = taken; left;) {
		char bytes[4096];
		ssize_t n = read(pair[1], bytes, sizeof(bytes));

		ck_assert_int_gt(n, 0);
		left -= (size_t)n;
	}
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.writable, 1);
	ck_assert_int_eq(write(pair[1], "input", 5), 5);
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.readable, 1);
	ck_assert_str_eq(stream_bench_read(&bench), "input");
	stream_bench_finish(&bench);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

/* Two pipes. */
START_TEST(test_pipes)
{
	struct stream_bench bench;
	size_t taken;
	int in[2], out[2];

	stream_bench_init(&bench);
	ck_assert_int_eq(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
	open_fds(&bench, in[0], out[1]);
	ck_assert(bench.stream->open);
	ck_assert_str_eq(stream_bench_read(&bench), "");
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.readable, 0);
	ck_assert_int_eq(write(in[1], "input", 5), 5);
	stream_bench_run(&bench); /* once, however long nobody reads */
	ck_assert_uint_eq(bench.readable, 1);
	ck_assert_str_eq(stream_bench_read(&bench), "input");
	ck_assert_int_eq(stream_bench_write(&bench, "output"), 6);
	ck_assert_str_eq(stream_bench_take(out[0]), "output");
	/* The caller's descriptors still block. */
	ck_assert(!(fcntl(in[0], F_GETFL) & O_NONBLOCK));
	taken = stream_bench_fill(&bench);
	ck_assert_uint_ge(taken, 4096);
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.writable, 0);
	while (*stream_bench_take(out[0]))
		;
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.writable, 1);
	/* The end of the input is no end of the output. */
	ck_assert_str_eq(stream_bench_read(&bench), "");
	close_fd(in[1]);
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.readable, 2);
	ck_assert_str_eq(stream_bench_read(&bench), "");
	stream_bench_run(&bench);
	ck_assert_int_eq(stream_bench_write(&bench, "more"), 4);
	ck_assert_str_eq(stream_bench_take(out[0]), "more");
	/* A reader that is gone stops nobody. */
	close_fd(out[0]);
	ck_assert_int_eq(stream_bench_write(&bench, "lost"), 4);
	ck_assert_int_eq(stream_bench_write(&bench, "gone"), 4);
	ck_assert_uint_eq(bench.stream->lost, 8);
	stream_bench_run(&bench);
	stream_bench_finish(&bench);
	close_fd(in[0]);
	close_fd(out[1]);
}
END_TEST

START_TEST(test_socket_pair)
{
	struct stream_bench bench;
	int pair[2];

	stream_bench_init(&bench);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	open_fds(&bench, pair[0], pair[0]);
	ck_assert_str_eq(stream_bench_read(&bench), "");
	ck_assert_int_eq(write(pair[1], "ab", 2), 2);
	stream_bench_run(&bench);
	ck_assert_str_eq(stream_bench_read(&bench), "ab");
	ck_assert_int_eq(stream_bench_write(&bench, "cd"), 2);
	ck_assert_str_eq(stream_bench_take(pair[1]), "cd");
	stream_bench_finish(&bench);
	close_fd(pair[0]);
	close_fd(pair[1]);
}
END_TEST

/* A file as input is read to its end; no descriptor at all is fine as well. */
START_TEST(test_plain_descriptors)
{
	struct stream_bench bench;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char bytes[4096];
	struct iovec iov = {bytes, sizeof(bytes)};
	size_t total = 0;
	ssize_t n;

	stream_bench_init(&bench);
	open_fds(&bench, fd, -1);
	do {
		n = stream_read(bench.stream, &iov, 1);
		total += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	ck_assert_int_eq(n, -EAGAIN);
	ck_assert_uint_gt(total, 4096);
	ck_assert_str_eq(stream_bench_read(&bench), "");
	ck_assert_int_eq(stream_bench_write(&bench, "dropped"), 7);
	stream_bench_run(&bench);
	stream_bench_finish(&bench);
	close_fd(fd);
	stream_bench_init(&bench);
	open_fds(&bench, 1000, 1001); /* closed ones */
	ck_assert_str_eq(stream_bench_read(&bench), "");
	ck_assert_int_eq(stream_bench_write(&bench, "dropped"), 7);
	stream_bench_finish(&bench);
}
END_TEST

/* Sockets. */

START_TEST(test_unix)
{
	struct stream_bench bench;
	struct stat st;
	int first, second;

	stream_bench_init(&bench);
	stream_bench_open(&bench, "unix:%s");
	ck_assert_int_eq(stat(bench.path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert(!bench.stream->open);
	ck_assert_int_eq(stream_bench_write(&bench, "to nobody"), 9);
	ck_assert_str_eq(stream_bench_read(&bench), "");
	first = stream_bench_connect(&bench);
	stream_bench_run(&bench);
	ck_assert(bench.stream->open);
	ck_assert_uint_eq(bench.changed, 1);
	ck_assert_int_eq(write(first, "hello", 5), 5);
	stream_bench_run(&bench);
	ck_assert_uint_ge(bench.readable, 1);
	ck_assert_str_eq(stream_bench_read(&bench), "hello");
	ck_assert_str_eq(stream_bench_read(&bench), "");
	ck_assert_int_eq(stream_bench_write(&bench, "world"), 5);
	ck_assert_str_eq(stream_bench_take(first), "world");
	/* The next one waits until the first is gone. */
	second = stream_bench_connect(&bench);
	ck_assert_int_eq(write(second, "second", 6), 6);
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.stream->peers, 1);
	ck_assert_str_eq(stream_bench_read(&bench), "");
	close_fd(first);
	stream_bench_run(&bench);
	ck_assert(bench.stream->open);
	ck_assert_uint_eq(bench.stream->peers, 2);
	ck_assert_str_eq(stream_bench_read(&bench), "second");
	close_fd(second);
	stream_bench_run(&bench);
	ck_assert(!bench.stream->open);
	ck_assert_int_eq(stream_bench_write(&bench, "to nobody"), 9);
	stream_bench_finish(&bench);
	ck_assert_int_lt(access(bench.path, F_OK), 0);
}
END_TEST

/* What a peer has sent is there after it has left, until it is read or another comes. */
START_TEST(test_unix_leaves)
{
	struct stream_bench bench;
	int fd;

	stream_bench_init(&bench);
	stream_bench_open(&bench, "unix:%s");
	fd = stream_bench_connect(&bench);
	stream_bench_run(&bench);
	ck_assert_int_eq(write(fd, "last words", 10), 10);
	close_fd(fd);
	stream_bench_run(&bench);
	ck_assert(bench.stream->open);
	ck_assert_int_eq(stream_bench_write(&bench, "too late"), 8);
	ck_assert_str_eq(stream_bench_read(&bench), "last words");
	ck_assert_str_eq(stream_bench_read(&bench), "");
	ck_assert(!bench.stream->open);
	fd = stream_bench_connect(&bench);
	stream_bench_run(&bench);
	ck_assert_int_eq(write(fd, "unread", 6), 6);
	close_fd(fd);
	stream_bench_run(&bench);
	fd = stream_bench_connect(&bench);
	ck_assert_int_eq(write(fd, "news", 4), 4);
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.stream->peers, 3);
	ck_assert_str_eq(stream_bench_read(&bench), "news");
	/* One that leaves before it has read all: what it sent is not lost by that. */
	ck_assert_int_eq(stream_bench_write(&bench, "unread"), 6);
	ck_assert_int_eq(write(fd, "end", 3), 3);
	close_fd(fd);
	stream_bench_run(&bench);
	ck_assert_str_eq(stream_bench_read(&bench), "end");
	ck_assert_str_eq(stream_bench_read(&bench), "");
	ck_assert(!bench.stream->open);
	/* One that only connects, with nobody reading. */
	close_fd(stream_bench_connect(&bench));
	stream_bench_run(&bench);
	ck_assert(!bench.stream->open);
	ck_assert_uint_eq(bench.stream->peers, 4);
	stream_bench_finish(&bench);
}
END_TEST

START_TEST(test_unix_half_closed)
{
	struct stream_bench bench;
	int fd;

	stream_bench_init(&bench);
	stream_bench_open(&bench, "unix:%s");
	fd = stream_bench_connect(&bench);
	stream_bench_run(&bench);
	ck_assert_int_eq(write(fd, "ask", 3), 3);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	stream_bench_run(&bench);
	ck_assert_str_eq(stream_bench_read(&bench), "ask");
	ck_assert_str_eq(stream_bench_read(&bench), "");
	ck_assert(bench.stream->open);
	stream_bench_run(&bench);
	ck_assert_int_eq(stream_bench_write(&bench, "answer"), 6);
	ck_assert_str_eq(stream_bench_take(fd), "answer");
	close_fd(fd);
	stream_bench_run(&bench);
	ck_assert(!bench.stream->open);
	stream_bench_finish(&bench);
}
END_TEST

START_TEST(test_unix_slow_reader)
{
	struct stream_bench bench;
	int fd;

	stream_bench_init(&bench);
	stream_bench_open(&bench, "unix:%s");
	fd = stream_bench_connect(&bench);
	stream_bench_run(&bench);
	stream_bench_fill(&bench);
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.writable, 0);
	while (*stream_bench_take(fd))
		;
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.writable, 1);
	ck_assert_int_eq(stream_bench_write(&bench, "on"), 2);
	ck_assert_str_eq(stream_bench_take(fd), "on");
	/* One that leaves frees the writer. */
	stream_bench_fill(&bench);
	close_fd(fd);
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.writable, 2);
	ck_assert_int_eq(stream_bench_write(&bench, "off"), 3);
	stream_bench_finish(&bench);
}
END_TEST

/* A machine reboots: its devices go and come, and the peer stays. */
START_TEST(test_unix_new_client)
{
	struct stream_bench bench;
	int fd, next;

	stream_bench_init(&bench);
	stream_bench_open(&bench, "unix:%s");
	fd = stream_bench_connect(&bench);
	stream_bench_run(&bench);
	stream_detach(bench.stream);
	ck_assert_int_eq(write(fd, "meanwhile", 9), 9);
	stream_bench_run(&bench);
	stream_bench_attach(&bench);
	ck_assert(bench.stream->open);
	ck_assert_str_eq(stream_bench_read(&bench), "meanwhile");
	stream_detach(bench.stream);
	close_fd(fd);
	next = stream_bench_connect(&bench);
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.stream->peers, 1);
	stream_bench_attach(&bench);
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.stream->peers, 2);
	ck_assert(bench.stream->open);
	close_fd(next);
	stream_bench_finish(&bench);
}
END_TEST

static void leave_stale(struct stream_bench *bench)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", bench->path);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	close_fd(fd);
}

START_TEST(test_unix_path)
{
	struct stream_bench bench, other;
	char name[STREAM_BENCH_PATH];
	int fd;

	stream_bench_init(&bench);
	leave_stale(&bench);
	stream_bench_open(&bench, "unix:%s");
	stream_bench_init(&other);
	memcpy(name, other.path, sizeof(name));
	memcpy(other.path, bench.path, sizeof(name));
	stream_bench_refused(&other, "unix:%s", "in use by another process");
	/* Somebody removes it and puts something else there: that is not ours to remove. */
	unlink(bench.path);
	leave_stale(&bench);
	stream_bench_finish(&other);
	stream_detach(bench.stream);
	stream_destroy(bench.stream);
	bench.stream = NULL;
	ck_assert_int_eq(unlink(bench.path), 0);
	fd = open(bench.path, O_CREAT | O_CLOEXEC, 0600);
	close_fd(fd);
	stream_bench_refused(&bench, "unix:%s", "is no socket");
	unlink(bench.path);
	stream_bench_refused(&bench, "unix:%s/deeper", "cannot be made");
	stream_bench_refused(&bench,
			     "unix:%s-0123456789012345678901234567890123456789012345678901234567890"
			     "123456789012345678901234567890123456789",
			     "at most 107 bytes");
	stream_bench_finish(&bench);
}
END_TEST

/* Pseudoterminals. */

START_TEST(test_pty)
{
	struct stream_bench bench;
	struct termios modes;
	int fd;

	stream_bench_init(&bench);
	stream_bench_open(&bench, "pty");
	ck_assert_int_eq(strncmp(bench.stream->where, "/dev/pts/", 9), 0);
	ck_assert(!bench.stream->open);
	stream_bench_run(&bench);
	ck_assert_int_eq(stream_bench_write(&bench, "to nobody"), 9);
	ck_assert_str_eq(stream_bench_read(&bench), "");
	for (unsigned i = 1; i <= 3; i++) {
		fd = open(bench.stream->where, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
		ck_assert_int_ge(fd, 0);
		stream_bench_run(&bench);
		ck_assert(bench.stream->open);
		ck_assert_uint_eq(bench.stream->peers, i);
		ck_assert_int_eq(tcgetattr(fd, &modes), 0);
		ck_assert_uint_eq(modes.c_lflag & (ICANON | ECHO), 0);
		ck_assert_str_eq(stream_bench_take(fd), ""); /* nothing of what was dropped */
		ck_assert_str_eq(stream_bench_read(&bench), "");
		ck_assert_int_eq(write(fd, "a\r\nb", 4), 4);
		stream_bench_run(&bench);
		ck_assert_str_eq(stream_bench_read(&bench), "a\r\nb");
		ck_assert_int_eq(stream_bench_write(&bench, "c\r\nd"), 4);
		ck_assert_str_eq(stream_bench_take(fd), "c\r\nd");
		ck_assert_str_eq(stream_bench_read(&bench), "");
		close_fd(fd);
		stream_bench_run(&bench);
		ck_assert(!bench.stream->open);
		ck_assert_uint_eq(bench.changed, 2 * i);
		ck_assert_int_eq(stream_bench_write(&bench, "to nobody"), 9);
	}
	stream_bench_finish(&bench);
}
END_TEST

/* What was written to the slave is there after it was closed. */
START_TEST(test_pty_leaves)
{
	struct stream_bench bench;
	int fd;

	stream_bench_init(&bench);
	stream_bench_open(&bench, "pty");
	fd = open(bench.stream->where, O_RDWR | O_NOCTTY | O_CLOEXEC);
	stream_bench_run(&bench);
	ck_assert_int_eq(write(fd, "last words", 10), 10);
	close_fd(fd);
	stream_bench_run(&bench);
	ck_assert(bench.stream->open);
	ck_assert_int_eq(stream_bench_write(&bench, "too late"), 8);
	ck_assert_str_eq(stream_bench_read(&bench), "last words");
	ck_assert_str_eq(stream_bench_read(&bench), "");
	ck_assert(!bench.stream->open);
	stream_bench_run(&bench);
	/* Another comes before that is read: it is a new one. */
	fd = open(bench.stream->where, O_RDWR | O_NOCTTY | O_CLOEXEC);
	stream_bench_run(&bench);
	ck_assert_int_eq(write(fd, "one", 3), 3);
	close_fd(fd);
	stream_bench_run(&bench);
	fd = open(bench.stream->where, O_RDWR | O_NOCTTY | O_CLOEXEC);
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.stream->peers, 3);
	ck_assert_str_eq(stream_bench_read(&bench), "one");
	ck_assert_int_eq(stream_bench_write(&bench, "two"), 3);
	ck_assert_str_eq(stream_bench_take(fd), "two");
	close_fd(fd);
	stream_bench_finish(&bench);
}
END_TEST

START_TEST(test_pty_slow_reader)
{
	struct stream_bench bench;
	int fd;

	stream_bench_init(&bench);
	stream_bench_open(&bench, "pty");
	fd = open(bench.stream->where, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	stream_bench_run(&bench);
	stream_bench_fill(&bench);
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.writable, 0);
	close_fd(fd);
	stream_bench_run(&bench);
	ck_assert_uint_eq(bench.writable, 1);
	ck_assert_int_eq(stream_bench_write(&bench, "to nobody"), 9);
	/* Nobody is there when a machine comes back. */
	stream_detach(bench.stream);
	stream_bench_attach(&bench);
	stream_bench_run(&bench);
	ck_assert(!bench.stream->open);
	stream_bench_finish(&bench);
}
END_TEST

const char unit_name[] = "stream";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_null),
	UNIT_CASE(test_one_fd),
	UNIT_CASE(test_pipes),
	UNIT_CASE(test_socket_pair),
	UNIT_CASE(test_plain_descriptors),
	UNIT_CASE(test_unix),
	UNIT_CASE(test_unix_leaves),
	UNIT_CASE(test_unix_half_closed),
	UNIT_CASE(test_unix_slow_reader),
	UNIT_CASE(test_unix_new_client),
	UNIT_CASE(test_unix_path),
	UNIT_CASE(test_pty),
	UNIT_CASE(test_pty_leaves),
	UNIT_CASE(test_pty_slow_reader),
	{0},
};
