/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of findings: their words, and the lines that begin one. */
#include <string.h>

#include "base/parse.h"
#include "klog_private.h"

const struct klog_kind_row klog_kinds[KLOG_KINDS] = {
	[KLOG_PANIC] = {"panic", "the kernel has panicked"},
	[KLOG_INIT_KILLED] = {"init-killed", "a panic because process 1 has ended"},
	[KLOG_OOPS] = {"oops", "an exception in the kernel"},
	[KLOG_BUG] = {"bug", "BUG(), or a line BUG: of what has no word of its own"},
	[KLOG_WARN] = {"warn", "WARN()"},
	[KLOG_KASAN] = {"kasan", "the address sanitizer's"},
	[KLOG_KFENCE] = {"kfence", "the sampling memory checker's"},
	[KLOG_KCSAN] = {"kcsan", "the data race detector's"},
	[KLOG_UBSAN] = {"ubsan", "undefined behaviour"},
	[KLOG_LOCKDEP] = {"lockdep", "locks in the wrong order or context, misuse of RCU"},
	[KLOG_RCU_STALL] = {"rcu-stall", "a CPU or task that keeps RCU from going on"},
	[KLOG_HUNG_TASK] = {"hung-task", "a task that has been blocked for minutes"},
	[KLOG_SOFT_LOCKUP] = {"soft-lockup", "a CPU that schedules no more"},
	[KLOG_HARD_LOCKUP] = {"hard-lockup", "a CPU that takes no interrupts any more"},
	[KLOG_OOM] = {"oom", "a process killed for lack of memory"},
	[KLOG_SYSRQ] = {"sysrq-crash", "a crash that was asked for"},
};

/* Words that are sets of kinds. */
static const struct {
	const char *name;
	uint64_t bits;
} sets[] = {
	{"default", KLOG_FAIL_DEFAULT},
	{"all", KLOG_FAIL_ALL},
	{"none", 0},
};

/* ---- Lines ------------------------------------------------------------------------------ */

/*
 * The first row that matches counts, so special ones stand before general ones. Only what is
 * unmistakable may be anywhere in a line; a program may print "BUG: " as well.
 */
static const struct klog_row rows[] = {
	/* kernel/exit.c, do_exit() */
	{"*Kernel panic - not syncing: Attempted to kill init!", KLOG_INIT_KILLED, KLOG_MARKED},
	/* kernel/panic.c, vpanic() */
	{"*Kernel panic - not syncing: ", KLOG_PANIC, KLOG_MARKED},

	/* arch/arm64/mm/fault.c, die_kernel_fault(); then traps.c, __die() */
	{"Unable to handle kernel ", KLOG_OOPS, KLOG_LEADS},
	/* lib/bug.c, __report_bug(); then __die() */
	{"kernel BUG at ", KLOG_BUG, KLOG_LEADS},
	{"Internal error: *[#", KLOG_OOPS, KLOG_LED},

	/* mm/kasan/report.c, print_error_description() */
	{"BUG: KASAN: ", KLOG_KASAN, KLOG_MARKED},
	/* mm/kfence/report.c, kfence_report_error() */
	{"BUG: KFENCE: ", KLOG_KFENCE, KLOG_MARKED},
	/* kernel/kcsan/report.c, print_report() */
	{"BUG: KCSAN: ", KLOG_KCSAN, KLOG_MARKED},
	/* lib/ubsan.c, ubsan_prologue() */
	{"UBSAN: ", KLOG_UBSAN, KLOG_MARKED},

	/* kernel/watchdog.c, watchdog_timer_fn() and watchdog_hardlockup_check() */
	{"*BUG: soft lockup - CPU#", KLOG_SOFT_LOCKUP, KLOG_LOOSE},
	{"*Watchdog detected hard LOCKUP on cpu", KLOG_HARD_LOCKUP, KLOG_LOOSE},
	/* kernel/rcu/tree_stall.h, print_cpu_stall() and print_other_cpu_stall(); tree_exp.h */
	{"*INFO: rcu_*detected *stall", KLOG_RCU_STALL, KLOG_LOOSE},
	/* kernel/hung_task.c, hung_task_info() */
	{"INFO: task *:* blocked *for more than * second", KLOG_HUNG_TASK, KLOG_LOOSE},

	/* kernel/sched/core.c, __might_resched() */
	{"BUG: sleeping function called from invalid context", KLOG_LOCKDEP, KLOG_LOOSE},
	/* kernel/locking/lockdep.c, print_*_bug() and others named print_ there */
	{"WARNING: possible *detected", KLOG_LOCKDEP, KLOG_LOOSE},
	{"WARNING: inconsistent lock state", KLOG_LOCKDEP, KLOG_LOOSE},
	{"WARNING: *-safe -> *-unsafe lock order detected", KLOG_LOCKDEP, KLOG_LOOSE},
	{"WARNING: bad unlock balance detected", KLOG_LOCKDEP, KLOG_LOOSE},
	{"WARNING: bad contention detected", KLOG_LOCKDEP, KLOG_LOOSE},
	{"WARNING: held lock freed", KLOG_LOCKDEP, KLOG_LOOSE},
	{"WARNING: Nested lock was not taken", KLOG_LOCKDEP, KLOG_LOOSE},
	{"WARNING: lock held when returning to user space", KLOG_LOCKDEP, KLOG_LOOSE},
	{"WARNING: *still has locks held!", KLOG_LOCKDEP, KLOG_LOOSE},
	{"[ BUG: Invalid wait context ]", KLOG_LOCKDEP, KLOG_LOOSE},
	/* lockdep_rcu_suspicious() */
	{"WARNING: suspicious RCU usage", KLOG_LOCKDEP, KLOG_LOOSE},
	/* print_lockdep_off(): its tables are full, and it checks no more */
	{"BUG: MAX_*too low!", KLOG_LOCKDEP, KLOG_LOOSE},

	/* kernel/panic.c, __warn(); the second in newer kernels */
	{"WARNING: CPU: * PID: * at ", KLOG_WARN, KLOG_MARKED},
	{"WARNING: *at *, CPU#", KLOG_WARN, KLOG_MARKED},

	/* mm/oom_kill.c, __oom_kill_process() */
	{"Out of memory*: Kill", KLOG_OOM, KLOG_ALONE},
	{"Memory cgroup out of memory: Kill", KLOG_OOM, KLOG_ALONE},
	/* drivers/tty/sysrq.c, __handle_sysrq() */
	{"sysrq: *rigger a crash", KLOG_SYSRQ, KLOG_ALONE},

	/* "scheduling while atomic", "Bad page state", "spinlock bad magic", ... */
	{"BUG: ", KLOG_BUG, KLOG_LOOSE},
};

const struct klog_row *klog_classify(const char *text, struct klog_match *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (klog_match(rows[i].pattern, text, ret))
			return &rows[i];
	}
	return NULL;
}

/* ---- Words ------------------------------------------------------------------------------ */

static int unknown_word(const char *word, size_t length, struct error *err)
{
	const char *names[KLOG_KINDS + ARRAY_SIZE(sets)];
	char copy[64];
	const char *near;

	for (size_t i = 0; i < KLOG_KINDS; i++)
		names[i] = klog_kinds[i].name;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		names[KLOG_KINDS + i] = sets[i].name;
	memcpy(copy, word, min_u64(length, sizeof(copy) - 1));
	copy[min_u64(length, sizeof(copy) - 1)] = '\0';
	near = nearest_name(copy, names, ARRAY_SIZE(names));
	if (near)
		return error_set(err, EINVAL, "--fail-on: there is no '%s'; did you mean '%s'?",
				 copy, near);
	return error_set(err, EINVAL,
			 "--fail-on: there is no '%s'; it takes words like panic, oops, kasan and "
			 "warn, with commas between them",
			 copy);
}

static bool is_word(const char *name, const char *word, size_t length)
{
	return strlen(name) == length && !strncmp(name, word, length);
}

static bool word_bits(const char *word, size_t length, uint64_t *bits)
{
	for (size_t i = 0; i < KLOG_KINDS; i++) {
		if (is_word(klog_kinds[i].name, word, length)) {
			*bits |= BIT(i);
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		if (is_word(sets[i].name, word, length)) {
			*bits |= sets[i].bits;
			return true;
		}
	}
	return false;
}

int klog_parse_kinds(const char *text, uint64_t *ret, struct error *err)
{
	uint64_t bits = 0;

	for (;;) {
		size_t length = strcspn(text, ",");

		if (!length)
			return error_set(err, EINVAL, "--fail-on: a word is missing");
		if (!word_bits(text, length, &bits))
			return unknown_word(text, length, err);
		text += length;
		if (!*text)
			break;
		text++;
	}
	*ret = bits;
	return 0;
}
