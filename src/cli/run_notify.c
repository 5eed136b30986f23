/* SPDX-License-Identifier: Apache-2.0 */
/* armlet run: who waits for the guest, the control socket's clients, and systemd. */
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "detach.h"
#include "run.h"

static void on_watchdog(void *data, unsigned events)
{
	const struct run *run = data;

	(void)events;
	notify_send(&run->notify, "WATCHDOG=1");
}

int run_open_notify(struct run *run, struct error *err)
{
	struct error why = {0};
	uint64_t half;
	int r;

	/* The machine is worth more than who is told of it. */
	if (notify_open(&run->notify, &why) < 0)
		log_warning("%s", why.text);
	notify_send(&run->notify, "STATUS=booting");
	half = run->notify.watchdog_ns / 2;
	if (!half)
		return 0;
	run->watchdog = (struct event_source){.fd = -1, .callback = on_watchdog, .data = run};
	r = event_loop_add_timer(run->loop, &run->watchdog, CLOCK_MONOTONIC);
	if (r == 0)
		r = event_timer_set(&run->watchdog, half, half);
	return r < 0 ? error_set_errno(err, -r, "WATCHDOG_USEC") : 0;
}

/* Whoever has started us goes on, once. */
static void tell_starter(struct run *run)
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
		run_stop(run, EXIT_ARMLET_FAILED, "host-error");
	}
}

void run_tell_ready(struct run *run)
{
	if (run->ready)
		return;
	run->ready = true;
	notify_send(&run->notify, "READY=1\nSTATUS=ready");
	qmp_server_ready(run->qmp);
}

void run_tell_event(struct run *run, enum machine_event event)
{
	qmp_server_event(run->qmp, event);
	gdb_server_event(run->gdb, event);
	switch (event) {
	case MACHINE_EVENT_STARTED:
		tell_starter(run);
		break;
	case MACHINE_EVENT_PAUSED:
		notify_send(&run->notify, "STATUS=paused");
		break;
	case MACHINE_EVENT_SUSPENDED:
		notify_send(&run->notify, "STATUS=suspended by the guest");
		break;
	case MACHINE_EVENT_WOKEN:
	case MACHINE_EVENT_RESUMED:
		notify_send(&run->notify, "STATUS=%s", run->ready ? "ready" : "booting");
		break;
	case MACHINE_EVENT_POWER_KEY:
		notify_send(&run->notify, "STATUS=the power key was pressed");
		break;
	case MACHINE_EVENT_RESET_GUEST:
	case MACHINE_EVENT_RESET_HOST:
		notify_send(&run->notify, "STATUS=booting");
		break;
	case MACHINE_EVENT_PANICKED:
		notify_send(&run->notify, "STATUS=the guest has panicked");
		break;
	case MACHINE_EVENT_WATCHDOG:
		notify_send(&run->notify, "STATUS=the guest hangs");
		break;
	case MACHINE_EVENT_DRIVER:
	case MACHINE_EVENT_DUMP_PROGRESS:
	case MACHINE_EVENT_DUMP_ENDED:
	case MACHINE_EVENT_CRASH_LOADED:
	case MACHINE_EVENT_PVSHUTDOWN:
	case MACHINE_EVENT_DEVICE_LEAVES:
		break;
	}
}

void run_tell_restart(struct run *run, const struct qmp_end *end)
{
	const struct restart *restart = &run->restart;

	log_write(end->status ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		  "the machine has ended with status %d (%s); restart %u begins in %.1f s",
		  end->status, end->reason, restart->count, (double)restart->delay_ms / 1000);
	notify_send(&run->notify, "STATUS=restart %u begins in %.1f s", restart->count,
		    (double)restart->delay_ms / 1000);
	qmp_server_restart(run->qmp, end, restart->count, restart->delay_ms);
}
