/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports as KUnit, kselftest and others print them. What was read is flattened to a line a case:
 * "R NAME (REASON) {LOG}", indented by its depth, R the result; "+" is behind the result of a
 * suite, "!" behind that of one that counts.
 */
#include <stdio.h>
#include <string.h>

#include "trial/ktap.h"
#include "trial/ktap_print.h"
#include "unit.h"

static struct ktap *ktap;

static void begin(void)
{
	ktap_destroy(ktap);
	ktap = NULL;
	ck_assert_int_eq(ktap_create(&ktap), 0);
}

static void feed(const char *text)
{
	ktap_line(ktap, (const uint8_t *)text, strlen(text));
}

static void read_report(const char *text)
{
	begin();
	for (const char *end; (end = strchr(text, '\n')); text = end + 1)
		ktap_line(ktap, (const uint8_t *)text, (size_t)(end - text));
	feed(text);
	ktap_finish(ktap);
}

static void flatten_case(FILE *to, const struct ktap_case *at)
{
	static const char letters[] = {'P', 'S', 'X', 'F', 'T', 'E'};

	fprintf(to, "%*s%c%s %s", (int)at->depth, "", letters[at->result],
		!at->is_suite ? ""
		: at->counts  ? "!"
			      : "+",
		at->name);
	if (*at->reason)
		fprintf(to, " (%s)", at->reason);
	if (*at->log) {
		fputs(" {", to);
		for (const char *c = at->log; *c; c++)
			fputc(*c == '\n' ? ';' : *c, to);
		fputc('}', to);
	}
	fputc('\n', to);
}

static void check_flat(const char *wanted)
{
	_cleanup_free_ char *flat = NULL;
	const struct ktap_case *at;
	size_t size;
	FILE *to = open_memstream(&flat, &size);

	ck_assert_ptr_nonnull(to);
	for (size_t i = 0; (at = ktap_case_at(ktap, i)); i++) {
		ck_assert(at->parent == KTAP_NONE || at->parent < i);
		flatten_case(to, at);
	}
	fclose(to);
	ck_assert_str_eq(flat, wanted);
}

#define KUNIT                                                                      \
	"[    0.1] KTAP version 1\n"                                               \
	"[    0.100001] 1..2\n"                                                    \
	"[    0.100002]     KTAP version 1\n"                                      \
	"[    0.100003]     # Subtest: list\n"                                     \
	"[    0.100004]     # module: list_test\n"                                 \
	"[    0.100005]     1..3\n"                                                \
	"[    0.100006]     ok 1 list_init\n"                                      \
	"[    0.100007]     # list_add: EXPECTATION FAILED at lib/list_test.c:3\n" \
	"[    0.100008]     Expected a == b\n"                                     \
	"[    0.100009]     not ok 2 list_add\n"                                   \
	"[    0.100010]         KTAP version 1\n"                                  \
	"[    0.100011]         # Subtest: list_params\n"                          \
	"[    0.100012]         ok 1 three\n"                                      \
	"[    0.100013]         ok 2 four # SKIP no memory\n"                      \
	"[    0.100014]     # list_params: pass:1 fail:0 skip:1 total:2\n"         \
	"[    0.100015]     ok 3 list_params\n"                                    \
	"[    0.100016] # list: pass:2 fail:1 skip:0 total:3\n"                    \
	"[    0.100017] # Totals: pass:2 fail:1 skip:1 total:4\n"                  \
	"[    0.100018] not ok 1 list\n"                                           \
	"[    0.100019]     # Subtest: hash\n"                                     \
	"[    0.100020]     1..1\n"                                                \
	"[    0.100021]     ok 1 - hash_init\n"                                    \
	"[    0.100022] ok 2 - hash\n"

#define KUNIT_FLAT                                                                    \
	"F+ list\n"                                                                   \
	" P list_init {module: list_test;}\n"                                         \
	" F list_add {list_add: EXPECTATION FAILED at lib/list_test.c:3;    Expected" \
	" a == b;}\n"                                                                 \
	" P+ list_params\n"                                                           \
	"  P three\n"                                                                 \
	"  S four (no memory)\n"                                                      \
	"P+ hash\n"                                                                   \
	" P hash_init\n"

static const struct {
	const char *text;
	const char *flat;
	struct ktap_totals totals;
} reports[] = {
	{KUNIT, KUNIT_FLAT, {.passed = 3, .failed = 1, .skipped = 1}},
	{/* kselftest's runner: what a test prints is quoted, results in it as well. */
	 "TAP version 13\n"
	 "1..4\n"
	 "# timeout set to 45\n"
	 "# selftests: timers: posix\n"
	 "# TAP version 13\n"
	 "# 1..2\n"
	 "# ok 1 check itimer\n"
	 "# # a word\n"
	 "# not ok 2 check timer\n"
	 "# # Totals: pass:1 fail:1 xfail:0 xpass:0 skip:0 error:0\n"
	 "not ok 1 selftests: timers: posix # exit=1\n"
	 "# selftests: timers: plain\n"
	 "# ok 1 only a word\n"
	 "ok 2 selftests: timers: plain\n"
	 "# \n"
	 "not ok 3 selftests: timers: slow # TIMEOUT 45 seconds\n"
	 "ok 4 selftests: timers: root # SKIP\n",
	 "F+ selftests: timers: posix (exit=1) {timeout set to 45;selftests: timers: posix;}\n"
	 " P check itimer\n"
	 " F check timer {a word;}\n"
	 "P selftests: timers: plain {selftests: timers: plain;ok 1 only a word;}\n"
	 "T selftests: timers: slow (45 seconds)\n"
	 "S selftests: timers: root\n",
	 {.passed = 2, .failed = 2, .skipped = 1}},
	{/* A program that is quoted may end by itself, and its runner goes on. */
	 "TAP version 13\n1..2\n# TAP version 13\n# 1..3\n# ok 1 a\n# Bail out! no root\n"
	 "not ok 1 x # exit=1\nok 2 y\n",
	 "F+ x (exit=1)\n P a\n E test 2 (Bail out! no root)\n E test 3 (Bail out! no root)\nP y\n",
	 {.passed = 2, .errors = 2}},
	{/* One test whose program has reported twice */
	 "TAP version 13\n1..1\n# TAP version 13\n# 1..1\n# ok 1 a\n# TAP version 13\n# 1..1\n"
	 "# ok 1 b\nok 1 x\n",
	 "P+ x\n P a\n P b\n",
	 {.passed = 2}},
	{/* TAP 14 */
	 "TAP version 14\n"
	 "# Subtest: outer\n"
	 "    # Subtest: inner\n"
	 "        ok 1 - deep\n"
	 "        1..1\n"
	 "    ok 1 - inner\n"
	 "    1..1\n"
	 "ok 1 - outer\n"
	 "not ok 2 - later \\# one \\\\ # TODO not done\n"
	 "ok 3 - now # todo\n"
	 "ok - without number # Skipped: why\n"
	 "1..4\r\n",
	 "P+ outer\n P+ inner\n  P deep\nX later # one \\ (not done)\nP now\nS without number "
	 "(why)\n",
	 {.passed = 2, .skipped = 2}},
	{/* YAML belongs to what is in front of it, and is no test. */
	 "TAP version 13\n1..2\nnot ok 1 - a\n  ---\n  message: bad\n  ok 7\n  ...\nok 2 - b\n",
	 "F a {  message: bad;  ok 7;}\nP b\n",
	 {.passed = 1, .failed = 1}},
	{"TAP version 13\n1..2\nnot ok 1 - a\n  ---\n  message: bad\nok 2 - b\n",
	 "F a {  message: bad;}\nP b\n",
	 {.passed = 1, .failed = 1}},
	{/* What is missing has failed; where it broke, there is what was printed. */
	 "KTAP version 1\n1..3\nok 1 a\nnoise\nok 3 c\n# Oops\n",
	 "P a\nP c {noise;}\nE test 2 (was planned, and never reported) {Oops;}\n",
	 {.passed = 2, .errors = 1}},
	{/* The kernel has died in a suite. */
	 "KTAP version 1\n1..2\n    KTAP version 1\n    # Subtest: s\n    1..2\n    ok 1 a\nOops\n",
	 "E+ s (has begun, and never reported its result)\n P a\n"
	 " E test 2 (was planned, and never reported) {Oops;}\n"
	 "E test 2 (was planned, and never reported)\n",
	 {.passed = 1, .errors = 2}},
	{/* The next suite begins, and the one before has not reported. */
	 "KTAP version 1\n1..2\n  KTAP version 1\n  1..1\n  ok 1 a\n  KTAP version 1\n  1..1\n"
	 "  ok 1 b\nok 2 second\n",
	 "E! test 1 (has begun, and never reported its result)\n P a\nP+ second\n P b\n",
	 {.passed = 2, .errors = 1}},
	{/* A suite that says it is fine is as good as its tests; and one may fail by itself. */
	 "KTAP version 1\n1..2\n  1..1\n  not ok 1 a\nok 1 x\n  1..1\n  ok 1 b\nnot ok 2 y # "
	 "exit=139\n",
	 "F+ x (a subtest has failed)\n F a\nF! y (exit=139)\n P b\n",
	 {.passed = 1, .failed = 2}},
	{/* What was expected to fail may. */
	 "KTAP version 1\n1..1\n  1..2\n  not ok 1 a\n  ok 2 b\nnot ok 1 x # XFAIL known\n",
	 "X+ x (known)\n X a\n P b\n",
	 {.passed = 1, .skipped = 1}},
	{"KTAP version 1\n1..1\nok 1 a\nok 2 b\n",
	 "P a\nP b\nE plan (1 planned, but 2 reported)\n",
	 {.passed = 2, .errors = 1}},
	{/* Twice is not both. */
	 "KTAP version 1\n1..2\nok 1 a\nok 1 a\n",
	 "P a\nP a\nE test 2 (was planned, and never reported)\n",
	 {.passed = 2, .errors = 1}},
	{"TAP version 13\n1..3\nok 1\nBail out! disk is full\nok 2\n",
	 "P test 1\nE test 2 (Bail out! disk is full)\nE test 3 (Bail out! disk is full)\n",
	 {.passed = 1, .errors = 2}},
	{"TAP version 13\nok 1\nBail out!\n",
	 "P test 1\nE Bail out! (Bail out!)\n",
	 {.passed = 1, .errors = 1}},
	{"TAP version 13\n", "E report (has begun, and told no result)\n", {.errors = 1}},
	{"KTAP version 1\n1..0\n", "", {0}},
	{"1..0 # SKIP no network\n", "S all tests (no network)\n", {.skipped = 1}},
	{/* Modules that are loaded one after the other */
	 "KTAP version 1\n1..1\nok 1 a\nhello\nKTAP version 1\n1..2\nnot ok 1 b\n",
	 "P a {hello;}\nF b\nE test 2 (was planned, and never reported)\n",
	 {.passed = 1, .failed = 1, .errors = 1}},
	{/* Prefixes */
	 "<6>[    1.234567][    T1] TAP version 14\r\n<6>1..4\r\n[ 1.2][   C0] ok 1 a\r\n"
	 "<6>ok 2 b\r\nok 3 c\r\n[123456.000001] not ok 4 d # ERROR lost\r\n",
	 "P a\nP b\nP c\nE d (lost)\n",
	 {.passed = 3, .errors = 1}},
	{/* In KTAP results have numbers; what is deeper without announcement is a word. */
	 "KTAP version 1\n1..2\nok then\n  ok 7 a\nok 1 x\n\t\n  1..1\n  ok 1 a\nok 2 y\n",
	 "P x {ok then;  ok 7 a;}\nP+ y\n P a\n",
	 {.passed = 2}},
	{"1..2\nok 1 - x\nnot ok 2\n", "P x\nF test 2\n", {.passed = 1, .failed = 1}},
	{/* The first plan was nobody's. */
	 "1..9\nfoo\n1..1\nok 1 - x\n",
	 "P x\n",
	 {.passed = 1}},
	{"1..9\nTAP version 13\n1..1\nok 1\n", "P test 1\n", {.passed = 1}},
};

START_TEST(test_reports)
{
	struct ktap_totals totals;

	read_report(reports[_i].text);
	check_flat(reports[_i].flat);
	ck_assert(ktap_seen(ktap));
	ck_assert_uint_eq(ktap_cut(ktap), 0);
	totals = ktap_totals(ktap);
	ck_assert_uint_eq(totals.passed, reports[_i].totals.passed);
	ck_assert_uint_eq(totals.failed, reports[_i].totals.failed);
	ck_assert_uint_eq(totals.skipped, reports[_i].totals.skipped);
	ck_assert_uint_eq(totals.errors, reports[_i].totals.errors);
}
END_TEST

/* All at once, with all ends of lines, it is the same. */
START_TEST(test_at_once)
{
	begin();
	feed(reports[_i].text);
	ktap_finish(ktap);
	ktap_finish(ktap);
	feed("KTAP version 1\nok 1\n");
	check_flat(reports[_i].flat);
}
END_TEST

static const char *const nothing[] = {
	"",
	"ok 1\nok 2 - x\nnot ok 3\n",
	"1..3\n",
	"1..3\nok 2\n",
	"1..3\nok\n  1..1\n  ok 1\n",
	"  1..1\n  ok 1\n",
	"# 1..1\n# ok 1\n",
	"ok 1\n1..1\n",
	"TAP version\nKTAP version x\nTAP version 13 or so\nok 1\n",
	"Bail out!\n# Subtest: x\n---\n...\n",
	"1..12345678901234567890\nok 1\n",
};

START_TEST(test_nothing)
{
	read_report(nothing[_i]);
	ck_assert(!ktap_seen(ktap));
	check_flat("");
	ck_assert_uint_eq(ktap_totals(ktap).passed, 0);
	ck_assert_uint_eq(ktap_totals(ktap).errors, 0);
}
END_TEST

/* ---- Bounds ------------------------------------------------------------------------------ */

START_TEST(test_missing_many)
{
	size_t count = 0;

	read_report("KTAP version 1\n1..999999999\nok 7\n");
	while (ktap_case_at(ktap, count))
		count++;
	ck_assert_uint_eq(count, 1 + KTAP_MISSING_MAX + 1);
	ck_assert_str_eq(ktap_case_at(ktap, 7)->name, "test 8");
	ck_assert_str_eq(ktap_case_at(ktap, count - 1)->name, "999999934 more tests");
	ck_assert_uint_eq(ktap_totals(ktap).errors, KTAP_MISSING_MAX + 1);
}
END_TEST

START_TEST(test_deep)
{
	char line[128];

	begin();
	for (int i = 0; i < KTAP_DEPTH_MAX + 4; i++) {
		snprintf(line, sizeof(line), "%*sKTAP version 1\n", 2 * i, "");
		feed(line);
	}
	ck_assert_uint_eq(ktap_cut(ktap), KTAP_CUT_DEPTH);
	feed("ok 1 a\n");
	ktap_finish(ktap);
	ck_assert_str_eq(ktap_case_at(ktap, 0)->name, "a");
	ck_assert_uint_eq(ktap_case_at(ktap, KTAP_DEPTH_MAX - 2)->depth, KTAP_DEPTH_MAX - 2);
	ck_assert_ptr_null(ktap_case_at(ktap, KTAP_DEPTH_MAX - 1));
}
END_TEST

START_TEST(test_many)
{
	const struct ktap_case *last;

	begin();
	feed("TAP version 13\n");
	for (unsigned i = 0; i < KTAP_CASES_MAX + 9; i++)
		feed("ok\n");
	feed("not ok\n");
	ktap_finish(ktap);
	ck_assert_uint_eq(ktap_cut(ktap), KTAP_CUT_CASES);
	last = ktap_case_at(ktap, KTAP_CASES_MAX - 1);
	ck_assert_str_eq(last->name, "11 more");
	ck_assert_int_eq(last->result, KTAP_FAILED);
	ck_assert_ptr_null(ktap_case_at(ktap, KTAP_CASES_MAX));
	ck_assert_uint_eq(ktap_totals(ktap).passed, KTAP_CASES_MAX - 1);
	ck_assert_uint_eq(ktap_totals(ktap).failed, 1);
}
END_TEST

START_TEST(test_long)
{
	static char line[2 * KTAP_LINE_MAX] = "ok 1 ";

	memset(line + strlen(line), 'x', sizeof(line) - 1 - strlen(line));
	begin();
	feed("TAP version 13\n");
	feed(line);
	ck_assert_uint_eq(ktap_cut(ktap), KTAP_CUT_LINE);
	ck_assert_uint_eq(strlen(ktap_case_at(ktap, 0)->name), KTAP_LINE_MAX - 5);
	line[0] = 'x';
	for (unsigned i = 0; i < 100; i++)
		feed(line);
	feed("ok 2\n");
	ck_assert_uint_eq(ktap_cut(ktap), KTAP_CUT_LINE | KTAP_CUT_TEXT);
	ck_assert_uint_lt(strlen(ktap_case_at(ktap, 1)->log), KTAP_LOG_MAX);
	ck_assert_uint_gt(strlen(ktap_case_at(ktap, 1)->log), KTAP_LOG_MAX / 2);
	ktap_finish(ktap);
	ck_assert_uint_eq(ktap_totals(ktap).passed, 2);
}
END_TEST

START_TEST(test_hostile)
{
	static const uint8_t name[] = "ok 1 a\0b\xff\x1b[31m # SKIP \x80\r\n";

	begin();
	feed("TAP version 13\n");
	ktap_line(ktap, name, sizeof(name) - 1);
	ktap_line(ktap, NULL, 0);
	ktap_finish(ktap);
	check_flat("S a?b\xff\x1b[31m (\x80)\n");
	ktap_destroy(ktap);
	ktap = NULL;
	ktap_destroy(NULL);
}
END_TEST

/* ---- Print ------------------------------------------------------------------------------- */

static const char printed[] = "============================================================\n"
			      "==================== list (3 subtests) =====================\n"
			      "[PASSED] list_init\n"
			      "list_add: EXPECTATION FAILED at lib/list_test.c:3\n"
			      "    Expected a == b\n"
			      "[FAILED] list_add\n"
			      "================= list_params (2 subtests) =================\n"
			      "[PASSED] three\n"
			      "[SKIPPED] four\n"
			      "=================== [PASSED] list_params ===================\n"
			      "====================== [FAILED] list =======================\n"
			      "===================== hash (1 subtest) =====================\n"
			      "[PASSED] hash_init\n"
			      "====================== [PASSED] hash =======================\n"
			      "============================================================\n"
			      "Testing complete. Ran 5 tests: passed: 3, failed: 1, skipped: 1\n";

static char *print(bool colours)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(to);
	ktap_print(ktap, to, colours);
	fclose(to);
	return text;
}

START_TEST(test_print)
{
	_cleanup_free_ char *text = NULL;

	read_report(KUNIT);
	text = print(false);
	ck_assert_str_eq(text, printed);
	for (const char *at = text, *end; (end = strchr(at, '\n')); at = end + 1)
		ck_assert(*at != '=' || end - at == 60);
}
END_TEST

START_TEST(test_print_hostile)
{
	_cleanup_free_ char *text = NULL;

	read_report(
		"TAP version 13\n1..1\n\33]0;x\7\nnot ok 1 - \33[2J\xc2\x9b\xff\xc3\xa4 # why\n");
	text = print(true);
	ck_assert_ptr_nonnull(
		strstr(text, "\n?]0;x?\nwhy\n\33[1;31m[FAILED]\33[0m ?[2J??\xc3\xa4\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nTesting complete. Ran 1 test: failed: 1\n"));
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_reports, ARRAY_SIZE(reports)),
	UNIT_LOOP(test_at_once, ARRAY_SIZE(reports)),
	UNIT_LOOP(test_nothing, ARRAY_SIZE(nothing)),
	UNIT_CASE(test_missing_many),
	UNIT_CASE(test_deep),
	UNIT_CASE(test_many),
	UNIT_CASE(test_long),
	UNIT_CASE(test_hostile),
	UNIT_CASE(test_print),
	UNIT_CASE(test_print_hostile),
	{0},
};

const char unit_name[] = "ktap";
