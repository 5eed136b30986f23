/* SPDX-License-Identifier: Apache-2.0 */
#include "top_print.h"

#include <stdio.h>
#include <string.h>

#define PERCENT 100.0

const char *top_state_name(const struct top_machine *machine)
{
	switch (machine->state) {
	case TOP_ANSWERS:
		return machine->now && machine->now->paused ? "paused" : "running";
	case TOP_SILENT:
		return "no answer";
	case TOP_ENDED:
		return "ended";
	case TOP_UNKNOWN:
		break;
	}
	return "-";
}

const char *top_number(double value, char text[static TOP_NUMBER_MAX])
{
	static const char units[] = " KMGTPE";
	size_t unit = 0;

	while (value >= 999.5 && unit + 2 < sizeof(units)) {
		value /= 1024;
		unit++;
	}
	if (!unit)
		snprintf(text, TOP_NUMBER_MAX, "%.0f", value);
	else
		snprintf(text, TOP_NUMBER_MAX, "%.*f%c", value < 9.95 ? 1 : 0, value, units[unit]);
	return text;
}

/* The table. */

const char *top_heading(unsigned name_width, char line[static TOP_LINE_MAX])
{
	snprintf(line, TOP_LINE_MAX, "%-*s %-9s %4s %5s %7s %6s %6s %6s %6s %9s", (int)name_width,
		 "NAME", "STATUS", "CPUS", "CPU%", "EXITS/S", "READ/S", "WRIT/S", "RECV/S",
		 "SEND/S", "MEMORY");
	return line;
}

const char *top_row(const struct top_machine *machine, unsigned name_width,
		    char line[static TOP_LINE_MAX])
{
	struct top_rates rates = top_rates(machine->before, machine->now);
	char numbers[7][TOP_NUMBER_MAX], memory[2 * TOP_NUMBER_MAX];
	int size = snprintf(line, TOP_LINE_MAX, "%-*.*s %-9s", (int)name_width, (int)name_width,
			    machine->name, top_state_name(machine));

	if (machine->state != TOP_ANSWERS || rates.seconds <= 0)
		return line;
	snprintf(memory, sizeof(memory), "%s/%s",
		 top_number((double)machine->now->resident, numbers[5]),
		 top_number((double)machine->now->actual, numbers[6]));
	snprintf(line + size, TOP_LINE_MAX - (size_t)size, " %4u %5.0f %7s %6s %6s %6s %6s %9s",
		 machine->now->vcpu_count, rates.cpu * PERCENT, top_number(rates.exits, numbers[0]),
		 top_number(rates.disk_in, numbers[1]), top_number(rates.disk_out, numbers[2]),
		 top_number(rates.net_in, numbers[3]), top_number(rates.net_out, numbers[4]),
		 memory);
	return line;
}

const char *top_vcpu_heading(char line[static TOP_LINE_MAX])
{
	snprintf(line, TOP_LINE_MAX, "%4s %5s %7s  %s", "VCPU", "CPU%", "EXITS/S", "BY REASON");
	return line;
}

const char *top_vcpu_row(const struct top_machine *machine, uint32_t index,
			 char line[static TOP_LINE_MAX])
{
	struct top_vcpu_rates rates = top_vcpu_rates(machine->before, machine->now, index);
	char number[TOP_NUMBER_MAX];
	size_t size = (size_t)snprintf(line, TOP_LINE_MAX, "%4u %5.0f %7s ", index,
				       rates.cpu * PERCENT, top_number(rates.exits, number));

	for (unsigned i = 0; i < VCPU_EXIT_REASONS && size < TOP_LINE_MAX; i++) {
		if (rates.exits_of[i] > 0)
			size += (size_t)snprintf(line + size, TOP_LINE_MAX - size, " %s %s",
						 vcpu_exit_name((enum vcpu_exit_reason)i),
						 top_number(rates.exits_of[i], number));
	}
	return line;
}

const char *top_device_heading(char line[static TOP_LINE_MAX])
{
	snprintf(line, TOP_LINE_MAX, "%-12s %7s %7s %9s %9s", "DEVICE", "IN/S", "OUT/S", "IN BYTES",
		 "OUT BYTES");
	return line;
}

const char *top_device_row(const struct top_machine *machine, size_t index,
			   char line[static TOP_LINE_MAX])
{
	struct top_device_rates rates = top_device_rates(machine->before, machine->now, index);
	char numbers[4][TOP_NUMBER_MAX];

	snprintf(line, TOP_LINE_MAX, "%-12s %7s %7s %9s %9s", machine->now->devices[index].name,
		 top_number(rates.in_count, numbers[0]), top_number(rates.out_count, numbers[1]),
		 top_number(rates.in_bytes, numbers[2]), top_number(rates.out_bytes, numbers[3]));
	return line;
}

/* JSON. */

/* With as many digits as mean something. */
static void add_number(struct json_object *object, const char *name, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.2f", value);
	json_object_object_add(object, name, json_object_new_double_s(value, text));
}

static void add_bytes(struct json_object *object, const char *name, uint64_t value)
{
	json_object_object_add(object, name, json_object_new_uint64(value));
}

static struct json_object *vcpus_json(const struct top_machine *machine)
{
	struct json_object *list = json_object_new_array();

	for (uint32_t i = 0; i < machine->now->vcpu_count; i++) {
		struct top_vcpu_rates rates = top_vcpu_rates(machine->before, machine->now, i);
		struct json_object *vcpu = json_object_new_object();
		struct json_object *exits = json_object_new_object();

		add_number(vcpu, "cpu-percent", rates.cpu * PERCENT);
		add_number(vcpu, "exits-per-second", rates.exits);
		for (unsigned j = 0; j < VCPU_EXIT_REASONS; j++) {
			if (rates.exits_of[j] > 0)
				add_number(exits, vcpu_exit_name((enum vcpu_exit_reason)j),
					   rates.exits_of[j]);
		}
		json_object_object_add(vcpu, "exits-by-reason", exits);
		json_object_array_add(list, vcpu);
	}
	return list;
}

static struct json_object *devices_json(const struct top_machine *machine, bool nets)
{
	static const char *const names[2][4] = {
		{"read-bytes-per-second", "write-bytes-per-second", "reads-per-second",
		 "writes-per-second"},
		{"rx-bytes-per-second", "tx-bytes-per-second", "rx-packets-per-second",
		 "tx-packets-per-second"},
	};
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < machine->now->device_count; i++) {
		const struct top_device *device = &machine->now->devices[i];
		struct top_device_rates rates = top_device_rates(machine->before, machine->now, i);
		struct json_object *entry;

		if (device->is_net != nets)
			continue;
		entry = json_object_new_object();
		json_object_object_add(entry, "name", json_object_new_string(device->name));
		add_number(entry, names[nets][0], rates.in_bytes);
		add_number(entry, names[nets][1], rates.out_bytes);
		add_number(entry, names[nets][2], rates.in_count);
		add_number(entry, names[nets][3], rates.out_count);
		json_object_array_add(list, entry);
	}
	return list;
}

struct json_object *top_json(const struct top_machine *machine)
{
	struct top_rates rates = top_rates(machine->before, machine->now);
	struct json_object *object = json_object_new_object();
	struct json_object *memory;

	json_object_object_add(object, "name", json_object_new_string(machine->name));
	json_object_object_add(object, "status", json_object_new_string(top_state_name(machine)));
	if (machine->state != TOP_ANSWERS || rates.seconds <= 0)
		return object;
	add_number(object, "seconds", rates.seconds);
	add_number(object, "cpu-percent", rates.cpu * PERCENT);
	add_number(object, "process-cpu-percent", rates.process * PERCENT);
	add_number(object, "exits-per-second", rates.exits);
	json_object_object_add(object, "vcpus", vcpus_json(machine));
	json_object_object_add(object, "disks", devices_json(machine, false));
	json_object_object_add(object, "networks", devices_json(machine, true));
	memory = json_object_new_object();
	add_bytes(memory, "size", machine->now->memory);
	add_bytes(memory, "actual", machine->now->actual);
	add_bytes(memory, "resident", machine->now->resident);
	json_object_object_add(object, "memory", memory);
	return object;
}
