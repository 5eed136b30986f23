/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does nothing: "idle begins", "seconds=N" of waiting for a timer, "idle
 * ends". The host's test looks from outside what that costs. With "reads=N" it
 * first reads as often where nothing is, and each time is an exit.
 */
#include "gic.h"
#include "runtime.h"

#define NOWHERE 0x090b0000

static volatile unsigned ticks;

static void on_irq(unsigned intid)
{
	if (intid != INTID_VIRTUAL_TIMER)
		return;
	ticks++;
	write_sysreg("cntv_tval_el0", frequency());
}

void payload_main(void)
{
	uint64_t wanted = option_number("seconds", 10);

	for (uint64_t reads = option_number("reads", 0); reads; reads--)
		read32(NOWHERE);
	gic_init();
	gic_init_cpu();
	irq_handler = on_irq;
	gic_enable(INTID_VIRTUAL_TIMER);
	print("idle begins\n");
	write_sysreg("cntv_tval_el0", frequency());
	write_sysreg("cntv_ctl_el0", 1);
	irqs_on();
	while (ticks < wanted)
		wfi();
	irqs_off();
	write_sysreg("cntv_ctl_el0", 0);
	print("idle ends\n");
}
