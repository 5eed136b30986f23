/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hypervisor does with an eventfd: a guest's write signals it, or its
 * signal is a guest's interrupt. Neither leaves the kernel for the user's
 * space of this process, so what waits on the other end may be a thread of
 * ours, the kernel (vhost) or another process.
 *
 * Threads: any.
 */
#ifndef ARMLET_CORE_EVENTFD_OPS_H
#define ARMLET_CORE_EVENTFD_OPS_H

#include "base/util.h"
#include "core/types.h"

/* Each returns 0 or -errno; ending (@on false) never fails. Both required. */
struct eventfd_ops {
	/* A write of @value, 4 bytes wide, to @addr signals @fd, and is done with that. */
	int (*notify)(void *hyp, gpa_t addr, uint32_t value, int fd, bool on);
	/* A signal of @fd is an edge of the SPI @intid. */
	int (*interrupt)(void *hyp, uint32_t intid, int fd, bool on);
};

#endif
