/* SPDX-License-Identifier: Apache-2.0 */
/* A dump that is being written (machine/dump.h). */
#ifndef ARMLET_MACHINE_DUMP_PRIVATE_H
#define ARMLET_MACHINE_DUMP_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "machine/dump.h"

struct dump {
	enum machine_dump_state state;
	struct error err;
	bool resume; /* the machine is to go on afterwards */

	/* The thread's, while it is active. */
	pthread_t thread;
	atomic_bool cancelled;
	atomic_bool ended; /* all is written, or failed with @result */
	int result;
	_Atomic uint64_t completed;
	uint64_t total;
	const uint8_t *memory; /* @total bytes */
	void *header;
	size_t header_size;
	int fd;
	bool sparse;     /* pages of zeroes are holes */
	char *path;      /* NULL: only @fd is known */
	char *temporary; /* what becomes @path; NULL: it is written to itself */

	struct event_source told; /* an eventfd: there is progress, or the end */
};

void dump_init(struct machine *machine);

/* The boot ends: so does a dump of it. */
void dump_end(struct machine *machine);

#endif
