/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the payload "loads" share: pages, and one instruction at a time. */
#ifndef ARMLET_GUEST_LOADS_H
#define ARMLET_GUEST_LOADS_H

#include "runtime.h"

#define SCRATCH_BASE UINT64_C(0x0c000000)

/*
 * 39 bits, 4 KiB: the first GiB and the RAM as they are, in blocks, and from PAGES on single
 * pages that EL0 may use, too: the RAM that is compared, the scratch device, and others. All
 * of these are Normal memory.
 */
#define PAGES     UINT64_C(0x80000000)
#define RAM_PAGES 0
#define DEV_PAGES 16
#define DEV_COUNT 4
#define RAM_AT    (PAGES + RAM_PAGES * PAGE)
#define DEV_AT    (PAGES + DEV_PAGES * PAGE)
#define PAGE      0x1000
#define READ_ONLY BIT(7)

/* Device, RAM, device, nothing, device, read-only RAM; and RAM alone, to compare with. */
#define MIXED       32
#define MIXED_COUNT 3
#define NOTHING     35
#define DEVICE_2    36
#define READABLE    37
#define PLAIN       40

/* A page of code, and behind it one of the device; and one that EL0 can execute. */
#define CODE     48
#define EL0_CODE 52

/* How else a page may be: for nobody to write; for EL1 alone to execute, or EL0 alone. */
enum page_use { FOR_ALL, FOR_READING, FOR_CODE, FOR_EL0_CODE };

static inline uint64_t page_at(unsigned index)
{
	return PAGES + (uint64_t)index * PAGE;
}

/* Switch the MMU of this CPU on; the first time with tables_make() before. */
void tables_make(void);
void tables_use(void);

/* Page @index of PAGES is that at @addr; 0: none. */
void map_page(unsigned index, uint64_t addr, enum page_use use);

/* loads_slot.S */
struct cpu_image {
	uint64_t x[31];
	uint64_t sp;
	uint64_t nzcv;
	uint64_t pad;
	uint8_t v[32][16];
};

extern const char el0_vectors[];
void run_slot(const struct cpu_image *in, struct cpu_image *out);
extern volatile uint32_t run_slot_word;

/* Let run_slot(), or another at @slot, execute @word. */
void put_word(uint32_t word);
void put_word_at(volatile uint32_t *slot, uint32_t word);

/* Registers to begin with, what they are then, and a stack for aborts in between. */
extern struct cpu_image before, by_device;
uint64_t spare_sp(void);

uint64_t next_random(void);

/* What differs: told, and counted by differences(), which begins anew. */
void complain(const char *what, uint32_t word, uint64_t got, uint64_t wanted);
uint64_t differences(void);

/* @size bytes and some on both sides, in the RAM at @at, and @apart from it in the device. */
void compare_bytes(uint32_t word, uint64_t at, unsigned size, uint64_t apart);

/* loads_vectors.S: what a vector instruction needs, packed for vectors of @vector bytes. */
struct vector_image {
	uint64_t x1;                                    /* the base */
	uint64_t x2;                                    /* the offset */
	uint8_t p[17 * 8] __attribute__((aligned(16))); /* and the FFR */
	uint8_t z[32 * 64] __attribute__((aligned(16)));
};

void run_vector_slot(const struct vector_image *in, struct vector_image *out);
extern volatile uint32_t run_vector_word;
uint64_t vector_length(void); /* bytes */

/* The same of SVE, where there is any. */
void try_vectors(uint64_t count);

/* And of memory copies. */
void try_copies(uint64_t count);

void check_faults(void);
void check_watchpoints(void);
void check_exclusives(void);
void check_two_cpus(void);
void check_literals(void);

#endif
