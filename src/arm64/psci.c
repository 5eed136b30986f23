/* SPDX-License-Identifier: Apache-2.0 */
#include "arm64/psci.h"

#include <string.h>

static const struct {
	const char *name;
	uint32_t function;
} functions[] = {
	{"SMCCC_VERSION", SMCCC_VERSION},
	{"PSCI_VERSION", PSCI_VERSION},
	{"CPU_SUSPEND", PSCI_CPU_SUSPEND},
	{"CPU_OFF", PSCI_CPU_OFF},
	{"CPU_ON", PSCI_CPU_ON},
	{"AFFINITY_INFO", PSCI_AFFINITY_INFO},
	{"MIGRATE_INFO_TYPE", PSCI_MIGRATE_INFO_TYPE},
	{"SYSTEM_OFF", PSCI_SYSTEM_OFF},
	{"SYSTEM_RESET", PSCI_SYSTEM_RESET},
	{"PSCI_FEATURES", PSCI_FEATURES},
	{"CPU_DEFAULT_SUSPEND", PSCI_CPU_DEFAULT_SUSPEND},
	{"NODE_HW_STATE", PSCI_NODE_HW_STATE},
	{"SYSTEM_SUSPEND", PSCI_SYSTEM_SUSPEND},
	{"SYSTEM_RESET2", PSCI_SYSTEM_RESET2},
};

const char *psci_function_name(uint32_t function)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		if (functions[i].function == (function & ~(uint32_t)SMCCC_64))
			return functions[i].name;
	}
	return NULL;
}

uint32_t psci_function_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		if (!strcmp(functions[i].name, name))
			return functions[i].function;
	}
	return 0;
}
