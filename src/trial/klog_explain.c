/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Why a kernel has not come up
 *
 * A table of lines that the kernel prints, each with what it means and how to mend it. Some are
 * hints: the kernel goes on after them, and perhaps comes to nothing; of those that were seen the
 * one counts that stands first in the table, so causes stand before what they lead to. Others are
 * panics. A panic for lack of a root file system or of an init is explained by a hint, if there
 * was one; any other panic has its own reason, and hints are none of it.
 *
 * In a sentence, @ stands for what the first * of the pattern was, ^ for the same in capitals,
 * and ^^ for one ^.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "klog_private.h"

enum reason_when {
	HINT,
	LAST,  /* a hint if nothing came behind it */
	WITH,  /* a panic that a hint explains better */
	PANIC, /* one that explains itself */
};

enum reason_how {
	PLAIN,
	EXEC, /* the line has an error of execve(): sentences of exec_errors */
};

struct reason {
	enum reason_when when;
	enum reason_how how;
	const char *pattern;
	const char *sentence;
};

static const struct reason reasons[] = {
	/* init/initramfs.c, unpack_to_rootfs() and do_populate_rootfs() */
	{HINT, PLAIN, "Initramfs unpacking failed: compression method * not configured",
	 "the initrd is compressed by @, which this kernel cannot unpack: set CONFIG_RD_^, or "
	 "compress it in another way"},
	{HINT, PLAIN, "rootfs image is not initramfs (compression method * not configured)",
	 "the initrd is compressed by @, which this kernel cannot unpack: set CONFIG_RD_^, or "
	 "compress it in another way"},
	{HINT, PLAIN, "Initramfs unpacking failed: write error",
	 "the initrd, unpacked, does not fit into the memory: give the machine more (--mem)"},
	{HINT, PLAIN, "rootfs image is not initramfs (write error)",
	 "the initrd, unpacked, does not fit into the memory: give the machine more (--mem)"},
	/* init/initramfs.c, reserve_initrd_mem() */
	{HINT, PLAIN, "INITRD: * is not a memory region",
	 "the kernel did not take the initrd, which is outside of the memory that it knows: look "
	 "for mem= among its parameters"},
	{HINT, PLAIN, "INITRD: * overlaps in-use memory region",
	 "the kernel did not take the initrd, in whose place there is something else: give the "
	 "machine more memory (--mem)"},

	/* init/main.c, kernel_init() and try_to_run_init_process() */
	{HINT, EXEC, "Failed to execute * (error -", NULL},
	{HINT, EXEC, "Starting init: * exists but couldn't execute it (error -", NULL},

	/* fs/squashfs/super.c, supported_squashfs_filesystem() */
	{HINT, PLAIN, "squashfs: SQUASHFS error: Filesystem uses \"*\" compression. This is not",
	 "the squashfs is compressed by @, which this kernel cannot unpack: set CONFIG_SQUASHFS_^"},
	{HINT, PLAIN, "SQUASHFS error: Filesystem uses \"*\" compression. This is not",
	 "the squashfs is compressed by @, which this kernel cannot unpack: set CONFIG_SQUASHFS_^"},
	/* fs/ext4/super.c, ext4_feature_set_ok() */
	{HINT, PLAIN, "EXT4-fs (*): *ouldn't mount *because of unsupported optional features",
	 "the ext4 on @ has features that this kernel is too old for: make it with fewer of them "
	 "(mkfs.ext4 -O ^^metadata_csum_seed,^^orphan_file)"},
	/* fs/ext4/super.c, ext4_check_geometry() */
	{HINT, PLAIN, "EXT4-fs (*): bad geometry: block count",
	 "the ext4 on @ is larger than its disk: the image is cut off, or was made smaller than "
	 "its file system"},
	/* fs/ext4/super.c, ext4_load_super() */
	{HINT, PLAIN, "EXT4-fs (*): unable to read superblock",
	 "@ is too short to hold an ext4, or cannot be read: the image is empty or cut off"},
	/* block/blk-core.c, bio_check_eod() */
	{HINT, PLAIN, "*attempt to access beyond end of device",
	 "a file system is larger than its disk: the image is cut off"},
	/* fs/erofs/super.c, erofs_read_superblock() */
	{HINT, PLAIN, "erofs*cannot find valid erofs superblock",
	 "the disk that should hold an erofs holds none: it is another image, or a damaged one"},
	/* fs/ext4/super.c, __ext4_error() */
	{HINT, PLAIN, "EXT4-fs error (device *):",
	 "the ext4 on @ is damaged: check it with e2fsck, or make the image anew"},
	/* fs/xfs/xfs_mount.c, xfs_sb_validate_common(); fs/btrfs/messages.c */
	{HINT, PLAIN, "XFS (*): Superblock has unknown ",
	 "the XFS on @ has features that this kernel is too old for"},
	{HINT, PLAIN, "BTRFS error (device *",
	 "the btrfs is damaged, or has features that this kernel is too old for"},
	{HINT, PLAIN,
	 "squashfs: SQUASHFS error: ", "the squashfs is damaged or cut off: make the image anew"},
	{HINT, PLAIN,
	 "SQUASHFS error: ", "the squashfs is damaged or cut off: make the image anew"},
	/* block/blk-mq.c, blk_print_req_error() */
	{HINT, PLAIN, "*I/O error, dev *, sector",
	 "a disk, @, could not be read: its image may be cut off, or the host's disk is failing"},

	/* net/9p/client.c, parse_opts(); trans_virtio.c, p9_virtio_create() */
	{HINT, PLAIN, "9pnet: Could not find request transport: virtio",
	 "the kernel has 9P but not over virtio: set CONFIG_NET_9P_VIRTIO"},
	{HINT, PLAIN, "9pnet_virtio: no channels available for device *",
	 "the machine shares no folder by the name @, or the kernel has found none: compare it "
	 "with the share's name, and set CONFIG_VIRTIO_MMIO"},

	/* init/main.c, kernel_init_freeable() */
	{HINT, PLAIN, "check access for rdinit=* failed: -2",
	 "there is no @ in the initrd, or no initrd: add the file, or name another with rdinit="},
	{HINT, PLAIN, "check access for rdinit=* failed: -13",
	 "@ in the initrd may not be executed: chmod +x, and pack it anew"},
	/* init/do_mounts.c, mount_root_generic(); -19 is ENODEV, of a file system */
	{HINT, PLAIN, "VFS: Cannot open root device \"*\" or *: error -19",
	 "the kernel has no driver for the file system on @: set that of rootfstype= "
	 "(CONFIG_EXT4_FS, CONFIG_SQUASHFS, ...) to y"},
	{HINT, PLAIN, "VFS: Cannot open root device \"\" or",
	 "the kernel has no root file system: neither an initrd with /init that it can unpack "
	 "(CONFIG_BLK_DEV_INITRD) nor root= among its parameters"},
	{HINT, PLAIN, "VFS: Cannot open root device \"*\" or",
	 "the kernel finds no disk @: compare root= with the machine's disks, and set "
	 "CONFIG_VIRTIO_MMIO and CONFIG_VIRTIO_BLK to y; modules can only be in an initrd"},
	{HINT, PLAIN, "No filesystem could mount root, tried: ",
	 "the disk of root= holds no file system that the kernel knows: set its driver "
	 "(CONFIG_EXT4_FS, CONFIG_SQUASHFS, ...) to y, and see whether root= is meant to be a "
	 "partition of it"},
	/* init/do_mounts.c, wait_for_root() */
	{HINT, PLAIN, "Waiting for root device *...",
	 "the kernel waits for the disk @ of root=: the machine has no such disk, or the kernel "
	 "no driver for it (CONFIG_VIRTIO_MMIO, CONFIG_VIRTIO_BLK)"},
	/* initramfs-tools, scripts/local; dracut, dracut-initqueue.sh */
	{HINT, PLAIN, "*ALERT! *does not exist. *Dropping to a shell",
	 "the initrd has not found the disk of root=: the machine has no such disk, or the initrd "
	 "lacks the modules virtio_mmio and virtio_blk"},
	{HINT, PLAIN, "*Gave up waiting for root *device",
	 "the initrd has not found the disk of root=: the machine has no such disk, or the initrd "
	 "lacks the modules virtio_mmio and virtio_blk"},
	{HINT, PLAIN, "*dracut*Could not boot",
	 "the initrd has not found the disk of root=: the machine has no such disk, or the initrd "
	 "lacks the modules virtio_mmio and virtio_blk"},
	/* drivers/base/devtmpfs.c, devtmpfs_mount() */
	{HINT, PLAIN, "devtmpfs: error mounting -2",
	 "the root file system has no folder /dev: make one"},
	/* systemd, src/core/main.c, mount_setup() */
	{HINT, PLAIN, "*Failed to mount API filesystems",
	 "the kernel lacks what systemd needs: set CONFIG_CGROUPS, CONFIG_TMPFS, CONFIG_DEVTMPFS "
	 "and what else its README lists"},
	/* init/main.c, console_on_rootfs() */
	{HINT, PLAIN, "Warning: unable to open an initial console",
	 "init has no console, and what it printed is lost: the initrd has no folder /dev or no "
	 "/dev/console, or console= names what the kernel does not have"},
	/* the remaining errors of init/initramfs.c; some come with trailing bytes that do no harm
	 */
	{HINT, PLAIN, "Initramfs unpacking failed: *",
	 "the initrd could not be unpacked (@): it is damaged, cut off, or no cpio archive of the "
	 "kind newc"},
	{HINT, PLAIN, "rootfs image is not initramfs (*)",
	 "the initrd could not be unpacked (@): it is damaged, cut off, or no cpio archive of the "
	 "kind newc"},

	/* init/main.c, run_init_process() */
	{LAST, PLAIN, "Run * as init process",
	 "the kernel came up and began @, which has printed nothing: it hangs, or prints to "
	 "another "
	 "console (console=ttyAMA0)"},
	/* kernel/printk/printk.c, unregister_console() and register_console() */
	{LAST, PLAIN, "printk: *bootconsole [*] disabled",
	 "the kernel prints to another console now: say console=ttyAMA0, and set "
	 "CONFIG_SERIAL_AMBA_PL011_CONSOLE"},
	{LAST, PLAIN, "*console [tty*] enabled",
	 "the kernel prints to a screen that is not there: say console=ttyAMA0, and set "
	 "CONFIG_SERIAL_AMBA_PL011_CONSOLE"},
	/* drivers/firmware/efi/libstub/arm64.c, check_platform_features() */
	{LAST, PLAIN, "*granular kernel is not supported by your CPU",
	 "the kernel's pages have a size that this CPU does not know: set CONFIG_ARM64_4K_PAGES"},

	/* init/do_mounts.c, mount_root_generic(), with the name of root= in newer kernels */
	{WITH, PLAIN, "*not syncing: VFS: Unable to mount root fs on *unknown-block(0,0)",
	 "the kernel has no root file system: no initrd with /init that it can unpack "
	 "(CONFIG_BLK_DEV_INITRD), and no disk that it has a driver for (CONFIG_VIRTIO_MMIO, "
	 "CONFIG_VIRTIO_BLK; modules can only be in an initrd)"},
	{WITH, PLAIN, "*not syncing: VFS: Unable to mount root fs on ",
	 "the disk of root= is there, but not a file system that the kernel knows: set its driver "
	 "(CONFIG_EXT4_FS, CONFIG_SQUASHFS, ...) to y, and see whether root= is meant to be a "
	 "partition of it"},
	{WITH, PLAIN, "*not syncing: VFS: Unable to mount root",
	 "the root file system could not be mounted: compare root= and rootfstype= with what the "
	 "machine has"},
	/* init/main.c, kernel_init() */
	{WITH, PLAIN, "*not syncing: *No working init found",
	 "the root file system has no /sbin/init, /etc/init, /bin/init or /bin/sh that can be "
	 "executed: it is the wrong one, or of another architecture; init= names another program"},
	{PANIC, EXEC, "*not syncing: Requested init * failed (error -", NULL},
	/* init/initramfs.c, do_populate_rootfs(), of what is linked into the kernel */
	{PANIC, PLAIN, "*not syncing: *compression method * not configured",
	 "the initramfs within the kernel is compressed by what the kernel cannot unpack: set its "
	 "CONFIG_RD_ option"},
	/* mm/oom_kill.c, out_of_memory() and check_panic_on_oom() */
	{PANIC, PLAIN, "*not syncing: *System is deadlocked on memory",
	 "there is not enough memory, and no process that could be killed for it: give the machine "
	 "more (--mem)"},
	{PANIC, PLAIN, "*not syncing: *Out of memory",
	 "there is not enough memory: give the machine more (--mem)"},
	/* mm/memblock.c's users, such as arch/arm64/mm/mmu.c and mm/percpu.c */
	{PANIC, PLAIN, "*not syncing: *ailed to allocate ",
	 "there is not enough memory for the kernel itself: give the machine more (--mem)"},
	/* init/initramfs.c, panic_show_mem() */
	{PANIC, PLAIN, "*not syncing: *can't allocate ",
	 "there is not enough memory to unpack the initrd: give the machine more (--mem)"},
	/* mm/kasan/report.c, end_report() */
	{PANIC, PLAIN, "*not syncing: kasan.fault=",
	 "a report of KASAN, told above, is a panic here by kasan.fault"},
	/* kernel/panic.c, check_panic_on_warn(); kernel/exit.c, make_task_dead() */
	{PANIC, PLAIN, "*not syncing: *panic_on_warn set",
	 "a warning, told above, is a panic here by panic_on_warn"},
	{PANIC, PLAIN, "*not syncing: *Oopsed too often",
	 "there were as many oopses as kernel.oops_limit allows; the first, told above, matters"},
	/* kernel/watchdog.c, hung_task.c and rcu/tree_stall.h */
	{PANIC, PLAIN, "*not syncing: *softlockup: hung tasks",
	 "a CPU did not schedule for too long, told above: it loops in the kernel, or the host is "
	 "too busy to run it"},
	{PANIC, PLAIN, "*not syncing: *hung_task: blocked tasks",
	 "a task was blocked for too long, told above: two wait for each other, or a disk is slow"},
	{PANIC, PLAIN, "*not syncing: *RCU Stall",
	 "a CPU or task kept RCU from going on, told above: it loops in the kernel, or the host is "
	 "too busy to run it"},
	{PANIC, PLAIN, "*not syncing: *ard LOCKUP",
	 "a CPU took no interrupts for too long, told above: it loops with them off"},
	/* drivers/tty/sysrq.c, sysrq_handle_crash() */
	{PANIC, PLAIN, "*not syncing: *sysrq triggered crash",
	 "somebody has asked for this crash, by /proc/sysrq-trigger or a key"},
	/* arch/arm64/kernel/traps.c, arm64_serror_panic() and panic_bad_stack() */
	{PANIC, PLAIN, "*not syncing: *Asynchronous SError Interrupt",
	 "the hardware has told of an error (SError): a driver used a register or memory that is "
	 "not there"},
	{PANIC, PLAIN, "*not syncing: *kernel stack overflow",
	 "a stack of the kernel was too small: the call trace tells who calls itself, or has large "
	 "variables"},
	/* kernel/panic.c, __stack_chk_fail() */
	{PANIC, PLAIN, "*not syncing: *stack-protector: Kernel stack is corrupted in",
	 "a function has written behind the end of its variables; the line names it"},
	/* arch/arm64/kernel/traps.c, die(); kernel/exit.c, do_exit() and make_task_dead() */
	{PANIC, PLAIN, "*not syncing: *Fatal exception",
	 "an exception in the kernel, told above, was in an interrupt, or is a panic by "
	 "panic_on_oops"},
	{PANIC, PLAIN, "*not syncing: *Attempted to kill the idle task",
	 "an exception in the kernel, told above, was in what may not end: an idle CPU or the "
	 "boot"},
	{PANIC, PLAIN, "*not syncing: *Aiee, killing interrupt handler",
	 "an exception in the kernel, told above, was in an interrupt"},
};

/* What execve() gave for a program that the kernel is to begin with. */
static const struct {
	int error;
	const char *sentence;
} exec_errors[] = {
	{ENOENT,
	 "it is not there, or what runs it is not (its dynamic loader, or the program behind #!)"},
	{EIO, "its disk cannot be read"},
	{ENOEXEC, "it is of another architecture, or the kernel cannot run its kind: set "
		  "CONFIG_BINFMT_ELF, for scripts CONFIG_BINFMT_SCRIPT, for programs of 32 bits "
		  "CONFIG_COMPAT"},
	{ENOMEM, "there is not enough memory (--mem)"},
	{EACCES, "it may not be executed (chmod +x), or is no file"},
	{ENOTDIR, "a part of its path is no folder"},
	{EINVAL, "its parts are not aligned to the kernel's pages: link it with -z "
		 "max-page-size=65536, or set CONFIG_ARM64_4K_PAGES"},
	{ELOOP, "its links lead in a circle"},
};

static const char silent[] =
	"the kernel has printed nothing: it has no driver for the PL011 "
	"(CONFIG_SERIAL_AMBA_PL011_CONSOLE), or no console=ttyAMA0, or is none for arm64 virtual "
	"machines, or has pages of a size that this CPU does not know, or hangs before it has a "
	"console; earlycon among its parameters makes it print sooner";

/* What process 1 may have died of, by the guest's numbers (asm-generic/signal.h). */
static const struct {
	int signal;
	const char *name, *sentence;
} signals[] = {
	{4, "SIGILL", "it has instructions that this CPU does not know"},
	{5, "SIGTRAP", "it has found itself broken"},
	{6, "SIGABRT", "it has given up, and has perhaps printed why"},
	{7, "SIGBUS", "it used memory behind the end of a file, which may be cut off"},
	{8, "SIGFPE", "it is broken"},
	{9, "SIGKILL", "it was killed, perhaps for lack of memory (--mem)"},
	{11, "SIGSEGV", "it is broken, or for pages of another size than the kernel's"},
	{31, "SIGSYS", "it made a system call that a filter forbids"},
};

/* ---- Clues ------------------------------------------------------------------------------ */

void klog_clues_init(struct klog_clues *clues)
{
	clues->hint.row = clues->fatal.row = SIZE_MAX;
}

static size_t find_reason(const char *text, bool last)
{
	struct klog_match match;

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if ((reasons[i].when == LAST) == last &&
		    klog_match(reasons[i].pattern, text, &match))
			return i;
	}
	return SIZE_MAX;
}

void klog_clues_add(struct klog_clues *clues, const char *text)
{
	size_t row = find_reason(text, false);
	struct klog_match match;
	struct klog_clue *clue;

	/* init/do_mounts.c, do_mount_root(): what stood in its way did not. */
	if (klog_match("VFS: Mounted root (", text, &match))
		clues->hint.row = SIZE_MAX;
	if (row == SIZE_MAX)
		return;
	clue = reasons[row].when == HINT ? &clues->hint : &clues->fatal;
	/* The first panic is the one; of hints the one that stands first. */
	if (clue->row <= row || (clue == &clues->fatal && clue->row != SIZE_MAX))
		return;
	clue->row = row;
	snprintf(clue->line, sizeof(clue->line), "%s", text);
}

/* ---- Sentences -------------------------------------------------------------------------- */

struct sentence {
	size_t size;
	char *text; /* of KLOG_EXPLAIN_MAX */
};

static void put(struct sentence *out, char letter)
{
	if (out->size + 1 < KLOG_EXPLAIN_MAX)
		out->text[out->size++] = letter;
	out->text[out->size] = '\0';
}

static void put_star(struct sentence *out, const struct klog_match *match, bool capitals)
{
	for (size_t i = 0; i < match->star_size; i++) {
		char letter = match->star[i];

		put(out, capitals ? (char)toupper((unsigned char)letter) : letter);
	}
}

static void put_text(struct sentence *out, const char *text, const struct klog_match *match)
{
	for (; *text; text++) {
		if (*text == '^' && text[1] == '^')
			put(out, *text++);
		else if (*text == '@' || *text == '^')
			put_star(out, match, *text == '^');
		else
			put(out, *text);
	}
}

static void put_exec(struct sentence *out, const char *line, const struct klog_match *match)
{
	const char *at = strstr(line, "(error -");
	unsigned long error = at ? strtoul(at + strlen("(error -"), NULL, 10) : 0;
	char number[64];

	put_text(out, "the kernel could not begin @: ", match);
	for (size_t i = 0; i < ARRAY_SIZE(exec_errors); i++) {
		if (error == (unsigned long)exec_errors[i].error) {
			put_text(out, exec_errors[i].sentence, match);
			return;
		}
	}
	snprintf(number, sizeof(number), "it is refused with error %lu", error);
	put_text(out, number, match);
}

static const char *put_reason(struct sentence *out, size_t row, const char *line)
{
	struct klog_match match;

	if (row >= ARRAY_SIZE(reasons) || !klog_match(reasons[row].pattern, line, &match))
		return NULL;
	if (reasons[row].how == EXEC)
		put_exec(out, line, &match);
	else
		put_text(out, reasons[row].sentence, &match);
	return out->text;
}

static const char *signal_sentence(int signal, char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		if (signals[i].signal == signal) {
			snprintf(text, KLOG_EXPLAIN_MAX, "init was ended by signal %d (%s): %s",
				 signal, signals[i].name, signals[i].sentence);
			return text;
		}
	}
	snprintf(text, KLOG_EXPLAIN_MAX, "init was ended by signal %d", signal);
	return text;
}

static const char *status_sentence(int status, char *text)
{
	const char *why = "it has perhaps printed why; the machine's first program must never end";

	if (status == 127)
		why = "a library or a command that it needs is not there";
	else if (status == 126)
		why = "a command that it needs cannot be executed";
	else if (!status)
		why = "the machine's first program must never end; one that has done its work "
		      "calls reboot(RB_POWER_OFF), or poweroff -f";
	snprintf(text, KLOG_EXPLAIN_MAX, "init has ended with status %d: %s", status, why);
	return text;
}

static const char *explain_panic(const struct klog *klog, char *text)
{
	const struct klog_clues *clues = klog_clues_of(klog);
	const struct klog_clue *hint = &clues->hint, *fatal = &clues->fatal;
	struct sentence out = {.text = text};
	const char *why = NULL;
	struct klog_exit end;

	if (klog_init_exit(klog, &end))
		return end.signal ? signal_sentence(end.signal, text)
				  : status_sentence(end.status, text);
	if (fatal->row != SIZE_MAX && reasons[fatal->row].when == WITH)
		why = put_reason(&out, hint->row, hint->line);
	return why ? why : put_reason(&out, fatal->row, fatal->line);
}

static const char *explain_hang(const struct klog *klog, char *text)
{
	const struct klog_clues *clues = klog_clues_of(klog);
	struct sentence out = {.text = text};
	const char *why, *last = klog_last_line(klog);

	if (klog_seen(klog) & (BIT(KLOG_OOPS) | BIT(KLOG_BUG))) {
		snprintf(text, KLOG_EXPLAIN_MAX,
			 "an exception in the kernel, told above, has kept it from going on");
		return text;
	}
	why = put_reason(&out, clues->hint.row, clues->hint.line);
	return why ? why : put_reason(&out, find_reason(last, true), last);
}

const char *klog_explain(const struct klog *klog, bool printed, char text[static KLOG_EXPLAIN_MAX])
{
	if (klog_panic(klog))
		return explain_panic(klog, text);
	if (!printed && !*klog_last_line(klog)) {
		snprintf(text, KLOG_EXPLAIN_MAX, "%s", silent);
		return text;
	}
	return explain_hang(klog, text);
}
