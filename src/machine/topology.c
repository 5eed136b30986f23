/* SPDX-License-Identifier: Apache-2.0 */
#include "topology.h"

#include "arm64/sysreg.h"

#define AFF0_COUNT 16
#define AFF_COUNT  256

static uint32_t at_least_one(uint32_t count)
{
	return count ? count : 1;
}

/* All four, what is not said filled in: one, and of the cores as many as are left. */
static struct topology_config complete(const struct machine_config *config)
{
	struct topology_config topology = config->topology;
	uint64_t others;

	topology.sockets = at_least_one(topology.sockets);
	topology.clusters = at_least_one(topology.clusters);
	topology.threads = at_least_one(topology.threads);
	others = (uint64_t)topology.sockets * topology.clusters * topology.threads;
	if (!topology.cores)
		topology.cores = at_least_one((uint32_t)(config->cpus / others));
	return topology;
}

int topology_check(const struct machine_config *config, struct error *err)
{
	const struct topology_config topology = complete(config);
	uint64_t cpus =
		(uint64_t)topology.sockets * topology.clusters * topology.cores * topology.threads;

	if (!config->topology_count || cpus == config->cpus)
		return 0;
	return error_set(err, EINVAL,
			 "--topology: %u sockets of %u clusters of %u cores of %u threads are "
			 "%llu CPUs, but --cpus is %u",
			 topology.sockets, topology.clusters, topology.cores, topology.threads,
			 (unsigned long long)cpus, config->cpus);
}

struct topology_place topology_place(const struct machine_config *config, uint32_t index)
{
	const struct topology_config topology = complete(config);
	struct topology_place place;

	place.thread = index % topology.threads;
	index /= topology.threads;
	place.core = index % topology.cores;
	index /= topology.cores;
	place.cluster = index % topology.clusters;
	place.socket = index / topology.clusters;
	return place;
}

/* Aff3 stays zero: interrupt controllers need not know it. */
bool topology_mpidr(const struct machine_config *config, uint32_t index, uint64_t *ret)
{
	const struct topology_config topology = complete(config);
	const struct topology_place place = topology_place(config, index);
	uint64_t cluster = (uint64_t)place.socket * topology.clusters + place.cluster;

	if (!config->topology_count || topology.sockets > AFF_COUNT ||
	    topology.clusters > AFF_COUNT)
		return false;
	if (topology.threads > 1) {
		*ret = MPIDR_RES1 | MPIDR_MT | place.thread | (uint64_t)place.core << 8 |
		       cluster << 16;
		return topology.threads <= AFF0_COUNT && topology.cores <= AFF_COUNT &&
		       topology.sockets * topology.clusters <= AFF_COUNT;
	}
	*ret = MPIDR_RES1 | place.core | (uint64_t)place.cluster << 8 |
	       (uint64_t)place.socket << 16;
	return topology.cores <= AFF0_COUNT;
}
