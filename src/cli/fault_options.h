/* SPDX-License-Identifier: Apache-2.0 */
/* The properties of faults on demand on the command line. */
#ifndef ARMLET_CLI_FAULT_OPTIONS_H
#define ARMLET_CLI_FAULT_OPTIONS_H

#include "options.h"

/* Of struct fault_config. */
extern const struct option_def fault_properties[];

#endif
