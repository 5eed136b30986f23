/* SPDX-License-Identifier: Apache-2.0 */
/* What is read for a chart of a boot (boot_chart.c), and drawn (boot_chart_svg.c). */
#ifndef ARMLET_TRIAL_BOOT_CHART_PRIVATE_H
#define ARMLET_TRIAL_BOOT_CHART_PRIVATE_H

#include "trial/boot_chart.h"

#define CHART_BINS      256
#define CHART_BIN_US    500 /* at first: a bin's width is doubled when there are too few */
#define CHART_MARKS     64
#define CHART_MARK_TEXT 160
#define CHART_CALLS     40
#define CHART_PENDING   16
#define CHART_NAME      64
#define CHART_TIME_MAX  UINT64_C(1000000000000) /* us; what is later is not believed */

/* In the order in which they come; of those that are missing, the phase before goes on. */
enum chart_landmark {
	CHART_FIRST,
	CHART_SMP,
	CHART_UNPACKING,
	CHART_UNPACKED,
	CHART_FREED,
	CHART_RUN,
	CHART_LANDMARKS,
};

struct chart_mark {
	uint64_t us;
	bool bad; /* a finding, as klog.h has them; else a line with a word such as "failed" */
	char text[CHART_MARK_TEXT];
};

struct chart_call {
	uint64_t begin_us;
	uint64_t took_us;
	bool pending; /* it has not returned */
	long result;
	char name[CHART_NAME];
};

struct boot_chart {
	struct boot_chart_times times;
	uint64_t limit_us; /* a command that runs longer is not shown to its end */
	uint64_t last_us;  /* the latest line */
	uint64_t panic_us; /* the latest that tells of a panic; 0: there was none */

	bool seen[CHART_LANDMARKS];
	uint64_t at[CHART_LANDMARKS];

	uint64_t lines;
	uint64_t later; /* of them, those beyond the limit */
	uint64_t bin_us;
	uint32_t bins[CHART_BINS];

	uint64_t marks_total;
	size_t mark_count;
	struct chart_mark marks[CHART_MARKS]; /* the first */

	const struct boot_chart_span *spans;
	size_t span_count;

	uint64_t calls_total, calls_us;
	size_t call_count;
	struct chart_call calls[CHART_CALLS]; /* the longest */
	size_t pending_count;
	struct chart_call pending[CHART_PENDING];
};

/* The text of a line is one that every kernel prints, and that says how far it is. */
bool boot_chart_is_landmark(const char *text);

/* The text of a line has one of the words that tell of a failure. */
bool boot_chart_is_warning(const char *text);

#endif
