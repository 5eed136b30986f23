/* SPDX-License-Identifier: Apache-2.0 */
#include "undescribed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arm64/exception.h"
#include "arm64/insn.h"
#include "arm64/stage1.h"
#include "arm64/sysreg.h"
#include "arm64/watchpoint.h"
#include "base/log.h"
#include "base/probe.h"
#include "cpu_state.h"
#include "exclusive.h"
#include "machine_private.h"

#define INSN_SIZE   4
#define RETRIES_MAX 1000 /* at one PC, with no other exit between */
#define PIECES      4    /* an instruction's bytes are in a page or two; a copy has two spans */
#define REG_SP      31
#define UPDATE_MAX  32 /* bytes of the largest atomic */

/* Some of the bytes of an instruction: what is in one page. */
struct piece {
	gva_t addr;
	unsigned size;
	gpa_t ipa;
	uint8_t *ram; /* NULL: they are a device's, or nobody's */
	bool write;
	enum fault_action fault;
};

struct access {
	struct vcpu *vcpu;
	const struct guest_mem *mem;
	struct stage1 stage1;
	uint64_t pc;
	uint64_t pstate;
	gpa_t fault; /* the IPA that KVM tells */
	struct piece pieces[PIECES];
	unsigned piece_count;
	bool here;            /* one of them is where KVM saw the fault */
	bool two_spans;       /* one is read, and the other written */
	struct abort abort;   /* that the guest gets, after -EFAULT */
	const uint64_t *read; /* what the device has given already; NULL: nothing */
};

/* ---- The vCPU as it stands ------------------------------------------------ */

static void look_at(struct vcpu *vcpu, gpa_t fault, struct access *ret)
{
	*ret = (struct access){.vcpu = vcpu, .mem = vcpu->machine->mem, .fault = fault};
	hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_PC, &ret->pc);
	hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_PSTATE, &ret->pstate);
	cpu_stage1(vcpu, &ret->stage1);
}

static bool at_el0(const struct access *access)
{
	return (access->pstate & PSTATE_EL) == 0;
}

/* The word at the PC; false: it cannot be found, or is not A64. */
static bool fetch(const struct access *access, uint32_t *ret)
{
	unsigned status;
	gpa_t at;

	return !(access->pstate & PSTATE_NRW) &&
	       stage1_walk(&access->stage1, access->mem, access->pc, STAGE1_FETCH, &at, &status) ==
		       0 &&
	       guest_mem_read(access->mem, at, ret, INSN_SIZE) == 0;
}

/* As if the instruction had been executed (DDI 0487, D1.3, PSTATE.BTYPE and SS). */
static void step_over(const struct access *access)
{
	uint64_t pstate = access->pstate & ~(PSTATE_BTYPE | PSTATE_SS);

	hyp_vcpu_set_reg(access->vcpu->hyp, HYP_REG_PC, access->pc + INSN_SIZE);
	if (pstate != access->pstate)
		hyp_vcpu_set_reg(access->vcpu->hyp, HYP_REG_PSTATE, pstate);
}

/* ---- The CPU that insn_execute() sees ------------------------------------- */

static enum hyp_reg reg_of(const struct access *access, unsigned reg)
{
	if (reg != REG_SP)
		return (enum hyp_reg)reg;
	return (access->pstate & PSTATE_M) == PSTATE_EL1H ? HYP_REG_SP_EL1 : HYP_REG_SP_EL0;
}

static uint64_t cpu_get_x(void *cpu, unsigned reg)
{
	const struct access *access = cpu;
	uint64_t value = 0;

	hyp_vcpu_get_reg(access->vcpu->hyp, reg_of(access, reg), &value);
	return value;
}

static void cpu_set_x(void *cpu, unsigned reg, uint64_t value)
{
	const struct access *access = cpu;

	hyp_vcpu_set_reg(access->vcpu->hyp, reg_of(access, reg), value);
}

static void cpu_get_v(void *cpu, unsigned reg, uint8_t value[16])
{
	const struct access *access = cpu;

	hyp_vcpu_get_vector(access->vcpu->hyp, reg, value);
}

static void cpu_set_v(void *cpu, unsigned reg, const uint8_t value[16])
{
	const struct access *access = cpu;

	hyp_vcpu_set_vector(access->vcpu->hyp, reg, value);
}

static void cpu_get_z(void *cpu, unsigned reg, uint8_t value[INSN_VECTOR_MAX])
{
	const struct access *access = cpu;

	hyp_vcpu_get_z(access->vcpu->hyp, reg, value);
}

static void cpu_set_z(void *cpu, unsigned reg, const uint8_t value[INSN_VECTOR_MAX])
{
	const struct access *access = cpu;

	hyp_vcpu_set_z(access->vcpu->hyp, reg, value);
}

static void cpu_get_p(void *cpu, unsigned reg, uint8_t value[INSN_PREDICATE_MAX])
{
	const struct access *access = cpu;

	hyp_vcpu_get_p(access->vcpu->hyp, reg, value);
}

static void cpu_set_p(void *cpu, unsigned reg, const uint8_t value[INSN_PREDICATE_MAX])
{
	const struct access *access = cpu;

	hyp_vcpu_set_p(access->vcpu->hyp, reg, value);
}

static uint64_t cpu_get_flags(void *cpu)
{
	const struct access *access = cpu;

	return access->pstate & PSTATE_NZCV;
}

static void cpu_set_flags(void *cpu, uint64_t flags)
{
	struct access *access = cpu;

	access->pstate = (access->pstate & ~PSTATE_NZCV) | flags;
	hyp_vcpu_set_reg(access->vcpu->hyp, HYP_REG_PSTATE, access->pstate);
}

static gva_t cpu_strip(void *cpu, gva_t addr)
{
	const struct access *access = cpu;

	return stage1_strip_code(&access->stage1, addr);
}

static unsigned rights(const struct access *access, unsigned wanted)
{
	bool el0 = at_el0(access) || (wanted & INSN_AS_EL0 && !(access->pstate & PSTATE_UAO));

	return (wanted & INSN_READ ? STAGE1_READ : 0) | (wanted & INSN_WRITE ? STAGE1_WRITE : 0) |
	       (el0 ? STAGE1_EL0 : 0) | (access->pstate & PSTATE_PAN ? STAGE1_PAN : 0);
}

static int reach_page(struct access *access, gva_t addr, unsigned size, unsigned wanted)
{
	struct piece *piece = &access->pieces[access->piece_count];
	unsigned status;
	int r;

	if (access->piece_count == PIECES)
		return -EOPNOTSUPP;
	*piece = (struct piece){.addr = addr, .size = size, .write = wanted & INSN_WRITE};
	r = stage1_walk(&access->stage1, access->mem, addr, rights(access, wanted), &piece->ipa,
			&status);
	if (r < 0) {
		access->abort = (struct abort){
			.addr = addr, .status = status, .write = wanted & INSN_WRITE};
		return r;
	}
	piece->ram = guest_mem_at(access->mem, piece->ipa, size);
	access->piece_count++;
	return 0;
}

/* ---- Watchpoints ---------------------------------------------------------- */

static bool context_matches(const struct access *access, const struct watchpoint *watchpoint)
{
	int link = watchpoint_link(watchpoint);

	return link >= 0 && watchpoint_context(cpu_sysreg(access->vcpu, SYSREG_DBGBCR_EL1(link)),
					       cpu_sysreg(access->vcpu, SYSREG_DBGBVR_EL1(link)),
					       cpu_sysreg(access->vcpu, SYSREG_CONTEXTIDR_EL1));
}

/* The guest's debugger comes last, after all that stage 1 may have against it. */
static int look_for_watchpoints(struct access *access, gva_t addr, unsigned size, unsigned wanted)
{
	const struct watched_access watched = {
		.addr = stage1_strip_tag(&access->stage1, addr),
		.size = size,
		.read = wanted & INSN_READ,
		.write = wanted & INSN_WRITE,
		.as_el0 = rights(access, wanted) & STAGE1_EL0,
	};
	unsigned count;

	if (!watchpoints_enabled(cpu_sysreg(access->vcpu, SYSREG_MDSCR_EL1), access->pstate))
		return 0;
	count = id_field(cpu_sysreg(access->vcpu, SYSREG_ID_AA64DFR0_EL1), ID_AA64DFR0_WRPS) + 1;
	for (unsigned i = 0; i < count; i++) {
		const struct watchpoint watchpoint = {
			.wvr = cpu_sysreg(access->vcpu, SYSREG_DBGWVR_EL1(i)),
			.wcr = cpu_sysreg(access->vcpu, SYSREG_DBGWCR_EL1(i)),
		};

		if (watchpoint_hit(&watchpoint, &watched, context_matches(access, &watchpoint),
				   &access->abort.addr)) {
			access->abort.status = ABORT_WATCHPOINT;
			access->abort.write = watched.write;
			return -EFAULT;
		}
	}
	return 0;
}

/* An access that is to be an abort does nothing before it is. */
static int take_faults(struct access *access)
{
	for (unsigned i = 0; i < access->piece_count; i++) {
		struct piece *piece = &access->pieces[i];

		if (!piece->ram)
			piece->fault =
				fault_take(access->vcpu, piece->ipa, piece->size, piece->write);
		if (piece->fault == FAULT_ABORT)
			return -EIO;
	}
	return 0;
}

static int cpu_reach(void *cpu, gva_t addr, unsigned size, unsigned wanted)
{
	struct access *access = cpu;
	unsigned first = (unsigned)min_u64(size, STAGE1_PAGE_MIN - addr % STAGE1_PAGE_MIN);
	unsigned begin = access->piece_count;
	int r = reach_page(access, addr, first, wanted);

	if (r == 0 && first < size)
		r = reach_page(access, addr + first, size - first, wanted);
	if (r < 0)
		return r;
	for (unsigned i = begin; i < access->piece_count; i++) {
		const struct piece *piece = &access->pieces[i];

		access->here = access->here ||
			       (!piece->ram && align_down(piece->ipa, STAGE1_PAGE_MIN) ==
						       align_down(access->fault, STAGE1_PAGE_MIN));
	}
	access->two_spans = access->two_spans || wanted & INSN_MORE;
	if (!access->here && !(wanted & INSN_MORE))
		return -EAGAIN;
	r = look_for_watchpoints(access, addr, size, wanted);
	if (r < 0 || wanted & INSN_MORE || access->read)
		return r;
	return access->vcpu->machine->faults.count ? take_faults(access) : 0;
}

static const struct piece *piece_at(const struct access *access, gva_t addr, bool write)
{
	unsigned i = 0;

	/* A copy may read and write the same bytes. */
	while (i + 1 < access->piece_count &&
	       (addr - access->pieces[i].addr >= access->pieces[i].size ||
		(access->two_spans && access->pieces[i].write != write)))
		i++;
	return &access->pieces[i];
}

/* Single-copy atomic where it can be: the largest aligned part at @at of @size bytes. */
static unsigned part_size(gpa_t at, unsigned size)
{
	unsigned part = sizeof(uint64_t);

	while (part > size || !is_aligned(at, part))
		part /= 2;
	return part;
}

static void move(const struct access *access, gva_t addr, uint8_t *bytes, unsigned size,
		 bool is_write)
{
	while (size > 0) {
		const struct piece *piece = piece_at(access, addr, is_write);
		uint64_t offset = addr - piece->addr;
		unsigned part = part_size(piece->ipa + offset,
					  (unsigned)min_u64(size, piece->size - offset));
		struct mmio_access mmio = {
			.addr = piece->ipa + offset, .size = part, .is_write = is_write};

		if (piece->ram && is_write) {
			memcpy(piece->ram + offset, bytes, part);
		} else if (piece->ram) {
			memcpy(bytes, piece->ram + offset, part);
		} else {
			if (is_write)
				memcpy(&mmio.value, bytes, part);
			if (piece->fault == FAULT_PASS)
				vcpu_access(access->vcpu, &mmio);
			else
				mmio.value = fault_value(piece->fault);
			if (!is_write)
				memcpy(bytes, &mmio.value, part);
		}
		addr += part;
		bytes += part;
		size -= part;
	}
}

static void cpu_load(void *cpu, gva_t addr, uint8_t *bytes, unsigned size)
{
	const struct access *access = cpu;

	if (access->read)
		memcpy(bytes, access->read, size);
	else
		move(access, addr, bytes, size, false);
}

static void cpu_store(void *cpu, gva_t addr, const uint8_t *bytes, unsigned size)
{
	uint8_t copy[16];

	memcpy(copy, bytes, size);
	move(cpu, addr, copy, size, true);
}

/* Atomics are aligned, so that all is in one page: a device's, as that is what faulted. */
static void cpu_update(void *cpu, gva_t addr, unsigned size, unsigned count, insn_combine combine,
		       const void *data)
{
	struct access *access = cpu;
	const struct piece *piece = piece_at(access, addr, true);
	uint8_t instead[UPDATE_MAX];
	struct mmio_update update = {.addr = piece->ipa + (addr - piece->addr),
				     .size = size,
				     .count = count,
				     .combine = combine,
				     .data = data};

	if (piece->fault == FAULT_PASS) {
		vcpu_update(access->vcpu, &update);
	} else {
		memset(instead, (int)fault_value(piece->fault), sizeof(instead));
		combine(instead, data);
	}
}

static void cpu_watch(void *cpu, gva_t addr, unsigned size)
{
	struct access *access = cpu;
	const struct piece *piece = piece_at(access, addr, true);

	exclusive_watch(access->vcpu, piece->ipa + (addr - piece->addr), size);
}

static bool cpu_watched(void *cpu, gva_t addr, unsigned size)
{
	struct access *access = cpu;
	const struct piece *piece = piece_at(access, addr, true);

	return exclusive_watched(access->vcpu, piece->ipa + (addr - piece->addr), size);
}

static void cpu_settle(void *cpu, gva_t addr, unsigned size)
{
	struct access *access = cpu;
	const struct piece *piece = piece_at(access, addr, true);

	exclusive_settle(access->vcpu, piece->ipa + (addr - piece->addr), size);
}

static const struct insn_cpu_ops cpu_ops = {
	.get_x = cpu_get_x,
	.set_x = cpu_set_x,
	.get_v = cpu_get_v,
	.set_v = cpu_set_v,
	.get_z = cpu_get_z,
	.set_z = cpu_set_z,
	.get_p = cpu_get_p,
	.set_p = cpu_set_p,
	.get_flags = cpu_get_flags,
	.set_flags = cpu_set_flags,
	.strip = cpu_strip,
	.reach = cpu_reach,
	.load = cpu_load,
	.store = cpu_store,
	.update = cpu_update,
	.watch = cpu_watch,
	.watched = cpu_watched,
	.settle = cpu_settle,
};

static int execute(struct access *access, const struct insn *insn)
{
	uint64_t big_endian = at_el0(access) ? SCTLR_E0E : SCTLR_EE;
	struct insn_cpu cpu = {
		.ops = &cpu_ops,
		.data = access,
		.pc = access->pc,
		.zero_block = hyp_vcpu_zero_block(access->vcpu->hyp),
		.big_endian = access->stage1.sctlr & big_endian,
	};

	if (insn->kind == INSN_VECTOR || insn->kind == INSN_FILL)
		cpu.vector = hyp_vcpu_vector_length(access->vcpu->hyp);
	if (insn->kind == INSN_COPY)
		cpu.copy_option = hyp_copy_option();
	return insn_execute(insn, &cpu);
}

/* ---- What comes of it ----------------------------------------------------- */

static void take_abort(const struct access *access)
{
	struct exception exception;

	cpu_before_exception(access->vcpu, &exception);
	exception_take_abort(&exception, &access->abort);
	cpu_after_exception(access->vcpu, &exception);
}

/* By hand it cannot be done: an external abort, as of a bus that does not know it either. */
static void refuse(const struct access *access, const char *what)
{
	static _Thread_local struct log_budget budget = LOG_BUDGET_INIT;

	log_guest(&budget,
		  "vCPU %u: access to 0x%" PRIx64 " by the instruction at PC 0x%" PRIx64
		  "%s; the guest gets an external abort",
		  access->vcpu->index, access->fault, access->pc, what);
	hyp_vcpu_inject_abort(access->vcpu->hyp);
}

/* Whether it may be tried again: a guest that never comes further is not to spin. */
static bool may_retry(struct vcpu *vcpu, uint64_t pc)
{
	vcpu->faults = pc == vcpu->fault_pc ? vcpu->faults + 1 : 1;
	vcpu->fault_pc = pc;
	return vcpu->faults <= RETRIES_MAX;
}

enum vcpu_next undescribed_answer(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
	struct access access;
	struct insn insn;
	char what[48];
	uint32_t word;
	int r;

	vcpu->word = 0;
	look_at(vcpu, exit->addr, &access);
	if (!fetch(&access, &word)) {
		/* Code that another vCPU has just unmapped faults by itself, if it is A64. */
		if (access.pstate & PSTATE_NRW || !may_retry(vcpu, access.pc))
			refuse(&access, ", whose code is not to be found, has no syndrome");
		return VCPU_CONTINUE;
	}
	vcpu->word = word;
	PROBE(nisv, vcpu->index, access.pc, word, exit->addr);
	insn = insn_decode(word);
	r = execute(&access, &insn);
	if (r == 0) {
		step_over(&access);
		exclusive_step(vcpu);
	} else if (r == INSN_AGAIN) {
		return VCPU_CONTINUE;
	} else if (r == -EIO) {
		hyp_vcpu_inject_abort(vcpu->hyp);
	} else if (r == -EFAULT && access.piece_count > 0) {
		take_abort(&access);
	} else if (r == -EOPNOTSUPP || !may_retry(vcpu, access.pc)) {
		snprintf(what, sizeof(what), " (0x%08" PRIx32 "), which is not emulated", word);
		refuse(&access, what);
	}
	return VCPU_CONTINUE;
}

/* ---- Instructions that are known to be here ------------------------------- */

bool undescribed_look(struct vcpu *vcpu, struct undescribed_insn *ret)
{
	struct access access;

	*ret = (struct undescribed_insn){0};
	look_at(vcpu, 0, &access);
	if (!fetch(&access, &ret->word))
		return false;
	ret->kind = insn_decode(ret->word).kind;
	return true;
}

bool undescribed_execute(struct vcpu *vcpu, gpa_t at)
{
	struct access access;
	struct insn insn;
	uint32_t word;

	look_at(vcpu, at, &access);
	if (!fetch(&access, &word))
		return false;
	insn = insn_decode(word);
	if (execute(&access, &insn) != 0)
		return false;
	step_over(&access);
	return true;
}

void undescribed_extend_sign(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
	bool last = exit->value >> 8 * (exit->size - 1) & 0x80;
	struct access access;
	struct insn insn;
	uint32_t word;

	if (exit->size > 4 || hyp_extends_signs(vcpu->machine->board.hyp))
		return;
	/* Little-endian data have their sign in the last byte. */
	if (!last && !(cpu_sysreg(vcpu, SYSREG_SCTLR_EL1) & (SCTLR_EE | SCTLR_E0E)))
		return;
	look_at(vcpu, exit->addr, &access);
	if (!fetch(&access, &word))
		return;
	insn = insn_decode(word);
	if (insn.kind != INSN_TRANSFER || !insn.sign || insn.size != exit->size)
		return;
	access.read = &exit->value;
	if (execute(&access, &insn) == 0) {
		step_over(&access);
		hyp_vcpu_read_done(vcpu->hyp);
	}
}
