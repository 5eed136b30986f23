/* SPDX-License-Identifier: Apache-2.0 */
/* The board: addresses, features and threads as asked for and as the host can. */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "machine/layout.h"
#include "machine_bench.h"
#include "unit.h"

static const struct {
	uint32_t cpus;
	uint64_t mem;
	unsigned bits;
} ipa_rows[] = {
	{1, 16 * MIB, 32},
	{1, 3 * GIB, 32}, /* ends at 4 GiB exactly */
	{1, 3 * GIB + 64 * KIB, 33},
	{123, 3 * GIB, 32},
	{124, 3 * GIB, 33}, /* the 124th redistributor stands behind the RAM */
	{124, 3 * GIB - 2 * MIB, 32},
	{512, 7 * GIB, 34},
	{1, 7 * GIB, 33},
	{1, 255 * GIB, 38},
	{1, 256 * GIB, 39},
	{1, 1023 * GIB, 40},
	{1, 4096 * TIB, 53},
};

START_TEST(test_ipa_bits)
{
	struct machine_config config;

	machine_config_init(&config);
	config.cpus = ipa_rows[_i].cpus;
	config.mem = ipa_rows[_i].mem;
	ck_assert_uint_eq(board_ipa_bits(&config), ipa_rows[_i].bits);
}
END_TEST

/* vCPUs, and their redistributors: nothing overlaps, and all are there. */
static const uint32_t gic_rows[] = {1, 2, 17, 64, 123, 124, 200, 512};

START_TEST(test_redistributors)
{
	struct machine_bench bench;
	const struct hyp_gic_config *gic;
	uint64_t low_end;

	machine_bench_open(&bench);
	bench.config.cpus = gic_rows[_i];
	machine_bench_build(&bench);
	gic = fake_gic();
	ck_assert_uint_eq(gic->redistributors[0].count + gic->redistributors[1].count,
			  bench.config.cpus);
	low_end = gic->redistributors[0].base +
		  gic->redistributors[0].count * LAYOUT_GIC_REDISTRIBUTOR_SIZE;
	ck_assert_uint_le(low_end, LAYOUT_PL011);
	if (gic->redistributors[1].count)
		ck_assert_uint_ge(gic->redistributors[1].base, LAYOUT_RAM + bench.config.mem);
	/* KVM: a region's base is in bits 51:16 of the attribute. */
	ck_assert(is_aligned(gic->redistributors[1].base, 64 * KIB));
	ck_assert_uint_eq(fake_count(FAKE_VCPU, FAKE_ANY), bench.config.cpus);
	ck_assert_uint_eq(fake_count(FAKE_START, FAKE_ANY), bench.config.cpus);
	machine_bench_close(&bench);
}
END_TEST

static const struct {
	enum config_irqchip wanted;
	bool has_v3;
	bool has_v2;
	enum hyp_gic_version made;
} irqchip_rows[] = {
	{CONFIG_IRQCHIP_AUTO, true, true, HYP_GIC_V3},
	{CONFIG_IRQCHIP_AUTO, false, true, HYP_GIC_V2},
	{CONFIG_IRQCHIP_AUTO, true, false, HYP_GIC_V3},
	{CONFIG_IRQCHIP_GICV3, true, true, HYP_GIC_V3},
	{CONFIG_IRQCHIP_GICV2, true, true, HYP_GIC_V2},
};

START_TEST(test_irqchip)
{
	struct machine_bench bench;
	struct machine *machine;

	machine_bench_open(&bench);
	fake_host.caps.gicv3 = irqchip_rows[_i].has_v3;
	fake_host.caps.gicv2 = irqchip_rows[_i].has_v2;
	bench.config.irqchip = irqchip_rows[_i].wanted;
	bench.config.cpus = 8;
	machine = machine_bench_build(&bench);
	ck_assert_int_eq(machine->board.gic, irqchip_rows[_i].made);
	ck_assert_uint_eq(fake_count(FAKE_GIC, irqchip_rows[_i].made), 1);
	ck_assert_uint_eq(fake_gic()->distributor, LAYOUT_GIC_DISTRIBUTOR);
	/* The lines of these devices are level-sensitive from the start. */
	ck_assert_uint_eq(fake_gic()->level_spis,
			  BIT(LAYOUT_SPI_PL011 - 32) | BIT(LAYOUT_SPI_PL031 - 32) |
				  BIT(LAYOUT_SPI_PL061 - 32) | BIT(LAYOUT_SPI_SBSA_GWDT - 32));
	machine_bench_close(&bench);
}
END_TEST

static const struct {
	enum config_switch wanted;
	bool there;
	bool has;
} feature_rows[] = {
	{CONFIG_AUTO, true, true}, {CONFIG_AUTO, false, false}, {CONFIG_ON, true, true},
	{CONFIG_OFF, true, false}, {CONFIG_OFF, false, false},
};

START_TEST(test_features)
{
	static const uint64_t all = FAKE_FEATURE_PMU | FAKE_FEATURE_SVE | FAKE_FEATURE_PAUTH;
	struct machine_bench bench;

	for (unsigned feature = 0; feature < 3; feature++) {
		machine_bench_open(&bench);
		switch (feature) {
		case 0:
			bench.config.pmu = feature_rows[_i].wanted;
			fake_host.caps.pmu = feature_rows[_i].there;
			break;
		case 1:
			bench.config.sve = feature_rows[_i].wanted;
			fake_host.caps.sve = feature_rows[_i].there;
			break;
		default:
			bench.config.pauth = feature_rows[_i].wanted;
			fake_host.caps.pauth = feature_rows[_i].there;
			break;
		}
		machine_bench_build(&bench);
		ck_assert_uint_eq(fake_find(FAKE_VCPU, 0, 0)->c,
				  feature_rows[_i].has ? all : all & ~BIT(feature));
		machine_bench_close(&bench);
	}
}
END_TEST

/* The guest's memory is one slot, and each shadowed device another that is read-only. */
START_TEST(test_memory_slots)
{
	const struct fake_record *ram;
	struct machine_bench bench;

	machine_bench_open(&bench);
	bench.config.mem = 48 * MIB + 64 * KIB;
	machine_bench_build(&bench);
	ram = fake_find(FAKE_MAP, LAYOUT_RAM, 0);
	ck_assert_ptr_nonnull(ram);
	ck_assert_uint_eq(ram->b, 48 * MIB + 64 * KIB);
	ck_assert_uint_eq(ram->c, 0);
	ck_assert_uint_eq(fake_find(FAKE_MAP, LAYOUT_PL011, 0)->c, HYP_MEMORY_READ_ONLY);
	ck_assert_uint_eq(fake_find(FAKE_MAP, LAYOUT_PL061, 0)->c, HYP_MEMORY_READ_ONLY);
	ck_assert_uint_eq(fake_count(FAKE_MAP, LAYOUT_PL031), 0); /* its time flows */
	machine_bench_close(&bench);
}
END_TEST

/* Threads: one a vCPU, named, each on its CPU. */
struct seen {
	char name[16];
	int cpu;
	int allowed;
};

static struct seen seen[2];

static void look_at_thread(void *data)
{
	struct seen *here = data;
	cpu_set_t set;

	pthread_getname_np(pthread_self(), here->name, sizeof(here->name));
	ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	here->allowed = CPU_COUNT(&set);
	here->cpu = sched_getcpu();
}

static int nth_cpu(int n)
{
	cpu_set_t set;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET((size_t)cpu, &set) && n-- == 0)
			return cpu;
	}
	return nth_cpu(0);
}

static const unsigned pin_counts[] = {1, 2};

START_TEST(test_pin)
{
	static const struct fake_step first[] = {GUEST_CALLS(look_at_thread, &seen[0])};
	static const struct fake_step second[] = {GUEST_CALLS(look_at_thread, &seen[1]),
						  GUEST_WAITS_MS(100),
						  GUEST_EXITS(VCPU_EXIT_SHUTDOWN)};
	struct machine_bench bench;

	machine_bench_open(&bench);
	bench.config.cpus = 2;
	bench.config.pin_count = pin_counts[_i];
	bench.config.pin[0] = (uint32_t)nth_cpu(1);
	bench.config.pin[1] = (uint32_t)nth_cpu(0);
	fake_program(0, 0, first, ARRAY_SIZE(first));
	fake_program(0, 1, second, ARRAY_SIZE(second));
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	for (unsigned i = 0; i < 2; i++) {
		char name[16];

		snprintf(name, sizeof(name), "vcpu%u", i);
		ck_assert_str_eq(seen[i].name, name);
		ck_assert_int_eq(seen[i].cpu, (int)bench.config.pin[i % pin_counts[_i]]);
		ck_assert_int_eq(seen[i].allowed, 1);
	}
	machine_bench_close(&bench);
}
END_TEST

static const struct {
	enum config_switch wanted;
	bool counts; /* the host */
	bool there;
	bool refused;
} steal_rows[] = {
	{CONFIG_AUTO, true, true, false}, {CONFIG_AUTO, false, false, false},
	{CONFIG_ON, true, true, false},   {CONFIG_ON, false, false, true},
	{CONFIG_OFF, true, false, false},
};

START_TEST(test_steal_time)
{
	static const struct fake_step steps[] = {GUEST_EXITS(VCPU_EXIT_SHUTDOWN)};
	struct machine_bench bench;
	bool there = steal_rows[_i].there;

	machine_bench_open(&bench);
	fake_host.no_steal_time = !steal_rows[_i].counts;
	bench.config.cpus = 3;
	bench.config.steal_time = steal_rows[_i].wanted;
	fake_program(0, 0, steps, ARRAY_SIZE(steps));
	if (steal_rows[_i].refused) {
		machine_bench_run_refused(&bench);
		ck_assert_ptr_nonnull(strstr(bench.err.text, "--steal-time=on: this host"));
	} else {
		ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
		ck_assert_uint_eq(fake_count(FAKE_MAP, LAYOUT_STEAL_TIME) -
					  fake_count(FAKE_UNMAP, LAYOUT_STEAL_TIME),
				  there);
		for (uint32_t i = 0; there && i < 3; i++)
			ck_assert_uint_eq(fake_find(FAKE_STEAL_TIME, i, 0)->b,
					  LAYOUT_STEAL_TIME + 64 * i);
		ck_assert_uint_eq(fake_count(FAKE_STEAL_TIME, FAKE_ANY), there ? 3 : 0);
	}
	machine_bench_close(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_steal_time, ARRAY_SIZE(steal_rows)),
	UNIT_LOOP(test_ipa_bits, ARRAY_SIZE(ipa_rows)),
	UNIT_LOOP(test_redistributors, ARRAY_SIZE(gic_rows)),
	UNIT_LOOP(test_irqchip, ARRAY_SIZE(irqchip_rows)),
	UNIT_LOOP(test_features, ARRAY_SIZE(feature_rows)),
	UNIT_CASE(test_memory_slots),
	UNIT_LOOP(test_pin, ARRAY_SIZE(pin_counts)),
	{0},
};
const char unit_name[] = "board";
