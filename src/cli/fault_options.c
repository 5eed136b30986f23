/* SPDX-License-Identifier: Apache-2.0 */
/* What --fault says of a fault: a table, as of all options. */
#include "fault_options.h"

#include "machine/config.h"

#define FAULT(member) .offset = offsetof(struct fault_config, member)

static const char *const fault_actions[] = {"pass",
					    "zero",
					    "ones",
					    "drop",
					    "abort",
					    "serror",
					    "NOT_SUPPORTED",
					    "INVALID_PARAMETERS",
					    "DENIED",
					    "ALREADY_ON",
					    "ON_PENDING",
					    "INTERNAL_FAILURE",
					    "NOT_PRESENT",
					    "DISABLED",
					    "INVALID_ADDRESS",
					    NULL};
_Static_assert(ARRAY_SIZE(fault_actions) == FAULT_PSCI_LAST + 2, "one word an action");
static const char *const fault_accesses[] = {"all", "read", "write", NULL};

const struct option_def fault_properties[] = {
	{.name = "where", .argument = "WHERE", .type = OPTION_STRING, FAULT(where)},
	{.name = "do",
	 .argument = "WHAT",
	 .type = OPTION_CHOICE,
	 FAULT(action),
	 .choices = fault_actions,
	 .help = "zero, ones, drop, abort, serror, or of PSCI its error, as DENIED"},
	{.name = "delay",
	 .argument = "MS",
	 .type = OPTION_U32,
	 FAULT(delay),
	 .min = 1,
	 .max = 60000,
	 .help = "milliseconds that it takes longer"},
	{.name = "access",
	 .argument = "all|read|write",
	 .type = OPTION_CHOICE,
	 FAULT(access),
	 .choices = fault_accesses,
	 .help = "which accesses are meant (all)"},
	{.name = "nth",
	 .argument = "N",
	 .type = OPTION_U32,
	 FAULT(nth),
	 .min = 1,
	 .max = UINT32_MAX,
	 .help = "only the Nth of them (every one)"},
	{.name = "count",
	 .argument = "N",
	 .type = OPTION_U32,
	 FAULT(count),
	 .min = 1,
	 .max = UINT32_MAX,
	 .help = "so many, from the first or from nth on"},
	{0},
};
