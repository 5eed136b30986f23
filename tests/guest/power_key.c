/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power key: "ready" is printed, somebody outside presses it (SIGTERM),
 * and both edges of line 3 of the PL061 must arrive.
 */
#include "gic.h"
#include "pl061.h"
#include "runtime.h"

static volatile unsigned edges;
static volatile uint32_t levels[2];
static volatile uint32_t status[2];

static void on_irq(unsigned intid)
{
	unsigned i = edges & 1;

	if (intid != INTID_PL061)
		return;
	status[i] = read32(GPIO(GPIOMIS));
	levels[i] = read32(GPIO(GPIODATA_ALL));
	write32(GPIO(GPIOIC), POWER_KEY);
	edges++;
}

void payload_main(void)
{
	gic_init();
	gic_init_cpu();
	irq_handler = on_irq;
	write32(GPIO(GPIOIBE), POWER_KEY);
	write32(GPIO(GPIOIE), POWER_KEY);
	gic_enable(INTID_PL061);
	irqs_on();
	print("ready\n");
	check("both_edges_arrive", wait_for(edges == 2, 20000));
	check_equal("the_key_interrupts", status[0], POWER_KEY);
	check_equal("the_key_goes_down", levels[0], POWER_KEY);
	check_equal("the_key_comes_up", levels[1], 0);
	check_equal("edges_are_cleared", read32(GPIO(GPIORIS)), 0);
}
