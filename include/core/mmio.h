/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MMIO bus: which device answers for which IPAs.
 *
 * Regions are added while the machine is built and sorted by mmio_bus_seal();
 * from then on the table never changes, so look-ups take no lock; only who answers in a
 * region may change, while nobody looks. A vCPU keeps the region that it hit last and
 * tries that first.
 *
 * A device sees an offset into its region and a size of 1, 2, 4 or 8 bytes,
 * never an address. The bus holds the device's lock around the call.
 */
#ifndef ARMLET_CORE_MMIO_H
#define ARMLET_CORE_MMIO_H

#include "core/device.h"
#include "core/types.h"

enum mmio_result {
	MMIO_HANDLED,
	MMIO_UNCLAIMED, /* no device there: reads are zero, writes ignored */
};

/* A register's name as its manual has it; several, where they are all called the same. */
struct mmio_register {
	uint32_t first; /* offsets, both included */
	uint32_t last;
	const char *name;
};

#define MMIO_REGISTER(name)       \
	{                         \
		name, name, #name \
	}

struct mmio_ops {
	/*
	 * Both required. @offset + @size never passes the region's end, and
	 * @offset need not be aligned to @size. Bits of the value above @size
	 * are zero on write, and dropped on read.
	 */
	uint64_t (*read)(struct device *device, uint64_t offset, unsigned size);
	void (*write)(struct device *device, uint64_t offset, unsigned size, uint64_t value);
	/*
	 * Optional: @count writes in a row to one @offset, for a device that
	 * can do them faster than one by one.
	 */
	void (*write_run)(struct device *device, uint64_t offset, unsigned size,
			  const uint64_t *values, size_t count);
	const struct mmio_register *registers; /* optional: to a row without name */
};

struct mmio_region {
	gpa_t base;
	uint64_t size;
	const struct mmio_ops *ops;
	struct device *device;
};

struct mmio_access {
	gpa_t addr;
	unsigned size; /* 1, 2, 4 or 8 */
	bool is_write;
	uint64_t value; /* to be written, or as read */
};

/* Writes to one address, one after the other. */
struct mmio_run {
	gpa_t addr;
	unsigned size;
	const uint64_t *values;
	size_t count;
};

/* Reads, and writes of what is made of them, with nobody else between. */
struct mmio_update {
	gpa_t addr;
	unsigned size;  /* of each: 1, 2, 4 or 8 */
	unsigned count; /* 1 or 2, one behind the other */
	/* Changes the bytes, lowest address first, in place; false: they are not written. */
	bool (*combine)(uint8_t *bytes, const void *data);
	const void *data;
};

struct mmio_bus;

int mmio_bus_create(struct mmio_bus **ret);
void mmio_bus_destroy(struct mmio_bus *bus); /* takes NULL */

DEFINE_CLEANUP(struct mmio_bus *, mmio_bus_destroy)

/* Before seal. -EINVAL if the region is empty, wraps or overlaps another; -ENOMEM. */
int mmio_bus_add(struct mmio_bus *bus, const struct mmio_region *region);
void mmio_bus_seal(struct mmio_bus *bus);

/*
 * Put @device, of the same operations, in the place of the one whose region begins at
 * @base; there is one. The caller keeps everybody else off the bus meanwhile.
 */
void mmio_bus_replace(struct mmio_bus *bus, gpa_t base, struct device *device);

/* The region that holds all of [@addr, @addr + @size), or NULL. */
const struct mmio_region *mmio_bus_find(const struct mmio_bus *bus, gpa_t addr, unsigned size);

/* What is at @offset: "UARTDR", "Config+0x4", or "0x30" if it has no name. */
#define MMIO_REGISTER_NAME_MAX 40
void mmio_register_name(const struct mmio_ops *ops, uint64_t offset,
			char ret[MMIO_REGISTER_NAME_MAX]);

/*
 * Perform @access. @last is the caller's memory of its last hit (NULL before
 * the first). An unclaimed read leaves value zero.
 */
enum mmio_result mmio_bus_access(const struct mmio_bus *bus, struct mmio_access *access,
				 const struct mmio_region **last);

/* Perform a run of writes, none from elsewhere between them. @last as above. */
enum mmio_result mmio_bus_write_run(const struct mmio_bus *bus, const struct mmio_run *run,
				    const struct mmio_region **last);

/*
 * Perform @update; @last as above. Where nothing is, zeroes are combined, and what comes of
 * that is lost.
 */
enum mmio_result mmio_bus_update(const struct mmio_bus *bus, const struct mmio_update *update,
				 const struct mmio_region **last);

#endif
