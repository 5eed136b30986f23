/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of machine_options.inc name. */
#ifndef ARMLET_CLI_MACHINE_OPTIONS_H
#define ARMLET_CLI_MACHINE_OPTIONS_H

#include "cpu_models.h"
#include "cpu_options.h"
#include "device_options.h"
#include "fault_options.h"

/* Of the rows' choices; each ends with NULL. */
extern const char *const switch_words[];
extern const char *const irqchip_words[];
extern const char *const psci_words[];
extern const char *const level_words[]; /* enum log_level */

#endif
