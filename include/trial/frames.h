/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's end of what wire.h describes: bytes as they come are put together to frames.
 * The guest is not to be trusted: a frame that is none ends the stream.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_TRIAL_FRAMES_H
#define ARMLET_TRIAL_FRAMES_H

#include "base/error.h"
#include "trial/wire.h"

struct frames {
	uint8_t header[WIRE_HEADER];
	uint8_t payload[WIRE_PAYLOAD];
	size_t have; /* bytes of the present frame, with its header */
	bool broken;
};

/* A whole frame; output of the command may come in pieces. */
typedef void frames_take(void *data, enum wire_kind kind, const uint8_t *payload, size_t size);

/*
 * Give @size bytes that have come; @take is called for each frame that they complete.
 * -EPROTO: that is none of a guest's frames, and never anything is any more.
 */
int frames_feed(struct frames *frames, const uint8_t *bytes, size_t size, frames_take *take,
		void *data, struct error *err);

#endif
