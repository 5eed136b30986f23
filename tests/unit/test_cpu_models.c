/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu_models.h"

#include <string.h>

#include "unit.h"

static struct cpu_model model;
static struct error err;

static int parse(const char *text)
{
	return cpu_model_parse("a/file.json", text, strlen(text), &model, &err);
}

static const struct {
	const char *text;
	const char *says; /* behind "a/file.json: " */
} refused[] = {
	{"", "this is no JSON: unexpected end of data in line 1, column 1"},
	{"[]", "this is no CPU model: a JSON object is wanted, {...}"},
	{"null", "this is no CPU model: a JSON object is wanted, {...}"},
	{"{\"nmae\": \"x\"}", "a CPU model has name, description and registers, and no 'nmae'"},
	{"{\"name\": 5}", "name is to be a string"},
	{"{\"name\": \"0123456789012345678901234567890123456789012345678901234567890123x\"}",
	 "name is longer than 64 bytes"},
	{"{\"registers\": []}", "registers is to be an object"},
	{"{\"registers\": {\"ID_AA64ISAR0\": {}}}",
	 "there is no ID register 'ID_AA64ISAR0'; did you mean 'ID_AA64ISAR0_EL1'?"},
	{"{\"registers\": {\"SCTLR\": {}}}", "there is no ID register 'SCTLR'"},
	{"{\"registers\": {\"ID_AA64ISAR0_EL1\": {\"Atomics\": 1}}}",
	 "ID_AA64ISAR0_EL1 has no field 'Atomics'; did you mean 'Atomic'?"},
	{"{\"registers\": {\"ID_AA64ISAR0_EL1\": {\"qqqq\": 1}}}",
	 "ID_AA64ISAR0_EL1 has no field 'qqqq'"},
	{"{\"registers\": {\"ID_AA64ISAR0_EL1\": {\"AES\": 16}}}",
	 "ID_AA64ISAR0_EL1.AES: 16 is not a number from 0 to 15"},
	{"{\"registers\": {\"ID_AA64ISAR0_EL1\": {\"AES\": -1}}}",
	 "ID_AA64ISAR0_EL1.AES: -1 is not a number from 0 to 15"},
	{"{\"registers\": {\"ID_AA64ISAR0_EL1\": {\"AES\": \"yes\"}}}",
	 "ID_AA64ISAR0_EL1.AES: \"yes\" is not a number from 0 to 15"},
	{"{\"registers\": {\"ID_AA64ISAR0_EL1\": {\"AES\": 1.5}}}",
	 "ID_AA64ISAR0_EL1.AES: 1.5 is not a number from 0 to 15"},
	{"{\"registers\": {\"CTR_EL0\": {\"IDC\": 2}}}",
	 "CTR_EL0.IDC: 2 is not a number from 0 to 1"},
	{"{\"registers\": {\"CTR_EL0\": null}}",
	 "CTR_EL0: null is neither an object of fields nor a number"},
	{"{\"registers\": {\"CTR_EL0\": [1]}}",
	 "CTR_EL0: [ 1 ] is neither an object of fields nor a number"},
};

START_TEST(test_refused)
{
	ck_assert_int_lt(parse(refused[_i].text), 0);
	ck_assert_msg(!strncmp(err.text, "a/file.json: ", 13), "%s", err.text);
	ck_assert_str_eq(err.text + 13, refused[_i].says);
}
END_TEST

START_TEST(test_read)
{
	uint64_t value;
	int aidr = id_reg_find("AIDR_EL1");

	ck_assert_int_eq(
		parse("{\"registers\": {\"ID_AA64ISAR0_EL1\": {\"AES\": 2, \"DP\": \"0x1\"},"
		      " \"MIDR_EL1\": \"0x410fd0c1\","
		      " \"AIDR_EL1\": 18446744073709551615}}"),
		0);
	ck_assert_str_eq(model.name, "file.json");
	ck_assert(cpu_model_says_named(&model, "ID_AA64ISAR0_EL1", "AES", &value) && value == 2);
	ck_assert(cpu_model_says_named(&model, "ID_AA64ISAR0_EL1", "DP", &value) && value == 1);
	ck_assert(!cpu_model_says_named(&model, "ID_AA64ISAR0_EL1", "SHA1", &value));
	ck_assert(cpu_model_says_named(&model, "MIDR_EL1", "PartNum", &value) && value == 0xd0c);
	ck_assert(cpu_model_says_named(&model, "MIDR_EL1", "Revision", &value) && value == 1);
	ck_assert_uint_eq(model.regs[aidr].value, UINT64_MAX);
}
END_TEST

/* What is printed is read as the same. */
static void check_round(const struct cpu_model *printed)
{
	struct json_object *object = cpu_model_to_json(printed);
	struct cpu_model first = *printed;

	ck_assert_int_eq(parse(json_object_to_json_string(object)), 0);
	ck_assert_str_eq(model.name, first.name);
	ck_assert_str_eq(model.description, first.description);
	ck_assert_mem_eq(model.regs, first.regs, sizeof(model.regs));
	json_object_put(object);
}

START_TEST(test_round)
{
	struct cpu_model all = {.name = "all", .description = "with \"quotes\""};

	for (int reg = 0; reg < ID_REGS; reg++)
		cpu_model_say_all(&all, reg, 0xfedcba9876543210 * (uint64_t)(reg + 1));
	check_round(&all);
	cpu_model_keep(&all, id_reg_find("MIDR_EL1"), 0xff000000);
	check_round(&all);
}
END_TEST

static void note_lost(void *data, const char *reg, const char *field)
{
	(void)reg;
	(void)field;
	++*(int *)data;
}

START_TEST(test_shipped)
{
	struct cpu_model first, later;
	int count = 0, lost = 0;

	for (; cpu_model_texts[count].name; count++) {
		ck_assert_str_eq(cpu_model_words[count + 1], cpu_model_texts[count].name);
		ck_assert_msg(cpu_model_load(cpu_model_texts[count].name, &later, &err) == 0, "%s",
			      err.text);
		ck_assert_str_eq(later.name, cpu_model_texts[count].name);
		ck_assert(later.description[0]);
		check_round(&later);
	}
	ck_assert_int_ge(count, 2);
	ck_assert_str_eq(cpu_model_words[0], CPU_MODEL_HOST);
	ck_assert_ptr_null(cpu_model_words[count + 1]);

	/* What is made for the first runs on the others. */
	ck_assert_int_eq(cpu_model_load("v8.0", &first, &err), 0);
	ck_assert_int_eq(cpu_model_load("v8.2", &later, &err), 0);
	cpu_model_meet(&later, &first, note_lost, &lost);
	ck_assert_mem_eq(later.regs, first.regs, sizeof(first.regs));
	ck_assert_int_eq(lost, 0);
}
END_TEST

START_TEST(test_unknown)
{
	ck_assert_int_eq(cpu_model_load("v9.9", &model, &err), -ENOENT);
	ck_assert_str_eq(err.text, "v9.9: it is none of the models (host, v8.0, v8.2), and as a "
				   "file: No such file or directory; `armlet cpu show` makes one");
	ck_assert_int_eq(cpu_model_load("/tmp", &model, &err), -EISDIR);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_refused, ARRAY_SIZE(refused)),
	UNIT_CASE(test_read),
	UNIT_CASE(test_round),
	UNIT_CASE(test_shipped),
	UNIT_CASE(test_unknown),
	{0},
};
const char unit_name[] = "cpu_models";
