/* SPDX-License-Identifier: Apache-2.0 */
/* armlet dump: a machine's memory and registers into a file for gdb and crash. */
#include <inttypes.h>
#include <libgen.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "verbs.h"

struct dump_options {
	const char *words[2];
	size_t word_count;
	bool physical;
};

static const struct option_def options[] = {
	{.name = "words",
	 .argument = "WORD",
	 .type = OPTION_STRINGS,
	 .offset = offsetof(struct dump_options, words),
	 .count_offset = offsetof(struct dump_options, word_count),
	 .max = 2},
	{.name = "physical",
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct dump_options, physical),
	 .help = "without virtual addresses: also of a guest that is no Linux"},
	{0},
};

const struct option_table dump_table = {
	.command = "dump",
	.usage = "[OPTIONS] NAME FILE",
	.summary = "write a machine's memory and registers to a file for gdb and crash",
	.options = options,
	.positional = "words",
	.names = OPTION_NAMES_RUNNING,
	.epilogue = "The machine is paused meanwhile, and goes on afterwards. Ctrl-c ends the "
		    "dump, and\n"
		    "nothing of it stays.",
};

/* The machine's working directory is another than ours. */
static int make_absolute(const char *path, char **ret, struct error *err)
{
	_cleanup_free_ char *for_folder = strdup(path);
	_cleanup_free_ char *for_name = strdup(path);
	_cleanup_free_ char *folder = NULL;

	if (!for_folder || !for_name)
		return error_set_errno(err, ENOMEM, "%s", path);
	if (!*path || path[strlen(path) - 1] == '/')
		return error_set(err, EISDIR, "'%s' names no file", path);
	folder = realpath(dirname(for_folder), NULL);
	if (!folder)
		return error_set_errno(err, errno, "%s", path);
	if (asprintf(ret, "file:%s/%s", folder, basename(for_name)) >= 0)
		return 0;
	*ret = NULL;
	return error_set_errno(err, ENOMEM, "%s", path);
}

static int64_t number(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return json_object_get_int64(value);
}

static void show_progress(struct json_object *event)
{
	struct json_object *name, *data;
	char size[FORMAT_SIZE_MAX];
	int64_t total;

	if (!json_object_object_get_ex(event, "event", &name))
		return;
	if (!strcmp(json_object_get_string(name), "STOP"))
		fputs("\r  0 % ", stderr);
	if (strcmp(json_object_get_string(name), "DUMP_PROGRESS") != 0 ||
	    !json_object_object_get_ex(event, "data", &data))
		return;
	total = number(data, "total");
	fprintf(stderr, "\r%3d %% of %s ",
		total > 0 ? (int)(number(data, "completed") * 100 / total) : 0,
		format_size((uint64_t)total, size));
}

static int dump(const struct dump_options *asked, struct error *err)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = NULL;
	_cleanup_free_ char *protocol = NULL;
	bool shown = isatty(STDERR_FILENO);
	struct json_object *arguments;
	int r = make_absolute(asked->words[1], &protocol, err);

	if (r == 0)
		r = verb_connect(asked->words[0], &link, err);
	if (r < 0)
		return r;
	qmp_link_be_patient(link, shown ? show_progress : NULL);
	arguments = json_object_new_object();
	json_object_object_add(arguments, "paging", json_object_new_boolean(!asked->physical));
	json_object_object_add(arguments, "protocol", json_object_new_string(protocol));
	r = qmp_link_execute(link, "dump-guest-memory", arguments, NULL, err);
	if (shown)
		fputs("\r\033[K", stderr);
	return r;
}

int dump_main(int argc, char **argv)
{
	struct dump_options asked = {0};
	struct error err = {0};
	int status;

	if (!parse_or_end(&dump_table, argc, argv, &asked, &status))
		return status;
	if (asked.word_count < 2)
		error_set(&err, EINVAL, "name a machine and a file: armlet dump NAME FILE");
	else if (dump(&asked, &err) == 0)
		return EXIT_SUCCESS;
	return fail_with("dump", &err);
}
