/* SPDX-License-Identifier: Apache-2.0 */
/* The cases of a report, as the parser makes them: an array and its texts, with their bounds. */
#ifndef ARMLET_TRIAL_KTAP_PRIVATE_H
#define ARMLET_TRIAL_KTAP_PRIVATE_H

#include "ktap_line.h"
#include "trial/ktap.h"

/* A text that grows; at is NULL while it is empty. */
struct ktap_text {
	char *at;
	size_t size;
	size_t room;
};

struct ktap_entry {
	struct ktap_case told;
	struct ktap_text log;
	bool skipped;   /* its plan says so */
	bool has_fails; /* a subtest has failed */
};

struct ktap_cases {
	struct ktap_entry *entries;
	size_t count;
	size_t room;
	size_t text_left;
	uint64_t cut;
	uint64_t lost; /* results without an entry */
	bool lost_failure;
	struct ktap_totals totals;
};

void ktap_cases_init(struct ktap_cases *cases);
void ktap_cases_finish(struct ktap_cases *cases);

/* KTAP_NONE: there is no room. */
size_t ktap_cases_add(struct ktap_cases *cases, size_t parent, unsigned depth);

/* "\#" and "\\" are taken for what they stand for (TAP 14). An empty text changes nothing. */
void ktap_cases_name(struct ktap_cases *cases, size_t at, struct span name);
void ktap_cases_reason(struct ktap_cases *cases, size_t at, struct span reason);

/* A line of diagnostics. */
void ktap_text_add(struct ktap_cases *cases, struct ktap_text *text, struct span line);
void ktap_text_free(struct ktap_cases *cases, struct ktap_text *text);

/* Move what @text has behind the log of the case; @text is empty then. */
void ktap_cases_log(struct ktap_cases *cases, size_t at, struct ktap_text *text);

/* What has failed behind @at, all of it its subtests, was expected to. */
void ktap_cases_forgive(struct ktap_cases *cases, size_t at);

/* Derive what suites are and how they ended, and the totals. */
void ktap_cases_conclude(struct ktap_cases *cases);

#endif
