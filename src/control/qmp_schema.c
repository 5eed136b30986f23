/* SPDX-License-Identifier: Apache-2.0 */
#include "qmp_schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct qmp_type qmp_bool = {.kind = QMP_BOOL, .name = "bool"};
const struct qmp_type qmp_int = {.kind = QMP_INT, .name = "int"};
const struct qmp_type qmp_size = {.kind = QMP_SIZE, .name = "size"};
const struct qmp_type qmp_string = {.kind = QMP_STRING, .name = "str"};
const struct qmp_type qmp_any = {.kind = QMP_ANY, .name = "any"};

int qmp_fail(struct qmp_call *call, enum qmp_error_class class, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	call->error.class = class;
	return error_set(&call->error.text, EINVAL, "%s", text);
}

const char *qmp_error_class_name(enum qmp_error_class class)
{
	static const char *const names[] = {
		[QMP_GENERIC_ERROR] = "GenericError",
		[QMP_COMMAND_NOT_FOUND] = "CommandNotFound",
		[QMP_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
		[QMP_DEVICE_NOT_FOUND] = "DeviceNotFound",
	};

	return names[class];
}

/*
 * Checking arguments. What is within others is named by its way: "providers[1].names".
 * Types do not contain themselves, so there is an end to it.
 */

#define WAY_MAX 256

static int check_value(struct qmp_call *call, const char *way, const struct qmp_member *member,
		       struct json_object *value);

static int wrong_type(struct qmp_call *call, const char *way, const char *expected)
{
	return qmp_fail(call, QMP_GENERIC_ERROR, "Invalid parameter type for '%s', expected: %s",
			way, expected);
}

static bool is_unbounded(const struct qmp_member *member)
{
	return !member->min && !member->max;
}

static int check_number(struct qmp_call *call, const char *way, const struct qmp_member *member,
			struct json_object *value)
{
	int64_t min = is_unbounded(member) ? INT64_MIN : member->min;
	int64_t max = is_unbounded(member) ? INT64_MAX : member->max;
	int64_t number;

	if (member->type->kind == QMP_SIZE && is_unbounded(member))
		min = 0;
	if (!json_object_is_type(value, json_type_int))
		return wrong_type(call, way, "integer");
	/* What is above INT64_MAX comes as that. */
	number = json_object_get_int64(value);
	if (number >= min && number <= max)
		return 0;
	return qmp_fail(call, QMP_GENERIC_ERROR,
			"Parameter '%s' is out of range: it is from %" PRId64 " to %" PRId64, way,
			min, max);
}

static int check_string(struct qmp_call *call, const char *way, const struct qmp_type *type,
			struct json_object *value)
{
	const char *text = json_object_get_string(value);
	size_t size;

	if (!json_object_is_type(value, json_type_string))
		return wrong_type(call, way, "string");
	size = (size_t)json_object_get_string_len(value);
	if (size > QMP_STRING_MAX || memchr(text, '\0', size))
		return qmp_fail(call, QMP_GENERIC_ERROR,
				"Parameter '%s' is no string of up to %d bytes without \\u0000",
				way, QMP_STRING_MAX);
	if (type->kind == QMP_STRING)
		return 0;
	for (const char *const *choice = type->values; *choice; choice++) {
		if (!strcmp(text, *choice))
			return 0;
	}
	return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter '%s' does not accept value '%.100s'",
			way, text);
}

static int check_array(struct qmp_call *call, const char *way, const struct qmp_type *type,
		       struct json_object *value)
{
	const struct qmp_member member = {.name = "element", .type = type->element};
	int r = 0;

	if (!json_object_is_type(value, json_type_array))
		return wrong_type(call, way, "array");
	if (json_object_array_length(value) > QMP_ARRAY_MAX)
		return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter '%s' has more than %d elements",
				way, QMP_ARRAY_MAX);
	for (size_t i = 0; i < json_object_array_length(value) && r == 0; i++) {
		char element[WAY_MAX];

		snprintf(element, sizeof(element), "%s[%zu]", way, i);
		r = check_value(call, element, &member, json_object_array_get_idx(value, i));
	}
	return r;
}

static const struct qmp_member *find_member(const struct qmp_member *members, const char *name)
{
	for (; members && members->name; members++) {
		if (!strcmp(members->name, name))
			return members;
	}
	return NULL;
}

/* The members of @object, which may be NULL; @way is in front of their names. */
static int check_members(struct qmp_call *call, const char *way, const struct qmp_member *members,
			 bool open, struct json_object *object)
{
	const char *dot = *way ? "." : "";
	struct json_object *value;

	if (object && !open) {
		json_object_object_foreach(object, name, ignored)
		{
			(void)ignored;
			if (!find_member(members, name))
				return qmp_fail(call, QMP_GENERIC_ERROR,
						"Parameter '%s%s%.100s' is unexpected", way, dot,
						name);
		}
	}
	for (const struct qmp_member *m = members; m && m->name; m++) {
		char name[WAY_MAX];
		int r = 0;

		snprintf(name, sizeof(name), "%s%s%s", way, dot, m->name);
		if (object && json_object_object_get_ex(object, m->name, &value))
			r = check_value(call, name, m, value);
		else if (!m->optional)
			r = qmp_fail(call, QMP_GENERIC_ERROR, "Parameter '%s' is missing", name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_value(struct qmp_call *call, const char *way, const struct qmp_member *member,
		       struct json_object *value)
{
	switch (member->type->kind) {
	case QMP_BOOL:
		return json_object_is_type(value, json_type_boolean)
			       ? 0
			       : wrong_type(call, way, "boolean");
	case QMP_INT:
	case QMP_SIZE:
		return check_number(call, way, member, value);
	case QMP_STRING:
	case QMP_ENUM:
		return check_string(call, way, member->type, value);
	case QMP_ARRAY:
		return check_array(call, way, member->type, value);
	case QMP_OBJECT:
		return json_object_is_type(value, json_type_object)
			       ? check_members(call, way, member->type->members, false, value)
			       : wrong_type(call, way, "object");
	case QMP_ANY:
		break;
	}
	return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter '%s' cannot be given", way);
}

int qmp_dispatch(const struct qmp_schema *schema, const char *name, struct qmp_call *call)
{
	for (const struct qmp_command *command = schema->commands; command->name; command++) {
		if (!strcmp(command->name, name)) {
			int r = check_members(call, "", command->arguments, command->open,
					      (struct json_object *)call->arguments);

			if (r == 0 && schema->check && !command->always)
				r = schema->check(call);
			return r < 0 ? r : command->run(call);
		}
	}
	return qmp_fail(call, QMP_COMMAND_NOT_FOUND, "The command %.100s has not been found", name);
}

/* Arguments. */

static struct json_object *argument(const struct qmp_call *call, const char *name)
{
	struct json_object *value = NULL;

	if (call->arguments)
		json_object_object_get_ex(call->arguments, name, &value);
	return value;
}

bool qmp_argument_bool(const struct qmp_call *call, const char *name, bool otherwise)
{
	struct json_object *value = argument(call, name);

	return value ? json_object_get_boolean(value) : otherwise;
}

int64_t qmp_argument_int(const struct qmp_call *call, const char *name, int64_t otherwise)
{
	struct json_object *value = argument(call, name);

	return value ? json_object_get_int64(value) : otherwise;
}

const char *qmp_argument_string(const struct qmp_call *call, const char *name)
{
	return json_object_get_string(argument(call, name));
}

const struct json_object *qmp_argument(const struct qmp_call *call, const char *name)
{
	return argument(call, name);
}

/* Describing, as QAPI's introspect.json says: SchemaInfo. */

struct description {
	struct json_object *entities; /* array of SchemaInfo */
	struct json_object *known;    /* the names of types that are in it, as an object's keys */
};

static void add_string(struct json_object *object, const char *name, const char *value)
{
	json_object_object_add(object, name, json_object_new_string(value));
}

static struct json_object *add_entity(struct description *description, const char *name,
				      const char *meta_type)
{
	struct json_object *entity = json_object_new_object();

	add_string(entity, "name", name);
	add_string(entity, "meta-type", meta_type);
	json_object_array_add(description->entities, entity);
	return entity;
}

static const char *json_type_name(enum qmp_kind kind)
{
	switch (kind) {
	case QMP_BOOL:
		return "boolean";
	case QMP_INT:
	case QMP_SIZE:
		return "int";
	case QMP_STRING:
		return "string";
	default:
		return "value";
	}
}

static void describe_members(struct description *description, const char *name,
			     const struct qmp_member *members);

static void describe_enum(struct json_object *entity, const char *const *values)
{
	struct json_object *members = json_object_new_array();
	struct json_object *names = json_object_new_array();

	for (; *values; values++) {
		struct json_object *member = json_object_new_object();

		add_string(member, "name", *values);
		json_object_array_add(members, member);
		json_object_array_add(names, json_object_new_string(*values));
	}
	json_object_object_add(entity, "members", members);
	json_object_object_add(entity, "values", names);
}

/* Types are few and do not contain themselves. */
static void describe_type(struct description *description, const struct qmp_type *type)
{
	struct json_object *entity;

	if (json_object_object_get_ex(description->known, type->name, NULL))
		return;
	json_object_object_add(description->known, type->name, json_object_new_boolean(true));
	switch (type->kind) {
	case QMP_OBJECT:
		describe_members(description, type->name, type->members);
		break;
	case QMP_ENUM:
		entity = add_entity(description, type->name, "enum");
		describe_enum(entity, type->values);
		break;
	case QMP_ARRAY:
		entity = add_entity(description, type->name, "array");
		add_string(entity, "element-type", type->element->name);
		describe_type(description, type->element);
		break;
	default:
		entity = add_entity(description, type->name, "builtin");
		add_string(entity, "json-type", json_type_name(type->kind));
		break;
	}
}

static void describe_members(struct description *description, const char *name,
			     const struct qmp_member *members)
{
	struct json_object *entity = add_entity(description, name, "object");
	struct json_object *list = json_object_new_array();

	json_object_object_add(entity, "members", list);
	for (; members && members->name; members++) {
		struct json_object *member = json_object_new_object();

		add_string(member, "name", members->name);
		add_string(member, "type", members->type->name);
		if (members->optional)
			json_object_object_add(member, "default", NULL);
		json_object_array_add(list, member);
		describe_type(description, members->type);
	}
}

static const struct qmp_type empty = {.kind = QMP_OBJECT, .name = "q_empty"};

/* The type of the arguments of a command or the data of an event: of no name for who asks. */
static void describe_arguments(struct description *description, struct json_object *entity,
			       const char *of, const struct qmp_member *members)
{
	char name[128];

	if (!members) {
		add_string(entity, "arg-type", empty.name);
		describe_type(description, &empty);
		return;
	}
	snprintf(name, sizeof(name), "q_obj_%s-arg", of);
	add_string(entity, "arg-type", name);
	describe_members(description, name, members);
}

struct json_object *qmp_schema_describe(const struct qmp_schema *schema)
{
	struct description description = {
		.entities = json_object_new_array(),
		.known = json_object_new_object(),
	};

	for (const struct qmp_command *command = schema->commands; command->name; command++) {
		const struct qmp_type *returns = command->returns ? command->returns : &empty;
		struct json_object *entity = add_entity(&description, command->name, "command");

		describe_arguments(&description, entity, command->name, command->arguments);
		add_string(entity, "ret-type", returns->name);
		describe_type(&description, returns);
	}
	for (const struct qmp_event *event = schema->events; event->name; event++) {
		struct json_object *entity = add_entity(&description, event->name, "event");

		describe_arguments(&description, entity, event->name, event->members);
	}
	json_object_put(description.known);
	return description.entities;
}

struct json_object *qmp_schema_commands(const struct qmp_schema *schema)
{
	struct json_object *list = json_object_new_array();

	for (const struct qmp_command *command = schema->commands; command->name; command++) {
		struct json_object *entry = json_object_new_object();

		add_string(entry, "name", command->name);
		json_object_array_add(list, entry);
	}
	return list;
}
