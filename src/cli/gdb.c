/* SPDX-License-Identifier: Apache-2.0 */
/* armlet gdb: gdb, with a machine that runs. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verbs.h"

#define WORDS_MAX 64

struct gdb_options {
	const char *words[WORDS_MAX];
	size_t word_count;
	const char *program;
	bool print;
};

static const struct option_def options[] = {
	{.name = "words",
	 .argument = "WORD",
	 .type = OPTION_STRINGS,
	 .offset = offsetof(struct gdb_options, words),
	 .count_offset = offsetof(struct gdb_options, word_count),
	 .max = WORDS_MAX},
	{.name = "program",
	 .argument = "PROGRAM",
	 .type = OPTION_FILE,
	 .offset = offsetof(struct gdb_options, program),
	 .help = "this gdb (gdb-multiarch, or gdb if there is none)"},
	{.name = "print",
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct gdb_options, print),
	 .help = "print what gdb's target remote takes, and start nothing"},
	{0},
};

const struct option_table gdb_table = {
	.command = "gdb",
	.usage = "[OPTIONS] NAME [-- WORD...]",
	.summary = "debug a machine's guest with gdb",
	.options = options,
	.positional = "words",
	.names = OPTION_NAMES_RUNNING,
	.epilogue =
		"WORDs are gdb's own, as the file vmlinux of the guest's kernel. The machine is\n"
		"paused whenever gdb has its prompt, and goes on when gdb is quit.",
};

/* Have the machine listen, if it does not yet. @ret is malloc()ed. */
static int ask_target(const char *name, char **ret, struct error *err)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = NULL;
	struct json_object *answer = NULL, *target = NULL;
	int r = verb_connect(name, &link, err);

	if (r == 0)
		r = qmp_link_execute(link, "gdbserver", NULL, &answer, err);
	if (r < 0)
		return r;
	if (json_object_object_get_ex(answer, "target", &target))
		*ret = strdup(json_object_get_string(target));
	json_object_put(answer);
	return *ret ? 0 : error_set(err, EPROTO, "'%s' does not say where gdb finds it", name);
}

static int start(const struct gdb_options *asked, const char *target, struct error *err)
{
	const char *words[WORDS_MAX + 8] = {NULL, "-q", "-ex"};
	_cleanup_free_ char *connect = NULL;
	size_t count = 3;

	if (asprintf(&connect, "target remote %s", target) < 0) {
		connect = NULL;
		return error_set_errno(err, ENOMEM, "%s", target);
	}
	words[count++] = connect;
	for (size_t i = 1; i < asked->word_count; i++)
		words[count++] = asked->words[i];
	words[0] = asked->program ? asked->program : "gdb-multiarch";
	execvp(words[0], (char *const *)words);
	if (!asked->program) {
		words[0] = "gdb";
		execvp(words[0], (char *const *)words);
	}
	return error_set(err, errno, "%s cannot be started: %s; %s", words[0], strerror(errno),
			 "install Debian's package gdb-multiarch, or name another with --program");
}

int gdb_main(int argc, char **argv)
{
	struct gdb_options asked = {0};
	_cleanup_free_ char *target = NULL;
	struct error err = {0};
	int status;

	if (!parse_or_end(&gdb_table, argc, argv, &asked, &status))
		return status;
	if (!asked.word_count) {
		error_set(&err, EINVAL, "name a machine: armlet gdb NAME");
		return fail_with("gdb", &err);
	}
	if (ask_target(asked.words[0], &target, &err) < 0)
		return fail_with("gdb", &err);
	if (asked.print) {
		puts(target);
		return EXIT_SUCCESS;
	}
	start(&asked, target, &err);
	return fail_with("gdb", &err);
}
