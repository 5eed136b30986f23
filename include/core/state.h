/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: State, declared once
 *
 * A model lists its fields in a static table; the same table saves and loads
 * them, and whatever prints or compares state walks it too.
 *
 *	static const struct state_field pl031_fields[] = {
 *		STATE_FIELD(struct pl031, match, STATE_U32),
 *		...
 *	};
 *
 * A field may stand for objects that have tables of their own: a pointer to
 * an array of them, with their number in another member.
 *
 *		STATE_OBJECTS(struct blk, queues, queue_count, ring, &ring_state),
 *
 * Saved form, all numbers little-endian: u32 version of the table that wrote
 * it, u32 count of fields; then for each field u8 length of its name, the name,
 * u8 type, u32 number of elements, the elements. A bool is a byte, 0 or 1; an
 * object is u32 number of bytes, and those in this same form.
 *
 * A loader finds fields by name, so their order is free. A field that it does
 * not know, or twice, a wrong type or count, a version newer than its own, and
 * a missing field that the saved version had are errors, and then nothing was
 * loaded, nor into any object within. A field that is younger than the saved
 * version keeps the value that the object has. A name is never used again for
 * something else. There are as many objects in a field as before: loading makes
 * none and changes neither the pointer nor the number.
 */
#ifndef ARMLET_CORE_STATE_H
#define ARMLET_CORE_STATE_H

#include "base/error.h"

/* Part of the saved form: new types go behind. */
enum state_type { STATE_BOOL, STATE_U8, STATE_U16, STATE_U32, STATE_U64, STATE_OBJECTS };

/* Bytes of one element that is a number, in memory and saved. */
#define STATE_TYPE_SIZE(type) \
	((type) == STATE_U64 ? 8U : (type) == STATE_U32 ? 4U : (type) == STATE_U16 ? 2U : 1U)

struct state_table;

struct state_field {
	const char *name;
	size_t offset;
	enum state_type type;
	uint32_t count; /* elements; 1 for a plain field, 0 for objects */
	uint32_t since; /* version of the table that brought the field; 0: the first */

	/* STATE_OBJECTS: the member at @offset is the pointer to the array. */
	const struct state_table *table;
	size_t count_offset;   /* of the uint32_t that has their number */
	size_t stride;         /* bytes from one to the next */
	size_t element_offset; /* of the object in its element */
	size_t element_size;   /* as table->object_size has to be */
};

struct state_table {
	const char *name;
	uint32_t version; /* of the newest field */
	const struct state_field *fields;
	size_t field_count;
	size_t object_size;

	/*
	 * Optional: refuse values that no object could have reached. @object is
	 * a copy: the fields as they would be after loading, over zeroes. So
	 * pointers are NULL there, those of STATE_OBJECTS as well: the objects
	 * within were judged before, by their own tables.
	 */
	int (*validate)(const void *object, struct error *err);
};

/* The member's size in bytes; does not compile if its elements are not of @field_type. */
#define STATE_SIZE_(struct_type, member, element, field_type)                                      \
	sizeof(struct {                                                                            \
		_Static_assert(sizeof(((struct_type *)0)->element) == STATE_TYPE_SIZE(field_type), \
			       "the type of the field is not its member's");                       \
		char bytes[sizeof(((struct_type *)0)->member)];                                    \
	})

#define STATE_FIELD_(struct_type, member, element, field_type)                                  \
	{                                                                                       \
		.name = #member, .offset = offsetof(struct_type, member), .type = (field_type), \
		.count = STATE_SIZE_(struct_type, member, element, field_type) /                \
			 STATE_TYPE_SIZE(field_type)                                            \
	}

#define STATE_FIELD(struct_type, member, field_type) \
	STATE_FIELD_(struct_type, member, member, field_type)
#define STATE_ARRAY(struct_type, member, field_type) \
	STATE_FIELD_(struct_type, member, member[0], field_type)

/*
 * The member @element_member in each of the @count_member structures that
 * @pointer_member points to. (0 * does not compile if the number is no uint32_t.)
 */
#define STATE_OBJECTS(struct_type, pointer_member, count_member, element_member, object_table) \
	{                                                                                      \
		.name = #pointer_member, .offset = offsetof(struct_type, pointer_member),      \
		.type = STATE_OBJECTS, .table = (object_table),                                \
		.count_offset =                                                                \
			offsetof(struct_type, count_member) +                                  \
			0 * STATE_SIZE_(struct_type, count_member, count_member, STATE_U32),   \
		.stride = sizeof(*((struct_type *)0)->pointer_member),                         \
		.element_offset =                                                              \
			offsetof(typeof(*((struct_type *)0)->pointer_member), element_member), \
		.element_size = sizeof(((struct_type *)0)->pointer_member->element_member)     \
	}

/*
 * Whoever wants to see the fields of @object: of each @field those elements that are numbers,
 * and each object between @begin and @end.
 */
struct state_viewer {
	void (*numbers)(void *data, const struct state_field *field, const void *elements);
	void (*begin)(void *data, const struct state_field *field, uint32_t index);
	void (*end)(void *data);
	void *data;
};
void state_view(const struct state_table *table, const void *object,
		const struct state_viewer *viewer);

/* Element @index of what numbers() was given. */
uint64_t state_number(const struct state_field *field, const void *elements, uint32_t index);

/* Save @object: *@ret is malloc()ed, *@ret_size its bytes. -ENOMEM. */
int state_save(const struct state_table *table, const void *object, uint8_t **ret,
	       size_t *ret_size);

/* Load into @object what state_save() wrote; untouched on failure. -EINVAL, -ENOMEM. */
int state_load(const struct state_table *table, void *object, const uint8_t *data, size_t size,
	       struct error *err);

#endif
