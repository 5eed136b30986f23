/* SPDX-License-Identifier: Apache-2.0 */
/* A file of --matrix: the tests that it means, their words, what is refused, and its parts. */
#include "matrix_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "matrix_toml.h"
#include "unit.h"

static struct error err;

static int read_plan(const char *text, struct matrix_plan *plan)
{
	err = (struct error){0};
	return matrix_plan_read("m.json", text, strlen(text), "out", plan, &err);
}

static void must_read(const char *text, struct matrix_plan *plan)
{
	ck_assert_msg(read_plan(text, plan) == 0, "%s", err.text);
}

static void join(char *const *words, char text[static 1024])
{
	text[0] = '\0';
	for (; *words; words++) {
		strcat(text, *words);
		strcat(text, words[1] ? "|" : "");
	}
}

#define AROUND(kernel, command) \
	"{\"kernels\": {\"k\": {" kernel "}}, \"commands\": {\"c\": {" command "}}}"

/* ---- TOML ------------------------------------------------------------- */

/* What the file holds; the JSON of it, or the sentence. */
static const struct {
	const char *toml, *json, *complaint;
} tomls[] = {
	{"[kernels.\"6.1\"]\nmem = \"256M\" # small\ncpus = 2\n[commands]\n",
	 "{\"kernels\": {\"6.1\": {\"mem\": \"256M\", \"cpus\": 2}}, \"commands\": {}}", NULL},
	{"", "{}", NULL},
	{"a = [1, true, \"\\u00e4\"]\n", "{\"a\": [1, true, \"\\u00e4\"]}", NULL},
	/* JSON has no dates. */
	{"a = 2026-01-01\n", "{\"a\": \"2026-01-01\"}", NULL},
	{"a = 1\n= 2\n", NULL, "Invalid statement (at line 2, column 1)"},
	{"a = 1\na = 2\n", NULL, "Cannot overwrite a value (at line 2, column 6)"},
	{"a = inf\n", NULL, "Out of range float values are not JSON compliant"},
	{"a = \"\xff\"\n", NULL, "'utf-8' codec can't decode byte 0xff in position 5"},
};

START_TEST(test_toml)
{
	char path[] = "/tmp/armlet-matrix.XXXXXX.toml";
	char *json = NULL;
	size_t size = 0;
	int fd = mkstemps(path, 5), r;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, tomls[_i].toml, strlen(tomls[_i].toml)),
			 (ssize_t)strlen(tomls[_i].toml));
	close(fd);
	ck_assert(matrix_is_toml(path) && !matrix_is_toml(".toml") && !matrix_is_toml("a.json"));
	err = (struct error){0};
	r = matrix_read_toml(path, &json, &size, &err);
	if (tomls[_i].json) {
		ck_assert_msg(r == 0, "%s", err.text);
		ck_assert_str_eq(json, tomls[_i].json);
		ck_assert_uint_eq(size, strlen(json));
	} else {
		ck_assert_int_lt(r, 0);
		ck_assert_msg(!strncmp(err.text, tomls[_i].complaint, strlen(tomls[_i].complaint)),
			      "%s", err.text);
	}
	free(json);
	unlink(path);
	err = (struct error){0};
	ck_assert_int_eq(matrix_read_toml(path, &json, &size, &err), -ENOENT);
	ck_assert_ptr_null(strstr(err.text, "python"));
}
END_TEST

/* ---- Which tests ------------------------------------------------------ */

#define TWO_BY_TWO(rest)                                                                    \
	"{\"kernels\": {\"6.1\": {}, \"6.12\": {}}, \"machines\": {\"a\": {}, \"b\": {}}, " \
	"\"commands\": {\"x\": {}, \"y\": {}}" rest "}"

static const struct {
	const char *text;
	const char *names; /* with a space behind each */
} products[] = {
	{AROUND("", ""), "k/default/c "},
	{TWO_BY_TWO(""), "6.1/a/x 6.1/a/y 6.1/b/x 6.1/b/y 6.12/a/x 6.12/a/y 6.12/b/x 6.12/b/y "},
	{TWO_BY_TWO(", \"exclude\": []"),
	 "6.1/a/x 6.1/a/y 6.1/b/x 6.1/b/y 6.12/a/x 6.12/a/y 6.12/b/x 6.12/b/y "},
	{TWO_BY_TWO(", \"exclude\": [{\"kernel\": \"6.1\"}]"),
	 "6.12/a/x 6.12/a/y 6.12/b/x 6.12/b/y "},
	{TWO_BY_TWO(", \"exclude\": [{\"kernel\": \"6.1\", \"command\": \"x\"}]"),
	 "6.1/a/y 6.1/b/y 6.12/a/x 6.12/a/y 6.12/b/x 6.12/b/y "},
	{TWO_BY_TWO(", \"exclude\": [{\"machine\": \"a\"}, {\"kernel\": \"6.12\", \"machine\": "
		    "\"b\", \"command\": \"y\"}]"),
	 "6.1/b/x 6.1/b/y 6.12/b/x "},
	{TWO_BY_TWO(", \"$schema\": \"x\", \"common\": {}"),
	 "6.1/a/x 6.1/a/y 6.1/b/x 6.1/b/y 6.12/a/x 6.12/a/y 6.12/b/x 6.12/b/y "},
	{"{\"kernels\": {\"k\": {}}, \"machines\": {\"default\": {}}, \"commands\": {\"c\": {}}, "
	 "\"exclude\": [{\"machine\": \"default\", \"kernel\": \"k\", \"command\": \"d\"}]}",
	 NULL},
};

START_TEST(test_products)
{
	struct matrix_plan plan;
	char names[1024] = "";

	if (!products[_i].names) {
		ck_assert_int_eq(read_plan(products[_i].text, &plan), -EINVAL);
		return;
	}
	must_read(products[_i].text, &plan);
	for (size_t i = 0; i < plan.count; i++) {
		strcat(names, plan.tests[i].name);
		strcat(names, " ");
	}
	ck_assert_str_eq(names, products[_i].names);
	matrix_plan_finish(&plan);
}
END_TEST

/* ---- With which words ------------------------------------------------- */

static const struct {
	const char *text;
	const char *words; /* behind "armlet|test|--output=out/k/default/c" */
	uint32_t cpus;
} wordings[] = {
	{AROUND("", ""), "", 1},
	{AROUND("\"kernel\": \"Image\"", "\"command\": [\"ls\", \"-l\", 7]"),
	 "|--kernel=Image|--|ls|-l|7", 1},
	{AROUND("\"mem\": 256, \"cpus\": 3", ""), "|--cpus=3|--mem=256", 3},
	{AROUND("\"mem\": \"2G\", \"rw\": true", "\"verbose\": false"), "|--rw|--mem=2G", 1},
	/* A word that looks like an option is none. */
	{AROUND("\"append\": \"--x\", \"root\": \"-\"", "\"command\": [\"--help\", \"--\"]"),
	 "|--root=-|--append=--x|--|--help|--", 1},
	{AROUND("\"env\": \"A=1\"", "\"env\": [\"B\", \"C=\"]"), "|--env=A=1|--env=B|--env=C=", 1},
	{AROUND("\"balloon\": true, \"tty\": \"off\"", ""), "|--tty=off|--balloon", 1},
	{AROUND("\"balloon\": false", ""), "", 1},
	{AROUND("\"pin\": \"0-1\", \"cpus\": 2", "\"disk\": [\"a,,b,ro\", \"c\"]"),
	 "|--cpus=2|--pin=0-1|--disk=a,,b,ro|--disk=c", 2},
	/* The later one counts, whatever stands first in the file. */
	{"{\"commands\": {\"c\": {\"mem\": \"4G\"}}, \"machines\": {\"default\": {\"mem\": \"3G\", "
	 "\"cpus\": 2}}, \"kernels\": {\"k\": {\"mem\": \"2G\", \"cpus\": 8, \"timeout\": 2}}, "
	 "\"common\": {\"mem\": \"1G\", \"timeout\": 1, \"boot-timeout\": 1}}",
	 "|--timeout=2|--boot-timeout=1|--cpus=2|--mem=4G", 2},
	/* A flag can be taken back; what is repeated is added up in that order. */
	{"{\"commands\": {\"c\": {\"env\": [\"D\"], \"rw\": false}}, \"machines\": {\"default\": "
	 "{\"env\": \"C\"}}, \"kernels\": {\"k\": {\"env\": [\"B\"]}}, \"common\": {\"env\": "
	 "[\"A\"], \"rw\": true, \"verbose\": true}}",
	 "|--env=A|--env=B|--env=C|--env=D|--verbose", 1},
};

START_TEST(test_wordings)
{
	char words[1024], wanted[1024];
	struct matrix_plan plan;

	must_read(wordings[_i].text, &plan);
	ck_assert_uint_eq(plan.count, 1);
	join(plan.tests[0].words, words);
	snprintf(wanted, sizeof(wanted), "armlet|test|--output=out/%s%s", plan.tests[0].name,
		 wordings[_i].words);
	ck_assert_str_eq(words, wanted);
	ck_assert_uint_eq(plan.tests[0].cpus, wordings[_i].cpus);
	matrix_plan_finish(&plan);
}
END_TEST

/* ---- What is refused -------------------------------------------------- */

#define GOOD "\"kernels\": {\"k\": {}}, \"commands\": {\"c\": {}}"

static const struct {
	const char *text;
	const char *sentence; /* behind "m.json: "; its beginning */
} refusals[] = {
	{"", "this is no JSON: "},
	{"{", "this is no JSON: "},
	{"null", "this is no matrix: a JSON object is wanted, {...}"},
	{"[]", "this is no matrix: a JSON object is wanted, {...}"},
	{"{}", "there is no 'kernels', which the tests are made of"},
	{"{\"kernels\": {\"k\": {}}}", "there is no 'commands'"},
	{"{\"kernels\": {}, \"commands\": {\"c\": {}}}", "kernels: there is none"},
	{"{\"kernels\": [], \"commands\": {\"c\": {}}}", "kernels: [] is not an object of names"},
	{"{\"kernels\": {\"k\": {}}, \"commands\": null}", "there is no 'commands'"},
	{"{" GOOD ", \"machines\": {}}", "machines: there is none"},
	{"{" GOOD ", \"machines\": null}", "there is no 'machines'"},
	{"{" GOOD ", \"comon\": {}}", "there is no field 'comon'; did you mean 'common'?"},
	{"{" GOOD ", \"zzzzzz\": {}}", "there is no field 'zzzzzz'"},
	{"{" GOOD ", \"common\": 1}", "common: 1 is not an object of options"},
	{"{" GOOD ", \"common\": null}", "common: null is not an object of options"},
	{"{" GOOD ", \"common\": {\"command\": [\"x\"]}}",
	 "common.command: only what is in 'commands' has one"},
	{"{" GOOD ", \"common\": {\"output\": \"x\"}}",
	 "common.output: this is said on the command line, for all of them"},
	{"{" GOOD ", \"common\": {\"matrix\": \"x\"}}", "common.matrix: this is said on the"},
	{"{" GOOD ", \"common\": {\"jobs\": 2}}", "common.jobs: this is said on the"},
	{"{" GOOD ", \"exclude\": {}}", "exclude: {} is not an array"},
	{"{" GOOD ", \"exclude\": [{}]}",
	 "exclude[0]: {} is not an object with a kernel, a machine or a command"},
	{"{" GOOD ", \"exclude\": [{\"kernle\": \"k\"}]}",
	 "exclude[0]: there is no field 'kernle'; did you mean 'kernel'?"},
	{"{" GOOD ", \"exclude\": [{\"kernel\": 1}]}", "exclude[0]: kernel: 1 is not a name"},
	{"{" GOOD ", \"exclude\": [{\"command\": \"d\"}]}",
	 "exclude[0]: there is no command 'd'; did you mean 'c'?"},
	{"{" GOOD ", \"exclude\": [{\"kernel\": \"k\"}]}", "exclude: it leaves no test"},
	{AROUND("\"kernal\": \"x\"", ""),
	 "kernels.k.kernal: there is no option 'kernal'; did you mean 'kernel'?"},
	{AROUND("\"zzzzzzzz\": 1", ""), "kernels.k.zzzzzzzz: there is no option 'zzzzzzzz'"},
	{AROUND("\"k\": 1", ""), "kernels.k.k: there is no option 'k'"},
	{AROUND("\"rw\": \"yes\"", ""), "kernels.k.rw: \"yes\" is not true or false"},
	{AROUND("\"mem\": true", ""), "kernels.k.mem: true is not a string or a number"},
	{AROUND("\"mem\": 1.5", ""), "kernels.k.mem: 1.5 is not a string or a number"},
	{AROUND("\"mem\": null", ""), "kernels.k.mem: null is not a string or a number"},
	{AROUND("\"mem\": [1]", ""), "kernels.k.mem: [1] is not a string or a number"},
	{AROUND("\"pin\": [1]", ""), "kernels.k.pin: [1] is not a string or a number"},
	{AROUND("\"append\": \"a\\u0000b\"", ""), "kernels.k.append: \"a\\u0000b\" is not a"},
	{AROUND("\"env\": [[]]", ""),
	 "kernels.k.env: [[]] is not a string, a number, or an array of these"},
	{AROUND("\"mem\": \"x\"", ""), "k/default/c: --mem: 'x' is not a size"},
	{AROUND("\"cpus\": -1", ""), "k/default/c: --cpus: '-1' is not a number from 1 to"},
	{AROUND("\"fail-on\": \"warm\"", ""), "k/default/c: "},
	{AROUND("\"disk\": \"a,writeble=1\"", ""), "k/default/c: --disk: "},
	{AROUND("", "\"command\": []"), "commands.c.command: [] is not an array of a program"},
	{AROUND("", "\"command\": \"ls -l\""), "commands.c.command: \"ls -l\" is not an array"},
	{AROUND("", "\"command\": [true]"), "commands.c.command: [true] is not an array"},
	{"{\"kernels\": {\"k\": 1}, \"commands\": {\"c\": {}}}",
	 "kernels.k: 1 is not an object of options"},
	{"{\"kernels\": {\"a/b\": {}}, \"commands\": {\"c\": {}}}",
	 "kernels: 'a/b' cannot be a name; a name has letters"},
	{"{\"kernels\": {\"\": {}}, \"commands\": {\"c\": {}}}", "kernels: '' cannot be a name"},
	{"{\"kernels\": {\"..\": {}}, \"commands\": {\"c\": {}}}", "kernels: '..' cannot be a"},
	{"{\"kernels\": {\"-k\": {}}, \"commands\": {\"c\": {}}}", "kernels: '-k' cannot be a"},
	{"{\"kernels\": {\"k\": {}}, \"commands\": {\"a b\": {}}}", "commands: 'a b' cannot be a"},
	{"{\"kernels\": {\"summary.json\": {}}, \"commands\": {\"c\": {}}}",
	 "kernels: 'summary.json' cannot be a name"},
};

START_TEST(test_refusals)
{
	struct matrix_plan plan;
	char wanted[256];

	ck_assert_int_lt(read_plan(refusals[_i].text, &plan), 0);
	ck_assert_uint_eq(plan.count, 0);
	ck_assert_ptr_null(plan.tests);
	snprintf(wanted, sizeof(wanted), "m.json: %s", refusals[_i].sentence);
	ck_assert_msg(!strncmp(err.text, wanted, strlen(wanted)), "'%s', not '%s'", err.text,
		      wanted);
	ck_assert_int_ne(err.text[strlen(err.text) - 1], '.');
}
END_TEST

/* @kernels times @commands tests, all alike. */
static char *many(unsigned kernels, unsigned commands)
{
	size_t size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	fputs("{\"kernels\": {", out);
	for (unsigned i = 0; i < kernels; i++)
		fprintf(out, "%s\"k%u\": {}", i ? ", " : "", i);
	fputs("}, \"commands\": {", out);
	for (unsigned i = 0; i < commands; i++)
		fprintf(out, "%s\"c%u\": {}", i ? ", " : "", i);
	fputs("}}", out);
	fclose(out);
	return text;
}

START_TEST(test_too_many)
{
	_cleanup_free_ char *most = many(16, MATRIX_TESTS_MAX / 16);
	_cleanup_free_ char *more = many(16, MATRIX_TESTS_MAX / 16 + 1);
	struct matrix_plan plan;

	must_read(most, &plan);
	ck_assert_uint_eq(plan.count, MATRIX_TESTS_MAX);
	matrix_plan_finish(&plan);
	ck_assert_int_eq(read_plan(more, &plan), -E2BIG);
	ck_assert_str_eq(err.text, "m.json: these are more than 4096 tests");
}
END_TEST

/* ---- Parts ------------------------------------------------------------ */

static const struct {
	const char *pattern;
	size_t count; /* of TWO_BY_TWO("") */
} patterns[] = {
	{"*", 8},        {"6.1/*", 4},   {"6.1*", 8},    {"*/x", 4},      {"*/b/*", 4},
	{"*.12/a/y", 1}, {"6.1/?/y", 2}, {"a", 0},       {"", 0},         {"6?1?/?/?", 4},
	{"*1*2*x", 2},   {"**y**", 4},   {"*/*/*/*", 0}, {"6.1/a/x?", 0}, {"6.1/a", 0},
};

START_TEST(test_only)
{
	struct matrix_plan plan;
	int r;

	must_read(TWO_BY_TWO(""), &plan);
	r = matrix_plan_only(&plan, patterns[_i].pattern, &err);
	ck_assert_int_eq(r, patterns[_i].count ? 0 : -EINVAL);
	if (r == 0)
		ck_assert_uint_eq(plan.count, patterns[_i].count);
	matrix_plan_finish(&plan);
}
END_TEST

static const struct {
	const char *text;
	uint32_t index, count; /* 0: it is refused */
} shards[] = {
	{"1/1", 1, 1},
	{"2/3", 2, 3},
	{"4096/4096", 4096, 4096},
	{"0/1", 0, 0},
	{"2/1", 0, 0},
	{"1/4097", 0, 0},
	{"1", 0, 0},
	{"", 0, 0},
	{"/", 0, 0},
	{"1/", 0, 0},
	{"/1", 0, 0},
	{"1/2/3", 0, 0},
	{"-1/2", 0, 0},
	{"1 /2", 0, 0},
	{"00000000000000000001/2", 0, 0},
	{"18446744073709551617/2", 0, 0},
};

START_TEST(test_shard_words)
{
	uint32_t index = 0, count = 0;
	int r = matrix_parse_shard(shards[_i].text, &index, &count, &err);

	ck_assert_int_eq(r, shards[_i].count ? 0 : -EINVAL);
	ck_assert_uint_eq(index, shards[_i].index);
	ck_assert_uint_eq(count, shards[_i].count);
}
END_TEST

static void learn(struct matrix_plan *plan, const char *text)
{
	ck_assert_msg(matrix_plan_durations(plan, "s.json", text, strlen(text), &err) == 0, "%s",
		      err.text);
}

#define SECONDS(name, seconds) "{\"name\": \"" name "\", \"seconds\": " seconds "}"
#define QUICK(on)              SECONDS(on "/x", "1") "," SECONDS(on "/y", "1") ","

/* Former summaries, and the parts (of two) of TWO_BY_TWO("") that follow from them. */
static const struct {
	const char *summary; /* NULL: none */
	const char *parts;   /* of each test in turn */
} divisions[] = {
	{NULL, "12121212"},
	{"{\"tests\": []}", "12121212"},
	{"{\"tests\": [1, null, {}, {\"name\": 1, \"seconds\": 1}, " SECONDS("nobody", "5") "]}",
	 "12121212"},
	/* Those that are not known are thought to take a little longer. */
	{"{\"tests\": [" SECONDS("6.1/b/y", "100") "]}", "12122121"},
	{"{\"tests\": [" QUICK("6.1/a") QUICK("6.1/b") QUICK("6.12/a")
		 SECONDS("6.12/b/x", "1") "," SECONDS("6.12/b/y", "90") "]}",
	 "22222221"},
	/* What cannot be is as if it were not said. */
	{"{\"tests\": [" SECONDS("6.1/a/x", "-1") "," SECONDS("6.1/a/y", "1e300") "," SECONDS(
		 "6.1/b/x", "0") "]}",
	 "12121212"},
};

static bool has(const struct matrix_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (!strcmp(plan->tests[i].name, name))
			return true;
	}
	return false;
}

START_TEST(test_divisions)
{
	struct matrix_plan whole;
	char parts[16] = "";

	must_read(TWO_BY_TWO(""), &whole);
	for (uint32_t part = 1; part <= 2; part++) {
		struct matrix_plan plan;

		must_read(TWO_BY_TWO(""), &plan);
		if (divisions[_i].summary)
			learn(&plan, divisions[_i].summary);
		ck_assert_int_eq(matrix_plan_shard(&plan, part, 2, &err), 0);
		for (size_t i = 0; i < whole.count; i++) {
			if (has(&plan, whole.tests[i].name))
				parts[i] = (char)('0' + part);
		}
		matrix_plan_finish(&plan);
	}
	ck_assert_str_eq(parts, divisions[_i].parts);
	matrix_plan_finish(&whole);
}
END_TEST

/* Each test is in one part, however many there are and whatever is known. */
START_TEST(test_all_once)
{
	_cleanup_free_ char *text = many(7, 9);
	uint32_t count = (uint32_t)_i + 1;
	unsigned seen[63] = {0};

	for (uint32_t part = 1; part <= count; part++) {
		struct matrix_plan plan;

		must_read(text, &plan);
		for (size_t i = 0; i < plan.count; i++)
			plan.tests[i].took_ms = i % 5 ? (int64_t)(i * 7919 % 1000) : 0;
		ck_assert_int_eq(matrix_plan_shard(&plan, part, count, &err), 0);
		for (size_t i = 0; i < plan.count; i++) {
			unsigned kernel, command;

			ck_assert_int_eq(
				sscanf(plan.tests[i].name, "k%u/default/c%u", &kernel, &command),
				2);
			seen[kernel * 9 + command]++;
		}
		matrix_plan_finish(&plan);
	}
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		ck_assert_uint_eq(seen[i], 1);
}
END_TEST

static const char *const no_summaries[] = {"", "[]", "{}", "null", "{\"tests\": {}}", "{\"tests\""};

START_TEST(test_no_summaries)
{
	const char *text = no_summaries[_i];
	struct matrix_plan plan;

	must_read(TWO_BY_TWO(""), &plan);
	ck_assert_int_eq(matrix_plan_durations(&plan, "s.json", text, strlen(text), &err), -EINVAL);
	ck_assert_int_eq(strncmp(err.text, "s.json: this is no ", 19), 0);
	matrix_plan_finish(&plan);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_toml, ARRAY_SIZE(tomls)),
	UNIT_LOOP(test_products, ARRAY_SIZE(products)),
	UNIT_LOOP(test_wordings, ARRAY_SIZE(wordings)),
	UNIT_LOOP(test_refusals, ARRAY_SIZE(refusals)),
	UNIT_CASE(test_too_many),
	UNIT_LOOP(test_only, ARRAY_SIZE(patterns)),
	UNIT_LOOP(test_shard_words, ARRAY_SIZE(shards)),
	UNIT_LOOP(test_divisions, ARRAY_SIZE(divisions)),
	UNIT_LOOP(test_all_once, 10),
	UNIT_LOOP(test_no_summaries, ARRAY_SIZE(no_summaries)),
	{0},
};
const char unit_name[] = "matrix";
