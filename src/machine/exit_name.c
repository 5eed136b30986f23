/* SPDX-License-Identifier: Apache-2.0 */
/* The names of exits, for people: the same whatever the hypervisor is. */
#include "hyp/hyp.h"

const char *vcpu_exit_name(enum vcpu_exit_reason reason)
{
	static const char *const names[VCPU_EXIT_REASONS] = {
		[VCPU_EXIT_INTERRUPTED] = "INTERRUPTED",
		[VCPU_EXIT_MMIO] = "MMIO",
		[VCPU_EXIT_NO_SYNDROME] = "NO_SYNDROME",
		[VCPU_EXIT_LDST64B] = "LDST64B",
		[VCPU_EXIT_SHUTDOWN] = "SHUTDOWN",
		[VCPU_EXIT_RESET] = "RESET",
		[VCPU_EXIT_SUSPEND] = "SUSPEND",
		[VCPU_EXIT_WAKEUP] = "WAKEUP",
		[VCPU_EXIT_CRASH] = "CRASH",
		[VCPU_EXIT_HYPERCALL] = "HYPERCALL",
		[VCPU_EXIT_DEBUG] = "DEBUG",
		[VCPU_EXIT_SEA] = "SEA",
		[VCPU_EXIT_MEMORY_FAULT] = "MEMORY_FAULT",
		[VCPU_EXIT_DIRTY_RING_FULL] = "DIRTY_RING_FULL",
		[VCPU_EXIT_FAIL_ENTRY] = "FAIL_ENTRY",
		[VCPU_EXIT_INTERNAL_ERROR] = "INTERNAL_ERROR",
		[VCPU_EXIT_RUN_FAILED] = "RUN_FAILED",
		[VCPU_EXIT_OTHER] = "OTHER",
	};

	return reason < VCPU_EXIT_REASONS && names[reason] ? names[reason] : "UNKNOWN";
}
