/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: A hypervisor without hardware
 *
 * It implements include/hyp/hyp.h at link time. A vCPU runs a script: what the
 * guest does, step by step, and what it must see. Where KVM would do something
 * with no exit (a read of a shadowed page, a write into the ring of posted
 * writes, a dropped write), so does the fake; everything else leaves
 * hyp_vcpu_run() as the exit that KVM would give. All that the machine asks
 * for is recorded.
 *
 *	static const struct fake_step first[] = {
 *		GUEST_PRINTS("hello\n"),
 *		GUEST_READS(LAYOUT_PL011 + UARTFR, 4, UARTFR_TXFE | UARTFR_RXFE),
 *		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
 *	};
 *	fake_program(0, 0, first, ARRAY_SIZE(first));
 *
 * A vCPU with no script, or at its end, waits as in WFI until it is kicked.
 */
#ifndef ARMLET_TESTS_FAKE_HYP_H
#define ARMLET_TESTS_FAKE_HYP_H

#include "hyp/hyp.h"

#define FAKE_BOOTS   4
#define FAKE_VCPUS   512
#define FAKE_RING    16
#define FAKE_IPA_MAX 40

/* A vCPU whose registers a test looks at and sets. */
struct fake_cpu {
	uint64_t regs[HYP_REG_FPCR + 1];
	struct {
		uint16_t sysreg; /* 0: the end */
		uint64_t value;
	} sysregs[16];
	uint8_t vectors[32][16];
	unsigned vector; /* bytes of a Z register; 0: there is no SVE */
	uint8_t z[32][HYP_VECTOR_MAX];
	uint8_t p[17][HYP_PREDICATE_MAX];
	bool stepping;
	bool debugged; /* hyp_vcpu_debug() has said */
	struct hyp_debug debug;
	bool read_done;
};

/* What the host is; fake_reset() makes it a good one. */
struct fake_host {
	struct hyp_caps caps;
	uint64_t mmfr0;   /* ID_AA64MMFR0_EL1 */
	bool no_ring;     /* KVM without coalesced MMIO */
	int shadow_error; /* errno of mapping read-only memory; 0: it works */
	bool no_stats;    /* KVM without KVM_CAP_BINARY_STATS_FD */
	int open_error;
	int vcpu_error;
	uint32_t vcpu_error_from; /* index of the first vCPU that cannot be made */
	int clusters_of;          /* vCPUs with the same Aff1; KVM's are 16 */
	uint64_t on;              /* a bit for each vCPU that PSCI has on */
	uint64_t call[3];         /* X0 to X2 of all of them, if X0 is not zero */
	struct fake_cpu *cpu;     /* all of them are this one; NULL: none can be looked into */
	bool extends_signs;
	bool keeps_mpidr;
	bool no_steal_time;
	int copy_option;     /* of FEAT_MOPS */
	bool changes_ids;    /* KVM of Linux 6.7 and later */
	uint64_t id_mask;    /* bits of every ID register that may be changed */
	uint64_t id_refused; /* a write with any of these is refused */
	uint64_t id_sticks;  /* these are set, whatever was written */
};

extern struct fake_host fake_host;

/* Forget everything: records, programs, host. */
void fake_reset(void);

enum fake_step_kind {
	FAKE_STEP_WRITE,
	FAKE_STEP_READ,
	FAKE_STEP_PRINT,
	FAKE_STEP_EXIT,
	FAKE_STEP_WAIT_IRQ,
	FAKE_STEP_WAIT_MS,
	FAKE_STEP_WAIT_WORD,
	FAKE_STEP_CALL,
};

struct fake_step {
	enum fake_step_kind kind;
	gpa_t addr;
	unsigned size;
	uint64_t value;
	uint64_t mask;
	const char *text;
	unsigned times;
	enum vcpu_exit_reason reason;
	uint64_t detail;
	void (*call)(void *data);
	void *data;
};

#define GUEST_WRITES(at, bytes, what)                                                   \
	{                                                                               \
		.kind = FAKE_STEP_WRITE, .addr = (at), .size = (bytes), .value = (what) \
	}
/* Must read this value, or (MASKED) this value in these bits. */
#define GUEST_READS(at, bytes, what) GUEST_READS_MASKED(at, bytes, UINT64_MAX, what)
#define GUEST_READS_MASKED(at, bytes, bits, what)                                      \
	{                                                                              \
		.kind = FAKE_STEP_READ, .addr = (at), .size = (bytes), .mask = (bits), \
		.value = (what)                                                        \
	}
/* Write @what to the PL011, byte by byte, as often as it says. */
#define GUEST_PRINTS(what) GUEST_PRINTS_TIMES(what, 1)
#define GUEST_PRINTS_TIMES(what, count)                                   \
	{                                                                 \
		.kind = FAKE_STEP_PRINT, .text = (what), .times = (count) \
	}
#define GUEST_EXITS(why) GUEST_EXITS_AT(why, 0, 0)
#define GUEST_EXITS_AT(why, at, what)                                                   \
	{                                                                               \
		.kind = FAKE_STEP_EXIT, .reason = (why), .addr = (at), .detail = (what) \
	}
#define GUEST_WAITS_IRQ(intid, level)                                         \
	{                                                                     \
		.kind = FAKE_STEP_WAIT_IRQ, .addr = (intid), .value = (level) \
	}
#define GUEST_WAITS_MS(ms)                               \
	{                                                \
		.kind = FAKE_STEP_WAIT_MS, .value = (ms) \
	}
/* Wait until a guest-side word (of the test) is not zero. */
#define GUEST_WAITS_FOR(word)                               \
	{                                                   \
		.kind = FAKE_STEP_WAIT_WORD, .data = (word) \
	}
#define GUEST_CALLS(function, argument)                                        \
	{                                                                      \
		.kind = FAKE_STEP_CALL, .call = (function), .data = (argument) \
	}

/* What vCPU @vcpu does after the boot that is number @boot; @steps outlive the machine. */
void fake_program(unsigned boot, uint32_t vcpu, const struct fake_step *steps, size_t count);

/* What the machine asked for. */
enum fake_event {
	FAKE_VM,        /* a: IPA bits */
	FAKE_HALT_POLL, /* a: ns */
	FAKE_MAP,       /* a: address, b: size, c: flags */
	FAKE_UNMAP,     /* a: address */
	FAKE_VCPU,      /* a: index, b: power_off, c: features, as FAKE_FEATURE_* */
	FAKE_GIC,       /* a: version */
	FAKE_START,     /* a: index */
	FAKE_IRQ,       /* a: INTID, b: level */
	FAKE_SET_REG,   /* a: register, b: value, c: vCPU */
	FAKE_POST,      /* a: address, b: size */
	FAKE_UNPOST,
	FAKE_DROP, /* a: address, b: size, c: value */
	FAKE_UNDROP,
	FAKE_NOTIFY, /* a: address, b: value, c: eventfd */
	FAKE_UNNOTIFY,
	FAKE_SIGNALED, /* a write signalled an eventfd; a: address, c: value */
	FAKE_IRQ_FD,   /* a: INTID, c: eventfd */
	FAKE_UNIRQ_FD,
	FAKE_ABORT,   /* a: index */
	FAKE_SERROR,  /* a: index */
	FAKE_SUSPEND, /* a: index */
	FAKE_RESET,   /* a: index */
	FAKE_QUEUED,  /* a write went to the ring; a: address, c: value */
	FAKE_TRAPPED, /* a write or read was an exit; a: address, b: is_write, c: value */
	FAKE_DIRECT,  /* a read was answered by shadow; a: address, c: value */
	FAKE_KICK,    /* a: index */
	FAKE_IDENTITY,
	FAKE_FORWARD,    /* a: first function, b: how many */
	FAKE_RESUME,     /* a: index */
	FAKE_TURN_OFF,   /* a: index */
	FAKE_STEAL_TIME, /* a: index, b: address */
};

enum { FAKE_FEATURE_PMU = 1, FAKE_FEATURE_SVE = 2, FAKE_FEATURE_PAUTH = 4 };

struct fake_record {
	enum fake_event event;
	unsigned boot; /* VMs made before: 0 is the first */
	uint64_t a;
	uint64_t b;
	uint64_t c;
};

#define FAKE_ANY UINT64_MAX

/* How many of @event with this @a; counted also when they were too many to be kept. */
unsigned fake_count(enum fake_event event, uint64_t a);

/* The @nth (from 0) of @event with this @a, or NULL. */
const struct fake_record *fake_find(enum fake_event event, uint64_t a, unsigned nth);

/* How many VMs are open. */
unsigned fake_open_vms(void);

/* The configuration that the last interrupt controller was made with. */
const struct hyp_gic_config *fake_gic(void);

/* What reads of a register will give, for reports and stray accesses. */
#define FAKE_REG_VALUE(index, reg) (0xc0de0000 + ((uint64_t)(index) << 8) + (uint64_t)(reg))

/*
 * What is counted: "remote_tlb_flush" of the VM, "exits", "halt_wait_ns", "blocking" and
 * the histogram "halt_wait_hist" of a vCPU, with these values.
 */
#define FAKE_TLB_FLUSHES      17
#define FAKE_EXITS(index)     (1000 + (uint64_t)(index))
#define FAKE_HALT_WAIT_NS     UINT64_C(5000000000)
#define FAKE_HALT_WAIT_BUCKET 4

/* Put a write into the ring, as the kernel does; false if it is full. */
bool fake_queue_write(struct hyp *hyp, gpa_t addr, unsigned size, uint64_t value);

#endif
