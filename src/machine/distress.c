/* SPDX-License-Identifier: Apache-2.0 */
#include "distress.h"

#include <time.h>

#include "devices/pvpanic.h"
#include "machine_private.h"

void distress_tell_panic(struct machine *machine)
{
	if (machine->distress.panic_told)
		return;
	machine->distress.panic_told = true;
	machine_tell(machine, MACHINE_EVENT_PANICKED);
}

static void see_to(struct machine *machine)
{
	unsigned told = atomic_exchange(&machine->distress.told, 0);

	if (told & PVPANIC_PANICKED)
		distress_tell_panic(machine);
	if (told & PVPANIC_CRASH_LOADED)
		machine_tell(machine, MACHINE_EVENT_CRASH_LOADED);
	if (told & PVPANIC_SHUTDOWN && machine_end(machine, MACHINE_POWERED_OFF))
		machine_tell(machine, MACHINE_EVENT_PVSHUTDOWN);
	if (told & DISTRESS_HANG)
		watchdog_act(machine);
}

static void on_soon(void *data, unsigned events)
{
	(void)events;
	see_to(data);
}

void distress_begin(struct machine *machine)
{
	machine->distress.soon =
		(struct event_source){.fd = -1, .callback = on_soon, .data = machine};
	machine->distress.told = 0;
	machine->distress.panicked = false;
	machine->distress.panic_told = false;
}

void distress_finish(struct machine *machine)
{
	see_to(machine);
	event_source_remove(&machine->distress.soon);
}

/* The first to tell wakes the main thread for all; it alone makes the timer, too. */
void distress_tell(void *data, unsigned events)
{
	struct machine *machine = data;
	struct distress *distress = &machine->distress;

	if (events & (PVPANIC_PANICKED | PVPANIC_CRASH_LOADED))
		distress->panicked = true;
	if (atomic_fetch_or(&distress->told, events))
		return;
	if (!distress->soon.loop &&
	    event_loop_add_timer(machine->loop, &distress->soon, CLOCK_MONOTONIC) < 0)
		return;
	event_timer_set(&distress->soon, 1, 0);
}
