/* SPDX-License-Identifier: Apache-2.0 */
#include "core/mmio.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct mmio_bus {
	struct mmio_region *regions; /* by base, none overlapping another */
	size_t count;
	bool sealed;
};

int mmio_bus_create(struct mmio_bus **ret)
{
	struct mmio_bus *bus = calloc(1, sizeof(*bus));

	if (!bus)
		return -ENOMEM;
	*ret = bus;
	return 0;
}

void mmio_bus_destroy(struct mmio_bus *bus)
{
	if (!bus)
		return;
	free(bus->regions);
	free(bus);
}

static gpa_t last_byte(const struct mmio_region *region)
{
	return region->base + (region->size - 1);
}

/* The index of the first region that ends at @addr or behind it. */
static size_t lower_bound(const struct mmio_bus *bus, gpa_t addr)
{
	size_t low = 0;
	size_t high = bus->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (last_byte(&bus->regions[mid]) < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int mmio_bus_add(struct mmio_bus *bus, const struct mmio_region *region)
{
	struct mmio_region *regions;
	size_t at;

	assert(!bus->sealed);
	if (region->size == 0 || last_byte(region) < region->base)
		return -EINVAL;
	at = lower_bound(bus, region->base);
	if (at < bus->count && bus->regions[at].base <= last_byte(region))
		return -EINVAL;
	regions = reallocarray(bus->regions, bus->count + 1, sizeof(*regions));
	if (!regions)
		return -ENOMEM;
	bus->regions = regions;
	memmove(&regions[at + 1], &regions[at], (bus->count - at) * sizeof(*regions));
	regions[at] = *region;
	bus->count++;
	return 0;
}

void mmio_bus_seal(struct mmio_bus *bus)
{
	bus->sealed = true;
}

void mmio_bus_replace(struct mmio_bus *bus, gpa_t base, struct device *device)
{
	struct mmio_region *region = &bus->regions[lower_bound(bus, base)];

	assert(region < bus->regions + bus->count && region->base == base);
	region->device = device;
}

static bool holds(const struct mmio_region *region, gpa_t addr, unsigned size)
{
	return addr >= region->base && size <= region->size &&
	       addr - region->base <= region->size - size;
}

const struct mmio_region *mmio_bus_find(const struct mmio_bus *bus, gpa_t addr, unsigned size)
{
	size_t at = lower_bound(bus, addr);

	if (at == bus->count || !holds(&bus->regions[at], addr, size))
		return NULL;
	return &bus->regions[at];
}

void mmio_register_name(const struct mmio_ops *ops, uint64_t offset,
			char ret[MMIO_REGISTER_NAME_MAX])
{
	const struct mmio_register *reg = ops->registers;

	while (reg && reg->name && (offset < reg->first || offset > reg->last))
		reg++;
	if (!reg || !reg->name)
		snprintf(ret, MMIO_REGISTER_NAME_MAX, "0x%" PRIx64, offset);
	else if (offset == reg->first)
		snprintf(ret, MMIO_REGISTER_NAME_MAX, "%s", reg->name);
	else
		snprintf(ret, MMIO_REGISTER_NAME_MAX, "%s+0x%" PRIx64, reg->name,
			 offset - reg->first);
}

static uint64_t value_mask(unsigned size)
{
	return size >= sizeof(uint64_t) ? UINT64_MAX : BIT(8 * size) - 1;
}

static inline const struct mmio_region *find_from(const struct mmio_bus *bus, gpa_t addr,
						  unsigned size, const struct mmio_region **last)
{
	const struct mmio_region *region = *last;

	if (region && holds(region, addr, size))
		return region;
	region = mmio_bus_find(bus, addr, size);
	if (region)
		*last = region;
	return region;
}

static void dispatch(const struct mmio_region *region, struct mmio_access *access)
{
	uint64_t offset = access->addr - region->base;
	uint64_t mask = value_mask(access->size);

	device_lock(region->device);
	if (access->is_write)
		region->ops->write(region->device, offset, access->size, access->value & mask);
	else
		access->value = region->ops->read(region->device, offset, access->size) & mask;
	device_unlock(region->device);
}

enum mmio_result mmio_bus_access(const struct mmio_bus *bus, struct mmio_access *access,
				 const struct mmio_region **last)
{
	const struct mmio_region *region = find_from(bus, access->addr, access->size, last);

	if (!access->is_write)
		access->value = 0;
	if (!region)
		return MMIO_UNCLAIMED;
	dispatch(region, access);
	return MMIO_HANDLED;
}

enum mmio_result mmio_bus_write_run(const struct mmio_bus *bus, const struct mmio_run *run,
				    const struct mmio_region **last)
{
	const struct mmio_region *region = find_from(bus, run->addr, run->size, last);
	const struct mmio_ops *ops;
	uint64_t offset;

	if (!region)
		return MMIO_UNCLAIMED;
	ops = region->ops;
	offset = run->addr - region->base;
	device_lock(region->device);
	if (ops->write_run) {
		ops->write_run(region->device, offset, run->size, run->values, run->count);
	} else {
		for (size_t i = 0; i < run->count; i++)
			ops->write(region->device, offset, run->size, run->values[i]);
	}
	device_unlock(region->device);
	return MMIO_HANDLED;
}

enum mmio_result mmio_bus_update(const struct mmio_bus *bus, const struct mmio_update *update,
				 const struct mmio_region **last)
{
	unsigned size = update->size;
	const struct mmio_region *region = find_from(bus, update->addr, size * update->count, last);
	uint8_t bytes[2 * sizeof(uint64_t)] = {0};
	uint64_t offset;
	uint64_t value;

	if (!region) {
		update->combine(bytes, update->data);
		return MMIO_UNCLAIMED;
	}
	offset = update->addr - region->base;
	device_lock(region->device);
	for (unsigned i = 0; i < update->count; i++) {
		value = region->ops->read(region->device, offset + (uint64_t)i * size, size);
		memcpy(bytes + (size_t)i * size, &value, size);
	}
	if (update->combine(bytes, update->data)) {
		for (unsigned i = 0; i < update->count; i++) {
			value = 0;
			memcpy(&value, bytes + (size_t)i * size, size);
			region->ops->write(region->device, offset + (uint64_t)i * size, size,
					   value);
		}
	}
	device_unlock(region->device);
	return MMIO_HANDLED;
}
