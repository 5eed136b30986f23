/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the monitor that it cannot go on: by pvpanic with "pvpanic=N", which is what it
 * writes there; by the SBSA's watchdog with "gwdt=N", which it does not refresh any more, with
 * N ms to each signal, and in a second boot stops; by the stall detector with "stall=N", which
 * the last CPU does not serve for N seconds while the first does. Then it hangs; with "then=1" it
 * resets the machine, with "then=2" it powers off.
 */
#include "gic.h"
#include "runtime.h"

#define PVPANIC_BASE UINT64_C(0x09050000)
#define GWDT_REFRESH UINT64_C(0x09060000)
#define GWDT_CONTROL UINT64_C(0x09070000)
#define INTID_GWDT   42

/* Of the refresh frame and the control frame (DEN0094, "Generic watchdog"). */
enum { WRR = 0x000, WCS = 0x000, WOR = 0x008, WCV = 0x010, W_IIDR = 0xfcc };

static void use_pvpanic(uint8_t events)
{
	check_equal("pvpanic_8", read8(PVPANIC_BASE), 7);
	check_equal("pvpanic_16", read16(PVPANIC_BASE), 7);
	check_equal("pvpanic_32", read32(PVPANIC_BASE), 7);
	check_equal("pvpanic_64", read64(PVPANIC_BASE), 7);
	check_equal("pvpanic_has_one_register", read8(PVPANIC_BASE + 1), 0);
	write8(PVPANIC_BASE + 1, 1); /* is nothing */
	write8(PVPANIC_BASE, 0);
	write8(PVPANIC_BASE, events);
}

static volatile bool warned;

static void on_irq(unsigned intid)
{
	if (intid != INTID_GWDT)
		return;
	warned = true;
	gic_disable(INTID_GWDT); /* its level stays */
}

static void use_gwdt(uint64_t ms)
{
	uint64_t offset = ms * frequency() / 1000;

	check_equal("identification", read32(GWDT_CONTROL + W_IIDR), 0x10000);
	check_equal("identification_of_refresh", read32(GWDT_REFRESH + W_IIDR), 0x10000);
	check_equal("it_is_off", read32(GWDT_CONTROL + WCS), 0);
	write32(GWDT_CONTROL + WOR, (uint32_t)offset);
	write32(GWDT_CONTROL + WOR + 4, (uint32_t)(offset >> 32));
	write32(GWDT_CONTROL + WCS, 1);
	/* As Linux looks at what is left. */
	check_range("time_left", read64(GWDT_CONTROL + WCV) - now(), offset / 2, offset);
	for (unsigned i = 0; i < 4; i++) {
		delay(ms / 2);
		write32(GWDT_REFRESH + WRR, 0);
	}
	check_equal("it_is_refreshed", read32(GWDT_CONTROL + WCS), 1);
	check("no_warning_yet", !warned);
	check("warning", wait_for(warned, 2 * ms));
	check_equal("WS0", read32(GWDT_CONTROL + WCS), 3);
	check("the_level_is_high", gic_is_pending(INTID_GWDT));
	write32(GWDT_REFRESH + WRR, 0);
	check_equal("WS0_is_taken_back", read32(GWDT_CONTROL + WCS), 1);
	check("the_level_is_low", !gic_is_pending(INTID_GWDT));
}

#define STALL_BASE UINT64_C(0x09080000)
#define STALL(cpu) (STALL_BASE + 16 * (cpu))

enum { STATUS = 0x0, LOAD_CNT = 0x4, CURRENT_CNT = 0x8, CLOCK_FREQ_HZ = 0xc };

static void start_detector(unsigned cpu, uint32_t seconds)
{
	write32(STALL(cpu) + CLOCK_FREQ_HZ, 100);
	write32(STALL(cpu) + LOAD_CNT, 100 * seconds);
	write32(STALL(cpu) + STATUS, 1);
}

/* Waits for interrupts of its timer, without running. */
static void idle(uint64_t ms)
{
	uint64_t end = milliseconds() + ms;

	irqs_off();
	gic_enable(INTID_VIRTUAL_TIMER);
	while (milliseconds() < end) {
		write_sysreg("cntv_tval_el0", frequency() / 10);
		write_sysreg("cntv_ctl_el0", 1);
		wfi();
		write_sysreg("cntv_ctl_el0", 0);
	}
	gic_disable(INTID_VIRTUAL_TIMER);
}

static void stall(void)
{
	start_detector(this_cpu(), (uint32_t)option_number("stall", 0));
	for (;;)
		;
}

static void use_detector(uint32_t seconds)
{
	unsigned last = fdt_cpu_count() - 1;
	uint64_t left;

	gic_init();
	gic_init_cpu();
	check_equal("detector_is_off", read32(STALL(last) + STATUS), 0);
	start_detector(0, seconds);
	check_range("all_is_left", read32(STALL(0) + CURRENT_CNT), 100 * seconds - 20,
		    100 * seconds);
	delay(500);
	left = read32(STALL(0) + CURRENT_CNT);
	check_range("it_counts_down", left, 1, 100 * seconds - 10);
	write32(STALL(0) + LOAD_CNT, 100 * seconds);
	idle(2000 * seconds);
	check_range("it_does_not_count_an_idle_cpu", read32(STALL(0) + CURRENT_CNT), 50 * seconds,
		    100 * seconds);
	check_equal("an_idle_cpu_does_not_stall", read32(STALL(0) + STATUS), 1);
	if (last)
		cpu_on(last, stall);
	print("told\n");
	while (last) {
		write32(STALL(0) + LOAD_CNT, 100 * seconds);
		idle(100);
	}
	stall();
}

static void begin(void)
{
	gic_init();
	gic_init_cpu();
	irq_handler = on_irq;
	gic_enable(INTID_GWDT);
	irqs_on();
}

void payload_main(void)
{
	volatile uint64_t *boots = (volatile uint64_t *)(RAM_BASE + 0x1000);
	uint64_t gwdt = option_number("gwdt", 0);
	uint8_t events = (uint8_t)option_number("pvpanic", 0);

	if (events)
		use_pvpanic(events);
	if (gwdt)
		begin();
	if (gwdt && ++*boots > 1) {
		check_equal("it_is_off_again", read32(GWDT_CONTROL + WCS), 0);
		return;
	}
	if (gwdt)
		use_gwdt(gwdt);
	if (option_number("stall", 0))
		use_detector((uint32_t)option_number("stall", 0));
	print("told\n");
	switch (option_number("then", 0)) {
	case 1:
		psci(PSCI_SYSTEM_RESET, 0, 0, 0);
		break;
	case 2:
		psci(PSCI_SYSTEM_OFF, 0, 0, 0);
		break;
	}
	for (;;)
		wfi();
}
