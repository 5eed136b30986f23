/* SPDX-License-Identifier: Apache-2.0 */
#include "qemu_words.h"

#include <stdarg.h>
#include <string.h>

#include "base/parse.h"

/* Words. */

static void push_owned(struct qemu *qemu, char *word)
{
	struct qemu_command *command = qemu->command;
	char **words =
		word ? reallocarray(command->words, command->count + 2, sizeof(*words)) : NULL;

	if (!words) {
		qemu->no_memory = true;
		free(word);
		return;
	}
	words[command->count++] = word;
	words[command->count] = NULL;
	command->words = words;
}

void qemu_push(struct qemu *qemu, const char *word)
{
	push_owned(qemu, strdup(word));
}

void qemu_push_value(struct qemu *qemu, const char *option, const char *value)
{
	qemu_push(qemu, option);
	qemu_push(qemu, value);
}

void qemu_pushf(struct qemu *qemu, const char *fmt, ...)
{
	char *word = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&word, fmt, args) < 0)
		word = NULL;
	va_end(args);
	push_owned(qemu, word);
}

/* Texts. */

void qemu_add(struct qemu *qemu, char **text, const char *more)
{
	size_t used = *text ? strlen(*text) : 0;
	char *longer = realloc(*text, used + strlen(more) + 1);

	if (!longer) {
		qemu->no_memory = true;
		return;
	}
	memcpy(longer + used, more, strlen(more) + 1);
	*text = longer;
}

void qemu_add_escaped(struct qemu *qemu, char **text, const char *more)
{
	_cleanup_free_ char *escaped = malloc(2 * strlen(more) + 1);
	char *to = escaped;

	if (!escaped) {
		qemu->no_memory = true;
		return;
	}
	for (; *more; more++) {
		*to++ = *more;
		if (*more == ',')
			*to++ = ',';
	}
	*to = '\0';
	qemu_add(qemu, text, escaped);
}

/* Properties. */

void qemu_properties_finish(struct qemu_properties *properties)
{
	free(steal_ptr(&properties->text));
	properties->count = 0;
}

/* Cut the next item off @rest at its comma. */
static char *cut_item(char **rest)
{
	char *item = *rest, *to = item;

	for (char *from = item;; from++) {
		if (from[0] == ',' && from[1] == ',') {
			from++;
		} else if (!*from || *from == ',') {
			*rest = *from ? from + 1 : NULL;
			*to = '\0';
			return item;
		}
		*to++ = *from;
	}
}

/* "name=value", "flag" or "noflag"; the first may be a value alone. */
static struct qemu_property read_property(char *item, const char *implied)
{
	char *equals = strchr(item, '=');

	if (equals) {
		*equals = '\0';
		return (struct qemu_property){.name = item, .value = equals + 1};
	}
	if (implied)
		return (struct qemu_property){.name = implied, .value = item};
	if (!strncmp(item, "no", 2) && item[2])
		return (struct qemu_property){.name = item + 2, .value = "off"};
	return (struct qemu_property){.name = item, .value = "on"};
}

int qemu_properties_read(const char *text, const char *implied, struct qemu_properties *ret,
			 struct error *err)
{
	char *rest = strdup(text);

	*ret = (struct qemu_properties){.text = rest};
	if (!rest)
		return error_set_errno(err, ENOMEM, "properties");
	while (rest) {
		char *item = cut_item(&rest);

		if (ret->count == QEMU_PROPERTIES_MAX)
			return error_set(err, EINVAL, "these are more than %d properties",
					 QEMU_PROPERTIES_MAX);
		if (*item)
			ret->list[ret->count++] = read_property(item, implied);
		implied = NULL;
	}
	return 0;
}

const char *qemu_take(struct qemu_properties *properties, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < properties->count; i++) {
		struct qemu_property *property = &properties->list[i];

		if (!strcmp(property->name, name)) {
			property->taken = true;
			value = property->value;
		}
	}
	return value;
}

/* Rules. */

static bool is_word(const char *word, const char *pattern, size_t length)
{
	if (length && pattern[length - 1] == '*')
		return !strncmp(word, pattern, length - 1);
	return strlen(word) == length && !strncmp(word, pattern, length);
}

bool qemu_is_one_of(const char *word, const char *words)
{
	for (const char *at = words;; at++) {
		size_t length = strcspn(at, " ");

		if (is_word(word, at, length))
			return true;
		at += length;
		if (!*at)
			return false;
	}
}

bool qemu_is_on(const char *value)
{
	return qemu_is_one_of(value, "on yes true y");
}

/* The other ways to write on and off. */
static const char *plain_value(const char *value)
{
	if (qemu_is_on(value))
		return "on";
	return qemu_is_one_of(value, "no false n") ? "off" : value;
}

static int refuse_name(const struct qemu_rule *rules, const char *name, struct error *err)
{
	const char *names[QEMU_PROPERTIES_MAX];
	const char *near;
	size_t count = 0;

	for (const struct qemu_rule *r = rules; r->name && count < ARRAY_SIZE(names); r++)
		names[count++] = r->name;
	near = nearest_name(name, names, count);
	if (near)
		return error_set(err, EINVAL,
				 "armlet has not the property '%.60s'; did you mean "
				 "'%s'?",
				 name, near);
	return error_set(err, EINVAL, "armlet has not the property '%.60s'", name);
}

static int refuse_value(const struct qemu_rule *rules, const struct qemu_property *property,
			struct error *err)
{
	char wanted[128] = "";
	size_t used = 0;

	for (const struct qemu_rule *r = rules; r->name && used < sizeof(wanted); r++) {
		if (!strcmp(r->name, property->name))
			used += (size_t)snprintf(wanted + used, sizeof(wanted) - used, " %s",
						 r->values);
	}
	return error_set(err, EINVAL, "armlet has not %s=%.60s, but%s", property->name,
			 property->value, wanted);
}

static const struct qemu_rule *find_rule(const struct qemu_rule *rules,
					 const struct qemu_property *property, bool *ret_known)
{
	*ret_known = false;
	for (const struct qemu_rule *r = rules; r->name; r++) {
		if (strcmp(r->name, property->name) != 0)
			continue;
		*ret_known = true;
		if (!r->values || qemu_is_one_of(property->value, r->values) ||
		    qemu_is_one_of(plain_value(property->value), r->values))
			return r;
	}
	return NULL;
}

static void become(struct qemu *qemu, const char *what, const char *value, char **record)
{
	size_t length = strlen(what);
	char last = length ? what[length - 1] : '\0';

	if (!length)
		return;
	if (strncmp(what, "--", 2) != 0) {
		if (*record)
			qemu_add(qemu, record, ",");
		qemu_add(qemu, record, what);
		if (last == '=')
			qemu_add_escaped(qemu, record, value);
	} else if (last == ' ') {
		qemu_pushf(qemu, "%.*s", (int)length - 1, what);
		qemu_push(qemu, value);
	} else {
		qemu_pushf(qemu, "%s%s", what, last == '=' ? plain_value(value) : "");
	}
}

int qemu_apply(struct qemu *qemu, struct qemu_properties *properties, const struct qemu_rule *rules,
	       char **record, struct error *err)
{
	for (size_t i = 0; i < properties->count; i++) {
		struct qemu_property *property = &properties->list[i];
		const struct qemu_rule *rule;
		bool known;

		if (property->taken)
			continue;
		property->taken = true;
		rule = find_rule(rules, property, &known);
		if (!known)
			return refuse_name(rules, property->name, err);
		if (!rule)
			return refuse_value(rules, property, err);
		become(qemu, rule->becomes, property->value, record);
	}
	return 0;
}

/* Parts. */

struct qemu_part *qemu_part_add(struct qemu *qemu, enum qemu_part_kind kind, const char *id)
{
	struct qemu_part *part = calloc(1, sizeof(*part));
	struct qemu_part **end = &qemu->parts;

	if (part && id)
		part->id = strdup(id);
	if (!part || (id && !part->id)) {
		qemu->no_memory = true;
		free(part);
		return NULL;
	}
	part->kind = kind;
	while (*end)
		end = &(*end)->next;
	*end = part;
	return part;
}

struct qemu_part *qemu_part_find(const struct qemu *qemu, enum qemu_part_kind kind, const char *id,
				 struct error *err)
{
	static const char *const options[] = {
		[QEMU_DRIVE] = "-drive",
		[QEMU_NETDEV] = "-netdev",
		[QEMU_FSDEV] = "-fsdev",
		[QEMU_CHARDEV] = "-chardev",
	};

	for (struct qemu_part *part = qemu->parts; part; part = part->next) {
		if (part->kind == kind && part->id && id && !strcmp(part->id, id))
			return part;
	}
	if (id)
		error_set(err, EINVAL, "there is no %s with id=%.60s", options[kind], id);
	else
		error_set(err, EINVAL, "it does not say which %s it has", options[kind]);
	return NULL;
}
