/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PSCI 1.x (DEN 0022) by hvc: all CPUs come, tell who they are, go, and come
 * again; and what is not there is refused.
 */
#include "gic.h"
#include "runtime.h"

enum { AFFINITY_ON = 0, AFFINITY_OFF = 1 };

static volatile uint64_t mpidr_of[MAX_CPUS];
static volatile unsigned arrivals[MAX_CPUS];
static volatile uint64_t entered_masked[MAX_CPUS];
static volatile bool may_go[MAX_CPUS];
static volatile unsigned interrupts;

#define MPIDR_AFFINITY UINT64_C(0xff00ffffff)

#define SGI_GO 1

/* What a further CPU does: tells its MPIDR, and waits to be let go, without haste. */
static void arrive(void)
{
	unsigned cpu = this_cpu();

	mpidr_of[cpu] = read_sysreg("mpidr_el1") & MPIDR_AFFINITY;
	entered_masked[cpu] = read_sysreg("daif") | (read_sysreg("sctlr_el1") & 1);
	gic_init_cpu();
	gic_enable(SGI_GO);
	barrier();
	arrivals[cpu]++;
	while (!may_go[cpu])
		wfi();
	gic_set_pending(SGI_GO, false);
	may_go[cpu] = false;
}

static int64_t affinity_info(unsigned cpu)
{
	return psci(PSCI_AFFINITY_INFO, fdt_cpu_mpidr(cpu), 0, 0);
}

static void check_functions(void)
{
	static const uint64_t offered[] = {
		PSCI_VERSION,      PSCI_CPU_SUSPEND,   PSCI_CPU_OFF,
		PSCI_CPU_ON,       PSCI_AFFINITY_INFO, PSCI_SYSTEM_OFF,
		PSCI_SYSTEM_RESET, PSCI_FEATURES,      PSCI_MIGRATE_INFO_TYPE,
	};

	check_range("version", (uint64_t)psci(PSCI_VERSION, 0, 0, 0), 0x10000, 0x1ffff);
	for (unsigned i = 0; i < ARRAY_SIZE(offered); i++)
		check_equal_of("feature", offered[i],
			       (uint64_t)psci(PSCI_FEATURES, offered[i], 0, 0), 0);
	check_equal("no_such_feature", (uint64_t)psci(PSCI_FEATURES, 0x8400001f, 0, 0),
		    (uint64_t)PSCI_NOT_SUPPORTED);
	check_equal("no_such_function", (uint64_t)psci(0x8400001f, 0, 0, 0),
		    (uint64_t)PSCI_NOT_SUPPORTED);
	check_equal("no_migration", (uint64_t)psci(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2);
}

static void check_tree(unsigned cpus)
{
	uint64_t mine = read_sysreg("mpidr_el1") & MPIDR_AFFINITY;

	check_equal("cpus_in_the_tree", cpus, option_number("cpus", 1));
	check_equal("the_first_is_us", mine, fdt_cpu_mpidr(0));
	check("the_method_is_hvc", same(fdt_property("/psci", "method", NULL), "hvc"));
}

static void check_one_cpu(unsigned cpu, unsigned times)
{
	if (times == 1)
		check_equal_of("off_at_first", cpu, (uint64_t)affinity_info(cpu), AFFINITY_OFF);
	check_equal_of("comes_on", cpu, (uint64_t)cpu_on(cpu, arrive), PSCI_SUCCESS);
	if (!wait_for(arrivals[cpu] == times, 10000)) {
		check_equal_of("arrives", cpu, arrivals[cpu], times);
		return;
	}
	check_equal_of("has_the_mpidr_of_the_tree", cpu, mpidr_of[cpu], fdt_cpu_mpidr(cpu));
	check_equal_of("enters_masked_without_mmu", cpu, entered_masked[cpu], 0x3c0);
	check_equal_of("is_on", cpu, (uint64_t)affinity_info(cpu), AFFINITY_ON);
	check_equal_of("is_on_already", cpu, (uint64_t)cpu_on(cpu, arrive),
		       (uint64_t)PSCI_ALREADY_ON);
}

static void let_go(unsigned cpu)
{
	may_go[cpu] = true;
	gic_send_sgi(SGI_GO, cpu);
	check_equal_of("goes_off", cpu, wait_for(affinity_info(cpu) == AFFINITY_OFF, 10000), 1);
}

static void check_cpus(unsigned cpus)
{
	for (unsigned cpu = 1; cpu < cpus; cpu++)
		check_one_cpu(cpu, 1);
	for (unsigned cpu = 1; cpu < cpus; cpu++)
		let_go(cpu);
	/* And the last of them once more. */
	if (cpus > 1) {
		check_one_cpu(cpus - 1, 2);
		let_go(cpus - 1);
	}
}

static void check_wrong_arguments(void)
{
	uint64_t nobody = 0x00fe0f0f;

	check_equal("on_of_nobody", (uint64_t)psci(PSCI_CPU_ON, nobody, RAM_BASE, 0),
		    (uint64_t)PSCI_INVALID_PARAMETERS);
	check_equal("on_of_ourselves", (uint64_t)psci(PSCI_CPU_ON, fdt_cpu_mpidr(0), RAM_BASE, 0),
		    (uint64_t)PSCI_ALREADY_ON);
	check_equal("affinity_of_nobody", (uint64_t)psci(PSCI_AFFINITY_INFO, nobody, 0, 0),
		    (uint64_t)PSCI_INVALID_PARAMETERS);
	check_equal("affinity_level_9", (uint64_t)psci(PSCI_AFFINITY_INFO, fdt_cpu_mpidr(0), 9, 0),
		    (uint64_t)PSCI_INVALID_PARAMETERS);
	check_equal("affinity_of_the_cluster",
		    (uint64_t)psci(PSCI_AFFINITY_INFO, fdt_cpu_mpidr(0), 1, 0), AFFINITY_ON);
}

static void on_irq(unsigned intid)
{
	if (intid == INTID_VIRTUAL_TIMER)
		write_sysreg("cntv_ctl_el0", 0);
	interrupts++;
}

/* KVM takes every suspend as a wait for an interrupt. */
static void check_suspend(void)
{
	uint64_t start;

	irq_handler = on_irq;
	gic_enable(INTID_VIRTUAL_TIMER);
	start = milliseconds();
	write_sysreg("cntv_tval_el0", frequency() / 10);
	write_sysreg("cntv_ctl_el0", 1);
	check_equal("suspend", (uint64_t)psci(PSCI_CPU_SUSPEND, 0, (uint64_t)RAM_BASE, 0),
		    PSCI_SUCCESS);
	irqs_on();
	check("the_timer_woke_us", wait_for(interrupts == 1, 1000));
	irqs_off();
	check_range("after_its_time", milliseconds() - start, 90, 5000);
}

void payload_main(void)
{
	unsigned cpus = fdt_cpu_count();

	gic_init();
	gic_init_cpu();
	check_functions();
	check_tree(cpus);
	check_cpus(cpus);
	check_wrong_arguments();
	check_suspend();
}
