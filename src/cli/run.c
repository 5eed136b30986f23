/* SPDX-License-Identifier: Apache-2.0 */
/* armlet run: boot a machine in the foreground, its console on stdin and stdout. */
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "base/log.h"
#include "cli.h"
#include "control/console.h"
#include "control/console_hub.h"
#include "control/qmp.h"
#include "detach.h"
#include "machine/machine.h"
#include "options_json.h"
#include "place.h"

struct run {
	struct run_options options;
	struct place place;      /* of the machine's name */
	char *state;             /* the folder of what stays of it */
	int ready_fd;            /* tells who has started us that the machine is up */
	struct console_hub *hub; /* NULL: the console is on standard input and output */
	struct event_loop *loop;
	struct terminal terminal;
	struct console *console;
	struct machine *machine;
	struct qmp_server *qmp; /* NULL: there is no control socket */
	struct event_source signals;
	struct event_source timeout;
	bool power_key_pressed;
	int stop_status;         /* the exit status after machine_stop() */
	const char *stop_reason; /* and why, as QMP's ShutdownCause */
};

static void stop(struct run *run, int status, const char *reason)
{
	run->stop_status = status;
	run->stop_reason = reason;
	console_abandon(run->console);
	machine_stop(run->machine);
}

static void press_power_key(struct run *run, int status_without)
{
	if (!machine_has_power_key(run->machine) || run->power_key_pressed) {
		stop(run, status_without, "host-signal");
		return;
	}
	run->power_key_pressed = true;
	log_info("the power key is pressed; a second signal ends the machine at once");
	machine_press_power_key(run->machine);
}

/* What is on the terminal is the guest's, so its size is, too. */
static void pass_size(struct run *run)
{
	uint16_t columns, rows;

	if (terminal_size(STDIN_FILENO, STDOUT_FILENO, &columns, &rows))
		machine_resize_console(run->machine, columns, rows);
}

static void on_signal(void *data, unsigned events)
{
	struct run *run = data;
	struct signalfd_siginfo info;

	(void)events;
	if (read(run->signals.fd, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGTERM:
	case SIGINT:
		press_power_key(run, EXIT_SIGNALLED + (int)info.ssi_signo);
		break;
	case SIGCONT:
		terminal_continue(&run->terminal);
		/* In the background we were not told. */
		pass_size(run);
		machine_resume(run->machine);
		break;
	case SIGWINCH:
		pass_size(run);
		break;
	case SIGUSR2:
		machine_refresh_disks(run->machine);
		break;
	default: /* SIGHUP, SIGQUIT: the terminal, or what started us, is gone */
		stop(run, EXIT_SIGNALLED + (int)info.ssi_signo, "host-signal");
		break;
	}
}

static int watch_signals(struct run *run, struct error *err)
{
	static const int watched[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCONT, SIGUSR2, SIGWINCH};
	sigset_t set;
	_cleanup_close_ int fd = -EBADF;
	int r;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
		sigaddset(&set, watched[i]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return error_set_errno(err, errno, "signals cannot be watched");
	run->signals.callback = on_signal;
	run->signals.data = run;
	r = event_loop_add(run->loop, &run->signals, fd, EVENT_READ);
	if (r < 0)
		return error_set_errno(err, -r, "signals cannot be watched");
	run->signals.owns_fd = true;
	steal_fd(&fd);
	return 0;
}

static void on_timeout(void *data, unsigned events)
{
	struct run *run = data;

	(void)events;
	log_error("timed out after %u s", run->options.timeout);
	stop(run, EXIT_TIMED_OUT, "host-signal");
}

static int arm_timeout(struct run *run, struct error *err)
{
	int r;

	if (!run->options.timeout)
		return 0;
	run->timeout.callback = on_timeout;
	run->timeout.data = run;
	r = event_loop_add_timer(run->loop, &run->timeout, CLOCK_MONOTONIC);
	if (r == 0)
		r = event_timer_set(&run->timeout, run->options.timeout * UINT64_C(1000000000), 0);
	return r < 0 ? error_set_errno(err, -r, "--timeout") : 0;
}

static void on_console_input(void *data)
{
	struct run *run = data;

	machine_input_ready(run->machine);
}

static void on_console_key(void *data, enum console_key key)
{
	struct run *run = data;

	switch (key) {
	case CONSOLE_KEY_EXIT:
		stop(run, EXIT_SUCCESS, "host-ui");
		break;
	case CONSOLE_KEY_POWER:
		machine_press_power_key(run->machine);
		break;
	case CONSOLE_KEY_BREAK:
		machine_send_break(run->machine);
		break;
	}
}

/* Whoever has started us goes on, once. */
static void tell_ready(struct run *run)
{
	_cleanup_free_ char *messages = NULL;
	struct error err = {0};

	if (run->ready_fd < 0)
		return;
	if (asprintf(&messages, "%s/messages.log", run->state) < 0) {
		messages = NULL;
		error_set_errno(&err, ENOMEM, "%s", run->state);
	} else {
		detach_ready(&run->ready_fd, messages, &err);
	}
	if (err.code) {
		log_error("%s", err.text);
		stop(run, EXIT_ARMLET_FAILED, "host-error");
	}
}

static void on_machine_event(void *data, enum machine_event event)
{
	struct run *run = data;

	if (event == MACHINE_EVENT_STARTED)
		tell_ready(run);
	qmp_server_event(run->qmp, event);
}

static void on_quit(void *data)
{
	stop(data, EXIT_SUCCESS, "host-qmp-quit");
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

/* In the background the console is for the log, and for who attaches. */
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
		return error_prefix(err, "--detach: ");
	return console_create(run->loop, console_hub_in(run->hub), console_hub_out(run->hub),
			      &run->console, err);
}

static int set_up(struct run *run, struct error *err)
{
	const struct console_callbacks callbacks = {
		.input_ready = on_console_input, .key = on_console_key, .data = run};
	struct machine_options options = {
		.config = &run->options.machine, .event = on_machine_event, .event_data = run};
	int r = 0;

	if (run->options.name)
		r = place_take(run->options.name, &run->place, err);
	if (r < 0)
		return error_prefix(err, "--name: ");
	r = event_loop_create(&run->loop, err);
	if (r == 0 && run->options.detach)
		r = open_hub(run, err);
	else if (r == 0)
		r = console_create(run->loop, STDIN_FILENO, STDOUT_FILENO, &run->console, err);
	if (r < 0)
		return r;
	options.loop = run->loop;
	options.console = console_port(run->console);
	/* Until here signals do what they always do: a kernel may come from a pipe that hangs. */
	r = machine_create(&options, &run->machine, err);
	if (r == 0)
		r = watch_signals(run, err);
	if (r == 0)
		pass_size(run);
	if (r == 0)
		r = open_api(run, err);
	if (r == 0)
		r = arm_timeout(run, err);
	if (r == 0)
		r = terminal_init(&run->terminal, STDIN_FILENO, err);
	if (r == 0)
		r = console_start(run->console, &run->terminal, &callbacks, err);
	return r;
}

static void tear_down(struct run *run)
{
	qmp_server_destroy(run->qmp);
	machine_destroy(run->machine);
	console_destroy(run->console);
	console_hub_destroy(run->hub);
	event_source_remove(&run->timeout);
	event_source_remove(&run->signals);
	event_loop_destroy(run->loop);
	terminal_finish(&run->terminal);
	place_leave(&run->place);
	free(run->state);
	run_options_finish(&run->options);
}

static int exit_status(const struct run *run, enum machine_outcome outcome)
{
	switch (outcome) {
	case MACHINE_POWERED_OFF:
	case MACHINE_RESET:
		return EXIT_SUCCESS;
	case MACHINE_PANICKED:
		return EXIT_PANICKED;
	case MACHINE_STOPPED:
		return run->stop_status;
	case MACHINE_FAILED:
		break;
	}
	return EXIT_ARMLET_FAILED;
}

/* The last words to the clients of the control socket. */
static void tell_end(struct run *run, enum machine_outcome outcome)
{
	int status = exit_status(run, outcome);

	switch (outcome) {
	case MACHINE_POWERED_OFF:
		qmp_server_shutdown(run->qmp, true, "guest-shutdown", status);
		break;
	case MACHINE_RESET:
		if (machine_reset_by_host(run->machine))
			qmp_server_shutdown(run->qmp, false, "host-qmp-system-reset", status);
		else
			qmp_server_shutdown(run->qmp, true, "guest-reset", status);
		break;
	case MACHINE_PANICKED:
		qmp_server_shutdown(run->qmp, true, "guest-panic", status);
		break;
	case MACHINE_STOPPED:
		qmp_server_shutdown(run->qmp, false, run->stop_reason, status);
		break;
	case MACHINE_FAILED:
		qmp_server_shutdown(run->qmp, false, "host-error", status);
		break;
	}
}

int run_main(int argc, char **argv)
{
	struct run run = {.terminal.fd = -1,
			  .place.lock = -EBADF,
			  .ready_fd = -EBADF,
			  .stop_reason = "host-error"};
	enum machine_outcome outcome = MACHINE_FAILED;
	struct error err = {0};
	int status;
	int r;

	run_options_init(&run.options);
	if (!parse_or_end(&run_table, argc, argv, &run.options, &status))
		return status;
	log_set_level((enum log_level)run.options.log_level);
	if (run_options_settle(&run.options, &err) < 0)
		return fail_with("run", &err);
	if (run.options.dry_run)
		return print_json(options_to_json(run_table.options, &run.options));
	if (run.options.directory && chdir(run.options.directory) < 0) {
		error_set_errno(&err, errno, "--directory %s", run.options.directory);
		return fail_with("run", &err);
	}
	if (run.options.detach && !run.options.name) {
		error_set(&err, EINVAL, "--detach: the machine needs a --name to be found by");
		return fail_with("run", &err);
	}
	if (run.options.detach && !detach(&run.ready_fd, &status)) {
		if (status == EXIT_SUCCESS)
			puts(run.options.name);
		return status;
	}
	r = set_up(&run, &err);
	if (r == 0)
		r = machine_run(run.machine, &outcome, &err);
	tell_end(&run, r < 0 ? MACHINE_FAILED : outcome);
	status = r < 0 ? EXIT_ARMLET_FAILED : exit_status(&run, outcome);
	/* In the background: before anybody can see that it has ended. */
	if (run.state)
		place_keep_status(run.state, status);
	tear_down(&run);
	return r < 0 ? fail_with("run", &err) : status;
}
