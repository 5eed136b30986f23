/* SPDX-License-Identifier: Apache-2.0 */
/* What disk_open() refuses, what it makes of a file, and who else may have it. */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"
#include "disk_bench.h"
#include "disk_format.h"
#include "unit.h"

#define SIZE (64 * KIB)

/* ---- Refusals ------------------------------------------------------------- */

static const char *missing(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/missing", disk_directory());
	return path;
}

static const char *empty(void)
{
	return disk_file("empty", 0);
}

static const char *odd(void)
{
	return disk_file("odd", 1000);
}

static const char *whole(void)
{
	return disk_file("whole", SIZE);
}

static const char *a_pipe(void)
{
	const char *path = whole();

	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	return path;
}

static const char *a_socket(void)
{
	const char *path = whole();
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	unlink(path);
	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	return path;
}

static const char *a_device(void)
{
	return "/dev/null";
}

static const char *unwritable(void)
{
	const char *path = whole();

	chmod(path, 0400);
	return path;
}

static const char *unreadable(void)
{
	const char *path = whole();

	chmod(path, 0);
	return path;
}

static const struct refusal {
	const char *(*path)(void);
	struct disk_options options;
	int code;
	const char *sentence; /* %s: the path */
	bool not_root;        /* root may do it */
} refusals[] = {
	{missing,
	 {0},
	 ENOENT,
	 "--disk %s: there is no such file; a new disk is made by truncate -s 10G '%s'",
	 false},
	{disk_directory,
	 {0},
	 EISDIR,
	 "--disk %s: this is a directory; name a disk image or a block device",
	 false},
	{a_pipe,
	 {0},
	 EINVAL,
	 "--disk %s: this is a pipe; name a disk image or a block device",
	 false},
	{a_socket,
	 {.read_only = true},
	 EINVAL,
	 "--disk %s: this is a socket; name a disk image or a block device",
	 false},
	{a_device,
	 {0},
	 EINVAL,
	 "--disk %s: this is a character device; name a disk image or a block device",
	 false},
	{empty,
	 {0},
	 ENODATA,
	 "--disk %s: it has no bytes; give it a size, as by truncate -s 10G",
	 false},
	{odd,
	 {0},
	 EINVAL,
	 "--disk %s: its size is 488 bytes more than a multiple of 512; lengthen it by truncate "
	 "-s 1024",
	 false},
	{whole,
	 {.block_size = 65536 * 2},
	 EINVAL,
	 "--disk %s: blocks cannot have 131072 bytes; give a power of two from 512 to 65536",
	 false},
	{whole,
	 {.block_size = 3000},
	 EINVAL,
	 "--disk %s: blocks cannot have 3000 bytes; give a power of two from 512 to 65536",
	 false},
	{whole,
	 {.block_size = 4096, .physical_block_size = 256},
	 EINVAL,
	 "--disk %s: blocks cannot have 256 bytes; give a power of two from 512 to 65536",
	 false},
	{whole,
	 {.block_size = 4096, .physical_block_size = 512},
	 EINVAL,
	 "--disk %s: a physical block of 512 bytes cannot hold a logical one of 4096; give it at "
	 "least that size",
	 false},
	{unwritable,
	 {0},
	 EACCES,
	 "--disk %s: it cannot be written: Permission denied; add ,ro to use it without writing, "
	 "or ,ephemeral to forget what is written",
	 true},
	{unreadable,
	 {.read_only = true},
	 EACCES,
	 "--disk %s: it cannot be opened for reading: Permission denied",
	 true},
	{unreadable,
	 {0},
	 EACCES,
	 "--disk %s: it cannot be opened for reading and writing: Permission denied",
	 true},
};

static void check_refused(const struct disk_options *options, int code, const char *sentence)
{
	struct disk *disk = NULL;
	struct error err = {0};

	ck_assert_int_eq(disk_open(options, &disk, &err), -code);
	ck_assert_str_eq(err.text, sentence);
	ck_assert_int_eq(err.code, code);
	ck_assert_ptr_null(disk);
}

START_TEST(test_refused)
{
	const struct refusal *row = &refusals[_i];
	struct disk_options options = row->options;
	char sentence[ERROR_TEXT_MAX];

	options.path = row->path();
	/* In a child of its own, so that this is for good. */
	if (row->not_root && geteuid() == 0) {
		ck_assert_int_eq(chmod(disk_directory(), 0711), 0);
		if (chown(options.path, 65534, 65534) < 0 || seteuid(65534) < 0)
			return;
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(sentence, sizeof(sentence), row->sentence, options.path, options.path);
#pragma GCC diagnostic pop
	check_refused(&options, row->code, sentence);
	if (geteuid() != getuid())
		ck_assert_int_eq(seteuid(getuid()), 0);
}
END_TEST

/* ---- What is told of a file ----------------------------------------------- */

static struct disk *open_disk(const struct disk_options *options)
{
	struct disk *disk = NULL;
	struct error err = {0};

	ck_assert_msg(disk_open(options, &disk, &err) == 0, "%s", err.text);
	return disk;
}

START_TEST(test_info)
{
	struct disk_options options = {.path = whole()};
	struct disk *disk = open_disk(&options);

	ck_assert_uint_eq(disk->info.size, SIZE);
	ck_assert_uint_eq(disk->info.logical_block, 512);
	ck_assert_uint_ge(disk->info.physical_block, 512);
	ck_assert_uint_le(disk->info.physical_block, 65536);
	ck_assert_uint_eq(disk->info.optimal_io, 0);
	ck_assert(disk->info.write_cache);
	disk_destroy(disk);
	disk_destroy(NULL);
	options.block_size = 4096;
	options.physical_block_size = 16384;
	options.read_only = true;
	disk = open_disk(&options);
	ck_assert_uint_eq(disk->info.logical_block, 4096);
	ck_assert_uint_eq(disk->info.physical_block, 16384);
	ck_assert_uint_eq(disk->info.discard_granularity, 0);
	ck_assert(!disk->info.write_zeroes && disk->info.read_only);
	disk_destroy(disk);
}
END_TEST

/* ---- Formats -------------------------------------------------------------- */

static const struct {
	uint64_t at;
	const char *bytes;
	const char *format;
} contents[] = {
	{0, "QFI\xfb\0\0\0\1", "qcow"},  {0, "QFI\xfb\0\0\0\2", "qcow2"},
	{0, "QFI\xfb\0\0\0\3", "qcow2"}, {0, "KDMV\1\0\0\0", "vmdk"},
	{0, "vhdxfile", "vhdx"},         {0, "conectix", "vpc"},
	{SIZE - 512, "conectix", "vpc"}, {SIZE - 1024, "conectix", NULL},
	{0, "QED\0\0\0\0\0", "qed"},     {64, "\x7f\x10\xda\xbe\1\0\0\0", "vdi"},
	{0, "LUKS\xba\xbe\0\1", NULL}, /* the guest's to open */
	{1, "QFI\xfb\0\0\0\3", NULL},    {510, "\x55\xaa\0\0\0\0\0\0", NULL},
};

START_TEST(test_contents)
{
	const char *format = NULL;
	int fd = open(disk_file("content", SIZE), O_RDWR | O_CLOEXEC);

	ck_assert_int_eq(pwrite(fd, contents[_i].bytes, 8, (off_t)contents[_i].at), 8);
	ck_assert_int_eq(disk_format_of_file(fd, SIZE, &format), 0);
	ck_assert_pstr_eq(format, contents[_i].format);
	close(fd);
	ck_assert_int_eq(disk_format_of_file(fd, SIZE, &format), -EBADF);
}
END_TEST

/* ---- Engines -------------------------------------------------------------- */

/* As in many containers, where io_uring_setup() gives EPERM. */
static bool forbid_io_uring(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

START_TEST(test_no_io_uring)
{
	struct disk_options options = {.path = whole()};
	struct disk_bench bench;
	struct error err = {0};
	char sentence[ERROR_TEXT_MAX];

	if (!forbid_io_uring())
		return;
	ck_assert_int_eq(bench_open(&bench, &options, &err), 0);
	bench_check_pattern(&bench, SIZE);
	bench_close(&bench);
	options.aio = DISK_AIO_URING;
	snprintf(sentence, sizeof(sentence),
		 "--disk %s: this host has no io_uring for us: Operation not permitted; leave out "
		 "aio=io_uring, and threads are used",
		 options.path);
	ck_assert_int_eq(bench_open(&bench, &options, &err), -EPERM);
	ck_assert_str_eq(err.text, sentence);
}
END_TEST

/* ---- Locks ---------------------------------------------------------------- */

/* Whether the second can be opened beside the first: r reads, w writes, e is ephemeral. */
static const struct pair {
	char first, second;
	const char *refused; /* how the sentence goes on */
} pairs[] = {
	{'r', 'r', NULL},
	{'r', 'e', NULL},
	{'e', 'r', NULL},
	{'e', 'e', NULL},
	{'r', 'w', "another program uses it, so it cannot be written"},
	{'w', 'r', "another program has it open for writing"},
	{'w', 'w', "another program has it open for writing"},
	{'w', 'e', "another program has it open for writing"},
};

static struct disk_options options_of(const char *path, char way)
{
	return (struct disk_options){
		.path = path, .read_only = way == 'r', .ephemeral = way == 'e'};
}

START_TEST(test_locks)
{
	const struct pair *pair = &pairs[_i];
	const char *path = whole();
	struct disk_options first = options_of(path, pair->first);
	struct disk_options second = options_of(path, pair->second);
	struct disk *one = open_disk(&first), *other = NULL;
	struct error err = {0};
	int r = disk_open(&second, &other, &err);

	ck_assert_int_eq(r, pair->refused ? -EBUSY : 0);
	if (pair->refused)
		ck_assert_ptr_nonnull(strstr(err.text, pair->refused));
	disk_destroy(one);
	disk_destroy(other);
	/* All is given back. */
	disk_destroy(open_disk(&second));
}
END_TEST

static bool shell(const char *format, const char *path)
{
	char command[256];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(command, sizeof(command), format, path);
#pragma GCC diagnostic pop
	return system(command) == 0;
}

/* QEMU's own tools see our locks, and we see theirs. */
START_TEST(test_locks_of_qemu)
{
	struct disk_options options = {.path = whole()};
	struct disk *disk = NULL;
	struct error err = {0};
	FILE *holder;
	char command[256];

	if (!disk_have("qemu-io"))
		return;
	disk = open_disk(&options);
	ck_assert(shell("qemu-io -f raw -c 'write 0 512' '%s' 2>&1 | "
			"grep -q 'Failed to get \"write\" lock'",
			options.path));
	disk_destroy(disk);
	options.read_only = true;
	disk = open_disk(&options);
	ck_assert(shell("qemu-io -f raw -c 'write 0 512' '%s' 2>&1 | "
			"grep -q 'Failed to get \"write\" lock'",
			options.path));
	ck_assert(shell("qemu-io -r -f raw -c 'read 0 512' '%s' >/dev/null", options.path));
	disk_destroy(disk);
	snprintf(command, sizeof(command), "qemu-io -f raw '%s' >/dev/null", options.path);
	holder = popen(command, "w");
	/* It has the lock when the disk is refused for it. */
	for (int i = 0; i < 500 && disk_open(&options, &disk, &err) == 0; i++) {
		disk_destroy(disk);
		usleep(10000);
	}
	ck_assert_int_eq(err.code, EBUSY);
	fputs("quit\n", holder);
	pclose(holder);
	disk_destroy(open_disk(&options));
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_refused, ARRAY_SIZE(refusals)),
	UNIT_CASE(test_info),
	UNIT_LOOP(test_contents, ARRAY_SIZE(contents)),
	UNIT_CASE(test_no_io_uring),
	UNIT_LOOP(test_locks, ARRAY_SIZE(pairs)),
	UNIT_CASE(test_locks_of_qemu),
	{0},
};
const char unit_name[] = "disk_open";
