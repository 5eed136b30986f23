/* SPDX-License-Identifier: Apache-2.0 */
#include "core/state.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"

#define NAME_MAX_LENGTH UINT8_MAX

/* Bytes of the field's numbers, in memory and saved; 0 for objects. */
static size_t field_size(const struct state_field *field)
{
	return (size_t)STATE_TYPE_SIZE(field->type) * field->count;
}

/* Elements of the field in @object. */
static uint32_t element_count(const struct state_field *field, const uint8_t *object)
{
	uint32_t count = field->count;

	if (field->type == STATE_OBJECTS)
		memcpy(&count, object + field->count_offset, sizeof(count));
	return count;
}

/* Object @index of those that the field of @object points to. */
static uint8_t *object_at(const struct state_field *field, const uint8_t *object, uint32_t index)
{
	uint8_t *array;

	memcpy(&array, object + field->offset, sizeof(array));
	return array + field->stride * index + field->element_offset;
}

/* Bytes of all that stands before the elements. */
static size_t header_size(const struct state_field *field)
{
	return 1 + strlen(field->name) + 1 + 4;
}

static uint8_t *put_le(uint8_t *at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		*at++ = (uint8_t)(value >> (8 * i));
	return at;
}

/* Element @index of the field's @bytes, in the host's form. */
static uint64_t get_element(const struct state_field *field, const uint8_t *bytes, uint32_t index)
{
	size_t size = STATE_TYPE_SIZE(field->type);
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
	} value;

	memcpy(&value, bytes + size * index, size);
	switch (field->type) {
	case STATE_BOOL:
	case STATE_U8:
		return value.u8;
	case STATE_U16:
		return value.u16;
	case STATE_U32:
		return value.u32;
	case STATE_U64:
		return value.u64;
	case STATE_OBJECTS:
		break;
	}
	return 0;
}

static void set_element(const struct state_field *field, uint8_t *bytes, uint32_t index,
			uint64_t value)
{
	size_t size = STATE_TYPE_SIZE(field->type);
	uint8_t *at = bytes + size * index;

	switch (field->type) {
	case STATE_BOOL:
	case STATE_U8:
		*at = (uint8_t)value;
		break;
	case STATE_U16:
		memcpy(at, &(uint16_t){(uint16_t)value}, size);
		break;
	case STATE_U32:
		memcpy(at, &(uint32_t){(uint32_t)value}, size);
		break;
	case STATE_U64:
		memcpy(at, &value, size);
		break;
	case STATE_OBJECTS:
		break;
	}
}

static size_t saved_size(const struct state_table *table, const uint8_t *object)
{
	size_t size = 4 + 4;

	for (size_t i = 0; i < table->field_count; i++) {
		const struct state_field *field = &table->fields[i];

		assert(strlen(field->name) <= NAME_MAX_LENGTH);
		assert(field->offset + field_size(field) <= table->object_size);
		size += header_size(field) + field_size(field);
		if (field->type != STATE_OBJECTS)
			continue;
		assert(field->element_size == field->table->object_size);
		for (uint32_t n = 0; n < element_count(field, object); n++)
			size += 4 + saved_size(field->table, object_at(field, object, n));
	}
	return size;
}

static uint8_t *put_object(uint8_t *at, const struct state_table *table, const uint8_t *object);

static uint8_t *put_element(uint8_t *at, const struct state_field *field, const uint8_t *object,
			    uint32_t index)
{
	const uint8_t *element;

	if (field->type != STATE_OBJECTS)
		return put_le(at, get_element(field, object + field->offset, index),
			      STATE_TYPE_SIZE(field->type));
	element = object_at(field, object, index);
	at = put_le(at, saved_size(field->table, element), 4);
	return put_object(at, field->table, element);
}

static uint8_t *put_field(uint8_t *at, const struct state_field *field, const uint8_t *object)
{
	size_t length = strlen(field->name);
	uint32_t count = element_count(field, object);

	at = put_le(at, length, 1);
	memcpy(at, field->name, length);
	at = put_le(at + length, field->type, 1);
	at = put_le(at, count, 4);
	for (uint32_t i = 0; i < count; i++)
		at = put_element(at, field, object, i);
	return at;
}

static uint8_t *put_object(uint8_t *at, const struct state_table *table, const uint8_t *object)
{
	at = put_le(at, table->version, 4);
	at = put_le(at, table->field_count, 4);
	for (size_t i = 0; i < table->field_count; i++)
		at = put_field(at, &table->fields[i], object);
	return at;
}

int state_save(const struct state_table *table, const void *object, uint8_t **ret, size_t *ret_size)
{
	size_t size = saved_size(table, object);
	uint8_t *data = malloc(size);

	if (!data)
		return -ENOMEM;
	put_object(data, table, object);
	*ret = data;
	*ret_size = size;
	return 0;
}

/* What an object will be if all goes well, and those within it; the last one first. */
struct copy {
	struct copy *next;
	const struct state_table *table;
	uint8_t *object;
	bool *seen; /* for each field of the table: it was there */
	_Alignas(max_align_t) uint8_t bytes[];
};

static int load_object(const struct state_table *table, uint8_t *object, struct cursor cursor,
		       struct copy **copies, struct error *err);

static const struct state_field *find_field(const struct state_table *table, const uint8_t *name,
					    size_t length)
{
	for (size_t i = 0; i < table->field_count; i++) {
		const struct state_field *field = &table->fields[i];

		if (strlen(field->name) == length && !memcmp(field->name, name, length))
			return field;
	}
	return NULL;
}

static int truncated(const struct state_table *table, struct error *err)
{
	return error_set(err, EINVAL, "the saved state of %s is cut short", table->name);
}

/* The next field's header, checked against the table; the cursor is left at its elements. */
static int load_header(const struct copy *copy, struct cursor *cursor,
		       const struct state_field **ret, struct error *err)
{
	const struct state_table *table = copy->table;
	uint8_t length = cursor_u8(cursor);
	const uint8_t *name = cursor_take(cursor, length);
	uint8_t type = cursor_u8(cursor);
	uint32_t count = cursor_u32(cursor);
	const struct state_field *field;

	if (!cursor_ok(cursor))
		return truncated(table, err);
	field = find_field(table, name, length);
	if (!field)
		return error_set(err, EINVAL,
				 "the saved state of %s has a field that this program does not "
				 "know; it may come from a newer one",
				 table->name);
	if (type != field->type || (type != STATE_OBJECTS && count != field->count))
		return error_set(err, EINVAL,
				 "the saved state of %s has a field %s of another kind than this "
				 "program's",
				 table->name, field->name);
	if (count != element_count(field, copy->object))
		return error_set(
			err, EINVAL, "the saved state of %s has %u of %s, where this one has %u",
			table->name, count, field->name, element_count(field, copy->object));
	*ret = field;
	return 0;
}

static int load_numbers(struct copy *copy, struct cursor *cursor, const struct state_field *field,
			struct error *err)
{
	for (uint32_t i = 0; i < field->count; i++) {
		uint64_t value = cursor_le(cursor, STATE_TYPE_SIZE(field->type));

		if (field->type == STATE_BOOL && value > 1)
			return error_set(err, EINVAL,
					 "the saved state of %s is damaged: %s is neither true nor "
					 "false",
					 copy->table->name, field->name);
		set_element(field, copy->bytes + field->offset, i, value);
	}
	return cursor_ok(cursor) ? 0 : truncated(copy->table, err);
}

static int load_objects(const struct copy *copy, struct cursor *cursor,
			const struct state_field *field, struct copy **copies, struct error *err)
{
	uint32_t count = element_count(field, copy->object);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t size = cursor_u32(cursor);
		const uint8_t *data = cursor_take(cursor, size);
		int r;

		if (!cursor_ok(cursor))
			return truncated(copy->table, err);
		r = load_object(field->table, object_at(field, copy->object, i),
				cursor_init(data, size), copies, err);
		if (r < 0 && err)
			error_prefix(err, "%s, %s %u: ", copy->table->name, field->name, i);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Load @count fields. */
static int load_fields(struct copy *copy, struct cursor *cursor, uint32_t count,
		       struct copy **copies, struct error *err)
{
	const struct state_table *table = copy->table;

	for (uint32_t i = 0; i < count; i++) {
		const struct state_field *field = NULL;
		int r = load_header(copy, cursor, &field, err);

		if (r < 0)
			return r;
		if (copy->seen[field - table->fields])
			return error_set(err, EINVAL, "the saved state of %s has %s twice",
					 table->name, field->name);
		copy->seen[field - table->fields] = true;
		r = field->type == STATE_OBJECTS ? load_objects(copy, cursor, field, copies, err)
						 : load_numbers(copy, cursor, field, err);
		if (r < 0)
			return r;
	}
	if (cursor->left)
		return error_set(err, EINVAL, "the saved state of %s has %zu bytes too many",
				 table->name, cursor->left);
	return 0;
}

static int check_missing(const struct copy *copy, uint32_t version, struct error *err)
{
	const struct state_table *table = copy->table;

	for (size_t i = 0; i < table->field_count; i++) {
		if (!copy->seen[i] && table->fields[i].since <= version)
			return error_set(err, EINVAL, "the saved state of %s lacks %s", table->name,
					 table->fields[i].name);
	}
	return 0;
}

static int load_copy(struct copy *copy, struct cursor *cursor, struct copy **copies,
		     struct error *err)
{
	const struct state_table *table = copy->table;
	uint32_t version = cursor_u32(cursor);
	uint32_t count = cursor_u32(cursor);
	int r;

	if (!cursor_ok(cursor))
		return truncated(table, err);
	if (version > table->version)
		return error_set(err, EINVAL,
				 "the saved state of %s has version %u, but this program knows "
				 "none above %u; load it with the program that saved it",
				 table->name, version, table->version);
	r = load_fields(copy, cursor, count, copies, err);
	if (r == 0)
		r = check_missing(copy, version, err);
	if (r == 0 && table->validate)
		r = table->validate(copy->bytes, err);
	return r;
}

static void copy_fields(const struct state_table *table, uint8_t *to, const uint8_t *from)
{
	for (size_t i = 0; i < table->field_count; i++) {
		const struct state_field *field = &table->fields[i];

		memcpy(to + field->offset, from + field->offset, field_size(field));
	}
}

/* Put a copy of @object in front of @copies, and load into that. */
static int load_object(const struct state_table *table, uint8_t *object, struct cursor cursor,
		       struct copy **copies, struct error *err)
{
	struct copy *copy = calloc(1, sizeof(*copy) + table->object_size);

	if (!copy)
		return error_set_errno(err, ENOMEM, "loading the state of %s", table->name);
	copy->next = *copies;
	*copies = copy;
	copy->table = table;
	copy->object = object;
	copy->seen = calloc(table->field_count + 1, sizeof(*copy->seen));
	if (!copy->seen)
		return error_set_errno(err, ENOMEM, "loading the state of %s", table->name);
	copy_fields(table, copy->bytes, object);
	return load_copy(copy, &cursor, copies, err);
}

int state_load(const struct state_table *table, void *object, const uint8_t *data, size_t size,
	       struct error *err)
{
	struct copy *copies = NULL;
	int r = load_object(table, object, cursor_init(data, size), &copies, err);

	while (copies) {
		struct copy *copy = copies;

		copies = copy->next;
		if (r == 0)
			copy_fields(copy->table, copy->object, copy->bytes);
		free(copy->seen);
		free(copy);
	}
	return r;
}

uint64_t state_number(const struct state_field *field, const void *elements, uint32_t index)
{
	return get_element(field, elements, index);
}

void state_view(const struct state_table *table, const void *object,
		const struct state_viewer *viewer)
{
	const uint8_t *bytes = object;

	for (size_t i = 0; i < table->field_count; i++) {
		const struct state_field *field = &table->fields[i];

		if (field->type != STATE_OBJECTS) {
			viewer->numbers(viewer->data, field, bytes + field->offset);
			continue;
		}
		for (uint32_t n = 0; n < element_count(field, bytes); n++) {
			viewer->begin(viewer->data, field, n);
			state_view(field->table, object_at(field, bytes, n), viewer);
			viewer->end(viewer->data);
		}
	}
}
