/* SPDX-License-Identifier: Apache-2.0 */
/* Who views an object sees its fields in their order, what they have, and objects within. */
#include <stdio.h>
#include <string.h>

#include "core/state.h"
#include "unit.h"

struct part {
	uint8_t byte;
};

struct thing {
	bool on;
	uint16_t halves[3];
	uint64_t large;
	struct part *parts;
	uint32_t part_count;
};

static const struct state_field part_fields[] = {STATE_FIELD(struct part, byte, STATE_U8)};
static const struct state_table part_table = {.name = "part",
					      .fields = part_fields,
					      .field_count = ARRAY_SIZE(part_fields),
					      .object_size = sizeof(struct part)};

/* As STATE_OBJECTS() has it, of objects that are their elements. */
static const struct state_field thing_fields[] = {
	STATE_FIELD(struct thing, on, STATE_BOOL),
	STATE_ARRAY(struct thing, halves, STATE_U16),
	{.name = "parts",
	 .offset = offsetof(struct thing, parts),
	 .type = STATE_OBJECTS,
	 .table = &part_table,
	 .count_offset = offsetof(struct thing, part_count),
	 .stride = sizeof(struct part),
	 .element_size = sizeof(struct part)},
	STATE_FIELD(struct thing, large, STATE_U64),
};
static const struct state_table thing_table = {.name = "thing",
					       .fields = thing_fields,
					       .field_count = ARRAY_SIZE(thing_fields),
					       .object_size = sizeof(struct thing)};

static char seen[512];

static void see_numbers(void *data, const struct state_field *field, const void *elements)
{
	size_t used = strlen(seen);

	(void)data;
	used += (size_t)snprintf(seen + used, sizeof(seen) - used, "%s", field->name);
	for (uint32_t i = 0; i < field->count; i++)
		used += (size_t)snprintf(seen + used, sizeof(seen) - used, " %llx",
					 (unsigned long long)state_number(field, elements, i));
	snprintf(seen + used, sizeof(seen) - used, ";");
}

static void see_begin(void *data, const struct state_field *field, uint32_t index)
{
	size_t used = strlen(seen);

	(void)data;
	snprintf(seen + used, sizeof(seen) - used, "%s %u(", field->name, index);
}

static void see_end(void *data)
{
	(void)data;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), ")");
}

START_TEST(test_view)
{
	const struct state_viewer viewer = {
		.numbers = see_numbers, .begin = see_begin, .end = see_end};
	struct part parts[] = {{0xfe}, {1}};
	const struct thing thing = {.on = true,
				    .halves = {0x1122, 0, 0xffff},
				    .large = 0x0123456789abcdef,
				    .parts = parts,
				    .part_count = 2};

	state_view(&thing_table, &thing, &viewer);
	ck_assert_str_eq(seen, "on 1;halves 1122 0 ffff;parts 0(byte fe;)parts 1(byte 1;)"
			       "large 123456789abcdef;");
}
END_TEST

const struct unit_case unit_cases[] = {UNIT_CASE(test_view), {0}};
const char unit_name[] = "state_view";
