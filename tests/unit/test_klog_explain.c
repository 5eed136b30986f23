/* SPDX-License-Identifier: Apache-2.0 */
/* Why kernels on arm64 panic or do not come up, by what they have printed. */
#include <string.h>

#include "trial/klog.h"
#include "unit.h"

static struct klog *klog;

static void begin(void)
{
	klog_destroy(klog);
	klog = NULL;
	ck_assert_int_eq(klog_create(&klog), 0);
}

static void feed(const char *log)
{
	klog_feed(klog, KLOG_CONSOLE, (const uint8_t *)log, strlen(log));
}

static void end(void)
{
	klog_finish(klog);
}

/* ---- Why -------------------------------------------------------------------------------- */

#define PANIC  "[    1.000000] Kernel panic - not syncing: "
#define NOROOT PANIC "VFS: Unable to mount root fs on unknown-block(0,0)\n"
#define KILLED PANIC "Attempted to kill init! exitcode="

static const struct {
	const char *log, *why; /* NULL: nobody knows */
} explained[] = {
	{"", "CONFIG_SERIAL_AMBA_PL011"},
	{"Linux\n", NULL},
	{PANIC "something else\n", NULL},
	{NOROOT, "no root file system: no initrd"},
	{PANIC "VFS: Unable to mount root fs on \"/dev/vda\" or unknown-block(0,0)\n",
	 "CONFIG_VIRTIO_BLK"},
	{PANIC "VFS: Unable to mount root fs on unknown-block(254,0)\n", "CONFIG_EXT4_FS"},
	{"Initramfs unpacking failed: compression method zstd not configured\n" NOROOT,
	 "compressed by zstd, which this kernel cannot unpack: set CONFIG_RD_ZSTD, or"},
	{"rootfs image is not initramfs (compression method xz not configured); looks like an "
	 "initrd\n" NOROOT,
	 "CONFIG_RD_XZ"},
	{"Initramfs unpacking failed: write error\n" NOROOT, "--mem"},
	{"Initramfs unpacking failed: invalid magic at start of compressed archive\n" NOROOT,
	 "could not be unpacked (invalid magic at start of compressed archive)"},
	{"check access for rdinit=/init failed: -2, ignoring\n" NOROOT, "no /init in the initrd"},
	{"VFS: Cannot open root device \"vda1\" or unknown-block(0,0): error -6\n" NOROOT,
	 "finds no disk vda1: compare root="},
	{"VFS: Cannot open root device \"\" or unknown-block(0,0): error -6\n" NOROOT,
	 "nor root= among its parameters"},
	{"VFS: Cannot open root device \"/dev/vda\" or unknown-block(254,0): error -19\n" PANIC
	 "VFS: Unable to mount root fs on unknown-block(254,0)\n",
	 "no driver for the file system on /dev/vda"},
	/* The cause counts, whatever comes first. */
	{"VFS: Cannot open root device \"vda\" or unknown-block(254,0): error -5\n"
	 "EXT4-fs (vda): bad geometry: block count 65536 exceeds size of device (1024 "
	 "blocks)\n" NOROOT,
	 "ext4 on vda is larger than its disk"},
	{"EXT4-fs (vda): couldn't mount RDWR because of unsupported optional features "
	 "(10000)\n" NOROOT,
	 "-O ^metadata_csum_seed"},
	{"EXT4-fs (vda): unable to read superblock\n" NOROOT, "empty or cut off"},
	{"squashfs: SQUASHFS error: Filesystem uses \"zstd\" compression. This is not "
	 "supported\n" NOROOT,
	 "CONFIG_SQUASHFS_ZSTD"},
	{"erofs (device vda): cannot find valid erofs superblock\n" NOROOT, "holds none"},
	{"9pnet: Could not find request transport: virtio\n" NOROOT, "CONFIG_NET_9P_VIRTIO"},
	/* What was overcome is no reason. */
	{"Initramfs unpacking failed: write error\n"
	 "VFS: Mounted root (ext4 filesystem) on device 254:0.\n" PANIC
	 "No working init found.  Try passing init= option to kernel.\n",
	 "has no /sbin/init"},
	{"Failed to execute /init (error -8)\n" PANIC "No working init found.  Try\n",
	 "could not begin /init: it is of another architecture"},
	{"Failed to execute /init (error -2)\n" PANIC "No working init found.  Try\n",
	 "dynamic loader"},
	{"Starting init: /sbin/init exists but couldn't execute it (error -13)\n" PANIC
	 "No working init found.  Try\n",
	 "could not begin /sbin/init: it may not be executed"},
	{PANIC "Requested init /bin/x failed (error -22).\n", "begin /bin/x: its parts are not"},
	{PANIC "Requested init /bin/x failed (error -99).\n", "with error 99"},
	{PANIC "System is deadlocked on memory\n", "--mem"},
	{PANIC "Out of memory: compulsory panic_on_oom is enabled\n", "--mem"},
	{PANIC "sparse_buffer_init: Failed to allocate 67108864 bytes align=0x1000\n", "--mem"},
	{KILLED "0x0000000b\n", "signal 11 (SIGSEGV)"},
	{KILLED "0x00000004\n", "instructions that this CPU does not know"},
	{KILLED "0x0000008b\n", "signal 11 (SIGSEGV)"},
	{KILLED "0x00000022\n", "ended by signal 34"},
	{KILLED "0x00007f00\n", "status 127: a library or a command"},
	{KILLED "0x00007e00\n", "status 126"},
	{KILLED "0x00000100\n", "status 1: "},
	{KILLED "0x00000000\n", "poweroff -f"},
	{PANIC "Oops: Fatal exception\n", "panic_on_oops"},
	/* A hint is none for a panic of another sort. */
	{"EXT4-fs error (device vda): x\n" PANIC "sysrq triggered crash\n", "asked for"},
	{"EXT4-fs error (device vda): x\n" PANIC "unheard of\n", NULL},
	{PANIC "kernel: panic_on_warn set ...\n", "a warning, told above"},
	/* It hangs. */
	{"Waiting for root device /dev/vda2...\nrandom: crng init done\n",
	 "waits for the disk /dev/vda2 of root="},
	{"[    0.5] Run /init as init process\n", "began /init, which has printed nothing"},
	{"Run /init as init process\nhello\n", NULL},
	{"[    0.1][    T0] printk: legacy bootconsole [pl11] disabled\n", "console=ttyAMA0"},
	{"ALERT!  /dev/vda1 does not exist.  Dropping to a shell!\n", "modules virtio_mmio"},
	{"Internal error: Oops: 0 [#1] SMP\nmore\n", "has kept it from going on"},
};

START_TEST(test_explain)
{
	char text[KLOG_EXPLAIN_MAX];
	const char *why;

	begin();
	feed(explained[_i].log);
	end();
	why = klog_explain(klog, explained[_i].log[0] != '\0', text);
	if (!explained[_i].why) {
		ck_assert_ptr_null(why);
		return;
	}
	ck_assert_ptr_nonnull(why);
	if (!strstr(why, explained[_i].why))
		ck_abort_msg("%s", why);
	/* A sentence that another one may hold. */
	ck_assert_ptr_null(strpbrk(why, "@\n"));
	ck_assert_int_ne(why[strlen(why) - 1], '.');
}
END_TEST

START_TEST(test_explain_long)
{
	char text[KLOG_EXPLAIN_MAX];

	begin();
	feed("Initramfs unpacking failed: compression method ");
	for (unsigned i = 0; i < KLOG_TEXT_MAX - 100; i++)
		feed("x");
	feed(" not configured\n");
	ck_assert_ptr_nonnull(klog_explain(klog, true, text));
	ck_assert_uint_eq(strlen(text), KLOG_EXPLAIN_MAX - 1);
}
END_TEST

START_TEST(test_init_exit)
{
	struct klog_exit exit = {-1, -1};

	begin();
	ck_assert(!klog_init_exit(klog, &exit));
	ck_assert_int_eq(exit.signal, -1);
	feed(KILLED "0x00000300\n" KILLED "0x0000000b\n");
	ck_assert(klog_init_exit(klog, &exit));
	ck_assert_int_eq(exit.signal, 0);
	ck_assert_int_eq(exit.status, 3);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_explain, ARRAY_SIZE(explained)),
	UNIT_CASE(test_explain_long),
	UNIT_CASE(test_init_exit),
	{0},
};

const char unit_name[] = "klog_explain";
