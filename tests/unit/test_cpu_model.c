/* SPDX-License-Identifier: Apache-2.0 */
#include "arm64/cpu_model.h"

#include <string.h>

#include "unit.h"

START_TEST(test_table)
{
	for (int reg = 0; reg < ID_REGS; reg++) {
		uint64_t seen = 0;

		ck_assert_ptr_nonnull(id_regs[reg].name);
		ck_assert_int_eq(id_reg_find(id_regs[reg].name), reg);
		for (const struct id_field *field = id_regs[reg].fields; field->name; field++) {
			ck_assert_msg(!(seen & id_field_mask(field)), "%s.%s overlaps another",
				      id_regs[reg].name, field->name);
			ck_assert_uint_le(field->shift + field->width, 64);
			ck_assert_ptr_eq(id_field_find(&id_regs[reg], field->name), field);
			seen |= id_field_mask(field);
		}
		for (int other = 0; other < reg; other++)
			ck_assert_uint_ne(id_regs[other].sysreg, id_regs[reg].sysreg);
	}
	ck_assert_ptr_null(id_regs[ID_REGS].name);
	ck_assert_int_eq(id_reg_find("ID_AA64NONE_EL1"), -1);
	ck_assert_ptr_null(id_field_find(&id_regs[0], "Nothing"));
}
END_TEST

static const struct {
	const char *reg;
	const char *field;
	uint64_t a;
	uint64_t b;
	bool fits;
	bool fits_back;
} orders[] = {
	{"ID_AA64ISAR0_EL1", "AES", 1, 2, true, false},
	{"ID_AA64ISAR0_EL1", "AES", 2, 2, true, true},
	/* 0b1111 is that there is none. */
	{"ID_AA64PFR0_EL1", "FP", 0xf, 0, true, false},
	{"ID_AA64PFR0_EL1", "FP", 0, 1, true, false},
	{"ID_AA64MMFR0_EL1", "TGran4", 0xf, 1, true, false},
	{"ID_AA64DFR0_EL1", "PMUVer", 0xf, 6, true, false},
	{"CTR_EL0", "CWG", 5, 4, true, false},
	{"CTR_EL0", "L1Ip", 2, 3, false, false},
	{"CTR_EL0", "IDC", 0, 1, true, false},
	{"MIDR_EL1", "PartNum", 0xd0b, 0xd0c, false, false},
	{"REVIDR_EL1", "Value", UINT64_MAX, UINT64_MAX, true, true},
};

static const struct id_field *find(const char *reg, const char *name)
{
	const struct id_field *field = id_field_find(&id_regs[id_reg_find(reg)], name);

	ck_assert_ptr_nonnull(field);
	return field;
}

START_TEST(test_order)
{
	const struct id_field *field = find(orders[_i].reg, orders[_i].field);

	ck_assert_int_eq(id_field_fits(field, orders[_i].a, orders[_i].b), orders[_i].fits);
	ck_assert_int_eq(id_field_fits(field, orders[_i].b, orders[_i].a), orders[_i].fits_back);
}
END_TEST

static void say(struct cpu_model *model, const char *reg, const char *name, uint64_t value)
{
	cpu_model_say(model, id_reg_find(reg), find(reg, name), value);
}

START_TEST(test_apply)
{
	int isar0 = id_reg_find("ID_AA64ISAR0_EL1");
	int midr = id_reg_find("MIDR_EL1");
	struct cpu_model model = {0};
	uint64_t value;

	ck_assert(!cpu_model_names(&model, isar0));
	ck_assert_uint_eq(cpu_model_apply(&model, isar0, 0x123456789), 0x123456789);
	say(&model, "ID_AA64ISAR0_EL1", "SHA1", 1);
	say(&model, "ID_AA64ISAR0_EL1", "SHA1", 0);
	say(&model, "ID_AA64ISAR0_EL1", "RNDR", 0xf);
	ck_assert(cpu_model_names(&model, isar0));
	ck_assert_uint_eq(cpu_model_apply(&model, isar0, 0x123456789), 0xf000000123456089);
	ck_assert(cpu_model_says_named(&model, "ID_AA64ISAR0_EL1", "RNDR", &value));
	ck_assert_uint_eq(value, 0xf);
	ck_assert(!cpu_model_says_named(&model, "ID_AA64ISAR0_EL1", "AES", &value));
	ck_assert(!cpu_model_says_all(&model, isar0));

	/* What is in no field is the host's. */
	cpu_model_say_all(&model, midr, 0xffffffff414fd0b1);
	ck_assert(cpu_model_says_all(&model, midr));
	ck_assert_uint_eq(cpu_model_apply(&model, midr, 0x700000000), 0x7414fd0b1);

	cpu_model_keep(&model, midr, 0xff00000f);
	ck_assert_uint_eq(model.regs[midr].said, 0xff00000f);
	ck_assert_uint_eq(model.regs[midr].value, 0x41000001);
	/* Half a field is none. */
	cpu_model_keep(&model, midr, 0x7f00000f);
	ck_assert_uint_eq(model.regs[midr].said, 0xf);
}
END_TEST

static void note_lost(void *data, const char *reg, const char *field)
{
	char *text = data;

	strcat(strcat(strcat(strcat(text, reg), "."), field), " ");
}

START_TEST(test_meet)
{
	struct cpu_model a = {0}, b = {0}, again;
	char lost[256] = "";
	uint64_t value;

	say(&a, "ID_AA64ISAR0_EL1", "AES", 2);
	say(&b, "ID_AA64ISAR0_EL1", "AES", 1);
	say(&a, "ID_AA64ISAR0_EL1", "DP", 0);
	say(&b, "ID_AA64ISAR0_EL1", "DP", 1);
	say(&a, "ID_AA64PFR0_EL1", "FP", 1);
	say(&b, "ID_AA64PFR0_EL1", "FP", 0xf);
	say(&a, "ID_AA64PFR0_EL1", "SVE", 1); /* only one says it */
	say(&b, "ID_AA64PFR0_EL1", "DIT", 1);
	say(&a, "MIDR_EL1", "PartNum", 0xd0b);
	say(&b, "MIDR_EL1", "PartNum", 0xd0c);
	say(&a, "MIDR_EL1", "Implementer", 0x41);
	say(&b, "MIDR_EL1", "Implementer", 0x41);
	cpu_model_meet(&a, &b, note_lost, lost);
	ck_assert(cpu_model_says_named(&a, "ID_AA64ISAR0_EL1", "AES", &value) && value == 1);
	ck_assert(cpu_model_says_named(&a, "ID_AA64ISAR0_EL1", "DP", &value) && value == 0);
	ck_assert(cpu_model_says_named(&a, "ID_AA64PFR0_EL1", "FP", &value) && value == 0xf);
	ck_assert(!cpu_model_says_named(&a, "ID_AA64PFR0_EL1", "SVE", &value));
	ck_assert(!cpu_model_says_named(&a, "ID_AA64PFR0_EL1", "DIT", &value));
	ck_assert(!cpu_model_says_named(&a, "MIDR_EL1", "PartNum", &value));
	ck_assert(cpu_model_says_named(&a, "MIDR_EL1", "Implementer", &value) && value == 0x41);
	ck_assert_str_eq(lost, "MIDR_EL1.PartNum ");
	/* It meets itself, and nothing changes; what is not said is zero. */
	again = a;
	cpu_model_meet(&again, &a, note_lost, lost);
	ck_assert_mem_eq(&again, &a, sizeof(a));
	ck_assert_str_eq(lost, "MIDR_EL1.PartNum ");
	for (int reg = 0; reg < ID_REGS; reg++)
		ck_assert_uint_eq(a.regs[reg].value & ~a.regs[reg].said, 0);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_table),
	UNIT_LOOP(test_order, ARRAY_SIZE(orders)),
	UNIT_CASE(test_apply),
	UNIT_CASE(test_meet),
	{0},
};
const char unit_name[] = "cpu_model";
