/* SPDX-License-Identifier: Apache-2.0 */
#include "suspend.h"

#include <string.h>
#include <time.h>

#include "arm64/psci.h"
#include "machine_private.h"

/* The timer is made by the first who needs it: there is one that asks at a time. */
static int tell_soon(struct machine *machine)
{
	struct event_source *soon = &machine->suspend.soon;
	int r = soon->loop ? 0 : event_loop_add_timer(machine->loop, soon, CLOCK_MONOTONIC);

	return r < 0 ? r : event_timer_set(soon, 1, 0);
}

static void refuse(struct hyp_vcpu *hyp, int64_t answer)
{
	hyp_vcpu_set_reg(hyp, HYP_REG_X0, (uint64_t)answer);
}

bool suspend_asks(const struct vcpu *vcpu)
{
	return vcpu->machine->suspend.asking == vcpu;
}

void suspend_ask(struct vcpu *vcpu)
{
	struct suspend *suspend = &vcpu->machine->suspend;
	struct vcpu *nobody = NULL;

	/* Two that ask at once are both on. */
	if (!atomic_compare_exchange_strong(&suspend->asking, &nobody, vcpu)) {
		refuse(vcpu->hyp, PSCI_DENIED);
	} else if (tell_soon(vcpu->machine) < 0) {
		refuse(vcpu->hyp, PSCI_DENIED);
		suspend->asking = NULL;
	} else {
		atomic_fetch_or(&vcpu->machine->attention, ATTEND_SUSPEND);
	}
}

/* The vCPU that is suspended goes on, as the call said. Its own thread, or while it is held. */
static int go_on(struct suspend *suspend)
{
	struct hyp_vcpu *hyp = suspend->vcpu->hyp;
	int r = hyp_vcpu_reset(hyp);

	if (r == 0)
		r = hyp_vcpu_set_reg(hyp, HYP_REG_PC, suspend->entry);
	if (r == 0)
		r = hyp_vcpu_set_reg(hyp, HYP_REG_X0, suspend->context);
	suspend->suspended = false;
	return r;
}

void suspend_wake(struct vcpu *vcpu)
{
	struct suspend *suspend = &vcpu->machine->suspend;
	int r;

	if (!suspend->suspended || suspend->vcpu != vcpu)
		return;
	r = go_on(suspend);
	if (r < 0)
		log_error("vCPU %u cannot be woken: %s", vcpu->index, strerror(-r));
	tell_soon(vcpu->machine);
}

/* The call's arguments, as its function's width has them. */
static int read_call(struct suspend *suspend, struct hyp_vcpu *hyp)
{
	uint64_t function = 0;
	int r = hyp_vcpu_get_reg(hyp, HYP_REG_X0, &function);

	if (r == 0)
		r = hyp_vcpu_get_reg(hyp, HYP_REG_X0 + 1, &suspend->entry);
	if (r == 0)
		r = hyp_vcpu_get_reg(hyp, HYP_REG_X0 + 2, &suspend->context);
	if (!(function & SMCCC_64)) {
		suspend->entry &= UINT32_MAX;
		suspend->context &= UINT32_MAX;
	}
	return r;
}

static int64_t refusal(const struct machine *machine, const struct vcpu *vcpu)
{
	const struct guest_mem *mem = machine->mem;
	gpa_t entry = machine->suspend.entry;

	for (uint32_t i = 0; i < machine->board.vcpu_count; i++) {
		bool off = false;

		if (&machine->board.vcpus[i] == vcpu)
			continue;
		if (hyp_vcpu_is_off(machine->board.vcpus[i].hyp, &off) < 0 || !off)
			return PSCI_DENIED;
		if (machine->psci.ours && !psci_is_off(&machine->board.vcpus[i]))
			return PSCI_DENIED;
	}
	if (entry < mem->base || entry - mem->base >= mem->size || !is_aligned(entry, 4))
		return PSCI_INVALID_ADDRESS;
	return 0;
}

/* All vCPUs are outside the guest. Whether it is granted. */
static bool answer(struct machine *machine, struct vcpu *vcpu)
{
	struct suspend *suspend = &machine->suspend;
	int64_t no = read_call(suspend, vcpu->hyp) < 0 ? PSCI_DENIED : refusal(machine, vcpu);

	if (!no && hyp_vcpu_suspend(vcpu->hyp) < 0)
		no = PSCI_DENIED;
	suspend->vcpu = vcpu;
	if (no)
		refuse(vcpu->hyp, no);
	suspend->suspended = !no;
	return !no;
}

static void tell(struct machine *machine, bool suspended)
{
	struct suspend *suspend = &machine->suspend;

	if (suspend->told == suspended)
		return;
	suspend->told = suspended;
	machine_tell(machine, suspended ? MACHINE_EVENT_SUSPENDED : MACHINE_EVENT_WOKEN);
}

static void on_soon(void *data, unsigned events)
{
	struct machine *machine = data;
	struct suspend *suspend = &machine->suspend;
	struct vcpu *vcpu = suspend->asking;
	bool granted, held;

	(void)events;
	tell(machine, suspend->suspended);
	if (!vcpu)
		return;
	held = pause_hold(machine);
	granted = machine->outcome == MACHINE_RUNNING && answer(machine, vcpu);
	/* In this order: who asks next says so after it has the place. */
	atomic_fetch_and(&machine->attention, ~(unsigned)ATTEND_SUSPEND);
	suspend->asking = NULL;
	if (held)
		pause_release(machine);
	else
		pause_outside(machine);
	/* It may be awake again by now: then that is told next. */
	if (granted)
		tell(machine, true);
	tell(machine, suspend->suspended);
}

void suspend_begin(struct machine *machine)
{
	struct suspend *suspend = &machine->suspend;

	/* Who has asked in the last boot is gone. */
	atomic_fetch_and(&machine->attention, ~(unsigned)ATTEND_SUSPEND);
	*suspend = (struct suspend){
		.soon = {.fd = -1, .callback = on_soon, .data = machine},
	};
}

void suspend_finish(struct machine *machine)
{
	event_source_remove(&machine->suspend.soon);
	machine->suspend.suspended = false;
}

bool machine_suspended(const struct machine *machine)
{
	return machine->outcome == MACHINE_RUNNING && machine->suspend.suspended;
}

int machine_wakeup(struct machine *machine, struct error *err)
{
	bool held;
	int r = 0;

	if (!machine_suspended(machine))
		return error_set(err, EINVAL,
				 "the guest is not suspended, so there is nothing to wake");
	held = pause_hold(machine);
	/* An interrupt may have been faster. */
	if (machine_suspended(machine))
		r = go_on(&machine->suspend);
	if (held)
		pause_release(machine);
	tell(machine, false);
	return r < 0 ? error_set_errno(err, -r, "the vCPU cannot be woken") : 0;
}
