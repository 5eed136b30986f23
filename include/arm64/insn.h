/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A64's loads and stores as values (Arm ARM DDI 0487, C4.1.95 "Loads and Stores" and the
 * pages of C6.2 and C7.2 that it refers to): insn_decode() takes a word apart,
 * insn_execute() does what it says on a CPU that the caller describes.
 *
 * DOC: Accesses without syndrome
 *
 * When a load or store misses the guest's memory, ESR_EL2 describes it (ISV) if it moves
 * one general register and writes nothing back. All others the hypervisor must look up in
 * the guest's code and do itself: that is what this is for. So it is about what has passed
 * every check of stage 1 already, alignment included, and faulted at stage 2.
 *
 * Nothing here knows of a machine. Registers and memory are reached through struct
 * insn_cpu_ops. An instruction first says where all its bytes are (reach), then moves them,
 * and writes its registers last: one that faults in between leaves the CPU as it was.
 *
 * No thread is bound to anything here.
 */
#ifndef ARMLET_ARM64_INSN_H
#define ARMLET_ARM64_INSN_H

#include "base/util.h"
#include "core/types.h"

enum insn_kind {
	INSN_OTHER,         /* no load or store, unallocated, or none that is known here */
	INSN_UNPREDICTABLE, /* CONSTRAINED UNPREDICTABLE by its choice of registers */
	INSN_TRANSFER,      /* registers, one or two: LDR, STP, LDTR, LDAR, LDAPUR ... */
	INSN_LOAD_EXCLUSIVE,
	INSN_STORE_EXCLUSIVE,
	INSN_ATOMIC,    /* LDADD and its family, SWP */
	INSN_COMPARE,   /* CAS, CASP */
	INSN_STRUCTURE, /* LD1 to LD4, ST1 to ST4, LD1R to LD4R */
	INSN_ZERO,      /* DC ZVA */
	INSN_VECTOR,    /* SVE's contiguous elements under a predicate: LD1B to ST4D */
	INSN_FILL,      /* SVE's whole registers: LDR and STR of Z or P */
	INSN_HINT,      /* PRFM, PRFUM: nothing happens */
	INSN_COPY,      /* a stage of CPY, CPYF or SET (FEAT_MOPS) */
};

enum insn_address {
	INSN_BASE,     /* Xn|SP + offset */
	INSN_PRE,      /* the same, and it is written back */
	INSN_POST,     /* Xn|SP; the base + offset is written back */
	INSN_POST_REG, /* Xn|SP; the base + Xm is written back */
	INSN_REGISTER, /* Xn|SP + Xm, extended and shifted */
	INSN_LITERAL,  /* PC + offset */
};

enum insn_stage { INSN_PROLOGUE, INSN_MAIN, INSN_EPILOGUE };

/* As the opc field of the atomics has them. */
enum insn_operation {
	INSN_ADD,
	INSN_CLR,
	INSN_EOR,
	INSN_SET,
	INSN_SMAX,
	INSN_SMIN,
	INSN_UMAX,
	INSN_UMIN,
	INSN_SWP,
};

struct insn {
	enum insn_kind kind;
	enum insn_address address;
	enum insn_operation operation; /* ATOMIC */
	bool load;                     /* also ATOMIC, COMPARE: what was there comes back */
	bool simd;                     /* Rt and Rt2 are SIMD&FP registers */
	bool sign;                     /* a load extends the sign */
	bool unprivileged;             /* LDTR, STTR */
	bool authenticated;     /* LDRAA, LDRAB: the base has a pointer authentication code */
	bool replicate;         /* LD1R to LD4R: to all lanes; SVE's LD1R, LD1RQ, LD1RO */
	bool whole;             /* STRUCTURE of whole registers, not of one lane */
	uint8_t size;           /* bytes of an element in memory: 1, 2, 4, 8, 16 */
	uint8_t width;          /* bytes of Xt that a load writes: 4 or 8 */
	uint8_t count;          /* registers: 1 or 2; STRUCTURE: elements of each structure */
	uint8_t repeat;         /* STRUCTURE: registers that follow one another, LD1 of 1 to 4 */
	uint8_t bytes;          /* STRUCTURE: of a register: 8 or 16; VECTOR: of its element */
	uint8_t lane;           /* STRUCTURE of one lane */
	uint8_t pg;             /* VECTOR: the predicate */
	uint8_t block;          /* VECTOR, replicate: bytes of Zt that are loaded; 0: one element */
	bool predicate;         /* FILL: Rt is a P register */
	bool first_fault;       /* VECTOR: LDFF1, of which a device gives the first element only */
	bool non_fault;         /* VECTOR: LDNF1, of which it gives none */
	uint8_t stage;          /* COPY: enum insn_stage */
	bool set;               /* COPY: the byte in Xs, instead of what is at Xs */
	bool forward;           /* COPY: CPYF, which never goes backward */
	bool unprivileged_read; /* COPY: unprivileged is for what it writes */
	bool scaled;            /* VECTOR, FILL: the offset counts in what the instruction moves */
	uint8_t rt, rt2, rn;
	uint8_t rs;     /* the status, or the operand, or what is compared */
	uint8_t rm;     /* REGISTER, POST_REG */
	uint8_t option; /* REGISTER: how Xm is extended (DDI 0487, ExtendType) */
	uint8_t shift;  /* REGISTER */
	int64_t offset;
};

/*
 * Take @word apart. Every word has an answer: kind is INSN_OTHER for what is none of this,
 * and then nothing else means anything. Whether the CPU has the extension that an
 * instruction comes with is not asked: it has executed it.
 */
struct insn insn_decode(uint32_t word);

/* How an instruction wants its bytes; a set. */
enum insn_access {
	INSN_READ = 1,
	INSN_WRITE = 2,
	INSN_AS_EL0 = 4, /* LDTR, STTR: with the rights of EL0 */
	INSN_MORE = 8,   /* another span follows: a copy has two */
};

/*
 * What an atomic makes of the bytes that are in memory, in place; false: nothing is to be
 * written.
 */
typedef bool (*insn_combine)(uint8_t *bytes, const void *data);

#define INSN_VECTOR_MAX    256 /* bytes of a Z register at most */
#define INSN_PREDICATE_MAX (INSN_VECTOR_MAX / 8)
#define INSN_FFR           16 /* the first fault register, behind P0 to P15 */

/* All required. Bytes are in the order in which they stand in memory. */
struct insn_cpu_ops {
	/* X0 to X30; 31 is the stack pointer. */
	uint64_t (*get_x)(void *cpu, unsigned reg);
	void (*set_x)(void *cpu, unsigned reg, uint64_t value);
	/* V0 to V31, bits 7:0 first. */
	void (*get_v)(void *cpu, unsigned reg, uint8_t value[16]);
	void (*set_v)(void *cpu, unsigned reg, const uint8_t value[16]);
	/*
	 * Z0 to Z31, and P0 to P15 with the FFR: their first bytes, as many as there are of a
	 * vector, or an eighth of that. Only if there is SVE.
	 */
	void (*get_z)(void *cpu, unsigned reg, uint8_t value[INSN_VECTOR_MAX]);
	void (*set_z)(void *cpu, unsigned reg, const uint8_t value[INSN_VECTOR_MAX]);
	void (*get_p)(void *cpu, unsigned reg, uint8_t value[INSN_PREDICATE_MAX]);
	void (*set_p)(void *cpu, unsigned reg, const uint8_t value[INSN_PREDICATE_MAX]);
	/* PSTATE's NZCV, in bits 31:28. */
	uint64_t (*get_flags)(void *cpu);
	void (*set_flags)(void *cpu, uint64_t flags);
	/* An address without its pointer authentication code, which was found to be right. */
	gva_t (*strip)(void *cpu, gva_t addr);
	/*
	 * Find out where the @size bytes at @addr are, once and before all of what follows (a
	 * copy: twice): 0, or what insn_execute() is to return, the instruction undone.
	 */
	int (*reach)(void *cpu, gva_t addr, unsigned size, unsigned access);
	/* Move @size bytes, an element, within what was reached. */
	void (*load)(void *cpu, gva_t addr, uint8_t *bytes, unsigned size);
	void (*store)(void *cpu, gva_t addr, const uint8_t *bytes, unsigned size);
	/* Load @count elements of @size, combine, store: nobody else comes between. */
	void (*update)(void *cpu, gva_t addr, unsigned size, unsigned count, insn_combine combine,
		       const void *data);
	/*
	 * The exclusive monitor: begin to watch; end it, and tell whether nothing has happened.
	 * If so, nobody else's is told so until settle(), after the stores.
	 */
	void (*watch)(void *cpu, gva_t addr, unsigned size);
	bool (*watched)(void *cpu, gva_t addr, unsigned size);
	void (*settle)(void *cpu, gva_t addr, unsigned size);
};

struct insn_cpu {
	const struct insn_cpu_ops *ops;
	void *data;
	uint64_t pc;
	unsigned vector;     /* bytes of a Z register at present; 0: there is no SVE */
	unsigned zero_block; /* bytes that DC ZVA writes, a power of two (DCZID_EL0.BS) */
	/*
	 * How this CPU keeps a copy's state between its stages (DDI 0487, C6.2 "CPYFP"): 0 is
	 * option A, 1 is option B; less: it is not known.
	 */
	int copy_option;
	bool big_endian; /* SCTLR_EL1.EE or E0E, for the present exception level */
};

#define INSN_SPAN_MAX 2048 /* bytes that an instruction can move: DC ZVA's largest block */

/* The instruction has come forward, and is to be executed again. */
#define INSN_AGAIN 1

/*
 * Do what @insn says; the PC is the caller's. Returns 0, INSN_AGAIN, what reach() refused with, or
 * -EOPNOTSUPP for what is INSN_OTHER or INSN_UNPREDICTABLE.
 */
int insn_execute(const struct insn *insn, const struct insn_cpu *cpu);

#endif
