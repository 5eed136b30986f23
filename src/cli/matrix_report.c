/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of a matrix: summary.json, and the same for CI systems as junit.xml. */
#include <stdio.h>
#include <string.h>

#include "base/now.h"
#include "matrix.h"
#include "test.h"
#include "trial/junit.h"

/* ---- summary.json ----------------------------------------------------- */

static struct json_object *text_or_null(const char *text)
{
	return *text ? json_object_new_string(text) : NULL;
}

static struct json_object *seconds(int64_t ms)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", (double)ms / 1000);
	return json_object_new_double_s((double)ms / 1000, text);
}

/* What was not begun has neither a status nor a verdict. */
static struct json_object *describe_test(const struct matrix *matrix, size_t i)
{
	const struct matrix_result *result = &matrix->results[i];
	struct json_object *row = json_object_new_object();
	bool ended = result->state == MATRIX_ENDED;

	json_object_object_add(row, "name", json_object_new_string(matrix->plan.tests[i].name));
	json_object_object_add(row, "status", ended ? json_object_new_int(result->status) : NULL);
	json_object_object_add(row, "verdict", text_or_null(result->verdict));
	json_object_object_add(row, "reason", text_or_null(result->reason));
	json_object_object_add(row, "seconds", seconds(result->took_ms));
	json_object_object_add(row, "tries", json_object_new_int((int)result->tries));
	return row;
}

static struct json_object *describe(const struct matrix *matrix, const struct matrix_options *asked)
{
	struct json_object *summary = json_object_new_object();
	struct json_object *tests = json_object_new_array();

	for (size_t i = 0; i < matrix->plan.count; i++)
		json_object_array_add(tests, describe_test(matrix, i));
	json_object_object_add(summary, "matrix", json_object_new_string(asked->file));
	json_object_object_add(summary, "shard",
			       asked->shard ? json_object_new_string(asked->shard) : NULL);
	json_object_object_add(summary, "passed", json_object_new_int64((int64_t)matrix->passed));
	json_object_object_add(summary, "failed", json_object_new_int64((int64_t)matrix->failed));
	json_object_object_add(summary, "seconds", seconds(now_ms() - matrix->began_ms));
	json_object_object_add(summary, "tests", tests);
	return summary;
}

/* Whole, or as it was before. */
static int write_summary(const char *path, struct json_object *summary, struct error *err)
{
	_cleanup_free_ char *fresh = NULL;

	if (asprintf(&fresh, "%s.new", path) < 0)
		return error_set_errno(err, ENOMEM, "--output");
	if (json_object_to_file_ext(fresh, summary,
				    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
					    JSON_C_TO_STRING_NOSLASHESCAPE) < 0 ||
	    rename(fresh, path) < 0)
		return error_set_errno(err, errno, "--output: '%s' cannot be written", path);
	return 0;
}

/* ---- junit.xml -------------------------------------------------------- */

static enum ktap_result result_of(const struct matrix_result *result)
{
	if (result->state != MATRIX_ENDED)
		return KTAP_SKIPPED;
	if (result->status == EXIT_SUCCESS)
		return KTAP_PASSED;
	if (result->status == EXIT_TIMED_OUT)
		return KTAP_TIMEOUT;
	return result->status == EXIT_ARMLET_FAILED ? KTAP_ERROR : KTAP_FAILED;
}

static void add_case(struct junit *junit, const char *command, const struct matrix_result *result)
{
	char message[64];
	struct junit_case row = {
		.name = command,
		.result = result_of(result),
		.message = result->reason,
		.time_us = result->tries ? result->took_ms * 1000 : -1,
	};

	snprintf(message, sizeof(message), "the status is %d", result->status);
	if (result->state != MATRIX_ENDED)
		row.message = "it was not run";
	else if (!*result->reason)
		row.message = message;
	junit_add_case(junit, &row);
}

/* A suite for each machine of each kernel; tests of one stand together. */
static void add_cases(const struct matrix *matrix, struct junit *junit)
{
	char suite[PATH_MAX] = "";

	for (size_t i = 0; i < matrix->plan.count; i++) {
		const char *name = matrix->plan.tests[i].name;
		size_t size = (size_t)(strrchr(name, '/') - name);

		if (strncmp(suite, name, size) != 0 || suite[size]) {
			snprintf(suite, sizeof(suite), "%.*s", (int)size, name);
			junit_suite(junit, suite, -1);
		}
		add_case(junit, name + size + 1, &matrix->results[i]);
	}
}

static int write_junit(const struct matrix *matrix, const char *path, struct error *err)
{
	FILE *file = fopen(path, "we");
	struct junit *junit = NULL;
	int r;

	if (!file)
		return error_set_errno(err, errno, "--output: '%s'", path);
	r = junit_begin(&junit, file, "armlet test --matrix");
	if (r < 0) {
		error_set_errno(err, -r, "--output: '%s'", path);
	} else {
		add_cases(matrix, junit);
		r = junit_end(junit, err);
		if (r < 0)
			error_prefix(err, "--output: '%s': ", path);
	}
	junit_destroy(junit);
	if (fclose(file) != 0 && r == 0)
		r = error_set_errno(err, errno, "--output: '%s'", path);
	return r;
}

/* ---- Both ------------------------------------------------------------- */

/* Each form has a name of its own for each part. */
static char *name_file(const struct matrix *matrix, const char *part, const char *stem,
		       const char *end)
{
	uint32_t index, count;
	char *path = NULL;
	int size;

	if (part && matrix_parse_shard(part, &index, &count, NULL) == 0)
		size = asprintf(&path, "%s/%s-%u-of-%u.%s", matrix->output, stem, index, count,
				end);
	else
		size = asprintf(&path, "%s/%s.%s", matrix->output, stem, end);
	return size < 0 ? NULL : path;
}

int matrix_report(const struct matrix *matrix, const struct matrix_options *asked,
		  struct error *err)
{
	_cleanup_free_ char *path = name_file(matrix, asked->shard, "summary", "json");
	_cleanup_free_ char *junit = name_file(matrix, asked->shard, "junit", "xml");
	struct json_object *summary = describe(matrix, asked);
	int r;

	if (path && junit)
		r = write_summary(path, summary, err);
	else
		r = error_set_errno(err, ENOMEM, "--output");
	json_object_put(summary);
	if (r == 0)
		r = write_junit(matrix, junit, err);
	if (r == 0)
		matrix_view_sum(matrix, path);
	return r;
}
