/* SPDX-License-Identifier: Apache-2.0 */
#include "arm64/sysreg_name.h"

#include <stdio.h>
#include <stdlib.h>

struct name {
	uint16_t sysreg;
	const char *name;
};

/* In the order of their encodings. */
static const struct name names[] = {
	{SYSREG(2, 0, 0, 2, 0), "MDCCINT_EL1"},
	{SYSREG(2, 0, 0, 2, 2), "MDSCR_EL1"},
	{SYSREG(2, 0, 0, 6, 2), "OSECCR_EL1"},
	{SYSREG(2, 0, 1, 0, 4), "OSLAR_EL1"},
	{SYSREG(2, 0, 1, 1, 4), "OSLSR_EL1"},
	{SYSREG(2, 0, 1, 3, 4), "OSDLR_EL1"},
	{SYSREG(2, 4, 0, 7, 0), "DBGVCR32_EL2"},
	{SYSREG(3, 0, 0, 0, 0), "MIDR_EL1"},
	{SYSREG(3, 0, 0, 0, 5), "MPIDR_EL1"},
	{SYSREG(3, 0, 0, 0, 6), "REVIDR_EL1"},
	{SYSREG(3, 0, 0, 1, 0), "ID_PFR0_EL1"},
	{SYSREG(3, 0, 0, 1, 1), "ID_PFR1_EL1"},
	{SYSREG(3, 0, 0, 1, 2), "ID_DFR0_EL1"},
	{SYSREG(3, 0, 0, 1, 3), "ID_AFR0_EL1"},
	{SYSREG(3, 0, 0, 1, 4), "ID_MMFR0_EL1"},
	{SYSREG(3, 0, 0, 1, 5), "ID_MMFR1_EL1"},
	{SYSREG(3, 0, 0, 1, 6), "ID_MMFR2_EL1"},
	{SYSREG(3, 0, 0, 1, 7), "ID_MMFR3_EL1"},
	{SYSREG(3, 0, 0, 2, 0), "ID_ISAR0_EL1"},
	{SYSREG(3, 0, 0, 2, 1), "ID_ISAR1_EL1"},
	{SYSREG(3, 0, 0, 2, 2), "ID_ISAR2_EL1"},
	{SYSREG(3, 0, 0, 2, 3), "ID_ISAR3_EL1"},
	{SYSREG(3, 0, 0, 2, 4), "ID_ISAR4_EL1"},
	{SYSREG(3, 0, 0, 2, 5), "ID_ISAR5_EL1"},
	{SYSREG(3, 0, 0, 2, 6), "ID_MMFR4_EL1"},
	{SYSREG(3, 0, 0, 2, 7), "ID_ISAR6_EL1"},
	{SYSREG(3, 0, 0, 3, 0), "MVFR0_EL1"},
	{SYSREG(3, 0, 0, 3, 1), "MVFR1_EL1"},
	{SYSREG(3, 0, 0, 3, 2), "MVFR2_EL1"},
	{SYSREG(3, 0, 0, 3, 4), "ID_PFR2_EL1"},
	{SYSREG(3, 0, 0, 3, 5), "ID_DFR1_EL1"},
	{SYSREG(3, 0, 0, 3, 6), "ID_MMFR5_EL1"},
	{SYSREG(3, 0, 0, 4, 0), "ID_AA64PFR0_EL1"},
	{SYSREG(3, 0, 0, 4, 1), "ID_AA64PFR1_EL1"},
	{SYSREG(3, 0, 0, 4, 2), "ID_AA64PFR2_EL1"},
	{SYSREG(3, 0, 0, 4, 4), "ID_AA64ZFR0_EL1"},
	{SYSREG(3, 0, 0, 4, 5), "ID_AA64SMFR0_EL1"},
	{SYSREG(3, 0, 0, 4, 7), "ID_AA64FPFR0_EL1"},
	{SYSREG(3, 0, 0, 5, 0), "ID_AA64DFR0_EL1"},
	{SYSREG(3, 0, 0, 5, 1), "ID_AA64DFR1_EL1"},
	{SYSREG(3, 0, 0, 5, 2), "ID_AA64DFR2_EL1"},
	{SYSREG(3, 0, 0, 5, 4), "ID_AA64AFR0_EL1"},
	{SYSREG(3, 0, 0, 5, 5), "ID_AA64AFR1_EL1"},
	{SYSREG(3, 0, 0, 6, 0), "ID_AA64ISAR0_EL1"},
	{SYSREG(3, 0, 0, 6, 1), "ID_AA64ISAR1_EL1"},
	{SYSREG(3, 0, 0, 6, 2), "ID_AA64ISAR2_EL1"},
	{SYSREG(3, 0, 0, 6, 3), "ID_AA64ISAR3_EL1"},
	{SYSREG(3, 0, 0, 7, 0), "ID_AA64MMFR0_EL1"},
	{SYSREG(3, 0, 0, 7, 1), "ID_AA64MMFR1_EL1"},
	{SYSREG(3, 0, 0, 7, 2), "ID_AA64MMFR2_EL1"},
	{SYSREG(3, 0, 0, 7, 3), "ID_AA64MMFR3_EL1"},
	{SYSREG(3, 0, 0, 7, 4), "ID_AA64MMFR4_EL1"},
	{SYSREG(3, 0, 1, 0, 0), "SCTLR_EL1"},
	{SYSREG(3, 0, 1, 0, 1), "ACTLR_EL1"},
	{SYSREG(3, 0, 1, 0, 2), "CPACR_EL1"},
	{SYSREG(3, 0, 1, 0, 3), "SCTLR2_EL1"},
	{SYSREG(3, 0, 1, 0, 5), "RGSR_EL1"},
	{SYSREG(3, 0, 1, 0, 6), "GCR_EL1"},
	{SYSREG(3, 0, 1, 2, 0), "ZCR_EL1"},
	{SYSREG(3, 0, 1, 2, 1), "TRFCR_EL1"},
	{SYSREG(3, 0, 2, 0, 0), "TTBR0_EL1"},
	{SYSREG(3, 0, 2, 0, 1), "TTBR1_EL1"},
	{SYSREG(3, 0, 2, 0, 2), "TCR_EL1"},
	{SYSREG(3, 0, 2, 0, 3), "TCR2_EL1"},
	{SYSREG(3, 0, 2, 1, 0), "APIAKeyLo_EL1"},
	{SYSREG(3, 0, 2, 1, 1), "APIAKeyHi_EL1"},
	{SYSREG(3, 0, 2, 1, 2), "APIBKeyLo_EL1"},
	{SYSREG(3, 0, 2, 1, 3), "APIBKeyHi_EL1"},
	{SYSREG(3, 0, 2, 2, 0), "APDAKeyLo_EL1"},
	{SYSREG(3, 0, 2, 2, 1), "APDAKeyHi_EL1"},
	{SYSREG(3, 0, 2, 2, 2), "APDBKeyLo_EL1"},
	{SYSREG(3, 0, 2, 2, 3), "APDBKeyHi_EL1"},
	{SYSREG(3, 0, 2, 3, 0), "APGAKeyLo_EL1"},
	{SYSREG(3, 0, 2, 3, 1), "APGAKeyHi_EL1"},
	{SYSREG(3, 0, 4, 0, 0), "SPSR_EL1"},
	{SYSREG(3, 0, 4, 0, 1), "ELR_EL1"},
	{SYSREG(3, 0, 5, 1, 0), "AFSR0_EL1"},
	{SYSREG(3, 0, 5, 1, 1), "AFSR1_EL1"},
	{SYSREG(3, 0, 5, 2, 0), "ESR_EL1"},
	{SYSREG(3, 0, 5, 3, 0), "ERRIDR_EL1"},
	{SYSREG(3, 0, 5, 3, 1), "ERRSELR_EL1"},
	{SYSREG(3, 0, 5, 6, 0), "TFSR_EL1"},
	{SYSREG(3, 0, 5, 6, 1), "TFSRE0_EL1"},
	{SYSREG(3, 0, 6, 0, 0), "FAR_EL1"},
	{SYSREG(3, 0, 7, 4, 0), "PAR_EL1"},
	{SYSREG(3, 0, 9, 14, 1), "PMINTENSET_EL1"},
	{SYSREG(3, 0, 9, 14, 2), "PMINTENCLR_EL1"},
	{SYSREG(3, 0, 9, 14, 6), "PMMIR_EL1"},
	{SYSREG(3, 0, 10, 2, 0), "MAIR_EL1"},
	{SYSREG(3, 0, 10, 2, 1), "MAIR2_EL1"},
	{SYSREG(3, 0, 10, 2, 2), "PIRE0_EL1"},
	{SYSREG(3, 0, 10, 2, 3), "PIR_EL1"},
	{SYSREG(3, 0, 10, 2, 4), "POR_EL1"},
	{SYSREG(3, 0, 10, 3, 0), "AMAIR_EL1"},
	{SYSREG(3, 0, 10, 5, 0), "MPAM1_EL1"},
	{SYSREG(3, 0, 10, 5, 1), "MPAM0_EL1"},
	{SYSREG(3, 0, 12, 0, 0), "VBAR_EL1"},
	{SYSREG(3, 0, 12, 1, 1), "DISR_EL1"},
	{SYSREG(3, 0, 13, 0, 1), "CONTEXTIDR_EL1"},
	{SYSREG(3, 0, 13, 0, 4), "TPIDR_EL1"},
	{SYSREG(3, 0, 13, 0, 7), "SCXTNUM_EL1"},
	{SYSREG(3, 0, 14, 1, 0), "CNTKCTL_EL1"},
	{SYSREG(3, 1, 0, 0, 0), "CCSIDR_EL1"},
	{SYSREG(3, 1, 0, 0, 1), "CLIDR_EL1"},
	{SYSREG(3, 1, 0, 0, 2), "CCSIDR2_EL1"},
	{SYSREG(3, 1, 0, 0, 4), "GMID_EL1"},
	{SYSREG(3, 1, 0, 0, 6), "SMIDR_EL1"},
	{SYSREG(3, 1, 0, 0, 7), "AIDR_EL1"},
	{SYSREG(3, 2, 0, 0, 0), "CSSELR_EL1"},
	{SYSREG(3, 3, 0, 0, 1), "CTR_EL0"},
	{SYSREG(3, 3, 0, 0, 7), "DCZID_EL0"},
	{SYSREG(3, 3, 4, 2, 2), "SVCR"},
	{SYSREG(3, 3, 4, 4, 2), "FPMR"},
	{SYSREG(3, 3, 9, 12, 0), "PMCR_EL0"},
	{SYSREG(3, 3, 9, 12, 1), "PMCNTENSET_EL0"},
	{SYSREG(3, 3, 9, 12, 2), "PMCNTENCLR_EL0"},
	{SYSREG(3, 3, 9, 12, 3), "PMOVSCLR_EL0"},
	{SYSREG(3, 3, 9, 12, 4), "PMSWINC_EL0"},
	{SYSREG(3, 3, 9, 12, 5), "PMSELR_EL0"},
	{SYSREG(3, 3, 9, 12, 6), "PMCEID0_EL0"},
	{SYSREG(3, 3, 9, 12, 7), "PMCEID1_EL0"},
	{SYSREG(3, 3, 9, 13, 0), "PMCCNTR_EL0"},
	{SYSREG(3, 3, 9, 13, 1), "PMXEVTYPER_EL0"},
	{SYSREG(3, 3, 9, 13, 2), "PMXEVCNTR_EL0"},
	{SYSREG(3, 3, 9, 14, 0), "PMUSERENR_EL0"},
	{SYSREG(3, 3, 9, 14, 3), "PMOVSSET_EL0"},
	{SYSREG(3, 3, 10, 2, 4), "POR_EL0"},
	{SYSREG(3, 3, 13, 0, 2), "TPIDR_EL0"},
	{SYSREG(3, 3, 13, 0, 3), "TPIDRRO_EL0"},
	{SYSREG(3, 3, 13, 0, 5), "TPIDR2_EL0"},
	{SYSREG(3, 3, 13, 0, 7), "SCXTNUM_EL0"},
	{SYSREG(3, 3, 14, 0, 1), "CNTPCT_EL0"},
	{SYSREG(3, 3, 14, 0, 2), "CNTVCT_EL0"},
	{SYSREG(3, 3, 14, 2, 1), "CNTP_CTL_EL0"},
	{SYSREG(3, 3, 14, 2, 2), "CNTP_CVAL_EL0"},
	{SYSREG(3, 3, 14, 3, 1), "CNTV_CTL_EL0"},
	{SYSREG(3, 3, 14, 3, 2), "CNTV_CVAL_EL0"},
	{SYSREG(3, 3, 14, 15, 7), "PMCCFILTR_EL0"},
	{SYSREG(3, 4, 3, 0, 0), "DACR32_EL2"},
	{SYSREG(3, 4, 5, 0, 1), "IFSR32_EL2"},
	{SYSREG(3, 4, 5, 3, 0), "FPEXC32_EL2"},
};

/* Registers of which there are many: the number is in CRm and op2, from the low bits. */
static const struct {
	const char *name;
	const char *level;
	uint16_t first;
	uint16_t mask; /* of the bits that are the same for all */
	bool by_op2;   /* the lower three bits of the number are op2; else it is CRm */
} arrays[] = {
	{"DBGBVR", "EL1", SYSREG(2, 0, 0, 0, 4), SYSREG(3, 7, 15, 0, 7), false},
	{"DBGBCR", "EL1", SYSREG(2, 0, 0, 0, 5), SYSREG(3, 7, 15, 0, 7), false},
	{"DBGWVR", "EL1", SYSREG(2, 0, 0, 0, 6), SYSREG(3, 7, 15, 0, 7), false},
	{"DBGWCR", "EL1", SYSREG(2, 0, 0, 0, 7), SYSREG(3, 7, 15, 0, 7), false},
	{"PMEVCNTR", "EL0", SYSREG(3, 3, 14, 8, 0), SYSREG(3, 7, 15, 12, 0), true},
	{"PMEVTYPER", "EL0", SYSREG(3, 3, 14, 12, 0), SYSREG(3, 7, 15, 12, 0), true},
};

static int compare(const void *key, const void *row)
{
	return (int)*(const uint16_t *)key - (int)((const struct name *)row)->sysreg;
}

const char *sysreg_name(uint16_t sysreg, char text[static SYSREG_NAME_MAX])
{
	const struct name *found =
		bsearch(&sysreg, names, ARRAY_SIZE(names), sizeof(names[0]), compare);
	unsigned crm = sysreg >> 3 & 0xf, op2 = sysreg & 7;

	if (found) {
		snprintf(text, SYSREG_NAME_MAX, "%s", found->name);
		return text;
	}
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++) {
		unsigned number = arrays[i].by_op2 ? (crm & 3) << 3 | op2 : crm;

		if ((sysreg & arrays[i].mask) != arrays[i].first)
			continue;
		snprintf(text, SYSREG_NAME_MAX, "%s%u_%s", arrays[i].name, number, arrays[i].level);
		return text;
	}
	snprintf(text, SYSREG_NAME_MAX, "S%u_%u_C%u_C%u_%u", (unsigned)(sysreg >> 14),
		 sysreg >> 11 & 7U, sysreg >> 7 & 0xfU, crm, op2);
	return text;
}
