/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: One alarm
 *
 * Nobody runs faster than time: a vCPU with so much left cannot stall sooner. So there is one
 * alarm, for the earliest of them all; when it fires, it looks how much they have run, and is
 * set again. A vCPU that sets its counter anew does not move it: that costs nothing.
 */
#include "devices/stall_detector.h"

#include <string.h>

#include "primecell.h"

#define DEFAULT_HZ      10
#define DEFAULT_TIMEOUT 8               /* seconds */
#define PERIOD_MIN      (NS_PER_S / 10) /* of the alarm, for one with little left that idles */

struct stall_cpu {
	uint32_t status;
	uint32_t load;
	uint32_t frequency;
	uint64_t loaded_at; /* of its running time, ns */
};

struct stall_row {
	struct stall_cpu cpu;
};

struct stall_detector {
	struct device device;
	struct stall_detector_options options;
	struct clock_alarm alarm;
	struct stall_row *rows;
	uint32_t count;
};

static struct stall_detector *to_detector(struct device *device)
{
	return container_of(device, struct stall_detector, device);
}

static uint64_t ran(const struct stall_detector *detector, const struct stall_cpu *cpu)
{
	return detector->options.ran(
		detector->options.data,
		(uint32_t)(container_of(cpu, const struct stall_row, cpu) - detector->rows));
}

/* How long it may run yet, in ns. */
static uint64_t left(const struct stall_detector *detector, const struct stall_cpu *cpu)
{
	uint64_t now, all;

	if (!cpu->frequency)
		return UINT64_MAX;
	now = max_u64(ran(detector, cpu), cpu->loaded_at); /* one that has ended has run for 0 */
	all = (uint64_t)cpu->load * NS_PER_S / cpu->frequency;
	return all - min_u64(now - cpu->loaded_at, all);
}

static void arm(struct stall_detector *detector, uint64_t ns)
{
	struct clock *clock = detector->options.clock;
	int64_t deadline =
		clock_now(clock) + (int64_t)min_u64(max_u64(ns, PERIOD_MIN), 3600 * NS_PER_S);

	if (!detector->alarm.armed || deadline < detector->alarm.deadline)
		clock_arm(clock, &detector->alarm, deadline);
}

static void alarm_fires(void *data)
{
	struct stall_detector *detector = data;

	for (uint32_t i = 0; i < detector->count; i++) {
		struct stall_cpu *cpu = &detector->rows[i].cpu;
		uint64_t ns = cpu->status ? left(detector, cpu) : UINT64_MAX;

		if (!ns) {
			cpu->status = 0;
			detector->options.stalled(detector->options.data, i,
						  cpu->load / cpu->frequency);
		} else if (cpu->status) {
			arm(detector, ns);
		}
	}
}

static uint32_t read_word(struct device *device, uint32_t offset)
{
	const struct stall_detector *detector = to_detector(device);
	const struct stall_cpu *cpu = &detector->rows[offset / STALL_DETECTOR_CPU_SIZE].cpu;

	switch (offset % STALL_DETECTOR_CPU_SIZE) {
	case STALL_STATUS:
		return cpu->status;
	case STALL_LOAD_CNT:
		return cpu->load;
	case STALL_CLOCK_FREQ_HZ:
		return cpu->frequency;
	default:
		return cpu->status && cpu->frequency
			       ? (uint32_t)((left(detector, cpu) * cpu->frequency + NS_PER_S - 1) /
					    NS_PER_S)
			       : cpu->load;
	}
}

static uint64_t stall_detector_read(struct device *device, uint64_t offset, unsigned size)
{
	return primecell_read(device, offset, size, read_word);
}

static void stall_detector_write(struct device *device, uint64_t offset, unsigned size,
				 uint64_t value)
{
	struct stall_detector *detector = to_detector(device);
	struct stall_cpu *cpu = &detector->rows[offset / STALL_DETECTOR_CPU_SIZE].cpu;

	if (!primecell_takes_write(device, offset, size))
		return;
	switch (offset % STALL_DETECTOR_CPU_SIZE) {
	case STALL_STATUS:
		cpu->status = value & 1;
		break;
	case STALL_LOAD_CNT:
		cpu->load = (uint32_t)value;
		break;
	case STALL_CLOCK_FREQ_HZ:
		cpu->frequency = (uint32_t)value;
		break;
	default:
		return;
	}
	cpu->loaded_at = ran(detector, cpu);
	if (cpu->status)
		arm(detector, left(detector, cpu));
}

const struct mmio_ops stall_detector_mmio_ops = {
	.read = stall_detector_read,
	.write = stall_detector_write,
};

static void stall_detector_reset(struct device *device)
{
	struct stall_detector *detector = to_detector(device);

	memset(detector->rows, 0, detector->count * sizeof(*detector->rows));
}

/* Linux: Documentation/devicetree/bindings/misc/qemu,vcpu-stall-detector.yaml. */
static void stall_detector_describe(const struct device *device, const struct device_slot *slot,
				    struct fdt_builder *fdt)
{
	fdt_begin(fdt, "vmwdt@%" PRIx64, slot->base);
	fdt_label(fdt, device->name, 0);
	fdt_str(fdt, "compatible", "qemu,vcpu-stall-detector");
	fdt_reg(fdt, slot->base, slot->size);
	fdt_u32(fdt, "clock-frequency", DEFAULT_HZ);
	fdt_u32(fdt, "timeout-sec", DEFAULT_TIMEOUT);
	fdt_end(fdt);
}

static const struct state_field cpu_fields[] = {
	STATE_FIELD(struct stall_cpu, status, STATE_U32),
	STATE_FIELD(struct stall_cpu, load, STATE_U32),
	STATE_FIELD(struct stall_cpu, frequency, STATE_U32),
	STATE_FIELD(struct stall_cpu, loaded_at, STATE_U64),
};

static int cpu_validate(const void *object, struct error *err)
{
	const struct stall_cpu *cpu = object;

	return cpu->status > 1 ? error_set(err, EINVAL, "the saved state is no stall detector's")
			       : 0;
}

static const struct state_table cpu_state = {
	.name = "stall-cpu",
	.fields = cpu_fields,
	.field_count = ARRAY_SIZE(cpu_fields),
	.object_size = sizeof(struct stall_cpu),
	.validate = cpu_validate,
};

static const struct state_field stall_detector_fields[] = {
	STATE_OBJECTS(struct stall_detector, rows, count, cpu, &cpu_state),
};

static const struct state_table stall_detector_state = {
	.name = "vcpu-stall-detector",
	.fields = stall_detector_fields,
	.field_count = ARRAY_SIZE(stall_detector_fields),
	.object_size = sizeof(struct stall_detector),
};

/* The vCPUs may be others, and have run for less. */
static int stall_detector_loaded(struct device *device, struct error *err)
{
	struct stall_detector *detector = to_detector(device);

	(void)err;
	for (uint32_t i = 0; i < detector->count; i++) {
		struct stall_cpu *cpu = &detector->rows[i].cpu;

		cpu->loaded_at = min_u64(cpu->loaded_at, ran(detector, cpu));
		if (cpu->status)
			arm(detector, left(detector, cpu));
	}
	return 0;
}

static void stall_detector_destroy(struct device *device)
{
	struct stall_detector *detector = to_detector(device);

	clock_disarm(detector->options.clock, &detector->alarm);
	device_finish(device);
	free(detector->rows);
	free(detector);
}

static const struct device_ops stall_detector_device_ops = {
	.type = "vcpu-stall-detector",
	.reset = stall_detector_reset,
	.describe = stall_detector_describe,
	.state = &stall_detector_state,
	.loaded = stall_detector_loaded,
	.destroy = stall_detector_destroy,
};

int stall_detector_create(const struct stall_detector_options *options, struct device **ret)
{
	struct stall_detector *detector = calloc(1, sizeof(*detector));

	if (!detector)
		return -ENOMEM;
	device_init(&detector->device, &stall_detector_device_ops, options->name);
	detector->options = *options;
	detector->count = options->cpus;
	detector->rows = calloc(options->cpus, sizeof(*detector->rows));
	detector->alarm = (struct clock_alarm){
		.fire = alarm_fires, .data = detector, .owner = &detector->device};
	if (!detector->rows) {
		stall_detector_destroy(&detector->device);
		return -ENOMEM;
	}
	*ret = &detector->device;
	return 0;
}
