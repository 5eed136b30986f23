/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device tree of whole boards: dtc has nothing to say about it, and what
 * it says is what layout.h, the GIC and MPIDR_EL1 say.
 */
#include <libfdt.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "boot/chosen.h"
#include "core/fdt_builder.h"
#include "devices/pvpanic.h"
#include "machine/layout.h"
#include "machine_bench.h"
#include "unit.h"

struct board_row {
	uint32_t cpus;
	uint64_t mem;
	enum config_irqchip irqchip;
	bool nodefaults;
	bool no_pmu;
	int clusters_of; /* 0: as KVM */
};

static const struct board_row rows[] = {
	{1, 16 * MIB, CONFIG_IRQCHIP_AUTO, false, false, 0},
	{2, 512 * MIB, CONFIG_IRQCHIP_GICV3, false, false, 0},
	{2, 512 * MIB, CONFIG_IRQCHIP_GICV2, false, false, 0},
	{8, 512 * MIB, CONFIG_IRQCHIP_GICV2, true, true, 0},
	{17, 16 * MIB, CONFIG_IRQCHIP_AUTO, false, true, 0},
	{17, 16 * MIB, CONFIG_IRQCHIP_AUTO, true, false, 0},
	{64, 64 * MIB, CONFIG_IRQCHIP_AUTO, false, false, 0},
	{200, 64 * MIB, CONFIG_IRQCHIP_AUTO, false, false, 0},
	{512, 64 * MIB, CONFIG_IRQCHIP_AUTO, false, false, 1}, /* Aff2 too */
};

struct tree {
	struct machine_bench bench;
	struct machine *machine;
	void *blob;
	size_t size;
};

static void open_tree(struct tree *tree, const struct board_row *row)
{
	static const struct boot_chosen chosen = {
		.bootargs = "console=ttyAMA0",
		.stdout_path = LAYOUT_PL011_NODE,
		.initrd = 0x48000000,
		.initrd_size = 0x12345,
		.seeds = {.kaslr = 0x1122334455667788},
	};
	struct machine_bench *bench = &tree->bench;

	machine_bench_open(bench);
	bench->config.cpus = row->cpus;
	bench->config.mem = row->mem;
	bench->config.irqchip = row->irqchip;
	bench->config.nodefaults = row->nodefaults;
	bench->config.pmu = row->no_pmu ? CONFIG_OFF : CONFIG_AUTO;
	if (row->clusters_of)
		fake_host.clusters_of = row->clusters_of;
	tree->machine = machine_bench_build(bench);
	ck_assert_int_eq(
		machine_describe(tree->machine, &chosen, &tree->blob, &tree->size, &bench->err), 0);
	ck_assert_int_eq(fdt_check_full(tree->blob, tree->size), 0);
}

static void close_tree(struct tree *tree)
{
	free(tree->blob);
	machine_bench_close(&tree->bench);
}

static int node(const struct tree *tree, const char *path)
{
	int at = fdt_path_offset(tree->blob, path);

	ck_assert_msg(at >= 0, "%s: %s", path, fdt_strerror(at));
	return at;
}

/* Cell @index of the property, which has @cells. */
static uint32_t cell(const struct tree *tree, int at, const char *name, int cells, int index)
{
	int size = 0;
	const fdt32_t *value = fdt_getprop(tree->blob, at, name, &size);

	ck_assert_msg(value && size == 4 * cells, "%s has %d bytes", name, size);
	return fdt32_to_cpu(value[index]);
}

static uint64_t cell_pair(const struct tree *tree, int at, const char *name, int cells, int index)
{
	return (uint64_t)cell(tree, at, name, cells, index) << 32 |
	       cell(tree, at, name, cells, index + 1);
}

START_TEST(test_dtc)
{
	const char *dtc = getenv("DTC");
	char command[512];
	char said[1024];
	struct tree tree;
	FILE *pipe;
	size_t n;

	open_tree(&tree, &rows[_i]);
	if (dtc) {
		snprintf(command, sizeof(command), "%s -I dtb -O dts -o /dev/null %s 2>&1", dtc,
			 memory_file(tree.blob, tree.size));
		/* A child of ours does not see our /proc/self. */
		for (char *self; (self = strstr(command, "/self/"));) {
			char rest[64];

			snprintf(rest, sizeof(rest), "%s", self + strlen("/self"));
			snprintf(self, sizeof(command) - (size_t)(self - command), "/%d%s",
				 getpid(), rest);
		}
		pipe = popen(command, "r");
		ck_assert_ptr_nonnull(pipe);
		n = fread(said, 1, sizeof(said) - 1, pipe);
		said[n] = '\0';
		ck_assert_int_eq(pclose(pipe), 0);
		ck_assert_str_eq(said, "");
	}
	close_tree(&tree);
}
END_TEST

START_TEST(test_memory_and_devices)
{
	const struct board_row *row = &rows[_i];
	struct tree tree;
	int at;

	open_tree(&tree, row);
	at = node(&tree, "/memory@40000000");
	ck_assert_uint_eq(cell_pair(&tree, at, "reg", 4, 0), LAYOUT_RAM);
	ck_assert_uint_eq(cell_pair(&tree, at, "reg", 4, 2), row->mem);
	at = node(&tree, LAYOUT_PL011_NODE);
	ck_assert_uint_eq(cell_pair(&tree, at, "reg", 4, 0), LAYOUT_PL011);
	ck_assert_uint_eq(cell(&tree, at, "interrupts", 3, 0), FDT_GIC_SPI);
	ck_assert_uint_eq(cell(&tree, at, "interrupts", 3, 1), LAYOUT_SPI_PL011 - 32);
	ck_assert_uint_eq(cell(&tree, at, "interrupts", 3, 2), FDT_IRQ_LEVEL_HIGH);
	ck_assert_str_eq(fdt_getprop(tree.blob, node(&tree, "/aliases"), "serial0", NULL),
			 LAYOUT_PL011_NODE);
	at = node(&tree, "/chosen");
	ck_assert_str_eq(fdt_getprop(tree.blob, at, "stdout-path", NULL), LAYOUT_PL011_NODE);
	ck_assert_str_eq(fdt_getprop(tree.blob, at, "bootargs", NULL), "console=ttyAMA0");
	ck_assert_int_eq(fdt_path_offset(tree.blob, "/gpio-keys") < 0, row->nodefaults);
	ck_assert_int_eq(fdt_path_offset(tree.blob, "/rtc@9010000") < 0, row->nodefaults);
	ck_assert_int_eq(fdt_path_offset(tree.blob, "/gpio@9030000") < 0, row->nodefaults);
	ck_assert_int_eq(fdt_path_offset(tree.blob, "/pvpanic-mmio@9050000") < 0, row->nodefaults);
	ck_assert_int_eq(fdt_path_offset(tree.blob, "/pmu") < 0, row->no_pmu);
	if (!row->nodefaults) {
		at = node(&tree, "/rtc@9010000");
		ck_assert_uint_eq(cell(&tree, at, "interrupts", 3, 1), LAYOUT_SPI_PL031 - 32);
		at = node(&tree, "/pvpanic-mmio@9050000");
		ck_assert_str_eq(fdt_getprop(tree.blob, at, "compatible", NULL),
				 "qemu,pvpanic-mmio");
		ck_assert_uint_eq(cell_pair(&tree, at, "reg", 4, 0), LAYOUT_PVPANIC);
		ck_assert_uint_eq(cell_pair(&tree, at, "reg", 4, 2), PVPANIC_REG_SIZE);
		at = node(&tree, "/gpio@9030000");
		ck_assert_uint_eq(cell(&tree, at, "interrupts", 3, 1), LAYOUT_SPI_PL061 - 32);
	}
	close_tree(&tree);
}
END_TEST

START_TEST(test_gic_and_timer)
{
	const struct board_row *row = &rows[_i];
	bool v2 = row->irqchip == CONFIG_IRQCHIP_GICV2;
	uint32_t flags = FDT_IRQ_LEVEL_HIGH | (v2 ? ((1U << row->cpus) - 1) << 8 : 0);
	bool high = row->cpus > LAYOUT_GIC_REDISTRIBUTORS_MAX;
	const struct hyp_gic_config *gic = fake_gic();
	int cells = high ? 12 : 8;
	struct tree tree;
	int at;

	open_tree(&tree, row);
	at = node(&tree, "/interrupt-controller@8000000");
	ck_assert_uint_eq(fdt_get_phandle(tree.blob, at), FDT_PHANDLE_GIC);
	ck_assert_uint_eq(cell_pair(&tree, at, "reg", cells, 0), LAYOUT_GIC_DISTRIBUTOR);
	if (v2) {
		ck_assert_uint_eq(cell_pair(&tree, at, "reg", cells, 4), LAYOUT_GIC_CPU_INTERFACE);
	} else {
		ck_assert_uint_eq(cell(&tree, at, "#redistributor-regions", 1, 0), high ? 2 : 1);
		for (int i = 0; i < (high ? 2 : 1); i++) {
			ck_assert_uint_eq(cell_pair(&tree, at, "reg", cells, 4 + 4 * i),
					  gic->redistributors[i].base);
			ck_assert_uint_eq(cell_pair(&tree, at, "reg", cells, 6 + 4 * i),
					  gic->redistributors[i].count *
						  LAYOUT_GIC_REDISTRIBUTOR_SIZE);
		}
	}
	at = node(&tree, "/timer");
	ck_assert_uint_eq(cell(&tree, at, "interrupts", 12, 1), LAYOUT_PPI_SECURE_TIMER - 16);
	ck_assert_uint_eq(cell(&tree, at, "interrupts", 12, 4), LAYOUT_PPI_TIMER - 16);
	ck_assert_uint_eq(cell(&tree, at, "interrupts", 12, 7), LAYOUT_PPI_VIRTUAL_TIMER - 16);
	ck_assert_uint_eq(cell(&tree, at, "interrupts", 12, 10), LAYOUT_PPI_HYP_TIMER - 16);
	for (int i = 0; i < 4; i++) {
		ck_assert_uint_eq(cell(&tree, at, "interrupts", 12, 3 * i), FDT_GIC_PPI);
		ck_assert_uint_eq(cell(&tree, at, "interrupts", 12, 3 * i + 2), flags);
	}
	close_tree(&tree);
}
END_TEST

/* Each vCPU's node has its MPIDR_EL1, whether reg has one cell or two. */
START_TEST(test_cpus)
{
	const struct board_row *row = &rows[_i];
	const struct board *board;
	struct tree tree;

	open_tree(&tree, row);
	board = &tree.machine->board;
	ck_assert_uint_eq(board->vcpu_count, row->cpus);
	for (uint32_t i = 0; i < row->cpus; i++) {
		uint64_t mpidr = board->vcpus[i].mpidr;
		char path[64];
		int at;

		snprintf(path, sizeof(path), "/cpus/cpu@%lx", (unsigned long)mpidr);
		at = node(&tree, path);
		ck_assert_uint_eq(cell(&tree, at, "reg", 1, 0), mpidr);
		ck_assert_str_eq(fdt_getprop(tree.blob, at, "enable-method", NULL), "psci");
		ck_assert_uint_eq(fdt_get_phandle(tree.blob, at), FDT_PHANDLE_CPU + i);
	}
	close_tree(&tree);
}
END_TEST

/* cpu-map: each vCPU once, in the cluster of its Aff1 and the socket above that. */
START_TEST(test_cpu_map)
{
	const struct board_row *row = &rows[_i];
	uint32_t seen = 0;
	struct tree tree;
	int socket, cluster, core;

	open_tree(&tree, row);
	fdt_for_each_subnode(socket, tree.blob, node(&tree, "/cpus/cpu-map"))
	{
		fdt_for_each_subnode(cluster, tree.blob, socket)
		{
			uint64_t first = tree.machine->board.vcpus[seen].mpidr;

			fdt_for_each_subnode(core, tree.blob, cluster)
			{
				uint64_t mpidr = tree.machine->board.vcpus[seen].mpidr;

				ck_assert_uint_eq(cell(&tree, core, "cpu", 1, 0),
						  FDT_PHANDLE_CPU + seen);
				ck_assert_uint_eq(mpidr >> 8, first >> 8);
				seen++;
			}
		}
	}
	ck_assert_uint_eq(seen, row->cpus);
	close_tree(&tree);
}
END_TEST

/* Aff3 does not fit into one cell: reg has two then, everywhere. */
START_TEST(test_wide_mpidr)
{
	static const struct board_row row = {3, 16 * MIB, CONFIG_IRQCHIP_AUTO, false, false, 0};
	struct boot_chosen chosen = {0};
	struct tree tree;

	open_tree(&tree, &row);
	free(tree.blob);
	for (uint32_t i = 0; i < 3; i++)
		tree.machine->board.vcpus[i].mpidr = (uint64_t)i << 32;
	ck_assert_int_eq(
		machine_describe(tree.machine, &chosen, &tree.blob, &tree.size, &tree.bench.err),
		0);
	ck_assert_uint_eq(cell(&tree, node(&tree, "/cpus"), "#address-cells", 1, 0), 2);
	ck_assert_uint_eq(cell_pair(&tree, node(&tree, "/cpus/cpu@0"), "reg", 2, 0), 0);
	ck_assert_uint_eq(cell_pair(&tree, node(&tree, "/cpus/cpu@200000000"), "reg", 2, 0),
			  UINT64_C(2) << 32);
	node(&tree, "/cpus/cpu-map/socket2/cluster0/core0");
	close_tree(&tree);
}
END_TEST

/* What the guest is given in memory is a tree too, and where x0 says. */
static void look_at_tree(void *data)
{
	struct tree *tree = data;
	const struct fake_record *x0 = fake_find(FAKE_SET_REG, HYP_REG_X0, 0);
	const void *blob;

	ck_assert_ptr_nonnull(x0);
	blob = guest_mem_at(tree->bench.machine->mem, x0->b, 4);
	ck_assert_ptr_nonnull(blob);
	ck_assert_int_eq(fdt_check_header(blob), 0);
	tree->size = fdt_totalsize(blob);
	tree->blob = malloc(tree->size);
	memcpy(tree->blob, blob, tree->size);
}

static struct tree booted;

START_TEST(test_of_a_boot)
{
	static const struct fake_step steps[] = {GUEST_CALLS(look_at_tree, &booted),
						 GUEST_EXITS(VCPU_EXIT_SHUTDOWN)};
	struct machine_bench *bench = &booted.bench;
	uint64_t start, end;
	int at;

	machine_bench_open(bench);
	bench->config.append = "quiet  root=/dev/vda";
	bench->config.initrd = memory_file("0123456789", 10);
	fake_program(0, 0, steps, ARRAY_SIZE(steps));
	ck_assert_int_eq(machine_bench_run(bench), MACHINE_POWERED_OFF);
	ck_assert_int_eq(fdt_check_full(booted.blob, booted.size), 0);
	at = node(&booted, "/chosen");
	ck_assert_str_eq(fdt_getprop(booted.blob, at, "bootargs", NULL), "quiet  root=/dev/vda");
	start = cell_pair(&booted, at, "linux,initrd-start", 2, 0);
	end = cell_pair(&booted, at, "linux,initrd-end", 2, 0);
	ck_assert_uint_eq(end - start, 10);
	ck_assert_mem_eq(guest_mem_at(bench->machine->mem, start, 10), "0123456789", 10);
	ck_assert_uint_ne(cell_pair(&booted, at, "kaslr-seed", 2, 0), 0);
	close_tree(&booted);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_dtc, ARRAY_SIZE(rows)),
	UNIT_LOOP(test_memory_and_devices, ARRAY_SIZE(rows)),
	UNIT_LOOP(test_gic_and_timer, ARRAY_SIZE(rows)),
	UNIT_LOOP(test_cpus, ARRAY_SIZE(rows)),
	UNIT_LOOP(test_cpu_map, ARRAY_SIZE(rows)),
	UNIT_CASE(test_wide_mpidr),
	UNIT_CASE(test_of_a_boot),
	{0},
};
const char unit_name[] = "machine_fdt";
