/* SPDX-License-Identifier: Apache-2.0 */
/* The initrd, and the boot_file below it. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/boot_file.h"
#include "boot/initrd.h"
#include "kernel_bytes.h"
#include "unit.h"

#define RAM_BASE UINT64_C(0x40000000)
#define RAM_SIZE (64 * KIB)

static uint8_t ram[RAM_SIZE];
static const struct guest_mem mem = {.base = RAM_BASE, .size = RAM_SIZE, .host = ram};

/* The initrd that @fd reads; @fd stays open. */
static int open_fd(int fd, struct initrd **ret, struct error *err)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	return initrd_open(path, ret, err);
}

START_TEST(test_load)
{
	_cleanup_bytes_ struct bytes bytes = bytes_pattern(5000);
	_cleanup_close_ int fd = bytes_fd(&bytes, bytes.size);
	_cleanup_(cleanup_initrd_close_) struct initrd *initrd = NULL;
	gpa_t top = RAM_BASE + RAM_SIZE - 5000;

	ck_assert_int_eq(open_fd(fd, &initrd, NULL), 0);
	ck_assert_uint_eq(initrd_size(initrd), 5000);
	for (int again = 0; again < 2; again++) {
		memset(ram, 0, sizeof(ram));
		ck_assert_int_eq(initrd_load(initrd, &mem, top, NULL), 0);
		ck_assert_mem_eq(ram + RAM_SIZE - 5000, bytes.data, 5000);
		ck_assert_uint_eq(ram[RAM_SIZE - 5001], 0);
	}
	ck_assert_int_eq(initrd_load(initrd, &mem, top + 1, NULL), -EFAULT);
	ck_assert_int_eq(initrd_load(initrd, &mem, RAM_BASE - 1, NULL), -EFAULT);
}
END_TEST

START_TEST(test_pipe)
{
	_cleanup_bytes_ struct bytes bytes = bytes_pattern(5000);
	_cleanup_(cleanup_initrd_close_) struct initrd *initrd = NULL;
	_cleanup_close_ int reader = -EBADF;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	reader = ends[0];
	ck_assert_int_eq(write(ends[1], bytes.data, bytes.size), (ssize_t)bytes.size);
	close(ends[1]);
	ck_assert_int_eq(open_fd(reader, &initrd, NULL), 0);
	ck_assert_uint_eq(initrd_size(initrd), 5000);
	for (int again = 0; again < 2; again++) {
		memset(ram, 0, sizeof(ram));
		ck_assert_int_eq(initrd_load(initrd, &mem, RAM_BASE, NULL), 0);
		ck_assert_mem_eq(ram, bytes.data, bytes.size);
	}
}
END_TEST

/* Files of /proc have no size, and yet a content. */
START_TEST(test_proc)
{
	_cleanup_(cleanup_initrd_close_) struct initrd *initrd = NULL;

	ck_assert_int_eq(initrd_open("/proc/self/status", &initrd, NULL), 0);
	ck_assert_uint_gt(initrd_size(initrd), 0);
	ck_assert_int_eq(initrd_load(initrd, &mem, RAM_BASE, NULL), 0);
	ck_assert_mem_eq(ram, "Name:", 5);
}
END_TEST

START_TEST(test_changed)
{
	_cleanup_bytes_ struct bytes bytes = bytes_pattern(5000);
	_cleanup_close_ int fd = bytes_fd(&bytes, bytes.size);
	_cleanup_(cleanup_initrd_close_) struct initrd *initrd = NULL;
	struct error err = {0};

	ck_assert_int_eq(open_fd(fd, &initrd, NULL), 0);
	ck_assert_int_eq(ftruncate(fd, 4000), 0);
	ck_assert_int_eq(initrd_load(initrd, &mem, RAM_BASE, &err), -ESTALE);
	ck_assert_msg(strncmp(err.text, "initrd '/dev/fd/", 16) == 0, "%s", err.text);
	ck_assert_ptr_nonnull(strstr(err.text, "was changed"));
}
END_TEST

/* A file that shrinks after it was looked at. */
START_TEST(test_short_read)
{
	_cleanup_bytes_ struct bytes bytes = bytes_pattern(100);
	_cleanup_(boot_file_close) struct boot_file file = BOOT_FILE_INIT;
	int fd = bytes_fd(&bytes, bytes.size);
	struct error err = {0};
	uint8_t data[100];

	ck_assert_int_eq(boot_file_adopt("initrd", "test/initrd", fd, &file, NULL), 0);
	ck_assert_int_eq(ftruncate(fd, 50), 0);
	ck_assert_int_eq(boot_file_read(&file, 0, data, 50, &err), 0);
	ck_assert_int_eq(boot_file_read(&file, 0, data, 51, &err), -EIO);
	ck_assert_ptr_nonnull(strstr(err.text, "initrd 'test/initrd' ends early"));
}
END_TEST

static const struct {
	const char *path;
	int code;
	const char *word;
} paths[] = {
	{"/nonexistent/initrd", -ENOENT, "cannot be opened: No such file"},
	{"/tmp", -EISDIR, "is a directory"},
	{"/dev/zero", -EINVAL, "is a device"},
};

START_TEST(test_refused)
{
	struct initrd *initrd = NULL;
	struct error err = {0};

	ck_assert_int_eq(initrd_open(paths[_i].path, &initrd, &err), paths[_i].code);
	ck_assert_ptr_null(initrd);
	ck_assert_ptr_nonnull(strstr(err.text, paths[_i].path));
	ck_assert_ptr_nonnull(strstr(err.text, paths[_i].word));
	initrd_close(NULL);
}
END_TEST

const char unit_name[] = "initrd";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_load),
	UNIT_CASE(test_pipe),
	UNIT_CASE(test_proc),
	UNIT_CASE(test_changed),
	UNIT_CASE(test_short_read),
	UNIT_LOOP(test_refused, ARRAY_SIZE(paths)),
	{0},
};
