/* SPDX-License-Identifier: Apache-2.0 */
/* The screen of armlet top. */
#ifndef ARMLET_CLI_TOP_VIEW_H
#define ARMLET_CLI_TOP_VIEW_H

#include "control/terminal.h"
#include "top_ask.h"

/*
 * Show @top, which is asked every @delay seconds, until the user has seen enough;
 * @ret_status is the exit status, which a signal may have given. The terminal is then as
 * before.
 */
int top_view(struct top *top, uint32_t delay, int *ret_status, struct error *err);

/*
 * Whether the terminal on standard output is known well enough to be drawn on; what makes
 * it leave the screen that was drawn, for a guardian to say.
 */
int top_check_terminal(char farewell[static TERMINAL_FAREWELL_MAX], struct error *err);

#endif
