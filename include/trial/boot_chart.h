/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chart of a guest's boot, as SVG: the phases of its kernel, how much it printed when, what it
 * complained of, and with initcall_debug which initcalls took longest. It is made of lines as
 * kernel.log has them, "[    1.234567] text". Nothing of the guest is trusted, and memory is
 * bounded: of marks and initcalls there are as many as can be seen, the rest is counted.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_TRIAL_BOOT_CHART_H
#define ARMLET_TRIAL_BOOT_CHART_H

#include <stdio.h>

#include "base/util.h"

/* In the guest's time, as its log has it: microseconds. */
struct boot_chart_times {
	uint64_t command_us; /* the command began; 0: it did not */
	uint64_t end_us;     /* and ended; 0: not known */
};

/* A time in which there were exits of the guest to user space: microseconds, as above. */
struct boot_chart_span {
	uint64_t begin_us, end_us;
	uint64_t exits;
};

struct boot_chart;

/* -ENOMEM. */
int boot_chart_create(const struct boot_chart_times *times, struct boot_chart **ret);
void boot_chart_destroy(struct boot_chart *chart); /* takes NULL */

/* A line of kernel.log, with or without its end; one without a time is none. */
void boot_chart_line(struct boot_chart *chart, const uint8_t *bytes, size_t size);

/* All lines of kernel.log. */
void boot_chart_read(struct boot_chart *chart, FILE *log);

/* Of console.log, with the host's seconds in front, those that are later than any so far. */
void boot_chart_read_console(struct boot_chart *chart, FILE *log);

/* In the order of time; they stay the caller's until the chart is written. */
void boot_chart_exits(struct boot_chart *chart, const struct boot_chart_span *spans, size_t count);

/*
 * An SVG without scripts or references, for light and dark, that may be in a page as well.
 * -ENOMEM; whether @out has taken it is for ferror() to say.
 */
int boot_chart_write(const struct boot_chart *chart, FILE *out);

DEFINE_CLEANUP(struct boot_chart *, boot_chart_destroy)

#endif
