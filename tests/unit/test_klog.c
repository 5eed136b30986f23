/* SPDX-License-Identifier: Apache-2.0 */
/* Logs of kernels from 5.10 on, as arm64 prints them: what is found, and why. */
#include <stdio.h>
#include <string.h>

#include "trial/klog.h"
#include "unit.h"

static struct klog *klog;
static uint64_t bits;

static void begin(void)
{
	klog_destroy(klog);
	klog = NULL;
	ck_assert_int_eq(klog_create(&klog), 0);
	bits = 0;
}

static void feed(enum klog_source source, const char *log)
{
	bits |= klog_feed(klog, source, (const uint8_t *)log, strlen(log));
}

static void end(void)
{
	bits |= klog_finish(klog);
}

static struct klog_finding finding(size_t index)
{
	struct klog_finding found = {0};

	ck_assert(klog_finding(klog, index, &found));
	return found;
}

static size_t findings(void)
{
	struct klog_finding found;
	size_t count = 0;

	while (klog_finding(klog, count, &found))
		count++;
	return count;
}

/* ---- What is found ---------------------------------------------------------------------- */

static const char oops_6_1[] =
	"[    2.218342] Unable to handle kernel NULL pointer dereference at virtual address "
	"0000000000000010\r\n"
	"[    2.219021] Mem abort info:\r\n"
	"[    2.219263]   ESR = 0x0000000096000004\r\n"
	"[    2.220911] user pgtable: 4k pages, 48-bit VAs, pgdp=0000000043f5b000\r\n"
	"[    2.222222] Internal error: Oops: 0000000096000004 [#1] SMP\r\n"
	"[    2.222731] Modules linked in: broken(O+)\r\n"
	"[    2.223017] CPU: 1 PID: 74 Comm: insmod Tainted: G           O       6.1.55 #1\r\n"
	"[    2.223600] Hardware name: linux,dummy-virt (DT)\r\n"
	"[    2.224404] pc : broken_init+0x18/0x1000 [broken]\r\n"
	"[    2.225801] Call trace:\r\n"
	"[    2.226000]  broken_init+0x18/0x1000 [broken]\r\n"
	"[    2.226343]  do_one_initcall+0x50/0x1d0\r\n"
	"[    2.228002]  el0t_64_sync+0x18c/0x190\r\n"
	"[    2.228390] Code: a9bf7bfd 910003fd 90000000 d2800001 (b9401021) \r\n"
	"[    2.229100] ---[ end trace 0000000000000000 ]---\r\n"
	"not of the trace\r\n";

static const char bug_5_10[] =
	"[    1.403231] ------------[ cut here ]------------\n"
	"[    1.403711] list_del corruption, ffff000003f5b008->next is LIST_POISON1\n"
	"[    1.404110] kernel BUG at lib/list_debug.c:47!\n"
	"[    1.404502] Internal error: Oops - BUG: 0 [#1] PREEMPT SMP\n"
	"[    1.405002] Call trace:\n"
	"[    1.405200]  __list_del_entry_valid+0x6c/0x98\n"
	"[    1.406100] ---[ end trace 3f4f6b0bd7d3b5a1 ]---\n"
	"[    1.406500] Kernel panic - not syncing: Oops - BUG: Fatal exception in interrupt\n"
	"[    1.407000] SMP: stopping secondary CPUs\n"
	"[    1.408000] ---[ end Kernel panic - not syncing: Oops - BUG: Fatal exception in "
	"interrupt ]---\n";

static const char lockdep[] =
	"[    3.1] \n"
	"[    3.101010] ======================================================\n"
	"[    3.101020] WARNING: possible circular locking dependency detected\n"
	"[    3.101030] 6.12.0 #3 Not tainted\n"
	"[    3.101040] ------------------------------------------------------\n"
	"[    3.101050] cat/81 is trying to acquire lock:\n"
	"[    3.101060] ffff80008123d5e8 (lock_a){+.+.}-{4:4}, at: take+0x2c/0x90\n"
	"[    3.101070] the existing dependency chain (in reverse order) is:\n"
	"[    3.101080] stack backtrace:\n"
	"[    3.101090] Call trace:\n"
	"[    3.101100]  show_stack+0x20/0x38 (C)\n"
	"[    3.101110]  take+0x2c/0x90\n"
	"ok 1 - a test's line\n";

/* One finding first of all; its bits; a line that its trace has, and one that it has not. */
static const struct {
	const char *log;
	uint64_t bits;
	const char *text, *has, *lacks;
} logs[] = {
	{oops_6_1, BIT(KLOG_OOPS),
	 "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010",
	 "\nInternal error: Oops: 0000000096000004 [#1] SMP\n", "not of the trace"},
	{oops_6_1, BIT(KLOG_OOPS),
	 "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010",
	 "\n do_one_initcall+0x50/0x1d0\n", "Unable"},
	{bug_5_10, BIT(KLOG_BUG) | BIT(KLOG_PANIC) | KLOG_ENDED,
	 "kernel BUG at lib/list_debug.c:47!", "list_del corruption, ffff000003f5b008->next",
	 "Kernel panic"},
	{"Internal error: synchronous external abort: 0000000096000210 [#1] PREEMPT SMP\n",
	 BIT(KLOG_OOPS),
	 "Internal error: synchronous external abort: 0000000096000210 [#1] PREEMPT SMP", "", "x"},
	{"[    0.7][    T1] ------------[ cut here ]------------\n"
	 "[    0.712345][    T1] refcount_t: underflow; use-after-free.\n"
	 "[    0.712350][    T1] WARNING: CPU: 0 PID: 1 at lib/refcount.c:28 "
	 "refcount_warn_saturate+0xf4/0x148\n"
	 "[    0.712360][    T1] Call trace:\n"
	 "[    0.712370][    T1]  refcount_warn_saturate+0xf4/0x148\n"
	 "[    0.712380][    T1] ---[ end trace 0000000000000000 ]---\n",
	 BIT(KLOG_WARN),
	 "WARNING: CPU: 0 PID: 1 at lib/refcount.c:28 refcount_warn_saturate+0xf4/0x148",
	 "refcount_t: underflow; use-after-free.\nCall trace:\n refcount_warn", "cut here"},
	{"<4>[    0.512345] WARNING: drivers/base/core.c:12 at device_add+0x10/0x20, CPU#3: "
	 "swapper/0/1\n",
	 BIT(KLOG_WARN),
	 "WARNING: drivers/base/core.c:12 at device_add+0x10/0x20, CPU#3: swapper/0/1", "", "x"},
	{"WARNING: [ptr == NULL] kernel/a.c:1 at f+0x1/0x2, CPU#0: sh/9\n", BIT(KLOG_WARN),
	 "WARNING: [ptr == NULL] kernel/a.c:1 at f+0x1/0x2, CPU#0: sh/9", "", "x"},
	{"WARNING: at f+0x1/0x2, CPU#0: sh/9\n", BIT(KLOG_WARN),
	 "WARNING: at f+0x1/0x2, CPU#0: sh/9", "", "x"},
	{"[    4.2] ==================================================================\n"
	 "[    4.200001] ==================================================================\n"
	 "[    4.200002] BUG: KASAN: slab-out-of-bounds in broken_init+0x54/0x1000 [broken]\n"
	 "[    4.200003] Write of size 1 at addr ffff000004b3b97b by task insmod/71\n"
	 "[    4.200004] Call trace:\n"
	 "[    4.200005]  dump_backtrace+0x0/0x1e8\n"
	 "[    4.200006] Allocated by task 71:\n"
	 "[    4.200007]  kasan_save_stack+0x2c/0x58\n"
	 "[    4.200008] ==================================================================\n"
	 "[    4.200009] Disabling lock debugging due to kernel taint\n",
	 BIT(KLOG_KASAN), "BUG: KASAN: slab-out-of-bounds in broken_init+0x54/0x1000 [broken]",
	 "\nAllocated by task 71:\n kasan_save_stack", "Disabling"},
	{"[ 1.0] BUG: KFENCE: use-after-free read in f+0x1/0x2\n", BIT(KLOG_KFENCE),
	 "BUG: KFENCE: use-after-free read in f+0x1/0x2", "", "x"},
	{"BUG: KCSAN: data-race in f / g\n", BIT(KLOG_KCSAN), "BUG: KCSAN: data-race in f / g", "",
	 "x"},
	{"[ 1.0] UBSAN: array-index-out-of-bounds in fs/x.c:12:3\n"
	 "[ 1.0] index 4 is out of range for type 'int [4]'\n",
	 BIT(KLOG_UBSAN), "UBSAN: array-index-out-of-bounds in fs/x.c:12:3",
	 "index 4 is out of range", "x.c"},
	{lockdep, BIT(KLOG_LOCKDEP), "WARNING: possible circular locking dependency detected",
	 "\n take+0x2c/0x90\n", "a test's line"},
	{"WARNING: possible recursive locking detected\n", BIT(KLOG_LOCKDEP),
	 "WARNING: possible recursive locking detected", "", "x"},
	{"WARNING: inconsistent lock state\n", BIT(KLOG_LOCKDEP),
	 "WARNING: inconsistent lock state", "", "x"},
	{"WARNING: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected\n", BIT(KLOG_LOCKDEP),
	 "WARNING: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected", "", "x"},
	{"WARNING: suspicious RCU usage\n6.1.0 Not tainted\n", BIT(KLOG_LOCKDEP),
	 "WARNING: suspicious RCU usage", "6.1.0 Not tainted\n", "x"},
	{"BUG: sleeping function called from invalid context at kernel/locking/mutex.c:580\n"
	 "in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 71, name: insmod\n",
	 BIT(KLOG_LOCKDEP),
	 "BUG: sleeping function called from invalid context at kernel/locking/mutex.c:580",
	 "in_atomic(): 1", "x.c"},
	{"[   23.1] rcu: INFO: rcu_preempt self-detected stall on CPU\n"
	 "[   23.100001] rcu: \t0-....: (2099 ticks this GP) idle=a9c/1/0x4000000000000002\n",
	 BIT(KLOG_RCU_STALL), "INFO: rcu_preempt self-detected stall on CPU",
	 "rcu:  0-....: (2099 ticks", "x."},
	{"rcu: INFO: rcu_sched detected stalls on CPUs/tasks:\n", BIT(KLOG_RCU_STALL),
	 "INFO: rcu_sched detected stalls on CPUs/tasks:", "", "x"},
	{"rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 0-... } 21 jiffies\n",
	 BIT(KLOG_RCU_STALL),
	 "INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 0-... } 21 jiffies", "",
	 "x"},
	{"INFO: task kworker/u4:1:31 blocked for more than 120 seconds.\n      Not tainted 6.1 "
	 "#1\n",
	 BIT(KLOG_HUNG_TASK), "INFO: task kworker/u4:1:31 blocked for more than 120 seconds.",
	 "Not tainted", "x"},
	{"watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [insmod:74]\n", BIT(KLOG_SOFT_LOCKUP),
	 "BUG: soft lockup - CPU#0 stuck for 22s! [insmod:74]", "", "x"},
	{"watchdog: CPU1: Watchdog detected hard LOCKUP on cpu 0\n", BIT(KLOG_HARD_LOCKUP),
	 "Watchdog detected hard LOCKUP on cpu 0", "", "x"},
	{"Out of memory: Killed process 81 (hog) total-vm:90000kB, anon-rss:80000kB\nfine\n",
	 BIT(KLOG_OOM), "Out of memory: Killed process 81 (hog) total-vm:90000kB, anon-rss:80000kB",
	 "", "fine"},
	{"sysrq: Trigger a crash\n", BIT(KLOG_SYSRQ), "sysrq: Trigger a crash", "", "x"},
	{"BUG: scheduling while atomic: insmod/74/0x00000002\n", BIT(KLOG_BUG),
	 "BUG: scheduling while atomic: insmod/74/0x00000002", "", "x"},
	{"Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n",
	 BIT(KLOG_PANIC) | BIT(KLOG_INIT_KILLED),
	 "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b", "", "x"},
	/* With -1 there is no end, with a number there is this one. */
	{"Kernel panic - not syncing: X\nRebooting in 5 seconds..\n", BIT(KLOG_PANIC) | KLOG_ENDED,
	 "Kernel panic - not syncing: X", "Rebooting", "not"},
	/* A program has printed without a newline, and the kernel behind it. */
	{"sh: hello[   12.345678] BUG: Bad page state in process sh  pfn:43f5b\n", BIT(KLOG_BUG),
	 "BUG: Bad page state in process sh  pfn:43f5b", "", "x"},
	{"% Kernel panic - not syncing: X\n", BIT(KLOG_PANIC), "Kernel panic - not syncing: X", "",
	 "x"},
	{"Kernel panic - not syncing: without newline", BIT(KLOG_PANIC),
	 "Kernel panic - not syncing: without newline", "", "x"},
};

START_TEST(test_logs)
{
	struct klog_finding found;

	begin();
	feed(KLOG_CONSOLE, logs[_i].log);
	end();
	ck_assert_uint_eq(bits, logs[_i].bits);
	ck_assert_uint_eq(klog_seen(klog), logs[_i].bits & KLOG_FAIL_ALL);
	found = finding(0);
	ck_assert_str_eq(found.text, logs[_i].text);
	ck_assert_uint_eq(found.count, 1);
	ck_assert_ptr_nonnull(strstr(found.trace, logs[_i].has));
	ck_assert_ptr_null(strstr(found.trace, logs[_i].lacks));
}
END_TEST

/* Byte by byte, and through the other source as records, it is the same. */
START_TEST(test_split)
{
	struct klog_finding found;

	begin();
	for (const char *at = logs[_i].log; *at; at++)
		bits |= klog_feed(klog, KLOG_CONSOLE, (const uint8_t *)at, 1);
	end();
	ck_assert_uint_eq(bits, logs[_i].bits);
	found = finding(0);
	ck_assert_str_eq(found.text, logs[_i].text);
	ck_assert_ptr_nonnull(strstr(found.trace, logs[_i].has));
	ck_assert_ptr_null(strstr(found.trace, logs[_i].lacks));
}
END_TEST

static const char *const harmless[] = {
	"",
	"\r\n\r\n   \r\n",
	"WARNING: the command line of this program has changed\n",
	"the kernel BUG at home\n",
	"echo BUG: KASAN: in the middle\n",
	"Internal error: of some program\n",
	"[    0.000000] Linux version 6.12.0 (me@host) #1 SMP PREEMPT\n",
	"[    0.000000] rcu: \tRCU event tracing is enabled.\n",
	"Rebooting in 5 seconds..\n",
	"[    1.0] INFO: task of the day\n",
	"UBSAN is on\n",
};

START_TEST(test_harmless)
{
	begin();
	feed(KLOG_CONSOLE, harmless[_i]);
	end();
	ck_assert_uint_eq(bits, 0);
	ck_assert_uint_eq(klog_seen(klog), 0);
	ck_assert_uint_eq(findings(), 0);
	ck_assert_ptr_null(klog_panic(klog));
}
END_TEST

/* ---- Two sources ------------------------------------------------------------------------ */

START_TEST(test_both)
{
	static const char line[] =
		"[    0.512345] WARNING: CPU: 0 PID: 1 at a\\b.c:1 f+0x1/0x2\r\n";
	static const char record[] =
		"4,301,512345,-,caller=T1;WARNING: CPU: 0 PID: 1 at a\\x5cb.c:1 f+0x1/0x2\n"
		" SUBSYSTEM=pci\n"
		" DEVICE=+pci:0000:00:00.0\n"
		"4,302,512346,-,caller=T1;Call trace:\n"
		"4,303,512347,-,caller=T1; f+0x1/0x2\n"
		"4,304,512347,-,caller=T1;---[ end trace 0000000000000000 ]---\n";

	begin();
	feed(KLOG_CONSOLE, line);
	ck_assert_uint_eq(bits, BIT(KLOG_WARN));
	bits = 0;
	feed(KLOG_KMSG, record);
	ck_assert_uint_eq(bits, 0);
	ck_assert_uint_eq(findings(), 1);
	ck_assert_uint_eq(finding(0).count, 1);
	ck_assert_str_eq(finding(0).text, "WARNING: CPU: 0 PID: 1 at a\\b.c:1 f+0x1/0x2");
	/* The source that lost less shows what was behind. */
	ck_assert_str_eq(finding(0).trace,
			 "Call trace:\n f+0x1/0x2\n---[ end trace 0000000000000000 ]---\n");
	/* Twice is twice, whoever tells it. */
	feed(KLOG_KMSG, record);
	ck_assert_uint_eq(finding(0).count, 2);
	feed(KLOG_CONSOLE, line);
	ck_assert_uint_eq(finding(0).count, 2);
	ck_assert_uint_eq(klog_total(klog, KLOG_WARN), 2);
	ck_assert_uint_eq(bits, 0);
	ck_assert_str_eq(finding(0).trace,
			 "Call trace:\n f+0x1/0x2\n---[ end trace 0000000000000000 ]---\n");
}
END_TEST

/* Lines that come by turns are each put together with those of their source. */
START_TEST(test_turns)
{
	begin();
	feed(KLOG_CONSOLE, "[    1.000000] Kernel pan");
	feed(KLOG_KMSG, "2,1,1000000,-;Kernel panic - not sync");
	feed(KLOG_CONSOLE, "ic - not syncing: VFS: X\r");
	ck_assert_uint_eq(bits, BIT(KLOG_PANIC));
	feed(KLOG_KMSG, "ing: VFS: X\n2,2,1000001,-;CPU: 0\n");
	feed(KLOG_CONSOLE, "\n[    1.000001] CPU: 0\r\n");
	ck_assert_uint_eq(findings(), 1);
	ck_assert_uint_eq(finding(0).count, 1);
	ck_assert_str_eq(finding(0).trace, "CPU: 0\n");
	ck_assert_str_eq(klog_panic(klog), "VFS: X");
	ck_assert_uint_eq(
		klog_line(klog, KLOG_CONSOLE,
			  (const uint8_t *)"---[ end Kernel panic - not syncing: VFS ]---", 45),
		KLOG_ENDED);
}
END_TEST

START_TEST(test_last_line)
{
	begin();
	ck_assert_str_eq(klog_last_line(klog), "");
	feed(KLOG_KMSG, "6,1,0,-;Booting Linux\n");
	ck_assert_str_eq(klog_last_line(klog), "Booting Linux");
	feed(KLOG_CONSOLE, "[    0.000000] Machine model: linux,dummy-virt\r\n\r\n");
	feed(KLOG_KMSG, "6,2,0,-;other\n");
	feed(KLOG_CONSOLE, "[    0.1");
	ck_assert_str_eq(klog_last_line(klog), "Machine model: linux,dummy-virt");
	feed(KLOG_CONSOLE, "00000] cut");
	end();
	ck_assert_str_eq(klog_last_line(klog), "cut");
}
END_TEST

/* ---- Bounds ----------------------------------------------------------------------------- */

START_TEST(test_hostile)
{
	static const uint8_t line[] = "\x1b[31m\0\xff[ [[[  9.1] BUG: a\0b\x7f\xc3\xa4\\x00\t. ";
	uint8_t all[256];

	begin();
	ck_assert_uint_eq(klog_line(klog, KLOG_CONSOLE, line, sizeof(line)), BIT(KLOG_BUG));
	ck_assert_str_eq(finding(0).text, "BUG: a?b???\\x00 . ?");
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(all); i++) {
		klog_line(klog, KLOG_CONSOLE, all + i, sizeof(all) - i);
		klog_line(klog, KLOG_KMSG, all, i);
		klog_feed(klog, KLOG_KMSG, all, sizeof(all));
	}
	for (const char *at = klog_last_line(klog); *at; at++)
		ck_assert(*at >= ' ' && *at <= '~');
	ck_assert_uint_eq(klog_line(klog, KLOG_KMSG, NULL, 0), 0);
}
END_TEST

START_TEST(test_prefixes)
{
	static const char *const lines[] = {
		"x",
		"<6>x",
		"[    1.234567] x",
		"<6>[    1.234567] x",
		"[    1.234567][    T1] x",
		"[    C0] x",
		"[123456.234567][ T1234] x  ",
		"6,339,5140900,-;x",
		"6,339,5140900,c,caller=C0;x\r\n",
	};
	/* What is none stays. */
	static const char *const others[] = {"<>x",   "[1]x",     "[1.]x", "[T]x",
					     "1,2,x", "1,2,3,-x", "<6",    "[1.2"};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		begin();
		klog_line(klog, KLOG_CONSOLE, (const uint8_t *)lines[i], strlen(lines[i]));
		ck_assert_str_eq(klog_last_line(klog), "x");
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		begin();
		klog_line(klog, KLOG_CONSOLE, (const uint8_t *)others[i], strlen(others[i]));
		ck_assert_str_eq(klog_last_line(klog), others[i]);
	}
}
END_TEST

START_TEST(test_long)
{
	begin();
	feed(KLOG_CONSOLE, "BUG: ");
	for (unsigned i = 0; i < 10000; i++)
		feed(KLOG_CONSOLE, "long ");
	feed(KLOG_CONSOLE, "\n");
	ck_assert_uint_eq(bits, BIT(KLOG_BUG));
	ck_assert_uint_eq(strlen(finding(0).text), KLOG_TEXT_MAX - 1);
	ck_assert_uint_eq(strlen(klog_last_line(klog)), KLOG_TEXT_MAX - 1);
	/* Behind its bound a line has nothing to say. */
	for (unsigned i = 0; i < KLOG_LINE_MAX; i++)
		feed(KLOG_CONSOLE, "y");
	feed(KLOG_CONSOLE, "[    1.234567] UBSAN: x\n");
	ck_assert_uint_eq(klog_seen(klog), BIT(KLOG_BUG));
}
END_TEST

START_TEST(test_many)
{
	char line[64];

	begin();
	for (unsigned i = 0; i < KLOG_FINDINGS + 10; i++) {
		snprintf(line, sizeof(line), "BUG: number %u\n", i);
		feed(KLOG_CONSOLE, line);
		feed(KLOG_KMSG, line);
	}
	ck_assert_uint_eq(findings(), KLOG_FINDINGS);
	ck_assert_uint_eq(klog_total(klog, KLOG_BUG), KLOG_FINDINGS + 10);
	bits = 0;
	/* Without room it is still said that there is a new kind, and why the kernel stopped. */
	feed(KLOG_CONSOLE, "BUG: KASAN: x\n trace\n");
	ck_assert_uint_eq(bits, BIT(KLOG_KASAN));
	bits = 0;
	feed(KLOG_KMSG, "BUG: KASAN: x\n");
	ck_assert_uint_eq(bits, 0);
	ck_assert_uint_eq(klog_total(klog, KLOG_KASAN), 1);
	feed(KLOG_CONSOLE, "Kernel panic - not syncing: the reason\n");
	ck_assert_uint_eq(bits, BIT(KLOG_PANIC));
	ck_assert_str_eq(klog_panic(klog), "the reason");
}
END_TEST

START_TEST(test_trace_bounds)
{
	begin();
	feed(KLOG_CONSOLE, "kernel BUG at x.c:1!\n");
	for (unsigned i = 0; i < 1000; i++)
		feed(KLOG_CONSOLE, "word\n");
	ck_assert_uint_eq(strlen(finding(0).trace), KLOG_TRACE_LINES * strlen("word\n"));
	begin();
	feed(KLOG_CONSOLE, "kernel BUG at x.c:1!\n");
	for (unsigned i = 0; i < 100 * KLOG_TEXT_MAX; i++)
		feed(KLOG_CONSOLE, i % 300 ? "w" : "w\n");
	ck_assert_uint_lt(strlen(finding(0).trace), KLOG_TRACE_MAX);
	ck_assert_uint_gt(strlen(finding(0).trace), KLOG_TRACE_MAX - 512);
	ck_assert_int_eq(finding(0).trace[strlen(finding(0).trace) - 1], '\n');
}
END_TEST

/* ---- Words ------------------------------------------------------------------------------ */

static const struct {
	const char *text;
	uint64_t bits;
	const char *refused;
} words[] = {
	{"warn", BIT(KLOG_WARN), NULL},
	{"oops,kasan,rcu-stall,hung-task",
	 BIT(KLOG_OOPS) | BIT(KLOG_KASAN) | BIT(KLOG_RCU_STALL) | BIT(KLOG_HUNG_TASK), NULL},
	{"default,warn", KLOG_FAIL_DEFAULT | BIT(KLOG_WARN), NULL},
	{"all", KLOG_FAIL_ALL, NULL},
	{"none", 0, NULL},
	{"", 0, "a word is missing"},
	{"warn,", 0, "a word is missing"},
	{",warn", 0, "a word is missing"},
	{"warn,kasn", 0, "there is no 'kasn'; did you mean 'kasan'?"},
	{"lock", 0, "did you mean 'lockdep'?"},
	{"warn oops", 0, "there is no 'warn oops'"},
	{"completely-unknown", 0, "it takes words like"},
	{"a-word-of-more-letters-than-any-sentence-about-it-would-ever-like-to-have-in-it", 0,
	 "there is no 'a-word"},
};

START_TEST(test_words)
{
	struct error err = {0};
	uint64_t mask = 42;
	int r = klog_parse_kinds(words[_i].text, &mask, &err);

	if (!words[_i].refused) {
		ck_assert_int_eq(r, 0);
		ck_assert_uint_eq(mask, words[_i].bits);
		return;
	}
	ck_assert_int_eq(r, -EINVAL);
	ck_assert_uint_eq(mask, 42);
	ck_assert_ptr_nonnull(strstr(err.text, "--fail-on: "));
	if (!strstr(err.text, words[_i].refused))
		ck_abort_msg("%s", err.text);
}
END_TEST

START_TEST(test_kinds)
{
	for (unsigned i = 0; i < KLOG_KINDS; i++) {
		struct error err = {0};
		uint64_t mask = 0;

		ck_assert_ptr_nonnull(klog_kinds[i].help);
		ck_assert_int_eq(klog_parse_kinds(klog_kinds[i].name, &mask, &err), 0);
		ck_assert_uint_eq(mask, BIT(i));
	}
	ck_assert_uint_eq(KLOG_FAIL_DEFAULT & BIT(KLOG_WARN), 0);
	klog_destroy(klog);
	klog = NULL;
	klog_destroy(NULL);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_logs, ARRAY_SIZE(logs)),
	UNIT_LOOP(test_split, ARRAY_SIZE(logs)),
	UNIT_LOOP(test_harmless, ARRAY_SIZE(harmless)),
	UNIT_CASE(test_both),
	UNIT_CASE(test_turns),
	UNIT_CASE(test_last_line),
	UNIT_CASE(test_hostile),
	UNIT_CASE(test_prefixes),
	UNIT_CASE(test_long),
	UNIT_CASE(test_many),
	UNIT_CASE(test_trace_bounds),
	UNIT_LOOP(test_words, ARRAY_SIZE(words)),
	UNIT_CASE(test_kinds),
	{0},
};

const char unit_name[] = "klog";
