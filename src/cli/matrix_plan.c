/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix_plan.h"

#include <stdarg.h>
#include <string.h>

#include "base/parse.h"
#include "options_json.h"
#include "test.h"

#define NAME_SIZE_MAX 64
#define NAMES_MAX     64 /* that may have been meant */

enum section { SECTION_KERNEL, SECTION_MACHINE, SECTION_COMMAND, SECTIONS };

static const char *const section_fields[SECTIONS] = {"kernels", "machines", "commands"};
static const char *const section_names[SECTIONS] = {"kernel", "machine", "command"};
static const char *const fields[] = {"kernels", "machines", "commands", "exclude", "common"};

/* What holds for one test, the last one first in doubt. */
enum layer { LAYER_COMMON, LAYER_KERNEL, LAYER_MACHINE, LAYER_COMMAND, LAYERS };

struct reader {
	const char *output;
	struct json_object *common;
	struct json_object *sections[SECTIONS];
	struct json_object *exclude; /* NULL: nothing */
	struct test *scratch;        /* what a test's words come to */
	size_t room;                 /* bytes that words may still have */
	struct matrix_plan *plan;
};

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

/* ---- What is refused -------------------------------------------------- */

/* "there is no @what 'name'; did you mean 'near'?" */
static int unknown(const char *what, const char *name, const char *near, struct error *err)
{
	if (near)
		return error_set(err, EINVAL, "there is no %s '%.100s'; did you mean '%s'?", what,
				 name, near);
	return error_set(err, EINVAL, "there is no %s '%.100s'", what, name);
}

static const char *nearest_key(struct json_object *object, const char *name)
{
	const char *names[NAMES_MAX];
	size_t count = 0;

	json_object_object_foreach(object, key, value)
	{
		(void)value;
		if (count < NAMES_MAX)
			names[count++] = key;
	}
	return nearest_name(name, names, count);
}

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), end_size = strlen(end);

	return size >= end_size && !strcmp(text + size - end_size, end);
}

/* It becomes a folder, and may not be in the way of files that are beside it. */
static int check_name(const char *name, struct error *err)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+=:@-";
	size_t size = strlen(name);

	if (size && size <= NAME_SIZE_MAX && strspn(name, good) == size && *name != '.' &&
	    *name != '-' && !ends_with(name, ".json") && !ends_with(name, ".xml"))
		return 0;
	return error_set(err, EINVAL,
			 "'%.100s' cannot be a name; a name has letters, digits and ._+=:@-, "
			 "begins with neither . nor -, ends with neither .json nor .xml, and has "
			 "%d characters at most",
			 name, NAME_SIZE_MAX);
}

static int refuse(struct json_object *value, const char *wanted, struct error *err)
{
	return error_set(err, EINVAL, "%.100s is not %s",
			 json_object_to_json_string_ext(
				 value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
			 wanted);
}

static bool is_text(struct json_object *value)
{
	return json_object_is_type(value, json_type_string) &&
	       strlen(json_object_get_string(value)) == (size_t)json_object_get_string_len(value);
}

static bool is_word(struct json_object *value)
{
	return is_text(value) || json_object_is_type(value, json_type_int);
}

/* Whether several are added up; a list of numbers is one value. */
static bool is_repeated(const struct option_def *option)
{
	return option_is_array(option) && option->type != OPTION_LIST;
}

static bool are_words(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		if (!is_word(json_object_array_get_idx(value, i)))
			return false;
	}
	return true;
}

/* Of its kind; the value itself is looked at with the whole test. */
static int check_value(const struct option_def *option, struct json_object *value,
		       struct error *err)
{
	bool is_boolean = json_object_is_type(value, json_type_boolean);

	if (option->type == OPTION_FLAG)
		return is_boolean ? 0 : refuse(value, "true or false", err);
	if (is_word(value) || (option->alone && is_boolean) ||
	    (is_repeated(option) && are_words(value)))
		return 0;
	return refuse(value,
		      is_repeated(option) ? "a string, a number, or an array of these"
					  : "a string or a number",
		      err);
}

static bool may_stand(const struct option_def *option)
{
	return option->help && !option->only_here;
}

static const struct option_def *find_option(const char *name)
{
	for (const struct option_def *o = test_table.options; o->name; o++) {
		if (!strcmp(o->name, name))
			return o;
	}
	return NULL;
}

static int check_option(const char *name, struct json_object *value, struct error *err)
{
	const struct option_def *option = find_option(name);
	const char *near;

	if (option && may_stand(option))
		return check_value(option, value, err);
	if (option && option->help)
		return error_set(err, EINVAL, "this is said on the command line, for all of them");
	if (option)
		return error_set(err, EINVAL, "only what is in 'commands' has one");
	near = option_nearest(test_table.options, name);
	option = near ? find_option(near) : NULL;
	return unknown("option", name, option && may_stand(option) ? near : NULL, err);
}

/* @in_command: what a command has besides is known. */
static int check_options(struct json_object *object, bool in_command, struct error *err)
{
	if (!json_object_is_type(object, json_type_object)) {
		refuse(object, "an object of options", err);
		return error_prefix(err, ": ");
	}
	json_object_object_foreach(object, name, value)
	{
		int r = 0;

		if (!in_command || strcmp(name, "command") != 0)
			r = check_option(name, value, err);
		else if (!are_words(value) || !json_object_array_length(value))
			r = refuse(value, "an array of a program and its arguments", err);
		if (r < 0)
			return error_prefix(err, ".%.100s: ", name);
	}
	return 0;
}

static int check_section(const struct reader *reader, enum section section, struct error *err)
{
	struct json_object *object = reader->sections[section];

	if (!object)
		return error_set(err, EINVAL, "there is no '%s', which the tests are made of",
				 section_fields[section]);
	if (!json_object_is_type(object, json_type_object)) {
		refuse(object, "an object of names, each with an object of options", err);
		return error_prefix(err, "%s: ", section_fields[section]);
	}
	if (!json_object_object_length(object))
		return error_set(err, EINVAL, "%s: there is none", section_fields[section]);
	json_object_object_foreach(object, name, value)
	{
		if (check_name(name, err) < 0)
			return error_prefix(err, "%s: ", section_fields[section]);
		if (check_options(value, section == SECTION_COMMAND, err) < 0)
			return error_prefix(err, "%s.%s", section_fields[section], name);
	}
	return 0;
}

static int check_exclusion(const struct reader *reader, struct json_object *entry,
			   struct error *err)
{
	if (!json_object_is_type(entry, json_type_object) || !json_object_object_length(entry))
		return refuse(entry, "an object with a kernel, a machine or a command", err);
	json_object_object_foreach(entry, key, value)
	{
		enum section section = SECTION_KERNEL;

		while (section < SECTIONS && strcmp(section_names[section], key) != 0)
			section++;
		if (section == SECTIONS)
			return unknown("field", key, nearest_name(key, section_names, SECTIONS),
				       err);
		if (!is_text(value)) {
			refuse(value, "a name", err);
			return error_prefix(err, "%s: ", key);
		}
		if (!member(reader->sections[section], json_object_get_string(value)))
			return unknown(key, json_object_get_string(value),
				       nearest_key(reader->sections[section],
						   json_object_get_string(value)),
				       err);
	}
	return 0;
}

static int check_exclude(const struct reader *reader, struct error *err)
{
	if (!reader->exclude)
		return 0;
	if (!json_object_is_type(reader->exclude, json_type_array)) {
		refuse(reader->exclude, "an array", err);
		return error_prefix(err, "exclude: ");
	}
	for (size_t i = 0; i < json_object_array_length(reader->exclude); i++) {
		if (check_exclusion(reader, json_object_array_get_idx(reader->exclude, i), err) < 0)
			return error_prefix(err, "exclude[%zu]: ", i);
	}
	return 0;
}

static int check_fields(struct json_object *root, struct error *err)
{
	if (!json_object_is_type(root, json_type_object))
		return error_set(err, EINVAL, "this is no matrix: a JSON object is wanted, {...}");
	json_object_object_del(root, "$schema"); /* for editors */
	json_object_object_foreach(root, name, value)
	{
		size_t i = 0;

		(void)value;
		while (i < ARRAY_SIZE(fields) && strcmp(fields[i], name) != 0)
			i++;
		if (i == ARRAY_SIZE(fields))
			return unknown("field", name,
				       nearest_name(name, fields, ARRAY_SIZE(fields)), err);
	}
	return 0;
}

/* Everything but the values. */
static int check(struct reader *reader, struct json_object *root, struct error *err)
{
	int r;

	r = check_fields(root, err);
	if (r < 0)
		return r;
	if (!json_object_object_get_ex(root, "machines", NULL)) {
		struct json_object *machines = json_object_new_object();

		json_object_object_add(machines, "default", json_object_new_object());
		json_object_object_add(root, "machines", machines);
	}
	for (enum section i = SECTION_KERNEL; i < SECTIONS && r == 0; i++) {
		reader->sections[i] = member(root, section_fields[i]);
		r = check_section(reader, i, err);
	}
	reader->common = member(root, "common");
	reader->exclude = member(root, "exclude");
	if (r == 0 && json_object_object_get_ex(root, "common", NULL)) {
		r = check_options(reader->common, false, err);
		if (r < 0)
			error_prefix(err, "common");
	}
	return r < 0 ? r : check_exclude(reader, err);
}

/* ---- Words ------------------------------------------------------------ */

struct words {
	struct reader *reader;
	char **at;
	size_t count;
	size_t room;
};

static void words_free(char **words)
{
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
}

DEFINE_CLEANUP(char **, words_free)

/* There is always room for a NULL behind. */
static int PRINTF(2, 3) add_word(struct words *words, const char *format, ...)
{
	va_list arguments;
	char *word = NULL;
	int size;

	if (words->count + 1 >= words->room) {
		size_t room = words->room ? words->room * 2 : 32;
		char **at = realloc(words->at, room * sizeof(*at));

		if (!at)
			return -ENOMEM;
		words->at = at;
		words->room = room;
	}
	va_start(arguments, format);
	size = vasprintf(&word, format, arguments);
	va_end(arguments);
	if (size < 0)
		return -ENOMEM;
	words->at[words->count++] = word;
	words->at[words->count] = NULL;
	if ((size_t)size + sizeof(word) > words->reader->room)
		return -E2BIG;
	words->reader->room -= (size_t)size + sizeof(word);
	return 0;
}

static int add_value(struct words *words, const struct option_def *option,
		     struct json_object *value)
{
	int r = 0;

	if (json_object_is_type(value, json_type_boolean))
		return json_object_get_boolean(value) ? add_word(words, "--%s", option->name) : 0;
	if (!json_object_is_type(value, json_type_array))
		return add_word(words, "--%s=%s", option->name, json_object_get_string(value));
	for (size_t i = 0; i < json_object_array_length(value) && r == 0; i++)
		r = add_value(words, option, json_object_array_get_idx(value, i));
	return r;
}

/* What may be repeated is added up; of all else the last one counts. */
static int add_option(struct words *words, const struct option_def *option,
		      struct json_object *const layers[LAYERS])
{
	struct json_object *last = NULL;
	int r = 0;

	for (enum layer i = LAYER_COMMON; i < LAYERS && r == 0; i++) {
		struct json_object *value = layers[i] ? member(layers[i], option->name) : NULL;

		if (value && is_repeated(option))
			r = add_value(words, option, value);
		else if (value)
			last = value;
	}
	return r == 0 && last ? add_value(words, option, last) : r;
}

static int add_command(struct words *words, struct json_object *command)
{
	int r = add_word(words, "--");

	for (size_t i = 0; i < json_object_array_length(command) && r == 0; i++)
		r = add_word(words, "%s",
			     json_object_get_string(json_object_array_get_idx(command, i)));
	return r;
}

static int add_words(struct words *words, const char *name,
		     struct json_object *const layers[LAYERS])
{
	struct json_object *command = member(layers[LAYER_COMMAND], "command");
	int r = add_word(words, "armlet");

	if (r == 0)
		r = add_word(words, "test");
	if (r == 0)
		r = add_word(words, "--output=%s/%s", words->reader->output, name);
	for (const struct option_def *o = test_table.options; o->name && r == 0; o++) {
		if (may_stand(o))
			r = add_option(words, o, layers);
	}
	return r == 0 && command ? add_command(words, command) : r;
}

/* As the test itself will; a copy, as records are cut in place. */
static int parse_words(struct test *scratch, char *const *words, size_t count, struct error *err)
{
	_cleanup_(cleanup_words_free_) char **copy = calloc(count + 1, sizeof(*copy));
	enum options_result result;
	uint64_t kinds;
	int r;

	if (!copy)
		return error_set_errno(err, ENOMEM, "the matrix");
	for (size_t i = 0; i < count; i++) {
		copy[i] = strdup(words[i]);
		if (!copy[i])
			return error_set_errno(err, ENOMEM, "the matrix");
	}
	memset(scratch, 0, sizeof(*scratch));
	run_options_init(&scratch->run.options);
	r = options_parse(&test_table, (int)count, copy, scratch, &result, err);
	if (r == 0 && scratch->options.fail_on)
		r = klog_parse_kinds(scratch->options.fail_on, &kinds, err);
	return r;
}

/* ---- Tests ------------------------------------------------------------ */

static bool is_excluded(const struct reader *reader, const char *const names[SECTIONS])
{
	size_t count = reader->exclude ? json_object_array_length(reader->exclude) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *entry = json_object_array_get_idx(reader->exclude, i);
		bool matches = true;

		for (enum section j = SECTION_KERNEL; j < SECTIONS; j++) {
			struct json_object *name = member(entry, section_names[j]);

			if (name && strcmp(json_object_get_string(name), names[j]) != 0)
				matches = false;
		}
		if (matches)
			return true;
	}
	return false;
}

static int add_test(struct reader *reader, const char *const names[SECTIONS], struct error *err)
{
	struct matrix_plan *plan = reader->plan;
	struct words words = {.reader = reader};
	struct json_object *layers[LAYERS] = {reader->common};
	struct matrix_test *test;
	int r;

	if (is_excluded(reader, names))
		return 0;
	if (plan->count == MATRIX_TESTS_MAX)
		return error_set(err, E2BIG, "these are more than %d tests", MATRIX_TESTS_MAX);
	for (enum section i = SECTION_KERNEL; i < SECTIONS; i++)
		layers[LAYER_KERNEL + i] = member(reader->sections[i], names[i]);
	test = &plan->tests[plan->count];
	*test = (struct matrix_test){0};
	if (asprintf(&test->name, "%s/%s/%s", names[0], names[1], names[2]) < 0) {
		test->name = NULL;
		return error_set_errno(err, ENOMEM, "the matrix");
	}
	plan->count++;
	r = add_words(&words, test->name, layers);
	test->words = words.at;
	if (r < 0)
		return error_set_errno(err, -r, "the words of all its tests");
	r = parse_words(reader->scratch, words.at + 1, words.count - 1, err);
	test->cpus = reader->scratch->run.options.machine.cpus;
	return r < 0 ? error_prefix(err, "%s: ", test->name) : 0;
}

static int add_tests(struct reader *reader, struct error *err)
{
	int r = 0;

	json_object_object_foreach(reader->sections[SECTION_KERNEL], kernel, kernel_options)
	{
		(void)kernel_options;
		json_object_object_foreach(reader->sections[SECTION_MACHINE], machine,
					   machine_options)
		{
			(void)machine_options;
			json_object_object_foreach(reader->sections[SECTION_COMMAND], command,
						   command_options)
			{
				const char *names[SECTIONS] = {kernel, machine, command};

				(void)command_options;
				r = add_test(reader, names, err);
				if (r < 0)
					return r;
			}
		}
	}
	if (!reader->plan->count)
		return error_set(err, EINVAL, "exclude: it leaves no test");
	return 0;
}

int matrix_plan_read(const char *path, const char *text, size_t size, const char *output,
		     struct matrix_plan *plan, struct error *err)
{
	_cleanup_free_ struct test *scratch = malloc(sizeof(*scratch));
	struct reader reader = {
		.output = output, .scratch = scratch, .room = MATRIX_WORDS_SIZE, .plan = plan};
	struct json_object *root = NULL;
	int r = options_parse_json(path, text, size, &root, err);

	*plan = (struct matrix_plan){0};
	if (r < 0)
		return r;
	plan->tests = calloc(MATRIX_TESTS_MAX, sizeof(*plan->tests));
	if (!plan->tests || !scratch)
		r = error_set_errno(err, ENOMEM, "the matrix");
	if (r == 0)
		r = check(&reader, root, err);
	if (r == 0)
		r = add_tests(&reader, err);
	json_object_put(root);
	if (r < 0) {
		matrix_plan_finish(plan);
		return error_prefix(err, "%s: ", path);
	}
	return 0;
}

void matrix_plan_finish(struct matrix_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		free(plan->tests[i].name);
		words_free(plan->tests[i].words);
	}
	free(plan->tests);
	*plan = (struct matrix_plan){0};
}
