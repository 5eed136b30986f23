/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power of a machine's CPUs, where armlet answers PSCI: which are on, who turned them on
 * and off, and which may be turned on at all. Threads: the main thread's.
 */
#ifndef ARMLET_MACHINE_PSCI_H
#define ARMLET_MACHINE_PSCI_H

#include <time.h>

#include "core/types.h"
#include "machine/machine.h"

/* As AFFINITY_INFO has them (DEN0022, 5.7). */
enum cpu_power { CPU_POWER_ON, CPU_POWER_OFF, CPU_POWER_ON_PENDING };

struct machine_cpu {
	uint64_t mpidr; /* affinity fields */
	enum cpu_power power;
	bool present; /* CPU_ON is not refused */
};

/* False: there is no CPU @index, no boot, or KVM answers PSCI, and the state is its own. */
bool machine_cpu(struct machine *machine, uint32_t index, struct machine_cpu *ret);

enum cpu_power_what { CPU_TURNED_ON, CPU_TURNED_OFF, CPU_ON_REFUSED };

struct cpu_power_event {
	struct timespec when; /* CLOCK_REALTIME */
	enum cpu_power_what what;
	uint32_t cpu;
	uint32_t by;     /* the CPU that called */
	gpa_t entry;     /* of CPU_TURNED_ON */
	int64_t refusal; /* of CPU_ON_REFUSED: what PSCI returned */
};

/* The @nth of the last events, 0 is the oldest that is kept. False: there is none. */
bool machine_power_event(struct machine *machine, size_t nth, struct cpu_power_event *ret);

/*
 * Whether CPU_ON of CPU @index is to succeed. One that is on stays so until the guest turns it
 * off. It stays over resets. -ENODEV: there is no such CPU; -EINVAL: it is the one that boots;
 * -EOPNOTSUPP: KVM answers PSCI.
 */
int machine_set_cpu_present(struct machine *machine, uint32_t index, bool present,
			    struct error *err);

#endif
