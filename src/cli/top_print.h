/* SPDX-License-Identifier: Apache-2.0 */
/* Machines as armlet top tells of them: as lines of a table, and as JSON. */
#ifndef ARMLET_CLI_TOP_PRINT_H
#define ARMLET_CLI_TOP_PRINT_H

#include "top_sample.h"

enum top_state {
	TOP_UNKNOWN, /* it has not been asked yet */
	TOP_ANSWERS,
	TOP_SILENT, /* it is there, and does not answer */
	TOP_ENDED,
};

struct top_machine {
	char name[PLACE_NAME_MAX + 1];
	enum top_state state;
	struct top_sample *now; /* NULL: none yet */
	struct top_sample *before;
};

/* "running", "paused", "no answer", "ended", "-" */
const char *top_state_name(const struct top_machine *machine);

/* A number in at most 4 characters: "0", "12", "999", "1.2K", "34M". Units are of 1024. */
#define TOP_NUMBER_MAX 8
const char *top_number(double value, char text[static TOP_NUMBER_MAX]);

#define TOP_LINE_MAX   256
#define TOP_NAME_WIDTH 12 /* with it, lines have less than 80 columns */

/* The table's heading, and a machine's line; each returns @line. */
const char *top_heading(unsigned name_width, char line[static TOP_LINE_MAX]);
const char *top_row(const struct top_machine *machine, unsigned name_width,
		    char line[static TOP_LINE_MAX]);

/* Of one machine: a vCPU and the reasons of its exits; a device. */
const char *top_vcpu_heading(char line[static TOP_LINE_MAX]);
const char *top_vcpu_row(const struct top_machine *machine, uint32_t index,
			 char line[static TOP_LINE_MAX]);
const char *top_device_heading(char line[static TOP_LINE_MAX]);
const char *top_device_row(const struct top_machine *machine, size_t index,
			   char line[static TOP_LINE_MAX]);

/* All that is known of it; the caller's to put. */
struct json_object *top_json(const struct top_machine *machine);

#endif
