/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <string.h>

#include "unit.h"

START_TEST(test_set)
{
	struct error err = {0};

	ck_assert_int_eq(error_set(&err, EINVAL, "--mem: '%s' is not a size", "12Q"), -EINVAL);
	ck_assert_int_eq(err.code, EINVAL);
	ck_assert_str_eq(err.text, "--mem: '12Q' is not a size");
	/* A later sentence replaces the first. */
	ck_assert_int_eq(error_set(&err, ENOMEM, "no room"), -ENOMEM);
	ck_assert_int_eq(err.code, ENOMEM);
	ck_assert_str_eq(err.text, "no room");
}
END_TEST

START_TEST(test_set_errno)
{
	struct error err = {0};

	ck_assert_int_eq(error_set_errno(&err, ENOENT, "'%s' cannot be opened", "Image"), -ENOENT);
	ck_assert_str_eq(err.text, "'Image' cannot be opened: No such file or directory");
}
END_TEST

START_TEST(test_nobody_listens)
{
	ck_assert_int_eq(error_set(NULL, EIO, "lost"), -EIO);
	ck_assert_int_eq(error_set_errno(NULL, EIO, "lost"), -EIO);
}
END_TEST

START_TEST(test_prefix)
{
	struct error err = {0};

	error_set(&err, EACCES, "permission is denied");
	ck_assert_int_eq(error_prefix(&err, "vCPU %d: ", 3), -EACCES);
	ck_assert_str_eq(err.text, "vCPU 3: permission is denied");
}
END_TEST

/* Too long is cut, wherever the length comes from. */
START_TEST(test_cut)
{
	char much[2 * ERROR_TEXT_MAX];
	struct error err = {0};

	memset(much, 'x', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	error_set(&err, EINVAL, "%s", much);
	ck_assert_uint_eq(strlen(err.text), ERROR_TEXT_MAX - 1);
	error_set_errno(&err, EINVAL, "%s", much);
	ck_assert_uint_eq(strlen(err.text), ERROR_TEXT_MAX - 1);
	error_prefix(&err, "front: ");
	ck_assert_uint_eq(strlen(err.text), ERROR_TEXT_MAX - 1);
	ck_assert_int_eq(strncmp(err.text, "front: xxx", 10), 0);
	error_prefix(&err, "%s", much);
	ck_assert_uint_eq(strlen(err.text), ERROR_TEXT_MAX - 1);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_set),    UNIT_CASE(test_set_errno), UNIT_CASE(test_nobody_listens),
	UNIT_CASE(test_prefix), UNIT_CASE(test_cut),       {0},
};
const char unit_name[] = "error";
