/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory balloon of virtio 1.3, 5.5: memory that the guest gives back. Three
 * ways: the balloon, which takes what the owner asks for (set_target); free
 * page reporting, by which a guest tells of what it does not use just now; and
 * free page hints, which are for an owner that copies the memory. And the
 * statistics of the guest's memory.
 *
 * What is given back costs the host nothing until the guest writes to it again,
 * and then reads as zeroes. On hosts whose pages are larger than 4 KiB only
 * whole ones are given back, as far as they come in one request.
 *
 * Threads: all under the device's lock; the callbacks come with it held, from
 * the main thread.
 */
#ifndef ARMLET_VIRTIO_VIRTIO_BALLOON_H
#define ARMLET_VIRTIO_VIRTIO_BALLOON_H

#include <linux/virtio_balloon.h>

#include "virtio/virtio_device.h"

#define VIRTIO_BALLOON_STATS 16 /* tags that are kept: VIRTIO_BALLOON_S_*, and younger ones */

struct virtio_balloon_stats {
	uint32_t valid; /* bit N: the guest told of tag N */
	uint64_t values[VIRTIO_BALLOON_STATS];
	uint64_t reports; /* that came, in the life of the device */
};

struct virtio_balloon_options {
	const char *name;
	const struct guest_mem *mem;
	struct event_loop *loop;
	bool deflate_on_oom; /* the guest may take memory back rather than kill */
	bool reporting;      /* it may tell of free pages */

	/* Optional: statistics have come. */
	void (*reported)(void *data);
	/*
	 * Optional, and only then hints are offered: what lies in
	 * [@addr, @addr + @size) need not be copied. The guest may use it again
	 * at once, so it is not to be given back, and whoever copies must see
	 * what is written from now on.
	 */
	void (*hinted)(void *data, gpa_t addr, uint64_t size);
	/* Optional: the guest has no more hints in this round. */
	void (*hints_end)(void *data);
	void *data;
};

/* -ENOMEM. */
int virtio_balloon_create(const struct virtio_balloon_options *options, struct virtio_device **ret);

/*
 * How much memory the balloon is to have, in bytes (rounded down to 4 KiB; at
 * most all there is), and how much it has, as the guest says.
 */
void virtio_balloon_set_target(struct virtio_device *virtio, uint64_t size);
uint64_t virtio_balloon_target(const struct virtio_device *virtio);
uint64_t virtio_balloon_actual(const struct virtio_device *virtio);

/* Ask for statistics now: false if the guest gives none. And each @seconds; 0: only when asked. */
bool virtio_balloon_ask_stats(struct virtio_device *virtio);
int virtio_balloon_set_period(struct virtio_device *virtio, uint32_t seconds);

/* As of the last report; nothing is valid after a reset. */
const struct virtio_balloon_stats *virtio_balloon_stats(const struct virtio_device *virtio);

/*
 * Begin a round of hints: false if the guest gives none. And end it: from now
 * on there are no hints, and the guest has the pages back for itself.
 */
bool virtio_balloon_hint(struct virtio_device *virtio);
void virtio_balloon_hint_done(struct virtio_device *virtio);

#endif
