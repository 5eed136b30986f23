/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a matrix: by name, and for several hosts. */
#include <string.h>

#include "base/parse.h"
#include "matrix_plan.h"
#include "options_json.h"

#define SECONDS_MAX 1e9

static void free_test(struct matrix_test *test)
{
	free(test->name);
	for (char **word = test->words; word && *word; word++)
		free(*word);
	free(test->words);
}

static void keep(struct matrix_plan *plan, const bool *kept)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++) {
		if (kept[i])
			plan->tests[count++] = plan->tests[i];
		else
			free_test(&plan->tests[i]);
	}
	plan->count = count;
}

/*
 * * is any text, ? any character. fnmatch(3) would be a hundredth of the whole program. When a
 * text does not go on as the pattern does, the last * takes a character more.
 */
static bool is_like(const char *text, const char *pattern)
{
	const char *behind = NULL, *taken = NULL;

	while (*text) {
		if (*pattern == '*') {
			behind = ++pattern;
			taken = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (behind) {
			pattern = behind;
			text = ++taken;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

int matrix_plan_only(struct matrix_plan *plan, const char *pattern, struct error *err)
{
	_cleanup_free_ bool *kept = calloc(plan->count + 1, sizeof(*kept));
	bool any = false;

	if (!kept)
		return error_set_errno(err, ENOMEM, "--only");
	for (size_t i = 0; i < plan->count; i++) {
		kept[i] = is_like(plan->tests[i].name, pattern);
		any = any || kept[i];
	}
	if (!any)
		return error_set(err, EINVAL,
				 "--only '%.100s': no test's name is like this; the first one is "
				 "'%s'",
				 pattern, plan->count ? plan->tests[0].name : "");
	keep(plan, kept);
	return 0;
}

/* ---- Durations -------------------------------------------------------- */

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, name, &value);
	return value;
}

/* What did not run has no duration. */
static void learn(struct matrix_plan *plan, struct json_object *row)
{
	struct json_object *name = member(row, "name");
	double seconds = json_object_get_double(member(row, "seconds"));

	if (!json_object_is_type(name, json_type_string) || !(seconds > 0 && seconds < SECONDS_MAX))
		return;
	for (size_t i = 0; i < plan->count; i++) {
		if (!strcmp(plan->tests[i].name, json_object_get_string(name)))
			plan->tests[i].took_ms = 1 + (int64_t)(seconds * 1000);
	}
}

int matrix_plan_durations(struct matrix_plan *plan, const char *path, const char *text, size_t size,
			  struct error *err)
{
	struct json_object *root = NULL, *tests;
	int r = options_parse_json(path, text, size, &root, err);

	if (r < 0)
		return r;
	tests = member(root, "tests");
	if (!json_object_is_type(tests, json_type_array))
		r = error_set(err, EINVAL, "%s: this is no summary.json: it has no array 'tests'",
			      path);
	for (size_t i = 0; r == 0 && i < json_object_array_length(tests); i++)
		learn(plan, json_object_array_get_idx(tests, i));
	json_object_put(root);
	return r;
}

/* ---- Shards ----------------------------------------------------------- */

int matrix_parse_shard(const char *text, uint32_t *ret_index, uint32_t *ret_count,
		       struct error *err)
{
	const char *slash = strchr(text, '/');
	uint64_t index = 0, count = 0;
	char first[16];

	snprintf(first, sizeof(first), "%.*s", slash ? (int)min_u64(slash - text, 15) : 0, text);
	if (!slash || parse_u64(first, &index) < 0 || parse_u64(slash + 1, &count) < 0 || !index ||
	    index > count || count > MATRIX_SHARDS_MAX)
		return error_set(err, EINVAL,
				 "--shard: '%.100s' is no part; write 2/3 for the second of three, "
				 "which may be %d at most",
				 text, MATRIX_SHARDS_MAX);
	*ret_index = (uint32_t)index;
	*ret_count = (uint32_t)count;
	return 0;
}

struct weight {
	size_t test;
	int64_t ms;
};

static int compare_weights(const void *a, const void *b)
{
	const struct weight *left = a, *right = b;

	if (left->ms != right->ms)
		return left->ms < right->ms ? 1 : -1;
	return left->test < right->test ? -1 : 1;
}

/* Those of which nothing is known are as the others are; all are alike if nobody is known. */
static void weigh(const struct matrix_plan *plan, struct weight *weights)
{
	int64_t sum = 0, known = 0, usual;

	for (size_t i = 0; i < plan->count; i++) {
		sum += plan->tests[i].took_ms;
		known += plan->tests[i].took_ms != 0;
	}
	usual = known ? 1 + sum / known : 1;
	for (size_t i = 0; i < plan->count; i++)
		weights[i] = (struct weight){
			.test = i, .ms = plan->tests[i].took_ms ? plan->tests[i].took_ms : usual};
	qsort(weights, plan->count, sizeof(*weights), compare_weights);
}

/* The longest first, each to the part that has the least: round-robin if all are alike. */
int matrix_plan_shard(struct matrix_plan *plan, uint32_t index, uint32_t count, struct error *err)
{
	_cleanup_free_ struct weight *weights = calloc(plan->count + 1, sizeof(*weights));
	_cleanup_free_ int64_t *loads = calloc(count, sizeof(*loads));
	_cleanup_free_ bool *kept = calloc(plan->count + 1, sizeof(*kept));

	if (!weights || !loads || !kept)
		return error_set_errno(err, ENOMEM, "--shard");
	weigh(plan, weights);
	for (size_t i = 0; i < plan->count; i++) {
		uint32_t least = 0;

		for (uint32_t j = 1; j < count; j++) {
			if (loads[j] < loads[least])
				least = j;
		}
		loads[least] += weights[i].ms;
		kept[weights[i].test] = least == index - 1;
	}
	keep(plan, kept);
	return 0;
}
