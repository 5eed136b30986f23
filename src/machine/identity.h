/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The CPU that a guest sees
 *
 * Without a model it is what KVM makes of the host's CPU. A model (arm64/cpu_model.h) is
 * written into the ID registers of the first vCPU, which stand for all, before any has run:
 * KVM lets fields be lowered that it can keep from the guest, and says by masks which these
 * are. What is not so afterwards as the model has it ends the start, with the field's name.
 * Features that a vCPU has or has not as a whole (PMU, SVE, pointer authentication) follow
 * the model where nothing is said of them.
 */
#ifndef ARMLET_MACHINE_IDENTITY_H
#define ARMLET_MACHINE_IDENTITY_H

#include "arm64/cpu_model.h"
#include "hyp/hyp.h"

/* Whether a guest of @model (NULL: there is none) is to have no such feature. */
bool identity_lacks_pmu(const struct cpu_model *model);
bool identity_lacks_sve(const struct cpu_model *model);
bool identity_lacks_pauth(const struct cpu_model *model);

/* Between hyp_create_vm() and the first vCPU. Fails with a sentence. */
int identity_prepare(const struct cpu_model *model, struct hyp *hyp, struct error *err);

/* When all vCPUs are made, and none has run. Fails with a sentence. */
int identity_apply(const struct cpu_model *model, struct hyp *hyp, struct hyp_vcpu *vcpu,
		   struct error *err);

#endif
