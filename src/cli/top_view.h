/* SPDX-License-Identifier: Apache-2.0 */
/* The screen of armlet top. */
#ifndef ARMLET_CLI_TOP_VIEW_H
#define ARMLET_CLI_TOP_VIEW_H

#include "top_ask.h"

/*
 * Show @top, which is asked every @delay seconds, until the user has seen enough;
 * @ret_status is the exit status, which a signal may have given. The terminal is then as
 * before.
 */
int top_view(struct top *top, uint32_t delay, int *ret_status, struct error *err);

#endif
