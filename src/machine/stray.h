/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses to addresses where nothing is: read as zero, ignored on write, and
 * logged once each with the guest's PC - for a bounded number of addresses.
 */
#ifndef ARMLET_MACHINE_STRAY_H
#define ARMLET_MACHINE_STRAY_H

#include <pthread.h>

#include "core/mmio.h"
#include "hyp/hyp.h"

#define STRAY_ADDRESSES 64

struct stray {
	pthread_mutex_t lock;
	gpa_t seen[STRAY_ADDRESSES];
	unsigned count;
	uint64_t accesses; /* in all */
	bool told_full;
};

void stray_init(struct stray *stray);
void stray_finish(struct stray *stray);

/* @vcpu has made @access, which no device claimed. */
void stray_access(struct stray *stray, struct hyp_vcpu *vcpu, const struct mmio_access *access);

#endif
