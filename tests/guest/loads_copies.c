/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory copy and memory set (FEAT_MOPS), where the CPU has them: from and to the scratch
 * device, over themselves and over the ends of pages, and the same in RAM.
 */
#include "loads.h"

#define SPREAD (2 * PAGE) /* where both ends lie */
#define MOST   300
#define GUARD  128

/* The three stages in a row; X0, X1 and X2 are what is left of them. */
#define COPY(name, prologue, main, epilogue)                                               \
	static void name(uint64_t to, uint64_t from, uint64_t size)                        \
	{                                                                                  \
		register uint64_t x0 __asm__("x0") = to;                                   \
		register uint64_t x1 __asm__("x1") = from;                                 \
		register uint64_t x2 __asm__("x2") = size;                                 \
		__asm__ volatile(".inst " prologue "\n\t.inst " main "\n\t.inst " epilogue \
				 : "+r"(x0), "+r"(x1), "+r"(x2)                            \
				 :                                                         \
				 : "memory", "cc");                                        \
		if (x2 != 0)                                                               \
			complain("rest", (uint32_t)size, x2, 0);                           \
	}

COPY(copy_forward, "0x19010440", "0x19410440", "0x19810440") /* cpyf [x0]!, [x1]!, x2! */
COPY(copy_any, "0x1d010440", "0x1d410440", "0x1d810440")     /* cpy */
COPY(set_bytes, "0x19c10440", "0x19c14440", "0x19c18440")    /* set [x0]!, x2!, x1 */

static uint8_t plain[MOST + 8] __attribute__((aligned(8)));

static void check_read(uint64_t at, uint64_t size)
{
	copy_forward((uint64_t)plain, DEV_AT + at, size);
	for (uint64_t i = 0; i < size; i++) {
		uint8_t wanted = read8(RAM_AT + at + i);

		if (plain[i] != wanted)
			complain("byte read", (uint32_t)i, plain[i], wanted);
	}
}

static void try_copy(void)
{
	uint64_t size = next_random() % 4 ? next_random() % 40 : next_random() % MOST;
	uint64_t from = GUARD + next_random() % (SPREAD - 2 * GUARD);
	/* Often close to each other, as memmove() has them. */
	uint64_t to = next_random() & 1 ? from - GUARD / 2 + next_random() % GUARD
					: GUARD + next_random() % (SPREAD - 2 * GUARD);
	bool apart = to + size <= from || from + size <= to;

	switch (next_random() % 4) {
	case 0:
		set_bytes(RAM_AT + to, from, size);
		set_bytes(DEV_AT + to, from, size);
		break;
	case 1:
		check_read(from, size);
		if (!apart)
			return;
		copy_forward(DEV_AT + to, RAM_AT + from, size);
		copy_forward(RAM_AT + to, RAM_AT + from, size);
		break;
	case 2:
		if (!apart)
			return;
		copy_forward(DEV_AT + to, DEV_AT + from, size);
		copy_forward(RAM_AT + to, RAM_AT + from, size);
		break;
	default:
		copy_any(DEV_AT + to, DEV_AT + from, size);
		copy_any(RAM_AT + to, RAM_AT + from, size);
		break;
	}
	compare_bytes((uint32_t)size, RAM_AT + to, (unsigned)(size + 63) & ~63U, DEV_AT - RAM_AT);
}

void try_copies(uint64_t count)
{
	if (!(read_sysreg("s3_0_c0_c6_2") >> 16 & 0xf)) /* ID_AA64ISAR2_EL1.MOPS */
		return;
	for (uint64_t i = 0; i < count; i++)
		try_copy();
	check_equal("copies_that_differ", differences(), 0);
	note("copies", count);
}
