/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that execute instructions share. */
#ifndef ARMLET_ARM64_INSN_PRIVATE_H
#define ARMLET_ARM64_INSN_PRIVATE_H

#include "arm64/insn.h"

/* insn_execute() of INSN_VECTOR and INSN_FILL. */
int insn_execute_vector(const struct insn *insn, const struct insn_cpu *cpu);

/* The same of INSN_COPY. */
int insn_execute_copy(const struct insn *insn, const struct insn_cpu *cpu);

#endif
