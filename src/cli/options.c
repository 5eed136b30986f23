/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

#define MAX_NAMES   128
#define HELP_COLUMN 30

bool option_takes(const struct option_def *option, uint64_t value)
{
	return value >= option->min && value <= option->max &&
	       !(option->power_of_two && (value & (value - 1)));
}

const char *option_wanted(const struct option_def *option, char text[static OPTION_WANTED_MAX])
{
	size_t used;

	if (option->type == OPTION_U32) {
		snprintf(text, OPTION_WANTED_MAX, "a %s from %" PRIu64 " to %" PRIu64,
			 option->power_of_two ? "power of two" : "number", option->min,
			 option->max);
		return text;
	}
	used = (size_t)snprintf(text, OPTION_WANTED_MAX, "one of");
	for (const char *const *choice = option->choices; *choice; choice++) {
		snprintf(text + used, OPTION_WANTED_MAX - used, " %s", *choice);
		used = strlen(text);
	}
	return text;
}

void *option_new_record(const struct option_def *option, void *target)
{
	const size_t *count = option_field(target, option->count_offset);
	void *record = option_field(target, option->offset + *count * option->record_size);

	memset(record, 0, option->record_size);
	if (option->record_init)
		option->record_init(record);
	return record;
}

const char *option_nearest(const struct option_def *rows, const char *name)
{
	const char *names[MAX_NAMES] = {0};
	size_t count = 0;

	for (const struct option_def *o = rows; o->name && count < MAX_NAMES; o++)
		names[count++] = o->name;
	return nearest_name(name, names, count);
}

/* The sentences of those that set values begin with the value; the name is put in front. */

static int refuse_value(const char *text, const char *wanted, struct error *err)
{
	return error_set(err, EINVAL, "'%s' is not %s", text, wanted);
}

static int set_u32(const struct option_def *option, void *target, const char *text,
		   struct error *err)
{
	char wanted[OPTION_WANTED_MAX];
	uint64_t value = 0;

	if (parse_u64(text, &value) < 0 || !option_takes(option, value))
		return refuse_value(text, option_wanted(option, wanted), err);
	*(uint32_t *)option_field(target, option->offset) = (uint32_t)value;
	return 0;
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
	if (r < 0 || !option_takes(option, value))
		return error_set(err, EINVAL, "%s is out of range, which is %s to %s", text,
				 format_size(option->min, least), format_size(option->max, most));
	*(uint64_t *)option_field(target, option->offset) = value;
	return 0;
}

static int set_choice(const struct option_def *option, void *target, const char *text,
		      struct error *err)
{
	char wanted[OPTION_WANTED_MAX];

	for (int i = 0; option->choices[i]; i++) {
		if (!strcmp(option->choices[i], text)) {
			*(int *)option_field(target, option->offset) = i;
			return 0;
		}
	}
	return refuse_value(text, option_wanted(option, wanted), err);
}

static int set_list(const struct option_def *option, void *target, const char *text,
		    struct error *err)
{
	int r = parse_list(text, option_field(target, option->offset), option->max,
			   option_field(target, option->count_offset));

	return r < 0 ? refuse_value(text, "a list of numbers such as 0,2,4-7", err) : 0;
}

static int add_string(const struct option_def *option, void *target, const char *text,
		      struct error *err)
{
	const char **strings = option_field(target, option->offset);
	size_t *count = option_field(target, option->count_offset);

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
	const char *near = option_nearest(rows, name);

	if (near)
		return error_set(err, EINVAL, "unknown property '%s'; did you mean '%s'?", name,
				 near);
	return error_set(err, EINVAL, "unknown property '%s'", name);
}

/* A number or a choice has no '=' in it: what looks like a property is meant as one. */
static bool is_free_text(const struct option_def *option)
{
	return option->type == OPTION_STRING || option->type == OPTION_FILE;
}

/* "name=value" or "flag"; the @first may be the value of the first row, without its name. */
static int set_property(const struct option_def *rows, char *item, bool first, void *record,
			struct error *err)
{
	char *equals = strchr(item, '=');
	size_t length = equals ? (size_t)(equals - item) : strlen(item);
	const struct option_def *row = find_row(rows, item, length);
	int r;

	if (first && (!equals || (!row && is_free_text(rows))))
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
	size_t *count = option_field(target, option->count_offset);
	void *record;
	bool first = true;
	char *item;

	if (*count >= option->max)
		return error_set(err, EINVAL, "given more than %" PRIu64 " times", option->max);
	record = option_new_record(option, target);
	while ((item = next_item(&text))) {
		int r = set_property(option->record, item, first, record, err);

		if (r < 0)
			return r;
		first = false;
	}
	if (option->record_done)
		option->record_done(record);
	(*count)++;
	return 0;
}

static int set_value(const struct option_def *option, void *target, char *text, struct error *err)
{
	switch (option->type) {
	case OPTION_FLAG:
		*(bool *)option_field(target, option->offset) = true;
		return 0;
	case OPTION_STRING:
	case OPTION_FILE:
		*(const char **)option_field(target, option->offset) = text;
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
	case OPTION_CONFIG: /* apply_config() */
		break;
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
	const struct option_table *table;
	int count;
	char **at;
	bool behind_dashes; /* none of them is an option */
	const char
		*configured; /* what OPTION_CONFIG has for the positional; words come before it */
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

static const struct option_def *positional(const struct option_table *table)
{
	return table->positional ? find(table, table->positional, strlen(table->positional)) : NULL;
}

static int apply_config(const struct option_def *option, const char *where, struct words *words,
			void *target, struct error *err)
{
	const struct option_def *alone = positional(words->table);
	struct json_object **config = option_field(target, option->offset);
	int r;

	if (*config)
		return error_set(err, EINVAL, "--%s: given more than once", option->name);
	r = option->read(words->table, where, target, config, err);
	if (r < 0)
		return error_prefix(err, "--%s ", option->name);
	if (alone)
		words->configured = *(const char **)option_field(target, alone->offset);
	return 0;
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
	if (option->type == OPTION_CONFIG)
		return apply_config(option, value, words, target, err);
	return set_option(option, target, value, err);
}

static int apply_long(char *word, struct words *words, void *target, struct error *err)
{
	const struct option_table *table = words->table;
	char *equals = strchr(word, '=');
	size_t length = (equals ? (size_t)(equals - word) : strlen(word)) - 2;
	const struct option_def *option = find(table, word + 2, length);

	if (!option)
		return unknown(table, word, length, err);
	return apply(option, equals ? equals + 1 : NULL, words, target, err);
}

static int apply_letter(char *word, struct words *words, void *target, struct error *err)
{
	const struct option_table *table = words->table;
	const struct option_def *option = find_letter(table, word[1]);

	if (!option)
		return error_set(err, EINVAL,
				 "unknown option %s; `armlet %s --help` lists them all", word,
				 table->command);
	return apply(option, word[2] ? word + 2 : NULL, words, target, err);
}

static int apply_positional(char *word, const struct words *words, void *target, struct error *err)
{
	const struct option_def *option = positional(words->table);
	const char *present;

	if (option && words->table->behind_dashes && !words->behind_dashes)
		return error_set(err, EINVAL,
				 "'%s' is no option; a %s stands behind --, as in -- %s", word,
				 option->name, word);
	if (!option)
		return error_set(err, EINVAL,
				 "'%s' is not an option, and `armlet %s` takes no more", word,
				 words->table->command);
	if (option->type == OPTION_STRINGS)
		return set_option(option, target, word, err);
	present = *(const char **)option_field(target, option->offset);
	if (present && present != words->configured)
		return error_set(err, EINVAL,
				 "'%s': there is a %s already, '%s'; quote words that belong "
				 "together",
				 word, option->name, present);
	return set_option(option, target, word, err);
}

int options_parse(const struct option_table *table, int argc, char **argv, void *target,
		  enum options_result *ret, struct error *err)
{
	struct words words = {.table = table, .count = argc - 1, .at = argv + 1};
	char *word;
	int r = 0;

	*ret = OPTIONS_OK;
	while (r == 0 && (word = next_word(&words))) {
		if (words.behind_dashes || word[0] != '-' || !word[1]) {
			r = apply_positional(word, &words, target, err);
		} else if (!strcmp(word, "--")) {
			words.behind_dashes = true;
		} else if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
			*ret = OPTIONS_HELP;
			return 0;
		} else if (word[1] == '-') {
			r = apply_long(word, &words, target, err);
		} else {
			r = apply_letter(word, &words, target, err);
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
	if (!table->options->group)
		fputc('\n', out);
	for (const struct option_def *o = table->options; o->name; o++) {
		if (o->group)
			fprintf(out, "\n%s:\n", o->group);
		if (o->help)
			help_option(o, out);
		if (o->help && o->record)
			help_properties(o->record, out);
	}
	fprintf(out, "  -h, --help                  show this help\n");
	if (table->more)
		table->more(out);
	if (table->epilogue)
		fprintf(out, "\n%s\n", table->epilogue);
}
