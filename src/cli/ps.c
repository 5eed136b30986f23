/* SPDX-License-Identifier: Apache-2.0 */
/* armlet ps and armlet inspect: which machines run, and what they are. */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "look.h"
#include "place.h"
#include "verbs.h"

const struct option_table ps_table = {
	.command = "ps",
	.usage = "[OPTIONS]",
	.summary = "list the machines with names that run",
	.options = verb_list_rows,
};

static const struct option_def inspect_options[] = {
	VERB_WORDS_ROW,
	{.name = "cpu",
	 .argument = "N",
	 .type = OPTION_U32,
	 .offset = offsetof(struct verb_options, cpu),
	 .max = MACHINE_MAX_VCPUS - 1,
	 .help = "the vCPU that translate and regs are of, from 0 (0)"},
	{.name = "json",
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct verb_options, json),
	 .help = "as JSON, also what is printed for people otherwise"},
	{0},
};

const struct option_table inspect_table = {
	.command = "inspect",
	.usage = "NAME... | [OPTIONS] NAME WHAT [ADDRESS]",
	.summary = "print a running machine as JSON, or look into it",
	.epilogue = "WHAT is one of\n"
		    "  translate    where the virtual ADDRESS leads to, descriptor by descriptor\n"
		    "  regs         all registers of a vCPU\n"
		    "  timers       of all vCPUs\n"
		    "  gic          the interrupts\n"
		    "  devices      with all of their state\n"
		    "  memory       what is at which physical address; map draws it",
	.options = inspect_options,
	.positional = "words",
	.names = OPTION_NAMES_RUNNING,
};

int verb_inspect(const char *name, struct json_object **ret, struct error *err)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = NULL;
	struct json_object *answer = NULL;
	int r = verb_connect(name, &link, err);

	if (r == 0)
		r = qmp_link_execute(link, "inspect", NULL, &answer, err);
	if (r < 0)
		return error_prefix(err, "%s: ", name);
	*ret = json_object_new_object();
	json_object_object_add(*ret, "name", json_object_new_string(name));
	json_object_object_foreach(answer, key, value)
	{
		json_object_object_add(*ret, key, json_object_get(value));
	}
	json_object_put(answer);
	return 0;
}

/* A machine that ends while we ask is no longer one. */
static void add_machine(void *data, const char *name)
{
	struct json_object *machines = data;
	struct json_object *machine = NULL;
	struct error err = {0};
	int r = verb_inspect(name, &machine, &err);

	if (r == 0)
		json_object_array_add(machines, machine);
	else if (r != -ENOENT && r != -ENOTCONN)
		fail_with("ps", &err);
}

const char *verb_text(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value)
							       : "-";
}

const char *verb_status(struct json_object *machine)
{
	const char *status = verb_text(machine, "status");

	return strcmp(status, "shutdown") ? status : "restarting";
}

/* "5 min": people count in one unit. */
static const char *age(struct json_object *machine, char text[static 32])
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	int64_t seconds = strtoll(verb_text(machine, "uptime"), NULL, 10);
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(units) && seconds < units[i].seconds)
		i++;
	snprintf(text, 32, "%" PRId64 " %s", seconds / units[i].seconds, units[i].name);
	return text;
}

static void print_machine(struct json_object *machine)
{
	struct json_object *config = NULL;
	char up[32];

	json_object_object_get_ex(machine, "config", &config);
	printf("%-20s %8s  %-10s %8s %8s %5s %8s  %s\n", verb_text(machine, "name"),
	       verb_text(machine, "pid"), verb_status(machine), age(machine, up),
	       verb_text(machine, "restarts"), verb_text(config, "cpus"), verb_text(config, "mem"),
	       verb_text(config, "kernel"));
}

int ps_main(int argc, char **argv)
{
	static const struct verb_list list = {
		.each = place_each,
		.add = add_machine,
		.print = print_machine,
		.heading = "NAME                      PID  STATUS           UP RESTARTS  CPUS   "
			   "MEMORY  "
			   "KERNEL",
	};

	return verb_list_main(&ps_table, argc, argv, &list);
}

static int look_main(const struct verb_options *options)
{
	const struct look_options wanted = {
		.name = options->words[0],
		.what = options->words[1],
		.address = options->word_count > 2 ? options->words[2] : NULL,
		.cpu = options->cpu,
		.json = options->json,
	};
	struct error err = {0};

	if (options->word_count > 3)
		error_set(&err, EINVAL, "'%.60s' is too much: armlet inspect NAME WHAT [ADDRESS]",
			  options->words[3]);
	else if (look(&wanted, &err) == 0)
		return EXIT_SUCCESS;
	return fail_with("inspect", &err);
}

/* A second word may be meant as a machine, or as what is to be shown of the first. */
static void explain_word(const char *word, struct error *err)
{
	size_t count = 0;
	const char *near;

	while (look_words[count])
		count++;
	near = nearest_name(word, look_words, count);
	if (near)
		error_set(
			err, EINVAL,
			"no machine '%.60s' runs, and inspect shows nothing of that name; did you "
			"mean '%s'?",
			word, near);
	else
		error_set(
			err, EINVAL,
			"no machine '%.60s' runs, and inspect shows nothing of that name; it shows "
			"translate, regs, timers, gic, devices, memory and map",
			word);
}

int inspect_main(int argc, char **argv)
{
	struct verb_options options = {0};
	struct json_object *machines;
	struct error err = {0};
	int status;

	if (!parse_or_end(&inspect_table, argc, argv, &options, &status))
		return status;
	if (!options.word_count) {
		error_set(&err, EINVAL,
			  "name a machine: armlet inspect NAME; `armlet ps` lists them");
		return fail_with("inspect", &err);
	}
	if (options.word_count > 1 && look_knows(options.words[1]))
		return look_main(&options);
	machines = json_object_new_array();
	for (size_t i = 0; i < options.word_count; i++) {
		struct json_object *machine = NULL;
		int r = verb_inspect(options.words[i], &machine, &err);

		if (r < 0) {
			json_object_put(machines);
			if (r == -ENOENT && i == 1)
				explain_word(options.words[i], &err);
			return fail_with("inspect", &err);
		}
		json_object_array_add(machines, machine);
	}
	return print_json(machines);
}
