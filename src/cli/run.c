/* SPDX-License-Identifier: Apache-2.0 */
/* armlet run: boot a machine in the foreground, its console on stdin and stdout. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cpu_models.h"
#include "detach.h"
#include "options_json.h"
#include "run.h"
#include "test.h"

static void on_quit(void *data)
{
	run_stop(data, EXIT_SUCCESS, "host-qmp-quit");
}

static void on_powerdown(void *data)
{
	run_power_down(data, "host-qmp-quit");
}

static int on_plug(void *data, const char *name, bool net, struct json_object *properties,
		   struct error *err)
{
	return run_plug(data, name, net, properties, err);
}

static int on_debug(void *data, const char *where, const char **ret_target, struct error *err)
{
	return run_start_gdb(data, where, ret_target, err);
}

static struct json_object *describe(void *data)
{
	const struct run *run = data;

	return options_to_json(run_table.options, &run->options);
}

static int open_api(struct run *run, struct error *err)
{
	const char *given = run->options.api;
	const struct qmp_options options = {
		.path = given ? given : run->place.api,
		.loop = run->loop,
		.machine = run->machine,
		.config = &run->options.machine,
		.console = run->hub ? run->place.console : NULL,
		.quit = on_quit,
		.powerdown = on_powerdown,
		.plug = on_plug,
		.debug = on_debug,
		.describe = describe,
		.data = run,
	};
	int r = options.path ? qmp_server_create(&options, &run->qmp, err) : 0;

	if (r == 0 && given && run->place.api)
		r = place_point(&run->place, given, err);
	return r;
}

/* As of backend/stream.h, where a comma in a path is written twice. */
static int name_log(const char *folder, char **ret, struct error *err)
{
	_cleanup_free_ char *path = calloc(2, strlen(folder) + 1);
	char *to = path;

	for (const char *from = folder; path && *from; from++) {
		*to++ = *from;
		if (*from == ',')
			*to++ = ',';
	}
	if (path && asprintf(ret, "file:%s/console.log,max-size=10M,keep=1", path) >= 0)
		return 0;
	*ret = NULL;
	return error_set_errno(err, ENOMEM, "%s", folder);
}

/* The console is for the log, and for who attaches. */
static int open_hub(struct run *run, struct error *err)
{
	_cleanup_free_ char *log = NULL;
	struct console_hub_options options = {.loop = run->loop, .socket = run->place.console};
	int r = place_state(run->options.name, true, &run->state, err);

	if (r == 0)
		r = name_log(run->state, &log, err);
	options.log = log;
	if (r == 0)
		place_keep_status(run->state, -1);
	if (r == 0)
		r = console_hub_create(&options, &run->hub, err);
	if (r < 0)
		return error_prefix(err, run->options.detach ? "--detach: " : "--attachable: ");
	return console_create(run->loop, console_hub_in(run->hub), console_hub_out(run->hub),
			      &run->console, err);
}

static void on_ready_text(void *data)
{
	run_tell_ready(data);
}

static int open_console(struct run *run, struct error *err)
{
	struct console_watch_options options = {.loop = run->loop, .data = run};
	int r;

	if (run->test)
		return test_open(run->test, err);
	if (run->options.detach || run->options.attachable)
		r = open_hub(run, err);
	else
		r = console_create(run->loop, STDIN_FILENO, STDOUT_FILENO, &run->console, err);
	if (r < 0 || run->ready_when != RUN_READY_TEXT)
		return r;
	options.below = console_port(run->console);
	options.text = run->ready_text;
	options.seen = on_ready_text;
	return console_watch_create(&options, &run->watch, err);
}

static int take_name(struct run *run, struct error *err)
{
	int r = place_take(run->options.name, &run->place, err);

	return r < 0 ? error_prefix(err, "--name: ") : 0;
}

static int open_gdb(struct run *run, struct error *err)
{
	const char *target;
	int r = run_start_gdb(run, run->options.gdb.where, &target, err);

	return r < 0 ? error_prefix(err, "--gdb: ") : 0;
}

static int set_up(struct run *run, struct error *err)
{
	int r = run_read_ready(run, err);

	if (r == 0)
		r = run_read_restart(run, err);
	if (r == 0 && run->options.name)
		r = take_name(run, err);
	if (r == 0)
		r = event_loop_create(&run->loop, err);
	if (r == 0)
		r = run_open_notify(run, err);
	if (r == 0)
		r = open_console(run, err);
	/* Until here signals do what they always do: a kernel may come from a pipe that hangs. */
	if (r == 0)
		r = run_create_machine(run, err);
	if (r == 0)
		r = run_watch_signals(run, err);
	if (r == 0)
		run_pass_size(run);
	if (r == 0)
		r = open_api(run, err);
	if (r == 0 && run->options.gdb_count)
		r = open_gdb(run, err);
	if (r == 0)
		r = run_arm_timeout(run, err);
	if (r == 0 && (!run->test || run->test->terminal))
		r = terminal_init(&run->terminal, STDIN_FILENO, err);
	if (r == 0 && run->test)
		r = test_start(run->test, err);
	if (r == 0)
		r = run_start_console(run, err);
	/* A helper is cheaply started as long as the memory is empty. */
	if (r == 0 && run->options.name)
		run->machined =
			machined_register(run->loop, run->options.name, run->notify.fd >= 0);
	return r;
}

static void tear_down(struct run *run)
{
	qmp_server_destroy(run->qmp);
	gdb_server_destroy(run->gdb);
	machine_destroy(run->machine);
	if (run->test)
		test_leave(run->test);
	run_forget_device(run, NULL);
	machined_forget(run->machined);
	console_watch_destroy(run->watch);
	console_destroy(run->console);
	console_hub_destroy(run->hub);
	event_source_remove(&run->timeout);
	event_source_remove(&run->signals);
	event_source_remove(&run->watchdog);
	notify_close(&run->notify);
	event_loop_destroy(run->loop);
	terminal_finish(&run->terminal);
	place_leave(&run->place);
	free(run->state);
	run_options_finish(&run->options);
}

static int load_cpu_model(struct run *run, struct error *err)
{
	struct machine_config *machine = &run->options.machine;
	int r = 0;

	if (machine->cpu_model && strcmp(machine->cpu_model, CPU_MODEL_HOST) != 0) {
		r = cpu_model_load(machine->cpu_model, &run->cpu, err);
		machine->cpu = &run->cpu;
	}
	return r < 0 ? error_prefix(err, "--cpu-model ") : 0;
}

/* What options of `armlet run` alone contradict, and files that are only read. */
int run_check_options(struct run *run, struct error *err)
{
	const struct run_options *options = &run->options;

	if (options->directory && chdir(options->directory) < 0)
		return error_set_errno(err, errno, "--directory %s", options->directory);
	if ((options->detach || options->attachable) && !options->name)
		return error_set(err, EINVAL, "%s: the machine needs a --name to be found by",
				 options->detach ? "--detach" : "--attachable");
	return load_cpu_model(run, err);
}

int run_whole(struct run *run, const char *command)
{
	struct qmp_end end = {.reason = "host-error"};
	struct error err = {0};
	int r = set_up(run, &err);

	if (r == 0)
		r = run_live(run, &end, &err);
	if (r < 0)
		end.status = EXIT_ARMLET_FAILED;
	if (run->test)
		end.status = test_judge(run->test, &end, r, &err);
	qmp_server_shutdown(run->qmp, &end);
	gdb_server_machine(run->gdb, NULL, end.status);
	notify_send(&run->notify, "STOPPING=1\nSTATUS=ended with status %d (%s)", end.status,
		    end.reason);
	/* In the background: before anybody can see that it has ended. */
	if (run->state)
		place_keep_status(run->state, end.status);
	tear_down(run);
	return r < 0 ? fail_with(command, &err) : end.status;
}

void run_init(struct run *run)
{
	*run = (struct run){.terminal.fd = -1,
			    .place.lock = -EBADF,
			    .ready_fd = -EBADF,
			    .notify = NOTIFY_NONE,
			    .stop_reason = "host-error"};
	run_options_init(&run->options);
}

int run_words(int argc, char **argv, bool signals_end)
{
	struct run run;
	struct error err = {0};
	int status;

	run_init(&run);
	run.signals_end = signals_end;
	if (!parse_or_end(&run_table, argc, argv, &run.options, &status))
		return status;
	log_set_level((enum log_level)run.options.log_level);
	if (run_options_settle(&run.options, &err) < 0)
		return fail_with("run", &err);
	if (run.options.dry_run)
		return print_json(options_to_json(run_table.options, &run.options));
	if (run_check_options(&run, &err) < 0)
		return fail_with("run", &err);
	if (run.options.detach && !detach(&run.ready_fd, &status)) {
		if (status == EXIT_SUCCESS)
			puts(run.options.name);
		return status;
	}
	return run_whole(&run, "run");
}

int run_main(int argc, char **argv)
{
	return run_words(argc, argv, false);
}
