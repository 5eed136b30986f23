/* SPDX-License-Identifier: Apache-2.0 */
#include "control/console_watch.h"

#include <string.h>

#include "base/now.h"
#include "bench.h"
#include "unit.h"

static struct event_loop *loop;
static struct test_port back_end;
static struct console_watch *watch;
static unsigned told;

static void on_seen(void *data)
{
	ck_assert_ptr_eq(data, &told);
	told++;
}

static void open_watch(const char *text)
{
	struct console_watch_options options = {.text = text, .seen = on_seen, .data = &told};
	struct error err = {0};

	ck_assert_int_eq(event_loop_create(&loop, &err), 0);
	test_port_init(&back_end);
	options.loop = loop;
	options.below = test_port_of(&back_end);
	told = 0;
	ck_assert_int_eq(console_watch_create(&options, &watch, &err), 0);
}

static void close_watch(void)
{
	console_watch_destroy(watch);
	event_loop_destroy(loop);
}

/* @wanted: how often it is told after that. */
static void print(const char *text, size_t batch, unsigned wanted)
{
	struct char_port port = console_watch_port(watch);
	int64_t patience = now_ms() + 10000;

	for (size_t left = strlen(text); left; text += batch) {
		batch = min_u64(batch, left);
		char_port_transmit(&port, (const uint8_t *)text, batch);
		left -= batch;
	}
	/* The timer is due at once, as soon as the host's kernel sees that; a round takes it. */
	for (unsigned i = 0; i < 3 || (told < wanted && now_ms() < patience); i++) {
		event_loop_stop(loop);
		event_loop_run(loop);
	}
}

static const struct {
	const char *text;
	const char *printed;
	bool seen;
} rows[] = {
	{"login:", "debian login: ", true},
	{"login:", "login", false},
	{"login:", "log\nin:", false},
	{"login:", "lolologin:", true},
	{"aab", "aaab", true},
	{"aab", "aaaaaaaaab", true},
	{"aab", "aacaab", true},
	{"abab", "abaabab", true},
	{"ababac", "abababac", true},
	{"ababac", "ababababab", false},
	{"x", "x", true},
	{"x", "", false},
	{"\xc3\xa9t\xc3\xa9", "\xc3\xc3\xa9t\xc3\xa9", true},
};

START_TEST(test_text)
{
	for (size_t batch = 1; batch <= 16; batch *= 2) {
		open_watch(rows[_i].text);
		print(rows[_i].printed, batch, rows[_i].seen);
		ck_assert_uint_eq(told, rows[_i].seen);
		ck_assert_str_eq(back_end.output, rows[_i].printed);
		close_watch();
	}
}
END_TEST

START_TEST(test_once)
{
	open_watch("up");
	print("upupup", 2, 1);
	print("up", 2, 1);
	ck_assert_uint_eq(told, 1);
	console_watch_again(watch);
	print("p", 1, 1);
	ck_assert_uint_eq(told, 1);
	print("u", 1, 1);
	print("p", 1, 2);
	ck_assert_uint_eq(told, 2);
	close_watch();
}
END_TEST

/* The half that the last boot has written is no half of the next one's. */
START_TEST(test_again)
{
	open_watch("up");
	print("u", 1, 0);
	console_watch_again(watch);
	print("p", 1, 0);
	ck_assert_uint_eq(told, 0);
	console_watch_again(NULL);
	close_watch();
}
END_TEST

START_TEST(test_passes)
{
	struct char_port port;
	uint8_t data[8];

	open_watch("up");
	port = console_watch_port(watch);
	back_end.input = "abc";
	ck_assert_uint_eq(char_port_pending(&port), 3);
	ck_assert_uint_eq(char_port_take(&port, data, 2), 2);
	ck_assert_mem_eq(data, "ab", 2);
	back_end.settled = false;
	ck_assert(!char_port_settle(&port, false));
	char_port_drain(&port);
	ck_assert_uint_eq(back_end.drains, 1);
	close_watch();
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_text, ARRAY_SIZE(rows)),
	UNIT_CASE(test_once),
	UNIT_CASE(test_again),
	UNIT_CASE(test_passes),
	{0},
};
const char unit_name[] = "console_watch";
