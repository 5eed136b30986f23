/* SPDX-License-Identifier: Apache-2.0 */
#include "machined.h"

#include <stdio.h>

#include "unit.h"

static const struct {
	const char *name;
	bool taken;
} names[] = {
	{"web", true},
	{"web-1.example.org", true},
	{"0", true},
	{"a.b", true},
	{"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", true},
	{"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", false},
	{"", false},
	{".", false},
	{".a", false},
	{"a.", false},
	{"a..b", false},
	{"-a", false},
	{"a-", false},
	{"a-.b", false},
	{"a.-b", false},
	{"web_1", false},
	{"a/b", false},
	{"\xc3\xa9", false},
};

START_TEST(test_name)
{
	ck_assert(machined_takes_name(names[_i].name) == names[_i].taken);
}
END_TEST

START_TEST(test_uuid)
{
	static const char *const of[][2] = {{"web", "host"},
					    {"web", "tsoh"},
					    {"wec", "host"},
					    {"", "webhost"},
					    {"host", "web"}};
	uint8_t uuids[ARRAY_SIZE(of)][MACHINED_UUID_SIZE], again[MACHINED_UUID_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		machined_uuid(of[i][0], of[i][1], uuids[i]);
		machined_uuid(of[i][0], of[i][1], again);
		ck_assert_mem_eq(uuids[i], again, MACHINED_UUID_SIZE);
		ck_assert_uint_eq(uuids[i][6] >> 4, 8);
		ck_assert_uint_eq(uuids[i][8] >> 6, 2);
		for (size_t k = 0; k < i; k++)
			ck_assert_mem_ne(uuids[i], uuids[k], MACHINED_UUID_SIZE);
	}
}
END_TEST

static const struct {
	bool in_unit;
	const char *line; /* the words behind the interface's name */
} commands[] = {
	{true,
	 "RegisterMachine sayssus web 16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 255 armlet vm 42 "},
	{false, "CreateMachine sayssusa(sv) web 16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 255 armlet "
		"vm 42  0"},
};

START_TEST(test_command)
{
	struct machined_entry entry = {.name = "web", .pid = 42, .in_unit = commands[_i].in_unit};
	struct machined_command command;
	char line[256] = "";
	size_t used = 0;

	for (unsigned i = 0; i < MACHINED_UUID_SIZE; i++)
		entry.uuid[i] = i == 15 ? 255 : (uint8_t)i;
	machined_command(&entry, &command);
	ck_assert_str_eq(command.words[0], "busctl");
	ck_assert_str_eq(command.words[7], "org.freedesktop.machine1.Manager");
	for (const char *const *word = command.words + 8; *word; word++)
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s", *word,
					 word[1] ? " " : "");
	ck_assert_str_eq(line, commands[_i].line);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_name, ARRAY_SIZE(names)),
	UNIT_CASE(test_uuid),
	UNIT_LOOP(test_command, ARRAY_SIZE(commands)),
	{0},
};
const char unit_name[] = "machined";
