/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine as JSON: what is read, written and refused, and that it is the same as on
 * the command line. The documents are in configurations.json, for schema.py as well.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "options_json.h"
#include "unit.h"

#define MAX_WORDS 16
#define PATH_SIZE 4096

static struct error err;

/* A file of the project; the environment has where that is. */
static struct json_object *source_file(const char *name)
{
	const char *top = getenv("SOURCE_ROOT");
	char path[PATH_SIZE];
	struct json_object *object;

	ck_assert_ptr_nonnull(top);
	snprintf(path, sizeof(path), "%s/%s", top, name);
	object = json_object_from_file(path);
	ck_assert_msg(object, "%s", json_util_get_last_err());
	return object;
}

static int read_document(struct json_object *document, struct run_options *run)
{
	run_options_init(run);
	err = (struct error){0};
	json_object_object_del(document, "$schema");
	return options_from_json(run_table.options, document, run, &err);
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

START_TEST(test_good)
{
	struct json_object *all = source_file("tests/unit/configurations.json");
	struct json_object *good = member(all, "good");
	static struct run_options run, again;

	ck_assert_uint_gt(json_object_array_length(good), 15);
	for (size_t i = 0; i < json_object_array_length(good); i++) {
		struct json_object *document = json_object_array_get_idx(good, i);
		const char *text = json_object_to_json_string(document);
		struct json_object *printed, *printed_again;

		ck_assert_msg(read_document(document, &run) == 0, "%s: %s", text, err.text);
		printed = options_to_json(run_table.options, &run);
		ck_assert_msg(read_document(printed, &again) == 0, "%s: %s", text, err.text);
		printed_again = options_to_json(run_table.options, &again);
		ck_assert_msg(json_object_equal(printed, printed_again), "%s", text);
		json_object_put(printed);
		json_object_put(printed_again);
	}
	json_object_put(all);
}
END_TEST

START_TEST(test_bad)
{
	struct json_object *all = source_file("tests/unit/configurations.json");
	struct json_object *bad = member(all, "bad");
	static struct run_options run;

	ck_assert_uint_gt(json_object_array_length(bad), 40);
	for (size_t i = 0; i < json_object_array_length(bad); i++) {
		struct json_object *row = json_object_array_get_idx(bad, i);

		ck_assert_int_eq(read_document(member(row, "is"), &run), -EINVAL);
		ck_assert_str_eq(err.text, json_object_get_string(member(row, "says")));
	}
	json_object_put(all);
}
END_TEST

static const struct {
	const char *line; /* words of a command line, separated by '|' */
	const char *document;
} same_rows[] = {
	{"Image", "{\"kernel\": \"Image\"}"},
	{"-k|Image|-c|2|-m|1G|--append=x y",
	 "{\"kernel\": \"Image\", \"cpus\": 2, \"mem\": \"1G\", \"append\": \"x y\"}"},
	{"-m|17", "{\"mem\": 17825792}"},
	{"--mem=20000K", "{\"mem\": \"20000K\"}"},
	{"--pmu|--sve=off|--hugepages|--irqchip=gicv2",
	 "{\"pmu\": \"on\", \"sve\": \"off\", \"hugepages\": true, \"irqchip\": \"gicv2\"}"},
	{"--pin=1,4-6", "{\"pin\": [1, 4, 5, 6]}"},
	{"-d|a,,b,ro,queues=2|-d|c,block-size=4096",
	 "{\"disks\": [{\"file\": \"a,b\", \"ro\": true, \"queues\": 2},"
	 " {\"file\": \"c\", \"block-size\": 4096}]}"},
	{"-n|tap=t0,vhost=off|-n|user",
	 "{\"nets\": [{\"tap\": \"t0\", \"vhost\": \"off\"}, {\"mode\": \"user\"}]}"},
	{"-n|bridge=br0,tap=t0|-n|bridge=br1",
	 "{\"nets\": [{\"mode\": \"tap\", \"tap\": \"t0\", \"bridge\": \"br0\"},"
	 " {\"bridge\": \"br1\"}]}"},
	{"-n|tap=t0", "{\"nets\": [{\"mode\": \"tap\", \"tap\": \"t0\"}]}"},
	{"-v|/:root|-v|/tmp:t:ro", "{\"volumes\": [\"/:root\", \"/tmp:t:ro\"]}"},
	{"--balloon", "{\"balloon\": {}}"},
	{"--balloon=8M", "{\"balloon\": {\"size\": 8388608}}"},
	{"--timeout|7|--api=s|--loglevel=info",
	 "{\"timeout\": 7, \"api\": \"s\", \"loglevel\": \"info\"}"},
};

/* Parses @line, with @path in place of "FILE". */
static int parse_line(const char *line, const char *path, struct run_options *run)
{
	static char text[512], name[] = "run";
	char *argv[MAX_WORDS] = {name}, *rest = text;
	enum options_result result;
	int argc = 1;

	snprintf(text, sizeof(text), "%s", line);
	while (rest && argc + 1 < MAX_WORDS) {
		argv[argc] = strsep(&rest, "|");
		if (!strcmp(argv[argc], "FILE"))
			argv[argc] = (char *)path;
		argc++;
	}
	run_options_init(run);
	err = (struct error){0};
	return options_parse(&run_table, argc, argv, run, &result, &err);
}

START_TEST(test_same)
{
	struct json_object *document = json_tokener_parse(same_rows[_i].document);
	struct json_object *from_words, *from_json;
	static struct run_options words, json;

	ck_assert_int_eq(parse_line(same_rows[_i].line, NULL, &words), 0);
	ck_assert_msg(read_document(document, &json) == 0, "%s", err.text);
	from_words = options_to_json(run_table.options, &words);
	from_json = options_to_json(run_table.options, &json);
	ck_assert_str_eq(json_object_to_json_string(from_words),
			 json_object_to_json_string(from_json));
	json_object_put(from_words);
	json_object_put(from_json);
	json_object_put(document);
}
END_TEST

/* Files. */

struct scratch {
	char path[32];
};

static struct scratch scratch_file(const char *text, size_t size)
{
	struct scratch file = {.path = "/tmp/armlet-config-XXXXXX"};
	int fd = mkstemp(file.path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
	close(fd);
	return file;
}

static const struct {
	const char *text;
	const char *says; /* behind the file's name and ": " */
} refused_files[] = {
	{"", "this is no JSON: unexpected end of data in line 1, column 1"},
	{"{\"cpus\": 2,\n \"mem\": }", "this is no JSON: unexpected character in line 2, column 9"},
	{"{\"cpus\": 2", "this is no JSON: unexpected end of data in line 1, column 11"},
	{"{\"cpus\": 2} {}", "this is no JSON: unexpected character in line 1, column 13"},
	{"[[[[[[[[[[]]]]]]]]]]", "this is no JSON: nesting too deep in line 1, column 9"},
	{"{\"append\": \"\xff\"}", "this is no JSON: invalid utf-8 string in line 1, column 13"},
	{"[]", "this is no machine: a JSON object is wanted, {...}"},
	{"2", "this is no machine: a JSON object is wanted, {...}"},
	{"null", "this is no machine: a JSON object is wanted, {...}"},
	{"{\"cpus\": 0}", "cpus: 0 is not a number from 1 to 512"},
	{"{\"disks\": [{\"block-size\": 1}]}",
	 "disks[0].block-size: 1 is not a power of two from 512 to 65536"},
};

START_TEST(test_refused_file)
{
	const char *text = refused_files[_i].text;
	struct scratch file = scratch_file(text, strlen(text));
	static struct run_options run;
	char says[256];

	snprintf(says, sizeof(says), "--config %s: %s", file.path, refused_files[_i].says);
	ck_assert_int_eq(parse_line("--config|FILE", file.path, &run), -EINVAL);
	ck_assert_str_eq(err.text, says);
	ck_assert_ptr_null(run.config);
	unlink(file.path);
}
END_TEST

START_TEST(test_no_file)
{
	static struct run_options run;
	struct scratch large;
	size_t size = OPTIONS_JSON_MAX + 1;
	char *blanks = malloc(size);

	ck_assert_int_eq(parse_line("--config|/none/such", NULL, &run), -ENOENT);
	ck_assert_str_eq(err.text, "--config /none/such: No such file or directory");
	ck_assert_int_eq(parse_line("--config|/tmp", NULL, &run), -EISDIR);
	ck_assert_str_eq(err.text, "--config /tmp: Is a directory");
	ck_assert_ptr_nonnull(blanks);
	memset(blanks, ' ', size);
	large = scratch_file(blanks, size);
	ck_assert_int_eq(parse_line("--config|FILE", large.path, &run), -EFBIG);
	ck_assert_ptr_nonnull(strstr(err.text, ": this is too large for a configuration"));
	unlink(large.path);
	free(blanks);
}
END_TEST

/* The file's options stand where the option does. */
START_TEST(test_order)
{
	static const char text[] = "{\"$schema\": \"x\", \"kernel\": \"Image\", \"cpus\": 2,"
				   " \"disks\": [{\"file\": \"a\"}], \"pin\": [5]}";
	struct scratch file = scratch_file(text, sizeof(text) - 1);
	static struct run_options run;

	ck_assert_int_eq(parse_line("--config|FILE", file.path, &run), 0);
	ck_assert_str_eq(run.machine.kernel, "Image");
	ck_assert_uint_eq(run.machine.cpus, 2);
	ck_assert_uint_eq(run.machine.mem, 512 * MIB);
	run_options_finish(&run);
	ck_assert_int_eq(
		parse_line("-c|4|--pin=1,2|-d|z|--config|FILE|-m|1G|-d|b|Other", file.path, &run),
		0);
	ck_assert_str_eq(run.machine.kernel, "Other");
	ck_assert_uint_eq(run.machine.cpus, 2);
	ck_assert_uint_eq(run.machine.mem, GIB);
	ck_assert_uint_eq(run.machine.pin_count, 1);
	ck_assert_uint_eq(run.machine.disk_count, 3);
	ck_assert_str_eq(run.machine.disks[1].file, "a");
	ck_assert_str_eq(run.machine.disks[2].file, "b");
	run_options_finish(&run);
	ck_assert_int_eq(parse_line("--config|FILE|One|Two", file.path, &run), -EINVAL);
	ck_assert_str_eq(err.text, "'Two': there is a kernel already, 'One'; quote words that "
				   "belong together");
	run_options_finish(&run);
	ck_assert_int_eq(parse_line("--config|FILE|--config|FILE", file.path, &run), -EINVAL);
	ck_assert_str_eq(err.text, "--config: given more than once");
	run_options_finish(&run);
	unlink(file.path);
}
END_TEST

/* What is published is what the tables say; if this fails, `armlet schema` prints the new one. */
START_TEST(test_schema)
{
	struct json_object *published = source_file("share/machine.schema.json");
	static struct run_options initial;
	struct json_object *schema;

	run_options_init(&initial);
	schema = options_schema(&run_table, &initial);
	if (!json_object_equal(schema, published))
		json_object_to_file_ext("machine.schema.json", schema,
					JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						JSON_C_TO_STRING_NOSLASHESCAPE);
	ck_assert_msg(json_object_equal(schema, published), "copy %s/machine.schema.json to share/",
		      get_current_dir_name());
	json_object_put(schema);
	json_object_put(published);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_good),
	UNIT_CASE(test_bad),
	UNIT_LOOP(test_same, ARRAY_SIZE(same_rows)),
	UNIT_LOOP(test_refused_file, ARRAY_SIZE(refused_files)),
	UNIT_CASE(test_no_file),
	UNIT_CASE(test_order),
	UNIT_CASE(test_schema),
	{0},
};
const char unit_name[] = "config";
