/* SPDX-License-Identifier: Apache-2.0 */
/* The schema of options_json.h. */
#include "options_json.h"

static struct json_object *string(const char *text)
{
	return json_object_new_string(text);
}

static void add_string(struct json_object *object, const char *name, const char *value)
{
	json_object_object_add(object, name, string(value));
}

static void add_range(struct json_object *schema, const struct option_def *option)
{
	add_string(schema, "type", "integer");
	json_object_object_add(schema, "minimum", json_object_new_uint64(option->min));
	json_object_object_add(schema, "maximum", json_object_new_uint64(option->max));
}

static void add_powers(struct json_object *schema, const struct option_def *option)
{
	struct json_object *powers = json_object_new_array();

	for (uint64_t power = 1; power <= option->max; power *= 2) {
		if (power >= option->min)
			json_object_array_add(powers, json_object_new_uint64(power));
	}
	json_object_object_add(schema, "enum", powers);
}

static void add_choices(struct json_object *schema, const struct option_def *option)
{
	struct json_object *choices = json_object_new_array();

	for (const char *const *choice = option->choices; *choice; choice++)
		json_object_array_add(choices, string(*choice));
	json_object_object_add(schema, "enum", choices);
}

/* What base/parse.h reads; a schema cannot see whether a string is within the bounds. */
static void add_size(struct json_object *schema, const struct option_def *option)
{
	struct json_object *ways = json_object_new_array();
	struct json_object *bytes = json_object_new_object();
	struct json_object *text = json_object_new_object();

	add_range(bytes, option);
	add_string(text, "type", "string");
	add_string(text, "pattern", "^([0-9]+|0[xX][0-9a-fA-F]+)([bB]|[kKmMgGtT]([iI]?[bB])?)?$");
	json_object_array_add(ways, bytes);
	json_object_array_add(ways, text);
	json_object_object_add(schema, "anyOf", ways);
}

static void add_object(struct json_object *schema, const struct option_def *rows,
		       const void *initial);

static struct json_object *record_schema(const struct option_def *option)
{
	void *record = calloc(1, option->record_size);
	struct json_object *schema = json_object_new_object();

	if (record && option->record_init)
		option->record_init(record);
	if (record)
		add_object(schema, option->record, record);
	free(record);
	return schema;
}

static struct json_object *element_schema(const struct option_def *option)
{
	const struct option_def any = {.type = OPTION_U32, .max = UINT32_MAX};
	struct json_object *schema;

	if (option->type == OPTION_RECORDS)
		return record_schema(option);
	schema = json_object_new_object();
	if (option->type == OPTION_LIST)
		add_range(schema, &any);
	else
		add_string(schema, "type", "string");
	return schema;
}

static void add_type(struct json_object *schema, const struct option_def *option)
{
	switch (option->type) {
	case OPTION_FLAG:
		add_string(schema, "type", "boolean");
		break;
	case OPTION_U32:
		if (option->power_of_two)
			add_powers(schema, option);
		else
			add_range(schema, option);
		break;
	case OPTION_SIZE:
		add_size(schema, option);
		break;
	case OPTION_CHOICE:
	case OPTION_SWITCH:
		add_choices(schema, option);
		break;
	case OPTION_STRING:
	case OPTION_FILE:
		add_string(schema, "type", "string");
		break;
	default:
		add_string(schema, "type", "array");
		json_object_object_add(schema, "maxItems", json_object_new_uint64(option->max));
		json_object_object_add(schema, "items", element_schema(option));
		break;
	}
}

static struct json_object *field_schema(const struct option_def *option, const void *initial)
{
	bool is_object = option->type == OPTION_RECORDS && !option_is_array(option);
	struct json_object *schema = is_object ? record_schema(option) : json_object_new_object();
	struct json_object *value = option_to_json(option, initial);

	if (option->help)
		add_string(schema, "description", option->help);
	if (!is_object)
		add_type(schema, option);
	if (value)
		json_object_object_add(schema, "default", value);
	return schema;
}

static void add_object(struct json_object *schema, const struct option_def *rows,
		       const void *initial)
{
	struct json_object *properties = json_object_new_object();

	add_string(schema, "type", "object");
	json_object_object_add(schema, "additionalProperties", json_object_new_boolean(false));
	json_object_object_add(schema, "properties", properties);
	for (const struct option_def *o = rows; o->name; o++) {
		if (option_is_field(rows, o))
			json_object_object_add(properties, option_json_name(o),
					       field_schema(o, initial));
	}
}

struct json_object *options_schema(const struct option_table *table, const void *initial)
{
	struct json_object *schema = json_object_new_object();
	struct json_object *properties, *uri = json_object_new_object();

	add_string(schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
	add_string(schema, "title", "A machine of armlet");
	add_object(schema, table->options, initial);
	add_string(uri, "type", "string");
	if (json_object_object_get_ex(schema, "properties", &properties))
		json_object_object_add(properties, "$schema", uri);
	return schema;
}
