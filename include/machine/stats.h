/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is counted of a machine that runs. Unless something else is said, it is of the
 * present boot: a reset begins anew.
 *
 * Threads: all of it is the main thread's.
 */
#ifndef ARMLET_MACHINE_STATS_H
#define ARMLET_MACHINE_STATS_H

#include "core/disk.h"
#include "hyp/stats.h"
#include "machine/machine.h"

/* The hypervisor's own, the caller's to free. -ENODEV: there is no such vCPU; -EOPNOTSUPP. */
int machine_hyp_stats(struct machine *machine, struct hyp_stats **ret);
int machine_vcpu_hyp_stats(struct machine *machine, uint32_t index, struct hyp_stats **ret);

/* The kinds of exits to user space, by number from 0, as "MMIO"; NULL: there are no more. */
const char *machine_exit_name(unsigned kind);

/* How many of a kind vCPU @index had; 0 for what is not there. */
uint64_t machine_vcpu_exits(const struct machine *machine, uint32_t index, unsigned kind);

/* CPU time in ns that the thread of vCPU @index has used, in the guest and for it. */
uint64_t machine_vcpu_cpu_time(const struct machine *machine, uint32_t index);

/* Of the whole process since it began. */
struct machine_usage {
	uint64_t cpu_time; /* ns, of all threads */
	uint64_t memory;   /* bytes that are configured for the guest */
	uint64_t resident; /* bytes of the process in the host's memory, the guest's in it */
};
void machine_usage(const struct machine *machine, struct machine_usage *ret);

/* The network @index in the configuration's order, as the guest sees it. */
struct machine_net_stats {
	const char *name; /* "net0" */
	uint64_t rx_bytes;
	uint64_t rx_packets;
	uint64_t tx_bytes;
	uint64_t tx_packets;
};

/*
 * 1; 0: there is no such network; -errno: its packets are not counted. With a tap the
 * host counts them, from the tap's beginning.
 */
int machine_net_stats(const struct machine *machine, size_t index, struct machine_net_stats *ret);

#endif
