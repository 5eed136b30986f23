/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root of `armlet test` as a copy in the guest's memory (trial/root_copy.h), for those that
 * cannot be shared: the kernel has neither virtiofs nor 9p, or the host no program for them.
 */
#include <string.h>

#include "base/log.h"
#include "test.h"
#include "trial/root_copy.h"

/* While the kernel unpacks them, they are in its memory twice. */
#define MOST  (128 * MIB)
#define SHARE 4 /* of the guest's memory */

/* The command's PATH, but for what a file says. */
static const char *path_of(const struct test *test)
{
	const char *path = TEST_PATH;

	for (size_t i = 0; i < test->options.environment_count; i++) {
		const char *variable = test->options.environment[i];

		if (!strncmp(variable, "PATH=", strlen("PATH=")))
			path = variable + strlen("PATH=");
		else if (!strcmp(variable, "PATH") && getenv("PATH"))
			path = getenv("PATH");
	}
	return path;
}

static void tell(const struct test *test, const struct root_copy_report *report)
{
	char left_out[128] = "";

	if (report->left_out)
		snprintf(left_out, sizeof(left_out),
			 "; left out: %zu that cannot be read or are too much for its memory",
			 report->left_out);
	if (test->copy_reason)
		log_warning("the root is a copy in memory, %zu files of %.1f MB, as %s%s",
			    report->files, (double)report->bytes / 1e6, test->copy_reason,
			    left_out);
	else if (report->left_out)
		log_warning("the root is a copy in memory%s", left_out);
	if (report->missing[0])
		log_warning("%s", report->missing);
}

int test_copy_root(const struct test *test, struct cpio *cpio, struct error *err)
{
	static const char *const shell[] = {"/bin/sh"};
	char present[PATH_MAX];
	struct root_copy_request request = {
		.root = test->root_path,
		.begin = test_map_directory(test, present),
		.path = path_of(test),
		.words = test->options.words,
		.word_count = test->options.word_count,
		.most = min_u64(MOST, test->run.options.machine.mem / SHARE),
	};
	struct root_copy_report report;
	int r;

	if (!request.word_count && test->terminal) {
		request.words = shell;
		request.word_count = 1;
	}
	r = root_copy(&request, cpio, &report, err);
	if (r == 0)
		tell(test, &report);
	return r < 0 ? error_prefix(err, "--root: ") : 0;
}
