/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration that a kernel carries in itself, with CONFIG_IKCONFIG=y: Linux,
 * kernel/configs.c, a gzip stream (RFC 1952) between two marks.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_TRIAL_IKCONFIG_H
#define ARMLET_TRIAL_IKCONFIG_H

#include <stddef.h>
#include <stdint.h>

#define IKCONFIG_PACKED_MAX (1 << 20) /* bytes; a whole one of Debian's has 1/16 of that */
#define IKCONFIG_TEXT_MAX   (8 << 20)
#define IKCONFIG_TRIES      8 /* of what begins as one, and is none */

struct ikconfig {
	uint8_t *window;
	size_t size;
	unsigned tries;
	char *text; /* NULL: not found yet; @text_size bytes, and a zero behind */
	size_t text_size;
};

/*
 * Look at the next @size bytes of the unpacked kernel; @find begins zeroed. 0: go on; 1: it is
 * found, or there is none to be; -ENOMEM.
 */
int ikconfig_feed(struct ikconfig *find, const uint8_t *bytes, size_t size);

/* Takes a zeroed one. */
void ikconfig_finish(struct ikconfig *find);

#endif
