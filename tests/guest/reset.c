/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resets: RAM keeps what is in it and the clock its time; everything else is as
 * after power-on.
 * Each boot looks at the registers, then changes them and resets the machine;
 * the third one powers off.
 */
#include "gic.h"
#include "pl011.h"
#include "pl061.h"
#include "runtime.h"

#define UART(reg) (PL011_BASE + (reg))
#define RTC(reg)  (PL031_BASE + (reg))
#define MAGIC     UINT64_C(0x5245534554534f4b)
#define BOOTS     3

/* Below the kernel, where nothing is loaded. */
struct kept {
	uint64_t magic;
	uint64_t boots;
	uint64_t rtc;
};

static volatile struct kept *const kept = (volatile struct kept *)(RAM_BASE + 0x1000);

static void other_cpu(void)
{
	for (;;)
		wfi();
}

static void check_uart(void)
{
	static const struct {
		uint32_t offset;
		uint32_t value;
	} fresh[] = {
		{UARTRSR, 0},      {UARTFR, 0x90},  {UARTILPR, 0},    {UARTIBRD, 13}, {UARTFBRD, 1},
		{UARTLCR_H, 0x70}, {UARTCR, 0x101}, {UARTIFLS, 0x12}, {UARTIMSC, 0},  {UARTRIS, 0},
		{UARTMIS, 0},      {UARTDMACR, 0},  {UARTTCR, 0},     {UARTITIP, 0},  {UARTITOP, 0},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(fresh); i++)
		check_equal_of("uart_is_fresh", fresh[i].offset, read32(UART(fresh[i].offset)),
			       fresh[i].value);
}

static void check_rtc_and_gpio(void)
{
	static const uint32_t rtc[] = {0x04, 0x08, 0x10, 0x14, 0x18};

	for (unsigned i = 0; i < ARRAY_SIZE(rtc); i++)
		check_equal_of("rtc_is_fresh", rtc[i], read32(RTC(rtc[i])), 0);
	for (uint32_t at = GPIODIR; at <= GPIOAFSEL; at += 4)
		check_equal_of("gpio_is_fresh", at, read32(GPIO(at)), 0);
	check_equal("gpio_data_is_fresh", read32(GPIO(GPIODATA_ALL)), 0);
}

static void check_gic(void)
{
	uint64_t gicd;

	check_equal("distributor_is_off",
		    read32(fdt_number(fdt_property("/interrupt-controller", "reg", NULL), 2)) & 3,
		    0);
	gic_init();
	gic_init_cpu();
	gicd = gic_distributor();
	for (unsigned word = 1; word < 3; word++) {
		check_equal_of("no_spi_is_enabled", word, read32(gicd + GICD_ISENABLER + 4 * word),
			       0);
		check_equal_of("no_spi_is_pending", word, read32(gicd + GICD_ISPENDR + 4 * word),
			       0);
		check_equal_of("no_spi_is_active", word, read32(gicd + GICD_ISACTIVER + 4 * word),
			       0);
	}
	check("no_ppi_is_enabled",
	      !gic_is_enabled(INTID_TIMER) && !gic_is_enabled(INTID_VIRTUAL_TIMER));
	check("no_ppi_is_pending",
	      !gic_is_pending(INTID_TIMER) && !gic_is_pending(INTID_VIRTUAL_TIMER));
	check_equal("uart_is_level", gic_is_edge(INTID_PL011), 0);
	check_equal("rtc_is_level", gic_is_edge(INTID_PL031), 0);
	check_equal("gpio_is_level", gic_is_edge(INTID_PL061), 0);
	/* KVM has fewer priority bits, and all of them zero. */
	check_equal("priority_is_fresh", read8(gicd + GICD_IPRIORITYR + INTID_PL011), 0);
}

static void check_cpu(void)
{
	check_equal("sctlr_is_as_at_first", boot_state.sctlr & 0x1005, 0);
	check_equal("interrupts_are_masked", boot_state.daif, 0x3c0);
	check_equal("virtual_timer_is_off", read_sysreg("cntv_ctl_el0") & 1, 0);
	check_equal("physical_timer_is_off", read_sysreg("cntp_ctl_el0") & 1, 0);
	if (fdt_cpu_count() > 1)
		check_equal("the_other_cpu_is_off",
			    (uint64_t)psci(PSCI_AFFINITY_INFO, fdt_cpu_mpidr(1), 0, 0), 1);
}

/* Leave nothing as it was. */
static void disturb(void)
{
	write32(RTC(0x08), 12345); /* what the clock is set to stays, as it does with a battery */
	kept->rtc = 12345;
	write32(RTC(0x04), 12345);
	write32(RTC(0x10), 1);
	write32(GPIO(GPIODIR), 0xf0);
	write32(GPIO(GPIODATA_ALL), 0xff);
	write32(GPIO(GPIOIS), 0x0f);
	write32(GPIO(GPIOIE), 0x0f);
	write32(GPIO(GPIOAFSEL), 0xff);
	gic_enable(INTID_PL011);
	gic_enable(INTID_PL031);
	gic_enable(INTID_PL061);
	gic_enable(INTID_TIMER);
	gic_set_edge(70, false);
	gic_set_pending(70, true);
	write_sysreg("cntv_tval_el0", 1);
	write_sysreg("cntv_ctl_el0", 1);
	write_sysreg("cntp_tval_el0", 1);
	write_sysreg("cntp_ctl_el0", 1);
	if (fdt_cpu_count() > 1)
		cpu_on(1, other_cpu);
	/* The UART last: it has printed until here. */
	write32(UART(UARTCR), 0);
	write32(UART(UARTILPR), 0x55);
	write32(UART(UARTIBRD), 0x1234);
	write32(UART(UARTLCR_H), 0x60);
	write32(UART(UARTIFLS), 0x24);
	write32(UART(UARTDMACR), 7);
	write32(UART(UARTIMSC), 0x7ff);
	write32(UART(UARTCR), 0x381);
	write32(UART(UARTDR), 'L');
	write32(UART(UARTDR), 'L');
	write32(UART(UARTTCR), 2);
}

static void check_memory(void)
{
	uint64_t rtc = read32(RTC(0x00));

	if (kept->magic != MAGIC) {
		kept->magic = MAGIC;
		kept->boots = 0;
		kept->rtc = rtc;
	}
	kept->boots++;
	check_range("the_clock_goes_on", rtc, kept->rtc, kept->rtc + 120);
	note("boot", kept->boots);
}

void payload_main(void)
{
	report_hold();
	check_uart();
	check_rtc_and_gpio();
	check_gic();
	check_cpu();
	check_memory();
	report_release();
	if (kept->boots == BOOTS)
		return;
	print("resets\n");
	disturb();
	psci(kept->boots == 1 ? PSCI_SYSTEM_RESET : option_number("second", PSCI_SYSTEM_RESET), 0,
	     0, 0);
	write32(UART(UARTTCR), 0);
	write32(UART(UARTCR), 0x101);
	check("the reset returned", false);
}
