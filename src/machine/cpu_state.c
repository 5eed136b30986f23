/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu_state.h"

#include "arm64/sysreg.h"

uint64_t cpu_sysreg(const struct vcpu *vcpu, uint16_t sysreg)
{
	uint64_t value = 0;

	hyp_vcpu_get_sysreg(vcpu->hyp, sysreg, &value);
	return value;
}

void cpu_stage1(const struct vcpu *vcpu, struct stage1 *ret)
{
	*ret = (struct stage1){
		.sctlr = cpu_sysreg(vcpu, SYSREG_SCTLR_EL1),
		.tcr = cpu_sysreg(vcpu, SYSREG_TCR_EL1),
		.ttbr = {cpu_sysreg(vcpu, SYSREG_TTBR0_EL1), cpu_sysreg(vcpu, SYSREG_TTBR1_EL1)},
		.indirect = cpu_sysreg(vcpu, SYSREG_TCR2_EL1) & TCR2_PIE,
	};
	if (ret->indirect) {
		ret->pir = cpu_sysreg(vcpu, SYSREG_PIR_EL1);
		ret->pire0 = cpu_sysreg(vcpu, SYSREG_PIRE0_EL1);
	}
}

void cpu_before_exception(const struct vcpu *vcpu, struct exception *ret)
{
	*ret = (struct exception){
		.vbar = cpu_sysreg(vcpu, SYSREG_VBAR_EL1),
		.sctlr = cpu_sysreg(vcpu, SYSREG_SCTLR_EL1),
		.far = cpu_sysreg(vcpu, SYSREG_FAR_EL1),
	};
	hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_PC, &ret->pc);
	hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_PSTATE, &ret->pstate);
}

void cpu_after_exception(struct vcpu *vcpu, const struct exception *exception)
{
	hyp_vcpu_set_reg(vcpu->hyp, HYP_REG_ELR_EL1, exception->elr);
	hyp_vcpu_set_reg(vcpu->hyp, HYP_REG_SPSR_EL1, exception->spsr);
	hyp_vcpu_set_sysreg(vcpu->hyp, SYSREG_ESR_EL1, exception->esr);
	hyp_vcpu_set_sysreg(vcpu->hyp, SYSREG_FAR_EL1, exception->far);
	hyp_vcpu_set_reg(vcpu->hyp, HYP_REG_PC, exception->pc);
	hyp_vcpu_set_reg(vcpu->hyp, HYP_REG_PSTATE, exception->pstate);
}
