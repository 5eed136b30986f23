/* SPDX-License-Identifier: Apache-2.0 */
/* The console's input on real descriptors, and the keys of a terminal. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "bench.h"
#include "console_bench.h"
#include "unit.h"

#define CTRL_A "\001"

static size_t take_all(char *text, size_t size)
{
	size_t count = 0;
	size_t n;

	while ((n = char_port_take(&bench.port, (uint8_t *)text + count,
				   min_u64(16, size - 1 - count))))
		count += n;
	text[count] = '\0';
	return count;
}

enum source { SOURCE_PIPE, SOURCE_SOCKET, SOURCE_FILE };

static void *write_input(void *data)
{
	int fd = *(const int *)data;

	for (size_t at = 0; at < 100 * KIB; at++) {
		uint8_t byte = pattern(at);

		if (write(fd, &byte, 1) != 1)
			break;
	}
	close(fd);
	return NULL;
}

/* A paste of 100 KB that a slow guest takes 16 bytes at a time. */
START_TEST(test_input_is_not_lost)
{
	int out = open("/dev/null", O_RDWR);
	pthread_t thread;
	size_t got = 0;
	int fds[2];

	if (_i == SOURCE_FILE) {
		fds[0] = memfd_create("in", 0);
		fds[1] = dup(fds[0]);
		write_input(&fds[1]);
		lseek(fds[0], 0, SEEK_SET);
	} else {
		open_sink(_i == SOURCE_PIPE ? SINK_PIPE : SINK_SOCKET, fds);
	}
	open_console(fds[0], out);
	if (_i != SOURCE_FILE)
		pthread_create(&thread, NULL, write_input, &fds[1]);
	for (unsigned idle = 0; got < 100 * KIB && idle < 1000; idle++) {
		uint8_t bytes[16];
		size_t n;

		run_for(1);
		while ((n = char_port_take(&bench.port, bytes, sizeof(bytes)))) {
			for (size_t i = 0; i < n; i++)
				ck_assert_uint_eq(bytes[i], pattern(got + i));
			got += n;
			idle = 0;
		}
	}
	ck_assert_uint_eq(got, 100 * KIB);
	ck_assert_uint_gt(bench.ready, 0);
	ck_assert_uint_eq(char_port_pending(&bench.port), 0);
	if (_i != SOURCE_FILE)
		pthread_join(thread, NULL);
	close_console();
}
END_TEST

/* A guest that takes nothing: input waits outside, and the loop sleeps, also after a hangup. */
START_TEST(test_input_that_nobody_takes)
{
	int out = open("/dev/null", O_RDWR);
	char text[16384];
	int64_t before;
	int fds[2];

	memset(text, 'x', sizeof(text));
	open_sink(SINK_PIPE, fds);
	ck_assert_int_eq(write(fds[1], text, 10000), 10000);
	close(fds[1]);
	open_console(fds[0], out);
	before = cpu_ms();
	run_for(300);
	ck_assert_int_lt(cpu_ms() - before, ASLEEP_MS);
	ck_assert_uint_ge(char_port_pending(&bench.port), 4096);
	for (size_t got = 0; got < 10000;) {
		got += take_all(text, sizeof(text));
		run_for(5);
	}
	run_for(50);
	ck_assert_uint_eq(char_port_pending(&bench.port), 0);
	close_console();
}
END_TEST

/* Standard input that is closed, empty or a device of nothing. */
START_TEST(test_no_input)
{
	int fd = _i == 0 ? 999 : _i == 1 ? memfd_create("empty", 0) : open("/dev/null", O_RDONLY);
	uint8_t byte;

	open_console(fd, open("/dev/null", O_WRONLY));
	run_for(20);
	ck_assert_uint_eq(char_port_pending(&bench.port), 0);
	ck_assert_uint_eq(char_port_take(&bench.port, &byte, 1), 0);
	close_console();
}
END_TEST

/* Let the loop run until it has read what @fd has for it. */
static void run_until_read(int fd)
{
	struct pollfd arrives = {.fd = fd, .events = POLLIN};
	int left = 1;

	/* A terminal passes on what is typed when it comes to it. */
	ck_assert_int_eq(poll(&arrives, 1, 10000), 1);
	for (unsigned i = 0; i < 1000 && left; i++) {
		run_for(5);
		ck_assert_int_eq(ioctl(fd, FIONREAD, &left), 0);
	}
	run_for(5);
}

static const struct {
	const char *typed; /* '|' stands between what comes in separate reads */
	const char *guest;
	const char *keys;
} key_rows[] = {
	{"hello\r", "hello\r", ""},
	{"a" CTRL_A "xb", "ab", "x"},
	{CTRL_A "p" CTRL_A "b" CTRL_A "x", "", "pbx"},
	{CTRL_A "|x", "", "x"},
	{CTRL_A CTRL_A "x", CTRL_A "x", ""},
	{CTRL_A "|" CTRL_A "|x", CTRL_A "x", ""},
	{CTRL_A "q", "", ""},
	{"\003\004\032", "\003\004\032", ""}, /* Ctrl-C, Ctrl-D and Ctrl-Z are the guest's */
};

START_TEST(test_keys)
{
	char typed[64];
	char text[64];
	char *rest = typed;
	char *part;
	int fds[2];

	open_sink(SINK_TERMINAL, fds);
	open_console(fds[1], open("/dev/null", O_RDWR));
	snprintf(typed, sizeof(typed), "%s", key_rows[_i].typed);
	while ((part = strsep(&rest, "|"))) {
		ck_assert_int_eq(write(fds[0], part, strlen(part)), (ssize_t)strlen(part));
		run_until_read(fds[1]);
	}
	take_all(text, sizeof(text));
	ck_assert_str_eq(text, key_rows[_i].guest);
	ck_assert_str_eq(bench.keys, key_rows[_i].keys);
	close_console();
}
END_TEST

/* Ctrl-a is a byte like others when it does not come from a terminal. */
START_TEST(test_no_keys_in_a_pipe)
{
	char text[16];
	int fds[2];

	open_sink(SINK_PIPE, fds);
	open_console(fds[0], open("/dev/null", O_RDWR));
	ck_assert_int_eq(write(fds[1], CTRL_A "x", 2), 2);
	run_until_read(fds[0]);
	take_all(text, sizeof(text));
	ck_assert_str_eq(text, CTRL_A "x");
	ck_assert_str_eq(bench.keys, "");
	close_console();
}
END_TEST

START_TEST(test_help_key)
{
	const char *text;
	int fds[2];

	open_sink(SINK_TERMINAL, fds);
	open_console(fds[1], open("/dev/null", O_RDWR));
	capture_stderr();
	ck_assert_int_eq(write(fds[0], CTRL_A "h", 2), 2);
	run_until_read(fds[1]);
	text = captured_stderr();
	ck_assert_uint_eq(count_text(text, "\r\nCtrl-a "), 5);
	close_console();
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_input_is_not_lost, 3),
	UNIT_CASE(test_input_that_nobody_takes),
	UNIT_LOOP(test_no_input, 3),
	UNIT_LOOP(test_keys, ARRAY_SIZE(key_rows)),
	UNIT_CASE(test_no_keys_in_a_pipe),
	UNIT_CASE(test_help_key),
	{0},
};
const char unit_name[] = "console_input";
