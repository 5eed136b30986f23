/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: PSCI in user space
 *
 * KVM answers PSCI (DEN0022) by itself. With --psci armlet its calls come to us by KVM's
 * filter of SMCCC calls, so that there is a log of who turned which CPU on, and CPUs can be
 * kept from being turned on: that is how they are added and removed while a guest with a
 * device tree runs.
 *
 * A CPU that is off has its thread outside of the guest: KVM takes no register of a vCPU that
 * runs, and CPU_ON sets many. So the caller of CPU_ON leaves entry and context there, and the
 * thread that wakes makes the rest of it. psci_cpu of all vCPUs, and the events, are
 * protected by pause.lock, whose condition the threads wait for.
 */
#ifndef ARMLET_MACHINE_SRC_PSCI_H
#define ARMLET_MACHINE_SRC_PSCI_H

#include "base/log.h"
#include "machine/config.h"
#include "machine/psci.h"
#include "vcpu.h"

#define PSCI_EVENTS 64

/* Of a machine: it outlives the boots. */
struct psci {
	bool ours;                               /* the calls come to us */
	uint64_t absent[MACHINE_MAX_VCPUS / 64]; /* a bit for each CPU that CPU_ON is refused for */
	struct cpu_power_event events[PSCI_EVENTS];
	uint64_t event_count; /* so far; the last PSCI_EVENTS are kept */
	struct log_budget budget;
};

void psci_init(struct machine *machine);

/* Between hyp_create_vm() and the first vCPU's run. Fails with a sentence. */
int psci_prepare(struct machine *machine, struct error *err);

/* The vCPU's thread, before its first run: returns when it is on, or the machine has ended. */
void psci_wait_on(struct vcpu *vcpu);

/* The vCPU's thread: it has called @function. */
enum vcpu_next psci_call(struct vcpu *vcpu, uint64_t function);

/* The same: it waited in standby, and there is an interrupt. False: it did not wait. */
bool psci_wake(struct vcpu *vcpu);

/* Any thread: @vcpu is off, and nobody has turned it on yet; all are held. */
bool psci_is_off(const struct vcpu *vcpu);

#endif
