/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Exclusive accesses to devices
 *
 * A load-exclusive from a device is done by hand (undescribed.h), so the CPU's own monitor
 * knows nothing of it: the store-exclusive would fail, the guest would try again, and so for
 * ever. Therefore a vCPU goes on step by step after such a load, until it stands at the
 * store-exclusive, which is then done by hand as well, and fails only if another vCPU has
 * written to the place in between (Arm ARM DDI 0487, B2.12). CLREX, an exception return, or a
 * few dozen other instructions end the watch before.
 */
#ifndef ARMLET_MACHINE_EXCLUSIVE_H
#define ARMLET_MACHINE_EXCLUSIVE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/util.h"
#include "core/types.h"

struct machine;
struct vcpu;

/* A vCPU's monitor; all of it under the lock but what is the vCPU's own. */
struct exclusive {
	bool watching;
	gpa_t addr;
	unsigned size;
	bool stepping;  /* the vCPU's own */
	unsigned steps; /* likewise: how many are left */
	bool storing;   /* likewise: it has the lock */
};

/* The machine's. */
struct exclusives {
	pthread_mutex_t lock;
	atomic_uint watching; /* vCPUs; most of the time none, and then nobody takes the lock */
};

void exclusives_init(struct exclusives *exclusives);
void exclusives_finish(struct exclusives *exclusives);

/* @vcpu has loaded [@addr, @addr + @size) and means to store there. Its own thread. */
void exclusive_watch(struct vcpu *vcpu, gpa_t addr, unsigned size);

/*
 * It stores there: whether nobody else has. The watch is over. If so, it has the lock until
 * exclusive_settle(), after the store. Its own thread.
 */
bool exclusive_watched(struct vcpu *vcpu, gpa_t addr, unsigned size);
void exclusive_settle(struct vcpu *vcpu, gpa_t addr, unsigned size);

/*
 * Around a write of @vcpu's: whoever watches the place has lost, and nobody stores there by an
 * exclusive meanwhile. Cheap while nobody watches anything. Its own thread.
 */
bool exclusive_begin_write(struct vcpu *vcpu);
void exclusive_end_write(struct vcpu *vcpu, bool begun, gpa_t addr, unsigned size);

/*
 * The vCPU stands at the next instruction, by VCPU_EXIT_DEBUG or else. False: nothing is
 * watched here, so that exit was not ours. Its own thread.
 */
bool exclusive_step(struct vcpu *vcpu);

#endif
