/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PSCI SYSTEM_SUSPEND: refused while another CPU is on, or with nowhere to go on; else the
 * machine sleeps until the clock's alarm, and goes on at the entry that was given, from the
 * reset state, with the context in X0. Here that is the payload's own entry, and the context
 * is the address of the device tree, as at power-on.
 */
#include "gic.h"
#include "runtime.h"

#define RTC(reg) (PL031_BASE + (reg))

enum { RTCDR = 0x00, RTCMR = 0x04, RTCIMSC = 0x10, RTCRIS = 0x14 };

#define GICD_IROUTER 0x6000
#define MAGIC        UINT64_C(0x5355535045444544)

/* Below the kernel, where nothing is loaded. */
struct kept {
	uint64_t magic;
	uint64_t tree;
	uint32_t alarm;
};

static volatile struct kept *const kept = (volatile struct kept *)(RAM_BASE + 0x1000);

static void other_cpu(void)
{
	for (;;)
		wfi();
}

static uint64_t suspend(uint64_t entry)
{
	return (uint64_t)psci(PSCI_SYSTEM_SUSPEND, entry, boot_state.x[0], 0);
}

static void check_refusals(void)
{
	static const uint64_t nowhere[] = {0, PL011_BASE, RAM_BASE - 4, RAM_BASE + 2, ~UINT64_C(3)};

	for (unsigned i = 0; i < ARRAY_SIZE(nowhere); i++)
		check_equal_of("nowhere", i, suspend(nowhere[i]), (uint64_t)PSCI_INVALID_ADDRESS);
	if (!option_number("other", 0))
		return;
	check_equal("comes_on", (uint64_t)cpu_on(1, other_cpu), PSCI_SUCCESS);
	check_equal("another_is_on", suspend(boot_state.entry), (uint64_t)PSCI_DENIED);
}

static void check_awake(void)
{
	uint64_t distributor = fdt_number(fdt_property("/interrupt-controller", "reg", NULL), 2);

	check_equal("the_context_is_in_x0", boot_state.x[0], kept->tree);
	check_equal("at_el1", boot_state.current_el, 4);
	check_equal("masked", boot_state.daif, 0x3c0);
	check_equal("without_mmu", boot_state.sctlr & 1, 0);
	check("not_before_the_alarm", read32(RTC(RTCDR)) >= kept->alarm);
	check_equal("the_alarm_is_on", read32(RTC(RTCRIS)), 1);
	check("the_controller_kept_it",
	      read32(distributor + GICD_ISENABLER + 4) & BIT(INTID_PL031 - 32));
}

/* Once all others are off. */
static void sleep_until_alarm(void)
{
	print("sleeps\n");
	check_equal("it does not return", suspend(boot_state.entry), 0);
}

static void sleep_on_second(void)
{
	/* The alarm is for this CPU. */
	gic_init_cpu();
	write64(gic_distributor() + GICD_IROUTER + 8 * INTID_PL031, fdt_cpu_mpidr(1));
	check("the_first_is_off",
	      wait_for(psci(PSCI_AFFINITY_INFO, fdt_cpu_mpidr(0), 0, 0) == 1, 10000));
	sleep_until_alarm();
}

void payload_main(void)
{
	if (kept->magic == MAGIC) {
		check_awake();
		return;
	}
	gic_init();
	gic_init_cpu();
	if (option_number("none", 0)) {
		check_equal("no_such_call",
			    (uint64_t)psci(PSCI_FEATURES, PSCI_SYSTEM_SUSPEND, 0, 0),
			    (uint64_t)PSCI_NOT_SUPPORTED);
		return;
	}
	check_equal("the_call_is_there", (uint64_t)psci(PSCI_FEATURES, PSCI_SYSTEM_SUSPEND, 0, 0),
		    PSCI_SUCCESS);
	check_refusals();
	if (option_number("other", 0))
		return;
	gic_enable(INTID_PL031);
	kept->tree = boot_state.x[0];
	kept->alarm = read32(RTC(RTCDR)) + 2;
	kept->magic = MAGIC;
	write32(RTC(RTCMR), kept->alarm);
	write32(RTC(RTCIMSC), 1);
	if (!option_number("second", 0)) {
		sleep_until_alarm();
		return;
	}
	check_equal("the_second_comes_on", (uint64_t)cpu_on(1, sleep_on_second), PSCI_SUCCESS);
	check_equal("it does not go off", (uint64_t)psci(PSCI_CPU_OFF, 0, 0, 0), 0);
}
