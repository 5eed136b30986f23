/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor, as the machine needs it: one VM, its vCPUs, its memory slots
 * and its interrupt controller. src/kvm/ is the implementation; unit tests of
 * the machine link a fake in its place (tests/unit/fake_hyp.c).
 *
 * Order: hyp_open, hyp_create_vm, hyp_map_memory, hyp_create_vcpu for all,
 * hyp_create_gic, hyp_vcpu_start for all, then hyp_vcpu_run.
 */
#ifndef ARMLET_HYP_HYP_H
#define ARMLET_HYP_HYP_H

#include "arm64/debug.h"
#include "base/error.h"
#include "core/types.h"
#include "hyp/stats.h"

struct hyp;
struct hyp_vcpu;

/* What the host offers; the first part is filled by hyp_open(). */
struct hyp_caps {
	unsigned ipa_bits; /* most that a VM can have */
	unsigned max_vcpus;
	bool sve;
	bool pauth;
	bool pmu;

	/* From hyp_create_vm(). */
	bool nisv_to_user;
	bool system_suspend; /* PSCI SYSTEM_SUSPEND is ours to answer */

	/* From hyp_probe_caps(). */
	unsigned recommended_vcpus; /* the host's CPUs that are online */
	bool gicv2;
	bool gicv3;
	bool its;
	bool mte;
	bool el1_32bit;
	bool el2; /* nested virtualization */
	bool steal_time;
	bool counter_offset;
	bool writable_id_regs;
	bool writable_imp_id_regs;
	bool smccc_filter;
	unsigned hw_breakpoints;
	unsigned hw_watchpoints;
};

/*
 * Open @path (/dev/kvm) and ask what it can do. Fails with a sentence if it is
 * not there, not permitted, or not KVM of arm64.
 */
int hyp_open(const char *path, struct hyp **ret, struct error *err);

/* Ends the VM, its vCPUs included: none may be running. Takes NULL. */
void hyp_close(struct hyp *hyp);

DEFINE_CLEANUP(struct hyp *, hyp_close)

const struct hyp_caps *hyp_caps(const struct hyp *hyp);

/* Fill in the rest of hyp_caps(), which only a VM can tell; after hyp_create_vm(). */
void hyp_probe_caps(struct hyp *hyp);

/* Once: an empty VM with @ipa_bits of guest physical address. */
int hyp_create_vm(struct hyp *hyp, unsigned ipa_bits, struct error *err);

/* After hyp_create_vm(): how long the host waits, awake, for a vCPU that has nothing to do. */
int hyp_set_halt_poll(struct hyp *hyp, uint32_t ns, struct error *err);

/*
 * After hyp_create_vm(), before the vCPUs: have KVM let MIDR_EL1, REVIDR_EL1 and AIDR_EL1 be
 * set. Fails where it never does.
 */
int hyp_let_identity(struct hyp *hyp);

/*
 * After hyp_create_vm(), before a vCPU runs: the SMCCC calls of the @count functions from
 * @first on leave the guest as VCPU_EXIT_HYPERCALL, with the function as detail; arguments and
 * answer are in X0 and on. Fails where KVM answers all itself.
 */
int hyp_forward_calls(struct hyp *hyp, uint32_t first, uint32_t count);

/*
 * After hyp_create_vm(): the bits of the ID register @sysreg that hyp_vcpu_set_sysreg() may
 * change, for all vCPUs, until one of them has run. -EOPNOTSUPP: the host lets none.
 */
int hyp_id_reg_mask(struct hyp *hyp, uint16_t sysreg, uint64_t *ret);

/*
 * Memory slots: IPAs [@gpa, @gpa + @size) are the memory at @host; read-only
 * slots trap writes. All aligned to the host's page. Any thread.
 */
enum hyp_memory_flags { HYP_MEMORY_READ_ONLY = 1 };
int hyp_map_memory(struct hyp *hyp, gpa_t gpa, uint64_t size, void *host, unsigned flags);
int hyp_unmap_memory(struct hyp *hyp, gpa_t gpa);

/* What is mapped at present, @index from 0. False: there is no more. Any thread. */
struct hyp_memory {
	gpa_t gpa;
	uint64_t size;
	const void *host;
	bool read_only;
};
bool hyp_memory(struct hyp *hyp, size_t index, struct hyp_memory *ret);

/* Interrupt controller. */
enum hyp_gic_version { HYP_GIC_V2 = 2, HYP_GIC_V3 = 3 };

struct hyp_gic_config {
	enum hyp_gic_version version;
	gpa_t distributor;
	gpa_t cpu_interface; /* GICv2 */
	struct {
		gpa_t base;
		uint32_t count; /* redistributors, 128 KiB each */
	} redistributors[2];    /* GICv3; count 0: unused */
	uint32_t interrupts;    /* INTIDs in all: a multiple of 32, 64 to 1024 */
	uint64_t level_spis;    /* bit n: SPI 32 + n starts as level-sensitive */
};

/* After all vCPUs were created. */
int hyp_create_gic(struct hyp *hyp, const struct hyp_gic_config *config, struct error *err);

/*
 * A register of the distributor, or with GICv3 of the redistributor of the CPU @mpidr, by its
 * offset. No vCPU is in the guest.
 */
enum hyp_gic_part { HYP_GIC_DISTRIBUTOR, HYP_GIC_REDISTRIBUTOR };
int hyp_gic_read(struct hyp *hyp, enum hyp_gic_part part, uint64_t mpidr, uint32_t offset,
		 uint32_t *ret);

/*
 * What the host's kernel tells of the whole controller for those who debug it, as text; the
 * caller's to free. NULL: it tells nothing, or not to us.
 */
char *hyp_gic_text(struct hyp *hyp);

/* The level of the SPI @intid (32 and up). Any thread. */
void hyp_set_irq(struct hyp *hyp, uint32_t intid, bool level);

/*
 * An eventfd on the other end: a write of @value, 4 bytes wide, to @addr
 * signals @fd and is no exit; a signal of @fd is an edge of the SPI @intid
 * (after hyp_create_gic()). Begin or end; ending never fails. Any thread.
 */
int hyp_notify_fd(struct hyp *hyp, gpa_t addr, uint32_t value, int fd, bool on);
int hyp_irq_fd(struct hyp *hyp, uint32_t intid, int fd, bool on);

/* vCPUs. */
struct hyp_vcpu_options {
	bool power_off; /* waits for PSCI CPU_ON */
	bool pmu;       /* PMUv3 with its overflow interrupt on PPI @pmu_intid */
	bool sve;
	bool pauth;
	uint32_t pmu_intid;
	bool numbered; /* MPIDR_EL1 is @mpidr, if the host keeps it so over PSCI's CPU_ON */
	uint64_t mpidr;
};

/* The vCPUs in order, @index from 0. */
int hyp_create_vcpu(struct hyp *hyp, uint32_t index, const struct hyp_vcpu_options *options,
		    struct hyp_vcpu **ret, struct error *err);

/* After hyp_create_gic(): what needs the GIC (PMU interrupt). */
int hyp_vcpu_start(struct hyp_vcpu *vcpu, struct error *err);

/*
 * Before the vCPU runs: have KVM keep the time that others have had of it at @at, 64 bytes in
 * memory that is mapped (DEN0057, "Stolen time"). -ENXIO: the host does not count that.
 */
int hyp_vcpu_steal_time(struct hyp_vcpu *vcpu, gpa_t at);

/* General registers, as Arm ARM names them. */
enum hyp_reg {
	HYP_REG_X0 = 0,
	HYP_REG_X30 = 30,
	HYP_REG_SP_EL0,
	HYP_REG_PC,
	HYP_REG_PSTATE,
	HYP_REG_SP_EL1,
	HYP_REG_ELR_EL1,
	HYP_REG_SPSR_EL1,
	HYP_REG_FPSR,
	HYP_REG_FPCR,
};

/* Registers of a vCPU that is not running; its own thread, or any before it starts or while it is
 * held. */
int hyp_vcpu_get_reg(struct hyp_vcpu *vcpu, enum hyp_reg reg, uint64_t *ret);
int hyp_vcpu_set_reg(struct hyp_vcpu *vcpu, enum hyp_reg reg, uint64_t value);
int hyp_vcpu_get_sysreg(struct hyp_vcpu *vcpu, uint16_t sysreg, uint64_t *ret);
int hyp_vcpu_set_sysreg(struct hyp_vcpu *vcpu, uint16_t sysreg, uint64_t value);

/*
 * The system registers that the host tells of, at most @max; the vCPU's thread, or any while it
 * is held. Returns how many there are, or -errno. Two of the virtual timer's are swapped, as
 * KVM has them: what is called CNTVCT_EL0 is CNTV_CVAL_EL0, and the other way round.
 */
int hyp_vcpu_list_sysregs(struct hyp_vcpu *vcpu, uint16_t *ret, size_t max);

/* V0 to V31, bits 7:0 first. Setting one clears the rest of the Z register, if there is one. */
int hyp_vcpu_get_vector(struct hyp_vcpu *vcpu, unsigned reg, uint8_t value[16]);
int hyp_vcpu_set_vector(struct hyp_vcpu *vcpu, unsigned reg, const uint8_t value[16]);

/*
 * SVE: how many bytes a Z register has at present (ZCR_EL1.LEN); 0: the vCPU has no SVE. Z0 to
 * Z31, and P0 to P15 with the FFR as the 16th, of which only so many bytes count, or an eighth.
 */
#define HYP_VECTOR_MAX    256
#define HYP_PREDICATE_MAX (HYP_VECTOR_MAX / 8)
unsigned hyp_vcpu_vector_length(struct hyp_vcpu *vcpu);
unsigned hyp_vcpu_vector_max(struct hyp_vcpu *vcpu); /* the most that the guest could set */
int hyp_vcpu_get_z(struct hyp_vcpu *vcpu, unsigned reg, uint8_t value[HYP_VECTOR_MAX]);
int hyp_vcpu_set_z(struct hyp_vcpu *vcpu, unsigned reg, const uint8_t value[HYP_VECTOR_MAX]);
int hyp_vcpu_get_p(struct hyp_vcpu *vcpu, unsigned reg, uint8_t value[HYP_PREDICATE_MAX]);
int hyp_vcpu_set_p(struct hyp_vcpu *vcpu, unsigned reg, const uint8_t value[HYP_PREDICATE_MAX]);

/*
 * How the host's CPUs keep the state of a memory copy (DDI 0487, FEAT_MOPS): 0 is option A, 1
 * option B; -EOPNOTSUPP: they have none, or the kernel does not let a program try. Any thread.
 */
int hyp_copy_option(void);

/* How many bytes the guest's DC ZVA writes. */
unsigned hyp_vcpu_zero_block(const struct hyp_vcpu *vcpu);

/*
 * The power of a vCPU that is not running; its own thread, or any while it is held.
 * hyp_vcpu_is_off(): PSCI has it off. hyp_vcpu_suspend(): the next hyp_vcpu_run() waits for
 * an interrupt, and gives VCPU_EXIT_WAKEUP when there is one, again and again until
 * hyp_vcpu_resume(), or hyp_vcpu_reset(), which makes it as CPU_ON does: running from its
 * reset state. One that is turned off does not run before that, either.
 */
int hyp_vcpu_is_off(struct hyp_vcpu *vcpu, bool *ret);
int hyp_vcpu_suspend(struct hyp_vcpu *vcpu);
int hyp_vcpu_resume(struct hyp_vcpu *vcpu);
int hyp_vcpu_turn_off(struct hyp_vcpu *vcpu);
int hyp_vcpu_reset(struct hyp_vcpu *vcpu);

enum vcpu_exit_reason {
	VCPU_EXIT_INTERRUPTED, /* a signal, or hyp_vcpu_kick(): nothing to do for the guest */
	VCPU_EXIT_MMIO,
	VCPU_EXIT_NO_SYNDROME,  /* an access outside memory that ESR_EL2 does not describe */
	VCPU_EXIT_LDST64B,      /* a single-copy atomic 64-byte access outside memory */
	VCPU_EXIT_SHUTDOWN,     /* PSCI SYSTEM_OFF */
	VCPU_EXIT_RESET,        /* PSCI SYSTEM_RESET, SYSTEM_RESET2 */
	VCPU_EXIT_SUSPEND,      /* PSCI SYSTEM_SUSPEND, its arguments in X1 and X2, answer in X0 */
	VCPU_EXIT_WAKEUP,       /* of a suspended vCPU */
	VCPU_EXIT_CRASH,        /* KVM_SYSTEM_EVENT_CRASH */
	VCPU_EXIT_HYPERCALL,    /* an SMCCC call that was asked for */
	VCPU_EXIT_DEBUG,        /* a debug exception, while hyp_vcpu_debug() has it leave */
	VCPU_EXIT_SEA,          /* synchronous external abort on guest memory */
	VCPU_EXIT_MEMORY_FAULT, /* the host lost the memory behind an IPA */
	VCPU_EXIT_DIRTY_RING_FULL,
	VCPU_EXIT_FAIL_ENTRY, /* the CPU cannot run this vCPU: detail has KVM's reason */
	VCPU_EXIT_INTERNAL_ERROR,
	VCPU_EXIT_RUN_FAILED, /* KVM_RUN itself: detail is the errno */
	VCPU_EXIT_OTHER,      /* detail is KVM's exit_reason */
	VCPU_EXIT_REASONS,
};

/* "MMIO", "SHUTDOWN", ... */
const char *vcpu_exit_name(enum vcpu_exit_reason reason);

struct vcpu_exit {
	enum vcpu_exit_reason reason;
	gpa_t addr;      /* MMIO, NO_SYNDROME, LDST64B, SEA, MEMORY_FAULT; DEBUG: FAR_EL2 */
	uint8_t size;    /* MMIO: 1, 2, 4 or 8 bytes */
	bool is_write;   /* MMIO */
	uint64_t value;  /* MMIO: written, or (put here before the next run) as read */
	uint64_t detail; /* ESR_EL2's ISS (DEBUG: all of it), event flags, KVM's reason or errno */
};

/*
 * Run the guest until it needs us. @exit carries the value of an MMIO read
 * into the next call. The vCPU's own thread.
 */
void hyp_vcpu_run(struct hyp_vcpu *vcpu, struct vcpu_exit *exit);

/*
 * The MMIO read that the vCPU has exited for is done, its register and the PC included: the
 * next hyp_vcpu_run() does not complete it. The vCPU's own thread.
 */
void hyp_vcpu_read_done(struct hyp_vcpu *vcpu);

/*
 * Whether the host extends the sign of what LDRSB, LDRSH and LDRSW read from a device, or
 * writes zeroes there. Any thread.
 */
bool hyp_extends_signs(struct hyp *hyp);

/*
 * Have debug exceptions leave the guest as VCPU_EXIT_DEBUG, with ESR_EL2 as detail and for a
 * watchpoint the address: those of these registers, of a step after each instruction, and the
 * guest's own breakpoint instructions, which are then for the caller to give back. With
 * breakpoints or watchpoints of ours the guest's own registers have no effect. NULL: none,
 * all is the guest's. The vCPU's own thread, or any while it is held.
 */
#define HYP_DEBUG_PAIRS 16
struct hyp_debug {
	bool step;
	unsigned breakpoint_count;
	unsigned watchpoint_count;
	struct debug_pair breakpoints[HYP_DEBUG_PAIRS];
	struct debug_pair watchpoints[HYP_DEBUG_PAIRS];
};
int hyp_vcpu_debug(struct hyp_vcpu *vcpu, const struct hyp_debug *debug);

/* How often the guest's timers count in a second (CNTFRQ_EL0). */
uint64_t hyp_timer_frequency(void);

/* How many of each there are; after hyp_create_vm(). */
unsigned hyp_breakpoints(struct hyp *hyp);
unsigned hyp_watchpoints(struct hyp *hyp);

/*
 * Any thread: the present or next hyp_vcpu_run() returns VCPU_EXIT_INTERRUPTED
 * at once, until hyp_vcpu_unkick(). A thread that is in the guest needs a
 * signal besides. Both are sequentially consistent: who has said why before it kicks
 * is heard by a vCPU that looks after it has unkicked itself.
 */
void hyp_vcpu_kick(struct hyp_vcpu *vcpu);
void hyp_vcpu_unkick(struct hyp_vcpu *vcpu);

/*
 * What is counted of the VM, and of a vCPU; the caller's to free. The main thread.
 * -EOPNOTSUPP: the host does not count. A vCPU's counters are opened before they are read
 * for the first time (-EBADF), while the vCPU is out of the guest: it would be waited for.
 */
int hyp_get_stats(const struct hyp *hyp, struct hyp_stats **ret);
int hyp_vcpu_open_stats(struct hyp_vcpu *vcpu);
int hyp_vcpu_get_stats(const struct hyp_vcpu *vcpu, struct hyp_stats **ret);

/* Answer the access that the vCPU has just trapped on with an external abort. */
int hyp_vcpu_inject_abort(struct hyp_vcpu *vcpu);

/*
 * Make an SError interrupt pending, which the guest takes once PSTATE.A lets it. Any
 * thread, of a vCPU that is out of the guest.
 */
int hyp_vcpu_inject_serror(struct hyp_vcpu *vcpu);

/*
 * Posted writes (core/mmio_shadow.h). hyp_post_writes() and hyp_drop_writes()
 * begin or end to queue writes to a range, or to drop those of one value; any
 * thread. hyp_posted_pending() is cheap. hyp_take_posted() copies the oldest
 * writes, at most @max, and tells how many; they stay in the ring, so that
 * others see that they are not done, until hyp_done_posted() removes as many.
 * One thread at a time takes.
 */
struct hyp_posted_write {
	gpa_t addr;
	unsigned size;
	uint64_t value;
};

int hyp_post_writes(struct hyp *hyp, gpa_t addr, uint32_t size, bool on);
int hyp_drop_writes(struct hyp *hyp, gpa_t addr, uint32_t size, uint64_t value, bool on);
bool hyp_posted_pending(const struct hyp *hyp);
size_t hyp_take_posted(const struct hyp *hyp, struct hyp_posted_write *writes, size_t max);
void hyp_done_posted(struct hyp *hyp, size_t count);

#endif
