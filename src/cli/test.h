/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of `armlet test` share. A test is a run (run.h) whose guest boots armlet's
 * own init, and whose standard input and output are those of a command in there.
 */
#ifndef ARMLET_CLI_TEST_H
#define ARMLET_CLI_TEST_H

#include "backend/share.h"
#include "run.h"
#include "trial/backtrace.h"
#include "trial/boot_chart.h"
#include "trial/frames.h"
#include "trial/kconfig.h"
#include "trial/klog.h"
#include "trial/ktap.h"
#include "trial/line_port.h"

struct modules; /* trial/modules.h */

/* Where programs are, if nothing else is said. */
#define TEST_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#define TEST_WORDS_MAX       4000
#define TEST_ENVIRONMENT_MAX 256
#define TEST_MODULES_MAX     16
#define TEST_TAIL            48 /* lines of the kernel's log that a failure shows */
#define TEST_SAMPLES         256
#define TEST_TAIL_LINE       200 /* bytes of each */
#define MATRIX_DURATIONS_MAX 64
#define MATRIX_RETRIES       1

/* What became of it; see also test_verdicts in test_verdict.c. */
enum test_verdict {
	TEST_NONE,
	TEST_EXITED,
	TEST_SIGNALLED,
	TEST_NOT_RUN,
	TEST_NO_BOOT, /* the command had not begun in time */
	TEST_TIMED_OUT,
	TEST_QUIET, /* nothing was printed for too long */
	TEST_PANICKED,
	TEST_HUNG, /* a watchdog has bitten */
	TEST_RESET,
	TEST_POWERED_OFF, /* without a word */
	TEST_STOPPED,     /* from outside */
	TEST_KERNEL,      /* the command was content, but not the kernel: --fail-on */
	TEST_KUNIT,       /* the kernel's own tests came to their end */
	TEST_KTAP,        /* the command was content, but not all tests that it told of */
	TEST_SET_UP,      /* init could not do what it was to do */
	TEST_FAILED,      /* armlet, or the host */
};

struct test_options {
	const char *words[TEST_WORDS_MAX];
	size_t word_count;
	const char *root;    /* a folder, a disk's file, "none"; NULL: see test_root.c */
	const char *vmlinux; /* NULL: see vmlinux_find() */
	const char *modules;
	const char *more_modules[TEST_MODULES_MAX];
	size_t more_module_count;
	const char *environment[TEST_ENVIRONMENT_MAX]; /* NAME=VALUE, or NAME of our own */
	size_t environment_count;
	const char *environment_file;
	const char *user;
	const char *directory;
	const char *output; /* a folder; NULL: none */
	bool writable;
	bool verbose;
	bool kunit;             /* the kernel runs its own tests; there is no init and no command */
	bool ktap;              /* tests that the command tells of count */
	int terminal;           /* enum config_switch */
	uint32_t boot_timeout;  /* seconds */
	uint32_t quiet_timeout; /* seconds; 0: none */
	const char *fail_on;    /* as klog_parse_kinds(); NULL: KLOG_FAIL_DEFAULT */
};

/* What --matrix was asked for. */
struct matrix_options {
	const char *file; /* NULL: it is one test */
	uint32_t jobs;    /* 0: by the host's CPUs */
	uint32_t retries;
	const char *shard; /* NULL: all */
	const char *only;  /* a pattern; NULL: all */
	const char *durations[MATRIX_DURATIONS_MAX];
	size_t duration_count;
};

/* How many exits to user space there had been at a time. */
struct test_sample {
	int64_t ms; /* CLOCK_MONOTONIC */
	uint64_t exits;
};

/* A line of the kernel's log. */
struct test_line {
	char text[TEST_TAIL_LINE];
};

struct test {
	struct run run;
	struct test_options options;
	struct matrix_options matrix;

	struct kconfig kconfig; /* of the kernel, if that is known */

	/* What the guest is given. */
	char root_path[PATH_MAX];              /* of --root, without what follows */
	const char *root_way;                  /* that: ":fs=9p" or "" */
	bool copies;                           /* the root, into the initramfs */
	const char *copy_reason;               /* why it does so; NULL: it was asked for */
	char root_volume[PATH_MAX + 64];       /* "": it is none */
	char root_row[64];                     /* as JOB_ROOT; "": the initramfs */
	char present_volume[PATH_MAX + 64];    /* of the present folder, if that needs one */
	char second_volumes[2][PATH_MAX + 64]; /* of both, by 9p */
	char *mounts[MACHINE_MAX_VOLUMES];     /* as JOB_MOUNT */
	size_t mount_count;
	char *append;
	char port[64];
	char initrd[32];
	int initrd_fd; /* -1: none */
	int port_fd;   /* the machine's end of the channel */

	/* The channel to its init. */
	struct event_source channel;
	struct event_source poll;     /* while our output takes no more */
	struct event_source deadline; /* of the boot, then of the farewell */
	struct event_source quiet;
	struct event_source sampler;
	struct frames frames;
	uint8_t sending[WIRE_HEADER + WIRE_PAYLOAD];
	size_t sending_first;
	size_t sending_size;
	struct console *errors;
	struct line_port *lines;
	int fd;

	bool shares[SHARE_9P + 1]; /* which kinds of volumes there are */
	bool terminal;             /* the command gets one */
	bool input_over;           /* and told */
	bool up;                   /* init runs */
	bool started;              /* the command does */
	bool has_exit;
	bool dumping;   /* its memory is being kept, or was */
	bool signalled; /* the command, by a signal to us */
	bool printed;   /* anything at all came from its console */

	/* What it has said. */
	enum test_verdict verdict; /* that is known before the machine has ended */
	enum test_verdict fatal;   /* what it will be soon: of a guest that cannot go on */
	struct machine_hang hang;
	struct wire_exit exit;
	char release[64];
	char sentence[ERROR_TEXT_MAX];
	struct klog *klog;
	struct backtrace backtrace; /* of all that it has found, when it is over */
	struct ktap *results;       /* in the command's output */
	struct ktap *kernel_results;
	char begun[KTAP_LINE_MAX]; /* a line of that output */
	size_t begun_size;
	uint64_t fail_on;
	struct test_line tail[TEST_TAIL];
	size_t lines_seen;

	/* CLOCK_MONOTONIC, ms; 0: not yet. */
	int64_t began_ms;
	int64_t started_ms;
	int64_t ended_ms;
	int64_t guest_ms; /* when its own time began, as its records tell */

	/* For the chart of --output. */
	uint64_t sample_ns;
	size_t sample_count;
	struct test_sample samples[TEST_SAMPLES];

	/* What --output keeps. */
	FILE *console_log;
	FILE *kernel_log;
	FILE *kept[2]; /* the command's outputs */
};

/* As when nothing is said. */
void test_init(struct test *test);

/* matrix.c: whether the words are one test's or those of many; the many, and their status. */
int matrix_check(const struct test *test, struct error *err);
int matrix_main(const struct test *test);

/* The init that is embedded, as a gzip stream. */
extern const uint8_t init_program[];
extern const uint64_t init_program_size;

/* test_root.c: the root, and how it comes to the guest; the machine's configuration knows it. */
int test_plan_root(struct test *test, struct error *err);

/* test_modules.c: what the kernel needs for all that, or has to have. */
int test_need_modules(struct test *test, struct modules *modules, struct error *err);

/* Whether module @name is among the kernel's, where they are known. */
bool test_has_module(const struct test *test, const char *name);

/* test_copy.c: of the root, what the command needs, into the initramfs. */
struct cpio;
int test_copy_root(const struct test *test, struct cpio *cpio, struct error *err);

/* test_initramfs.c: what is in the guest's memory when it boots. */
const char *test_map_directory(const struct test *test, char present[static PATH_MAX]);
int test_build_initramfs(struct test *test, struct error *err);

/* test_guest.c: the channel; what run.c and its files do otherwise for a test. */
int test_open(struct test *test, struct error *err);
int test_start(struct test *test, struct error *err);
void test_drain(struct test *test); /* its outputs are written out, or given up */
void test_abandon(struct test *test);
void test_leave(struct test *test); /* the event loop is about to go */
void test_close(struct test *test);
bool test_take_signal(struct test *test, int number);
void test_take_input(struct test *test);
void test_pass_size(struct test *test, uint16_t columns, uint16_t rows);
void test_timed_out(struct test *test);
void test_take_event(struct test *test, enum machine_event event);

/* The kernel has begun to tell of a panic, or has come to the end of that. */
void test_take_panic(struct test *test, bool ended);

/* test_samples.c: the exits to user space, for the chart of --output. */
int test_begin_samples(struct test *test, struct error *err);
size_t test_spans(const struct test *test, struct boot_chart_span spans[static TEST_SAMPLES]);

/* What the guest's clock showed at a time of ours, in microseconds; 0: before it began. */
uint64_t test_guest_us(const struct test *test, int64_t ms);

/* test_log.c: the kernel's log, and what --output keeps. */
int test_open_output(struct test *test, struct error *err);
void test_take_console(void *data, const char *text, size_t size);
void test_take_record(struct test *test, const char *record, size_t size);
void test_keep_output(struct test *test, bool errors, const uint8_t *bytes, size_t size);
void test_print_tail(const struct test *test);
int test_close_output(struct test *test, struct error *err);

/* What became of it, in the end. */
struct test_outcome {
	enum test_verdict verdict;
	int status;
	char reason[ERROR_TEXT_MAX]; /* "": it has none to be told */
};

/* test_results.c: results of single tests. */
int test_open_results(struct test *test, struct error *err);
void test_close_results(struct test *test);
void test_take_results(struct test *test, const uint8_t *bytes, size_t size);
void test_finish_results(struct test *test);

/*
 * Of the command's and the kernel's together: whether there are any, how many, and the first that
 * failed, behind what it is part of, as "SUITE: TEST".
 */
struct ktap_totals test_totals(const struct test *test);
bool test_has_results(const struct test *test);
void test_first_failure(const struct test *test, char *text, size_t size);
void test_describe_results(const struct test *test, struct json_object *result);
int test_write_junit(const struct test *test, const struct test_outcome *outcome,
		     struct error *err);

/* test_trace.c: the source lines of what the kernel's log has found. */
int test_check_vmlinux(const struct test *test, struct error *err);
void test_decode(struct test *test);
bool test_has_frames(const char *trace);
char *test_decoded(const struct test *test, const char *trace, bool frames); /* to be freed */
struct json_object *test_describe_frames(const struct test *test, const char *trace);

/* test_report.c: the same for people, of the files that are kept. */
int test_write_report(const struct test *test, struct json_object *result, struct error *err);

/* The first of the kernel's complaints that fails a test; @traced: with a trace. */
bool test_complaint(const struct test *test, bool traced, struct klog_finding *ret);

/* test_verdict.c: what it all means, said and kept; the exit status. */
int test_judge(struct test *test, const struct qmp_end *end, int failed, const struct error *err);

#endif
