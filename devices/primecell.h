/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: What the PrimeCell models share
 *
 * A PrimeCell peripheral hangs on an APB (AMBA 3 APB, IHI 0024), which decodes
 * word addresses, PADDR[11:2], and has no byte lanes:
 *
 * - A read of any size reads the whole register, or both registers of 64 bits,
 *   and the CPU picks its bytes. This is also what a read of the register
 *   shadow gives, so both agree for every size.
 * - A write reaches a register when it starts at the register's address and is
 *   not wider; a narrow one counts as zero-extended. All other writes are
 *   ignored, and so are accesses that are not aligned, which memory of type
 *   Device does not let pass anyway.
 *
 * The last eight words are the identification: PeriphID0-3 (part number,
 * designer, revision, configuration) and PCellID0-3, a byte in each.
 */
#ifndef ARMLET_DEVICES_PRIMECELL_H
#define ARMLET_DEVICES_PRIMECELL_H

#include <inttypes.h>

#include "core/device.h"
#include "core/fdt_builder.h"
#include "core/mmio_shadow.h"

#define PRIMECELL_SIZE       0x1000
#define PRIMECELL_ID         0xfe0
#define PRIMECELL_WORD       4
#define PRIMECELL_PCELL_ID   0x0d, 0xf0, 0x05, 0xb1
#define PRIMECELL_COMPATIBLE "arm,primecell"

struct primecell_id {
	uint8_t bytes[8];
};

static inline bool primecell_is_id(uint32_t offset)
{
	return offset >= PRIMECELL_ID && offset < PRIMECELL_SIZE;
}

static inline uint32_t primecell_id_word(const struct primecell_id *id, uint32_t offset)
{
	return id->bytes[(offset - PRIMECELL_ID) / PRIMECELL_WORD];
}

static inline void primecell_shadow_id(const struct primecell_id *id, struct mmio_shadow *shadow)
{
	for (uint32_t at = PRIMECELL_ID; at < PRIMECELL_SIZE; at += PRIMECELL_WORD)
		mmio_shadow_set(shadow, at, primecell_id_word(id, at));
}

/* Tell the person about an access that no driver should make. */
static inline void primecell_odd_access(struct device *device, const char *what, uint64_t offset,
					unsigned size)
{
	log_guest(&device->guest_errors,
		  "%s: the guest's %s of %u bytes at 0x%" PRIx64 " names no register", device->name,
		  what, size, offset);
}

/* Perform a read as words, each by @read. */
static inline uint64_t primecell_read(struct device *device, uint64_t offset, unsigned size,
				      uint32_t (*read)(struct device *device, uint32_t offset))
{
	uint32_t word = (uint32_t)offset & ~(uint32_t)(PRIMECELL_WORD - 1);
	uint64_t value;

	if (!is_aligned(offset, size)) {
		primecell_odd_access(device, "read", offset, size);
		return 0;
	}
	value = read(device, word);
	if (size > PRIMECELL_WORD)
		return value | (uint64_t)read(device, word + PRIMECELL_WORD) << 32;
	return value >> (8 * (offset - word));
}

/* Whether a write reaches a register. */
static inline bool primecell_takes_write(struct device *device, uint64_t offset, unsigned size)
{
	if (is_aligned(offset, PRIMECELL_WORD) && size <= PRIMECELL_WORD)
		return true;
	primecell_odd_access(device, "write", offset, size);
	return false;
}

/*
 * What each node has (Linux: Documentation/devicetree/bindings/arm/primecell.yaml).
 * The identification is given here too: then Linux need not read it from the
 * registers when it boots.
 */
static inline void primecell_describe(const struct primecell_id *id, const struct device_slot *slot,
				      struct fdt_builder *fdt)
{
	uint32_t periphid = 0;

	for (unsigned i = 0; i < 4; i++)
		periphid |= (uint32_t)id->bytes[i] << (8 * i);
	fdt_u32(fdt, "arm,primecell-periphid", periphid);
	fdt_reg(fdt, slot->base, slot->size);
	if (slot->intid)
		fdt_spi(fdt, slot->intid, FDT_IRQ_LEVEL_HIGH);
}

#endif
