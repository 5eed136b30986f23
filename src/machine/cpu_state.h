/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU's registers, as the models of src/arm64/ want them. Its own thread, or any while it
 * is held.
 */
#ifndef ARMLET_MACHINE_CPU_STATE_H
#define ARMLET_MACHINE_CPU_STATE_H

#include "arm64/exception.h"
#include "arm64/stage1.h"
#include "vcpu.h"

/* 0 if the host does not tell it. */
uint64_t cpu_sysreg(const struct vcpu *vcpu, uint16_t sysreg);

void cpu_stage1(const struct vcpu *vcpu, struct stage1 *ret);

/* What an exception depends on, and then what it leaves; FAR_EL1 included. */
void cpu_before_exception(const struct vcpu *vcpu, struct exception *ret);
void cpu_after_exception(struct vcpu *vcpu, const struct exception *exception);

#endif
