/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the control socket as people write them. */
#include <string.h>

#include "qmp_private.h"
#include "unit.h"

#define MAX_WORDS 8

static const struct {
	const char *line; /* words, separated by '|' */
	const char *is;   /* the arguments, or the sentence if they are refused */
	int result;
} rows[] = {
	{"query-status", "{}", 0},
	{"balloon|value=4096", "{\"value\":4096}", 0},
	{"balloon|value=2G", "{\"value\":2147483648}", 0},
	{"balloon|value=0x10", "{\"value\":16}", 0},
	{"balloon|value=-1", "{\"value\":-1}", 0},
	{"balloon|value=1|value=2", "{\"value\":2}", 0},
	{"query-stats|target=vm", "{\"target\":\"vm\"}", 0},
	{"query-stats|target=vcpu|vcpus=[\"/machine/cpu[0]\"]",
	 "{\"target\":\"vcpu\",\"vcpus\":[\"\\/machine\\/cpu[0]\"]}", 0},
	{"query-stats|vcpus=x", "vcpus: 'x' is not JSON, such as [\"a\",\"b\"]", -EINVAL},
	{"query-stats|vcpus=", "vcpus: '' is not JSON, such as [\"a\",\"b\"]", -EINVAL},
	{"baloon", "there is no command 'baloon'; did you mean 'balloon'?", -EINVAL},
	{"", "there is no command ''; `armlet ctl --help` lists them", -EINVAL},
	{"zzzzzzzzzzz", "there is no command 'zzzzzzzzzzz'; `armlet ctl --help` lists them",
	 -EINVAL},
	{"balloon|size=1", "balloon has no argument 'size'; `armlet ctl --help` lists them",
	 -EINVAL},
	{"balloon|=1", "balloon has no argument ''; `armlet ctl --help` lists them", -EINVAL},
	{"stop|now", "stop has no argument 'now'; `armlet ctl --help` lists them", -EINVAL},
	{"balloon|value", "value needs a value: value=...", -EINVAL},
	{"balloon|value=", "value: '' is not a number, such as 4096, 4K or 1G", -EINVAL},
	{"balloon|value=1Q", "value: '1Q' is not a number, such as 4096, 4K or 1G", -EINVAL},
	{"balloon|value=8388608T", "value: '8388608T' is not a number, such as 4096, 4K or 1G",
	 -EINVAL},
};

START_TEST(test_words)
{
	struct json_object *arguments = NULL;
	struct error err = {0};
	const char *words[MAX_WORDS];
	char text[128], *rest = text;
	size_t count = 0;

	strcpy(text, rows[_i].line);
	while (rest && count < MAX_WORDS)
		words[count++] = strsep(&rest, "|");
	ck_assert_int_eq(qmp_read_words(words, count, &arguments, &err), rows[_i].result);
	if (rows[_i].result < 0)
		ck_assert_str_eq(err.text, rows[_i].is);
	else
		ck_assert_str_eq(json_object_to_json_string_ext(arguments, JSON_C_TO_STRING_PLAIN),
				 rows[_i].is);
	json_object_put(arguments);
}
END_TEST

START_TEST(test_names)
{
	size_t count = 0;

	while (qmp_command_name(count))
		ck_assert_str_ne(qmp_command_name(count++), "qmp_capabilities");
	ck_assert_uint_gt(count, 10);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_words, ARRAY_SIZE(rows)),
	UNIT_CASE(test_names),
	{0},
};
const char unit_name[] = "qmp_words";
