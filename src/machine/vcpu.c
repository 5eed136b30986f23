/* SPDX-License-Identifier: Apache-2.0 */
/* What a probe here tells is in memory, and not loaded for it. */
#define STAP_SDT_ARG_CONSTRAINT o

#include "vcpu.h"

#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "arm64/sysreg.h"
#include "base/counter.h"
#include "base/log.h"
#include "base/probe.h"
#include "machine_private.h"
#include "undescribed.h"

#define VCPU_STACK_SIZE (128 * KIB)
#define KICK_SIGNAL     SIGUSR1
#define VCPU_FAULTS_MAX 1000 /* at one PC, with no other exit between: nothing goes on */

/* Not on the bus: nothing is there, or rules have something against it (fault.h). */
static void access_elsewhere(struct vcpu *vcpu, struct mmio_access *access, bool by_rules)
{
	struct machine *machine = vcpu->machine;

	if (machine->faults.count &&
	    (by_rules ? fault_access(vcpu, access) : fault_pass(vcpu, access)))
		return;
	stray_access(&machine->stray, vcpu->hyp, access);
}

static inline __attribute__((always_inline)) void access_bus(struct vcpu *vcpu,
							     struct mmio_access *access,
							     bool by_rules)
{
	struct machine *machine = vcpu->machine;
	bool begun = access->is_write && exclusive_begin_write(vcpu);

	if (mmio_bus_access(machine->board.bus, access, &vcpu->last) == MMIO_UNCLAIMED)
		access_elsewhere(vcpu, access, by_rules);
	if (access->is_write) {
		exclusive_end_write(vcpu, begun, access->addr, access->size);
		posted_trapped(&machine->board.posted, access->addr);
	}
}

void vcpu_access(struct vcpu *vcpu, struct mmio_access *access)
{
	access_bus(vcpu, access, false);
}

void vcpu_update(struct vcpu *vcpu, const struct mmio_update *update)
{
	struct machine *machine = vcpu->machine;
	unsigned size = update->size * update->count;
	bool begun = exclusive_begin_write(vcpu);
	enum mmio_result result = mmio_bus_update(machine->board.bus, update, &vcpu->last);

	if (result == MMIO_UNCLAIMED && machine->faults.count)
		result = fault_pass_update(vcpu, update);
	exclusive_end_write(vcpu, begun, update->addr, size);
	posted_trapped(&machine->board.posted, update->addr);
	if (result == MMIO_UNCLAIMED) {
		struct mmio_access access = {.addr = update->addr, .size = size};

		stray_access(&machine->stray, vcpu->hyp, &access);
	}
}

static enum vcpu_next handle_mmio(struct vcpu *vcpu, struct vcpu_exit *exit)
{
	struct mmio_access access = {.addr = exit->addr,
				     .size = exit->size,
				     .is_write = exit->is_write,
				     .value = exit->is_write ? exit->value : 0};

	access_bus(vcpu, &access, true);
	if (!exit->is_write) {
		exit->value = access.value;
		if (undescribed_is_negative(exit))
			undescribed_extend_sign(vcpu, exit);
	}
	return VCPU_CONTINUE;
}

static enum vcpu_next answer_no_syndrome(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
	enum vcpu_next next = undescribed_answer(vcpu, exit);

	if (vcpu->debug.stepping)
		debug_by_hand(vcpu);
	return next;
}

/* LD64B and its kind: no device here takes 64 bytes at once. */
static enum vcpu_next refuse_ldst64b(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
	static _Thread_local struct log_budget budget = LOG_BUDGET_INIT;
	uint64_t pc = 0;

	hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_PC, &pc);
	log_guest(&budget,
		  "vCPU %u: access of 64 bytes to 0x%" PRIx64 " by the instruction at PC 0x%" PRIx64
		  ", where no device takes them; the guest gets an external abort",
		  vcpu->index, exit->addr, pc);
	hyp_vcpu_inject_abort(vcpu->hyp);
	return VCPU_CONTINUE;
}

/*
 * KVM answers with EFAULT what stage 2 refuses for a reason that it does not
 * know: so it is with an exclusive access to the GICv2's CPU interface, which
 * is not for such (DDI 0487, ESR_ELx.ISS.DFSC 0b110101). Hardware gives an
 * abort, and so do we. It is also what a host says that has lost the memory
 * behind an IPA: then the guest's handler faults as well, for ever at one PC.
 */
static bool absorb_fault(struct vcpu *vcpu)
{
	static _Thread_local struct log_budget budget = LOG_BUDGET_INIT;
	uint64_t pc = 0;

	hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_PC, &pc);
	vcpu->faults = pc == vcpu->fault_pc ? vcpu->faults + 1 : 1;
	vcpu->fault_pc = pc;
	if (vcpu->faults > VCPU_FAULTS_MAX)
		return false;
	log_guest(&budget,
		  "vCPU %u: KVM cannot serve the access by the instruction at PC 0x%" PRIx64
		  "; the guest gets an external abort",
		  vcpu->index, pc);
	return hyp_vcpu_inject_abort(vcpu->hyp) == 0;
}

static enum vcpu_next fail(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
	/* The others leave the guest first, so that the report is of one moment. */
	machine_end(vcpu->machine, MACHINE_FAILED);
	report_failure(vcpu, exit);
	return VCPU_END;
}

enum vcpu_next vcpu_handle_exit(struct vcpu *vcpu, struct vcpu_exit *exit)
{
	if (exit->reason < VCPU_EXIT_REASONS)
		counter_add(&vcpu->exits[exit->reason], 1);
	if (vcpu->faults > 0 && exit->reason != VCPU_EXIT_RUN_FAILED &&
	    exit->reason != VCPU_EXIT_INTERRUPTED && exit->reason != VCPU_EXIT_NO_SYNDROME)
		vcpu->faults = 0;
	switch (exit->reason) {
	case VCPU_EXIT_INTERRUPTED:
		return VCPU_CONTINUE;
	case VCPU_EXIT_SUSPEND:
		suspend_ask(vcpu);
		return VCPU_CONTINUE;
	case VCPU_EXIT_WAKEUP:
		if (!psci_wake(vcpu))
			suspend_wake(vcpu);
		return VCPU_CONTINUE;
	case VCPU_EXIT_MMIO:
		return handle_mmio(vcpu, exit);
	case VCPU_EXIT_NO_SYNDROME:
		return answer_no_syndrome(vcpu, exit);
	case VCPU_EXIT_LDST64B:
		return refuse_ldst64b(vcpu, exit);
	case VCPU_EXIT_DEBUG:
		if (debug_answer(vcpu, exit))
			return VCPU_CONTINUE;
		break;
	case VCPU_EXIT_SHUTDOWN:
		machine_end(vcpu->machine, MACHINE_POWERED_OFF);
		return VCPU_END;
	case VCPU_EXIT_RESET:
		machine_end_reset(vcpu->machine);
		return VCPU_END;
	case VCPU_EXIT_HYPERCALL:
		if (vcpu->machine->psci.ours)
			return psci_call(vcpu, exit->detail);
		break;
	case VCPU_EXIT_RUN_FAILED:
		if (exit->detail == EFAULT && absorb_fault(vcpu))
			return VCPU_CONTINUE;
		break;
	case VCPU_EXIT_CRASH:        /* arm64 has no source of it */
	case VCPU_EXIT_SEA:          /* not enabled: the guest gets an SError */
	case VCPU_EXIT_MEMORY_FAULT: /* guest_memfd is not used */
	case VCPU_EXIT_DIRTY_RING_FULL:
	case VCPU_EXIT_FAIL_ENTRY:
	case VCPU_EXIT_INTERNAL_ERROR:
	case VCPU_EXIT_OTHER:
	case VCPU_EXIT_REASONS:
		break;
	}
	return fail(vcpu, exit);
}

static __attribute__((cold)) bool has_to_wait(const struct vcpu *vcpu, unsigned attention)
{
	return pause_asks(vcpu, attention) || suspend_asks(vcpu);
}

/* Run the guest once, and answer its exit. @ret_printed: there may be something to write out. */
static enum vcpu_next enter_guest(struct vcpu *vcpu, struct vcpu_exit *exit, bool *ret_printed)
{
	struct machine *machine = vcpu->machine;
	enum vcpu_next next = VCPU_CONTINUE;
	unsigned attention;
	bool waits;

	vcpu->inside = true;
	attention = machine->attention;
	waits = attention && has_to_wait(vcpu, attention);
	if (!waits) {
		hyp_vcpu_run(vcpu->hyp, exit);
		PROBE(exit, vcpu->index, exit->reason, exit->addr, exit->size, exit->is_write,
		      exit->value);
		/* Whoever has kicked us has said why before: we look, after this, and no later. */
		if (exit->reason == VCPU_EXIT_INTERRUPTED)
			hyp_vcpu_unkick(vcpu->hyp);
		*ret_printed = posted_drain(&machine->board.posted) > 0 ||
			       exit->reason != VCPU_EXIT_MMIO || exit->is_write;
		if (attention)
			trace_exit(vcpu, exit);
		next = vcpu_handle_exit(vcpu, exit);
		PROBE(answered, vcpu->index, exit->reason, exit->value);
		if (attention)
			trace_answered(vcpu, exit);
	}
	vcpu->inside = false;
	if (machine->attention & (ATTEND_PAUSE | ATTEND_HOLD))
		pause_outside(machine);
	if (waits)
		pause_wait(vcpu);
	return next;
}

static void run_guest(struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	struct vcpu_exit exit = {0};
	enum vcpu_next next = VCPU_CONTINUE;

	if (machine->psci.ours)
		psci_wait_on(vcpu);
	while (next == VCPU_CONTINUE && machine->outcome == MACHINE_RUNNING) {
		bool printed = false;

		next = enter_guest(vcpu, &exit, &printed);
		/* Only the main thread makes room there, so this is outside. */
		if (printed)
			char_port_settle(&machine->port, true);
	}
}

static void *vcpu_thread(void *data)
{
	struct vcpu *vcpu = data;
	char name[16];
	sigset_t kick;
	clockid_t clock;

	if (!pthread_getcpuclockid(pthread_self(), &clock))
		vcpu->cpu_clock = clock;
	snprintf(name, sizeof(name), "vcpu%u", vcpu->index);
	pthread_setname_np(pthread_self(), name);
	sigemptyset(&kick);
	sigaddset(&kick, KICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
	run_guest(vcpu);
	return NULL;
}

static void on_kick(int signal)
{
	(void)signal; /* its arrival is all: KVM_RUN returns */
}

static int set_affinity(pthread_attr_t *attr, const struct vcpu *vcpu, struct error *err)
{
	cpu_set_t cpus;

	if (vcpu->pin < 0)
		return 0;
	CPU_ZERO(&cpus);
	CPU_SET((size_t)vcpu->pin, &cpus);
	if (pthread_attr_setaffinity_np(attr, sizeof(cpus), &cpus))
		return error_set(err, EINVAL, "--pin: vCPU %u cannot run on host CPU %d",
				 vcpu->index, vcpu->pin);
	return 0;
}

int vcpu_start(struct vcpu *vcpu, struct error *err)
{
	struct sigaction action = {.sa_handler = on_kick};
	pthread_attr_t attr;
	int r;

	sigaction(KICK_SIGNAL, &action, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, VCPU_STACK_SIZE);
	r = set_affinity(&attr, vcpu, err);
	if (r == 0) {
		r = -pthread_create(&vcpu->thread, &attr, vcpu_thread, vcpu);
		if (r == -EINVAL && vcpu->pin >= 0)
			error_set(err, EINVAL,
				  "--pin: this host has no CPU %d that vCPU %u may run on",
				  vcpu->pin, vcpu->index);
		else if (r < 0)
			error_set_errno(err, -r, "the host gives no thread for vCPU %u",
					vcpu->index);
	}
	pthread_attr_destroy(&attr);
	vcpu->started = r == 0;
	return r;
}

void vcpu_kick(struct vcpu *vcpu)
{
	hyp_vcpu_kick(vcpu->hyp);
	if (vcpu->started)
		pthread_kill(vcpu->thread, KICK_SIGNAL);
}

void vcpu_join(struct vcpu *vcpu)
{
	if (vcpu->started)
		pthread_join(vcpu->thread, NULL);
	vcpu->started = false;
}
