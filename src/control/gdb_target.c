/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers as gdb wants them told ("Debugging with GDB", appendix G): its features for
 * AArch64 with their names in lower case, and behind them the system registers. A register's
 * number is its index among machine_registers().
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "gdb_private.h"

/* As gdb's own description has them: $v0.d.u[0], $v0.s.f[3]. */
static const struct element {
	const char *name;
	unsigned size;
	const char *fields; /* a letter each, with the type at the same place */
	const char *types[3];
} elements[] = {
	{"q", 16, "us", {"uint128", "int128"}},
	{"d", 8, "fus", {"ieee_double", "uint64", "int64"}},
	{"s", 4, "fus", {"ieee_single", "uint32", "int32"}},
	{"h", 2, "fus", {"ieee_half", "uint16", "int16"}},
	{"b", 1, "us", {"uint8", "int8"}},
};

static void describe_element(FILE *out, const struct element *element, unsigned count)
{
	for (size_t i = 0; element->fields[i]; i++)
		fprintf(out, "<vector id=\"v%s%c\" type=\"%s\" count=\"%u\"/>", element->name,
			element->fields[i], element->types[i], count);
	fprintf(out, "<union id=\"v%s\">", element->name);
	for (size_t i = 0; element->fields[i]; i++)
		fprintf(out, "<field name=\"%c\" type=\"v%s%c\"/>", element->fields[i],
			element->name, element->fields[i]);
	fputs("</union>", out);
}

static void describe_vector_types(FILE *out, unsigned size)
{
	for (size_t i = 0; i < ARRAY_SIZE(elements); i++)
		describe_element(out, &elements[i], size / elements[i].size);
	fputs("<union id=\"vector\">", out);
	for (size_t i = 0; i < ARRAY_SIZE(elements); i++)
		fprintf(out, "<field name=\"%s\" type=\"v%s\"/>", elements[i].name,
			elements[i].name);
	fputs("</union>", out);
}

/* SPSR_EL1's fields (DDI 0487, C5.2.19), as far as people ask for them. */
static void describe_flags_type(FILE *out)
{
	static const struct {
		const char *name;
		unsigned low, high;
	} fields[] = {
		{"SP", 0, 0},     {"EL", 2, 3},    {"nRW", 4, 4},   {"F", 6, 6},
		{"I", 7, 7},      {"A", 8, 8},     {"D", 9, 9},     {"BTYPE", 10, 11},
		{"SSBS", 12, 12}, {"IL", 20, 20},  {"SS", 21, 21},  {"PAN", 22, 22},
		{"UAO", 23, 23},  {"DIT", 24, 24}, {"TCO", 25, 25}, {"V", 28, 28},
		{"C", 29, 29},    {"Z", 30, 30},   {"N", 31, 31},
	};

	fputs("<flags id=\"cpsr_flags\" size=\"4\">", out);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		fprintf(out, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>", fields[i].name,
			fields[i].low, fields[i].high);
	fputs("</flags>", out);
}

static const char *type_of(const struct machine_register *reg)
{
	if (reg->group == MACHINE_REGISTERS_CORE)
		return !strcmp(reg->name, "PC")     ? "code_ptr"
		       : !strcmp(reg->name, "SP")   ? "data_ptr"
		       : !strcmp(reg->name, "CPSR") ? "cpsr_flags"
						    : "int";
	if (reg->group == MACHINE_REGISTERS_VECTOR && reg->size >= 16)
		return "vector";
	if (reg->group == MACHINE_REGISTERS_SVE && reg->name[0] != 'V')
		return "predicate";
	return "int";
}

static const char *group_of(const struct machine_register *reg)
{
	if (reg->group == MACHINE_REGISTERS_SYSTEM)
		return " group=\"system\" save-restore=\"no\"";
	return reg->group == MACHINE_REGISTERS_CORE ? "" : " group=\"float\"";
}

static void describe_register(FILE *out, const struct machine_register *reg, size_t index)
{
	char name[sizeof(reg->name)];

	snprintf(name, sizeof(name), "%s", reg->name);
	for (char *c = name; reg->group != MACHINE_REGISTERS_SYSTEM && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	fprintf(out, "<reg name=\"%s\" bitsize=\"%u\" regnum=\"%zu\" type=\"%s\"%s/>", name,
		8U * reg->size, index, type_of(reg), group_of(reg));
}

/* With SVE, its feature has the vectors, too. */
static void begin_feature(FILE *out, const struct machine_register *reg)
{
	switch (reg->group) {
	case MACHINE_REGISTERS_CORE:
		fputs("<feature name=\"org.gnu.gdb.aarch64.core\">", out);
		describe_flags_type(out);
		break;
	case MACHINE_REGISTERS_VECTOR:
		fprintf(out, "<feature name=\"org.gnu.gdb.aarch64.%s\">",
			reg->name[0] == 'Z' ? "sve" : "fpu");
		describe_vector_types(out, reg->size);
		if (reg->name[0] == 'Z')
			fprintf(out, "<vector id=\"predicate\" type=\"uint8\" count=\"%u\"/>",
				reg->size / 8U);
		break;
	default:
		fputs("<feature name=\"org.armlet.aarch64.system\">", out);
		break;
	}
}

static void describe_features(FILE *out, const struct machine_register *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool first = i == 0 || (list[i].group != list[i - 1].group &&
					list[i].group != MACHINE_REGISTERS_SVE);

		if (first && i > 0)
			fputs("</feature>", out);
		if (first)
			begin_feature(out, &list[i]);
		describe_register(out, &list[i], i);
	}
}

char *gdb_describe_target(struct machine *machine)
{
	const struct machine_register *list;
	size_t count = machine_registers(machine, &list);
	char *text = NULL;
	size_t size = 0;
	FILE *out = count ? open_memstream(&text, &size) : NULL;

	if (!out)
		return NULL;
	fputs("<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
	      "<target version=\"1.0\"><architecture>aarch64</architecture>",
	      out);
	describe_features(out, list, count);
	fputs("</feature></target>", out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
