/* SPDX-License-Identifier: Apache-2.0 */
/* The tap of the console: panics go by, and the last lines are kept. */
#include "console_tap.h"

#include <string.h>

#include "bench.h"
#include "unit.h"

static struct test_port back_end;
static struct console_tap tap;

static void open_tap(void)
{
	struct char_port below;

	test_port_init(&back_end);
	below = test_port_of(&back_end);
	console_tap_init(&tap, &below);
}

static void print(const char *text, size_t batch)
{
	struct char_port port = console_tap_port(&tap);
	size_t left = strlen(text);

	for (; left; text += batch) {
		batch = min_u64(batch, left);
		char_port_transmit(&port, (const uint8_t *)text, batch);
		left -= batch;
	}
}

static const struct {
	const char *text;
	bool panics;
} panic_rows[] = {
	{"", false},
	{"[    1.0] Kernel panic - not syncing: VFS: Unable to mount root fs", true},
	{"Kernel panic - not syncing", true},
	{"Kernel panic - not syncin", false},
	{"Kernel panic - not syncin\ng", false},
	{"KKernel panic - not syncing", true},
	{"Kernel Kernel panic - not syncing: Fatal exception\n", true},
	{"Kernel panic -Kernel panic - not syncing", true},
	{"kernel panic - not syncing", false},
	{"---[ end Kernel panic - not syncing: foo ]---\r\n", true},
};

START_TEST(test_panic)
{
	for (size_t batch = 1; batch <= 64; batch *= 2) {
		open_tap();
		print(panic_rows[_i].text, batch);
		ck_assert_int_eq(tap.panicked, panic_rows[_i].panics);
		console_tap_reset(&tap);
		ck_assert(!tap.panicked);
		ck_assert_str_eq(back_end.output, panic_rows[_i].text);
	}
}
END_TEST

static const struct {
	const char *printed;
	unsigned lines;
	const char *tail;
} tail_rows[] = {
	{"", 3, ""},
	{"one", 3, "one"},
	{"one\ntwo\n", 3, "one\ntwo\n"},
	{"one\ntwo\nthree\nfour\n", 3, "two\nthree\nfour\n"},
	{"one\ntwo\nthree\nfour", 3, "two\nthree\nfour"},
	{"one\ntwo\n", 1, "two\n"},
	{"one\r\ntwo\r\n", 1, "two\n"},
	{"\033[1mbold\tx\x80\n", 1, ".[1mbold\tx.\n"},
	{"\n\n\n", 2, "\n\n"},
};

START_TEST(test_tail)
{
	char text[CONSOLE_TAP_SIZE + 1];

	open_tap();
	print(tail_rows[_i].printed, 5);
	console_tap_tail(&tap, tail_rows[_i].lines, text);
	ck_assert_str_eq(text, tail_rows[_i].tail);
}
END_TEST

/* More than it holds, with and without ends of lines. */
START_TEST(test_tail_of_much)
{
	char text[CONSOLE_TAP_SIZE + 1];

	open_tap();
	for (unsigned i = 0; i < 3 * CONSOLE_TAP_SIZE; i++)
		print("x", 1);
	console_tap_tail(&tap, 10, text);
	ck_assert_uint_eq(strlen(text), CONSOLE_TAP_SIZE);
	print("\nlast", 5);
	console_tap_tail(&tap, 1, text);
	ck_assert_str_eq(text, "last");
	console_tap_reset(&tap);
	console_tap_tail(&tap, 10, text);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(test_passes_through)
{
	struct char_port port;
	uint8_t bytes[4] = "";

	open_tap();
	port = console_tap_port(&tap);
	back_end.input = "abc";
	ck_assert_uint_eq(char_port_pending(&port), 3);
	ck_assert_uint_eq(char_port_take(&port, bytes, 2), 2);
	ck_assert_str_eq((const char *)bytes, "ab");
	back_end.settled = false;
	ck_assert(!char_port_settle(&port, false));
	ck_assert(char_port_settle(&port, true));
	ck_assert_uint_eq(back_end.settles, 2);
	char_port_drain(&port);
	ck_assert_uint_eq(back_end.drains, 1);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_panic, ARRAY_SIZE(panic_rows)),
	UNIT_LOOP(test_tail, ARRAY_SIZE(tail_rows)),
	UNIT_CASE(test_tail_of_much),
	UNIT_CASE(test_passes_through),
	{0},
};
const char unit_name[] = "console_tap";
