/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hypervisor counts, described by itself: the names, and which there are, are
 * its own (Linux, Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD).
 */
#ifndef ARMLET_HYP_STATS_H
#define ARMLET_HYP_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

enum hyp_stat_type {
	HYP_STAT_CUMULATIVE,
	HYP_STAT_INSTANT,
	HYP_STAT_PEAK,
	HYP_STAT_LINEAR_HISTOGRAM,
	HYP_STAT_LOG2_HISTOGRAM,
	HYP_STAT_TYPES,
};

enum hyp_stat_unit {
	HYP_STAT_PURE, /* a number of something */
	HYP_STAT_BYTES,
	HYP_STAT_SECONDS,
	HYP_STAT_CYCLES,
	HYP_STAT_BOOLEAN,
	HYP_STAT_UNITS,
};

struct hyp_stat {
	const char *name;
	enum hyp_stat_type type;
	enum hyp_stat_unit unit; /* times @base to the power of @exponent */
	unsigned base;           /* 10 or 2 */
	int exponent;
	uint32_t bucket_size; /* of a linear histogram */
	uint32_t count;       /* of values: that of a histogram's buckets, or 1 */
	const uint64_t *values;
};

/* All of one VM or vCPU at one moment; in one piece of memory, freed by free(3). */
struct hyp_stats {
	size_t count;
	struct hyp_stat stats[];
};

#endif
