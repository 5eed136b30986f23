/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a raw binary is entered, and what it finds: where it is, in which state,
 * its device tree, its memory, its initrd, and its command line, which is
 * printed between brackets for the host to compare. Options: "mem=N" MiB, and
 * "initrd=N" bytes, whose i'th is i * 7.
 */
#include "pl011.h"
#include "runtime.h"

#define FDT_MAGIC   0xd00dfeed
#define LOADED_AT   (RAM_BASE + 0x80000)
#define EL1         (1 << 2)
#define DAIF_MASKED 0x3c0
#define SCTLR_M     BIT(0)
#define SCTLR_C     BIT(2)
#define SCTLR_I     BIT(12)
#define MIB         UINT64_C(0x100000)

static void check_entry(void)
{
	check_equal("entered_where_it_was_linked_for", boot_state.entry, LOADED_AT);
	check_equal("EL1", boot_state.current_el, EL1);
	check_equal("interrupts_masked", boot_state.daif, DAIF_MASKED);
	check_equal("mmu_and_data_cache_off", boot_state.sctlr & (SCTLR_M | SCTLR_C), 0);
	check_equal("little_endian", boot_state.sctlr & BIT(25), 0);
	check_equal("own_stack_pointer_selected", boot_state.spsel, 1);
	check_equal("x0_is_a_device_tree", fdt_number((void *)boot_state.x[0], 1), FDT_MAGIC);
	check_equal("the_tree_is_aligned", boot_state.x[0] & 7, 0);
	check_equal("x1", boot_state.x[1], 0);
	check_equal("x2", boot_state.x[2], 0);
	check_equal("x3", boot_state.x[3], 0);
}

static void check_memory(void)
{
	const uint8_t *reg = fdt_property("/memory", "reg", NULL);
	uint64_t base = fdt_number(reg, 2);
	uint64_t size = fdt_number(reg + 8, 2);
	uint64_t step = size / 8;

	check_equal("memory_base", base, RAM_BASE);
	check_equal("memory_size", size, option_number("mem", 512) * MIB);
	check_range("the_tree_is_high", boot_state.x[0], base + size / 2, base + size - 1);
	for (uint64_t at = base + step - 8; at < base + size; at += step) {
		volatile uint64_t *word = (volatile uint64_t *)at;
		uint64_t before = *word;

		*word = ~at;
		check_equal_of("memory_keeps", at, *word, ~at);
		*word = before;
	}
	check_equal("memory_starts_zero", *(volatile uint64_t *)(base + step + 4096), 0);
}

static void check_initrd(uint64_t size)
{
	uint32_t cells = 0;
	const void *start = fdt_property("/chosen", "linux,initrd-start", &cells);
	const void *end;
	const uint8_t *data;
	uint64_t wrong = 0;

	if (!size) {
		check("no_initrd", !start);
		return;
	}
	check("an_initrd", start);
	if (!start)
		return;
	data = (const uint8_t *)fdt_number(start, cells / 4);
	end = fdt_property("/chosen", "linux,initrd-end", &cells);
	check_equal("initrd_size", fdt_number(end, cells / 4) - (uint64_t)data, size);
	for (uint64_t i = 0; i < size; i++)
		wrong += data[i] != (uint8_t)(i * 7);
	check_equal("initrd_contents", wrong, 0);
	check("the_initrd_is_high", (uint64_t)data > LOADED_AT + MIB);
}

static void check_tree(void)
{
	const char *path = fdt_property("/chosen", "stdout-path", NULL);
	bool defaults = !option_is("nodefaults", "1");

	check("stdout_path", path && starts_with(path, "/serial@9000000"));
	check("kaslr_seed", fdt_property("/chosen", "kaslr-seed", NULL));
	check("rng_seed", fdt_property("/chosen", "rng-seed", NULL));
	check("cpu_map", fdt_has_node("/cpus/cpu-map"));
	check("timer", fdt_has_node("/timer"));
	check_equal("rtc", fdt_has_node("/rtc"), defaults);
	check_equal("gpio", fdt_has_node("/gpio"), defaults);
	check_equal("power_key", fdt_has_node("/gpio-keys"), defaults);
	check("alias", same(fdt_property("/aliases", "serial0", NULL), "/serial@9000000"));
}

/* Its printing goes out before UARTEN is set. */
static void check_early_printing(void)
{
	write32(PL011_BASE + UARTCR, 0);
	print("# printed by a UART that is off\n");
	write32(PL011_BASE + UARTCR, UARTCR_UARTEN | UARTCR_TXE);
}

void payload_main(void)
{
	check_early_printing();
	check_entry();
	check_memory();
	check_initrd(option_number("initrd", 0));
	check_tree();
	print("bootargs [");
	print(fdt_bootargs());
	print("]\n");
}
