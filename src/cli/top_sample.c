/* SPDX-License-Identifier: Apache-2.0 */
#include "top_sample.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NS 1e9

/* Asking. */

const char *top_command(enum top_question question)
{
	static const char *const commands[TOP_QUESTIONS] = {
		[TOP_STATUS] = "query-status",
		[TOP_VM] = "query-stats",
		[TOP_VCPUS] = "query-stats",
		[TOP_DISKS] = "query-blockstats",
	};

	return commands[question];
}

struct json_object *top_arguments(enum top_question question)
{
	switch (question) {
	case TOP_VM:
		return json_tokener_parse(
			"{\"target\":\"vm\",\"providers\":[{\"provider\":\"armlet\"}]}");
	case TOP_VCPUS:
		return json_tokener_parse(
			"{\"target\":\"vcpu\",\"providers\":[{\"provider\":\"armlet\"}]}");
	default:
		return NULL;
	}
}

/* What is answered. */

void top_sample_free(struct top_sample *sample)
{
	if (!sample)
		return;
	free(sample->vcpus);
	free(sample->devices);
	free(sample);
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, name, &value);
	return value;
}

static size_t length_of(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static int add_status(struct top_sample *sample, struct json_object *answer)
{
	struct json_object *running = member(answer, "running");

	if (!json_object_is_type(running, json_type_boolean))
		return -EPROTO;
	sample->paused = !json_object_get_boolean(running);
	return 0;
}

/* The device of that name; a new one if there is none yet. NULL: no memory. */
static struct top_device *device_named(struct top_sample *sample, const char *name, size_t length,
				       bool is_net)
{
	struct top_device *device;

	for (size_t i = 0; i < sample->device_count; i++) {
		device = &sample->devices[i];
		if (strlen(device->name) == length && !strncmp(device->name, name, length))
			return device;
	}
	device = reallocarray(sample->devices, sample->device_count + 1, sizeof(*device));
	if (!device)
		return NULL;
	sample->devices = device;
	device += sample->device_count++;
	*device = (struct top_device){.is_net = is_net};
	snprintf(device->name, sizeof(device->name), "%.*s", (int)length, name);
	return device;
}

/* "net0-rx-bytes": false, it is none of a network's counters. */
static bool find_net_counter(struct top_sample *sample, const char *name, uint64_t **ret)
{
	static const struct {
		const char *suffix;
		size_t offset;
	} counters[] = {
		{"-rx-bytes", offsetof(struct top_device, in_bytes)},
		{"-rx-packets", offsetof(struct top_device, in_count)},
		{"-tx-bytes", offsetof(struct top_device, out_bytes)},
		{"-tx-packets", offsetof(struct top_device, out_count)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		const char *suffix = strstr(name, counters[i].suffix);
		char *device;
		void *field;

		if (!suffix || suffix[strlen(counters[i].suffix)] || suffix == name ||
		    (size_t)(suffix - name) >= sizeof(sample->devices->name))
			continue;
		device = (char *)device_named(sample, name, (size_t)(suffix - name), true);
		field = device ? device + counters[i].offset : NULL;
		*ret = field;
		return true;
	}
	return false;
}

static int add_vm_counter(struct top_sample *sample, const char *name, uint64_t value)
{
	uint64_t *counter = NULL;

	if (!strcmp(name, "cpu-time"))
		sample->cpu_time = value;
	else if (!strcmp(name, "memory-size"))
		sample->memory = value;
	else if (!strcmp(name, "memory-actual"))
		sample->actual = value;
	else if (!strcmp(name, "memory-resident"))
		sample->resident = value;
	else if (find_net_counter(sample, name, &counter) && !counter)
		return -ENOMEM;
	if (counter)
		*counter = value;
	return 0;
}

/* "exits-no-syndrome" is VCPU_EXIT_NO_SYNDROME; -1: none that we know. */
static int exit_of(const char *name)
{
	if (strncmp(name, "exits-", 6) != 0)
		return -1;
	for (int reason = 0; reason < VCPU_EXIT_REASONS; reason++) {
		const char *theirs = name + 6;
		const char *ours = vcpu_exit_name((enum vcpu_exit_reason)reason);

		while (*ours && (*ours == '_' ? '-' : tolower((unsigned char)*ours)) == *theirs) {
			ours++;
			theirs++;
		}
		if (!*ours && !*theirs)
			return reason;
	}
	return -1;
}

static void add_vcpu_counter(struct top_vcpu *vcpu, const char *name, uint64_t value)
{
	int reason = exit_of(name);

	if (!strcmp(name, "cpu-time"))
		vcpu->cpu_time = value;
	else if (reason >= 0)
		vcpu->exits[reason] = value;
}

/* One StatsResult; @vcpu NULL: of the VM. */
static int add_result(struct top_sample *sample, struct top_vcpu *vcpu, struct json_object *result)
{
	struct json_object *list = member(result, "stats");
	int r = 0;

	for (size_t i = 0; i < length_of(list) && r == 0; i++) {
		struct json_object *stat = json_object_array_get_idx(list, i);
		const char *name = json_object_get_string(member(stat, "name"));
		struct json_object *value = member(stat, "value");

		if (!name || !json_object_is_type(value, json_type_int))
			continue;
		if (vcpu)
			add_vcpu_counter(vcpu, name, json_object_get_uint64(value));
		else
			r = add_vm_counter(sample, name, json_object_get_uint64(value));
	}
	return r;
}

static int add_vm(struct top_sample *sample, struct json_object *answer)
{
	int r = length_of(answer) ? 0 : -EPROTO;

	for (size_t i = 0; i < length_of(answer) && r == 0; i++)
		r = add_result(sample, NULL, json_object_array_get_idx(answer, i));
	if (!sample->actual)
		sample->actual = sample->memory;
	return r;
}

static int add_vcpus(struct top_sample *sample, struct json_object *answer)
{
	size_t count = length_of(answer);

	if (!count || sample->vcpus)
		return -EPROTO;
	sample->vcpus = calloc(count, sizeof(*sample->vcpus));
	if (!sample->vcpus)
		return -ENOMEM;
	sample->vcpu_count = (uint32_t)count;
	for (size_t i = 0; i < count; i++)
		add_result(sample, &sample->vcpus[i], json_object_array_get_idx(answer, i));
	return 0;
}

static int add_disks(struct top_sample *sample, struct json_object *answer)
{
	if (!json_object_is_type(answer, json_type_array))
		return -EPROTO;
	for (size_t i = 0; i < length_of(answer); i++) {
		struct json_object *disk = json_object_array_get_idx(answer, i);
		struct json_object *stats = member(disk, "stats");
		const char *name = json_object_get_string(member(disk, "device"));
		struct top_device *device;

		if (!name)
			return -EPROTO;
		device = device_named(sample, name, strlen(name), false);
		if (!device)
			return -ENOMEM;
		device->in_bytes = json_object_get_uint64(member(stats, "rd_bytes"));
		device->out_bytes = json_object_get_uint64(member(stats, "wr_bytes"));
		device->in_count = json_object_get_uint64(member(stats, "rd_operations"));
		device->out_count = json_object_get_uint64(member(stats, "wr_operations"));
	}
	return 0;
}

int top_sample_add(struct top_sample *sample, enum top_question question,
		   struct json_object *answer)
{
	static int (*const adds[TOP_QUESTIONS])(struct top_sample *, struct json_object *) = {
		[TOP_STATUS] = add_status,
		[TOP_VM] = add_vm,
		[TOP_VCPUS] = add_vcpus,
		[TOP_DISKS] = add_disks,
	};

	return adds[question](sample, answer);
}

/* Rates. */

double top_rate(uint64_t before, uint64_t now, double seconds)
{
	if (seconds <= 0)
		return 0;
	return (double)(now < before ? now : now - before) / seconds;
}

static double seconds_between(const struct top_sample *before, const struct top_sample *now)
{
	return before && now && now->time > before->time ? (double)(now->time - before->time) / NS
							 : 0;
}

struct top_vcpu_rates top_vcpu_rates(const struct top_sample *before, const struct top_sample *now,
				     uint32_t index)
{
	double seconds = seconds_between(before, now);
	struct top_vcpu_rates rates = {0};

	if (seconds <= 0 || index >= before->vcpu_count || index >= now->vcpu_count)
		return rates;
	rates.cpu =
		top_rate(before->vcpus[index].cpu_time, now->vcpus[index].cpu_time, seconds) / NS;
	for (unsigned i = 0; i < VCPU_EXIT_REASONS; i++) {
		rates.exits_of[i] = top_rate(before->vcpus[index].exits[i],
					     now->vcpus[index].exits[i], seconds);
		rates.exits += rates.exits_of[i];
	}
	return rates;
}

struct top_device_rates top_device_rates(const struct top_sample *before,
					 const struct top_sample *now, size_t index)
{
	double seconds = seconds_between(before, now);
	struct top_device_rates rates = {0};
	const struct top_device *device;

	if (seconds <= 0 || index >= now->device_count)
		return rates;
	device = &now->devices[index];
	for (size_t i = 0; i < before->device_count; i++) {
		const struct top_device *old = &before->devices[i];

		if (strcmp(old->name, device->name) != 0)
			continue;
		rates.in_bytes = top_rate(old->in_bytes, device->in_bytes, seconds);
		rates.out_bytes = top_rate(old->out_bytes, device->out_bytes, seconds);
		rates.in_count = top_rate(old->in_count, device->in_count, seconds);
		rates.out_count = top_rate(old->out_count, device->out_count, seconds);
	}
	return rates;
}

struct top_rates top_rates(const struct top_sample *before, const struct top_sample *now)
{
	struct top_rates rates = {.seconds = seconds_between(before, now)};

	if (rates.seconds <= 0)
		return rates;
	rates.process = top_rate(before->cpu_time, now->cpu_time, rates.seconds) / NS;
	for (uint32_t i = 0; i < now->vcpu_count; i++) {
		struct top_vcpu_rates vcpu = top_vcpu_rates(before, now, i);

		rates.cpu += vcpu.cpu;
		rates.exits += vcpu.exits;
	}
	for (size_t i = 0; i < now->device_count; i++) {
		struct top_device_rates device = top_device_rates(before, now, i);
		bool is_net = now->devices[i].is_net;

		*(is_net ? &rates.net_in : &rates.disk_in) += device.in_bytes;
		*(is_net ? &rates.net_out : &rates.disk_out) += device.out_bytes;
	}
	return rates;
}
