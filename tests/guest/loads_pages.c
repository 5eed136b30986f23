/* SPDX-License-Identifier: Apache-2.0 */
#include "loads.h"

#define EL0       BIT(6)
#define READ_ONLY BIT(7)
#define VALID     UINT64_C(1)
#define TABLE     UINT64_C(3)
#define AF        BIT(10)
#define INNER     (UINT64_C(3) << 8)
#define PXN       BIT(53)
#define XN        (PXN | BIT(54))
#define ATTR(n)   ((uint64_t)(n) << 2)
#define ATTR_DEV  ATTR(0)
#define ATTR_MEM  ATTR(1)
#define BLOCK_2M  UINT64_C(0x200000)
#define ENTRIES   512

static uint64_t level1[ENTRIES] __attribute__((aligned(PAGE)));
static uint64_t level2[ENTRIES] __attribute__((aligned(PAGE)));
static uint64_t pages2[ENTRIES] __attribute__((aligned(PAGE)));
static uint64_t pages3[ENTRIES] __attribute__((aligned(PAGE)));
static uint8_t ram[DEV_COUNT * PAGE] __attribute__((aligned(PAGE)));

void map_page(unsigned index, uint64_t addr, enum page_use use)
{
	static const uint64_t uses[] = {[FOR_ALL] = EL0 | XN,
					[FOR_READING] = EL0 | XN | READ_ONLY,
					[FOR_CODE] = 0,
					[FOR_EL0_CODE] = EL0 | PXN | READ_ONLY};

	pages3[index] = addr ? addr | TABLE | AF | INNER | ATTR_MEM | uses[use] : 0;
	__asm__ volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
}

void tables_use(void)
{
	write_sysreg("mair_el1", 0xff00); /* 0: Device-nGnRnE, 1: Normal, write-back */
	/* T0SZ 25, walks through the caches, no TTBR1, 40 bits out. */
	write_sysreg("tcr_el1", 25 | 0x3500 | BIT(23) | UINT64_C(2) << 32);
	write_sysreg("ttbr0_el1", level1);
	__asm__ volatile("tlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
	write_sysreg("sctlr_el1", read_sysreg("sctlr_el1") | BIT(0) | BIT(2) | BIT(12));
	write_sysreg("cpacr_el1", read_sysreg("cpacr_el1") | UINT64_C(3) << 20);
}

void tables_make(void)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		uint64_t at = i * BLOCK_2M;

		level2[i] = at | VALID | AF | XN | ATTR_DEV;
	}
	level1[0] = (uint64_t)level2 | TABLE;
	level1[1] = RAM_BASE | VALID | AF | INNER | ATTR_MEM;
	level1[PAGES >> 30] = (uint64_t)pages2 | TABLE;
	pages2[0] = (uint64_t)pages3 | TABLE;
	barrier();
	tables_use();
	for (unsigned i = 0; i < DEV_COUNT; i++) {
		map_page(RAM_PAGES + i, (uint64_t)ram + (uint64_t)i * PAGE, FOR_ALL);
		map_page(DEV_PAGES + i, SCRATCH_BASE + (uint64_t)i * PAGE, FOR_ALL);
	}
}
