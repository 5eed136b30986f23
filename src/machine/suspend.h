/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: PSCI SYSTEM_SUSPEND
 *
 * The last CPU of a guest that is on asks for it (DEN0022, SYSTEM_SUSPEND). KVM leaves the
 * call to us. Whether the others are off can be asked only of vCPUs that are out of the
 * guest, and having them there is the main thread's (pause.h): so the vCPU that calls waits
 * outside, as if it was paused, until the main thread has answered. A refusal is a value in
 * X0. If it is granted, the vCPU waits in KVM for an interrupt; when there is one, or
 * machine_wakeup() is called, it goes on from its reset state at the entry point of the
 * call, with the context in X0.
 */
#ifndef ARMLET_MACHINE_SUSPEND_H
#define ARMLET_MACHINE_SUSPEND_H

#include <stdatomic.h>

#include "core/event_loop.h"
#include "core/types.h"

struct machine;
struct vcpu;

struct suspend {
	struct event_source soon;    /* a vCPU asks, or has woken */
	struct vcpu *_Atomic asking; /* waits for the answer; NULL: nobody */
	struct vcpu *vcpu;           /* the one that is suspended */
	atomic_bool suspended;       /* it is */
	bool told;                   /* the main thread's: what has been told last */
	gpa_t entry;
	uint64_t context;
};

void suspend_begin(struct machine *machine);
void suspend_finish(struct machine *machine); /* the boot is over */

/* The vCPU's thread: it has called SYSTEM_SUSPEND, or, suspended, has been woken. */
void suspend_ask(struct vcpu *vcpu);
void suspend_wake(struct vcpu *vcpu);

/* Whether it waits for the answer. */
bool suspend_asks(const struct vcpu *vcpu);

#endif
