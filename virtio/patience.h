/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a server that somebody waits for may be silent before that is told. It
 * is told once, and once more when the server answers again.
 *
 * There is a timer only while something is asked, and it is set at most once in
 * a while, not for each request.
 *
 * Threads: the main thread, under the device's lock.
 */
#ifndef ARMLET_VIRTIO_PATIENCE_H
#define ARMLET_VIRTIO_PATIENCE_H

#include "virtio/virtio_device.h"

#define PATIENCE_MS 10000

/* Embed it, zeroed but for the first rows. */
struct patience {
	struct virtio_device *virtio;
	const char *tag; /* of the share; TAG_SIZE bytes at most */
	int tag_size;
	unsigned ms; /* 0: PATIENCE_MS */
	/* Whether an answer is waited for; @ret_done is another number after each answer. */
	bool (*waits)(struct virtio_device *virtio, uint64_t *ret_done);
	/* Optional: nothing is waited for any more, so the timer has ended. */
	void (*quiet)(struct virtio_device *virtio);

	struct event_source timer;
	bool waited; /* when that was asked last */
	uint64_t done;
	bool runs;
	bool told;
};

/* Something is asked; costs nothing while the timer runs. */
void patience_begin(struct patience *patience);

/* Nobody waits any more. Takes one that never began. */
void patience_end(struct patience *patience);

#endif
