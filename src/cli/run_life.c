/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: One life after another
 *
 * With --restart a machine that has ended begins anew in the same process. Its name,
 * the control socket with all its clients, the console and who is attached to it stay;
 * the machine is made afresh, with its files opened again. In between there is none:
 * run->machine is NULL, and the event loop goes on, so that whoever wants the end of it
 * all is heard.
 *
 * Who wants that ends it, whenever it is: run->end_wanted is set by run_stop() and by
 * the power key, and taken back only by a guest that boots again in the same life.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "base/now.h"
#include "machine/slots.h"
#include "run.h"
#include "test.h"

#define TEXT "text="

int run_read_ready(struct run *run, struct error *err)
{
	const char *when = run->options.ready;

	if (!when || !strcmp(when, "driver")) {
		run->ready_when = RUN_READY_DRIVER;
	} else if (!strcmp(when, "started")) {
		run->ready_when = RUN_READY_STARTED;
	} else if (!strncmp(when, TEXT, strlen(TEXT)) && when[strlen(TEXT)]) {
		run->ready_when = RUN_READY_TEXT;
		run->ready_text = when + strlen(TEXT);
	} else {
		return error_set(err, EINVAL,
				 "--ready: '%.100s' is none of driver, started and text=TEXT",
				 when);
	}
	return 0;
}

/* Files are opened again for each life. */
static int check_twice(const char *what, const char *path, struct error *err)
{
	struct stat st;

	if (!path || stat(path, &st) < 0 || !S_ISFIFO(st.st_mode))
		return 0;
	return error_set(err, EINVAL,
			 "--restart: %s '%s' is a pipe, which can be read only once; a file can be "
			 "read for each start",
			 what, path);
}

int run_read_restart(struct run *run, struct error *err)
{
	int r;

	run->restart.policy = (enum restart_policy)run->options.restart;
	if (run->restart.policy == RESTART_NEVER)
		return 0;
	r = check_twice("kernel", run->options.machine.kernel, err);
	return r < 0 ? r : check_twice("initrd", run->options.machine.initrd, err);
}

void run_describe_hang(const struct machine_hang *hang, char *text, size_t size)
{
	if (hang->cpu < 0)
		snprintf(text, size, "the guest has not refreshed its watchdog for %u s",
			 hang->seconds);
	else
		snprintf(text, size,
			 "vCPU %d has run for %u s without a word to its stall detector", hang->cpu,
			 hang->seconds);
}

static void warn_of_hang(const struct run *run)
{
	struct machine_hang hang;
	char text[128];

	machine_hang(run->machine, &hang);
	run_describe_hang(&hang, text, sizeof(text));
	log_warning("%s", text);
}

static void on_machine_event(void *data, enum machine_event event)
{
	struct run *run = data;

	switch (event) {
	case MACHINE_EVENT_STARTED:
		run->has_started = true;
		if (!run->started_ms)
			run->started_ms = now_ms();
		run->end_wanted = false;
		break;
	case MACHINE_EVENT_RESET_GUEST:
	case MACHINE_EVENT_RESET_HOST:
		run->ready = false;
		console_watch_again(run->watch);
		break;
	case MACHINE_EVENT_POWER_KEY:
		run->end_wanted = true;
		break;
	case MACHINE_EVENT_WATCHDOG:
		if (!run->test)
			warn_of_hang(run);
		break;
	case MACHINE_EVENT_DEVICE_LEAVES:
		run_forget_device(run, machine_leaving_device(run->machine));
		break;
	default:
		break;
	}
	run_tell_event(run, event);
	if (run->test)
		test_take_event(run->test, event);
	if ((event == MACHINE_EVENT_STARTED && run->ready_when == RUN_READY_STARTED) ||
	    (event == MACHINE_EVENT_DRIVER && run->ready_when == RUN_READY_DRIVER))
		run_tell_ready(run);
}

static struct char_port console_of(const struct run *run)
{
	if (run->test)
		return line_port_port(run->test->lines);
	return run->watch ? console_watch_port(run->watch) : console_port(run->console);
}

int run_create_machine(struct run *run, struct error *err)
{
	const struct machine_options options = {
		.config = &run->options.machine,
		.loop = run->loop,
		.console = console_of(run),
		.event = on_machine_event,
		.event_data = run,
		/* Only if there is somebody to be told. */
		.tell_driver = run->ready_when == RUN_READY_DRIVER &&
			       (run->options.api || run->place.api || run->notify.fd >= 0),
	};
	int r;

	run->started_ms = 0;
	run->ready = false;
	run->power_key_pressed = false;
	console_watch_again(run->watch);
	r = machine_create(&options, &run->machine, err);
	if (r == 0) {
		qmp_server_machine(run->qmp, run->machine);
		gdb_server_machine(run->gdb, run->machine, 0);
	}
	return r;
}

/* How the life has ended. */
static struct qmp_end describe_end(const struct run *run, enum machine_outcome outcome)
{
	switch (outcome) {
	case MACHINE_POWERED_OFF:
		return (struct qmp_end){true, "guest-shutdown", EXIT_SUCCESS};
	case MACHINE_RESET:
		if (machine_reset_by_host(run->machine))
			return (struct qmp_end){false, "host-qmp-system-reset", EXIT_SUCCESS};
		return (struct qmp_end){true, "guest-reset", EXIT_SUCCESS};
	case MACHINE_PANICKED:
		return (struct qmp_end){true, "guest-panic", EXIT_PANICKED};
	case MACHINE_HUNG:
		if (run->options.machine.watchdog == CONFIG_WATCHDOG_POWEROFF)
			return (struct qmp_end){true, "guest-shutdown", EXIT_PANICKED};
		return (struct qmp_end){true, "guest-reset", EXIT_PANICKED};
	case MACHINE_STOPPED:
		return (struct qmp_end){false, run->stop_reason, run->stop_status};
	case MACHINE_FAILED:
		break;
	}
	return (struct qmp_end){false, "host-error", EXIT_ARMLET_FAILED};
}

static void on_delay(void *data, unsigned events)
{
	struct run *run = data;

	(void)events;
	run->delay_over = true;
	event_loop_stop(run->loop);
}

/* No machine is there, and everybody else is. */
static int await_next_life(struct run *run, struct error *err)
{
	int r;

	run->delay = (struct event_source){.fd = -1, .callback = on_delay, .data = run};
	run->delay_over = false;
	r = event_loop_add_timer(run->loop, &run->delay, CLOCK_MONOTONIC);
	if (r == 0)
		r = event_timer_set(&run->delay, run->restart.delay_ms * UINT64_C(1000000), 0);
	while (r == 0 && !run->delay_over && !run->end_wanted)
		r = event_loop_run(run->loop);
	event_source_remove(&run->delay);
	return r < 0 ? error_set_errno(err, -r, "--restart") : 0;
}

/* The machine is gone then, and is to be made anew. */
static int rest(struct run *run, const struct qmp_end *end, struct error *err)
{
	uint64_t ran_ms = run->started_ms ? (uint64_t)(now_ms() - run->started_ms) : 0;

	restart_next(&run->restart, ran_ms);
	run_tell_restart(run, end);
	gdb_server_machine(run->gdb, NULL, end->status);
	machine_destroy(run->machine);
	run->machine = NULL;
	run_forget_device(run, NULL);
	return await_next_life(run, err);
}

static bool begins_anew(const struct run *run, const struct qmp_end *end)
{
	return run->has_started && !run->end_wanted && restart_wanted(&run->restart, end->status);
}

int run_live(struct run *run, struct qmp_end *ret, struct error *err)
{
	int r = 0;

	for (;;) {
		enum machine_outcome outcome = MACHINE_FAILED;

		if (r == 0)
			r = machine_run(run->machine, &outcome, err);
		*ret = describe_end(run, r < 0 ? MACHINE_FAILED : outcome);
		if (!begins_anew(run, ret))
			return r;
		if (r < 0)
			log_error("%s", err->text);
		*err = (struct error){0};
		r = rest(run, ret, err);
		if (r < 0 || run->end_wanted) {
			*ret = describe_end(run, r < 0 ? MACHINE_FAILED : MACHINE_STOPPED);
			return r;
		}
		r = run_create_machine(run, err);
		if (r == 0)
			run_pass_size(run);
	}
}
