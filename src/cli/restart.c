/* SPDX-License-Identifier: Apache-2.0 */
#include "restart.h"

bool restart_wanted(const struct restart *restart, int status)
{
	switch (restart->policy) {
	case RESTART_NEVER:
		break;
	case RESTART_ON_FAILURE:
		return status != 0;
	case RESTART_ALWAYS:
		return true;
	}
	return false;
}

uint64_t restart_next(struct restart *restart, uint64_t ran_ms)
{
	if (ran_ms >= RESTART_WELL_MS)
		restart->delay_ms = 0;
	restart->delay_ms = restart->delay_ms ? min_u64(2 * restart->delay_ms, RESTART_MAX_MS)
					      : RESTART_FIRST_MS;
	restart->count++;
	return restart->delay_ms;
}
