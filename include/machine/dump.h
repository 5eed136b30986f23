/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's memory and registers into a file that gdb and crash open (core/vmcore.h).
 * The machine is held meanwhile, and goes on afterwards if it ran. A thread of its own
 * writes; progress, after each twentieth of the way, and the end are told as events of the
 * machine.
 *
 * Threads: the main thread's.
 */
#ifndef ARMLET_MACHINE_DUMP_H
#define ARMLET_MACHINE_DUMP_H

#include "core/types.h"
#include "machine/machine.h"

enum machine_dump_state {
	MACHINE_DUMP_NONE,
	MACHINE_DUMP_ACTIVE,
	MACHINE_DUMP_COMPLETED,
	MACHINE_DUMP_FAILED,
};

/* Of the last dump, or the one that is being written. */
struct machine_dump_status {
	enum machine_dump_state state;
	uint64_t completed; /* bytes of memory */
	uint64_t total;
	struct error err; /* of MACHINE_DUMP_FAILED */
};

struct machine_dump_options {
	/*
	 * A file that is there is replaced when the new one is complete; one that is not
	 * regular is written to. NULL: @fd, whose file is written from where it is.
	 */
	const char *path;
	int fd;      /* is taken over, whatever comes; -1: none */
	bool paging; /* with virtual addresses, as the kernel's VMCOREINFO tells them */
	gpa_t begin; /* physical; @length bytes of it, or with 0 all memory */
	uint64_t length;
};

/*
 * Begin. -EBUSY: another is being written; -ESRCH: the machine does not run; -EINVAL: no
 * such memory; -ENODATA: @paging, and the kernel does not tell; or as of open(2).
 */
int machine_dump(struct machine *machine, const struct machine_dump_options *options,
		 struct error *err);

/* End it, if there is one; nothing of it stays. */
void machine_dump_cancel(struct machine *machine);

void machine_dump_status(const struct machine *machine, struct machine_dump_status *ret);

#endif
