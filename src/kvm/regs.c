/* SPDX-License-Identifier: Apache-2.0 */
/* A vCPU's registers, by KVM's names for them. */
#include <linux/kvm.h>
#include <string.h>
#include <sys/auxv.h>

#include "arm64/sysreg.h"
#include "kvm_private.h"

/* KVM's name of a core register: its place in struct kvm_regs, in 32-bit words. */
static uint64_t core_reg_id(enum hyp_reg reg)
{
	size_t at;

	switch (reg) {
	case HYP_REG_SP_EL0:
		at = offsetof(struct kvm_regs, regs.sp);
		break;
	case HYP_REG_PC:
		at = offsetof(struct kvm_regs, regs.pc);
		break;
	case HYP_REG_PSTATE:
		at = offsetof(struct kvm_regs, regs.pstate);
		break;
	case HYP_REG_SP_EL1:
		at = offsetof(struct kvm_regs, sp_el1);
		break;
	case HYP_REG_ELR_EL1:
		at = offsetof(struct kvm_regs, elr_el1);
		break;
	case HYP_REG_SPSR_EL1:
		at = offsetof(struct kvm_regs, spsr[KVM_SPSR_EL1]);
		break;
	default:
		at = offsetof(struct kvm_regs, regs.regs) + 8 * (size_t)reg;
		break;
	}
	return KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | at / sizeof(uint32_t);
}

static int get_reg(const struct hyp_vcpu *vcpu, uint64_t id, void *ret)
{
	struct kvm_one_reg reg = {.id = id, .addr = (uint64_t)(uintptr_t)ret};

	return kvm_ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg);
}

/* The two that have 32 bits. */
static bool is_narrow(enum hyp_reg reg)
{
	return reg == HYP_REG_FPSR || reg == HYP_REG_FPCR;
}

static uint64_t narrow_id(enum hyp_reg reg)
{
	size_t at = reg == HYP_REG_FPSR ? offsetof(struct kvm_regs, fp_regs.fpsr)
					: offsetof(struct kvm_regs, fp_regs.fpcr);

	return KVM_REG_ARM64 | KVM_REG_SIZE_U32 | KVM_REG_ARM_CORE | at / sizeof(uint32_t);
}

int hyp_vcpu_get_reg(struct hyp_vcpu *vcpu, enum hyp_reg reg, uint64_t *ret)
{
	uint32_t value = 0;
	int r;

	if (!is_narrow(reg))
		return get_reg(vcpu, core_reg_id(reg), ret);
	r = get_reg(vcpu, narrow_id(reg), &value);
	if (r >= 0)
		*ret = value;
	return r;
}

static int set_reg(const struct hyp_vcpu *vcpu, uint64_t id, const void *value)
{
	struct kvm_one_reg reg = {.id = id, .addr = (uint64_t)(uintptr_t)value};

	return kvm_ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg);
}

int hyp_vcpu_set_reg(struct hyp_vcpu *vcpu, enum hyp_reg reg, uint64_t value)
{
	uint32_t low = (uint32_t)value;

	return is_narrow(reg) ? set_reg(vcpu, narrow_id(reg), &low)
			      : set_reg(vcpu, core_reg_id(reg), &value);
}

static uint64_t sysreg_id(uint16_t sysreg)
{
	return KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM64_SYSREG | sysreg;
}

int hyp_vcpu_get_sysreg(struct hyp_vcpu *vcpu, uint16_t sysreg, uint64_t *ret)
{
	return get_reg(vcpu, sysreg_id(sysreg), ret);
}

int hyp_vcpu_set_sysreg(struct hyp_vcpu *vcpu, uint16_t sysreg, uint64_t value)
{
	return set_reg(vcpu, sysreg_id(sysreg), &value);
}

int hyp_vcpu_list_sysregs(struct hyp_vcpu *vcpu, uint16_t *ret, size_t max)
{
	struct kvm_reg_list none = {0};
	_cleanup_free_ struct kvm_reg_list *list = NULL;
	const uint64_t kind = KVM_REG_ARCH_MASK | KVM_REG_SIZE_MASK | KVM_REG_ARM_COPROC_MASK;
	size_t count = 0;
	int r = kvm_ioctl(vcpu->fd, KVM_GET_REG_LIST, &none);

	if (r < 0 && r != -E2BIG)
		return r;
	list = calloc(1, sizeof(*list) + none.n * sizeof(list->reg[0]));
	if (!list)
		return -ENOMEM;
	list->n = none.n;
	r = kvm_ioctl(vcpu->fd, KVM_GET_REG_LIST, list);
	for (uint64_t i = 0; i < list->n && r >= 0; i++) {
		if ((list->reg[i] & kind) != sysreg_id(0))
			continue;
		if (count < max)
			ret[count] = (uint16_t)list->reg[i];
		count++;
	}
	return r < 0 ? r : (int)count;
}

/* With SVE, a V register is the beginning of a Z register, and has no name of its own. */

static uint64_t vector_id(const struct hyp_vcpu *vcpu, unsigned reg)
{
	size_t at = offsetof(struct kvm_regs, fp_regs.vregs) + 16 * (size_t)reg;

	if (vcpu->options.sve)
		return KVM_REG_ARM64_SVE_ZREG(reg, 0);
	return KVM_REG_ARM64 | KVM_REG_SIZE_U128 | KVM_REG_ARM_CORE | at / sizeof(uint32_t);
}

int hyp_vcpu_get_vector(struct hyp_vcpu *vcpu, unsigned reg, uint8_t value[16])
{
	uint8_t whole[HYP_VECTOR_MAX];
	int r = get_reg(vcpu, vector_id(vcpu, reg), whole);

	if (r >= 0)
		memcpy(value, whole, 16);
	return r;
}

int hyp_vcpu_set_vector(struct hyp_vcpu *vcpu, unsigned reg, const uint8_t value[16])
{
	uint8_t whole[HYP_VECTOR_MAX] = {0};

	memcpy(whole, value, 16);
	return set_reg(vcpu, vector_id(vcpu, reg), whole);
}

/* The largest that KVM lets the vCPU have, and no more than ZCR_EL1 says. */
static unsigned vector_length(const struct hyp_vcpu *vcpu, uint64_t zcr)
{
	uint64_t lengths[KVM_ARM64_SVE_VLS_WORDS] = {0};
	unsigned quadwords = 0;

	if (!vcpu->options.sve || get_reg(vcpu, KVM_REG_ARM64_SVE_VLS, lengths) < 0)
		return 0;
	for (unsigned i = 0; i <= (zcr & ZCR_LEN) && i < HYP_VECTOR_MAX / 16; i++) {
		if (lengths[0] >> i & 1)
			quadwords = i + 1;
	}
	return quadwords * 16;
}

unsigned hyp_vcpu_vector_length(struct hyp_vcpu *vcpu)
{
	uint64_t zcr = 0;

	if (vcpu->options.sve)
		hyp_vcpu_get_sysreg(vcpu, SYSREG_ZCR_EL1, &zcr);
	return vector_length(vcpu, zcr);
}

unsigned hyp_vcpu_vector_max(struct hyp_vcpu *vcpu)
{
	return vector_length(vcpu, ZCR_LEN);
}

int hyp_vcpu_get_z(struct hyp_vcpu *vcpu, unsigned reg, uint8_t value[HYP_VECTOR_MAX])
{
	return get_reg(vcpu, KVM_REG_ARM64_SVE_ZREG(reg, 0), value);
}

int hyp_vcpu_set_z(struct hyp_vcpu *vcpu, unsigned reg, const uint8_t value[HYP_VECTOR_MAX])
{
	return set_reg(vcpu, KVM_REG_ARM64_SVE_ZREG(reg, 0), value);
}

/* KVM has the FFR behind P15. */
int hyp_vcpu_get_p(struct hyp_vcpu *vcpu, unsigned reg, uint8_t value[HYP_PREDICATE_MAX])
{
	return get_reg(vcpu, reg < 16 ? KVM_REG_ARM64_SVE_PREG(reg, 0) : KVM_REG_ARM64_SVE_FFR(0),
		       value);
}

int hyp_vcpu_set_p(struct hyp_vcpu *vcpu, unsigned reg, const uint8_t value[HYP_PREDICATE_MAX])
{
	return set_reg(vcpu, reg < 16 ? KVM_REG_ARM64_SVE_PREG(reg, 0) : KVM_REG_ARM64_SVE_FFR(0),
		       value);
}

#ifndef HWCAP2_MOPS
#define HWCAP2_MOPS BIT(43)
#endif

/* A prologue of nothing tells in PSTATE.C: CPYFP [X0]!, [X1]!, X2!. */
static int try_copy(void)
{
	uint64_t nzcv;

	__asm__ volatile("mov x0, #0\n\t"
			 "mov x1, #0\n\t"
			 "mov x2, #0\n\t"
			 ".inst 0x19010440\n\t"
			 "mrs %0, nzcv"
			 : "=r"(nzcv)
			 :
			 : "x0", "x1", "x2", "memory", "cc");
	return nzcv >> 29 & 1;
}

int hyp_copy_option(void)
{
	return getauxval(AT_HWCAP2) & HWCAP2_MOPS ? try_copy() : -EOPNOTSUPP;
}

/* DCZID_EL0.BS, which the guest reads from the CPU itself (DDI 0487, D24.2.35). */
unsigned hyp_vcpu_zero_block(const struct hyp_vcpu *vcpu)
{
	uint64_t dczid_el0;

	(void)vcpu;
	__asm__("mrs %0, dczid_el0" : "=r"(dczid_el0));
	return 4U << (dczid_el0 & 0xf);
}

uint64_t hyp_timer_frequency(void)
{
	uint64_t cntfrq_el0;

	__asm__("mrs %0, cntfrq_el0" : "=r"(cntfrq_el0));
	return cntfrq_el0;
}
