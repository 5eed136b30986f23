/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a debugger is tried on: landmarks to stop at, a variable to watch, instructions that
 * are hard to step over, and a timer whose interrupt waits at each of them. What the debugger
 * does to it is to be noticed nowhere but where it was meant to be; "rounds=N" of it.
 */
#include "gic.h"
#include "runtime.h"

#define SCRATCH UINT64_C(0x0c000000)

/* Symbols for the debugger. */
volatile uint64_t watched;
volatile uint64_t changed = 1;
volatile uint64_t ticks;
volatile uint64_t turns;
void landmark(uint64_t round);
uint64_t leaf(uint64_t a, uint64_t b);

extern uint64_t read_masks[3];
void masks(void);
uint64_t by_hand(uint64_t device);

#define PLACES 12
extern void (*const places[PLACES])(void);

/*
 * The masks are read, set, read, cleared and read; a debugger that masks interrupts for a
 * step is not to be seen there. Then one access after the other to a device.
 */
__asm__("	.global masks\n"
	"masks:\n"
	"	adrp	x3, read_masks\n"
	"	add	x3, x3, :lo12:read_masks\n"
	"	mrs	x0, daif\n"
	"	msr	daifset, #3\n"
	"	mrs	x1, daif\n"
	"	msr	daifclr, #3\n"
	"	mrs	x2, daif\n"
	"	str	x0, [x3]\n"
	"	str	x1, [x3, #8]\n"
	"	str	x2, [x3, #16]\n"
	"	ret\n"
	"	.global by_hand\n"
	"by_hand:\n"
	"	mov	x4, #0x55\n"
	"	str	w4, [x0]\n"
	"	ldr	w1, [x0]\n"
	"	stp	w4, w4, [x0, #8]!\n"
	"	ldp	w2, w3, [x0], #8\n"
	"	add	x0, x1, x2\n"
	"	add	x0, x0, x3\n"
	"	ret\n");

uint64_t read_masks[3];

/* More places than a CPU has breakpoint registers. */
#define PLACE(n)                                               \
	__attribute__((noinline)) void place_##n(void);        \
	void place_##n(void)                                   \
	{                                                      \
		__asm__ volatile("nop\n\tnop" : : : "memory"); \
		watched += n;                                  \
	}
PLACE(0)
PLACE(1)
PLACE(2)
PLACE(3)
PLACE(4)
PLACE(5)
PLACE(6)
PLACE(7)
PLACE(8)
PLACE(9)
PLACE(10)
PLACE(11)

void (*const places[PLACES])(void) = {place_0, place_1, place_2, place_3, place_4,  place_5,
				      place_6, place_7, place_8, place_9, place_10, place_11};

static void on_irq(unsigned intid)
{
	if (intid != INTID_VIRTUAL_TIMER)
		return;
	ticks++;
	write_sysreg("cntv_tval_el0", frequency() / 10000);
}

__attribute__((noinline)) void landmark(uint64_t round)
{
	__asm__ volatile("nop" : : "r"(round) : "memory");
}

__attribute__((noinline)) uint64_t leaf(uint64_t a, uint64_t b)
{
	__asm__ volatile("add %0, %0, %1" : "+r"(a) : "r"(b));
	return a * 3;
}

static void breakpoints_of_its_own(void)
{
	expect_aborts(true);
	__asm__ volatile("brk #0x123" : : : "memory");
	expect_aborts(false);
	check_equal("own_breakpoints", aborts_taken(), 1);
	check_equal("own_breakpoint_syndrome", aborts[this_cpu()].esr & 0xffff, 0x123);
}

static void other_cpu(void)
{
	for (;;)
		turns++;
}

static void one_round(uint64_t round)
{
	uint64_t before = watched;

	landmark(round);
	masks();
	check_equal("masks_clear", read_masks[0] & 0x80, 0);
	check_equal("masks_set", read_masks[1] & 0xc0, 0xc0);
	check_equal("masks_clear_again", read_masks[2] & 0xc0, 0);
	check_equal("leaf", leaf(round, 4), (round + 4) * 3);
	check_equal("by_hand", by_hand(SCRATCH), 0x55 * 3);
	for (unsigned i = 0; i < PLACES; i++)
		places[i]();
	check_equal("places", watched - before, PLACES * (PLACES - 1) / 2);
	breakpoints_of_its_own();
}

void payload_main(void)
{
	uint64_t rounds = option_number("rounds", 1);

	gic_init();
	gic_init_cpu();
	irq_handler = on_irq;
	gic_enable(INTID_VIRTUAL_TIMER);
	if (fdt_cpu_count() > 1)
		check_equal("cpu_on", (uint64_t)cpu_on(1, other_cpu), PSCI_SUCCESS);
	write_sysreg("cntv_tval_el0", frequency() / 10000);
	write_sysreg("cntv_ctl_el0", 1);
	irqs_on();
	for (uint64_t round = 1; round <= rounds; round++)
		one_round(round);
	irqs_off();
	check("ticks", ticks > 0);
	check_equal("changed", changed, option_number("changed", 1));
}
