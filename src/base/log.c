/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define LOG_LINE_MAX 1024

static _Atomic enum log_level current_level = LOG_LEVEL_WARNING;
static atomic_bool raw_terminal;
static atomic_int guest_lines_left = LOG_GUEST_LINES;

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_set_level(enum log_level level)
{
	current_level = level;
}

enum log_level log_level(void)
{
	return current_level;
}

int log_level_parse(const char *name, enum log_level *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (!strcmp(name, level_names[i])) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

void log_set_raw_terminal(bool raw)
{
	raw_terminal = raw;
}

PRINTF(1, 0)
static void write_line(const char *fmt, va_list args, const char *tail)
{
	char line[LOG_LINE_MAX];
	int used = snprintf(line, sizeof(line), "armlet: ");
	int room = (int)sizeof(line) - used - 3; /* CR, LF and the snprintf's NUL */
	int body = vsnprintf(line + used, (size_t)room, fmt, args);
	int saved = errno;

	if (body < 0)
		return;
	used += body < room ? body : room - 1;
	used += snprintf(line + used, sizeof(line) - (size_t)used - 2, "%s", tail);
	if (used > (int)sizeof(line) - 3)
		used = (int)sizeof(line) - 3;
	if (raw_terminal)
		line[used++] = '\r';
	line[used++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)used) < 0)
		errno = saved; /* nobody is left to be told */
	errno = saved;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	va_list args;

	if (level > current_level)
		return;
	va_start(args, fmt);
	write_line(fmt, args, "");
	va_end(args);
}

PRINTF(3, 0)
static void log_bounded(struct log_budget *budget, enum log_level level, const char *fmt,
			va_list args)
{
	if (budget->left == 0) {
		budget->dropped++;
		return;
	}
	budget->left--;
	/* Budgets start anew when a guest resets, which it may do for ever. */
	if (atomic_fetch_sub(&guest_lines_left, 1) <= 0) {
		atomic_fetch_add(&guest_lines_left, 1);
		return;
	}
	if (level > current_level)
		return;
	write_line(fmt, args, budget->left ? "" : " (no more lines of this kind will follow)");
}

void log_guest(struct log_budget *budget, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_bounded(budget, LOG_LEVEL_WARNING, fmt, args);
	va_end(args);
}

void log_guest_info(struct log_budget *budget, const char *fmt, ...)
{
	va_list args;

	/* What nobody wants to know is on nobody's account. */
	if (current_level < LOG_LEVEL_INFO)
		return;
	va_start(args, fmt);
	log_bounded(budget, LOG_LEVEL_INFO, fmt, args);
	va_end(args);
}
