/* SPDX-License-Identifier: Apache-2.0 */
/* vCPUs: making them, their registers, and KVM_RUN's exits as values. */
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "arm64/sysreg.h"
#include "kvm_private.h"

/* Whether a host fills the ring is seen when it is asked to (posted.c). */
static void map_ring(struct hyp *hyp, struct kvm_run *run)
{
	long page = sysconf(_SC_PAGESIZE);

	if (hyp->run_size < (KVM_COALESCED_MMIO_PAGE_OFFSET + 1) * (size_t)page)
		return;
	hyp->ring = (struct kvm_coalesced_mmio_ring *)((char *)run +
						       KVM_COALESCED_MMIO_PAGE_OFFSET * page);
	/* KVM_COALESCED_MMIO_MAX, with the page size of the running kernel. */
	hyp->ring_entries =
		(uint32_t)(((size_t)page - sizeof(*hyp->ring)) / sizeof(struct kvm_coalesced_mmio));
}

static int map_run(struct hyp_vcpu *vcpu, struct error *err)
{
	struct hyp *hyp = vcpu->hyp;
	void *run;

	if (!hyp->run_size) {
		int size = kvm_ioctl(hyp->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, NULL);

		if (size < 0)
			return error_set_errno(err, -size, "KVM does not say how large a vCPU is");
		hyp->run_size = (size_t)size;
	}
	run = mmap(NULL, hyp->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED)
		return error_set_errno(err, errno, "vCPU %u cannot be mapped", vcpu->index);
	vcpu->run = run;
	if (vcpu->index == 0)
		map_ring(hyp, run);
	return 0;
}

/* Each time the same, or KVM refuses. */
static int describe_init(const struct hyp_vcpu *vcpu, struct kvm_vcpu_init *ret)
{
	const struct hyp_vcpu_options *options = &vcpu->options;
	int r;

	*ret = (struct kvm_vcpu_init){0};
	r = kvm_ioctl(vcpu->hyp->vm_fd, KVM_ARM_PREFERRED_TARGET, ret);
	if (r < 0)
		return r;
	ret->features[0] = BIT(KVM_ARM_VCPU_PSCI_0_2);
	if (options->power_off)
		ret->features[0] |= BIT(KVM_ARM_VCPU_POWER_OFF);
	if (options->pmu)
		ret->features[0] |= BIT(KVM_ARM_VCPU_PMU_V3);
	if (options->sve)
		ret->features[0] |= BIT(KVM_ARM_VCPU_SVE);
	if (options->pauth)
		ret->features[0] |=
			BIT(KVM_ARM_VCPU_PTRAUTH_ADDRESS) | BIT(KVM_ARM_VCPU_PTRAUTH_GENERIC);
	return 0;
}

static int init_features(struct hyp_vcpu *vcpu, struct error *err)
{
	struct kvm_vcpu_init init;
	int sve = KVM_ARM_VCPU_SVE;
	int r = describe_init(vcpu, &init);

	if (r < 0)
		return error_set_errno(err, -r, "KVM knows no vCPU that fits this host's CPUs");
	r = kvm_ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init);
	if (r >= 0 && vcpu->options.sve)
		r = kvm_ioctl(vcpu->fd, KVM_ARM_VCPU_FINALIZE, &sve);
	if (r < 0)
		return error_set_errno(err, -r, "KVM cannot initialise vCPU %u", vcpu->index);
	return 0;
}

/* Before Linux 6.12, which can tell what of the ID registers may be set, CPU_ON forgets it. */
static int number(struct hyp_vcpu *vcpu, struct error *err)
{
	int r;

	if (!vcpu->options.numbered ||
	    kvm_check_extension(vcpu->hyp->kvm_fd, KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES) <= 0)
		return 0;
	r = hyp_vcpu_set_sysreg(vcpu, SYSREG_MPIDR_EL1, vcpu->options.mpidr);
	if (r < 0)
		return error_set_errno(err, -r, "KVM does not take the MPIDR_EL1 of vCPU %u",
				       vcpu->index);
	return 0;
}

int hyp_create_vcpu(struct hyp *hyp, uint32_t index, const struct hyp_vcpu_options *options,
		    struct hyp_vcpu **ret, struct error *err)
{
	struct hyp_vcpu *vcpu = calloc(1, sizeof(*vcpu));
	int r;

	if (!vcpu)
		return error_set_errno(err, ENOMEM, "vCPU %u", index);
	vcpu->hyp = hyp;
	vcpu->index = index;
	vcpu->options = *options;
	vcpu->stats_fd = -EBADF;
	vcpu->next = hyp->vcpus;
	hyp->vcpus = vcpu; /* hyp_close() ends it, however far it came */
	vcpu->fd = ioctl(hyp->vm_fd, KVM_CREATE_VCPU, (unsigned long)index);
	if (vcpu->fd < 0)
		return error_set_errno(err, errno, "KVM cannot create vCPU %u", index);
	r = map_run(vcpu, err);
	if (r < 0)
		return r;
	r = init_features(vcpu, err);
	if (r == 0)
		r = number(vcpu, err);
	if (r < 0)
		return r;
	*ret = vcpu;
	return 0;
}

int hyp_vcpu_start(struct hyp_vcpu *vcpu, struct error *err)
{
	int intid = (int)vcpu->options.pmu_intid;
	int r;

	if (!vcpu->options.pmu)
		return 0;
	r = kvm_set_attr(vcpu->fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_IRQ, &intid);
	if (r >= 0)
		r = kvm_set_attr(vcpu->fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_INIT,
				 NULL);
	if (r < 0)
		return error_set_errno(err, -r, "KVM cannot give vCPU %u its PMU (try --pmu=off)",
				       vcpu->index);
	return 0;
}

int hyp_vcpu_steal_time(struct hyp_vcpu *vcpu, gpa_t at)
{
	int r = kvm_set_attr(vcpu->fd, KVM_ARM_VCPU_PVTIME_CTRL, KVM_ARM_VCPU_PVTIME_IPA, &at);

	return r < 0 ? r : 0;
}

int hyp_vcpu_is_off(struct hyp_vcpu *vcpu, bool *ret)
{
	struct kvm_mp_state state = {0};
	int r = kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &state);

	*ret = state.mp_state == KVM_MP_STATE_STOPPED;
	return r < 0 ? r : 0;
}

static int set_mp_state(const struct hyp_vcpu *vcpu, uint32_t value)
{
	const struct kvm_mp_state state = {.mp_state = value};
	int r = kvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &state);

	return r < 0 ? r : 0;
}

int hyp_vcpu_suspend(struct hyp_vcpu *vcpu)
{
	return set_mp_state(vcpu, KVM_MP_STATE_SUSPENDED);
}

int hyp_vcpu_resume(struct hyp_vcpu *vcpu)
{
	return set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
}

int hyp_vcpu_turn_off(struct hyp_vcpu *vcpu)
{
	return set_mp_state(vcpu, KVM_MP_STATE_STOPPED);
}

int hyp_vcpu_reset(struct hyp_vcpu *vcpu)
{
	struct kvm_vcpu_init init;
	int r = describe_init(vcpu, &init);

	if (r == 0)
		r = kvm_ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init);
	/* One that was made off is off again. */
	return r < 0 ? r : set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
}

static void describe_mmio(struct hyp_vcpu *vcpu, struct vcpu_exit *exit)
{
	const struct kvm_run *run = vcpu->run;

	exit->reason = VCPU_EXIT_MMIO;
	exit->addr = run->mmio.phys_addr;
	exit->size = (uint8_t)(run->mmio.len <= 8 ? run->mmio.len : 8);
	exit->is_write = run->mmio.is_write;
	exit->value = 0;
	if (exit->is_write)
		memcpy(&exit->value, run->mmio.data, exit->size);
	else
		vcpu->read_pending = true;
}

static void describe_system_event(const struct kvm_run *run, struct vcpu_exit *exit)
{
	static const enum vcpu_exit_reason reasons[] = {
		[KVM_SYSTEM_EVENT_SHUTDOWN] = VCPU_EXIT_SHUTDOWN,
		[KVM_SYSTEM_EVENT_RESET] = VCPU_EXIT_RESET,
		[KVM_SYSTEM_EVENT_CRASH] = VCPU_EXIT_CRASH,
		[KVM_SYSTEM_EVENT_WAKEUP] = VCPU_EXIT_WAKEUP,
		[KVM_SYSTEM_EVENT_SUSPEND] = VCPU_EXIT_SUSPEND,
	};
	uint32_t type = run->system_event.type;

	exit->reason = VCPU_EXIT_OTHER;
	exit->detail = type;
	if (type >= KVM_SYSTEM_EVENT_SHUTDOWN && type < ARRAY_SIZE(reasons))
		exit->reason = reasons[type];
}

static void describe_exit(struct hyp_vcpu *vcpu, struct vcpu_exit *exit)
{
	const struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		describe_mmio(vcpu, exit);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		describe_system_event(run, exit);
		break;
	case KVM_EXIT_ARM_NISV:
	case KVM_EXIT_ARM_LDST64B:
		exit->reason = run->exit_reason == KVM_EXIT_ARM_NISV ? VCPU_EXIT_NO_SYNDROME
								     : VCPU_EXIT_LDST64B;
		exit->addr = run->arm_nisv.fault_ipa;
		exit->detail = run->arm_nisv.esr_iss;
		break;
	case KVM_EXIT_INTR:
		exit->reason = VCPU_EXIT_INTERRUPTED;
		break;
	case KVM_EXIT_HYPERCALL:
		exit->reason = VCPU_EXIT_HYPERCALL;
		exit->detail = run->hypercall.nr;
		break;
	case KVM_EXIT_DEBUG:
		exit->reason = VCPU_EXIT_DEBUG;
		exit->addr = run->debug.arch.far;
		exit->detail = run->debug.arch.hsr;
		break;
	case KVM_EXIT_ARM_SEA:
		exit->reason = VCPU_EXIT_SEA;
		break;
	case KVM_EXIT_MEMORY_FAULT:
		exit->reason = VCPU_EXIT_MEMORY_FAULT;
		break;
	case KVM_EXIT_DIRTY_RING_FULL:
		exit->reason = VCPU_EXIT_DIRTY_RING_FULL;
		break;
	case KVM_EXIT_FAIL_ENTRY:
		exit->reason = VCPU_EXIT_FAIL_ENTRY;
		exit->detail = run->fail_entry.hardware_entry_failure_reason;
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		exit->reason = VCPU_EXIT_INTERNAL_ERROR;
		exit->detail = run->internal.suberror;
		break;
	default:
		exit->reason = VCPU_EXIT_OTHER;
		exit->detail = run->exit_reason;
		break;
	}
}

void hyp_vcpu_run(struct hyp_vcpu *vcpu, struct vcpu_exit *exit)
{
	if (vcpu->read_pending) {
		memcpy(vcpu->run->mmio.data, &exit->value, sizeof(vcpu->run->mmio.data));
		vcpu->read_pending = false;
	}
	if (ioctl(vcpu->fd, KVM_RUN, 0) == 0) {
		describe_exit(vcpu, exit);
	} else if (errno == EINTR || errno == EAGAIN) {
		exit->reason = VCPU_EXIT_INTERRUPTED;
	} else {
		exit->reason = VCPU_EXIT_RUN_FAILED;
		exit->detail = (uint64_t)errno;
	}
}

void hyp_vcpu_read_done(struct hyp_vcpu *vcpu)
{
	/* This is what KVM looks at before it completes the access. */
	vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	vcpu->read_pending = false;
}

void hyp_vcpu_kick(struct hyp_vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

void hyp_vcpu_unkick(struct hyp_vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
}

int hyp_vcpu_inject_abort(struct hyp_vcpu *vcpu)
{
	struct kvm_vcpu_events events = {.exception.ext_dabt_pending = 1};
	int r = kvm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);

	/*
	 * Up to 6.12 the abort is applied by the next KVM_RUN; if that is cut
	 * short by a signal while exit_reason still says MMIO, KVM would then
	 * complete the access too and skip an instruction of the handler.
	 */
	hyp_vcpu_read_done(vcpu);
	return r < 0 ? r : 0;
}

int hyp_vcpu_inject_serror(struct hyp_vcpu *vcpu)
{
	/* Without a syndrome of ours: that would need the RAS extension. */
	struct kvm_vcpu_events events = {.exception.serror_pending = 1};
	int r = kvm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);

	return r < 0 ? r : 0;
}

static unsigned put_pairs(const struct debug_pair *pairs, unsigned count, __u64 *values,
			  __u64 *controls)
{
	unsigned i = 0;

	for (; i < count && i < HYP_DEBUG_PAIRS; i++) {
		values[i] = pairs[i].value;
		controls[i] = pairs[i].control;
	}
	return i;
}

int hyp_vcpu_debug(struct hyp_vcpu *vcpu, const struct hyp_debug *debug)
{
	struct kvm_guest_debug wanted = {0};
	int r;

	if (debug) {
		wanted.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
		if (debug->step)
			wanted.control |= KVM_GUESTDBG_SINGLESTEP;
		if (put_pairs(debug->breakpoints, debug->breakpoint_count, wanted.arch.dbg_bvr,
			      wanted.arch.dbg_bcr) +
		    put_pairs(debug->watchpoints, debug->watchpoint_count, wanted.arch.dbg_wvr,
			      wanted.arch.dbg_wcr))
			wanted.control |= KVM_GUESTDBG_USE_HW;
	}
	r = kvm_ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &wanted);
	return r < 0 ? r : 0;
}

static unsigned count_pairs(const struct hyp *hyp, int cap)
{
	int count = kvm_check_extension(hyp->vm_fd, cap);

	return (unsigned)(count < HYP_DEBUG_PAIRS ? count : HYP_DEBUG_PAIRS);
}

unsigned hyp_breakpoints(struct hyp *hyp)
{
	return count_pairs(hyp, KVM_CAP_GUEST_DEBUG_HW_BPS);
}

unsigned hyp_watchpoints(struct hyp *hyp)
{
	return count_pairs(hyp, KVM_CAP_GUEST_DEBUG_HW_WPS);
}
