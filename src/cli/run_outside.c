/* SPDX-License-Identifier: Apache-2.0 */
/* armlet run: signals, keys and time, which act on the machine from outside. */
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>

#include "base/log.h"
#include "run.h"
#include "test.h"

/* How machinectl(1) asks a machine to power off. */
#define MACHINECTL_POWEROFF (SIGRTMIN + 4)

void run_stop(struct run *run, int status, const char *reason)
{
	run->stop_status = status;
	run->stop_reason = reason;
	run->end_wanted = true;
	console_abandon(run->console);
	if (run->test)
		test_abandon(run->test);
	if (run->machine)
		machine_stop(run->machine);
	else
		event_loop_stop(run->loop);
}

static bool has_power_key(const struct run *run)
{
	return run->machine && machine_has_power_key(run->machine);
}

void run_power_down(struct run *run, const char *reason)
{
	/* A life that is about to end is the last one. */
	run->end_wanted = true;
	if (has_power_key(run))
		machine_press_power_key(run->machine);
	else if (!run->machine)
		run_stop(run, EXIT_SUCCESS, reason);
}

/* Who signals wants the end: without the key at once, with status @status_without. */
static void press_power_key(struct run *run, int status_without)
{
	if (run->signals_end || !has_power_key(run) || run->power_key_pressed) {
		run_stop(run, status_without, "host-signal");
		return;
	}
	run->power_key_pressed = true;
	log_info("the power key is pressed; a second signal ends the machine at once");
	machine_press_power_key(run->machine);
}

void run_pass_size(struct run *run)
{
	uint16_t columns, rows;

	if (!run->machine || !terminal_size(STDIN_FILENO, STDOUT_FILENO, &columns, &rows))
		return;
	if (run->test)
		test_pass_size(run->test, columns, rows);
	else
		machine_resize_console(run->machine, columns, rows);
}

static void continue_machine(struct run *run)
{
	terminal_continue(&run->terminal);
	/* In the background we were not told. */
	run_pass_size(run);
	if (run->machine)
		machine_resume(run->machine);
}

static void on_signal(void *data, unsigned events)
{
	struct run *run = data;
	struct signalfd_siginfo info;
	int number;

	(void)events;
	if (read(run->signals.fd, &info, sizeof(info)) != sizeof(info))
		return;
	number = (int)info.ssi_signo;
	if (number == MACHINECTL_POWEROFF) {
		run_power_down(run, "host-signal");
		return;
	}
	switch (number) {
	case SIGTERM:
	case SIGINT:
		if (run->test && !test_take_signal(run->test, number))
			run_stop(run, EXIT_SIGNALLED + number, "host-signal");
		if (!run->test)
			press_power_key(run, EXIT_SIGNALLED + number);
		break;
	case SIGCONT:
		continue_machine(run);
		break;
	case SIGWINCH:
		run_pass_size(run);
		break;
	case SIGUSR2:
		if (run->machine)
			machine_refresh_disks(run->machine);
		break;
	default: /* SIGHUP, SIGQUIT: the terminal, or what started us, is gone */
		run_stop(run, EXIT_SIGNALLED + number, "host-signal");
		break;
	}
}

int run_watch_signals(struct run *run, struct error *err)
{
	const int watched[] = {SIGTERM, SIGINT,  SIGHUP,   SIGQUIT,
			       SIGCONT, SIGUSR2, SIGWINCH, MACHINECTL_POWEROFF};
	sigset_t set;
	_cleanup_close_ int fd = -EBADF;
	int r;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
		sigaddset(&set, watched[i]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error, and no more */
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
	if (run->test) {
		test_timed_out(run->test);
		return;
	}
	log_error("timed out after %u s", run->options.timeout);
	run_stop(run, EXIT_TIMED_OUT, "host-signal");
}

int run_arm_timeout(struct run *run, struct error *err)
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

	if (run->test)
		test_take_input(run->test);
	else if (run->machine)
		machine_input_ready(run->machine);
}

static void on_input_end(void *data)
{
	struct run *run = data;

	if (run->test)
		test_take_input(run->test);
}

static void on_console_key(void *data, enum console_key key)
{
	struct run *run = data;

	switch (key) {
	case CONSOLE_KEY_EXIT:
		run_stop(run, EXIT_SUCCESS, "host-ui");
		break;
	case CONSOLE_KEY_POWER:
		run_power_down(run, "host-ui");
		break;
	case CONSOLE_KEY_BREAK:
		if (run->machine)
			machine_send_break(run->machine);
		break;
	}
}

int run_start_console(struct run *run, struct error *err)
{
	const struct console_callbacks callbacks = {.input_ready = on_console_input,
						    .key = on_console_key,
						    .ended = on_input_end,
						    .data = run};

	return console_start(run->console, &run->terminal, &callbacks, err);
}
