/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/scratch.h"

#include <inttypes.h>
#include <string.h>

#include "core/fdt_builder.h"

struct scratch {
	struct device device;
	uint8_t bytes[SCRATCH_SIZE];
};

static struct scratch *to_scratch(struct device *device)
{
	return container_of(device, struct scratch, device);
}

static uint64_t scratch_read(struct device *device, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, to_scratch(device)->bytes + offset, size);
	return value;
}

static void scratch_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
	memcpy(to_scratch(device)->bytes + offset, &value, size);
}

const struct mmio_ops scratch_mmio_ops = {
	.read = scratch_read,
	.write = scratch_write,
};

static void scratch_reset(struct device *device)
{
	struct scratch *scratch = to_scratch(device);

	memset(scratch->bytes, 0, sizeof(scratch->bytes));
}

/* Of no vendor's binding: a driver that wants it asks for it by this name. */
static void scratch_describe(const struct device *device, const struct device_slot *slot,
			     struct fdt_builder *fdt)
{
	(void)device;
	fdt_begin(fdt, "scratch@%" PRIx64, slot->base);
	fdt_str(fdt, "compatible", "armlet,scratch");
	fdt_reg(fdt, slot->base, slot->size);
	fdt_end(fdt);
}

static const struct state_field scratch_fields[] = {
	STATE_ARRAY(struct scratch, bytes, STATE_U8),
};

static const struct state_table scratch_state = {
	.name = "scratch",
	.fields = scratch_fields,
	.field_count = ARRAY_SIZE(scratch_fields),
	.object_size = sizeof(struct scratch),
};

static void scratch_destroy(struct device *device)
{
	device_finish(device);
	free(to_scratch(device));
}

static const struct device_ops scratch_device_ops = {
	.type = "scratch",
	.reset = scratch_reset,
	.describe = scratch_describe,
	.state = &scratch_state,
	.destroy = scratch_destroy,
};

int scratch_create(const char *name, struct device **ret)
{
	struct scratch *scratch = calloc(1, sizeof(*scratch));

	if (!scratch)
		return -ENOMEM;
	device_init(&scratch->device, &scratch_device_ops, name);
	*ret = &scratch->device;
	return 0;
}
