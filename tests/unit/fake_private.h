/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the fake share: VM (fake_hyp.c), guest (fake_guest.c), registers (fake_regs.c).
 */
#ifndef ARMLET_TESTS_FAKE_PRIVATE_H
#define ARMLET_TESTS_FAKE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "fake_hyp.h"

#define MAX_RECORDS 4096
#define MAX_SLOTS   8
#define MAX_RANGES  8
#define MAX_INTIDS  128

struct program {
	const struct fake_step *steps;
	size_t count;
};

struct slot {
	gpa_t base;
	uint64_t size;
	uint8_t *host;
	unsigned flags;
};

struct range {
	gpa_t addr;
	uint32_t size; /* 0: unused */
	uint64_t value;
};

struct hyp_vcpu {
	struct hyp *hyp;
	struct hyp_vcpu *next;
	uint32_t index;
	atomic_bool kicked;
	atomic_bool running; /* inside hyp_vcpu_run() */
	size_t step;
	size_t at; /* bytes of the present step's text that are out */
	bool stats_open;
	bool numbered;
	uint64_t mpidr;
	bool read_pending; /* the present step's read left as an exit */
};

struct hyp {
	struct hyp_caps caps;
	unsigned boot;
	struct slot slots[MAX_SLOTS];
	struct range posted[MAX_RANGES];
	struct range dropped[MAX_RANGES];
	struct range notifying[MAX_RANGES];
	int notify_fds[MAX_RANGES]; /* of each */
	bool irq[MAX_INTIDS];
	struct hyp_posted_write ring[FAKE_RING];
	atomic_uint first;
	atomic_uint last;
	struct hyp_vcpu *vcpus;
};

struct fake {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct program programs[FAKE_BOOTS][FAKE_VCPUS];
	struct fake_record records[MAX_RECORDS];
	size_t record_count;
	unsigned vms; /* made in all */
	unsigned open_vms;
	struct hyp_gic_config gic;
};

extern struct fake fake;

/* These with the lock held. */
void fake_record(const struct hyp *hyp, enum fake_event event, uint64_t a, uint64_t b, uint64_t c);

/* The same, with fake.lock taken for it. */
void fake_note(const struct hyp *hyp, enum fake_event event, uint64_t a, uint64_t b, uint64_t c);
struct range *fake_find_range(struct range *ranges, gpa_t addr, uint32_t size, uint64_t value);
bool fake_ring_push(struct hyp *hyp, gpa_t addr, unsigned size, uint64_t value);

#endif
