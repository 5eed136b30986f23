/* SPDX-License-Identifier: Apache-2.0 */
/*
 * armlet create, ls, start, restart, rm: machines that are kept under their names, each
 * in a file of JSON as --config takes it.
 */
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "options_json.h"
#include "place.h"
#include "verbs.h"

/* Create. */

const struct option_table create_table = {
	.command = "create",
	.usage = "NAME [OPTIONS] [KERNEL]",
	.summary = "keep a machine under a name; the options are those of armlet run",
	.options = run_rows,
	.positional = "kernel",
};

/* A whole file, or none, and never in place of another. */
static int write_definition(const char *name, const char *path, const char *text, struct error *err)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_close_ int fd = -EBADF;
	int r = 0;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return error_set_errno(err, ENOMEM, "%s", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "%s", path);
	if (dprintf(fd, "%s\n", text) < 0 || fsync(fd) < 0 || link(temporary, path) < 0)
		r = -errno;
	if (r == -EEXIST)
		error_set(err, EEXIST,
			  "a machine '%s' is kept already, in %s; `armlet rm %s` removes it", name,
			  path, name);
	else if (r < 0)
		error_set_errno(err, -r, "%s", path);
	unlink(temporary);
	return r;
}

static int keep(const char *name, struct run_options *run, struct error *err)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *here = NULL;
	struct json_object *object;
	int r = place_definition(name, true, &path, err);

	if (r < 0)
		return r;
	run->name = name;
	here = realpath(run->directory ? run->directory : ".", NULL);
	if (!here)
		return error_set_errno(err, errno, "--directory %s",
				       run->directory ? run->directory : ".");
	run->directory = here;
	object = options_to_json(run_rows, run);
	r = write_definition(name, path,
			     json_object_to_json_string_ext(
				     object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						     JSON_C_TO_STRING_NOSLASHESCAPE),
			     err);
	json_object_put(object);
	run->directory = NULL;
	return r;
}

int create_main(int argc, char **argv)
{
	const char *name = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
	struct run_options run;
	struct error err = {0};
	int status = EXIT_SUCCESS;
	int r;

	run_options_init(&run);
	if (!parse_or_end(&create_table, argc - !!name, argv + !!name, &run, &status))
		return status;
	if (!name)
		r = error_set(&err, EINVAL,
			      "name the machine: armlet create NAME [OPTIONS] [KERNEL]");
	else if (run.detach || run.dry_run)
		r = error_set(&err, EINVAL, "--detach and --dry-run are for armlet run");
	else
		r = run_options_settle(&run, &err);
	if (r == 0)
		r = keep(name, &run, &err);
	run_options_finish(&run);
	if (r < 0)
		return fail_with("create", &err);
	puts(name);
	return EXIT_SUCCESS;
}

/* Start. */

static int find_definition(const char *name, char **ret, struct error *err)
{
	_cleanup_free_ char *path = NULL;
	int r = place_definition(name, false, &path, err);

	if (r < 0)
		return r;
	if (access(path, F_OK) < 0)
		return error_set(
			err, errno == ENOENT ? ENOENT : errno,
			"no machine '%s' is kept; `armlet create` does that, and `armlet ls` "
			"lists them",
			name);
	*ret = steal_ptr(&path);
	return 0;
}

/* By `armlet run`, which says itself what is wrong. */
static int start_machine(const char *name, const struct verb_options *options, struct error *err)
{
	static char command[] = "armlet", run[] = "run", config[] = "--config",
		    detach[] = "--detach", name_is[] = "--name";
	_cleanup_free_ char *path = NULL;
	char *argv[] = {command, run, config, NULL, name_is, (char *)name, detach, NULL};
	int r = find_definition(name, &path, err);
	int status = 0;
	pid_t child;

	(void)options;
	if (r < 0)
		return r;
	argv[3] = path;
	fflush(stdout);
	r = posix_spawn(&child, "/proc/self/exe", NULL, NULL, argv, environ);
	if (r)
		return error_set_errno(err, r, "armlet run");
	if (waitpid(child, &status, 0) < 0 || status)
		return error_set(err, EIO, "%s was not started", name);
	return 0;
}

static int restart_machine(const char *name, const struct verb_options *options, struct error *err)
{
	_cleanup_free_ char *path = NULL;
	int r = find_definition(name, &path, err);

	if (r < 0)
		return r;
	r = verb_stop(name, options->time, err);
	return r < 0 && r != -ENOENT ? r : start_machine(name, options, err);
}

/* Remove. */

static int remove_machine(const char *name, const struct verb_options *options, struct error *err)
{
	_cleanup_free_ char *path = NULL;
	struct place place;
	bool is_kept;
	int r = place_definition(name, false, &path, err);

	if (r < 0)
		return r;
	r = place_find(name, &place, err);
	if (r == 0) {
		place_leave(&place);
		if (!options->force)
			return error_set(err, EBUSY,
					 "%s runs; `armlet stop %s` first, or end it with --force",
					 name, name);
		r = verb_kill(name, err);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	is_kept = unlink(path) == 0;
	if (!is_kept && errno != ENOENT)
		return error_set_errno(err, errno, "%s", path);
	r = place_forget(name, err);
	if (r == -ENOENT && !is_kept)
		return error_set(err, ENOENT, "no machine '%s' is kept; `armlet ls` lists them",
				 name);
	if (r < 0 && r != -ENOENT)
		return r;
	puts(name);
	return 0;
}

/* List. */

/* What a definition says, as far as it can be read. */
static struct json_object *describe(const char *name)
{
	_cleanup_free_ char *path = NULL;
	struct json_object *machine = json_object_new_object();
	struct json_object *running = NULL, *config;
	struct error ignored;
	char ended[32];
	int last;

	json_object_object_add(machine, "name", json_object_new_string(name));
	if (verb_inspect(name, &running, &ignored) == 0) {
		json_object_object_add(machine, "status",
				       json_object_new_string(verb_status(running)));
	} else if (place_last_status(name, &last) == 0) {
		snprintf(ended, sizeof(ended), "ended (%d)", last);
		json_object_object_add(machine, "status", json_object_new_string(ended));
	} else {
		json_object_object_add(machine, "status", json_object_new_string("created"));
	}
	json_object_put(running);
	if (place_definition(name, false, &path, NULL) == 0) {
		json_object_object_add(machine, "file", json_object_new_string(path));
		config = json_object_from_file(path);
		json_object_object_add(machine, "config", config);
	}
	return machine;
}

static void add_definition(void *data, const char *name)
{
	json_object_array_add(data, describe(name));
}

static void print_definition(struct json_object *machine)
{
	struct json_object *config = NULL;

	json_object_object_get_ex(machine, "config", &config);
	printf("%-20s %-12s %5s %8s  %s\n", verb_text(machine, "name"),
	       verb_text(machine, "status"), verb_text(config, "cpus"), verb_text(config, "mem"),
	       verb_text(config, "kernel"));
}

int ls_main(int argc, char **argv)
{
	static const struct verb_list list = {
		.each = place_each_definition,
		.add = add_definition,
		.print = print_definition,
		.heading = "NAME                 STATUS        CPUS   MEMORY  KERNEL",
	};

	return verb_list_main(&ls_table, argc, argv, &list);
}

/* Commands. */

static const struct option_def start_rows[] = {VERB_WORDS_ROW, {0}};

static const struct option_def rm_rows[] = {
	VERB_WORDS_ROW,
	{.name = "force",
	 .letter = 'f',
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct verb_options, force),
	 .help = "end a machine that runs"},
	{0},
};

const struct option_table ls_table = {
	.command = "ls",
	.usage = "[OPTIONS]",
	.summary = "list the machines that are kept",
	.options = verb_list_rows,
};

VERB_TABLE(start, start_rows, OPTION_NAMES_KEPT, "start a machine that is kept, in the background");
VERB_TABLE(restart, verb_stop_rows, OPTION_NAMES_KEPT,
	   "stop a machine that is kept if it runs, and start it");
VERB_TABLE(rm, rm_rows, OPTION_NAMES_KEPT, "forget a machine: its definition and its logs");

int start_main(int argc, char **argv)
{
	return verb_main(&start_table, argc, argv, start_machine);
}

int restart_main(int argc, char **argv)
{
	return verb_main(&restart_table, argc, argv, restart_machine);
}

int rm_main(int argc, char **argv)
{
	return verb_main(&rm_table, argc, argv, remove_machine);
}
