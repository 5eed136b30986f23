/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the monitor that it cannot go on: by pvpanic with "pvpanic=N", which is what it
 * writes there. Then it hangs; with "then=1" it resets the machine, with "then=2" it powers
 * off.
 */
#include "runtime.h"

#define PVPANIC_BASE UINT64_C(0x09050000)

static void use_pvpanic(uint8_t events)
{
	check_equal("pvpanic_8", read8(PVPANIC_BASE), 7);
	check_equal("pvpanic_16", read16(PVPANIC_BASE), 7);
	check_equal("pvpanic_32", read32(PVPANIC_BASE), 7);
	check_equal("pvpanic_64", read64(PVPANIC_BASE), 7);
	check_equal("pvpanic_has_one_register", read8(PVPANIC_BASE + 1), 0);
	write8(PVPANIC_BASE + 1, 1); /* is nothing */
	write8(PVPANIC_BASE, 0);
	write8(PVPANIC_BASE, events);
}

void payload_main(void)
{
	uint8_t events = (uint8_t)option_number("pvpanic", 0);

	if (events)
		use_pvpanic(events);
	print("told\n");
	switch (option_number("then", 0)) {
	case 1:
		psci(PSCI_SYSTEM_RESET, 0, 0, 0);
		break;
	case 2:
		psci(PSCI_SYSTEM_OFF, 0, 0, 0);
		break;
	}
	for (;;)
		wfi();
}
