/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu_options.h"

#include "machine/config.h"

#define TOPOLOGY(member) .offset = offsetof(struct topology_config, member)

const struct option_def topology_properties[] = {
	{.name = "sockets",
	 .argument = "N",
	 .type = OPTION_U32,
	 TOPOLOGY(sockets),
	 .min = 1,
	 .max = MACHINE_MAX_VCPUS,
	 .help = "packages (1)"},
	{.name = "clusters",
	 .argument = "N",
	 .type = OPTION_U32,
	 TOPOLOGY(clusters),
	 .min = 1,
	 .max = MACHINE_MAX_VCPUS,
	 .help = "of a socket (1)"},
	{.name = "cores",
	 .argument = "N",
	 .type = OPTION_U32,
	 TOPOLOGY(cores),
	 .min = 1,
	 .max = MACHINE_MAX_VCPUS,
	 .help = "of a cluster (what is left)"},
	{.name = "threads",
	 .argument = "N",
	 .type = OPTION_U32,
	 TOPOLOGY(threads),
	 .min = 1,
	 .max = MACHINE_MAX_VCPUS,
	 .help = "of a core (1)"},
	{0},
};
