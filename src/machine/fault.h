/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Faults on demand
 *
 * A rule (struct fault_config) names registers, by address or device, or a function of PSCI,
 * and what is to go wrong with the guest's accesses to it: for tests of drivers and kernels.
 *
 * Without rules nothing of this runs. A device that a rule covers is not on the board's bus,
 * but on one of its own: its accesses are found where those to nowhere are. Nor has it a
 * shadow, posted writes or eventfds: all of them trap. Rules are counted over all boots of a
 * machine.
 *
 * Threads: the vCPUs', any of them.
 */
#ifndef ARMLET_MACHINE_FAULT_H
#define ARMLET_MACHINE_FAULT_H

#include <stdatomic.h>

#include "base/log.h"
#include "core/device.h"
#include "core/mmio.h"
#include "machine/config.h"
#include "vcpu.h"

struct fault {
	const struct fault_config *config;
	uint32_t function; /* of PSCI; 0: it is about memory */
	gpa_t base;
	uint64_t size;    /* 0: of a device that is not made yet */
	atomic_uint seen; /* accesses, or calls */
};

struct faults {
	struct fault rules[MACHINE_MAX_FAULTS];
	size_t count;
	bool of_psci;
	struct log_budget budget;
};

/* What the configuration says. Fails with a sentence. */
int faults_init(struct machine *machine, struct error *err);

/*
 * The board gets the device @name at @slot: find the rules that mean it. True: it is for the
 * bus of what is covered.
 */
bool fault_place(struct faults *faults, const char *name, const struct device_slot *slot);

/* The board's devices are made: whether each rule has found its own. Fails with a sentence. */
int faults_check(const struct machine *machine, struct error *err);

/* Whether a rule is about one of the @size bytes at @base, so that its accesses are to trap. */
bool fault_covers(const struct faults *faults, gpa_t base, uint64_t size);

/*
 * The vCPU has accessed what is not on the board's bus: do what the rules say, or pass it on
 * without asking them. False: nothing is there.
 */
bool fault_access(struct vcpu *vcpu, struct mmio_access *access);
bool fault_pass(struct vcpu *vcpu, struct mmio_access *access);
enum mmio_result fault_pass_update(struct vcpu *vcpu, const struct mmio_update *update);

/*
 * The rules alone: the vCPU is about to do an access of @size bytes to what is no memory. Waits, or
 * makes an SError pending, if a rule says so; returns what else is to be done to it: FAULT_PASS,
 * FAULT_ZERO, FAULT_ONES, FAULT_DROP or FAULT_ABORT.
 */
enum fault_action fault_take(struct vcpu *vcpu, gpa_t addr, uint64_t size, bool is_write);

/* What a read gets instead; FAULT_ZERO and FAULT_ONES. */
static inline uint64_t fault_value(enum fault_action action)
{
	return action == FAULT_ONES ? UINT64_MAX : 0;
}

/* The same of a call of PSCI. True: it is not to be done, and @ret_error is its answer. */
bool fault_take_call(struct vcpu *vcpu, uint32_t function, int64_t *ret_error);

#endif
