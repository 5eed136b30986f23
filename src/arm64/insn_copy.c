/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory copy and memory set (DDI 0487, C6.2 "CPYP, CPYM, CPYE", "SETP, SETM, SETE"). How much
 * each of the three stages does is the implementation's; how it keeps the state in between is
 * one of two options, and the other stages are the CPU's own. So:
 *
 * - a prologue that is done here moves nothing: it brings the registers and flags into the
 *   form of the CPU's option;
 * - a main part or an epilogue that is done here moves some bytes, within a page of each side,
 *   and is executed again: the CPU goes on where it can.
 */
#include "insn_private.h"

#define REG_31   31
#define PAGE     4096 /* the smallest: a piece of a span is within one */
#define MOVE_MAX 256  /* bytes at once */
#define PART     8

#define SIZE_MAX_CPY  UINT64_C(0x007fffffffffffff)
#define SIZE_MAX_CPYF UINT64_C(0x7fffffffffffffff)
#define ADDRESS       UINT64_C(0x00ffffffffffffff)

#define FLAG_N BIT(31)
#define FLAG_C BIT(29)

struct copy {
	const struct insn *insn;
	const struct insn_cpu *cpu;
	uint64_t to, from, size; /* as the registers have them */
};

static uint64_t get_x(const struct insn_cpu *cpu, unsigned reg)
{
	return reg == REG_31 ? 0 : cpu->ops->get_x(cpu->data, reg);
}

static void set_registers(const struct copy *copy)
{
	const struct insn_cpu *cpu = copy->cpu;

	cpu->ops->set_x(cpu->data, copy->insn->rt, copy->to);
	if (!copy->insn->set)
		cpu->ops->set_x(cpu->data, copy->insn->rs, copy->from);
	cpu->ops->set_x(cpu->data, copy->insn->rn, copy->size);
}

/* What is in front of itself must be copied from its end. */
static bool goes_backward(const struct copy *copy)
{
	uint64_t from = copy->from & ADDRESS, to = copy->to & ADDRESS;

	return !copy->insn->set && !copy->insn->forward && from < to && from + copy->size > to;
}

static int begin(struct copy *copy)
{
	const struct insn_cpu *cpu = copy->cpu;
	uint64_t most = copy->insn->set || copy->insn->forward ? SIZE_MAX_CPYF : SIZE_MAX_CPY;
	bool option_b = cpu->copy_option > 0;
	bool backward;

	if (cpu->copy_option < 0)
		return -EOPNOTSUPP;
	copy->size = min_u64(copy->size, most);
	backward = goes_backward(copy);
	/* Option A counts from the end forward, B from either side. */
	if (option_b == backward) {
		copy->to += copy->size;
		copy->from += copy->size;
	}
	if (!option_b && !backward)
		copy->size = 0 - copy->size;
	set_registers(copy);
	cpu->ops->set_flags(cpu->data, option_b ? FLAG_C | (backward ? FLAG_N : 0) : 0);
	return 0;
}

/* Bytes from @at to the end of its page, or back to its begin. */
static uint64_t in_page(gva_t at, bool backward)
{
	return backward ? (at - 1) % PAGE + 1 : PAGE - at % PAGE;
}

static void move(const struct copy *copy, gva_t to, gva_t from, unsigned size)
{
	const struct insn_cpu *cpu = copy->cpu;
	uint8_t bytes[MOVE_MAX];
	unsigned now;

	for (unsigned at = 0; at < size; at++)
		bytes[at] = (uint8_t)(copy->insn->set ? copy->from : 0);
	for (unsigned at = 0; at < size && !copy->insn->set; at += now) {
		now = (unsigned)min_u64(size - at, PART - (from + at) % PART);
		cpu->ops->load(cpu->data, from + at, bytes + at, now);
	}
	for (unsigned at = 0; at < size; at += now) {
		now = (unsigned)min_u64(size - at, PART - (to + at) % PART);
		cpu->ops->store(cpu->data, to + at, bytes + at, now);
	}
}

static int reach_both(const struct copy *copy, gva_t to, gva_t from, unsigned size)
{
	const struct insn_cpu *cpu = copy->cpu;
	unsigned read = INSN_READ | INSN_MORE | (copy->insn->unprivileged_read ? INSN_AS_EL0 : 0);
	unsigned write = INSN_WRITE | (copy->insn->unprivileged ? INSN_AS_EL0 : 0);
	int r = copy->insn->set ? 0 : cpu->ops->reach(cpu->data, from, size, read);

	return r < 0 ? r : cpu->ops->reach(cpu->data, to, size, write);
}

static int go_on(struct copy *copy)
{
	const struct insn_cpu *cpu = copy->cpu;
	uint64_t flags = cpu->ops->get_flags(cpu->data);
	bool option_b = flags & FLAG_C;
	bool ahead = !option_b && (int64_t)copy->size < 0; /* option A, forward */
	bool backward = !copy->insn->set && (option_b ? flags & FLAG_N : !ahead);
	uint64_t left = ahead ? 0 - copy->size : copy->size;
	/* Option A has the other end in its registers. */
	gva_t to = copy->to + (option_b ? 0 : copy->size);
	gva_t from = copy->from + (option_b ? 0 : copy->size);
	unsigned size = (unsigned)min_u64(left, MOVE_MAX);
	int r;

	if (!left || (copy->insn->set && !option_b && !ahead))
		return left ? -EOPNOTSUPP : 0;
	size = (unsigned)min_u64(size, in_page(to, backward));
	if (!copy->insn->set)
		size = (unsigned)min_u64(size, in_page(from, backward));
	if (backward) {
		to -= size;
		from -= size;
	}
	r = reach_both(copy, to, from, size);
	if (r < 0)
		return r;
	move(copy, to, from, size);
	if (option_b) {
		copy->to = backward ? to : to + size;
		copy->from = backward ? from : from + size;
	}
	copy->size = ahead ? copy->size + size : copy->size - size;
	set_registers(copy);
	return INSN_AGAIN;
}

int insn_execute_copy(const struct insn *insn, const struct insn_cpu *cpu)
{
	struct copy copy = {
		.insn = insn,
		.cpu = cpu,
		.to = get_x(cpu, insn->rt),
		.from = get_x(cpu, insn->rs),
		.size = get_x(cpu, insn->rn),
	};

	return insn->stage == INSN_PROLOGUE ? begin(&copy) : go_on(&copy);
}
