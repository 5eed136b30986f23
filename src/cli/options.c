/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

#define MAX_NAMES   64
#define HELP_COLUMN 30

static void *field(void *target, size_t offset)
{
	return (char *)target + offset;
}

/* The sentences of those that set values begin with the value; the name is put in front. */

static int refuse_value(const char *text, const char *wanted, struct error *err)
{
	return error_set(err, EINVAL, "'%s' is not %s", text, wanted);
}

static int set_u32(const struct option_def *option, void *target, const char *text,
		   struct error *err)
{
	uint64_t value = 0;
	char wanted[96];
	int r = parse_u64(text, &value);

	if (r == 0 && value >= option->min && value <= option->max) {
		*(uint32_t *)field(target, option->offset) = (uint32_t)value;
		return 0;
	}
	snprintf(wanted, sizeof(wanted), "a number from %" PRIu64 " to %" PRIu64, option->min,
		 option->max);
	return refuse_value(text, wanted, err);
}

static int set_size(const struct option_def *option, void *target, const char *text,
		    struct error *err)
{
	char least[FORMAT_SIZE_MAX];
	char most[FORMAT_SIZE_MAX];
	uint64_t value = 0;
	int r = parse_size(text, MIB, &value);

	if (r == -EINVAL)
		return refuse_value(text, "a size; write it as 512M or 2G", err);
	if (r < 0 || value < option->min || value > option->max)
		return error_set(err, EINVAL, "%s is out of range, which is %s to %s", text,
				 format_size(option->min, least), format_size(option->max, most));
	*(uint64_t *)field(target, option->offset) = value;
	return 0;
}

static int set_choice(const struct option_def *option, void *target, const char *text,
		      struct error *err)
{
	char wanted[128] = "one of";
	size_t used = strlen(wanted);

	for (int i = 0; option->choices[i]; i++) {
		if (!strcmp(option->choices[i], text)) {
			*(int *)field(target, option->offset) = i;
			return 0;
		}
		snprintf(wanted + used, sizeof(wanted) - used, " %s", option->choices[i]);
		used = strlen(wanted);
	}
	return refuse_value(text, wanted, err);
}

static int set_list(const struct option_def *option, void *target, const char *text,
		    struct error *err)
{
	int r = parse_list(text, field(target, option->offset), option->max,
			   field(target, option->count_offset));

	return r < 0 ? refuse_value(text, "a list of numbers such as 0,2,4-7", err) : 0;
}

static int add_string(const struct option_def *option, void *target, const char *text,
		      struct error *err)
{
	const char **strings = field(target, option->offset);
	size_t *count = field(target, option->count_offset);

	if (*count >= option->max)
		return error_set(err, EINVAL, "given more than %" PRIu64 " times", option->max);
	strings[(*count)++] = text;
	return 0;
}

static int set_value(const struct option_def *option, void *target, char *text, struct error *err);

static const struct option_def *find_row(const struct option_def *rows, const char *name,
					 size_t length)
{
	for (const struct option_def *o = rows; o->name; o++) {
		if (strlen(o->name) == length && !strncmp(o->name, name, length))
			return o;
	}
	return NULL;
}

/* Cut the next value off @rest at its comma; two commas are one of the value's own. */
static char *next_item(char **rest)
{
	char *item = *rest;
	char *to = item;

	if (!item)
		return NULL;
	for (char *from = item;; from++) {
		if (from[0] == ',' && from[1] == ',')
			from++;
		else if (!*from || *from == ',') {
			*rest = *from ? from + 1 : NULL;
			*to = '\0';
			return item;
		}
		*to++ = *from;
	}
}

static int unknown_property(const struct option_def *rows, const char *name, struct error *err)
{
	const char *names[MAX_NAMES];
	const char *near;
	size_t count = 0;

	for (const struct option_def *o = rows; o->name && count < MAX_NAMES; o++)
		names[count++] = o->name;
	near = nearest_name(name, names, count);
	if (near)
		return error_set(err, EINVAL, "unknown property '%s'; did you mean '%s'?", name,
				 near);
	return error_set(err, EINVAL, "unknown property '%s'", name);
}

/* "name=value" or "flag"; the @first may be the value of the first row, without its name. */
static int set_property(const struct option_def *rows, char *item, bool first, void *record,
			struct error *err)
{
	char *equals = strchr(item, '=');
	size_t length = equals ? (size_t)(equals - item) : strlen(item);
	const struct option_def *row = find_row(rows, item, length);
	int r;

	if (first && (!row || !equals))
		return set_value(rows, record, item, err);
	if (!row) {
		item[length] = '\0';
		return unknown_property(rows, item, err);
	}
	if (row->type == OPTION_FLAG && equals)
		return error_set(err, EINVAL, "%s takes no value, but was given '%s'", row->name,
				 equals + 1);
	if (row->type != OPTION_FLAG && !equals)
		return error_set(err, EINVAL, "%s needs a value: %s=%s", row->name, row->name,
				 row->argument);
	r = set_value(row, record, equals ? equals + 1 : NULL, err);
	return r < 0 ? error_prefix(err, "%s: ", row->name) : 0;
}

static int add_record(const struct option_def *option, void *target, char *text, struct error *err)
{
	size_t *count = field(target, option->count_offset);
	void *record;
	bool first = true;
	char *item;

	if (*count >= option->max)
		return error_set(err, EINVAL, "given more than %" PRIu64 " times", option->max);
	record = field(target, option->offset + *count * option->record_size);
	memset(record, 0, option->record_size);
	if (option->record_init)
		option->record_init(record);
	while ((item = next_item(&text))) {
		int r = set_property(option->record, item, first, record, err);

		if (r < 0)
			return r;
		first = false;
	}
	(*count)++;
	return 0;
}

static int set_value(const struct option_def *option, void *target, char *text, struct error *err)
{
	switch (option->type) {
	case OPTION_FLAG:
		*(bool *)field(target, option->offset) = true;
		return 0;
	case OPTION_STRING:
	case OPTION_FILE:
		*(const char **)field(target, option->offset) = text;
		return 0;
	case OPTION_STRINGS:
	case OPTION_FILES:
		return add_string(option, target, text, err);
	case OPTION_U32:
		return set_u32(option, target, text, err);
	case OPTION_SIZE:
		return set_size(option, target, text, err);
	case OPTION_LIST:
		return set_list(option, target, text, err);
	case OPTION_CHOICE:
		return set_choice(option, target, text, err);
	case OPTION_SWITCH:
		return set_choice(option, target, text ? text : option->choices[1], err);
	case OPTION_RECORDS:
		return add_record(option, target, text, err);
	}
	return -EINVAL;
}

static const struct option_def *find(const struct option_table *table, const char *name,
				     size_t length)
{
	return find_row(table->options, name, length);
}

static const struct option_def *find_letter(const struct option_table *table, char letter)
{
	for (const struct option_def *o = table->options; o->name; o++) {
		if (o->letter && o->letter == letter)
			return o;
	}
	return NULL;
}

static int unknown(const struct option_table *table, const char *word, size_t length,
		   struct error *err)
{
	const char *names[MAX_NAMES] = {0};
	char name[64];
	const char *near;
	size_t count = 0;

	for (const struct option_def *o = table->options; o->name && count < MAX_NAMES; o++) {
		if (o->help)
			names[count++] = o->name;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(length < 63 ? length : 63), word + 2);
	near = nearest_name(name, names, count);
	if (near)
		return error_set(err, EINVAL, "unknown option --%s; did you mean --%s?", name,
				 near);
	return error_set(err, EINVAL, "unknown option --%s; `armlet %s --help` lists them all",
			 name, table->command);
}

/* The arguments that are left. */
struct words {
	int count;
	char **at;
};

static char *next_word(struct words *words)
{
	if (words->count <= 0)
		return NULL;
	words->count--;
	return *words->at++;
}

static int set_option(const struct option_def *option, void *target, char *value, struct error *err)
{
	int r = set_value(option, target, value, err);

	return r < 0 ? error_prefix(err, "--%s: ", option->name) : 0;
}

/* @value: what is written together with the option, or NULL. */
static int apply(const struct option_def *option, char *value, struct words *words, void *target,
		 struct error *err)
{
	if (option->type == OPTION_FLAG && value)
		return error_set(err, EINVAL, "--%s takes no value, but was given '%s'",
				 option->name, value);
	if (!option_takes_no_word(option) && !value) {
		value = next_word(words);
		if (!value)
			return error_set(err, EINVAL, "--%s needs a value: --%s %s", option->name,
					 option->name, option->argument);
	}
	return set_option(option, target, value, err);
}

static int apply_long(const struct option_table *table, char *word, struct words *words,
		      void *target, struct error *err)
{
	char *equals = strchr(word, '=');
	size_t length = (equals ? (size_t)(equals - word) : strlen(word)) - 2;
	const struct option_def *option = find(table, word + 2, length);

	if (!option)
		return unknown(table, word, length, err);
	return apply(option, equals ? equals + 1 : NULL, words, target, err);
}

static int apply_letter(const struct option_table *table, char *word, struct words *words,
			void *target, struct error *err)
{
	const struct option_def *option = find_letter(table, word[1]);

	if (!option)
		return error_set(err, EINVAL,
				 "unknown option %s; `armlet %s --help` lists them all", word,
				 table->command);
	return apply(option, word[2] ? word + 2 : NULL, words, target, err);
}

static int apply_positional(const struct option_table *table, char *word, void *target,
			    struct error *err)
{
	const struct option_def *option =
		table->positional ? find(table, table->positional, strlen(table->positional))
				  : NULL;

	if (!option)
		return error_set(err, EINVAL,
				 "'%s' is not an option, and `armlet %s` takes no more", word,
				 table->command);
	if (*(const char **)field(target, option->offset))
		return error_set(err, EINVAL,
				 "'%s': there is a %s already, '%s'; quote words that belong "
				 "together",
				 word, option->name, *(const char **)field(target, option->offset));
	return set_option(option, target, word, err);
}

int options_parse(const struct option_table *table, int argc, char **argv, void *target,
		  enum options_result *ret, struct error *err)
{
	struct words words = {.count = argc - 1, .at = argv + 1};
	bool only_words = false;
	char *word;
	int r = 0;

	*ret = OPTIONS_OK;
	while (r == 0 && (word = next_word(&words))) {
		if (only_words || word[0] != '-' || !word[1]) {
			r = apply_positional(table, word, target, err);
		} else if (!strcmp(word, "--")) {
			only_words = true;
		} else if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
			*ret = OPTIONS_HELP;
			return 0;
		} else if (word[1] == '-') {
			r = apply_long(table, word, &words, target, err);
		} else {
			r = apply_letter(table, word, &words, target, err);
		}
	}
	return r;
}

static void help_option(const struct option_def *option, FILE *out)
{
	char left[64];
	int used = option->letter ? snprintf(left, sizeof(left), "  -%c, --%s", option->letter,
					     option->name)
				  : snprintf(left, sizeof(left), "      --%s", option->name);

	if (option->argument && option_takes_no_word(option))
		snprintf(left + used, sizeof(left) - (size_t)used, "[=%s]", option->argument);
	else if (option->argument)
		snprintf(left + used, sizeof(left) - (size_t)used, " %s", option->argument);
	/* A long one has its text on the next line. */
	if (strlen(left) >= HELP_COLUMN - 1)
		fprintf(out, "%s\n%*s%s\n", left, HELP_COLUMN, "", option->help);
	else
		fprintf(out, "%-*s%s\n", HELP_COLUMN, left, option->help);
}

/* The first row is what stands in front, which the option's own line tells. */
static void help_properties(const struct option_def *rows, FILE *out)
{
	for (const struct option_def *o = rows + 1; o->name; o++) {
		char left[64];

		if (!o->help)
			continue;
		if (o->argument)
			snprintf(left, sizeof(left), "        ,%s=%s", o->name, o->argument);
		else
			snprintf(left, sizeof(left), "        ,%s", o->name);
		if (strlen(left) >= HELP_COLUMN - 1)
			fprintf(out, "%s\n%*s%s\n", left, HELP_COLUMN, "", o->help);
		else
			fprintf(out, "%-*s%s\n", HELP_COLUMN, left, o->help);
	}
}

void options_help(const struct option_table *table, FILE *out)
{
	fprintf(out, "Usage: armlet %s %s\n\n%s\n", table->command, table->usage, table->summary);
	for (const struct option_def *o = table->options; o->name; o++) {
		if (o->group)
			fprintf(out, "\n%s:\n", o->group);
		if (o->help)
			help_option(o, out);
		if (o->help && o->record)
			help_properties(o->record, out);
	}
	fprintf(out, "  -h, --help                  show this help\n");
	if (table->epilogue)
		fprintf(out, "\n%s\n", table->epilogue);
}
