/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the page share: its style, and its boxes with what files have. */
#ifndef ARMLET_TRIAL_HTML_PRIVATE_H
#define ARMLET_TRIAL_HTML_PRIVATE_H

#include "trial/html_report.h"

/* html_style.c */
extern const char html_style[];

struct html_box {
	const char *folder;
	const char *name;  /* of the file, and of the section */
	const char *title; /* above it */
	size_t most;       /* bytes of its end that are shown */
	bool log;          /* the kernel's: lines are looked at one by one */
	bool closed;       /* at first */
};

/* html_box.c: the end of a file in a box; nothing if it is empty or not there. -ENOMEM. */
int html_box(FILE *out, const struct html_box *box);

#endif
