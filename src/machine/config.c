/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/config.h"

const char *const config_watchdog_words[] = {"off", "reset", "poweroff", "pause", "none", NULL};

void machine_config_init(struct machine_config *config)
{
	*config = (struct machine_config){
		.cpus = 1,
		.mem = 512 * MIB,
		.halt_poll = MACHINE_HALT_POLL_HOST,
		.kvm_device = "/dev/kvm",
	};
}
