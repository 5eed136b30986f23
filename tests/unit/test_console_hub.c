/* SPDX-License-Identifier: Apache-2.0 */
/* The console of a machine in the background: log, history, and who is attached. */
#include "control/console_hub.h"

#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit.h"

#define HISTORY (64 * KIB)
#define LARGE   (2 * MIB)

static struct event_loop *loop;
static struct console_hub *hub;
static char folder[32];
static char sock_path[64], log_path[64];

static void open_hub(void)
{
	struct console_hub_options options = {.socket = sock_path};
	struct error err = {0};
	char spec[96];

	strcpy(folder, "/tmp/armlet-hub-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(sock_path, sizeof(sock_path), "%s/console", folder);
	snprintf(log_path, sizeof(log_path), "%s/log", folder);
	snprintf(spec, sizeof(spec), "file:%s", log_path);
	ck_assert_int_eq(event_loop_create(&loop, &err), 0);
	options.loop = loop;
	options.log = spec;
	ck_assert_msg(console_hub_create(&options, &hub, &err) == 0, "%s", err.text);
}

static void close_hub(void)
{
	console_hub_destroy(hub);
	event_loop_destroy(loop);
	ck_assert_int_ne(access(sock_path, F_OK), 0);
	unlink(log_path);
	ck_assert_int_eq(rmdir(folder), 0);
}

static void work(void)
{
	for (unsigned i = 0; i < 8; i++) {
		event_loop_stop(loop);
		event_loop_run(loop);
	}
}

static int attach(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(addr.sun_path, sock_path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	work();
	return fd;
}

/* The guest writes, as fast as it is taken. */
static void print(const char *text, size_t size)
{
	int waiting = 1;

	while (size) {
		ssize_t sent = send(console_hub_out(hub), text, size, MSG_DONTWAIT);

		ck_assert(sent >= 0 || errno == EAGAIN);
		text += sent > 0 ? sent : 0;
		size -= sent > 0 ? (size_t)sent : 0;
		work();
	}
	/* Until the hub has all of it. */
	while (waiting) {
		work();
		ck_assert_int_eq(ioctl(console_hub_out(hub), SIOCOUTQ, &waiting), 0);
	}
}

/* What has come at @fd, as a string until the next call. */
static const char *heard(int fd, size_t *ret_size)
{
	static char text[LARGE + 1];
	size_t size = 0;
	ssize_t got;

	do {
		got = recv(fd, text + size, LARGE - size, MSG_DONTWAIT);
		size += got > 0 ? (size_t)got : 0;
		work();
	} while (got > 0);
	text[size] = '\0';
	if (ret_size)
		*ret_size = size;
	return text;
}

static void expect_log(const char *text)
{
	char found[128] = "";
	FILE *log = fopen(log_path, "re");

	ck_assert_ptr_nonnull(log);
	ck_assert_uint_eq(fread(found, 1, sizeof(found) - 1, log), strlen(text));
	ck_assert_str_eq(found, text);
	fclose(log);
}

START_TEST(test_output)
{
	int first, second;

	open_hub();
	first = attach();
	ck_assert_str_eq(heard(first, NULL), "");
	print("one\r\n", 5);
	second = attach();
	ck_assert_str_eq(heard(second, NULL), "one\r\n");
	print("two", 3);
	ck_assert_str_eq(heard(first, NULL), "one\r\ntwo");
	ck_assert_str_eq(heard(second, NULL), "two");
	close(first);
	work();
	print("!", 1);
	ck_assert_str_eq(heard(second, NULL), "!");
	expect_log("one\r\ntwo!");
	close(second);
	close_hub();
}
END_TEST

/* What was written last goes to the log though nobody has run the loop since. */
START_TEST(test_last_words)
{
	open_hub();
	ck_assert_int_eq(send(console_hub_out(hub), "bye", 3, 0), 3);
	console_hub_destroy(hub);
	hub = NULL;
	expect_log("bye");
	close_hub();
}
END_TEST

START_TEST(test_input)
{
	char text[16] = "";
	int first, second;

	open_hub();
	first = attach();
	second = attach();
	ck_assert_int_eq(send(first, "ab", 2, 0), 2);
	work();
	ck_assert_int_eq(send(second, "cd", 2, 0), 2);
	work();
	ck_assert_int_eq(recv(console_hub_in(hub), text, sizeof(text), MSG_DONTWAIT), 4);
	ck_assert_str_eq(text, "abcd");
	/* Who types no more still sees what is said. */
	shutdown(first, SHUT_WR);
	work();
	print("x", 1);
	ck_assert_str_eq(heard(first, NULL), "x");
	close(first);
	close(second);
	work();
	close_hub();
}
END_TEST

/* Nothing typed is lost while the guest takes nothing, and it comes in order. */
START_TEST(test_input_waits)
{
	static uint8_t sent[LARGE], got[LARGE];
	size_t done = 0, taken = 0;
	int fd;

	open_hub();
	fd = attach();
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 7 + i / 4099);
	for (unsigned round = 0; taken < sizeof(sent); round++) {
		ssize_t n = send(fd, sent + done, sizeof(sent) - done, MSG_DONTWAIT);

		done += n > 0 ? (size_t)n : 0;
		work();
		/* At first it takes nothing at all. */
		if (round < 20)
			continue;
		n = recv(console_hub_in(hub), got + taken, sizeof(got) - taken, MSG_DONTWAIT);
		taken += n > 0 ? (size_t)n : 0;
	}
	ck_assert_mem_eq(sent, got, sizeof(sent));
	close(fd);
	work();
	close_hub();
}
END_TEST

/* The last 64 KiB, whatever was before. */
START_TEST(test_history)
{
	static const size_t sizes[] = {1, HISTORY - 1, HISTORY, HISTORY + 1, 3 * HISTORY + 777};
	size_t size = sizes[_i], wanted = min_u64(size, HISTORY), found = 0;
	char *text = malloc(size);
	int fd;

	open_hub();
	for (size_t i = 0; i < size; i++)
		text[i] = (char)('a' + i % 23);
	print(text, size);
	fd = attach();
	ck_assert_mem_eq(heard(fd, &found), text + size - wanted, wanted);
	ck_assert_uint_eq(found, wanted);
	close(fd);
	work();
	free(text);
	close_hub();
}
END_TEST

/* The guest does not wait for a reader that reads nothing; another one loses nothing. */
START_TEST(test_slow_reader)
{
	static char line[4096];
	size_t got, total = 0;
	int slow, quick;

	open_hub();
	slow = attach();
	quick = attach();
	memset(line, 'x', sizeof(line));
	for (size_t i = 0; i < LARGE / sizeof(line); i++) {
		print(line, sizeof(line));
		heard(quick, &got);
		total += got;
	}
	ck_assert_uint_eq(total, LARGE);
	heard(slow, &got);
	ck_assert_uint_lt(got, LARGE);
	ck_assert_int_eq(recv(slow, line, 1, MSG_DONTWAIT), 0); /* and it was dropped */
	close(slow);
	close(quick);
	work();
	close_hub();
}
END_TEST

START_TEST(test_refused)
{
	struct console_hub_options options = {.socket = "/none/such", .log = "null"};
	struct console_hub *none = NULL;
	struct error err = {0};

	ck_assert_int_eq(event_loop_create(&loop, &err), 0);
	options.loop = loop;
	ck_assert_int_eq(console_hub_create(&options, &none, &err), -ENOENT);
	ck_assert_str_eq(err.text, "unix:/none/such cannot be made: No such file or directory");
	options.log = "file:/none/such";
	ck_assert_int_eq(console_hub_create(&options, &none, &err), -ENOENT);
	ck_assert_ptr_null(none);
	event_loop_destroy(loop);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_output),     UNIT_CASE(test_last_words),
	UNIT_CASE(test_input),      UNIT_CASE(test_input_waits),
	UNIT_LOOP(test_history, 5), UNIT_CASE(test_slow_reader),
	UNIT_CASE(test_refused),    {0},
};
const char unit_name[] = "console_hub";
