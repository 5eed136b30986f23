/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Arm ARM (DDI 0487, D23) calls the system registers of EL0 and EL1. Any thread.
 */
#ifndef ARMLET_ARM64_SYSREG_NAME_H
#define ARMLET_ARM64_SYSREG_NAME_H

#include "arm64/sysreg.h"

#define SYSREG_NAME_MAX 24

/*
 * The name of the register that has this encoding (SYSREG()); one that has none here is told
 * as assemblers do, S3_0_C15_C2_0. Returns @text.
 */
const char *sysreg_name(uint16_t sysreg, char text[static SYSREG_NAME_MAX]);

#endif
