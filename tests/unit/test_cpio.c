/* SPDX-License-Identifier: Apache-2.0 */
/* Archives for the kernel: bytes as the format has them, and as cpio(1) finds them. */
#include "boot/cpio.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

static struct cpio *fresh(void)
{
	struct cpio *cpio = NULL;

	ck_assert_int_eq(cpio_create(&cpio), 0);
	return cpio;
}

START_TEST(test_bytes)
{
	_cleanup_(cleanup_cpio_destroy_) struct cpio *cpio = fresh();
	const char *bytes;
	const void *data;
	size_t size;

	ck_assert_int_eq(cpio_add_file(cpio, "init", 0755, "hello", 5), 0);
	ck_assert_int_eq(cpio_finish(cpio, &data, &size), 0);
	bytes = data;
	ck_assert_uint_eq(size, 512);
	ck_assert_mem_eq(bytes,
			 "070701"
			 "00000001"
			 "000081ed"
			 "00000000"
			 "00000000"
			 "00000001"
			 "00000000"
			 "00000005"
			 "00000000"
			 "00000000"
			 "00000000"
			 "00000000"
			 "00000005"
			 "00000000"
			 "init\0\0hello\0\0\0"
			 "070701",
			 110 + 6 + 8 + 6);
	/* It ends as the format wants. */
	ck_assert_str_eq(bytes + 124 + 110, "TRAILER!!!");
	for (size_t i = 124 + 110 + 11; i < size; i++)
		ck_assert_int_eq(bytes[i], 0);
}
END_TEST

/* What cpio(1) lists. */
START_TEST(test_listed)
{
	static const char wanted[] = "bin\nbin/sh\nusr\nusr/lib\nusr/lib/a.so\nusr/lib/b.so\ndev\n"
				     "dev/console\nempty\ntmp\n";
	_cleanup_(cleanup_cpio_destroy_) struct cpio *cpio = fresh();
	char *big = malloc(100000);
	char name[64], command[256], list[1024] = "";
	const void *data;
	size_t size;
	FILE *file;

	memset(big, 'x', 100000);
	ck_assert_int_eq(cpio_add_file(cpio, "bin/sh", 0755, big, 100000), 0);
	ck_assert_int_eq(cpio_add_file(cpio, "usr/lib/a.so", 0644, "a", 1), 0);
	ck_assert_int_eq(cpio_add_link(cpio, "usr/lib/b.so", "a.so"), 0);
	ck_assert_int_eq(cpio_add_device(cpio, "dev/console", 0600, 5, 1), 0);
	ck_assert_int_eq(cpio_add_file(cpio, "empty", 0600, NULL, 0), 0);
	ck_assert_int_eq(cpio_add_folder(cpio, "tmp", 01777), 0);
	ck_assert_int_eq(cpio_add_folder(cpio, "usr/lib", 0700), 0); /* it is there */
	ck_assert_int_eq(cpio_finish(cpio, &data, &size), 0);
	free(big);
	if (access("/bin/cpio", X_OK) && access("/usr/bin/cpio", X_OK))
		return;
	snprintf(name, sizeof(name), "archive.%d", (int)getpid());
	file = fopen(name, "w");
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	fclose(file);
	snprintf(command, sizeof(command), "cpio --quiet -t <%s && cpio --quiet -tv <%s", name,
		 name);
	file = popen(command, "r");
	ck_assert_uint_gt(fread(list, 1, sizeof(list) - 1, file), sizeof(wanted));
	ck_assert_int_eq(pclose(file), 0);
	unlink(name);
	ck_assert_int_eq(strncmp(list, wanted, sizeof(wanted) - 1), 0);
	ck_assert_ptr_nonnull(strstr(list, "crw-------   1 root     root       5,   1"));
	ck_assert_ptr_nonnull(strstr(list, "usr/lib/b.so -> a.so"));
	ck_assert_ptr_nonnull(strstr(list, "drwxrwxrwt"));
}
END_TEST

static const char *const bad_paths[] = {"",   "/",    "/init",  "a/",  "a//b", ".",
					"..", "../a", "a/../b", "a/.", "./a"};

START_TEST(test_bad_path)
{
	_cleanup_(cleanup_cpio_destroy_) struct cpio *cpio = fresh();
	const void *data;
	size_t size;

	ck_assert_int_eq(cpio_add_file(cpio, bad_paths[_i], 0644, "x", 1), -EINVAL);
	ck_assert_int_eq(cpio_add_folder(cpio, bad_paths[_i], 0755), -EINVAL);
	ck_assert_int_eq(cpio_add_link(cpio, bad_paths[_i], "x"), -EINVAL);
	ck_assert_int_eq(cpio_add_device(cpio, bad_paths[_i], 0600, 1, 3), -EINVAL);
	ck_assert_int_eq(cpio_add_file(cpio, "..a/b..", 0644, "x", 1), 0);
	ck_assert_int_eq(cpio_finish(cpio, &data, &size), 0);
	ck_assert_ptr_null(memmem(data, size, "0644x", 5));
}
END_TEST

START_TEST(test_too_large)
{
	_cleanup_(cleanup_cpio_destroy_) struct cpio *cpio = fresh();

	ck_assert_int_eq(cpio_add_file(cpio, "a/b", 0644, "", (size_t)UINT32_MAX + 1), -EFBIG);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_bytes),
	UNIT_CASE(test_listed),
	UNIT_LOOP(test_bad_path, ARRAY_SIZE(bad_paths)),
	UNIT_CASE(test_too_large),
	{0},
};

const char unit_name[] = "cpio";
