/* SPDX-License-Identifier: Apache-2.0 */
/* The console's output on real descriptors: files, pipes, sockets, terminals. */
#include "control/console.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

#include "bench.h"
#include "console_bench.h"
#include "unit.h"

#define MUCH (1 * MIB)

static size_t transmitted;

static void transmit(size_t size)
{
	uint8_t bytes[64];

	while (size) {
		size_t batch = min_u64(size, sizeof(bytes));

		for (size_t i = 0; i < batch; i++)
			bytes[i] = pattern(transmitted + i);
		char_port_transmit(&bench.port, bytes, batch);
		transmitted += batch;
		size -= batch;
	}
}

/* A vCPU's thread: prints and settles. */
static atomic_size_t written;
static atomic_bool writer_done;

static void *write_much(void *data)
{
	size_t size = *(const size_t *)data;

	while (written < size) {
		transmit(16);
		written += 16;
		char_port_settle(&bench.port, true);
	}
	writer_done = true;
	return NULL;
}

/* The world: reads all that comes, slowly or not, and checks it. */
struct reader {
	int fd;
	size_t want;
	unsigned pause_us; /* before each read */
	size_t batch;
	atomic_size_t got;
	bool wrong;
};

static void *read_all(void *data)
{
	struct reader *reader = data;
	uint8_t bytes[4096];
	ssize_t n = 0;

	while (reader->got < reader->want) {
		if (reader->pause_us)
			usleep(reader->pause_us);
		n = read(reader->fd, bytes, min_u64(reader->batch, sizeof(bytes)));
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			reader->wrong |= bytes[i] != pattern(reader->got + (size_t)i);
		reader->got += (size_t)n;
	}
	return NULL;
}

static const struct {
	enum sink sink;
	unsigned pause_us;
	size_t batch;
	size_t size;
} stream_rows[] = {
	{SINK_PIPE, 0, 4096, MUCH},
	{SINK_PIPE, 300, 4096, MUCH},
	{SINK_PIPE, 0, 1, 100 * KIB},
	{SINK_SOCKET, 0, 4096, MUCH},
	{SINK_SOCKET, 300, 4096, MUCH},
	{SINK_TERMINAL, 0, 4096, 300 * KIB},
	{SINK_TERMINAL, 300, 4096, 300 * KIB},
};

/* Whatever the reader's speed: every byte, in order, and no more waits than may. */
START_TEST(test_stream)
{
	struct reader reader = {.want = stream_rows[_i].size,
				.pause_us = stream_rows[_i].pause_us,
				.batch = stream_rows[_i].batch};
	size_t size = stream_rows[_i].size;
	pthread_t threads[2];
	int null_fd = open("/dev/null", O_RDWR);
	int fds[2];

	open_sink(stream_rows[_i].sink, fds);
	reader.fd = fds[0];
	open_console(null_fd, fds[1]);
	/* Shared with others, so its own flags stay. */
	ck_assert_int_eq(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	pthread_create(&threads[0], NULL, write_much, &size);
	pthread_create(&threads[1], NULL, read_all, &reader);
	while (!writer_done) {
		run_for(5);
		/* Mark, a batch, and what the kernel holds on the way. */
		ck_assert_uint_le(written, reader.got + MARK + 16 + 600 * KIB);
	}
	char_port_drain(&bench.port);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	ck_assert_uint_eq(reader.got, size);
	ck_assert(!reader.wrong);
	close_console();
}
END_TEST

START_TEST(test_file)
{
	int out = memfd_create("out", 0);
	int null_fd = open("/dev/null", O_RDWR);
	size_t size = MUCH;
	bool wrong = false;
	uint8_t *bytes;

	open_console(null_fd, out);
	write_much(&size);
	char_port_drain(&bench.port);
	close_console();
	ck_assert_int_eq(lseek(out, 0, SEEK_END), (off_t)size);
	bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, out, 0);
	for (size_t i = 0; i < size; i++)
		wrong |= bytes[i] != pattern(i);
	ck_assert(!wrong);
}
END_TEST

/* Nobody reads: settle says so, the writer waits, and abandon lets it go. */
START_TEST(test_abandon)
{
	size_t size = MUCH;
	pthread_t thread;
	const char *text;
	int fds[2];

	open_sink(_i ? SINK_SOCKET : SINK_PIPE, fds);
	open_console(open("/dev/null", O_RDWR), fds[1]);
	ck_assert(char_port_settle(&bench.port, false));
	pthread_create(&thread, NULL, write_much, &size);
	run_for(200);
	ck_assert(!writer_done);
	ck_assert_uint_lt(written, MUCH / 2 + 300 * KIB);
	ck_assert(!char_port_settle(&bench.port, false));
	console_abandon(bench.console);
	pthread_join(thread, NULL);
	ck_assert(char_port_settle(&bench.port, true));
	char_port_drain(&bench.port);
	capture_stderr();
	close_console();
	text = captured_stderr();
	ck_assert_uint_eq(count_text(text, "bytes of the console's output were not written"), 1);
}
END_TEST

/* A drain ends by abandon, which a callback calls. */
static void on_abandon(void *data, unsigned events)
{
	(void)events;
	(void)data;
	console_abandon(bench.console);
}

START_TEST(test_abandon_ends_drain)
{
	struct event_source timer = {.fd = -1, .callback = on_abandon};
	int fds[2];

	open_sink(SINK_PIPE, fds);
	open_console(open("/dev/null", O_RDWR), fds[1]);
	transmit(200 * KIB);
	ck_assert(!char_port_settle(&bench.port, false));
	event_loop_add_timer(bench.loop, &timer, CLOCK_MONOTONIC);
	event_timer_set(&timer, 50000000, 0);
	char_port_drain(&bench.port);
	event_source_remove(&timer);
	close_console();
}
END_TEST

/* A drain also ends when it is a vCPU that writes the last of it. */
static void *read_and_settle(void *data)
{
	struct reader *reader = data;
	uint8_t bytes[4096];

	usleep(50000);
	while (reader->got < reader->want) {
		ssize_t n = read(reader->fd, bytes, sizeof(bytes));

		reader->got += (size_t)n;
		char_port_settle(&bench.port, false);
	}
	return NULL;
}

START_TEST(test_drain_beside_settle)
{
	struct reader reader = {.want = 200 * KIB};
	pthread_t thread;
	int fds[2];

	open_sink(SINK_PIPE, fds);
	reader.fd = fds[0];
	open_console(open("/dev/null", O_RDWR), fds[1]);
	transmit(reader.want);
	pthread_create(&thread, NULL, read_and_settle, &reader);
	char_port_drain(&bench.port);
	pthread_join(thread, NULL);
	close_console();
}
END_TEST

/* The reader goes away: told once, the guest goes on, and the loop does not spin. */
START_TEST(test_reader_leaves)
{
	const char *text;
	int64_t before;
	int fds[2];

	open_sink((enum sink)(_i / 2), fds);
	open_console(open("/dev/null", O_RDWR), fds[1]);
	if (_i % 2) { /* it had to be waited for before */
		transmit(300 * KIB);
		char_port_settle(&bench.port, false);
	}
	capture_stderr();
	close(fds[0]);
	transmit(16);
	ck_assert(char_port_settle(&bench.port, true));
	transmit(16);
	ck_assert(char_port_settle(&bench.port, true));
	before = cpu_ms();
	run_for(300);
	ck_assert_int_lt(cpu_ms() - before, ASLEEP_MS);
	char_port_drain(&bench.port);
	close_console();
	text = captured_stderr();
	ck_assert_uint_eq(count_text(text, "cannot be written"), 1);
}
END_TEST

/* The same when all was written before the reader left, and nothing comes any more. */
START_TEST(test_reader_leaves_at_rest)
{
	struct reader reader = {.want = 300 * KIB, .batch = 4096};
	pthread_t thread;
	int64_t before;
	int fds[2];

	open_sink((enum sink)_i, fds);
	reader.fd = fds[0];
	open_console(open("/dev/null", O_RDWR), fds[1]);
	transmit(reader.want);
	pthread_create(&thread, NULL, read_all, &reader);
	char_port_drain(&bench.port);
	pthread_join(thread, NULL);
	close(fds[0]);
	before = cpu_ms();
	run_for(300);
	ck_assert_int_lt(cpu_ms() - before, ASLEEP_MS);
	close_console();
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_stream, ARRAY_SIZE(stream_rows)),
	UNIT_CASE(test_file),
	UNIT_LOOP(test_abandon, 2),
	UNIT_CASE(test_abandon_ends_drain),
	UNIT_CASE(test_drain_beside_settle),
	UNIT_LOOP(test_reader_leaves, 6),
	UNIT_LOOP(test_reader_leaves_at_rest, 3),
	{0},
};
const char unit_name[] = "console";
