/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debugging the guest from outside: what stops it, what lets it go on, and its memory as its
 * own programs see it. Who debugs is one client at a time; the machine is paused while it
 * looks (machine_pause()).
 *
 * Breakpoints are in the CPUs' debug registers, which no guest can see; those that do not fit
 * there any more are instructions in its memory. They outlive a reset of the guest.
 *
 * Threads: the main thread's.
 */
#ifndef ARMLET_MACHINE_DEBUG_H
#define ARMLET_MACHINE_DEBUG_H

#include "core/types.h"
#include "machine/machine.h"

/* As gdb numbers them in its packets Z0 to Z4. */
enum machine_point {
	MACHINE_POINT_BREAK, /* in a register, or if there is none left, in memory */
	MACHINE_POINT_HARDWARE_BREAK,
	MACHINE_POINT_WRITE,
	MACHINE_POINT_READ,
	MACHINE_POINT_ACCESS,
	MACHINE_POINTS,
};

struct machine_stop {
	uint32_t cpu;
	bool stepped;             /* else it is at a point */
	enum machine_point point; /* of the two breaks always the first */
	gva_t addr;               /* of a watchpoint */
};

/* How a vCPU goes on. */
struct machine_go {
	enum { MACHINE_HOLD, MACHINE_GO, MACHINE_STEP } how;
	gva_t begin; /* STEP: it goes on stepping while the PC is in [begin, end) */
	gva_t end;
};

/*
 * @stopped is called when a vCPU stops by itself, in the main thread with no lock held; the
 * machine is paused as soon as it returns. -EBUSY: somebody else debugs.
 */
int machine_debug_attach(struct machine *machine,
			 void (*stopped)(void *data, const struct machine_stop *stop), void *data,
			 struct error *err);

/* The end: all points go. The machine stays as it is, paused or not. */
void machine_debug_detach(struct machine *machine);

uint32_t machine_cpu_count(const struct machine *machine);

/* Whether PSCI has the vCPU off, of a paused machine. */
bool machine_cpu_off(const struct machine *machine, uint32_t cpu);

/*
 * A breakpoint at @addr, whose @size is not asked for, or a watchpoint of @size bytes, for all
 * vCPUs; only while the machine is paused. @cpu is the one whose tables tell where @addr is,
 * if the point has to be in memory. -ENOSPC: the CPUs have no more; -EINVAL: they have none
 * that does it, or there is no such point.
 */
struct machine_point_at {
	uint32_t cpu;
	gva_t addr;
	uint64_t size;
};
int machine_set_point(struct machine *machine, enum machine_point point,
		      const struct machine_point_at *at);
int machine_clear_point(struct machine *machine, enum machine_point point,
			const struct machine_point_at *at);

/*
 * Let the machine go on, which is paused: each vCPU as its row of @go says, one a vCPU. As
 * long as one of them is held the machine counts as paused, and its virtio devices wait.
 */
void machine_debug_go(struct machine *machine, const struct machine_go *go);

/* The machine is paused, by whoever: what was to be stepped no longer is. */
void machine_debug_settle(struct machine *machine);

/*
 * Memory of the paused machine at @addr, by the tables of vCPU @cpu whatever they permit, or
 * with @physical at that IPA. -EFAULT: not all of it is in RAM; then what is in front of
 * that has been read or written, which *ret tells.
 */
struct machine_memory {
	uint32_t cpu;
	bool physical;
	uint64_t addr;
};
int machine_read_memory(const struct machine *machine, const struct machine_memory *at, void *data,
			size_t size, size_t *ret);
int machine_write_memory(struct machine *machine, const struct machine_memory *at, const void *data,
			 size_t size, size_t *ret);

#endif
