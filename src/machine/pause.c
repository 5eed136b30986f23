/* SPDX-License-Identifier: Apache-2.0 */
#include "pause.h"

#include <time.h>

#include "machine_private.h"

static void on_soon(void *data, unsigned events)
{
	(void)events;
	machine_pause(data);
}

void pause_init(struct machine *machine)
{
	struct pause *pause = &machine->pause;

	pthread_mutex_init(&pause->lock, NULL);
	pthread_cond_init(&pause->changed, NULL);
	pause->soon = (struct event_source){.fd = -1, .callback = on_soon, .data = machine};
}

void pause_finish(struct machine *machine)
{
	struct pause *pause = &machine->pause;

	event_source_remove(&pause->soon);
	pthread_cond_destroy(&pause->changed);
	pthread_mutex_destroy(&pause->lock);
}

void machine_pause_soon(struct machine *machine)
{
	struct event_source *soon = &machine->pause.soon;

	if (!soon->loop && event_loop_add_timer(machine->loop, soon, CLOCK_MONOTONIC) < 0)
		return;
	event_timer_set(soon, 1, 0);
}

/* Whoever waited for @why looks again. */
static void wake(struct machine *machine, enum attention why)
{
	struct pause *pause = &machine->pause;

	pthread_mutex_lock(&pause->lock);
	atomic_fetch_and(&machine->attention, ~(unsigned)why);
	pthread_cond_broadcast(&pause->changed);
	pthread_mutex_unlock(&pause->lock);
}

static void each_virtio(const struct board *board, void (*act)(struct virtio_device *virtio))
{
	for (uint32_t i = 0; i < board->virtio_count; i++) {
		struct device *device = &board->virtio[i]->device;

		device_lock(device);
		act(board->virtio[i]);
		device_unlock(device);
	}
}

static bool any_inside(const struct board *board)
{
	for (uint32_t i = 0; i < board->vcpu_count; i++) {
		if (board->vcpus[i].inside)
			return true;
	}
	return false;
}

/* A debugger lets it run while the machine is paused. */
static bool any_alone(const struct board *board)
{
	for (uint32_t i = 0; i < board->vcpu_count; i++) {
		if (board->vcpus[i].debug.alone)
			return true;
	}
	return false;
}

/* All vCPUs come outside, because of @why. */
static void gather(struct machine *machine, enum attention why)
{
	struct board *board = &machine->board;
	struct pause *pause = &machine->pause;

	atomic_fetch_or(&machine->attention, why);
	for (uint32_t i = 0; i < board->vcpu_count; i++)
		vcpu_kick(&board->vcpus[i]);
	pthread_mutex_lock(&pause->lock);
	while (any_inside(board) && machine->outcome == MACHINE_RUNNING)
		pthread_cond_wait(&pause->changed, &pause->lock);
	pthread_mutex_unlock(&pause->lock);
}

bool pause_hold(struct machine *machine)
{
	if (machine->outcome != MACHINE_RUNNING || machine->attention & ATTEND_HOLD ||
	    (pause_wanted(machine) && !any_alone(&machine->board)))
		return false;
	gather(machine, ATTEND_HOLD);
	return true;
}

void pause_freeze(struct machine *machine)
{
	each_virtio(&machine->board, virtio_device_pause);
	machine->pause.prelaunch = true;
	atomic_fetch_or(&machine->attention, ATTEND_PAUSE);
}

void pause_release(struct machine *machine)
{
	wake(machine, ATTEND_HOLD);
}

void machine_pause(struct machine *machine)
{
	struct board *board = &machine->board;
	bool already = pause_wanted(machine);

	if (machine->dump.state == MACHINE_DUMP_ACTIVE)
		machine->dump.resume = false;
	if (machine->outcome != MACHINE_RUNNING || (already && !any_alone(board)))
		return;
	for (uint32_t i = 0; i < board->vcpu_count; i++)
		board->vcpus[i].debug.alone = false;
	gather(machine, ATTEND_PAUSE);
	if (already)
		return;
	each_virtio(&machine->board, virtio_device_pause);
	watchdog_hold(machine, true);
	machine_tell(machine, MACHINE_EVENT_PAUSED);
}

void machine_resume(struct machine *machine)
{
	if (machine->outcome != MACHINE_RUNNING || !pause_wanted(machine))
		return;
	/* Memory that is being dumped does not change. */
	if (machine->dump.state == MACHINE_DUMP_ACTIVE) {
		machine->dump.resume = true;
		return;
	}
	each_virtio(&machine->board, virtio_device_resume);
	watchdog_hold(machine, false);
	machine->pause.prelaunch = false;
	wake(machine, ATTEND_PAUSE);
	machine_tell(machine, MACHINE_EVENT_RESUMED);
}

int machine_inject_serror(struct machine *machine, struct error *err)
{
	bool held;
	int r;

	if (machine->outcome != MACHINE_RUNNING)
		return error_set(err, ESRCH, "the machine does not run");
	held = pause_hold(machine);
	r = hyp_vcpu_inject_serror(machine->board.vcpus[0].hyp);
	if (held)
		pause_release(machine);
	return r < 0 ? error_set_errno(err, -r, "KVM gives the vCPU no SError interrupt") : 0;
}

bool machine_paused(const struct machine *machine)
{
	return machine->outcome == MACHINE_RUNNING && pause_wanted(machine);
}

bool machine_prelaunch(const struct machine *machine)
{
	return machine_paused(machine) && machine->pause.prelaunch;
}

void pause_wait(const struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	struct pause *pause = &machine->pause;

	pthread_mutex_lock(&pause->lock);
	while ((pause_asks(vcpu, machine->attention) || suspend_asks(vcpu)) &&
	       machine->outcome == MACHINE_RUNNING)
		pthread_cond_wait(&pause->changed, &pause->lock);
	pthread_mutex_unlock(&pause->lock);
}

void pause_outside(struct machine *machine)
{
	struct pause *pause = &machine->pause;

	pthread_mutex_lock(&pause->lock);
	pthread_cond_broadcast(&pause->changed);
	pthread_mutex_unlock(&pause->lock);
}

void pause_forget(struct machine *machine)
{
	if (!pause_wanted(machine))
		return;
	wake(machine, ATTEND_PAUSE);
	machine_tell(machine, MACHINE_EVENT_RESUMED);
}

void pause_end(struct machine *machine)
{
	/* What comes after a reset is paused, too: nobody looks again, but at the end. */
	pause_outside(machine);
}
