/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Which CPUs share what
 *
 * A guest learns it from two places: the device tree's cpu-map, and MPIDR_EL1. Without
 * --topology both are as KVM numbers its vCPUs: cores, 16 to a cluster. With it the cpu-map
 * says what was asked for, and MPIDR_EL1 as well, where KVM keeps what it is set to (Linux
 * 6.1 forgets it at each CPU_ON) and the fields have room (topology_mpidr()).
 */
#ifndef ARMLET_MACHINE_TOPOLOGY_H
#define ARMLET_MACHINE_TOPOLOGY_H

#include "base/error.h"
#include "machine/config.h"

/* Where a CPU is: each of these counted within the one before. */
struct topology_place {
	uint32_t socket;
	uint32_t cluster;
	uint32_t core;
	uint32_t thread;
};

/* Whether what is configured makes as many CPUs as there are; a sentence if not. */
int topology_check(const struct machine_config *config, struct error *err);

/* Of CPU @index, by the configuration; there is one. */
struct topology_place topology_place(const struct machine_config *config, uint32_t index);

/*
 * The affinity fields for CPU @index, with MT if a core has several threads. False: the
 * configuration says nothing, or the fields have no room for it, as the GIC's lists of
 * targets reach Aff0 up to 15 only (IHI 0069, ICC_SGI1R_EL1).
 */
bool topology_mpidr(const struct machine_config *config, uint32_t index, uint64_t *ret);

#endif
