/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: lines on standard error, "armlet: " in front. It is the one mutable
 * global of the program. Any thread may log; a line is written by one write(2).
 *
 * Nothing that a guest does may fill a disk: what the guest can cause goes
 * through log_guest() and a budget of its own.
 */
#ifndef ARMLET_BASE_LOG_H
#define ARMLET_BASE_LOG_H

#include "base/util.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above @level are dropped. The default is LOG_LEVEL_WARNING. */
void log_set_level(enum log_level level);
enum log_level log_level(void);

/* "error", "warning", "info" or "debug"; -EINVAL if it is none of them. */
int log_level_parse(const char *name, enum log_level *ret);

/* On: lines end in CR LF, as a terminal in raw mode needs. */
void log_set_raw_terminal(bool raw);

void log_write(enum log_level level, const char *fmt, ...) PRINTF(2, 3);

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * How many lines a guest may still cause from one place; embed it, start it
 * with LOG_BUDGET_INIT. The last line says that no more will come. The count
 * is kept without a lock: callers hold their device's lock or accept a line
 * more.
 */
struct log_budget {
	unsigned left;
	uint64_t dropped;
};

#define LOG_BUDGET_LINES 16
#define LOG_GUEST_LINES  128 /* of all budgets together, in the life of the program */
#define LOG_BUDGET_INIT                  \
	{                                \
		.left = LOG_BUDGET_LINES \
	}

/* Log a warning, or what is only to know, on @budget's account. */
void log_guest(struct log_budget *budget, const char *fmt, ...) PRINTF(2, 3);
void log_guest_info(struct log_budget *budget, const char *fmt, ...) PRINTF(2, 3);

#endif
