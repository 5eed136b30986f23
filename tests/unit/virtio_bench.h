/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Testing a virtio device: a bench that holds one with all that it needs
 * (memory, event loop, the MMIO transport, eventfds as KVM would have them), a
 * driver for it, and the properties that every device must have whatever a
 * guest does to it.
 *
 *	struct virtio_bench *bench = virtio_bench_open(&kind);
 *
 *	virtio_bench_drive(bench, UINT64_MAX);
 *	virtio_bench_put(bench, 0, "ping", 4, 1);
 *	virtio_bench_kick(bench, 0);
 *	virtio_bench_run(bench);
 *	ck_assert(virtio_bench_used(bench, 0, &token, &length));
 *	virtio_bench_close(bench);
 *
 * The bench is the main thread; a device may have threads of its own.
 */
#ifndef ARMLET_TESTS_VIRTIO_BENCH_H
#define ARMLET_TESTS_VIRTIO_BENCH_H

#include "core/mmio.h"
#include "driver_ring.h"
#include "virtio/virtio_mmio.h"

#define VIRTIO_BENCH_RAM      UINT64_C(0x40000000)
#define VIRTIO_BENCH_RAM_SIZE (4 * MIB)
#define VIRTIO_BENCH_BASE     UINT64_C(0x0a000000)
#define VIRTIO_BENCH_INTID    48
#define VIRTIO_BENCH_QUEUES   40
#define VIRTIO_BENCH_RING     16 /* slots of a ring, unless the test sets it up itself */

struct virtio_bench;

struct virtio_kind {
	size_t bench_size;   /* of the structure that begins with struct virtio_bench */
	bool shared_ram;     /* which other processes may map */
	uint64_t contradict; /* features that drive() never accepts: they exclude others */
	bool numbers_pages;  /* bytes of buffers are numbers of pages that it may clear */
	int (*create)(struct virtio_bench *bench, struct virtio_device **ret);
	/* Optional: the device is gone; undo what else create() has done. */
	void (*finish)(struct virtio_bench *bench);
	/* Optional: something random from outside; no lock is held. */
	void (*disturb)(struct virtio_bench *bench);
	/* Optional: undo what a reset of the device leaves alone; no lock is held. */
	void (*calm)(struct virtio_bench *bench);
};

struct virtio_bench {
	const struct virtio_kind *kind;
	struct event_loop *loop;
	struct guest_mem *mem;
	struct virtio_device *virtio;
	struct mmio_bus *bus;
	const struct mmio_region *last;

	/* What the hypervisor was told. */
	bool no_shadow;                      /* it cannot: maps are refused */
	bool no_notify;                      /* it cannot: notifications trap */
	const uint8_t *page;                 /* shown at the registers; NULL: none is */
	unsigned shows;                      /* how often one was */
	int irq_fd;                          /* -1: none */
	int notify_fds[VIRTIO_BENCH_QUEUES]; /* by queue; -1: its notifications trap */

	/* The driver. */
	uint64_t features; /* negotiated */
	bool indirect;     /* buffers go in indirect tables; drive() sets it if it can */
	bool hostile;      /* rings may be broken: it notifies without looking into them */
	struct driver_ring rings[VIRTIO_BENCH_QUEUES];
	gpa_t next; /* RAM from here on is free */
	uint64_t random;
};

struct virtio_bench *virtio_bench_open(const struct virtio_kind *kind);
void virtio_bench_close(struct virtio_bench *bench);

/* Accesses of the guest's; registers of 4 bytes. */
uint64_t virtio_bench_read(struct virtio_bench *bench, uint64_t offset, unsigned size);
void virtio_bench_write(struct virtio_bench *bench, uint64_t offset, unsigned size, uint64_t value);
uint32_t virtio_bench_get(struct virtio_bench *bench, uint32_t offset);
void virtio_bench_set(struct virtio_bench *bench, uint32_t offset, uint32_t value);

/* @size bytes of RAM, zeroed and aligned to @align, until the next reset by the driver. */
gpa_t virtio_bench_alloc(struct virtio_bench *bench, uint64_t size, uint64_t align);
void *virtio_bench_ram(struct virtio_bench *bench, gpa_t addr, uint64_t size);

/* What the device offers. */
uint64_t virtio_bench_offered(struct virtio_bench *bench);

/*
 * Reset the device, and accept those of @features that it offers (VERSION_1
 * always); whether it left FEATURES_OK set.
 */
bool virtio_bench_negotiate(struct virtio_bench *bench, uint64_t features);

/* Set up queue @index with a ring of @size slots. */
void virtio_bench_queue(struct virtio_bench *bench, unsigned index, uint16_t size);

/* All of it up to DRIVER_OK, with all queues; fails the test if the device refuses. */
void virtio_bench_drive(struct virtio_bench *bench, uint64_t features);

/* As driver_ring_add(). put: a new piece with a copy of @data; room: one of @size to be written. */
bool virtio_bench_add(struct virtio_bench *bench, unsigned index, const struct driver_piece *pieces,
		      unsigned n_out, unsigned n_in, uint64_t token);
bool virtio_bench_put(struct virtio_bench *bench, unsigned index, const void *data, uint32_t size,
		      uint64_t token);
gpa_t virtio_bench_room(struct virtio_bench *bench, unsigned index, uint32_t size, uint64_t token);

/* Notify, if the device wants it. */
void virtio_bench_kick(struct virtio_bench *bench, unsigned index);

/* Let the event loop do what there is to do. */
void virtio_bench_run(struct virtio_bench *bench);

/* As driver_ring_used(). wait: within a few seconds, for devices that have threads. */
bool virtio_bench_used(struct virtio_bench *bench, unsigned index, uint64_t *ret_token,
		       uint32_t *ret_len);
bool virtio_bench_wait(struct virtio_bench *bench, unsigned index, uint64_t *ret_token,
		       uint32_t *ret_len);

/* Interrupts since the last call. */
uint64_t virtio_bench_interrupts(struct virtio_bench *bench);

/* Pseudo-random numbers of the bench's own; below @limit. */
uint32_t virtio_bench_random(struct virtio_bench *bench, uint32_t limit);

/* Saved state, to be freed. */
struct virtio_saved {
	uint8_t *data;
	size_t size;
};

/* Save as it is; or load, which returns what that does. */
struct virtio_saved virtio_bench_save(struct virtio_bench *bench);
int virtio_bench_load(struct virtio_bench *bench, const uint8_t *data, size_t size);

/* Make the RAM of @to that of @from. */
void virtio_bench_copy_ram(struct virtio_bench *to, const struct virtio_bench *from);

/* A shadow that is shown equals what reads give, and these change nothing. */
void virtio_bench_check_shadow(struct virtio_bench *bench);

/*
 * The properties (virtio_check.c): @rounds steps from @seed, each of them good
 * or bad traffic of registers, rings and buffers, a word from outside, or a
 * round of the event loop; and after each, the shadow is right.
 */
void virtio_check_random(const struct virtio_kind *kind, uint64_t seed, unsigned rounds);

/* In the middle of work: pause, save, load elsewhere, save gives the same; and it works on. */
void virtio_check_save(const struct virtio_kind *kind, uint64_t seed);

/* After random steps, a reset gives a fresh device. */
void virtio_check_reset(const struct virtio_kind *kind, uint64_t seed);

/* Saved bytes cut and changed never crash anything. */
void virtio_check_hostile_state(const struct virtio_kind *kind, uint64_t seed);

#endif
