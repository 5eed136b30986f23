/* SPDX-License-Identifier: Apache-2.0 */
/* The properties that devices have on the command line. */
#ifndef ARMLET_CLI_DEVICE_OPTIONS_H
#define ARMLET_CLI_DEVICE_OPTIONS_H

#include "options.h"

/* Of struct disk_config, struct net_config, struct balloon_config. */
extern const struct option_def disk_properties[];
extern const struct option_def net_properties[];
extern const struct option_def balloon_properties[];
extern const struct option_def gdb_properties[];

/* What they are when nothing is said. */
void init_disk_config(void *record);
void init_net_config(void *record);

/* A network with a tap, or on a bridge, is one of taps. */
void settle_net_config(void *record);

#endif
