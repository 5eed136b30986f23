/* SPDX-License-Identifier: Apache-2.0 */
#include "topology.h"

#include <libfdt.h>
#include <string.h>

#include "arm64/sysreg.h"
#include "boot/chosen.h"
#include "core/fdt_builder.h"
#include "machine_bench.h"
#include "unit.h"

#define A(aff2, aff1, aff0) \
	(MPIDR_RES1 | (uint64_t)(aff2) << 16 | (uint64_t)(aff1) << 8 | (uint64_t)(aff0))
#define MT(aff2, aff1, aff0) (A(aff2, aff1, aff0) | MPIDR_MT)

static const struct {
	struct topology_config topology;
	uint32_t cpus;
	uint32_t index;
	struct topology_place place;
	uint64_t mpidr; /* 0: as KVM has it */
} rows[] = {
	{{.cores = 4}, 4, 3, {0, 0, 3, 0}, A(0, 0, 3)},
	{{.sockets = 2}, 8, 5, {1, 0, 1, 0}, A(1, 0, 1)},
	{{.sockets = 2, .clusters = 2, .cores = 2}, 8, 7, {1, 1, 1, 0}, A(1, 1, 1)},
	{{.clusters = 3, .threads = 2}, 12, 7, {0, 1, 1, 1}, MT(1, 1, 1)},
	{{.sockets = 2, .clusters = 2, .cores = 2, .threads = 2},
	 16,
	 13,
	 {1, 1, 0, 1},
	 MT(3, 0, 1)},
	{{.threads = 16}, 32, 17, {0, 0, 1, 1}, MT(0, 1, 1)},
	/* No room in Aff0. */
	{{.cores = 17}, 17, 16, {0, 0, 16, 0}, 0},
	{{.threads = 32}, 64, 33, {0, 0, 1, 1}, 0},
	/* Nor in Aff2. */
	{{.sockets = 512}, 512, 511, {511, 0, 0, 0}, 0},
	{{.sockets = 2, .clusters = 129, .threads = 1}, 258, 257, {1, 128, 0, 0}, A(1, 128, 0)},
};

START_TEST(test_rows)
{
	struct machine_config config = {
		.cpus = rows[_i].cpus, .topology = rows[_i].topology, .topology_count = 1};
	struct topology_place place = topology_place(&config, rows[_i].index);
	uint64_t mpidr = 0;
	struct error err = {0};

	ck_assert_int_eq(topology_check(&config, &err), 0);
	ck_assert_uint_eq(place.socket, rows[_i].place.socket);
	ck_assert_uint_eq(place.cluster, rows[_i].place.cluster);
	ck_assert_uint_eq(place.core, rows[_i].place.core);
	ck_assert_uint_eq(place.thread, rows[_i].place.thread);
	ck_assert_int_eq(topology_mpidr(&config, rows[_i].index, &mpidr), rows[_i].mpidr != 0);
	if (rows[_i].mpidr)
		ck_assert_uint_eq(mpidr, rows[_i].mpidr);
	config.topology_count = 0;
	ck_assert(!topology_mpidr(&config, 0, &mpidr));
}
END_TEST

START_TEST(test_refused)
{
	struct machine_config config = {
		.cpus = 8, .topology = {.sockets = 2, .cores = 3}, .topology_count = 1};
	struct error err = {0};

	ck_assert_int_eq(topology_check(&config, &err), -EINVAL);
	ck_assert_str_eq(err.text,
			 "--topology: 2 sockets of 1 clusters of 3 cores of 1 threads are "
			 "6 CPUs, but --cpus is 8");
	config.topology = (struct topology_config){.sockets = 512, .clusters = 512, .threads = 512};
	ck_assert_int_eq(topology_check(&config, &err), -EINVAL);
	config.topology = (struct topology_config){
		.sockets = 512, .clusters = 512, .cores = 512, .threads = 512};
	ck_assert_int_eq(topology_check(&config, &err), -EINVAL);
}
END_TEST

static uint32_t cpu_at(const void *tree, const char *path)
{
	int node = fdt_path_offset(tree, path);
	const fdt32_t *cell = node < 0 ? NULL : fdt_getprop(tree, node, "cpu", NULL);

	ck_assert_msg(cell, "%s", path);
	return fdt32_to_cpu(*cell) - FDT_PHANDLE_CPU;
}

/* The tree and the registers say the same; without hosts that keep them, the tree alone. */
START_TEST(test_tree)
{
	struct boot_chosen chosen = {0};
	struct machine_bench bench;
	const struct vcpu *vcpus;
	void *tree;
	size_t size;

	machine_bench_open(&bench);
	fake_host.keeps_mpidr = _i;
	bench.config.cpus = 8;
	bench.config.topology = (struct topology_config){.sockets = 2, .cores = 2, .threads = 2};
	bench.config.topology_count = 1;
	vcpus = machine_bench_build(&bench)->board.vcpus;
	ck_assert_int_eq(machine_describe(bench.machine, &chosen, &tree, &size, &bench.err), 0);
	ck_assert_uint_eq(cpu_at(tree, "/cpus/cpu-map/socket0/cluster0/core0/thread0"), 0);
	ck_assert_uint_eq(cpu_at(tree, "/cpus/cpu-map/socket0/cluster0/core1/thread1"), 3);
	ck_assert_uint_eq(cpu_at(tree, "/cpus/cpu-map/socket1/cluster0/core0/thread1"), 5);
	ck_assert_uint_eq(cpu_at(tree, "/cpus/cpu-map/socket1/cluster0/core1/thread0"), 6);
	ck_assert_uint_eq(vcpus[6].mpidr, _i ? 0x010100 : 0x6);
	ck_assert_int_ge(fdt_path_offset(tree, _i ? "/cpus/cpu@10100" : "/cpus/cpu@6"), 0);
	free(tree);
	machine_bench_close(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_rows, ARRAY_SIZE(rows)),
	UNIT_CASE(test_refused),
	UNIT_LOOP(test_tree, 2),
	{0},
};
const char unit_name[] = "topology";
