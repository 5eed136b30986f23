/* SPDX-License-Identifier: Apache-2.0 */
/* armlet test --matrix: each kernel, on each machine, with each command. */
#include "matrix.h"

#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "base/now.h"
#include "matrix_toml.h"
#include "options_json.h"
#include "test.h"

#define FAILED 1 /* the status when a test failed */

/* ---- The words -------------------------------------------------------- */

static bool is_changed(const struct option_def *option, const struct test *test,
		       const struct test *initial)
{
	struct json_object *value = option_to_json(option, test);
	struct json_object *before = option_to_json(option, initial);
	bool changed = !json_object_equal(value, before);

	json_object_put(value);
	json_object_put(before);
	return changed;
}

/* Is it one of those that are about many? */
static bool is_ours(const struct option_def *option)
{
	return option->offset >= offsetof(struct test, matrix) &&
	       option->offset < offsetof(struct test, matrix) + sizeof(struct matrix_options);
}

static int refuse(const struct option_def *option, const char *file, struct error *err)
{
	if (is_ours(option))
		return error_set(err, EINVAL, "--%s: this is for many tests, and needs --matrix",
				 option->name);
	if (!option->help)
		return error_set(err, EINVAL,
				 "--matrix: the commands stand in '%s', and none behind --", file);
	return error_set(err, EINVAL, "--%s: with --matrix this stands in '%s', as \"%s\"",
			 option->name, file, option->name);
}

int matrix_check(const struct test *test, struct error *err)
{
	_cleanup_free_ struct test *initial = calloc(1, sizeof(*initial));
	bool many = test->matrix.file != NULL;

	if (!initial)
		return error_set_errno(err, ENOMEM, "the test");
	test_init(initial);
	for (const struct option_def *o = test_table.options; o->name; o++) {
		bool wrong = many ? !o->only_here : is_ours(o);

		if (wrong && is_changed(o, test, initial))
			return refuse(o, test->matrix.file, err);
	}
	if (test->matrix.duration_count && !test->matrix.shard)
		return error_set(err, EINVAL,
				 "--durations: these are for --shard, which is not "
				 "there");
	return 0;
}

/* ---- The plan --------------------------------------------------------- */

static int read_text(const char *path, const char *option, char **ret, size_t *ret_size,
		     struct error *err)
{
	int r = options_read_text(path, ret, ret_size, err);

	return r < 0 ? error_prefix(err, "%s '%s': ", option, path) : 0;
}

static int read_durations(struct matrix *matrix, const char *path, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = read_text(path, "--durations", &text, &size, err);

	return r < 0 ? r : matrix_plan_durations(&matrix->plan, path, text, size, err);
}

/* A part does not write the summary that it was cut by: each part is to find the same one. */
static int take_shard(struct matrix *matrix, const struct matrix_options *asked, struct error *err)
{
	_cleanup_free_ char *former = NULL;
	uint32_t index, count;
	int r = matrix_parse_shard(asked->shard, &index, &count, err);

	for (size_t i = 0; i < asked->duration_count && r == 0; i++)
		r = read_durations(matrix, asked->durations[i], err);
	if (r < 0)
		return r;
	if (asprintf(&former, "%s/summary.json", matrix->output) < 0)
		return error_set_errno(err, ENOMEM, "--shard");
	if (!asked->duration_count && access(former, F_OK) == 0)
		r = read_durations(matrix, former, err);
	return r < 0 ? r : matrix_plan_shard(&matrix->plan, index, count, err);
}

static int plan(struct matrix *matrix, const struct matrix_options *asked, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	if (matrix_is_toml(asked->file)) {
		r = matrix_read_toml(asked->file, &text, &size, err);
		if (r < 0)
			error_prefix(err, "--matrix '%s': ", asked->file);
	} else {
		r = read_text(asked->file, "--matrix", &text, &size, err);
	}
	if (r == 0) {
		r = matrix_plan_read(asked->file, text, size, matrix->output, &matrix->plan, err);
		if (r < 0)
			error_prefix(err, "--matrix ");
	}
	if (r == 0 && asked->only)
		r = matrix_plan_only(&matrix->plan, asked->only, err);
	if (r == 0 && asked->shard)
		r = take_shard(matrix, asked, err);
	if (r < 0)
		return r;
	matrix->results = calloc(matrix->plan.count + 1, sizeof(*matrix->results));
	return matrix->results ? 0 : error_set_errno(err, ENOMEM, "--matrix");
}

/* So many that each vCPU of the largest has a CPU. */
static uint32_t usual_jobs(const struct matrix_plan *plan)
{
	uint32_t cpus = 1;
	cpu_set_t usable;
	uint32_t count = 1;

	if (sched_getaffinity(0, sizeof(usable), &usable) == 0)
		count = (uint32_t)CPU_COUNT(&usable);
	for (size_t i = 0; i < plan->count; i++)
		cpus = (uint32_t)max_u64(cpus, plan->tests[i].cpus);
	return (uint32_t)max_u64(count / cpus, 1);
}

/* ---- The whole -------------------------------------------------------- */

static int run(struct matrix *matrix, const struct matrix_options *asked, struct error *err)
{
	int r = plan(matrix, asked, err);
	int written;

	if (r < 0)
		return r;
	matrix->jobs = asked->jobs ? asked->jobs : usual_jobs(&matrix->plan);
	matrix->retries = asked->retries;
	if (mkdir(matrix->output, 0777) < 0 && errno != EEXIST)
		return error_set_errno(err, errno, "--output %s", matrix->output);
	r = matrix_run(matrix, err);
	/* What has ended is told even then; the first sentence stays. */
	written = matrix_report(matrix, asked, r < 0 ? NULL : err);
	return r < 0 ? r : written;
}

int matrix_main(const struct test *test)
{
	struct matrix matrix = {.output =
					test->options.output ? test->options.output : MATRIX_OUTPUT,
				.signals = -EBADF};
	struct error err = {0};
	int r = run(&matrix, &test->matrix, &err);
	int status = matrix.failed ? FAILED : EXIT_SUCCESS;

	if (r == 0 && matrix.ended_by)
		status = EXIT_SIGNALLED + matrix.ended_by;
	matrix_plan_finish(&matrix.plan);
	free(matrix.results);
	return r < 0 ? fail_with("test", &err) : status;
}
