/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile of what leaves the guest, and a file of each such event: how often, for how
 * long, for which register of which device, and by which instruction.
 *
 * A time is that of the answer; what the host's kernel needs on the way is not in it. Of an
 * interrupt it is how long the device held its line.
 *
 * Threads: the main thread's.
 */
#ifndef ARMLET_MACHINE_TRACE_H
#define ARMLET_MACHINE_TRACE_H

#include "base/tally.h"
#include "machine/machine.h"

enum trace_what {
	TRACE_EXITS = 1, /* all exits to user space */
	TRACE_MMIO = 2,  /* of these: accesses to devices */
	TRACE_PSCI = 4,  /* calls of PSCI, and what comes of them */
	TRACE_IRQ = 8,   /* interrupts of devices */
	TRACE_NISV = 16, /* accesses that the hardware does not describe */
};

#define TRACE_WORDS 5
#define TRACE_ALL   (TRACE_EXITS | TRACE_MMIO | TRACE_PSCI | TRACE_IRQ | TRACE_NISV)

/* "exits", ...: bit i of enum trace_what is word i. */
extern const char *const trace_words[TRACE_WORDS];

/* "exits,irq"; NULL is all. -EINVAL with a sentence. */
int trace_read_what(const char *text, unsigned *ret, struct error *err);

struct machine_trace_request {
	unsigned what;    /* enum trace_what */
	const char *file; /* made anew; NULL: only the profile */
	uint32_t seconds; /* how long; 0: until it is stopped, or the machine ends */
};

/*
 * Fails with a sentence: -EBUSY if there is a trace already, -ESRCH if the machine does not
 * run, or as open(2). What the last one has counted is still there then.
 */
int machine_trace_start(struct machine *machine, const struct machine_trace_request *request,
			struct error *err);

/* The profile stays, until there is another. -EINVAL: there is no trace; -ESRCH. */
int machine_trace_stop(struct machine *machine, struct error *err);

struct machine_profile {
	bool active;
	unsigned what;
	uint64_t time;       /* ns since it was begun, or for which it was */
	const char *file;    /* NULL: there is none */
	int file_error;      /* errno that has ended it; 0: nothing has */
	uint64_t events;     /* that are for the file */
	uint32_t vcpus;      /* that it is of */
	uint64_t vectors;    /* VBAR_EL1 of the first vCPU, for symbols; 0: not known */
	struct tally exits;  /* by enum vcpu_exit_reason; times are in ticks (base/ticks.h) */
	struct tally reads;  /* of devices' registers that left the guest, by address */
	struct tally writes; /* likewise */
	struct tally posted; /* writes that did not, by address, without times */
	struct tally pcs;    /* by guest address; of long traces an estimate */
	struct tally irqs;   /* by INTID */
	bool estimated;      /* pcs are */
};

/*
 * What is known so far, of vCPU @cpu or all (-1), each table sorted; the caller's to free
 * with machine_profile_free(). Interrupts and posted writes are of the machine. -ESRCH:
 * there was no trace, is no such vCPU, or the machine does not run; -ENOMEM.
 */
int machine_profile(struct machine *machine, int64_t cpu, struct machine_profile **ret);
void machine_profile_free(struct machine_profile *profile); /* takes NULL */

DEFINE_CLEANUP(struct machine_profile *, machine_profile_free)

#endif
