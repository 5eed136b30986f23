/* SPDX-License-Identifier: Apache-2.0 */
#include "arm64/id_regs.h"

#include <string.h>

#include "arm64/sysreg.h"

/* Most fields: four bits, of which zero is nothing and more is more. */
#define FIELD(name, shift)               \
	{                                \
		name, shift, 4, ID_LOWER \
	}
#define SIGNED(name, shift)               \
	{                                 \
		name, shift, 4, ID_SIGNED \
	}
#define EXACT(name, shift)               \
	{                                \
		name, shift, 4, ID_EXACT \
	}
#define FLAG(name, shift)                \
	{                                \
		name, shift, 1, ID_LOWER \
	}

static const struct id_field midr[] = {
	{"Implementer", 24, 8, ID_EXACT},  {"Variant", 20, 4, ID_EXACT},
	{"Architecture", 16, 4, ID_EXACT}, {"PartNum", 4, 12, ID_EXACT},
	{"Revision", 0, 4, ID_EXACT},      {0},
};

/* REVIDR_EL1 and AIDR_EL1 are the implementer's as a whole. */
static const struct id_field whole[] = {{"Value", 0, 64, ID_EXACT}, {0}};

static const struct id_field pfr0[] = {
	FIELD("EL0", 0),
	FIELD("EL1", 4),
	FIELD("EL2", 8),
	FIELD("EL3", 12),
	SIGNED("FP", 16),
	SIGNED("AdvSIMD", 20),
	FIELD("GIC", 24),
	FIELD("RAS", 28),
	FIELD("SVE", 32),
	FIELD("SEL2", 36),
	FIELD("MPAM", 40),
	FIELD("AMU", 44),
	FIELD("DIT", 48),
	FIELD("RME", 52),
	FIELD("CSV2", 56),
	FIELD("CSV3", 60),
	{0},
};

static const struct id_field pfr1[] = {
	FIELD("BT", 0),         FIELD("SSBS", 4),
	FIELD("MTE", 8),        FIELD("RAS_frac", 12),
	FIELD("MPAM_frac", 16), FIELD("SME", 24),
	FIELD("RNDR_trap", 28), FIELD("CSV2_frac", 32),
	FIELD("NMI", 36),       SIGNED("MTE_frac", 40),
	FIELD("GCS", 44),       FIELD("THE", 48),
	FIELD("MTEX", 52),      FIELD("DF2", 56),
	FIELD("PFAR", 60),      {0},
};

static const struct id_field pfr2[] = {
	FIELD("MTEPERM", 0),
	FIELD("MTESTOREONLY", 4),
	FIELD("MTEFAR", 8),
	FIELD("GCIE", 12),
	FIELD("UINJ", 16),
	FIELD("FPMR", 32),
	{0},
};

static const struct id_field zfr0[] = {
	FIELD("SVEver", 0),
	FIELD("AES", 4),
	FIELD("EltPerm", 12),
	FIELD("BitPerm", 16),
	FIELD("BF16", 20),
	FIELD("B16B16", 24),
	FIELD("SHA3", 32),
	FIELD("SM4", 40),
	FIELD("I8MM", 44),
	FIELD("F16MM", 48),
	FIELD("F32MM", 52),
	FIELD("F64MM", 56),
	{0},
};

static const struct id_field fpfr0[] = {
	FLAG("F8E5M2", 0), FLAG("F8E4M3", 1), FLAG("F8MM4", 26),
	FLAG("F8MM8", 27), FLAG("F8DP2", 28), FLAG("F8DP4", 29),
	FLAG("F8FMA", 30), FLAG("F8CVT", 31), {0},
};

static const struct id_field dfr0[] = {
	FIELD("DebugVer", 0),
	FIELD("TraceVer", 4),
	SIGNED("PMUVer", 8),
	FIELD("BRPs", 12),
	FIELD("PMSS", 16),
	FIELD("WRPs", 20),
	FIELD("SEBEP", 24),
	FIELD("CTX_CMPs", 28),
	FIELD("PMSVer", 32),
	SIGNED("DoubleLock", 36),
	FIELD("TraceFilt", 40),
	FIELD("TraceBuffer", 44),
	SIGNED("MTPMU", 48),
	FIELD("BRBE", 52),
	FIELD("ExtTrcBuff", 56),
	FIELD("HPMN0", 60),
	{0},
};

static const struct id_field isar0[] = {
	FIELD("AES", 4),     FIELD("SHA1", 8), FIELD("SHA2", 12), FIELD("CRC32", 16),
	FIELD("Atomic", 20), FIELD("TME", 24), FIELD("RDM", 28),  FIELD("SHA3", 32),
	FIELD("SM3", 36),    FIELD("SM4", 40), FIELD("DP", 44),   FIELD("FHM", 48),
	FIELD("TS", 52),     FIELD("TLB", 56), FIELD("RNDR", 60), {0},
};

/* Which algorithm makes pointer authentication codes is nothing to choose between. */
static const struct id_field isar1[] = {
	FIELD("DPB", 0),
	FIELD("APA", 4),
	FIELD("API", 8),
	FIELD("JSCVT", 12),
	FIELD("FCMA", 16),
	FIELD("LRCPC", 20),
	FIELD("GPA", 24),
	FIELD("GPI", 28),
	FIELD("FRINTTS", 32),
	FIELD("SB", 36),
	FIELD("SPECRES", 40),
	FIELD("BF16", 44),
	FIELD("DGH", 48),
	FIELD("I8MM", 52),
	FIELD("XS", 56),
	FIELD("LS64", 60),
	{0},
};

static const struct id_field isar2[] = {
	FIELD("WFxT", 0),
	FIELD("RPRES", 4),
	FIELD("GPA3", 8),
	FIELD("APA3", 12),
	FIELD("MOPS", 16),
	FIELD("BC", 20),
	FIELD("PAC_frac", 24),
	FIELD("CLRBHB", 28),
	FIELD("SYSREG_128", 32),
	FIELD("SYSINSTR_128", 36),
	FIELD("PRFMSLC", 40),
	FIELD("PCDPHINT", 44),
	FIELD("RPRFM", 48),
	FIELD("CSSC", 52),
	FIELD("LUT", 56),
	FIELD("ATS1A", 60),
	{0},
};

static const struct id_field isar3[] = {
	FIELD("CPA", 0),   FIELD("FAMINMAX", 4), FIELD("TLBIW", 8),
	FIELD("PACM", 12), FIELD("LSFE", 16),    FIELD("OCCMO", 20),
	FIELD("LSUI", 24), FIELD("FPRCVT", 28),  {0},
};

/* TGran4_2 and its like are numbers of cases, not of more and less. */
static const struct id_field mmfr0[] = {
	FIELD("PARange", 0),    FIELD("ASIDBits", 4),   FIELD("BigEnd", 8),
	FIELD("SNSMem", 12),    FIELD("BigEndEL0", 16), FIELD("TGran16", 20),
	SIGNED("TGran64", 24),  SIGNED("TGran4", 28),   EXACT("TGran16_2", 32),
	EXACT("TGran64_2", 36), EXACT("TGran4_2", 40),  FIELD("ExS", 44),
	FIELD("FGT", 56),       FIELD("ECV", 60),       {0},
};

static const struct id_field mmfr1[] = {
	FIELD("HAFDBS", 0),
	FIELD("VMIDBits", 4),
	FIELD("VH", 8),
	FIELD("HPDS", 12),
	FIELD("LO", 16),
	FIELD("PAN", 20),
	{"SpecSEI", 24, 4, ID_HIGHER},
	FIELD("XNX", 28),
	FIELD("TWED", 32),
	FIELD("ETS", 36),
	FIELD("HCX", 40),
	FIELD("AFP", 44),
	FIELD("nTLBPA", 48),
	FIELD("TIDCP1", 52),
	FIELD("CMOW", 56),
	FIELD("ECBHB", 60),
	{0},
};

static const struct id_field mmfr2[] = {
	FIELD("CnP", 0),      FIELD("UAO", 4),    FIELD("LSM", 8),   FIELD("IESB", 12),
	FIELD("VARange", 16), FIELD("CCIDX", 20), FIELD("NV", 24),   FIELD("ST", 28),
	FIELD("AT", 32),      FIELD("IDS", 36),   FIELD("FWB", 40),  FIELD("TTL", 48),
	FIELD("BBM", 52),     FIELD("EVT", 56),   FIELD("E0PD", 60), {0},
};

static const struct id_field mmfr3[] = {
	FIELD("TCRX", 0),   FIELD("SCTLRX", 4),  FIELD("S1PIE", 8),       FIELD("S2PIE", 12),
	FIELD("S1POE", 16), FIELD("S2POE", 20),  FIELD("AIE", 24),        FIELD("MEC", 28),
	FIELD("D128", 32),  FIELD("D128_2", 36), FIELD("SNERR", 40),      FIELD("ANERR", 44),
	FIELD("SDERR", 52), FIELD("ADERR", 56),  FIELD("Spec_FPACC", 60), {0},
};

static const struct id_field mmfr4[] = {
	FIELD("PoPS", 0),    FIELD("EIESB", 4),   FIELD("ASID2", 8),
	FIELD("HACDBS", 12), FIELD("FGWTE3", 16), FIELD("NV_frac", 20),
	SIGNED("E2H0", 24),  FIELD("E3DSE", 36),  {0},
};

/* Cache lines: to clean by smaller steps than there are lines is safe (D24.2.34). */
static const struct id_field ctr[] = {
	FIELD("IminLine", 0),      {"L1Ip", 14, 2, ID_EXACT},     FIELD("DminLine", 16),
	{"ERG", 20, 4, ID_HIGHER}, {"CWG", 24, 4, ID_HIGHER},     FLAG("IDC", 28),
	FLAG("DIC", 29),           {"TminLine", 32, 6, ID_EXACT}, {0},
};

const struct id_reg id_regs[ID_REGS + 1] = {
	{"MIDR_EL1", SYSREG_MIDR_EL1, true, midr},
	{"REVIDR_EL1", SYSREG_REVIDR_EL1, true, whole},
	{"AIDR_EL1", SYSREG_AIDR_EL1, true, whole},
	{"ID_AA64PFR0_EL1", SYSREG_ID_AA64PFR0_EL1, false, pfr0},
	{"ID_AA64PFR1_EL1", SYSREG_ID_AA64PFR1_EL1, false, pfr1},
	{"ID_AA64PFR2_EL1", SYSREG_ID_AA64PFR2_EL1, false, pfr2},
	{"ID_AA64ZFR0_EL1", SYSREG_ID_AA64ZFR0_EL1, false, zfr0},
	{"ID_AA64FPFR0_EL1", SYSREG_ID_AA64FPFR0_EL1, false, fpfr0},
	{"ID_AA64DFR0_EL1", SYSREG_ID_AA64DFR0_EL1, false, dfr0},
	{"ID_AA64ISAR0_EL1", SYSREG_ID_AA64ISAR0_EL1, false, isar0},
	{"ID_AA64ISAR1_EL1", SYSREG_ID_AA64ISAR1_EL1, false, isar1},
	{"ID_AA64ISAR2_EL1", SYSREG_ID_AA64ISAR2_EL1, false, isar2},
	{"ID_AA64ISAR3_EL1", SYSREG_ID_AA64ISAR3_EL1, false, isar3},
	{"ID_AA64MMFR0_EL1", SYSREG_ID_AA64MMFR0_EL1, false, mmfr0},
	{"ID_AA64MMFR1_EL1", SYSREG_ID_AA64MMFR1_EL1, false, mmfr1},
	{"ID_AA64MMFR2_EL1", SYSREG_ID_AA64MMFR2_EL1, false, mmfr2},
	{"ID_AA64MMFR3_EL1", SYSREG_ID_AA64MMFR3_EL1, false, mmfr3},
	{"ID_AA64MMFR4_EL1", SYSREG_ID_AA64MMFR4_EL1, false, mmfr4},
	{"CTR_EL0", SYSREG_CTR_EL0, false, ctr},
	{0},
};

int id_reg_find(const char *name)
{
	for (int i = 0; id_regs[i].name; i++) {
		if (!strcmp(id_regs[i].name, name))
			return i;
	}
	return -1;
}

const struct id_field *id_field_find(const struct id_reg *reg, const char *name)
{
	for (const struct id_field *field = reg->fields; field->name; field++) {
		if (!strcmp(field->name, name))
			return field;
	}
	return NULL;
}

/* The value of a field of less than 64 bits with its highest bit as a sign. */
static int64_t with_sign(const struct id_field *field, uint64_t value)
{
	return (int64_t)(value << (64 - field->width)) >> (64 - field->width);
}

bool id_field_fits(const struct id_field *field, uint64_t a, uint64_t b)
{
	switch (field->order) {
	case ID_LOWER:
		return a <= b;
	case ID_SIGNED:
		return with_sign(field, a) <= with_sign(field, b);
	case ID_HIGHER:
		return a >= b;
	default:
		return a == b;
	}
}
