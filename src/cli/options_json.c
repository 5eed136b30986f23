/* SPDX-License-Identifier: Apache-2.0 */
#include "options_json.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

#define DEPTH_MAX 8

const char *option_json_name(const struct option_def *option)
{
	return option->plural ? option->plural : option->name;
}

bool option_is_array(const struct option_def *option)
{
	switch (option->type) {
	case OPTION_STRINGS:
	case OPTION_FILES:
	case OPTION_LIST:
		return true;
	case OPTION_RECORDS:
		return option->max > 1;
	default:
		return false;
	}
}

bool option_is_field(const struct option_def *rows, const struct option_def *option)
{
	return !option->only_here && (option->help || option == rows);
}

/* Reading. */

static int refuse(struct json_object *value, const char *wanted, struct error *err)
{
	return error_set(err, EINVAL, "%.100s is not %s",
			 json_object_to_json_string_ext(
				 value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
			 wanted);
}

static int read_string(struct json_object *value, const char **ret, struct error *err)
{
	const char *text = json_object_get_string(value);

	if (!json_object_is_type(value, json_type_string))
		return refuse(value, "a string", err);
	if (strlen(text) != (size_t)json_object_get_string_len(value))
		return refuse(value, "a string without \\u0000", err);
	*ret = text;
	return 0;
}

/* False for what is no whole number, or below zero. */
static bool read_number(struct json_object *value, uint64_t *ret)
{
	if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
		return false;
	*ret = json_object_get_uint64(value);
	return true;
}

static int read_u32(const struct option_def *option, struct json_object *value, uint32_t *ret,
		    struct error *err)
{
	char wanted[OPTION_WANTED_MAX];
	uint64_t number;

	if (!read_number(value, &number) || !option_takes(option, number))
		return refuse(value, option_wanted(option, wanted), err);
	*ret = (uint32_t)number;
	return 0;
}

static int read_size(const struct option_def *option, struct json_object *value, uint64_t *ret,
		     struct error *err)
{
	char least[FORMAT_SIZE_MAX], most[FORMAT_SIZE_MAX], wanted[OPTION_WANTED_MAX];
	uint64_t number;
	bool good = json_object_is_type(value, json_type_string)
			    ? parse_size(json_object_get_string(value), MIB, &number) == 0
			    : read_number(value, &number);

	if (good && option_takes(option, number)) {
		*ret = number;
		return 0;
	}
	snprintf(wanted, sizeof(wanted), "a size from %s to %s, as \"512M\" or a number of bytes",
		 format_size(option->min, least), format_size(option->max, most));
	return refuse(value, wanted, err);
}

static int read_choice(const struct option_def *option, struct json_object *value, int *ret,
		       struct error *err)
{
	char wanted[OPTION_WANTED_MAX];

	for (int i = 0; json_object_is_type(value, json_type_string) && option->choices[i]; i++) {
		if (!strcmp(option->choices[i], json_object_get_string(value))) {
			*ret = i;
			return 0;
		}
	}
	return refuse(value, option_wanted(option, wanted), err);
}

/* In front of its sentence is what stands between its place and the one within. */
static int read_record(const struct option_def *option, struct json_object *value, void *target,
		       struct error *err)
{
	void *record = option_new_record(option, target);
	int r;

	if (!json_object_is_type(value, json_type_object)) {
		refuse(value, "an object", err);
		return error_prefix(err, ": ");
	}
	r = options_from_json(option->record, value, record, err);
	if (r < 0)
		return error_prefix(err, ".");
	if (option->record_done)
		option->record_done(record);
	return 0;
}

/* The next of the option's array; the caller counts it. */
static int read_element(const struct option_def *option, struct json_object *value, void *target,
			struct error *err)
{
	const size_t *count = option_field(target, option->count_offset);
	void *array = option_field(target, option->offset);
	const struct option_def any = {.type = OPTION_U32, .max = UINT32_MAX};

	switch (option->type) {
	case OPTION_LIST:
		return read_u32(&any, value, (uint32_t *)array + *count, err);
	case OPTION_RECORDS:
		return read_record(option, value, target, err);
	default:
		return read_string(value, (const char **)array + *count, err);
	}
}

/* What was given before stays, but for a list, which is one value. */
static int read_array(const struct option_def *option, struct json_object *value, void *target,
		      struct error *err)
{
	size_t *count = option_field(target, option->count_offset);
	size_t size;

	if (!json_object_is_type(value, json_type_array)) {
		refuse(value, "an array", err);
		return error_prefix(err, "%s: ", option_json_name(option));
	}
	if (option->type == OPTION_LIST)
		*count = 0;
	size = json_object_array_length(value);
	for (size_t i = 0; i < size; i++) {
		int r;

		if (*count >= option->max)
			return error_set(err, EINVAL, "%s: there may be %" PRIu64 " at most",
					 option_json_name(option), option->max);
		r = read_element(option, json_object_array_get_idx(value, i), target, err);
		if (r < 0)
			return error_prefix(err, "%s[%zu]%s", option_json_name(option), i,
					    option->type == OPTION_RECORDS ? "" : ": ");
		(*count)++;
	}
	return 0;
}

static int read_single(const struct option_def *option, struct json_object *value, void *target,
		       struct error *err)
{
	void *field = option_field(target, option->offset);

	switch (option->type) {
	case OPTION_FLAG:
		if (!json_object_is_type(value, json_type_boolean))
			return refuse(value, "true or false", err);
		*(bool *)field = json_object_get_boolean(value);
		return 0;
	case OPTION_U32:
		return read_u32(option, value, field, err);
	case OPTION_SIZE:
		return read_size(option, value, field, err);
	case OPTION_CHOICE:
	case OPTION_SWITCH:
		return read_choice(option, value, field, err);
	default:
		return read_string(value, field, err);
	}
}

static int read_field(const struct option_def *option, struct json_object *value, void *target,
		      struct error *err)
{
	int r;

	if (option_is_array(option))
		return read_array(option, value, target, err);
	if (option->type != OPTION_RECORDS) {
		r = read_single(option, value, target, err);
		return r < 0 ? error_prefix(err, "%s: ", option_json_name(option)) : 0;
	}
	*(size_t *)option_field(target, option->count_offset) = 0;
	r = read_record(option, value, target, err);
	if (r < 0)
		return error_prefix(err, "%s", option_json_name(option));
	*(size_t *)option_field(target, option->count_offset) = 1;
	return 0;
}

static const struct option_def *find_field(const struct option_def *rows, const char *name)
{
	for (const struct option_def *o = rows; o->name; o++) {
		if (option_is_field(rows, o) && !strcmp(option_json_name(o), name))
			return o;
	}
	return NULL;
}

static int unknown_field(const struct option_def *rows, const char *name, struct error *err)
{
	const char *near = option_nearest(rows, name);

	for (const struct option_def *o = rows; near && o->name; o++) {
		if (!strcmp(o->name, near) && option_is_field(rows, o))
			return error_set(err, EINVAL,
					 "%.100s: there is no such field; did you mean '%s'?", name,
					 option_json_name(o));
	}
	return error_set(err, EINVAL, "%.100s: there is no such field", name);
}

int options_from_json(const struct option_def *rows, struct json_object *object, void *target,
		      struct error *err)
{
	json_object_object_foreach(object, name, value)
	{
		const struct option_def *option = find_field(rows, name);
		int r;

		r = option ? read_field(option, value, target, err)
			   : unknown_field(rows, name, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Files. */

static void put_json(struct json_object *object)
{
	json_object_put(object);
}
DEFINE_CLEANUP(struct json_object *, put_json)

static void free_tokener(struct json_tokener *tokener)
{
	if (tokener)
		json_tokener_free(tokener);
}
DEFINE_CLEANUP(struct json_tokener *, free_tokener)

/* Where the character at @offset is, as editors count. */
static int refuse_text(const char *path, const char *text, size_t offset, const char *why,
		       struct error *err)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < offset; i++) {
		column = text[i] == '\n' ? 1 : column + 1;
		line += text[i] == '\n';
	}
	return error_set(err, EINVAL, "%s: this is no JSON: %s in line %zu, column %zu", path, why,
			 line, column);
}

int options_parse_json(const char *path, const char *text, size_t size, struct json_object **ret,
		       struct error *err)
{
	_cleanup_(cleanup_free_tokener_) struct json_tokener *tokener =
		json_tokener_new_ex(DEPTH_MAX);
	_cleanup_(cleanup_put_json_) struct json_object *object = NULL;
	enum json_tokener_error error;

	if (!tokener)
		return error_set_errno(err, ENOMEM, "%s", path);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* With its NUL, so that a number at the end has an end. */
	object = json_tokener_parse_ex(tokener, text, (int)size + 1);
	error = json_tokener_get_error(tokener);
	if (error != json_tokener_success)
		return refuse_text(path, text, min_u64(json_tokener_get_parse_end(tokener), size),
				   json_tokener_error_desc(error), err);
	*ret = steal_ptr(&object);
	return 0;
}

int options_read_text(const char *path, char **ret, size_t *ret_size, struct error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = malloc(OPTIONS_JSON_MAX + 2);
	size_t size = 0;
	ssize_t got;

	if (fd < 0)
		return error_set(err, errno, "%s", strerror(errno));
	if (!text)
		return error_set(err, ENOMEM, "%s", strerror(ENOMEM));
	do {
		got = read(fd, text + size, OPTIONS_JSON_MAX + 1 - size);
		size += got > 0 ? (size_t)got : 0;
	} while (got > 0 || (got < 0 && errno == EINTR));
	if (got < 0)
		return error_set(err, errno, "%s", strerror(errno));
	if (size > OPTIONS_JSON_MAX)
		return error_set(err, EFBIG, "this is too large for a configuration");
	text[size] = '\0';
	*ret = steal_ptr(&text);
	*ret_size = size;
	return 0;
}

int options_read_file(const struct option_table *table, const char *path, void *target,
		      struct json_object **ret, struct error *err)
{
	_cleanup_(cleanup_put_json_) struct json_object *object = NULL;
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int r = options_read_text(path, &text, &size, err);

	if (r < 0)
		error_prefix(err, "%s: ", path);
	else
		r = options_parse_json(path, text, size, &object, err);
	if (r < 0)
		return r;
	if (!json_object_is_type(object, json_type_object))
		return error_set(err, EINVAL,
				 "%s: this is no machine: a JSON object is wanted, {...}", path);
	json_object_object_del(object, "$schema"); /* for editors */
	r = options_from_json(table->options, object, target, err);
	if (r < 0)
		return error_prefix(err, "%s: ", path);
	*ret = steal_ptr(&object);
	return 0;
}

/* Writing. */

static struct json_object *string(const char *text)
{
	return json_object_new_string(text);
}

/* As a person would write it, and exact. */
static struct json_object *size_value(uint64_t size)
{
	static const char units[] = "BKMGT";
	char text[FORMAT_SIZE_MAX];
	size_t unit = 0;

	while (unit + 2 < sizeof(units) && size && size % 1024 == 0) {
		size /= 1024;
		unit++;
	}
	snprintf(text, sizeof(text), "%" PRIu64 "%c", size, units[unit]);
	return string(text);
}

static struct json_object *element_value(const struct option_def *option, const void *array,
					 size_t i)
{
	switch (option->type) {
	case OPTION_LIST:
		return json_object_new_int64(((const uint32_t *)array)[i]);
	case OPTION_RECORDS:
		return options_to_json(option->record,
				       (const char *)array + i * option->record_size);
	default:
		return string(((const char *const *)array)[i]);
	}
}

/* NULL: it was not said, and has no value of its own then. */
static struct json_object *array_value(const struct option_def *option, const void *target)
{
	size_t count = *(const size_t *)((const char *)target + option->count_offset);
	const void *array = (const char *)target + option->offset;
	struct json_object *value;

	if (!count)
		return NULL;
	if (!option_is_array(option))
		return element_value(option, array, 0);
	value = json_object_new_array();
	for (size_t i = 0; i < count; i++)
		json_object_array_add(value, element_value(option, array, i));
	return value;
}

struct json_object *option_to_json(const struct option_def *option, const void *target)
{
	const void *field = (const char *)target + option->offset;

	switch (option->type) {
	case OPTION_FLAG:
		return json_object_new_boolean(*(const bool *)field);
	case OPTION_U32:
		if (*(const uint32_t *)field < option->min ||
		    *(const uint32_t *)field > option->max)
			return NULL;
		return json_object_new_int64(*(const uint32_t *)field);
	case OPTION_SIZE:
		if (*(const uint64_t *)field < option->min)
			return NULL;
		return size_value(*(const uint64_t *)field);
	case OPTION_CHOICE:
	case OPTION_SWITCH:
		return string(option->choices[*(const int *)field]);
	case OPTION_STRING:
	case OPTION_FILE:
		return *(const char *const *)field ? string(*(const char *const *)field) : NULL;
	default:
		return array_value(option, target);
	}
}

struct json_object *options_to_json(const struct option_def *rows, const void *target)
{
	struct json_object *object = json_object_new_object();

	for (const struct option_def *o = rows; o->name; o++) {
		struct json_object *value =
			option_is_field(rows, o) ? option_to_json(o, target) : NULL;

		if (value)
			json_object_object_add(object, option_json_name(o), value);
	}
	return object;
}
