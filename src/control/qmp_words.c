/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the control socket as people write them. */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "qmp_private.h"

#define NAMES_MAX   64
#define HELP_COLUMN 30

static const struct qmp_command *find_command(const char *name, struct error *err)
{
	const struct qmp_command *commands = qmp_machine_schema.commands;
	const char *names[NAMES_MAX] = {0};
	const char *near;
	size_t count = 0;

	for (const struct qmp_command *c = commands; c->name; c++) {
		if (!strcmp(c->name, name))
			return c;
		if (count < NAMES_MAX)
			names[count++] = c->name;
	}
	near = nearest_name(name, names, count);
	if (near)
		error_set(err, EINVAL, "there is no command '%.100s'; did you mean '%s'?", name,
			  near);
	else
		error_set(err, EINVAL,
			  "there is no command '%.100s'; `armlet ctl --help` lists them", name);
	return NULL;
}

static const struct qmp_member *find_argument(const struct qmp_command *command, const char *word,
					      size_t length)
{
	for (const struct qmp_member *m = command->arguments; m && m->name; m++) {
		if (strlen(m->name) == length && !strncmp(m->name, word, length))
			return m;
	}
	return NULL;
}

static int refuse_word(const struct qmp_member *member, const char *text, const char *wanted,
		       struct error *err)
{
	return error_set(err, EINVAL, "%s: '%.100s' is not %s", member->name, text, wanted);
}

/* What is within the bounds of its type is the machine's to check. */
static int read_word(const struct qmp_member *member, const char *text, struct json_object **ret,
		     struct error *err)
{
	bool negative = text[0] == '-';
	uint64_t number;

	switch (member->type->kind) {
	case QMP_BOOL:
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return refuse_word(member, text, "true or false", err);
		*ret = json_object_new_boolean(!strcmp(text, "true"));
		return 0;
	case QMP_INT:
	case QMP_SIZE:
		if (parse_size(text + negative, 1, &number) < 0 || number > INT64_MAX)
			return refuse_word(member, text, "a number, such as 4096, 4K or 1G", err);
		*ret = json_object_new_int64(negative ? -(int64_t)number : (int64_t)number);
		return 0;
	case QMP_ARRAY:
	case QMP_OBJECT:
		*ret = json_tokener_parse(text);
		if (!*ret)
			return refuse_word(member, text, "JSON, such as [\"a\",\"b\"]", err);
		return 0;
	default:
		*ret = json_object_new_string(text);
		return 0;
	}
}

/* An argument that is in no table: a number, true, false or JSON text if it looks so. */
static struct json_object *guess_word(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (!strcmp(text, "true") || !strcmp(text, "false"))
		return json_object_new_boolean(!strcmp(text, "true"));
	if (digits && !text[digits] && digits < 19 && (digits == 1 || text[0] != '0'))
		return json_object_new_int64(strtoll(text, NULL, 10));
	return text[0] == '"' ? json_tokener_parse(text) : json_object_new_string(text);
}

/* @word is "name=value", or without the rest. */
static int read_argument(const struct qmp_command *command, const char *word,
			 struct json_object *arguments, struct error *err)
{
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	const struct qmp_member *member = find_argument(command, word, length);
	_cleanup_free_ char *name = strndup(word, length);
	struct json_object *value = NULL;
	int r = 0;

	if (!name)
		return error_set_errno(err, ENOMEM, "%s", command->name);
	if (!member && !command->open)
		return error_set(err, EINVAL,
				 "%s has no argument '%.100s'; `armlet ctl --help` lists them",
				 command->name, name);
	if (!equals)
		return error_set(err, EINVAL, "%.100s needs a value: %.100s=...", name, name);
	if (member)
		r = read_word(member, equals + 1, &value, err);
	else
		value = guess_word(equals + 1);
	if (r == 0)
		json_object_object_add(arguments, name, value);
	return r;
}

int qmp_read_words(const char *const *words, size_t count, struct json_object **ret,
		   struct error *err)
{
	const struct qmp_command *command = find_command(words[0], err);
	struct json_object *arguments;

	if (!command)
		return -EINVAL;
	arguments = json_object_new_object();
	for (size_t i = 1; i < count; i++) {
		int r = read_argument(command, words[i], arguments, err);

		if (r < 0) {
			json_object_put(arguments);
			return r;
		}
	}
	*ret = arguments;
	return 0;
}

bool qmp_command_is_long(const char *name)
{
	const struct qmp_command *command = find_command(name, NULL);

	return command && command->is_long;
}

const char *qmp_command_name(size_t index)
{
	/* The first, of negotiation, is not for people. */
	return qmp_machine_schema.commands[index + 1].name;
}

static void print_line(FILE *out, const char *left, const char *help)
{
	if (strlen(left) >= HELP_COLUMN - 1)
		fprintf(out, "%s\n%*s%s\n", left, HELP_COLUMN, "", help);
	else
		fprintf(out, "%-*s%s\n", HELP_COLUMN, left, help);
}

void qmp_print_commands(FILE *out)
{
	char left[128];

	fprintf(out, "\nCommands:\n");
	for (const struct qmp_command *c = qmp_machine_schema.commands + 1; c->name; c++) {
		snprintf(left, sizeof(left), "  %s", c->name);
		print_line(out, left, c->help);
		for (const struct qmp_member *m = c->arguments; m && m->name; m++) {
			snprintf(left, sizeof(left), "    %s=%s%s", m->name, m->type->name,
				 m->optional ? " (optional)" : "");
			print_line(out, left, m->help ? m->help : "");
		}
		if (c->open)
			print_line(out, "    ...=...", "properties of the device");
	}
}
