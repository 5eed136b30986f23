/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a file of --matrix, and behind a NUL as a former summary: it is refused with one
 * sentence, or becomes tests whose names are plain paths and whose words `armlet test` takes; two
 * parts of it are all of it.
 */
#include <string.h>

#include "fuzz.h"
#include "matrix_plan.h"

static bool is_plain(const char *name)
{
	unsigned slashes = 0;

	FUZZ_ASSERT(*name != '/' && !strstr(name, "/.") && *name != '.');
	for (; *name; name++) {
		slashes += *name == '/';
		if (*name <= ' ' || *name > '~')
			return false;
	}
	return slashes == 2;
}

static void check_test(const struct matrix_test *test)
{
	FUZZ_ASSERT(is_plain(test->name) && test->cpus >= 1);
	FUZZ_ASSERT(!strcmp(test->words[0], "armlet") && !strcmp(test->words[1], "test"));
	FUZZ_ASSERT(!strncmp(test->words[2], "--output=out/", 13));
	FUZZ_ASSERT(!strcmp(test->words[2] + 13, test->name));
	for (char *const *word = test->words + 3; *word && strcmp(*word, "--") != 0; word++) {
		FUZZ_ASSERT(!strncmp(*word, "--", 2));
		FUZZ_ASSERT(strncmp(*word, "--output", 8) != 0 &&
			    strncmp(*word, "--matrix", 8) != 0);
	}
}

/* The tests of one part of two; 0 if it is refused. */
static size_t read_part(const char *text, const char *summary, size_t summary_size, uint32_t part)
{
	struct error err = {0};
	struct matrix_plan plan;
	size_t count;
	int r = matrix_plan_read("m", text, strlen(text), "out", &plan, &err);

	FUZZ_ASSERT(r == 0 || (r < 0 && err.code > 0 && err.text[0] && !plan.tests));
	for (size_t i = 0; i < plan.count; i++)
		check_test(&plan.tests[i]);
	if (r == 0 && summary_size)
		matrix_plan_durations(&plan, "s", summary, summary_size, &err);
	if (r == 0 && part)
		FUZZ_ASSERT(matrix_plan_shard(&plan, part, 2, &err) == 0);
	count = plan.count;
	matrix_plan_finish(&plan);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = malloc(size + 1);
	size_t first, whole;
	const char *summary;

	FUZZ_ASSERT(text);
	memcpy(text, data, size);
	text[size] = '\0';
	first = strlen(text);
	summary = text + first + (first < size);
	whole = read_part(text, NULL, 0, 0);
	if (whole)
		FUZZ_ASSERT(read_part(text, summary, (size_t)(text + size - summary), 1) +
				    read_part(text, summary, (size_t)(text + size - summary), 2) ==
			    whole);
	return 0;
}
