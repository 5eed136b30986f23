/* SPDX-License-Identifier: Apache-2.0 */
#include "gic.h"

#include "runtime.h"

#define PRIORITY     0xa0
#define PRIORITY_ALL 0xf0

enum {
	GICD_IGROUPR = 0x080,
	GICD_ITARGETSR = 0x800, /* v2 */
	GICD_SGIR = 0xf00,      /* v2 */
	GICD_IROUTER = 0x6000,  /* v3 */
	GICD_CTLR_EnableGrp0 = 1,
	GICD_CTLR_EnableGrp1 = 2,
	GICD_CTLR_ARE = 0x10,
	GICD_CTLR_RWP = 0x80000000,

	GICC_CTLR = 0x00,
	GICC_PMR = 0x04,
	GICC_IAR = 0x0c,
	GICC_EOIR = 0x10,

	GICR_TYPER = 0x08,
	GICR_WAKER = 0x14,
	GICR_SGI = 0x10000, /* the SGI and PPI frame */
	GICR_SIZE = 0x20000,
	GICR_WAKER_ProcessorSleep = 2,
	GICR_WAKER_ChildrenAsleep = 4,
};

static bool v3;
static uint64_t distributor;
static uint64_t cpu_interface;           /* v2 */
static uint64_t redistributor[MAX_CPUS]; /* v3: the frame of each CPU */

bool gic_is_v3(void)
{
	return v3;
}

uint64_t gic_distributor(void)
{
	return distributor;
}

/* MPIDR's affinities, packed as GICR_TYPER[63:32] has them. */
static uint32_t packed_affinity(uint64_t mpidr)
{
	return (uint32_t)((mpidr & 0xffffff) | (mpidr >> 8 & 0xff000000));
}

static uint64_t find_redistributor(void)
{
	uint32_t mine = packed_affinity(read_sysreg("mpidr_el1"));
	uint32_t size = 0;
	const uint8_t *reg = fdt_property("/interrupt-controller", "reg", &size);

	for (const uint8_t *at = reg + 16; at < reg + size; at += 16) {
		uint64_t base = fdt_number(at, 2);
		uint64_t end = base + fdt_number(at + 8, 2);

		for (; base < end; base += GICR_SIZE) {
			if (read64(base + GICR_TYPER) >> 32 == mine)
				return base;
		}
	}
	check_equal("this CPU has a redistributor", mine, ~UINT64_C(0));
	report_end();
}

/* The registers of @intid's enables and so on: the CPU's own below 32 in v3. */
static uint64_t frame_of(unsigned intid)
{
	return v3 && intid < 32 ? redistributor[this_cpu()] + GICR_SGI : distributor;
}

static uint64_t bit_register(unsigned intid, unsigned offset)
{
	return frame_of(intid) + offset + 4 * (uint64_t)(intid / 32);
}

static bool test_bit(unsigned intid, unsigned offset)
{
	return read32(bit_register(intid, offset)) >> intid % 32 & 1;
}

static void set_bit(unsigned intid, unsigned offset)
{
	write32(bit_register(intid, offset), (uint32_t)BIT(intid % 32));
}

void gic_init(void)
{
	const char *compatible = fdt_property("/interrupt-controller", "compatible", NULL);
	const uint8_t *reg = fdt_property("/interrupt-controller", "reg", NULL);

	v3 = same(compatible, "arm,gic-v3");
	distributor = fdt_number(reg, 2);
	if (v3) {
		write32(distributor + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_EnableGrp1);
		while (read32(distributor + GICD_CTLR) & GICD_CTLR_RWP)
			;
	} else {
		cpu_interface = fdt_number(reg + 16, 2);
		write32(distributor + GICD_CTLR, GICD_CTLR_EnableGrp0 | GICD_CTLR_EnableGrp1);
	}
}

static void init_cpu_v3(void)
{
	uint64_t frame = find_redistributor();

	redistributor[this_cpu()] = frame;
	write32(frame + GICR_WAKER, read32(frame + GICR_WAKER) & ~GICR_WAKER_ProcessorSleep);
	while (read32(frame + GICR_WAKER) & GICR_WAKER_ChildrenAsleep)
		;
	write32(frame + GICR_SGI + GICD_IGROUPR, 0xffffffff);
	write_sysreg("S3_0_C12_C12_5", read_sysreg("S3_0_C12_C12_5") | 1); /* ICC_SRE_EL1.SRE */
	write_sysreg("S3_0_C4_C6_0", PRIORITY_ALL);                        /* ICC_PMR_EL1 */
	write_sysreg("S3_0_C12_C12_7", 1);                                 /* ICC_IGRPEN1_EL1 */
}

void gic_init_cpu(void)
{
	if (v3) {
		init_cpu_v3();
		return;
	}
	write32(cpu_interface + GICC_PMR, PRIORITY_ALL);
	write32(cpu_interface + GICC_CTLR, 1);
}

static void aim_at_cpu0(unsigned intid)
{
	if (v3)
		write64(distributor + GICD_IROUTER + 8 * (uint64_t)intid, fdt_cpu_mpidr(0));
	else
		write8(distributor + GICD_ITARGETSR + intid, 1);
}

void gic_enable(unsigned intid)
{
	write8(frame_of(intid) + GICD_IPRIORITYR + intid, PRIORITY);
	if (v3 && intid >= 32) {
		uint64_t group = bit_register(intid, GICD_IGROUPR);

		write32(group, read32(group) | (uint32_t)BIT(intid % 32));
	}
	if (intid >= 32)
		aim_at_cpu0(intid);
	set_bit(intid, GICD_ISENABLER);
}

void gic_disable(unsigned intid)
{
	set_bit(intid, GICD_ICENABLER);
	if (v3 && intid >= 32) {
		while (read32(distributor + GICD_CTLR) & GICD_CTLR_RWP)
			;
	}
}

bool gic_is_enabled(unsigned intid)
{
	return test_bit(intid, GICD_ISENABLER);
}

bool gic_is_pending(unsigned intid)
{
	return test_bit(intid, GICD_ISPENDR);
}

bool gic_is_active(unsigned intid)
{
	return test_bit(intid, GICD_ISACTIVER);
}

void gic_set_pending(unsigned intid, bool pending)
{
	set_bit(intid, pending ? GICD_ISPENDR : GICD_ICPENDR);
}

static uint64_t config_register(unsigned intid)
{
	return frame_of(intid) + GICD_ICFGR + 4 * (uint64_t)(intid / 16);
}

void gic_set_edge(unsigned intid, bool edge)
{
	uint64_t at = config_register(intid);
	uint32_t bit = (uint32_t)BIT(intid % 16 * 2 + 1);

	write32(at, edge ? read32(at) | bit : read32(at) & ~bit);
}

bool gic_is_edge(unsigned intid)
{
	return read32(config_register(intid)) >> (intid % 16 * 2 + 1) & 1;
}

/* GICv2 puts the sender of an SGI above the INTID, and wants it back. */
static uint32_t acknowledged[MAX_CPUS];

unsigned gic_acknowledge(void)
{
	uint32_t value = v3 ? (uint32_t)read_sysreg("S3_0_C12_C12_0") /* ICC_IAR1_EL1 */
			    : read32(cpu_interface + GICC_IAR);

	acknowledged[this_cpu()] = value;
	return value & (v3 ? 0xffffff : 0x3ff);
}

void gic_end(unsigned intid)
{
	if (v3)
		write_sysreg("S3_0_C12_C12_1", intid); /* ICC_EOIR1_EL1 */
	else
		write32(cpu_interface + GICC_EOIR, acknowledged[this_cpu()]);
}

void gic_send_sgi(unsigned sgi, unsigned cpu)
{
	uint64_t mpidr = fdt_cpu_mpidr(cpu);

	barrier();
	if (!v3) {
		write32(distributor + GICD_SGIR, (uint32_t)(BIT(16 + cpu) | sgi));
		return;
	}
	/* ICC_SGI1R_EL1: Aff3, Aff2, INTID, Aff1, and a bit for Aff0. */
	write_sysreg("S3_0_C12_C11_5", (mpidr >> 32 & 0xff) << 48 | (mpidr >> 16 & 0xff) << 32 |
					       (uint64_t)sgi << 24 | (mpidr >> 8 & 0xff) << 16 |
					       BIT(mpidr & 0xf));
}
