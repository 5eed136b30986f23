/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a test: a status for programs, a sentence for people, and both in files. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/now.h"
#include "test.h"

/* ---- What it was ------------------------------------------------------ */

static enum test_verdict verdict_of_exit(const struct wire_exit *exit)
{
	switch ((enum wire_end)exit->end) {
	case WIRE_END_EXITED:
		return TEST_EXITED;
	case WIRE_END_SIGNALLED:
		return TEST_SIGNALLED;
	case WIRE_END_NOT_RUN:
		return TEST_NOT_RUN;
	case WIRE_END_SET_UP:
		break;
	}
	return TEST_SET_UP;
}

/* No report is no success: its program may have ended before it began. */
static bool has_passed(const struct test *test)
{
	const struct ktap_totals totals = test_totals(test);

	return test_has_results(test) && !totals.failed && !totals.errors;
}

static enum test_verdict judge_exit(const struct test *test)
{
	enum test_verdict verdict = verdict_of_exit(&test->exit);

	if (verdict != TEST_EXITED || test->exit.value)
		return verdict;
	if (klog_seen(test->klog) & test->fail_on)
		return TEST_KERNEL;
	return test->options.ktap && !has_passed(test) ? TEST_KTAP : TEST_EXITED;
}

static enum test_verdict judge(const struct test *test, const struct qmp_end *end, bool failed)
{
	if (failed)
		return TEST_FAILED;
	if (test->fatal)
		return test->fatal;
	if (!strcmp(end->reason, "guest-panic"))
		return TEST_PANICKED;
	if (test->verdict != TEST_NONE)
		return test->verdict;
	if (test->has_exit)
		return judge_exit(test);
	if (test->options.kunit && ktap_seen(test->kernel_results) && end->status == EXIT_SUCCESS)
		return TEST_KUNIT;
	if (!strcmp(end->reason, "guest-reset"))
		return TEST_RESET;
	if (!strcmp(end->reason, "guest-shutdown"))
		return TEST_POWERED_OFF;
	return end->status == EXIT_ARMLET_FAILED ? TEST_FAILED : TEST_STOPPED;
}

/* As kunit.py: 1 if any has failed. */
static int status_of_kunit(const struct test *test)
{
	const struct ktap_totals totals = ktap_totals(test->kernel_results);

	return totals.failed || totals.errors ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int status_of(const struct test *test, enum test_verdict verdict, const struct qmp_end *end)
{
	switch (verdict) {
	case TEST_EXITED:
		return (int)(test->exit.value & 0xff);
	case TEST_SIGNALLED:
		return EXIT_SIGNALLED + (int)(test->exit.value & 0x7f);
	case TEST_NOT_RUN:
		return test->exit.value == ENOENT && !test->sentence[0] ? 127 : 126;
	case TEST_NO_BOOT:
	case TEST_TIMED_OUT:
	case TEST_QUIET:
		return EXIT_TIMED_OUT;
	case TEST_PANICKED:
	case TEST_HUNG:
	case TEST_RESET:
	case TEST_POWERED_OFF:
	case TEST_KERNEL:
		return EXIT_PANICKED;
	case TEST_KUNIT:
		return status_of_kunit(test);
	case TEST_KTAP:
		return EXIT_FAILURE;
	case TEST_STOPPED:
		/* By a key, or by QMP: nobody may take that for a success. */
		return end->status ? end->status : EXIT_SIGNALLED + SIGINT;
	case TEST_NONE:
	case TEST_SET_UP:
	case TEST_FAILED:
		break;
	}
	return EXIT_ARMLET_FAILED;
}

/* ---- In words --------------------------------------------------------- */

/* How far it came, for what has no better explanation. */
static void describe_place(const struct test *test, char *text, size_t size)
{
	const char *last = klog_last_line(test->klog);

	if (test->started)
		snprintf(text, size, "while the command ran");
	else if (test->up)
		snprintf(text, size, "before the command began");
	else if (last && *last && !klog_panic(test->klog))
		snprintf(text, size, "while it booted; its last words were '%.160s'", last);
	else
		snprintf(text, size, "while it booted");
}

/* The panic's own words, and what they may mean. */
static void explain_panic(const struct test *test, const char *place, char *text, size_t size)
{
	const char *panic = klog_panic(test->klog);
	char why[KLOG_EXPLAIN_MAX];
	const char *meaning = panic ? klog_explain(test->klog, test->printed, why) : NULL;

	snprintf(text, size, "the kernel panicked %s%s%.200s%s%s", place, panic ? ": " : "; ",
		 panic ? panic : "only pvpanic has told of it", meaning ? "; " : "",
		 meaning ? meaning : "");
}

static void explain_no_boot(const struct test *test, const char *place, char *text, size_t size)
{
	/* A quiet one has said nothing because it was told to. */
	bool printed = test->printed || !test->options.verbose;
	char why[KLOG_EXPLAIN_MAX];
	const char *meaning = klog_explain(test->klog, printed, why);

	snprintf(text, size,
		 "the guest had not begun the command after %u s (--boot-timeout), %s; %s",
		 test->options.boot_timeout, place,
		 meaning ? meaning : "--verbose shows all that its kernel prints");
}

bool test_complaint(const struct test *test, bool traced, struct klog_finding *ret)
{
	/* A panic is the verdict, whatever --fail-on says. */
	uint64_t kinds = test->fail_on | (traced ? BIT(KLOG_PANIC) | BIT(KLOG_INIT_KILLED) : 0);

	for (size_t i = 0; klog_finding(test->klog, i, ret); i++) {
		if ((kinds & BIT(ret->kind)) && (!traced || test_has_frames(ret->trace)))
			return true;
	}
	return false;
}

static void explain_kernel(const struct test *test, char *text, size_t size)
{
	struct klog_finding finding;

	if (test_complaint(test, false, &finding))
		snprintf(text, size, "the command succeeded, but not the kernel: %s, '%.200s'",
			 klog_kinds[finding.kind].name, finding.text);
	else
		snprintf(text, size, "the command succeeded, but the kernel did not");
}

static void explain_ktap(const struct test *test, char *text, size_t size)
{
	const struct ktap_totals totals = test_totals(test);
	uint64_t failed = totals.failed + totals.errors;
	char name[320];

	test_first_failure(test, name, sizeof(name));
	if (!test_has_results(test))
		snprintf(text, size,
			 "the command succeeded, but has told no results by KTAP or TAP (--ktap)");
	else
		snprintf(text, size,
			 "the command succeeded, but of its %" PRIu64 " tests %" PRIu64
			 " failed (--ktap), first '%s'",
			 totals.passed + totals.skipped + failed, failed, name);
}

/* An oops may hold for ever what a command, or init itself, waits for. */
static void add_complaint(const struct test *test, char *text, size_t size)
{
	struct klog_finding finding;
	size_t used = strlen(text);

	if (test_complaint(test, false, &finding))
		snprintf(text + used, size - used, "; the kernel had said before: %s, '%.200s'",
			 klog_kinds[finding.kind].name, finding.text);
}

static void explain_not_run(const struct test *test, char *text, size_t size)
{
	const char *word = test->options.word_count ? test->options.words[0] : "/bin/sh";

	if (test->sentence[0])
		snprintf(text, size, "%s", test->sentence);
	else if (test->exit.value == ENOENT)
		snprintf(text, size,
			 "'%.200s' was not found in the guest, or what it needs to run was not",
			 word);
	else if (test->exit.value == ENOEXEC)
		snprintf(text, size, "'%.200s' cannot be executed: it is no program for arm64",
			 word);
	else
		snprintf(text, size, "'%.200s' cannot be executed: %s", word,
			 strerror((int)(test->exit.value & 0xfff)));
}

static void explain(const struct test *test, enum test_verdict verdict, char *text, size_t size)
{
	char place[256];

	describe_place(test, place, sizeof(place));
	switch (verdict) {
	case TEST_NOT_RUN:
		explain_not_run(test, text, size);
		break;
	case TEST_NO_BOOT:
		explain_no_boot(test, place, text, size);
		break;
	case TEST_TIMED_OUT:
		snprintf(text, size, "timed out after %u s (--timeout), %s",
			 test->run.options.timeout, place);
		add_complaint(test, text, size);
		break;
	case TEST_QUIET:
		snprintf(text, size, "nothing was printed for %u s (--quiet-timeout), %s",
			 test->options.quiet_timeout, place);
		add_complaint(test, text, size);
		break;
	case TEST_PANICKED:
		explain_panic(test, place, text, size);
		break;
	case TEST_HUNG:
		run_describe_hang(&test->hang, text, size);
		snprintf(text + strlen(text), size - strlen(text), ", %s", place);
		add_complaint(test, text, size);
		break;
	case TEST_KERNEL:
		explain_kernel(test, text, size);
		break;
	case TEST_KTAP:
		explain_ktap(test, text, size);
		break;
	case TEST_RESET:
		if (test->options.kunit)
			snprintf(text, size,
				 "the kernel has told no results of KUnit, %s; it needs "
				 "CONFIG_KUNIT=y, and the tests built in",
				 place);
		else
			snprintf(text, size, "the guest reset itself %s", place);
		break;
	case TEST_POWERED_OFF:
		snprintf(text, size,
			 "the guest powered off %s, and the command's status is not known", place);
		break;
	case TEST_STOPPED:
		snprintf(text, size, "it was ended from outside %s", place);
		break;
	case TEST_SET_UP:
	case TEST_FAILED:
		snprintf(text, size, "%s",
			 test->sentence[0] ? test->sentence : "the guest's init gave up");
		break;
	default:
		*text = '\0';
		break;
	}
}

/* The command's own failures are its own to explain. */
static bool is_kernels(enum test_verdict verdict)
{
	return verdict >= TEST_NO_BOOT && verdict != TEST_STOPPED && verdict != TEST_KUNIT &&
	       verdict != TEST_KTAP;
}

/* ---- In files --------------------------------------------------------- */

static const char *const verdict_names[] = {
	[TEST_NONE] = "none",        [TEST_EXITED] = "exited",
	[TEST_SIGNALLED] = "killed", [TEST_NOT_RUN] = "not-run",
	[TEST_NO_BOOT] = "no-boot",  [TEST_TIMED_OUT] = "timeout",
	[TEST_QUIET] = "quiet",      [TEST_PANICKED] = "panic",
	[TEST_RESET] = "reset",      [TEST_POWERED_OFF] = "power-off",
	[TEST_STOPPED] = "stopped",  [TEST_KERNEL] = "kernel",
	[TEST_KUNIT] = "kunit",      [TEST_KTAP] = "ktap",
	[TEST_HUNG] = "watchdog",    [TEST_SET_UP] = "set-up",
	[TEST_FAILED] = "armlet",
};

static struct json_object *seconds(int64_t from, int64_t to)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", (double)(to - from) / 1000);
	return from && to ? json_object_new_double_s((double)(to - from) / 1000, text) : NULL;
}

/* Everything that klog has found, whether it fails the test or not. */
static struct json_object *describe_findings(const struct test *test)
{
	struct json_object *array = json_object_new_array();
	struct klog_finding finding;

	for (size_t i = 0; klog_finding(test->klog, i, &finding); i++) {
		_cleanup_free_ char *trace = test_decoded(test, finding.trace, false);
		struct json_object *row = json_object_new_object();

		json_object_object_add(row, "kind",
				       json_object_new_string(klog_kinds[finding.kind].name));
		json_object_object_add(row, "count", json_object_new_int64((int64_t)finding.count));
		json_object_object_add(row, "text", json_object_new_string(finding.text));
		json_object_object_add(row, "trace", json_object_new_string(trace ? trace : ""));
		json_object_object_add(row, "frames", test_describe_frames(test, finding.trace));
		json_object_array_add(array, row);
	}
	return array;
}

static struct json_object *describe(const struct test *test, const struct test_outcome *outcome)
{
	struct json_object *result = json_object_new_object();
	struct json_object *words = json_object_new_array();

	for (size_t i = 0; i < test->options.word_count; i++)
		json_object_array_add(words, json_object_new_string(test->options.words[i]));
	json_object_object_add(result, "verdict",
			       json_object_new_string(verdict_names[outcome->verdict]));
	json_object_object_add(result, "status", json_object_new_int(outcome->status));
	json_object_object_add(result, "reason",
			       *outcome->reason ? json_object_new_string(outcome->reason) : NULL);
	json_object_object_add(result, "command", words);
	json_object_object_add(result, "kernel",
			       json_object_new_string(test->run.options.machine.kernel));
	json_object_object_add(result, "release",
			       test->up ? json_object_new_string(test->release) : NULL);
	json_object_object_add(result, "boot_seconds", seconds(test->began_ms, test->started_ms));
	json_object_object_add(result, "command_seconds",
			       seconds(test->started_ms, test->ended_ms));
	json_object_object_add(result, "findings", describe_findings(test));
	test_describe_results(test, result);
	return result;
}

static int write_result(const struct test *test, struct json_object *result, struct error *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/result.json", test->options.output);
	if (json_object_to_file_ext(path, result,
				    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
					    JSON_C_TO_STRING_NOSLASHESCAPE) < 0)
		return error_set_errno(err, errno, "--output: '%s' cannot be written", path);
	return 0;
}

/* A verdict without its evidence is none: the status is armlet's then. */
static void keep(struct test *test, struct test_outcome *outcome)
{
	struct json_object *result = describe(test, outcome);
	struct error err = {0};
	int r = write_result(test, result, &err);

	if (r == 0)
		r = test_write_junit(test, outcome, &err);
	if (test_close_output(test, &err) < 0)
		r = -EIO;
	if (r == 0)
		r = test_write_report(test, result, &err);
	json_object_put(result);
	if (r < 0)
		outcome->status = fail_with("test", &err);
}

/* What the sentence is about, with source lines. */
static void print_trace(const struct test *test)
{
	_cleanup_free_ char *text = NULL;
	struct klog_finding finding;

	if (!test->backtrace.answer || !test_complaint(test, true, &finding))
		return;
	text = test_decoded(test, finding.trace, true);
	if (text)
		fprintf(stderr, "---- its trace:\n%s----\n", text);
}

int test_judge(struct test *test, const struct qmp_end *end, int failed, const struct error *why)
{
	struct test_outcome outcome = {0};

	if (test->lines)
		line_port_finish(test->lines);
	if (failed >= 0)
		test_drain(test);
	else
		snprintf(test->sentence, sizeof(test->sentence), "%s", why->text);
	test_finish_results(test);
	outcome.verdict = judge(test, end, failed < 0);
	outcome.status = status_of(test, outcome.verdict, end);
	explain(test, outcome.verdict, outcome.reason, sizeof(outcome.reason));
	if (is_kernels(outcome.verdict) && failed >= 0)
		test_print_tail(test);
	if (*outcome.reason && failed >= 0)
		fprintf(stderr, "armlet test: %s\n", outcome.reason);
	if (is_kernels(outcome.verdict) || test->options.output)
		test_decode(test);
	if (is_kernels(outcome.verdict))
		print_trace(test);
	if (test->options.output)
		keep(test, &outcome);
	return outcome.status;
}
