/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: What armlet top shows
 *
 * A sample is what a machine has counted at one moment, from the answers of its control
 * socket; two of them give rates. Nothing here asks anybody, or prints to a screen.
 *
 * Counters begin anew when the guest resets, and all of them when another machine has
 * taken the name: what is less than before has been counted from zero.
 */
#ifndef ARMLET_CLI_TOP_SAMPLE_H
#define ARMLET_CLI_TOP_SAMPLE_H

#include <json-c/json.h>

#include "base/error.h"
#include "hyp/hyp.h"
#include "place.h"

/* What is asked of a machine. The numbers are those of the answers. */
enum top_question { TOP_STATUS, TOP_VM, TOP_VCPUS, TOP_DISKS, TOP_QUESTIONS };

/* The command of a question, and its arguments, the caller's to put; NULL: it has none. */
const char *top_command(enum top_question question);
struct json_object *top_arguments(enum top_question question);

struct top_vcpu {
	uint64_t cpu_time; /* ns */
	uint64_t exits[VCPU_EXIT_REASONS];
};

/* A disk or a network; what is in comes to the guest: it reads or receives. */
struct top_device {
	char name[24];
	bool is_net;
	uint64_t in_bytes;
	uint64_t out_bytes;
	uint64_t in_count; /* requests or packets */
	uint64_t out_count;
};

struct top_sample {
	int64_t time; /* ns, of any clock that runs on */
	bool paused;
	uint64_t cpu_time; /* ns, of the whole process */
	uint64_t memory;   /* bytes that the guest may have */
	uint64_t actual;   /* and that the balloon leaves it; @memory without a balloon */
	uint64_t resident; /* bytes of the host's that the process holds */
	struct top_vcpu *vcpus;
	uint32_t vcpu_count;
	struct top_device *devices;
	size_t device_count;
};

/* Takes NULL. */
void top_sample_free(struct top_sample *sample);

/* What @answer to @question tells. -EPROTO: it is no such answer; -ENOMEM. */
int top_sample_add(struct top_sample *sample, enum top_question question,
		   struct json_object *answer);

/* A second's share of what a counter has counted in so many; 0 of none. */
double top_rate(uint64_t before, uint64_t now, double seconds);

/* Of two samples, for each second. CPU time is 1 for a CPU that was in use all the time. */
struct top_rates {
	double seconds; /* between the two; 0: there are no rates */
	double cpu;     /* of all vCPUs */
	double process; /* of the whole process */
	double exits;
	double disk_in; /* bytes */
	double disk_out;
	double net_in;
	double net_out;
};
/* Either may be NULL. */
struct top_rates top_rates(const struct top_sample *before, const struct top_sample *now);

struct top_vcpu_rates {
	double cpu;
	double exits; /* of all kinds */
	double exits_of[VCPU_EXIT_REASONS];
};
struct top_vcpu_rates top_vcpu_rates(const struct top_sample *before, const struct top_sample *now,
				     uint32_t index);

struct top_device_rates {
	double in_bytes;
	double out_bytes;
	double in_count;
	double out_count;
};
struct top_device_rates top_device_rates(const struct top_sample *before,
					 const struct top_sample *now, size_t index);

#endif
