/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a Linux kernel that is on trial: what in it says that the kernel is broken, and
 * why a boot may have failed. Lines may come twice, from the serial console and from /dev/kmsg:
 * what both tell is one finding. Nothing of the guest is trusted, and memory is bounded: texts
 * are cut, and findings beyond KLOG_FINDINGS are only counted.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_TRIAL_KLOG_H
#define ARMLET_TRIAL_KLOG_H

#include "base/error.h"

#define KLOG_FINDINGS    48   /* that are kept, each with its text */
#define KLOG_TEXT_MAX    512  /* of a line's text, with the 0 at its end */
#define KLOG_LINE_MAX    2048 /* bytes of a line that are looked at */
#define KLOG_TRACE_LINES 96   /* that are kept behind a finding, */
#define KLOG_TRACE_MAX   8192 /* and their bytes */
#define KLOG_EXPLAIN_MAX 768

enum klog_kind {
	KLOG_PANIC,
	KLOG_INIT_KILLED, /* a panic as well: its bit never comes without KLOG_PANIC's */
	KLOG_OOPS,
	KLOG_BUG,
	KLOG_WARN,
	KLOG_KASAN,
	KLOG_KFENCE,
	KLOG_KCSAN,
	KLOG_UBSAN,
	KLOG_LOCKDEP, /* and what else the kernel's checks of locking say */
	KLOG_RCU_STALL,
	KLOG_HUNG_TASK,
	KLOG_SOFT_LOCKUP,
	KLOG_HARD_LOCKUP,
	KLOG_OOM,
	KLOG_SYSRQ, /* somebody has asked for a crash */
	KLOG_KINDS,
};

/* Among the bits of kinds: a panic is told to its end, and the machine may be stopped. */
#define KLOG_ENDED BIT(KLOG_KINDS)

/*
 * The kinds that fail a trial unless its user says otherwise: those of a kernel that is certainly
 * broken. Left out are what may be harmless (WARN, a data race), what is possible rather than
 * seen (lockdep), and what a slow disk or too little memory brings about as well (a task that
 * hangs, OOM).
 */
#define KLOG_FAIL_DEFAULT                                                             \
	(BIT(KLOG_PANIC) | BIT(KLOG_INIT_KILLED) | BIT(KLOG_OOPS) | BIT(KLOG_BUG) |   \
	 BIT(KLOG_KASAN) | BIT(KLOG_KFENCE) | BIT(KLOG_UBSAN) | BIT(KLOG_RCU_STALL) | \
	 BIT(KLOG_SOFT_LOCKUP) | BIT(KLOG_HARD_LOCKUP))
#define KLOG_FAIL_ALL (BIT(KLOG_KINDS) - 1)

struct klog_kind_row {
	const char *name; /* the word of --fail-on */
	const char *help;
};

extern const struct klog_kind_row klog_kinds[KLOG_KINDS];

/*
 * "oops,kasan,warn": the bits of these kinds. "default", "all" and "none" are words as well.
 * -EINVAL, with a sentence, for an empty or unknown word; *@ret is untouched then.
 */
int klog_parse_kinds(const char *text, uint64_t *ret, struct error *err);

enum klog_source { KLOG_CONSOLE, KLOG_KMSG, KLOG_SOURCES };

struct klog_finding {
	enum klog_kind kind;
	uint64_t count;    /* how often one source told it, the one that told it more often */
	const char *text;  /* the line, without level and time */
	const char *trace; /* the lines behind it, each with its \n; may be empty */
};

/* How process 1 ended; one of the two is 0. */
struct klog_exit {
	int signal;
	int status;
};

struct klog;

/* -ENOMEM. */
int klog_create(struct klog **ret);
void klog_destroy(struct klog *klog); /* takes NULL */

/*
 * A whole line of @source, with or without its end. Returns the bits of kinds of which this line
 * is the first word; KLOG_ENDED each time. In front of the text may stand a level, a time, who
 * printed it, and what makes it a record of /dev/kmsg.
 */
uint64_t klog_line(struct klog *klog, enum klog_source source, const uint8_t *bytes, size_t size);

/* Bytes as they come, which are put together to lines. */
uint64_t klog_feed(struct klog *klog, enum klog_source source, const uint8_t *bytes, size_t size);

/* Nothing more comes: what has no newline yet is a line. */
uint64_t klog_finish(struct klog *klog);

/* Bits of all kinds found so far, and how often one was. */
uint64_t klog_seen(const struct klog *klog);
uint64_t klog_total(const struct klog *klog, enum klog_kind kind);

/* The finding number @index, in the order in which they came; false: there are no more. */
bool klog_finding(const struct klog *klog, size_t index, struct klog_finding *ret);

/* The last line that was not empty, "" at first: the console's if it has printed anything. */
const char *klog_last_line(const struct klog *klog);

/* What the first panic gave as its reason; NULL: there was none. */
const char *klog_panic(const struct klog *klog);

/* What ended process 1, and the kernel with it; false: nothing has. */
bool klog_init_exit(const struct klog *klog, struct klog_exit *ret);

/*
 * One sentence that says why the kernel has probably panicked, or has not come up, and how to
 * mend it; NULL: nobody knows. @printed: any byte has come from the console.
 */
const char *klog_explain(const struct klog *klog, bool printed, char text[static KLOG_EXPLAIN_MAX]);

DEFINE_CLEANUP(struct klog *, klog_destroy)

#endif
