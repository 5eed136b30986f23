/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the payloads stand on: registers, time, the device tree, exceptions and
 * the report. A payload defines payload_main() and checks things in it:
 *
 *	check("the_line_is_high", line == 1);
 *	check_equal("UARTFR", read32(uart + UARTFR), 0x90);
 *
 * The report goes to the UART: "ok NAME", or "not ok NAME: what", a line each,
 * and "done" at the very end. A payload that is silent about its end has died.
 */
#ifndef ARMLET_GUEST_RUNTIME_H
#define ARMLET_GUEST_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpus.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define BIT(n)            (UINT64_C(1) << (n))

/* The board's registers (include/machine/layout.h; the tree says the same). */
#define PL011_BASE UINT64_C(0x09000000)
#define PL031_BASE UINT64_C(0x09010000)
#define PL061_BASE UINT64_C(0x09030000)
#define RAM_BASE   UINT64_C(0x40000000)

enum {
	INTID_VIRTUAL_TIMER = 27,
	INTID_TIMER = 30,
	INTID_PL011 = 33,
	INTID_PL031 = 34,
	INTID_PL061 = 39,
};

void payload_main(void);

/* As the machine entered us, noted by crt0.S. */
struct boot_state {
	uint64_t x[4];
	uint64_t entry;
	uint64_t current_el;
	uint64_t daif;
	uint64_t sctlr;
	uint64_t spsel;
	uint64_t sp;
};

extern struct boot_state boot_state;

/* Registers: one load or store each, of a form that the hardware describes to KVM. */

#define DEFINE_MMIO(bits, type, suffix, width)                     \
	static inline type read##bits(uint64_t addr)               \
	{                                                          \
		type value;                                        \
		__asm__ volatile("ldr" suffix " %" width "0, [%1]" \
				 : "=r"(value)                     \
				 : "r"(addr)                       \
				 : "memory");                      \
		return value;                                      \
	}                                                          \
	static inline void write##bits(uint64_t addr, type value)  \
	{                                                          \
		__asm__ volatile("str" suffix " %" width "0, [%1]" \
				 :                                 \
				 : "r"(value), "r"(addr)           \
				 : "memory");                      \
	}

DEFINE_MMIO(8, uint8_t, "b", "w")
DEFINE_MMIO(16, uint16_t, "h", "w")
DEFINE_MMIO(32, uint32_t, "", "w")
DEFINE_MMIO(64, uint64_t, "", "x")

#define read_sysreg(name)                                                             \
	({                                                                            \
		uint64_t sysreg_value_;                                               \
		__asm__ volatile("mrs %0, " name : "=r"(sysreg_value_) : : "memory"); \
		sysreg_value_;                                                        \
	})

#define write_sysreg(name, value) \
	__asm__ volatile("msr " name ", %0\n\tisb" : : "r"((uint64_t)(value)) : "memory")

static inline void wfi(void)
{
	__asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

static inline void barrier(void)
{
	__asm__ volatile("dsb sy" : : : "memory");
}

static inline void irqs_on(void)
{
	__asm__ volatile("msr daifclr, #2\n\tisb" : : : "memory");
}

static inline void irqs_off(void)
{
	__asm__ volatile("msr daifset, #2\n\tisb" : : : "memory");
}

/* Strings. */
void *memset(void *to, int byte, size_t size);
void *memcpy(void *to, const void *from, size_t size);
bool same(const char *a, const char *b);
bool starts_with(const char *text, const char *start);

/* Time: of the virtual counter. */
uint64_t now(void); /* ticks */
uint64_t frequency(void);
uint64_t milliseconds(void);
void delay(uint64_t ms);

/* Wait until @condition holds, at most @ms; its value at the end. */
#define wait_for(condition, ms)                                                  \
	({                                                                       \
		uint64_t wait_end_ = milliseconds() + (ms);                      \
		bool wait_got_;                                                  \
		while (!(wait_got_ = (condition)) && milliseconds() < wait_end_) \
			;                                                        \
		wait_got_;                                                       \
	})

/* The device tree: a property of the first node at @path; "cpu" also finds "cpu@0". */
const void *fdt_property(const char *path, const char *name, uint32_t *ret_size);
bool fdt_has_node(const char *path);
uint64_t fdt_number(const void *cells, unsigned count);
const char *fdt_bootargs(void);
unsigned fdt_cpu_count(void);
uint64_t fdt_cpu_mpidr(unsigned index);

/* The number or word behind "NAME=" in bootargs. */
uint64_t option_number(const char *name, uint64_t otherwise);
bool option_is(const char *name, const char *value);

/* The console: polled, at once. */
void print_char(char c);
void print(const char *text);
void print_hex(uint64_t value);
void print_number(uint64_t value);

/*
 * The report. Between report_hold() and report_release() lines are kept in
 * memory, for those who are busy with the UART itself.
 */
void check(const char *name, bool good);
void check_equal(const char *name, uint64_t got, uint64_t wanted);
/* The same with @number behind the name. */
void check_equal_of(const char *name, uint64_t number, uint64_t got, uint64_t wanted);
void check_range(const char *name, uint64_t got, uint64_t low, uint64_t high);
void note(const char *text, uint64_t value);
void report_hold(void);
void report_release(void);
_Noreturn void report_end(void);

/* Exceptions. */
struct exception_frame {
	uint64_t x[31];
	uint64_t elr;
	uint64_t spsr;
};

/*
 * Aborts, watchpoints and breakpoint instructions that are taken while this is on are counted,
 * and their instruction is skipped; all others end the payload.
 */
struct aborts {
	volatile bool expected;
	volatile uint64_t count;
	volatile uint64_t esr;
	volatile uint64_t far;
};

extern struct aborts aborts[MAX_CPUS];

void expect_aborts(bool on);
uint64_t aborts_taken(void); /* since the last call; on this CPU */

/* Where a jump to nowhere comes back to: set by try_call(). */
bool try_call(uint64_t addr);

extern void (*irq_handler)(unsigned intid);

/* CPUs. */
unsigned this_cpu(void);
/* Start CPU @index in @function; PSCI's answer. When it returns, the CPU goes off. */
int64_t cpu_on(unsigned index, void (*function)(void));

/* PSCI (DEN 0022), by hvc. */
#define PSCI_VERSION           0x84000000
#define PSCI_CPU_SUSPEND       0xc4000001
#define PSCI_CPU_OFF           0x84000002
#define PSCI_CPU_ON            0xc4000003
#define PSCI_AFFINITY_INFO     0xc4000004
#define PSCI_MIGRATE_INFO_TYPE 0x84000006
#define PSCI_SYSTEM_OFF        0x84000008
#define PSCI_SYSTEM_RESET      0x84000009
#define PSCI_FEATURES          0x8400000a
#define PSCI_SYSTEM_SUSPEND    0xc400000e
#define PSCI_SYSTEM_RESET2     0xc4000012

enum {
	PSCI_SUCCESS = 0,
	PSCI_NOT_SUPPORTED = -1,
	PSCI_INVALID_PARAMETERS = -2,
	PSCI_DENIED = -3,
	PSCI_ALREADY_ON = -4,
	PSCI_INVALID_ADDRESS = -9,
};

int64_t hvc(uint64_t function, uint64_t x1, uint64_t x2, uint64_t x3);
int64_t psci(uint64_t function, uint64_t x1, uint64_t x2, uint64_t x3);

#endif
