/* SPDX-License-Identifier: Apache-2.0 */
/* The properties that CPUs have on the command line. */
#ifndef ARMLET_CLI_CPU_OPTIONS_H
#define ARMLET_CLI_CPU_OPTIONS_H

#include "options.h"

/* Of struct topology_config. */
extern const struct option_def topology_properties[];

#endif
