/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/pvpanic.h"

#include <inttypes.h>

#include "core/fdt_builder.h"

struct pvpanic {
	struct device device;
	void (*tell)(void *data, unsigned events);
	void *data;

	uint8_t told; /* by the guest, since the reset */
};

static struct pvpanic *to_pvpanic(struct device *device)
{
	return container_of(device, struct pvpanic, device);
}

static uint64_t pvpanic_read(struct device *device, uint64_t offset, unsigned size)
{
	(void)device;
	(void)size;
	return offset == PVPANIC_EVENTS ? PVPANIC_ALL : 0;
}

static void pvpanic_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct pvpanic *pvpanic = to_pvpanic(device);
	unsigned events = (unsigned)value & PVPANIC_ALL;

	if (offset != PVPANIC_EVENTS || size > sizeof(uint32_t))
		return;
	/* Once in a boot: whoever listens is not to be flooded. */
	events &= ~(unsigned)pvpanic->told;
	if (!events)
		return;
	pvpanic->told |= (uint8_t)events;
	pvpanic->tell(pvpanic->data, events);
}

static const struct mmio_register registers[] = {MMIO_REGISTER(PVPANIC_EVENTS), {0}};

const struct mmio_ops pvpanic_mmio_ops = {
	.read = pvpanic_read,
	.write = pvpanic_write,
	.registers = registers,
};

static void pvpanic_reset(struct device *device)
{
	to_pvpanic(device)->told = 0;
}

/* Linux: Documentation/devicetree/bindings/misc/pvpanic-mmio.txt. */
static void pvpanic_describe(const struct device *device, const struct device_slot *slot,
			     struct fdt_builder *fdt)
{
	fdt_begin(fdt, "pvpanic-mmio@%" PRIx64, slot->base);
	fdt_label(fdt, device->name, 0);
	fdt_str(fdt, "compatible", "qemu,pvpanic-mmio");
	fdt_reg(fdt, slot->base, PVPANIC_REG_SIZE);
	fdt_end(fdt);
}

static const struct state_field pvpanic_fields[] = {
	STATE_FIELD(struct pvpanic, told, STATE_U8),
};

static int pvpanic_validate(const void *object, struct error *err)
{
	const struct pvpanic *pvpanic = object;

	return pvpanic->told > PVPANIC_ALL
		       ? error_set(err, EINVAL, "the saved state is none of a pvpanic's")
		       : 0;
}

static const struct state_table pvpanic_state = {
	.name = "pvpanic",
	.fields = pvpanic_fields,
	.field_count = ARRAY_SIZE(pvpanic_fields),
	.object_size = sizeof(struct pvpanic),
	.validate = pvpanic_validate,
};

static void pvpanic_destroy(struct device *device)
{
	device_finish(device);
	free(to_pvpanic(device));
}

static const struct device_ops pvpanic_device_ops = {
	.type = "pvpanic",
	.reset = pvpanic_reset,
	.describe = pvpanic_describe,
	.state = &pvpanic_state,
	.destroy = pvpanic_destroy,
};

int pvpanic_create(const struct pvpanic_options *options, struct device **ret)
{
	struct pvpanic *pvpanic = calloc(1, sizeof(*pvpanic));

	if (!pvpanic)
		return -ENOMEM;
	device_init(&pvpanic->device, &pvpanic_device_ops, options->name);
	pvpanic->tell = options->tell;
	pvpanic->data = options->data;
	*ret = &pvpanic->device;
	return 0;
}
