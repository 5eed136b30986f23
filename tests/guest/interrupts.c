/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts that need no device: both timers, SGIs between CPUs, and SPIs as
 * level and as edge. With two CPUs or more the SGIs go back and forth.
 */
#include "gic.h"
#include "pl061.h"
#include "runtime.h"

#define SGI_PING     3
#define SGI_PONG     4
#define SPI_FREE     70 /* no device has it */
#define SPI_FREE_TOO 71
#define PINGS        100

static volatile unsigned taken[128];
static volatile unsigned pings;
static volatile unsigned pongs;
static volatile bool other_is_up;
static volatile bool other_may_go;

static void on_irq(unsigned intid)
{
	taken[intid]++;
	switch (intid) {
	case INTID_VIRTUAL_TIMER:
		write_sysreg("cntv_ctl_el0", 0);
		break;
	case INTID_TIMER:
		write_sysreg("cntp_ctl_el0", 0);
		break;
	case INTID_PL061:
		write32(GPIO(GPIOIE), 0);
		break;
	case SGI_PING:
		pings++;
		gic_send_sgi(SGI_PONG, 0);
		break;
	case SGI_PONG:
		pongs++;
		break;
	default:
		break;
	}
}

static void check_timer_by(const char *name, unsigned intid, bool virtual)
{
	uint64_t start = milliseconds();
	uint64_t ticks = frequency() / 20;

	taken[intid] = 0;
	gic_enable(intid);
	if (virtual) {
		write_sysreg("cntv_tval_el0", ticks);
		write_sysreg("cntv_ctl_el0", 1);
	} else {
		write_sysreg("cntp_tval_el0", ticks);
		write_sysreg("cntp_ctl_el0", 1);
	}
	irqs_off();
	while (!gic_is_pending(intid) && milliseconds() < start + 5000)
		wfi();
	irqs_on();
	check(name, wait_for(taken[intid] == 1, 1000));
	check_range("after_50_ms", milliseconds() - start, 49, 4000);
	delay(20);
	check_equal("once", taken[intid], 1);
}

static void check_masked_timer(void)
{
	taken[INTID_VIRTUAL_TIMER] = 0;
	write_sysreg("cntv_tval_el0", 1);
	write_sysreg("cntv_ctl_el0", 3); /* IMASK */
	delay(10);
	check_equal("masked_timer_is_silent", taken[INTID_VIRTUAL_TIMER], 0);
	check_equal("masked_timer_shows_its_status", read_sysreg("cntv_ctl_el0"), 7);
	write_sysreg("cntv_ctl_el0", 0);
}

static void check_counters(void)
{
	uint64_t physical = read_sysreg("cntpct_el0");
	uint64_t virtual = now();

	check("the_counter_has_a_frequency", frequency() >= 1000000);
	delay(10);
	check("the_virtual_counter_runs", now() - virtual >= frequency() / 100);
	check("the_physical_counter_runs",
	      read_sysreg("cntpct_el0") - physical >= frequency() / 100);
}

static void check_sgi_to_self(void)
{
	taken[SGI_PONG] = 0;
	gic_enable(SGI_PONG);
	gic_send_sgi(SGI_PONG, 0);
	check("an_sgi_to_oneself", wait_for(taken[SGI_PONG] == 1, 1000));
}

static void other_cpu(void)
{
	gic_init_cpu();
	gic_enable(SGI_PING);
	irqs_on();
	other_is_up = true;
	while (!other_may_go)
		wfi();
	irqs_off();
}

static void check_sgis_between_cpus(void)
{
	unsigned cpus = fdt_cpu_count();
	unsigned other = cpus - 1;

	if (cpus < 2)
		return;
	cpu_on(other, other_cpu);
	check("the_other_cpu_is_up", wait_for(other_is_up, 10000));
	pings = 0;
	pongs = 0;
	for (unsigned i = 1; i <= PINGS; i++) {
		gic_send_sgi(SGI_PING, other);
		if (!wait_for(pongs == i, 5000))
			break;
	}
	check_equal("pings", pings, PINGS);
	check_equal("pongs", pongs, PINGS);
	other_may_go = true;
	gic_send_sgi(SGI_PING, other);
	check("the_other_cpu_goes",
	      wait_for(psci(PSCI_AFFINITY_INFO, fdt_cpu_mpidr(other), 0, 0) == 1, 5000));
}

/* Software makes an SPI pending: edge, so it is taken once. */
static void check_edge(void)
{
	taken[SPI_FREE] = 0;
	gic_set_edge(SPI_FREE, true);
	gic_set_pending(SPI_FREE, true);
	delay(5);
	check_equal("a_disabled_spi_waits", taken[SPI_FREE], 0);
	check("and_stays_pending", gic_is_pending(SPI_FREE));
	gic_enable(SPI_FREE);
	check("an_enabled_spi_comes", wait_for(taken[SPI_FREE] == 1, 1000));
	check("and_is_done", !gic_is_pending(SPI_FREE) && !gic_is_active(SPI_FREE));
	gic_set_pending(SPI_FREE_TOO, true);
	gic_set_pending(SPI_FREE_TOO, false);
	gic_enable(SPI_FREE_TOO);
	delay(5);
	check_equal("pending_can_be_cleared", taken[SPI_FREE_TOO], 0);
}

/*
 * A line that is high before the guest has touched its SPI: the level is not
 * lost, and it comes again for as long as it is high.
 */
static void check_level(void)
{
	taken[INTID_PL061] = 0;
	write32(GPIO(GPIOIS), 0x01);
	write32(GPIO(GPIOIE), 0x01);
	delay(5);
	check("a_high_line_is_pending", gic_is_pending(INTID_PL061));
	gic_set_edge(INTID_PL061, false);
	gic_enable(INTID_PL061);
	check("a_level_from_before_comes", wait_for(taken[INTID_PL061] == 1, 1000));
	check("the_line_is_low", !gic_is_pending(INTID_PL061));
	gic_disable(INTID_PL061);
	write32(GPIO(GPIOIE), 0x01);
	delay(5);
	check("a_disabled_level_waits", taken[INTID_PL061] == 1 && gic_is_pending(INTID_PL061));
	write32(GPIO(GPIOIE), 0);
	delay(5);
	check("a_level_that_fell_is_gone", !gic_is_pending(INTID_PL061));
	gic_enable(INTID_PL061);
	delay(5);
	check_equal("and_never_comes", taken[INTID_PL061], 1);
}

void payload_main(void)
{
	gic_init();
	gic_init_cpu();
	irq_handler = on_irq;
	irqs_on();
	check_counters();
	check_timer_by("the_virtual_timer_interrupts", INTID_VIRTUAL_TIMER, true);
	check_timer_by("the_physical_timer_interrupts", INTID_TIMER, false);
	check_masked_timer();
	check_sgi_to_self();
	check_sgis_between_cpus();
	check_edge();
	check_level();
}
