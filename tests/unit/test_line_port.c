/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest prints comes to the main thread in lines, and waits for it in bounds. */
#include "trial/line_port.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

#define BATCH 4096 /* bytes that a device transmits before it settles, at most */
#define MARK  (64 * KIB)

static struct event_loop *loop;
static struct line_port *port;
static struct char_port out;
static pthread_t main_thread;

/* Lines that have come, each with "|" behind it. */
static char lines[65536];
static size_t lines_size, line_count;
static size_t wanted; /* lines: then the loop ends */

static void keep_line(void *data, const char *text, size_t size)
{
	ck_assert_ptr_eq(data, &lines);
	ck_assert(pthread_equal(pthread_self(), main_thread));
	ck_assert_uint_le(size, LINE_PORT_LINE);
	ck_assert_uint_lt(lines_size + size + 1, sizeof(lines));
	memcpy(lines + lines_size, text, size);
	lines_size += size;
	lines[lines_size++] = '|';
	lines[lines_size] = '\0';
	if (++line_count == wanted)
		event_loop_stop(loop);
}

static void open_port(void (*line)(void *data, const char *text, size_t size))
{
	struct line_port_options options = {.line = line, .data = &lines};
	struct error err = {0};

	ck_assert_int_eq(event_loop_create(&loop, &err), 0);
	options.loop = loop;
	ck_assert_int_eq(line_port_create(&options, &port, &err), 0);
	out = line_port_port(port);
	main_thread = pthread_self();
	lines_size = line_count = wanted = 0;
	lines[0] = '\0';
}

static void close_port(void)
{
	line_port_destroy(port);
	event_loop_destroy(loop);
}

static void print_bytes(const char *text, size_t size)
{
	char_port_transmit(&out, (const uint8_t *)text, size);
}

static void print(const char *text)
{
	print_bytes(text, strlen(text));
}

/* Until there are @count lines. */
static void run_until(size_t count)
{
	wanted = count;
	while (line_count < count)
		ck_assert_int_eq(event_loop_run(loop), 0);
	ck_assert_uint_eq(line_count, count);
}

static const struct {
	const char *printed; /* "_" parts what is transmitted at once */
	size_t loop;         /* lines that the loop brings */
	const char *lines;   /* with those that the end brings */
} rows[] = {
	{"one\n", 1, "one|"},
	{"one\ntwo\nthree\n", 3, "one|two|three|"},
	{"one\r\ntwo\r\n", 2, "one|two|"},
	{"one\r_\ntwo_\r_\n", 2, "one|two|"},
	{"o_n_e_\n_t_w_o_\n", 2, "one|two|"},
	{"one\ntw_o\nthr_ee\n", 3, "one|two|three|"},
	{"\n\r\n\n", 3, "|||"},
	{"a\rb\r\r\n\r", 1, "a\rb\r||"},
	{"one\ntwo", 1, "one|two|"},
	{"one\n_two\r", 1, "one|two|"},
	{"one", 0, "one|"},
	{"o_n_e", 0, "one|"},
	{"", 0, ""},
	{"_", 0, ""},
};

static void print_parts(const char *parts)
{
	while (*parts) {
		size_t size = strcspn(parts, "_");

		print_bytes(parts, size);
		parts += size + (parts[size] == '_');
	}
}

START_TEST(test_lines)
{
	open_port(keep_line);
	print_parts(rows[_i].printed);
	ck_assert_uint_eq(line_count, 0); /* never where it is printed */
	run_until(rows[_i].loop);
	line_port_finish(port);
	ck_assert_str_eq(lines, rows[_i].lines);
	/* Then there is nothing more. */
	line_port_finish(port);
	ck_assert_str_eq(lines, rows[_i].lines);
	close_port();
}
END_TEST

/* A NUL is a byte as any other. */
START_TEST(test_nul)
{
	open_port(keep_line);
	print_bytes("a\0b\n\0\n", 6);
	run_until(2);
	ck_assert_uint_eq(lines_size, 6);
	ck_assert_mem_eq(lines, "a\0b|\0|", 6);
	close_port();
}
END_TEST

/* A line that the loop finds begun is gone on with. */
START_TEST(test_begun)
{
	open_port(keep_line);
	print("one\ntw");
	run_until(1);
	ck_assert_str_eq(lines, "one|");
	print("o\nthr");
	run_until(2);
	ck_assert_str_eq(lines, "one|two|");
	char_port_drain(&out);
	print("ee");
	char_port_drain(&out);
	ck_assert_str_eq(lines, "one|two|");
	line_port_finish(port);
	ck_assert_str_eq(lines, "one|two|three|");
	print("four\n");
	run_until(4);
	ck_assert_str_eq(lines, "one|two|three|four|");
	close_port();
}
END_TEST

/* ---- Long lines ------------------------------------------------------- */

static const struct {
	size_t length;
	const char *end;
	size_t parts;
} long_rows[] = {
	{LINE_PORT_LINE - 1, "\n", 1},   {LINE_PORT_LINE - 1, "\r\n", 1},
	{LINE_PORT_LINE, "\n", 1},       {LINE_PORT_LINE, "", 1},
	{LINE_PORT_LINE + 1, "\n", 2},   {LINE_PORT_LINE + 1, "\r\n", 2},
	{2 * LINE_PORT_LINE, "\n", 2},   {3 * LINE_PORT_LINE + 5, "\n", 4},
	{3 * LINE_PORT_LINE + 5, "", 4},
};

static void check_long(const char *text, size_t length, size_t parts)
{
	size_t at = 0;

	ck_assert_uint_eq(line_count, parts + 1);
	for (size_t i = 0; i < parts; i++) {
		size_t size = min_u64(LINE_PORT_LINE, length - i * LINE_PORT_LINE);

		ck_assert_mem_eq(lines + at, text + i * LINE_PORT_LINE, size);
		at += size;
		ck_assert_int_eq(lines[at++], '|');
	}
	ck_assert_str_eq(lines + at, "next|");
}

/* They come in parts, which are the same however they were transmitted. */
START_TEST(test_long)
{
	static const size_t pieces[] = {1, 100, LINE_PORT_LINE - 1, LINE_PORT_LINE, 16384};
	static char text[4 * LINE_PORT_LINE];
	size_t length = long_rows[_i].length, size;

	for (size_t i = 0; i < length; i++)
		text[i] = (char)('a' + i % 23);
	size = length +
	       (size_t)snprintf(text + length, sizeof(text) - length, "%s", long_rows[_i].end);
	for (size_t p = 0; p < ARRAY_SIZE(pieces); p++) {
		open_port(keep_line);
		for (size_t at = 0; at < size; at += pieces[p]) {
			print_bytes(text + at, min_u64(pieces[p], size - at));
			char_port_drain(&out);
		}
		line_port_finish(port);
		print("next\n");
		run_until(long_rows[_i].parts + 1);
		check_long(text, length, long_rows[_i].parts);
		close_port();
	}
}
END_TEST

/* ---- How much waits --------------------------------------------------- */

static const uint8_t batch[BATCH] = {[BATCH - 1] = '\n'};
static size_t batches_seen;

static void count_line(void *data, const char *text, size_t size)
{
	(void)data;
	ck_assert_mem_eq(text, batch, size);
	batches_seen++;
	event_loop_stop(loop);
}

/* Who may not wait is told; then there is room again for as much. */
START_TEST(test_settle)
{
	batches_seen = 0;
	open_port(count_line);
	ck_assert(char_port_settle(&out, false));
	for (size_t round = 1; round <= 3; round++) {
		size_t sent = 0;

		while (char_port_settle(&out, false)) {
			char_port_transmit(&out, batch, BATCH);
			sent += BATCH;
			ck_assert_uint_le(sent, MARK + BATCH);
		}
		ck_assert_uint_eq(sent, MARK + BATCH);
		/* As at the end of a boot, and by the loop. */
		if (round == 2)
			char_port_drain(&out);
		while (batches_seen < round * (MARK / BATCH + 1))
			ck_assert_int_eq(event_loop_run(loop), 0);
		ck_assert_uint_eq(batches_seen, round * (MARK / BATCH + 1));
		ck_assert(char_port_settle(&out, false));
		ck_assert(char_port_settle(&out, true));
	}
	close_port();
}
END_TEST

/* Of the input that it has not. */
START_TEST(test_no_input)
{
	uint8_t byte = 0;

	open_port(keep_line);
	ck_assert_uint_eq(char_port_pending(&out), 0);
	ck_assert_uint_eq(char_port_take(&out, &byte, 1), 0);
	close_port();
	line_port_destroy(NULL);
}
END_TEST

/* ---- Two threads ------------------------------------------------------ */

#define FLOOD      (10 * MIB)
#define FLOOD_LINE 64 /* bytes of one at most */

static size_t sent; /* bytes; atomic */
static size_t most; /* that were under way */

/* Lines of all lengths, which say what they are. */
static size_t flood_line(size_t number, char line[static FLOOD_LINE])
{
	return (size_t)snprintf(line, FLOOD_LINE, "%08zu %.*s\r\n", number, (int)(number % 50),
				"the quick brown fox jumps over the lazy dog, and again");
}

static void check_flood_line(void *data, const char *text, size_t size)
{
	static size_t seen; /* bytes */
	char line[FLOOD_LINE];
	size_t length = flood_line(line_count++, line);

	(void)data;
	ck_assert_uint_eq(size, length - 2);
	ck_assert_mem_eq(text, line, size);
	most = max_u64(most, __atomic_load_n(&sent, __ATOMIC_ACQUIRE) - seen);
	seen += length;
	if (line_count == wanted)
		event_loop_stop(loop);
}

static void flood_piece(const uint8_t *piece, size_t size)
{
	__atomic_add_fetch(&sent, size, __ATOMIC_RELEASE);
	char_port_transmit(&out, piece, size);
	char_port_settle(&out, true);
}

/* In pieces of all sizes. */
static void *flood(void *data)
{
	uint8_t piece[BATCH];
	char line[FLOOD_LINE];
	size_t size = 0;

	for (size_t number = 0; number < *(const size_t *)data; number++) {
		size_t length = flood_line(number, line);

		for (size_t i = 0; i < length; i++) {
			piece[size++] = (uint8_t)line[i];
			if (size <= number % BATCH)
				continue;
			flood_piece(piece, size);
			size = 0;
		}
	}
	flood_piece(piece, size);
	return NULL;
}

/* What the main thread splits, what waits behind that, and what is just transmitted. */
START_TEST(test_flood)
{
	size_t count = FLOOD / 35; /* a line's mean */
	pthread_t thread;

	open_port(check_flood_line);
	ck_assert_int_eq(pthread_create(&thread, NULL, flood, &count), 0);
	run_until(count);
	pthread_join(thread, NULL);
	ck_assert_uint_ge(sent, FLOOD);
	ck_assert_uint_le(most, 2 * (MARK + BATCH) + BATCH);
	close_port();
}
END_TEST

static void *print_too_much(void *data)
{
	(void)data;
	for (size_t done = 0; done < MARK + BATCH; done += BATCH)
		char_port_transmit(&out, batch, BATCH);
	return char_port_settle(&out, true) ? &out : NULL;
}

/* A vCPU that waits at the end of a boot goes on, though the loop runs no more. */
START_TEST(test_drain)
{
	pthread_t thread;
	void *settled = NULL;

	batches_seen = 0;
	open_port(count_line);
	ck_assert_int_eq(pthread_create(&thread, NULL, print_too_much, NULL), 0);
	while (char_port_settle(&out, false))
		sched_yield();
	char_port_drain(&out);
	pthread_join(thread, &settled);
	ck_assert_ptr_eq(settled, &out);
	ck_assert_uint_eq(batches_seen, MARK / BATCH + 1);
	close_port();
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_lines, ARRAY_SIZE(rows)),
	UNIT_CASE(test_nul),
	UNIT_CASE(test_begun),
	UNIT_LOOP(test_long, ARRAY_SIZE(long_rows)),
	UNIT_CASE(test_settle),
	UNIT_CASE(test_no_input),
	UNIT_CASE(test_flood),
	UNIT_CASE(test_drain),
	{0},
};
const char unit_name[] = "line_port";
