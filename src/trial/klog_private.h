/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the kernel's log share: a line's text, patterns, and what is remembered. */
#ifndef ARMLET_TRIAL_KLOG_PRIVATE_H
#define ARMLET_TRIAL_KLOG_PRIVATE_H

#include "trial/klog.h"

/* ---- A line's text, klog_text.c --------------------------------------------------------- */

/*
 * The text of a line without what stands before it and at its end; control characters and what
 * is no ASCII are made visible. False: it is empty, or no line of the log.
 */
bool klog_text(enum klog_source source, const uint8_t *bytes, size_t size,
	       char text[static KLOG_TEXT_MAX]);

/*
 * The text behind a time in the middle of a line: a program has printed without a newline, and
 * then the kernel. False: there is none.
 */
bool klog_text_behind(enum klog_source source, const uint8_t *bytes, size_t size,
		      char text[static KLOG_TEXT_MAX]);

struct klog_match {
	const char *begin; /* where the pattern's first letters are */
	const char *star;  /* what the first * stands for that is not the first letter, or NULL */
	size_t star_size;
};

/* @text begins with @pattern, in which * stands for any text; * in front: it is anywhere. */
bool klog_match(const char *pattern, const char *text, struct klog_match *ret);

/* ---- What is a finding, klog_kinds.c ---------------------------------------------------- */

/* Which lines belong to a finding. */
enum klog_block {
	KLOG_ALONE,  /* none */
	KLOG_LOOSE,  /* those to the end of the call trace */
	KLOG_MARKED, /* those to a line that marks the end */
	KLOG_LEADS,  /* the same; one of a row that is KLOG_LED comes, about the same event */
	KLOG_LED,    /* the same */
};

struct klog_row {
	const char *pattern;
	enum klog_kind kind;
	enum klog_block block;
};

const struct klog_row *klog_classify(const char *text, struct klog_match *ret);

/* ---- Why, klog_explain.c ---------------------------------------------------------------- */

/* A line that a row of the table of reasons knows. */
struct klog_clue {
	size_t row; /* SIZE_MAX: none */
	char line[KLOG_TEXT_MAX];
};

/* The clue that explains most, and the panic's own. */
struct klog_clues {
	struct klog_clue hint, fatal;
};

void klog_clues_init(struct klog_clues *clues);
void klog_clues_add(struct klog_clues *clues, const char *text);

const struct klog_clues *klog_clues_of(const struct klog *klog);

#endif
