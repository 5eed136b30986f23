/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One page for people of what `armlet test --output` keeps: it needs nothing but itself, no
 * script, no network. Its texts come from the guest: nothing of them can become markup.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_TRIAL_HTML_REPORT_H
#define ARMLET_TRIAL_HTML_REPORT_H

#include <json-c/json_types.h>

#include "trial/boot_chart.h"

#define HTML_REPORT_OUTPUT (64 * KIB)  /* of each of the command's outputs, the end */
#define HTML_REPORT_LOG    (512 * KIB) /* of the kernel's logs, the end of each */

struct html_report {
	struct json_object *result;     /* that of result.json; what it lacks is left out */
	const char *folder;             /* with the files, which may be missing */
	const struct boot_chart *chart; /* NULL: none */
};

/* -ENOMEM; whether @out has taken it is for ferror() to say. */
int html_report_write(const struct html_report *report, FILE *out);

#endif
