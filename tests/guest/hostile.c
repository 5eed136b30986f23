/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile guest: accesses of any width and value to any register, from two
 * CPUs at once. The machine must stay, and its log must stay short. Options:
 * "rounds=N" of each CPU, "seed=N".
 */
#include "pl011.h"
#include "runtime.h"

static const struct {
	uint64_t base;
	uint32_t mask; /* of the offset */
} targets[] = {
	{PL011_BASE, 0xfff}, {PL011_BASE, 0x7f},    {PL011_BASE, 0xffff},   {PL031_BASE, 0xfff},
	{PL031_BASE, 0x1f},  {PL061_BASE, 0xfff},   {PL061_BASE, 0x43f},    {0x08000000, 0xffff},
	{0x08000000, 0xfff}, {0x080a0000, 0x1ffff}, {0x08010000, 0x1fff},   {0x09060000, 0x3ffff},
	{0x09070000, 0x1f},  {0x09080000, 0x1f},    {0x0a000000, 0x1fffff}, {0x10000000, 0xfffffff},
};

static volatile bool other_done;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void touch(uint64_t random, uint64_t value)
{
	unsigned target = (random >> 8) % ARRAY_SIZE(targets);
	uint64_t at = targets[target].base + ((random >> 16) & targets[target].mask);
	unsigned kind = random % 24;

	/* Mostly aligned: what is not aborts before it reaches anybody. */
	if (random >> 60)
		at &= ~((UINT64_C(1) << kind % 4) - 1);
	switch (kind) {
	case 0:
	case 8:
		read8(at);
		break;
	case 1:
	case 9:
		read16(at);
		break;
	case 2:
	case 10:
	case 12:
		read32(at);
		break;
	case 3:
	case 11:
		read64(at);
		break;
	case 4:
	case 16:
		write8(at, (uint8_t)value);
		break;
	case 5:
	case 17:
		write16(at, (uint16_t)value);
		break;
	case 6:
	case 13:
	case 14:
	case 15:
		write32(at, (uint32_t)value);
		break;
	case 7:
	case 18:
		write64(at, value);
		break;
	case 19:
		__asm__ volatile("ldp x4, x5, [%0]" : : "r"(at) : "x4", "x5", "memory");
		break;
	case 20:
		__asm__ volatile("stp w4, w5, [%0]" : : "r"(at) : "memory");
		break;
	case 21:
		__asm__ volatile("ldrsb x4, [%0]" : : "r"(at) : "x4", "memory");
		break;
	default: /* a small value, which means something more often */
		write32(at, value & 0xff);
		break;
	}
}

static void storm(void)
{
	uint64_t state =
		(option_number("seed", 1) + 77 * this_cpu()) * UINT64_C(0x9e3779b97f4a7c15);
	uint64_t rounds = option_number("rounds", 2000);

	expect_aborts(true);
	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t random = next_random(&state);

		touch(random, next_random(&state));
	}
	expect_aborts(false);
	if (this_cpu())
		other_done = true;
}

/* After this nobody knows how the UART is set. */
static void repair_uart(void)
{
	write32(PL011_BASE + UARTTCR, 0);
	write32(PL011_BASE + UARTIMSC, 0);
	write32(PL011_BASE + UARTLCR_H, UARTLCR_H_8BITS | UARTLCR_H_FEN);
	write32(PL011_BASE + UARTCR, UARTCR_UARTEN | UARTCR_TXE);
	print("\n");
}

void payload_main(void)
{
	bool two = fdt_cpu_count() > 1;

	if (two)
		check_equal("another_cpu", (uint64_t)cpu_on(1, storm), PSCI_SUCCESS);
	storm();
	if (two)
		wait_for(other_done, 120000);
	repair_uart();
	check("the_machine_is_still_here", !two || other_done);
	check_equal("the_uart_answers", read32(PL011_BASE + UARTPeriphID0), 0x11);
}
