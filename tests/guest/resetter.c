/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resets the machine, "boots=N" times in all; RAM keeps the count. Each boot
 * may do "strays=N" things that armlet logs first, and with "wait=1" waits for
 * a byte of input.
 */
#include "pl011.h"
#include "runtime.h"

static void wait_for_input(void)
{
	print("waits\n");
	write32(PL011_BASE + UARTCR, UARTCR_UARTEN | UARTCR_TXE | UARTCR_RXE);
	while (read32(PL011_BASE + UARTFR) & UARTFR_RXFE)
		;
}

static void stray(uint64_t number)
{
	read32(0x20000000 + 4096 * number);
	write8(PL011_BASE + UARTIBRD + 1, 0);
	write8(PL031_BASE + 1, 0);
	write8(PL061_BASE + 1, 0);
	expect_aborts(true);
	__asm__ volatile("ldp w4, w5, [%0]" : : "r"(PL031_BASE) : "x4", "x5", "memory");
}

void payload_main(void)
{
	volatile uint64_t *count = (volatile uint64_t *)(RAM_BASE + 0x1000);

	++*count;
	print("boot ");
	print_number(*count);
	print_char('\n');
	for (uint64_t i = 0; i < option_number("strays", 0); i++)
		stray(*count * 64 + i);
	if (option_number("wait", 0))
		wait_for_input();
	if (*count < option_number("boots", 10))
		psci(PSCI_SYSTEM_RESET, 0, 0, 0);
}
