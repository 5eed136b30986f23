/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <fcntl.h>
#include <string.h>

#include "bench.h"
#include "unit.h"

static const struct {
	enum log_level level;
	unsigned lines;
} level_rows[] = {
	{LOG_LEVEL_ERROR, 1}, {LOG_LEVEL_WARNING, 2}, {LOG_LEVEL_INFO, 3}, {LOG_LEVEL_DEBUG, 4}};

START_TEST(test_levels)
{
	const char *text;

	ck_assert_int_eq(log_level(), LOG_LEVEL_WARNING);
	log_set_level(level_rows[_i].level);
	ck_assert_int_eq(log_level(), level_rows[_i].level);
	capture_stderr();
	log_error("e %d", 1);
	log_warning("w");
	log_info("i");
	log_debug("d");
	text = captured_stderr();
	ck_assert_uint_eq(count_text(text, "\n"), level_rows[_i].lines);
	ck_assert_int_eq(strncmp(text, "armlet: e 1\n", 12), 0);
}
END_TEST

START_TEST(test_names)
{
	enum log_level level = LOG_LEVEL_DEBUG;

	ck_assert_int_eq(log_level_parse("error", &level), 0);
	ck_assert_int_eq(level, LOG_LEVEL_ERROR);
	ck_assert_int_eq(log_level_parse("warning", &level), 0);
	ck_assert_int_eq(level, LOG_LEVEL_WARNING);
	ck_assert_int_eq(log_level_parse("info", &level), 0);
	ck_assert_int_eq(log_level_parse("debug", &level), 0);
	ck_assert_int_eq(level, LOG_LEVEL_DEBUG);
	ck_assert_int_eq(log_level_parse("loud", &level), -EINVAL);
	ck_assert_int_eq(level, LOG_LEVEL_DEBUG);
}
END_TEST

/* A terminal in raw mode needs the carriage return. */
START_TEST(test_raw_terminal)
{
	capture_stderr();
	log_set_raw_terminal(true);
	log_error("one");
	log_set_raw_terminal(false);
	log_error("two");
	ck_assert_str_eq(captured_stderr(), "armlet: one\r\narmlet: two\n");
}
END_TEST

/* A line that is too long is cut, and still ends as a line. */
START_TEST(test_long_line)
{
	static const size_t lengths[] = {1000, 1010, 1011, 1012, 1013,
					 1014, 1015, 1016, 1023, 5000};
	char much[5001];
	const char *text;

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		memset(much, 'x', lengths[i]);
		much[lengths[i]] = '\0';
		for (int raw = 0; raw < 2; raw++) {
			log_set_raw_terminal(raw);
			capture_stderr();
			log_error("%s", much);
			text = captured_stderr();
			ck_assert_uint_eq(count_text(text, raw ? "x\r\n" : "x\n"), 1);
			ck_assert_uint_le(strlen(text), 1024);
		}
	}
}
END_TEST

START_TEST(test_budget)
{
	struct log_budget budget = LOG_BUDGET_INIT;
	const char *text;

	capture_stderr();
	for (unsigned i = 0; i < 10 * LOG_BUDGET_LINES; i++)
		log_guest(&budget, "line %u", i);
	text = captured_stderr();
	ck_assert_uint_eq(count_text(text, "\n"), LOG_BUDGET_LINES);
	ck_assert_uint_eq(count_text(text, "line 15 (no more lines of this kind will follow)\n"),
			  1);
	ck_assert_uint_eq(budget.dropped, 9 * LOG_BUDGET_LINES);
}
END_TEST

/* What is not shown is paid for just the same: the level is no way round the budget. */
START_TEST(test_budget_when_quiet)
{
	struct log_budget budget = LOG_BUDGET_INIT;

	log_set_level(LOG_LEVEL_ERROR);
	capture_stderr();
	log_guest(&budget, "unseen");
	ck_assert_str_eq(captured_stderr(), "");
	ck_assert_uint_eq(budget.left, LOG_BUDGET_LINES - 1);
}
END_TEST

/* Budgets are many and new ones come at each reset: all together are limited, too. */
START_TEST(test_all_budgets)
{
	const unsigned budgets = 2 * LOG_GUEST_LINES / LOG_BUDGET_LINES;
	int null_fd = open("/dev/null", O_WRONLY);
	int saved = dup(STDERR_FILENO);

	dup2(null_fd, STDERR_FILENO);
	for (unsigned i = 0; i + 1 < budgets; i++) {
		struct log_budget budget = LOG_BUDGET_INIT;

		for (unsigned line = 0; line < LOG_BUDGET_LINES; line++)
			log_guest(&budget, "line");
	}
	dup2(saved, STDERR_FILENO);
	capture_stderr();
	log_guest(&(struct log_budget)LOG_BUDGET_INIT, "one more");
	log_warning("our own go on");
	ck_assert_str_eq(captured_stderr(), "armlet: our own go on\n");
	close(saved);
	close(null_fd);
}
END_TEST

/* errno is the caller's, and a log that cannot be written harms nobody. */
START_TEST(test_errno_is_kept)
{
	int saved = dup(STDERR_FILENO);

	close(STDERR_FILENO);
	errno = ENOSPC;
	log_error("to nobody");
	ck_assert_int_eq(errno, ENOSPC);
	dup2(saved, STDERR_FILENO);
	close(saved);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_levels, ARRAY_SIZE(level_rows)),
	UNIT_CASE(test_names),
	UNIT_CASE(test_raw_terminal),
	UNIT_CASE(test_long_line),
	UNIT_CASE(test_budget),
	UNIT_CASE(test_budget_when_quiet),
	UNIT_CASE(test_all_budgets),
	UNIT_CASE(test_errno_is_kept),
	{0},
};
const char unit_name[] = "log";
