/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results of single tests, as KTAP or TAP tells them in the command's output or in the kernel's
 * log, and JUnit's XML of them and of the command itself. With --kunit the kernel's are the
 * verdict, and are printed as kunit.py of Linux does.
 */
#include <stdio.h>
#include <string.h>

#include "test.h"
#include "trial/junit.h"
#include "trial/ktap_print.h"
#include "trial/utf8.h"

/* What result.json tells of those that failed; junit.xml has all. */
#define FAILURES_MAX     64
#define FAILURE_TEXT_MAX 4096

int test_open_results(struct test *test, struct error *err)
{
	int r = ktap_create(&test->results);

	if (r == 0)
		r = ktap_create(&test->kernel_results);
	return r < 0 ? error_set_errno(err, -r, "results") : 0;
}

void test_close_results(struct test *test)
{
	ktap_destroy(test->results);
	ktap_destroy(test->kernel_results);
	test->results = test->kernel_results = NULL;
}

static void end_line(struct test *test)
{
	ktap_line(test->results, (const uint8_t *)test->begun, test->begun_size);
	test->begun_size = 0;
}

/* Of a line that is too long the beginning is looked at. */
void test_take_results(struct test *test, const uint8_t *bytes, size_t size)
{
	while (size) {
		const uint8_t *end = memchr(bytes, '\n', size);
		size_t part = end ? (size_t)(end - bytes) : size;
		size_t fits = min_u64(part, sizeof(test->begun) - test->begun_size);

		memcpy(test->begun + test->begun_size, bytes, fits);
		test->begun_size += fits;
		if (end)
			end_line(test);
		part += end != NULL;
		bytes += part;
		size -= part;
	}
}

void test_finish_results(struct test *test)
{
	if (test->begun_size)
		end_line(test);
	ktap_finish(test->results);
	ktap_finish(test->kernel_results);
	if (!test->options.kunit || !ktap_seen(test->kernel_results))
		return;
	ktap_print(test->kernel_results, stdout, isatty(STDOUT_FILENO));
	fflush(stdout);
}

bool test_has_results(const struct test *test)
{
	return ktap_seen(test->results) || ktap_seen(test->kernel_results);
}

struct ktap_totals test_totals(const struct test *test)
{
	const struct ktap_totals kernel = ktap_totals(test->kernel_results);
	struct ktap_totals totals = ktap_totals(test->results);

	totals.passed += kernel.passed;
	totals.failed += kernel.failed;
	totals.skipped += kernel.skipped;
	totals.errors += kernel.errors;
	return totals;
}

static bool name_failure(const struct ktap *ktap, char *text, size_t size)
{
	const struct ktap_case *row, *suite;

	for (size_t i = 0; (row = ktap_case_at(ktap, i)); i++) {
		if (!row->counts || !ktap_is_failure(row->result))
			continue;
		suite = row->parent != KTAP_NONE ? ktap_case_at(ktap, row->parent) : NULL;
		snprintf(text, size, "%.150s%s%.150s", suite ? suite->name : "", suite ? ": " : "",
			 row->name);
		return true;
	}
	return false;
}

void test_first_failure(const struct test *test, char *text, size_t size)
{
	*text = '\0';
	if (!name_failure(test->results, text, size))
		name_failure(test->kernel_results, text, size);
}

/* ---- What it was ------------------------------------------------------ */

static void add_totals(struct json_object *result, const char *name, const struct ktap *ktap)
{
	const struct ktap_totals totals = ktap_totals(ktap);
	struct json_object *row;

	if (!ktap_seen(ktap))
		return;
	row = json_object_new_object();
	json_object_object_add(row, "passed", json_object_new_int64((int64_t)totals.passed));
	json_object_object_add(row, "failed", json_object_new_int64((int64_t)totals.failed));
	json_object_object_add(row, "skipped", json_object_new_int64((int64_t)totals.skipped));
	json_object_object_add(row, "errors", json_object_new_int64((int64_t)totals.errors));
	json_object_object_add(result, name, row);
}

static void add_string(struct json_object *row, const char *name, const char *text)
{
	char copy[FAILURE_TEXT_MAX];

	utf8_copy(copy, text, sizeof(copy));
	json_object_object_add(row, name, json_object_new_string(copy));
}

/* Those that failed, up to a number of both. */
static void add_failures(struct json_object *array, const struct ktap *ktap)
{
	const struct ktap_case *row;

	for (size_t i = 0; (row = ktap_case_at(ktap, i)); i++) {
		const struct ktap_case *suite =
			row->parent != KTAP_NONE ? ktap_case_at(ktap, row->parent) : NULL;
		struct json_object *failure;

		if (!row->counts || !ktap_is_failure(row->result))
			continue;
		if (json_object_array_length(array) == FAILURES_MAX)
			return;
		failure = json_object_new_object();
		add_string(failure, "suite", suite ? suite->name : "");
		add_string(failure, "name", row->name);
		add_string(failure, "reason", row->reason);
		add_string(failure, "log", row->log);
		json_object_array_add(array, failure);
	}
}

void test_describe_results(const struct test *test, struct json_object *result)
{
	struct json_object *failures = json_object_new_array();

	add_totals(result, "tests", test->results);
	add_totals(result, "kernel_tests", test->kernel_results);
	add_failures(failures, test->results);
	add_failures(failures, test->kernel_results);
	if (json_object_array_length(failures))
		json_object_object_add(result, "failed_tests", failures);
	else
		json_object_put(failures);
}

/* ---- JUnit ------------------------------------------------------------ */

static void name_command(const struct test *test, char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "%s", test->options.kunit ? "kunit" : "boot");
	for (size_t i = 0; i < test->options.word_count && used + 1 < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "",
					 test->options.words[i]);
}

static enum ktap_result result_of(const struct test_outcome *outcome)
{
	if (!outcome->status)
		return KTAP_PASSED;
	if (outcome->status == EXIT_TIMED_OUT)
		return KTAP_TIMEOUT;
	return outcome->status == EXIT_ARMLET_FAILED ? KTAP_ERROR : KTAP_FAILED;
}

static void add_command(const struct test *test, const struct test_outcome *outcome,
			struct junit *junit)
{
	_cleanup_free_ char *trace = NULL;
	struct klog_finding finding;
	char name[256], message[64];
	struct junit_case row = {
		.name = name,
		.classname = "armlet",
		.result = result_of(outcome),
		.message = outcome->reason,
		.time_us = -1,
	};

	name_command(test, name, sizeof(name));
	snprintf(message, sizeof(message), "the status is %d", outcome->status);
	if (!*outcome->reason)
		row.message = message;
	if (outcome->status && test_complaint(test, true, &finding))
		trace = test_decoded(test, finding.trace, false);
	row.text = trace;
	if (test->started_ms && test->ended_ms)
		row.time_us = (test->ended_ms - test->started_ms) * 1000;
	junit_add_case(junit, &row);
}

static int fill(const struct test *test, const struct test_outcome *outcome, FILE *file,
		struct error *err)
{
	struct junit *junit;
	int r = junit_begin(&junit, file, "armlet test");

	if (r < 0)
		return error_set_errno(err, -r, "--output: junit.xml");
	junit_suite(junit, "armlet", -1);
	add_command(test, outcome, junit);
	if (ktap_seen(test->results)) {
		junit_suite(junit, "command", -1);
		junit_add_ktap(junit, test->results);
	}
	if (ktap_seen(test->kernel_results)) {
		junit_suite(junit, "kernel", -1);
		junit_add_ktap(junit, test->kernel_results);
	}
	r = junit_end(junit, err);
	junit_destroy(junit);
	return r < 0 ? error_prefix(err, "--output: junit.xml: ") : 0;
}

int test_write_junit(const struct test *test, const struct test_outcome *outcome, struct error *err)
{
	char path[PATH_MAX];
	FILE *file;
	int r;

	snprintf(path, sizeof(path), "%s/junit.xml", test->options.output);
	file = fopen(path, "we");
	if (!file)
		return error_set_errno(err, errno, "--output: '%s'", path);
	r = fill(test, outcome, file, err);
	if (fclose(file) != 0 && r == 0)
		r = error_set_errno(err, errno, "--output: '%s'", path);
	return r;
}
