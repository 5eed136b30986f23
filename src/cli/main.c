/* SPDX-License-Identifier: Apache-2.0 */
/* armlet COMMAND: finds the command and hands over. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "cli.h"
#include "look.h"

#define MAX_COMMANDS 64

const struct command commands[] = {
	{.name = "run", .main = run_main, .table = &run_table},
	{.name = "test", .main = test_main, .table = &test_table},
	{.name = "qemu", .main = qemu_main, .table = &qemu_table},
	{.name = "create", .main = create_main, .table = &create_table},
	{.name = "ls", .main = ls_main, .table = &ls_table},
	{.name = "start", .main = start_main, .table = &start_table},
	{.name = "restart", .main = restart_main, .table = &restart_table},
	{.name = "rm", .main = rm_main, .table = &rm_table},
	{.name = "ps", .main = ps_main, .table = &ps_table},
	{.name = "inspect", .main = inspect_main, .table = &inspect_table, .words = look_words},
	{.name = "top", .main = top_main, .table = &top_table},
	{.name = "stop", .main = stop_main, .table = &stop_table},
	{.name = "kill", .main = kill_main, .table = &kill_table},
	{.name = "pause", .main = pause_main, .table = &pause_table},
	{.name = "resume", .main = resume_main, .table = &resume_table},
	{.name = "wait", .main = wait_main, .table = &wait_table},
	{.name = "events", .main = events_main, .table = &events_table},
	{.name = "console", .main = console_main, .table = &console_table},
	{.name = "logs", .main = logs_main, .table = &logs_table},
	{.name = "dump", .main = dump_main, .table = &dump_table},
	{.name = "stats", .main = stats_main, .table = &stats_table},
	{.name = "gdb", .main = gdb_main, .table = &gdb_table},
	{.name = "ctl", .main = ctl_main, .table = &ctl_table},
	{.name = "cpu", .main = cpu_main, .table = &cpu_table, .words = cpu_verbs},
	{.name = "doctor", .main = doctor_main, .table = &doctor_table},
	{.name = "completion",
	 .main = completion_main,
	 .table = &completion_table,
	 .words = completion_shells},
	{.name = "schema", .main = schema_main, .table = &schema_table},
	{0},
};

int fail_with(const char *command, const struct error *err)
{
	fprintf(stderr, "armlet%s%s: %s\n", command ? " " : "", command ? command : "", err->text);
	return EXIT_ARMLET_FAILED;
}

int print_json(struct json_object *object)
{
	const struct error full = {.text = "standard output takes no more"};
	const char *text = json_object_to_json_string_ext(
		object,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
	bool printed = text && puts(text) >= 0 && fflush(stdout) == 0;

	json_object_put(object);
	return printed ? EXIT_SUCCESS : fail_with(NULL, &full);
}

bool parse_or_end(const struct option_table *table, int argc, char **argv, void *target,
		  int *ret_status)
{
	enum options_result result;
	struct error err = {0};

	if (options_parse(table, argc, argv, target, &result, &err) < 0) {
		*ret_status = fail_with(table->command, &err);
		return false;
	}
	if (result == OPTIONS_HELP) {
		options_help(table, stdout);
		*ret_status = EXIT_SUCCESS;
		return false;
	}
	return true;
}

static void usage(FILE *out)
{
	fputs("Usage: armlet COMMAND [OPTIONS]\n\n"
	      "A virtual machine monitor for Linux KVM on ARMv8.\n\n"
	      "Commands:\n",
	      out);
	for (const struct command *c = commands; c->name; c++)
		fprintf(out, "  %-12s%s\n", c->name, c->table->summary);
	fputs("\n`armlet COMMAND --help` tells a command's options; the manual is armlet(1).\n",
	      out);
}

static int unknown_command(const char *word)
{
	const char *names[MAX_COMMANDS] = {0};
	struct error err = {0};
	const char *near;
	size_t count = 0;

	for (const struct command *c = commands; c->name && count < MAX_COMMANDS; c++)
		names[count++] = c->name;
	near = nearest_name(word, names, count);
	if (near)
		error_set(&err, EINVAL, "there is no command '%s'; did you mean '%s'?", word, near);
	else
		error_set(&err, EINVAL, "there is no command '%s'; `armlet --help` lists them",
			  word);
	return fail_with(NULL, &err);
}

/*
 * Whoever closed a standard descriptor wants nothing from it. Left free, its
 * number would go to the next file that we open, and be read or printed to.
 */
static void fill_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	close_fd(fd);
}

int main(int argc, char **argv)
{
	fill_standard_descriptors();
	if (argc > 0 && qemu_is_meant(argv[0]))
		return qemu_main(argc, argv);
	if (argc < 2) {
		usage(stderr);
		return EXIT_ARMLET_FAILED;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return EXIT_SUCCESS;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "version")) {
		puts("armlet " ARMLET_VERSION);
		return EXIT_SUCCESS;
	}
	for (const struct command *c = commands; c->name; c++) {
		if (!strcmp(c->name, argv[1]))
			return c->main(argc - 1, argv + 1);
	}
	return unknown_command(argv[1]);
}
