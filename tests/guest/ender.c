/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lives for "ms=N" milliseconds, and ends: it powers off, or with "panic=1" says
 * what Linux says when it panics, and resets the machine.
 */
#include "runtime.h"

static void spend(uint64_t ms)
{
	uint64_t end = read_sysreg("cntvct_el0") + ms * frequency() / 1000;

	while (read_sysreg("cntvct_el0") < end)
		;
}

void payload_main(void)
{
	print("life begins\n");
	spend(option_number("ms", 0));
	print("life ends\n");
	if (!option_number("panic", 0))
		return;
	print("Kernel panic - not syncing: as I was told\n");
	psci(PSCI_SYSTEM_RESET, 0, 0, 0);
}
