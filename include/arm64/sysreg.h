/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AArch64 system registers by their encoding (Arm ARM DDI 0487, D23 "AArch64
 * System Register Encoding"), and the fields that armlet looks at.
 */
#ifndef ARMLET_ARM64_SYSREG_H
#define ARMLET_ARM64_SYSREG_H

#include "base/util.h"

/* op0, op1, CRn, CRm, op2 in the 16 bits that an MRS instruction has for them. */
#define SYSREG(op0, op1, crn, crm, op2) \
	((uint16_t)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2)))

#define SYSREG_MDSCR_EL1        SYSREG(2, 0, 0, 2, 2)
#define SYSREG_DBGBVR_EL1(n)    SYSREG(2, 0, 0, n, 4)
#define SYSREG_DBGBCR_EL1(n)    SYSREG(2, 0, 0, n, 5)
#define SYSREG_DBGWVR_EL1(n)    SYSREG(2, 0, 0, n, 6)
#define SYSREG_DBGWCR_EL1(n)    SYSREG(2, 0, 0, n, 7)
#define SYSREG_MIDR_EL1         SYSREG(3, 0, 0, 0, 0)
#define SYSREG_MPIDR_EL1        SYSREG(3, 0, 0, 0, 5)
#define SYSREG_REVIDR_EL1       SYSREG(3, 0, 0, 0, 6)
#define SYSREG_ID_AA64PFR0_EL1  SYSREG(3, 0, 0, 4, 0)
#define SYSREG_ID_AA64PFR1_EL1  SYSREG(3, 0, 0, 4, 1)
#define SYSREG_ID_AA64PFR2_EL1  SYSREG(3, 0, 0, 4, 2)
#define SYSREG_ID_AA64ZFR0_EL1  SYSREG(3, 0, 0, 4, 4)
#define SYSREG_ID_AA64FPFR0_EL1 SYSREG(3, 0, 0, 4, 7)
#define SYSREG_ID_AA64DFR0_EL1  SYSREG(3, 0, 0, 5, 0)
#define SYSREG_ID_AA64ISAR0_EL1 SYSREG(3, 0, 0, 6, 0)
#define SYSREG_ID_AA64ISAR1_EL1 SYSREG(3, 0, 0, 6, 1)
#define SYSREG_ID_AA64ISAR2_EL1 SYSREG(3, 0, 0, 6, 2)
#define SYSREG_ID_AA64ISAR3_EL1 SYSREG(3, 0, 0, 6, 3)
#define SYSREG_ID_AA64MMFR0_EL1 SYSREG(3, 0, 0, 7, 0)
#define SYSREG_ID_AA64MMFR1_EL1 SYSREG(3, 0, 0, 7, 1)
#define SYSREG_ID_AA64MMFR2_EL1 SYSREG(3, 0, 0, 7, 2)
#define SYSREG_ID_AA64MMFR3_EL1 SYSREG(3, 0, 0, 7, 3)
#define SYSREG_ID_AA64MMFR4_EL1 SYSREG(3, 0, 0, 7, 4)
#define SYSREG_SCTLR_EL1        SYSREG(3, 0, 1, 0, 0)
#define SYSREG_ZCR_EL1          SYSREG(3, 0, 1, 2, 0)
#define SYSREG_TTBR0_EL1        SYSREG(3, 0, 2, 0, 0)
#define SYSREG_TTBR1_EL1        SYSREG(3, 0, 2, 0, 1)
#define SYSREG_TCR_EL1          SYSREG(3, 0, 2, 0, 2)
#define SYSREG_TCR2_EL1         SYSREG(3, 0, 2, 0, 3)
#define SYSREG_SPSR_EL1         SYSREG(3, 0, 4, 0, 0)
#define SYSREG_ELR_EL1          SYSREG(3, 0, 4, 0, 1)
#define SYSREG_ESR_EL1          SYSREG(3, 0, 5, 2, 0)
#define SYSREG_FAR_EL1          SYSREG(3, 0, 6, 0, 0)
#define SYSREG_PAR_EL1          SYSREG(3, 0, 7, 4, 0)
#define SYSREG_MAIR_EL1         SYSREG(3, 0, 10, 2, 0)
#define SYSREG_PIRE0_EL1        SYSREG(3, 0, 10, 2, 2)
#define SYSREG_PIR_EL1          SYSREG(3, 0, 10, 2, 3)
#define SYSREG_VBAR_EL1         SYSREG(3, 0, 12, 0, 0)
#define SYSREG_CONTEXTIDR_EL1   SYSREG(3, 0, 13, 0, 1)
#define SYSREG_TPIDR_EL1        SYSREG(3, 0, 13, 0, 4)
#define SYSREG_AIDR_EL1         SYSREG(3, 1, 0, 0, 7)
#define SYSREG_CTR_EL0          SYSREG(3, 3, 0, 0, 1)
#define SYSREG_TPIDR_EL0        SYSREG(3, 3, 13, 0, 2)
#define SYSREG_TPIDRRO_EL0      SYSREG(3, 3, 13, 0, 3)
#define SYSREG_CNTKCTL_EL1      SYSREG(3, 0, 14, 1, 0)

/* A four-bit ID field: its lowest bit is @shift. */
static inline unsigned id_field(uint64_t value, unsigned shift)
{
	return (unsigned)(value >> shift) & 0xf;
}

/* ID_AA64MMFR0_EL1 (Arm ARM D24.2.74). */
enum {
	ID_AA64MMFR0_PARANGE = 0,
	ID_AA64MMFR0_BIGEND = 8,
	ID_AA64MMFR0_TGRAN16 = 20,
	ID_AA64MMFR0_TGRAN64 = 24,
	ID_AA64MMFR0_TGRAN4 = 28,
};

/* ID_AA64DFR0_EL1 (Arm ARM D24.2.69): watchpoints, less one. */
enum { ID_AA64DFR0_WRPS = 20 };

/* Sizes of translation granules, as a set. */
enum granule { GRANULE_4K = 1, GRANULE_16K = 2, GRANULE_64K = 4 };

/* The stage-1 granules that a CPU with this ID_AA64MMFR0_EL1 has. */
static inline unsigned id_granules(uint64_t mmfr0)
{
	/* TGran4 and TGran64: 0b1111 is "not supported"; TGran16: 0b0000 is. */
	return (id_field(mmfr0, ID_AA64MMFR0_TGRAN4) != 0xf ? GRANULE_4K : 0) |
	       (id_field(mmfr0, ID_AA64MMFR0_TGRAN16) != 0 ? GRANULE_16K : 0) |
	       (id_field(mmfr0, ID_AA64MMFR0_TGRAN64) != 0xf ? GRANULE_64K : 0);
}

/* SCTLR_EL1 (Arm ARM D24.2.150). */
#define SCTLR_M     BIT(0)
#define SCTLR_SPAN  BIT(23) /* PSTATE.PAN stays as it is when an exception is taken */
#define SCTLR_E0E   BIT(24) /* data of EL0 is big-endian */
#define SCTLR_EE    BIT(25) /* that of EL1, and the tables */
#define SCTLR_DSSBS BIT(44)
#define SCTLR_EPAN  BIT(57)

/* TCR_EL1 (Arm ARM D24.2.158). */
#define TCR_EPD0  BIT(7)
#define TCR_EPD1  BIT(23)
#define TCR_TBI0  BIT(37)
#define TCR_TBI1  BIT(38)
#define TCR_HA    BIT(39)
#define TCR_HD    BIT(40)
#define TCR_HPD0  BIT(41)
#define TCR_HPD1  BIT(42)
#define TCR_TBID0 BIT(51)
#define TCR_TBID1 BIT(52)
#define TCR_E0PD0 BIT(55)
#define TCR_E0PD1 BIT(56)
#define TCR_DS    BIT(59)

/* ZCR_EL1 (Arm ARM D24.2.187): the vector's length in units of 16 bytes, less one. */
#define ZCR_LEN UINT64_C(0xf)

/* TCR2_EL1 (Arm ARM D24.2.159). */
#define TCR2_PIE BIT(1)

/* MDSCR_EL1 (Arm ARM D24.3.20): debug exceptions of EL1, and all but breakpoint instructions. */
#define MDSCR_KDE BIT(13)
#define MDSCR_MDE BIT(15)

/* PSTATE, as SPSR_EL1 has it (Arm ARM C5.2.19). */
#define PSTATE_M     UINT64_C(0xf)
#define PSTATE_EL    UINT64_C(0xc) /* of M: the exception level */
#define PSTATE_EL1H  UINT64_C(5)   /* EL1 with SP_EL1 */
#define PSTATE_NRW   BIT(4)        /* AArch32 */
#define PSTATE_F     BIT(6)
#define PSTATE_I     BIT(7)
#define PSTATE_D     BIT(9)
#define PSTATE_DAIF  (UINT64_C(0xf) << 6)
#define PSTATE_BTYPE (UINT64_C(3) << 10)
#define PSTATE_SSBS  BIT(12)
#define PSTATE_SS    BIT(21)
#define PSTATE_PAN   BIT(22)
#define PSTATE_UAO   BIT(23)
#define PSTATE_DIT   BIT(24)
#define PSTATE_TCO   BIT(25)
#define PSTATE_NZCV  (UINT64_C(0xf) << 28)

/* Affinity fields of MPIDR_EL1, Aff3 in bits 39:32 (Arm ARM D24.2.117). */
#define MPIDR_RES1          BIT(31)
#define MPIDR_MT            BIT(24) /* Aff0 is a thread of a core */
#define MPIDR_AFFINITY_MASK UINT64_C(0xff00ffffff)

#endif
