/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses that the hardware does not describe, done by hand (arm64/insn.h says which these
 * are, arm64/stage1.h how the guest's addresses are found).
 *
 * DOC: From a stage-2 fault without syndrome to the device
 *
 * KVM tells the IPA of the fault, and that the vCPU stands at the instruction. So: find the
 * code by the guest's tables, decode it, find each page that it touches in the same way, and
 * do it, part by part: what is RAM by copying, the rest on the bus. If none of the pages is
 * where KVM saw the fault, the guest has changed its tables or its code meanwhile: then the
 * vCPU tries again. If a page is not there at all, or not for this access, the guest gets
 * the data abort that stage 1 would have given. What nobody can do by hand gets an external
 * abort and a line in the log.
 *
 * The vCPU's own thread.
 */
#ifndef ARMLET_MACHINE_UNDESCRIBED_H
#define ARMLET_MACHINE_UNDESCRIBED_H

#include "arm64/insn.h"
#include "vcpu.h"

/* Answer the exit VCPU_EXIT_NO_SYNDROME. */
enum vcpu_next undescribed_answer(struct vcpu *vcpu, const struct vcpu_exit *exit);

/*
 * Whether a value that is being read might have a sign, of 1, 2 or 4 bytes, in either byte
 * order: bit 7 of the first byte, of the second or of the fourth. It need not have one.
 */
static inline bool undescribed_is_negative(const struct vcpu_exit *exit)
{
	return exit->value & UINT64_C(0x80008080);
}

/*
 * Hosts before Linux 7 answer LDRSB, LDRSH and LDRSW from a device without extending the
 * sign. Called with the @exit of a read and a value in it that might be negative: finishes
 * the instruction if it is one of these and the host is one of those.
 */
void undescribed_extend_sign(struct vcpu *vcpu, const struct vcpu_exit *exit);

/* The instruction that the vCPU stands at. False: it cannot be found. */
struct undescribed_insn {
	uint32_t word;
	enum insn_kind kind;
};
bool undescribed_look(struct vcpu *vcpu, struct undescribed_insn *ret);

/*
 * Do the instruction that the vCPU stands at, if it touches the page of a device that @at is
 * in. False: it does not, or cannot, and nothing is changed.
 */
bool undescribed_execute(struct vcpu *vcpu, gpa_t at);

#endif
