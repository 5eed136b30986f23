/* SPDX-License-Identifier: Apache-2.0 */
#include "psci.h"

#include <inttypes.h>
#include <string.h>

#include "arm64/psci.h"
#include "arm64/sysreg.h"
#include "base/probe.h"
#include "machine_private.h"

#define PSCI_1_1         0x10001
#define NO_MIGRATION     2       /* MIGRATE_INFO_TYPE: there is no trusted OS */
#define RESET2_VENDOR    BIT(31) /* types of reset that are the vendor's */
#define POWER_STATE_RES0 UINT64_C(0xfcfe0000)
#define AFFINITY_LEVELS  4

void psci_init(struct machine *machine)
{
	const struct machine_config *config = machine->config;
	struct psci *psci = &machine->psci;

	psci->ours = config->psci == CONFIG_PSCI_ARMLET || config->cpus_present ||
		     machine->faults.of_psci;
	psci->budget = (struct log_budget)LOG_BUDGET_INIT;
	for (uint32_t i = config->cpus_present; config->cpus_present && i < config->cpus; i++)
		psci->absent[i / 64] |= BIT(i % 64);
}

int psci_prepare(struct machine *machine, struct error *err)
{
	struct hyp *hyp = machine->board.hyp;
	int r;

	if (!machine->psci.ours)
		return 0;
	r = hyp_forward_calls(hyp, PSCI_FIRST, PSCI_COUNT);
	if (r == 0)
		r = hyp_forward_calls(hyp, PSCI_FIRST | SMCCC_64, PSCI_COUNT);
	return r < 0 ? error_set(err, ENOTSUP,
				 "%s: this host's KVM answers PSCI itself and gives it to nobody "
				 "else (Linux 6.4 and later can)",
				 machine->config->cpus_present ? "--cpus-present"
				 : machine->faults.of_psci     ? "--fault"
							       : "--psci armlet")
		     : 0;
}

static void lock(struct machine *machine)
{
	pthread_mutex_lock(&machine->pause.lock);
}

static void unlock(struct machine *machine)
{
	pthread_mutex_unlock(&machine->pause.lock);
}

static bool is_absent(const struct psci *psci, uint32_t index)
{
	return psci->absent[index / 64] & BIT(index % 64);
}

/* ---- The log -------------------------------------------------------------- */

/* With the lock. */
static void note(struct vcpu *by, const struct cpu_power_event *event)
{
	struct psci *psci = &by->machine->psci;
	struct cpu_power_event *kept = &psci->events[psci->event_count % PSCI_EVENTS];

	*kept = *event;
	kept->by = by->index;
	clock_gettime(CLOCK_REALTIME, &kept->when);
	psci->event_count++;
}

/* Without it: who reads the log may be slow, and a machine must end all the same. */
static void tell(const struct vcpu *by, const struct cpu_power_event *event)
{
	struct psci *psci = &by->machine->psci;

	switch (event->what) {
	case CPU_TURNED_ON:
		log_guest_info(&psci->budget, "CPU %u was turned on by CPU %u, to enter 0x%" PRIx64,
			       event->cpu, by->index, event->entry);
		break;
	case CPU_TURNED_OFF:
		log_guest_info(&psci->budget, "CPU %u has turned itself off", event->cpu);
		break;
	case CPU_ON_REFUSED:
		log_guest_info(&psci->budget,
			       "CPU %u was not turned on for CPU %u: PSCI's %" PRId64, event->cpu,
			       by->index, event->refusal);
		break;
	}
}

/* ---- CPUs ----------------------------------------------------------------- */

/* What CPU_ON has left there. */
static int begin(struct vcpu *vcpu)
{
	const struct psci_cpu *cpu = &vcpu->psci;
	uint64_t sctlr = 0;
	int r = hyp_vcpu_reset(vcpu->hyp);

	if (r == 0)
		r = hyp_vcpu_set_reg(vcpu->hyp, HYP_REG_PC, cpu->entry);
	if (r == 0)
		r = hyp_vcpu_set_reg(vcpu->hyp, HYP_REG_X0, cpu->context);
	/* The endianness is the caller's (DEN0022, 6.4.3.4). */
	if (r == 0 && cpu->big_endian)
		r = hyp_vcpu_get_sysreg(vcpu->hyp, SYSREG_SCTLR_EL1, &sctlr);
	if (r == 0 && cpu->big_endian)
		r = hyp_vcpu_set_sysreg(vcpu->hyp, SYSREG_SCTLR_EL1, sctlr | SCTLR_EE);
	return r;
}

void psci_wait_on(struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	struct psci_cpu *cpu = &vcpu->psci;
	int r = 0;

	lock(machine);
	vcpu->inside = true; /* before it looks at what is wanted (pause.h) */
	while ((cpu->power == CPU_POWER_OFF || pause_asks(vcpu, machine->attention)) &&
	       machine->outcome == MACHINE_RUNNING) {
		vcpu->inside = false;
		pthread_cond_broadcast(&machine->pause.changed);
		pthread_cond_wait(&machine->pause.changed, &machine->pause.lock);
		vcpu->inside = true;
	}
	/* It is held by nobody from here on, as it is inside. */
	if (cpu->power == CPU_POWER_ON_PENDING) {
		r = begin(vcpu);
		cpu->power = CPU_POWER_ON;
	}
	unlock(machine);
	if (r < 0)
		log_error("vCPU %u cannot be turned on: %s", vcpu->index, strerror(-r));
}

static struct vcpu *find(struct machine *machine, uint64_t mpidr)
{
	for (uint32_t i = 0; i < machine->board.vcpu_count; i++) {
		if (machine->board.vcpus[i].mpidr == mpidr)
			return &machine->board.vcpus[i];
	}
	return NULL;
}

static int64_t turn_on(struct vcpu *target, const struct psci_cpu *how)
{
	if (is_absent(&target->machine->psci, target->index))
		return PSCI_DENIED;
	if (target->psci.power == CPU_POWER_ON)
		return PSCI_ALREADY_ON;
	if (target->psci.power == CPU_POWER_ON_PENDING)
		return PSCI_ON_PENDING;
	target->psci = *how;
	pthread_cond_broadcast(&target->machine->pause.changed);
	return PSCI_SUCCESS;
}

static int64_t cpu_on(struct vcpu *vcpu, const uint64_t args[3])
{
	struct machine *machine = vcpu->machine;
	struct vcpu *target = find(machine, args[0]);
	struct psci_cpu how = {.power = CPU_POWER_ON_PENDING, .entry = args[1], .context = args[2]};
	struct cpu_power_event event;
	uint64_t sctlr = 0;
	int64_t r;

	if (!target)
		return PSCI_INVALID_PARAMETERS;
	if (!is_aligned(how.entry, 4) || !guest_mem_at(machine->mem, how.entry, 4))
		return PSCI_INVALID_ADDRESS;
	hyp_vcpu_get_sysreg(vcpu->hyp, SYSREG_SCTLR_EL1, &sctlr);
	how.big_endian = sctlr & SCTLR_EE;
	lock(machine);
	r = turn_on(target, &how);
	event = (struct cpu_power_event){.what = r == PSCI_SUCCESS ? CPU_TURNED_ON : CPU_ON_REFUSED,
					 .cpu = target->index,
					 .entry = how.entry,
					 .refusal = r};
	note(vcpu, &event);
	unlock(machine);
	tell(vcpu, &event);
	return r;
}

static enum vcpu_next cpu_off(struct vcpu *vcpu)
{
	const struct cpu_power_event event = {.what = CPU_TURNED_OFF, .cpu = vcpu->index};
	struct machine *machine = vcpu->machine;

	/* For those who ask KVM whether it is off. */
	hyp_vcpu_turn_off(vcpu->hyp);
	lock(machine);
	vcpu->psci.power = CPU_POWER_OFF;
	note(vcpu, &event);
	unlock(machine);
	tell(vcpu, &event);
	psci_wait_on(vcpu);
	return VCPU_CONTINUE;
}

/* On if any is that has these fields, from @level on (DEN0022, 5.7). */
static int64_t affinity_info(struct machine *machine, uint64_t mpidr, uint64_t level)
{
	static const uint64_t masks[AFFINITY_LEVELS] = {
		MPIDR_AFFINITY_MASK, MPIDR_AFFINITY_MASK & ~UINT64_C(0xff),
		MPIDR_AFFINITY_MASK & ~UINT64_C(0xffff), MPIDR_AFFINITY_MASK & ~UINT64_C(0xffffff)};
	int64_t state = PSCI_INVALID_PARAMETERS;

	if (level >= AFFINITY_LEVELS)
		return PSCI_INVALID_PARAMETERS;
	lock(machine);
	for (uint32_t i = 0; i < machine->board.vcpu_count && state != CPU_POWER_ON; i++) {
		const struct vcpu *vcpu = &machine->board.vcpus[i];

		if ((vcpu->mpidr ^ mpidr) & masks[level])
			continue;
		if (state == PSCI_INVALID_PARAMETERS || vcpu->psci.power != CPU_POWER_OFF)
			state = vcpu->psci.power;
	}
	unlock(machine);
	return state;
}

/* A power-down state may be a standby (DEN0022, 5.4.2): nothing is lost then. */
static int64_t standby(struct vcpu *vcpu)
{
	vcpu->psci.standby = hyp_vcpu_suspend(vcpu->hyp) == 0;
	return PSCI_SUCCESS;
}

bool psci_wake(struct vcpu *vcpu)
{
	if (!vcpu->psci.standby)
		return false;
	vcpu->psci.standby = false;
	if (hyp_vcpu_resume(vcpu->hyp) < 0)
		log_error("vCPU %u does not leave its standby", vcpu->index);
	return true;
}

bool psci_is_off(const struct vcpu *vcpu)
{
	return vcpu->psci.power == CPU_POWER_OFF;
}

/* ---- The calls ------------------------------------------------------------ */

static int64_t node_hw_state(struct machine *machine, const uint64_t args[3])
{
	int64_t state = args[1] ? PSCI_INVALID_PARAMETERS : affinity_info(machine, args[0], 0);

	/* HW_ON is 0 and HW_OFF 1, as those of AFFINITY_INFO; one that comes is not off. */
	return state == CPU_POWER_ON_PENDING ? CPU_POWER_ON : state;
}

static int64_t features(const struct machine *machine, uint64_t function)
{
	switch ((uint32_t)(function & ~SMCCC_64)) {
	case PSCI_VERSION:
	case PSCI_CPU_SUSPEND:
	case PSCI_CPU_OFF:
	case PSCI_CPU_ON:
	case PSCI_AFFINITY_INFO:
	case PSCI_MIGRATE_INFO_TYPE:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_FEATURES:
	case PSCI_CPU_DEFAULT_SUSPEND:
	case PSCI_NODE_HW_STATE:
	case PSCI_SYSTEM_RESET2:
	case SMCCC_VERSION:
		return PSCI_SUCCESS;
	case PSCI_SYSTEM_SUSPEND:
		return hyp_caps(machine->board.hyp)->system_suspend ? PSCI_SUCCESS
								    : PSCI_NOT_SUPPORTED;
	default:
		return PSCI_NOT_SUPPORTED;
	}
}

/* Those that come back with a value; PSCI_NOT_SUPPORTED for what is no function. */
static int64_t answer(struct vcpu *vcpu, uint64_t function, const uint64_t args[3])
{
	struct machine *machine = vcpu->machine;

	switch (function & ~SMCCC_64) {
	case PSCI_VERSION:
		return PSCI_1_1;
	case PSCI_CPU_SUSPEND:
		return args[0] & POWER_STATE_RES0 ? PSCI_INVALID_PARAMETERS : standby(vcpu);
	case PSCI_CPU_DEFAULT_SUSPEND:
		return standby(vcpu);
	case PSCI_CPU_ON:
		return cpu_on(vcpu, args);
	case PSCI_AFFINITY_INFO:
		return affinity_info(machine, args[0], args[1]);
	case PSCI_MIGRATE_INFO_TYPE:
		return NO_MIGRATION;
	case PSCI_FEATURES:
		return features(machine, args[0]);
	case PSCI_NODE_HW_STATE:
		return node_hw_state(machine, args);
	case PSCI_SYSTEM_RESET2:
		/* Of the architecture's there is but one, and none of a vendor's. */
		return PSCI_INVALID_PARAMETERS;
	default:
		return PSCI_NOT_SUPPORTED;
	}
}

static void read_args(struct vcpu *vcpu, uint64_t function, uint64_t args[3])
{
	for (unsigned i = 0; i < 3; i++) {
		args[i] = 0;
		hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_X0 + 1 + i, &args[i]);
		if (!(function & SMCCC_64))
			args[i] &= UINT32_MAX;
	}
}

enum vcpu_next psci_call(struct vcpu *vcpu, uint64_t function)
{
	struct machine *machine = vcpu->machine;
	uint64_t args[3];
	int64_t error;

	PROBE(psci, vcpu->index, function);
	if (fault_take_call(vcpu, (uint32_t)(function & ~SMCCC_64), &error)) {
		hyp_vcpu_set_reg(vcpu->hyp, HYP_REG_X0, (uint64_t)error);
		return VCPU_CONTINUE;
	}
	read_args(vcpu, function, args);
	switch (function & ~SMCCC_64) {
	case PSCI_SYSTEM_OFF:
		machine_end(machine, MACHINE_POWERED_OFF);
		return VCPU_END;
	case PSCI_SYSTEM_RESET2:
		if (args[0] != 0)
			break;
		machine_end_reset(machine);
		return VCPU_END;
	case PSCI_SYSTEM_RESET:
		machine_end_reset(machine);
		return VCPU_END;
	case PSCI_CPU_OFF:
		return cpu_off(vcpu);
	case PSCI_SYSTEM_SUSPEND:
		if (features(machine, function) != PSCI_SUCCESS)
			break;
		suspend_ask(vcpu);
		return VCPU_CONTINUE;
	default:
		break;
	}
	hyp_vcpu_set_reg(vcpu->hyp, HYP_REG_X0, (uint64_t)answer(vcpu, function, args));
	return VCPU_CONTINUE;
}

/* ---- The main thread's ---------------------------------------------------- */

bool machine_cpu(struct machine *machine, uint32_t index, struct machine_cpu *ret)
{
	struct board *board = &machine->board;
	bool there = machine->psci.ours && index < board->vcpu_count;

	if (!there)
		return false;
	lock(machine);
	*ret = (struct machine_cpu){.mpidr = board->vcpus[index].mpidr,
				    .power = (enum cpu_power)board->vcpus[index].psci.power,
				    .present = !is_absent(&machine->psci, index)};
	unlock(machine);
	return true;
}

bool machine_power_event(struct machine *machine, size_t nth, struct cpu_power_event *ret)
{
	struct psci *psci = &machine->psci;
	uint64_t first, at;
	bool there;

	lock(machine);
	first = psci->event_count > PSCI_EVENTS ? psci->event_count - PSCI_EVENTS : 0;
	at = first + nth;
	there = at < psci->event_count;
	if (there)
		*ret = psci->events[at % PSCI_EVENTS];
	unlock(machine);
	return there;
}

int machine_set_cpu_present(struct machine *machine, uint32_t index, bool present,
			    struct error *err)
{
	struct psci *psci = &machine->psci;

	if (!psci->ours)
		return error_set(err, EOPNOTSUPP,
				 "KVM answers this guest's PSCI: run it with --psci armlet");
	if (index >= machine->config->cpus)
		return error_set(err, ENODEV, "there is no CPU %u: the machine has %u", index,
				 machine->config->cpus);
	if (index == 0 && !present)
		return error_set(err, EINVAL, "CPU 0 boots the guest: it stays present");
	lock(machine);
	psci->absent[index / 64] &= ~BIT(index % 64);
	if (!present)
		psci->absent[index / 64] |= BIT(index % 64);
	unlock(machine);
	return 0;
}
