/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The trace
 *
 * A vCPU looks at machine->attention before it enters the guest; if there is any (here it
 * is ATTEND_TRACE), what it comes back for is looked at twice: before it is answered, and
 * after that. All that is counted then is the vCPU's own (struct trace_cpu), and so is the
 * buffer of events for the file, which it writes when it is full. Whoever begins or ends a
 * trace, or reads what was counted, has the vCPUs outside the guest.
 *
 * Interrupts and posted writes come from any thread: they are counted under the trace
 * lock, which also is held around each write to the file.
 *
 * The guest's PC is asked of KVM, which costs more than all else here together. It is
 * asked for the first TRACE_PCS_EXACT exits of a vCPU, and then for one in
 * TRACE_PC_INTERVAL, which stands for as many.
 */
#ifndef ARMLET_MACHINE_TRACE_PRIVATE_H
#define ARMLET_MACHINE_TRACE_PRIVATE_H

#include <pthread.h>

#include "core/event_loop.h"
#include "hyp/hyp.h"
#include "machine/layout.h"
#include "machine/trace.h"
#include "trace_file.h"
#include "virtio/virtio_device.h"

#define TRACE_PCS_EXACT   1024
#define TRACE_PC_INTERVAL 17 /* what a driver does again and again is seldom as many */
#define TRACE_REGISTERS   256
#define TRACE_PCS         1024
#define TRACE_IRQS        128

struct vcpu;

struct trace_cpu {
	unsigned what;
	unsigned category; /* of the exit that is being answered; 0: not of interest */
	uint64_t begin;
	uint64_t pc;
	uint32_t pc_weight; /* 0: the PC was not asked */
	uint32_t until_pc;
	uint64_t seen;
	struct tally_row exits[VCPU_EXIT_REASONS];
	struct tally reads;
	struct tally writes;
	struct tally pcs;
	struct trace_buffer buffer;
};

struct trace {
	unsigned what;  /* 0: there is none; changed under the lock */
	unsigned asked; /* of the present one, or the last */
	uint64_t begun;
	uint64_t ended;   /* ticks */
	uint64_t vectors; /* VBAR_EL1 of the first vCPU when it was asked last; 0: it never was */
	struct trace_cpu *cpus;
	uint32_t cpu_count;
	struct event_source timer;
	struct irq_watch watches[LAYOUT_VIRTIO_SLOTS];

	pthread_mutex_t lock;
	struct trace_file file;
	struct trace_buffer shared; /* of the threads that are no vCPUs */
	struct tally irqs;          /* the mark: when the line went up; 0: it is down */
	struct tally posted;
};

void trace_init(struct machine *machine);
void trace_finish(struct machine *machine);

/* Whether the configuration says what can be traced. */
int trace_check(const struct machine_config *config, struct error *err);

/* What the configuration wants of it, before the first vCPU runs. Fails with a sentence. */
int trace_begin(struct machine *machine, struct error *err);

/* A boot begins, its vCPUs not yet: what is traced goes on in it. */
void trace_board(struct machine *machine);

/* Where the guest's vectors are, while its vCPUs are there but run not. */
void trace_see_vectors(struct machine *machine);

/* That was the last boot: nothing is missing in the file. */
void trace_end(struct machine *machine);

/* Who is to know of the interrupts of what is in slot @index of virtio-mmio; NULL: nobody. */
const struct irq_watch *trace_watch(struct machine *machine, uint32_t index);

/* Around the answer to an exit, if there is any attention; the vCPU's thread. */
void trace_exit(struct vcpu *vcpu, const struct vcpu_exit *exit);
void trace_answered(struct vcpu *vcpu, const struct vcpu_exit *exit);

/* Any thread, if machine->attention has ATTEND_TRACE. */
void trace_irq(struct machine *machine, uint32_t intid, bool level);
void trace_posted(struct machine *machine, gpa_t addr, uint32_t count);

#endif
