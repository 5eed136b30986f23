/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: How a vCPU stops for a debugger
 *
 * A debug exception leaves the guest (hyp_vcpu_debug()). If it is one of ours, the vCPU's
 * thread notes what it was, asks the main thread to look, and waits outside the guest, as if
 * it was paused. The main thread pauses the machine and tells the client. When that lets
 * the vCPU go on, it is entered again where it stood.
 *
 * One that is to go on alone, while the others are held, is an exception of the pause:
 * it is @alone, which pause.c looks at, and whoever wants all outside takes it back.
 *
 * A step masks the interrupts, which Linux would otherwise find waiting at each, and never
 * come to the next instruction (arm64/debug.h).
 */
#ifndef ARMLET_MACHINE_DEBUG_INTERNAL_H
#define ARMLET_MACHINE_DEBUG_INTERNAL_H

#include <stdatomic.h>

#include "arm64/debug.h"
#include "core/event_loop.h"
#include "hyp/hyp.h"
#include "machine/debug.h"

struct vcpu;
struct vcpu_exit;

/* A vCPU's; what is not atomic is its thread's, or the main one's while it is held. */
struct vcpu_debug {
	atomic_bool stopped; /* it waits: @stop says why */
	atomic_bool alone;   /* it may run while the machine is paused */
	bool stepping;
	struct debug_step step;
	struct machine_go range;
	struct machine_stop stop;
};

#define DEBUG_POINTS_MAX 256

struct debug_point {
	enum machine_point kind;
	uint32_t cpu; /* whose tables tell where it is in memory */
	gva_t addr;
	uint64_t size;
	bool patched; /* its instruction is in memory, at @at */
	gpa_t at;
	uint32_t original;
};

struct debug {
	void (*stopped)(void *data, const struct machine_stop *stop); /* NULL: nobody debugs */
	void *data;
	struct event_source soon; /* a vCPU has stopped */
	struct debug_point points[DEBUG_POINTS_MAX];
	size_t point_count;
	struct hyp_debug registers; /* what of the points is in registers */
};

void debug_init(struct machine *machine);
void debug_finish(struct machine *machine);

/* A boot begins: its vCPUs are new, and so is what is in memory. */
void debug_begin(struct machine *machine);

/* The vCPU's thread: answer VCPU_EXIT_DEBUG. False: nobody had asked for it. */
bool debug_answer(struct vcpu *vcpu, const struct vcpu_exit *exit);

/* The vCPU's thread: an instruction was done by hand, which counts as a step. */
void debug_by_hand(struct vcpu *vcpu);

/* What makes the vCPU stop has changed. Its own thread, or any while it is held. */
void debug_apply(struct vcpu *vcpu);

#endif
