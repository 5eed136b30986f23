/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI's functions and errors by their numbers (Arm DEN0022, 5.1 and 5.2.2; SMCCC: DEN0028). */
#ifndef ARMLET_ARM64_PSCI_H
#define ARMLET_ARM64_PSCI_H

#include "base/util.h"

#define SMCCC_64 BIT(30) /* of a function's number: its arguments have 64 bits */

/* By their 32-bit numbers. */
enum {
	SMCCC_VERSION = 0x80000000,
	PSCI_FIRST = 0x84000000,
	PSCI_VERSION = 0x84000000,
	PSCI_CPU_SUSPEND = 0x84000001,
	PSCI_CPU_OFF = 0x84000002,
	PSCI_CPU_ON = 0x84000003,
	PSCI_AFFINITY_INFO = 0x84000004,
	PSCI_MIGRATE_INFO_TYPE = 0x84000006,
	PSCI_SYSTEM_OFF = 0x84000008,
	PSCI_SYSTEM_RESET = 0x84000009,
	PSCI_FEATURES = 0x8400000a,
	PSCI_CPU_DEFAULT_SUSPEND = 0x8400000c,
	PSCI_NODE_HW_STATE = 0x8400000d,
	PSCI_SYSTEM_SUSPEND = 0x8400000e,
	PSCI_SYSTEM_RESET2 = 0x84000012,
	PSCI_COUNT = 0x20, /* numbers that are PSCI's */
};

enum {
	PSCI_SUCCESS = 0,
	PSCI_NOT_SUPPORTED = -1,
	PSCI_INVALID_PARAMETERS = -2,
	PSCI_DENIED = -3,
	PSCI_ALREADY_ON = -4,
	PSCI_ON_PENDING = -5,
	PSCI_INTERNAL_FAILURE = -6,
	PSCI_NOT_PRESENT = -7,
	PSCI_DISABLED = -8,
	PSCI_INVALID_ADDRESS = -9,
};

/* "CPU_ON" for its number of either width; NULL if it is not known, and the other way round 0. */
const char *psci_function_name(uint32_t function);
uint32_t psci_function_number(const char *name);

#endif
