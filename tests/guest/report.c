/* SPDX-License-Identifier: Apache-2.0 */
/* The console and the report. */
#include "pl011.h"
#include "runtime.h"

#define HELD_SIZE 32768

static char held[HELD_SIZE];
static unsigned held_count;
static bool holding;

void print_char(char c)
{
	if (holding && held_count < HELD_SIZE) {
		held[held_count++] = c;
		return;
	}
	while (read32(PL011_BASE + UARTFR) & UARTFR_TXFF)
		;
	write32(PL011_BASE + UARTDR, (uint8_t)c);
}

void print(const char *text)
{
	while (*text)
		print_char(*text++);
}

void print_hex(uint64_t value)
{
	int shift = 60;

	print("0x");
	while (shift && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		print_char("0123456789abcdef"[value >> shift & 15]);
}

void print_number(uint64_t value)
{
	char digits[20];
	int count = 0;

	do {
		digits[count++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (count)
		print_char(digits[--count]);
}

/* "ok NAME" or "not ok NAME", without the end of the line. */
static void verdict(bool good, const char *name)
{
	print(good ? "ok " : "not ok ");
	print(name);
}

void check(const char *name, bool good)
{
	verdict(good, name);
	print(good ? "\n" : ": it is not so\n");
}

static void end_comparison(uint64_t got, uint64_t wanted)
{
	if (got != wanted) {
		print(": is ");
		print_hex(got);
		print(", should be ");
		print_hex(wanted);
	}
	print_char('\n');
}

void check_equal(const char *name, uint64_t got, uint64_t wanted)
{
	verdict(got == wanted, name);
	end_comparison(got, wanted);
}

void check_equal_of(const char *name, uint64_t number, uint64_t got, uint64_t wanted)
{
	verdict(got == wanted, name);
	print_char(' ');
	print_hex(number);
	end_comparison(got, wanted);
}

void check_range(const char *name, uint64_t got, uint64_t low, uint64_t high)
{
	bool good = got >= low && got <= high;

	verdict(good, name);
	if (!good) {
		print(": is ");
		print_number(got);
		print(", should be ");
		print_number(low);
		print(" to ");
		print_number(high);
	}
	print_char('\n');
}

void note(const char *text, uint64_t value)
{
	print("# ");
	print(text);
	print_char(' ');
	print_number(value);
	print_char('\n');
}

void report_hold(void)
{
	holding = true;
}

void report_release(void)
{
	holding = false;
	for (unsigned i = 0; i < held_count; i++)
		print_char(held[i]);
	held_count = 0;
}

_Noreturn void report_end(void)
{
	if (holding)
		report_release();
	print("done\n");
	psci(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		wfi();
}
