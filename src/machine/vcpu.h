/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU: a thread that runs the guest and answers its exits.
 */
#ifndef ARMLET_MACHINE_VCPU_H
#define ARMLET_MACHINE_VCPU_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/mmio.h"
#include "debug.h"
#include "exclusive.h"
#include "hyp/hyp.h"

struct machine;

/* Where PSCI is ours (psci.h): enum cpu_power, and how CPU_ON wants it to begin. */
struct psci_cpu {
	int power;
	gpa_t entry;
	uint64_t context;
	bool big_endian;
	bool standby; /* the vCPU's own */
};

struct vcpu {
	struct machine *machine;
	struct hyp_vcpu *hyp;
	uint32_t index;
	uint64_t mpidr; /* affinity fields only */
	int pin;        /* host CPU, or -1 */
	pthread_t thread;
	atomic_bool started;
	atomic_bool inside;                /* the guest, or the answer to its exit (pause.h) */
	const struct mmio_region *last;    /* region of the last access */
	uint64_t exits[VCPU_EXIT_REASONS]; /* base/counter.h: the thread's */

	/* Faults in a row that could not be served, all at this PC. */
	uint64_t fault_pc;
	unsigned faults;
	struct exclusive exclusive;
	struct psci_cpu psci;
	struct vcpu_debug debug;
	struct trace_cpu *trace; /* NULL: nothing is traced (trace.h) */
	uint32_t word;           /* the instruction that was done by hand last */
	atomic_int cpu_clock;    /* of the thread, for clock_gettime(); 0: it is yet to begin */
};

enum vcpu_next {
	VCPU_CONTINUE,
	VCPU_END, /* the machine is to end; the outcome has been recorded */
};

/*
 * Answer @exit; for an MMIO read, leave the value in it. The exit is a value,
 * so that tests can invent it.
 */
enum vcpu_next vcpu_handle_exit(struct vcpu *vcpu, struct vcpu_exit *exit);

/*
 * Perform what @vcpu does on the bus, whatever rules (fault.h) have to say of it. Where
 * nothing is, it is a stray access (stray.h). Its own thread.
 */
void vcpu_access(struct vcpu *vcpu, struct mmio_access *access);
void vcpu_update(struct vcpu *vcpu, const struct mmio_update *update);

/* Start the thread; it runs the guest until the machine ends. */
int vcpu_start(struct vcpu *vcpu, struct error *err);

/* Any thread: out of the guest, soon. */
void vcpu_kick(struct vcpu *vcpu);
void vcpu_join(struct vcpu *vcpu);

#endif
