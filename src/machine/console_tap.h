/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the console's UART and its back end: keeps the last of what the
 * guest printed, for reports, and sees a kernel panic go by.
 */
#ifndef ARMLET_MACHINE_CONSOLE_TAP_H
#define ARMLET_MACHINE_CONSOLE_TAP_H

#include <stdatomic.h>

#include "core/char_port.h"

#define CONSOLE_TAP_SIZE 2048 /* a power of two */

struct console_tap {
	struct char_port below;
	uint8_t text[CONSOLE_TAP_SIZE];
	uint64_t count;   /* bytes ever printed */
	unsigned matched; /* of the panic's words */
	atomic_bool panicked;
};

void console_tap_init(struct console_tap *tap, const struct char_port *below);

/* The port to give to the UART. */
struct char_port console_tap_port(struct console_tap *tap);

/* The guest starts anew. */
void console_tap_reset(struct console_tap *tap);

/*
 * The last @lines lines, unprintable bytes made '.', as a string of at most
 * CONSOLE_TAP_SIZE characters in @ret.
 */
void console_tap_tail(const struct console_tap *tap, unsigned lines,
		      char ret[static CONSOLE_TAP_SIZE + 1]);

#endif
