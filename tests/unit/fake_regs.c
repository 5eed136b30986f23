/* SPDX-License-Identifier: Apache-2.0 */
/* The registers of the fake's vCPUs. */
#include <string.h>

#include "arm64/sysreg.h"
#include "fake_private.h"

int hyp_vcpu_set_reg(struct hyp_vcpu *vcpu, enum hyp_reg reg, uint64_t value)
{
	fake_note(vcpu->hyp, FAKE_SET_REG, reg, value, vcpu->index);
	if (fake_host.cpu)
		fake_host.cpu->regs[reg] = value;
	return 0;
}

/* As KVM numbers them: 16 vCPUs share Aff1; bit 31 is RES1 (Arm ARM D24.2.117). */
int hyp_vcpu_get_sysreg(struct hyp_vcpu *vcpu, uint16_t sysreg, uint64_t *ret)
{
	uint64_t aff1 = vcpu->index / (uint32_t)fake_host.clusters_of;
	uint64_t aff0 = vcpu->index % (uint32_t)fake_host.clusters_of;

	switch (sysreg) {
	case SYSREG_MPIDR_EL1:
		*ret = vcpu->numbered
			       ? vcpu->mpidr
			       : BIT(31) | aff0 | (aff1 & 0xff) << 8 | (aff1 >> 8 & 0xff) << 16;
		return 0;
	case SYSREG_ID_AA64MMFR0_EL1:
		*ret = fake_host.mmfr0;
		return 0;
	default:
		break;
	}
	if (!fake_host.cpu) {
		*ret = sysreg;
		return 0;
	}
	*ret = 0;
	for (size_t i = 0; fake_host.cpu->sysregs[i].sysreg; i++) {
		if (fake_host.cpu->sysregs[i].sysreg == sysreg)
			*ret = fake_host.cpu->sysregs[i].value;
	}
	return 0;
}

int hyp_vcpu_set_sysreg(struct hyp_vcpu *vcpu, uint16_t sysreg, uint64_t value)
{
	size_t i = 0;

	(void)vcpu;
	if (value & fake_host.id_refused)
		return -EINVAL;
	value |= fake_host.id_sticks;
	while (fake_host.cpu->sysregs[i].sysreg && fake_host.cpu->sysregs[i].sysreg != sysreg)
		i++;
	fake_host.cpu->sysregs[i].sysreg = sysreg;
	fake_host.cpu->sysregs[i].value = value;
	return 0;
}

int hyp_vcpu_get_vector(struct hyp_vcpu *vcpu, unsigned reg, uint8_t value[16])
{
	(void)vcpu;
	memcpy(value, fake_host.cpu->vectors[reg], 16);
	return 0;
}

int hyp_vcpu_set_vector(struct hyp_vcpu *vcpu, unsigned reg, const uint8_t value[16])
{
	(void)vcpu;
	memcpy(fake_host.cpu->vectors[reg], value, 16);
	return 0;
}

unsigned hyp_vcpu_vector_length(struct hyp_vcpu *vcpu)
{
	(void)vcpu;
	return fake_host.cpu ? fake_host.cpu->vector : 0;
}

unsigned hyp_vcpu_vector_max(struct hyp_vcpu *vcpu)
{
	return hyp_vcpu_vector_length(vcpu);
}

int hyp_vcpu_list_sysregs(struct hyp_vcpu *vcpu, uint16_t *ret, size_t max)
{
	static const uint16_t list[] = {SYSREG_VBAR_EL1, SYSREG_SCTLR_EL1, SYSREG_DBGBVR_EL1(3)};

	(void)vcpu;
	for (size_t i = 0; i < max && i < ARRAY_SIZE(list); i++)
		ret[i] = list[i];
	return ARRAY_SIZE(list);
}

int hyp_vcpu_get_z(struct hyp_vcpu *vcpu, unsigned reg, uint8_t value[HYP_VECTOR_MAX])
{
	(void)vcpu;
	memcpy(value, fake_host.cpu->z[reg], HYP_VECTOR_MAX);
	return 0;
}

int hyp_vcpu_set_z(struct hyp_vcpu *vcpu, unsigned reg, const uint8_t value[HYP_VECTOR_MAX])
{
	(void)vcpu;
	memcpy(fake_host.cpu->z[reg], value, HYP_VECTOR_MAX);
	return 0;
}

int hyp_vcpu_get_p(struct hyp_vcpu *vcpu, unsigned reg, uint8_t value[HYP_PREDICATE_MAX])
{
	(void)vcpu;
	memcpy(value, fake_host.cpu->p[reg], HYP_PREDICATE_MAX);
	return 0;
}

int hyp_vcpu_set_p(struct hyp_vcpu *vcpu, unsigned reg, const uint8_t value[HYP_PREDICATE_MAX])
{
	(void)vcpu;
	memcpy(fake_host.cpu->p[reg], value, HYP_PREDICATE_MAX);
	return 0;
}

int hyp_copy_option(void)
{
	return fake_host.copy_option;
}

unsigned hyp_vcpu_zero_block(const struct hyp_vcpu *vcpu)
{
	(void)vcpu;
	return 64;
}
