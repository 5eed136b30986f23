/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints as fast as it can: "lines=N" lines of 64 bytes, each with its number
 * in front, so that a lost byte is seen and where it was. Between "printer
 * begins" and "printer ends".
 */
#include "pl011.h"
#include "runtime.h"

#define LINE 64

static void print_line(uint64_t number)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		write32(PL011_BASE + UARTDR, "0123456789abcdef"[number >> shift & 15]);
	for (unsigned i = 8; i < LINE - 1; i++)
		write32(PL011_BASE + UARTDR, '!' + i);
	write32(PL011_BASE + UARTDR, '\n');
}

void payload_main(void)
{
	uint64_t lines = option_number("lines", 1000);

	print("printer begins\n");
	for (uint64_t i = 0; i < lines; i++)
		print_line(i);
	print("printer ends\n");
}
