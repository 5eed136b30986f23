/* SPDX-License-Identifier: Apache-2.0 */
#include "core/guest_mem.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "unit.h"

#define BASE UINT64_C(0x40000000)

static const struct guest_mem_options plain;

static struct guest_mem *make(uint64_t size)
{
	struct guest_mem *mem = NULL;
	struct error err = {0};

	ck_assert_msg(guest_mem_create(BASE, size, &plain, &mem, &err) == 0, "%s", err.text);
	return mem;
}

static const uint64_t sizes[] = {64 * KIB, 2 * MIB, 16 * MIB, 16 * MIB + 64 * KIB, 3 * MIB};

START_TEST(test_create)
{
	struct guest_mem *mem = make(sizes[_i]);

	ck_assert_uint_eq(mem->base, BASE);
	ck_assert_uint_eq(mem->size, sizes[_i]);
	ck_assert_uint_eq(guest_mem_end(mem), BASE + sizes[_i]);
	ck_assert(is_aligned((uintptr_t)mem->host, GUEST_MEM_ALIGN));
	for (uint64_t at = 0; at < mem->size; at += 64 * KIB)
		ck_assert_uint_eq(mem->host[at], 0);
	mem->host[mem->size - 1] = 1;
	guest_mem_destroy(mem);
	guest_mem_destroy(NULL);
}
END_TEST

/* All of it is RAM, or nothing is: ends, wraps, zero sizes. */
static const struct {
	gpa_t addr;
	uint64_t size;
	bool there;
} at_rows[] = {
	{BASE, 0, true},
	{BASE, 1, true},
	{BASE, 2 * MIB, true},
	{BASE, 2 * MIB + 1, false},
	{BASE + 1, 2 * MIB, false},
	{BASE + 2 * MIB - 1, 1, true},
	{BASE + 2 * MIB - 1, 2, false},
	{BASE + 2 * MIB, 0, true},
	{BASE + 2 * MIB, 1, false},
	{BASE + 2 * MIB + 1, 0, false},
	{BASE - 1, 1, false},
	{BASE - 1, 2, false},
	{0, UINT64_MAX, false},
	{BASE, UINT64_MAX, false},
	{BASE + 1, UINT64_MAX, false},
	{UINT64_MAX, 1, false},
	{UINT64_MAX, UINT64_MAX, false},
};

START_TEST(test_at)
{
	struct guest_mem *mem = make(2 * MIB);
	uint8_t *at = guest_mem_at(mem, at_rows[_i].addr, at_rows[_i].size);

	if (at_rows[_i].there)
		ck_assert_ptr_eq(at, mem->host + (at_rows[_i].addr - BASE));
	else
		ck_assert_ptr_null(at);
	guest_mem_destroy(mem);
}
END_TEST

START_TEST(test_copy)
{
	struct guest_mem *mem = make(2 * MIB);
	char text[6] = "keep";

	ck_assert_int_eq(guest_mem_write(mem, BASE + 2 * MIB - 5, "hello", 5), 0);
	ck_assert_int_eq(guest_mem_write(mem, BASE + 2 * MIB - 4, "HELLO", 5), -EFAULT);
	ck_assert_int_eq(guest_mem_read(mem, BASE + 2 * MIB - 4, text, 5), -EFAULT);
	ck_assert_str_eq(text, "keep");
	ck_assert_int_eq(guest_mem_read(mem, BASE + 2 * MIB - 5, text, 5), 0);
	ck_assert_mem_eq(text, "hello", 5);
	guest_mem_destroy(mem);
}
END_TEST

START_TEST(test_more_than_host)
{
	struct guest_mem *mem = NULL;
	struct error err = {0};

	ck_assert_int_eq(guest_mem_create(BASE, 1024 * TIB, &plain, &mem, &err), -ENOMEM);
	ck_assert_ptr_null(mem);
	ck_assert_ptr_nonnull(strstr(err.text, "--mem: 1 PiB is more than this host's memory"));
}
END_TEST

START_TEST(test_more_than_may_be_locked)
{
	const struct guest_mem_options options = {.lock = true};
	const struct rlimit none = {0, 0};
	struct guest_mem *mem = NULL;
	struct error err = {0};

	setrlimit(RLIMIT_MEMLOCK, &none);
	/* Root may lock whatever the limit is. */
	if (mlock(&err, sizeof(err)) == 0)
		return;
	ck_assert_int_lt(guest_mem_create(BASE, 2 * MIB, &options, &mem, &err), 0);
	ck_assert_ptr_null(mem);
	ck_assert_ptr_nonnull(strstr(err.text, "--lock-mem"));
	ck_assert_ptr_nonnull(strstr(err.text, "ulimit -l"));
}
END_TEST

/* 2 MiB pages of the pool: there are none here, or they work. */
START_TEST(test_huge_pages)
{
	const struct guest_mem_options options = {.hugepages = true};
	struct guest_mem *mem = NULL;
	struct error err = {0};

	if (guest_mem_create(BASE, 16 * MIB, &options, &mem, &err) < 0) {
		ck_assert_ptr_nonnull(strstr(err.text, "--hugepages"));
		ck_assert_ptr_nonnull(strstr(err.text, "sysctl vm.nr_hugepages=8"));
		return;
	}
	ck_assert(is_aligned((uintptr_t)mem->host, GUEST_MEM_ALIGN));
	mem->host[0] = 1;
	guest_mem_destroy(mem);
}
END_TEST

static const struct guest_mem_options shared = {.shared = true};

/* Another mapping of the file sees what the guest's has. */
START_TEST(test_shared)
{
	uint64_t size = sizes[_i];
	struct guest_mem *mem = NULL;
	struct error err = {0};
	uint8_t *other;

	ck_assert_int_eq(guest_mem_create(BASE, size, &shared, &mem, &err), 0);
	ck_assert_int_ge(mem->fd, 0);
	ck_assert(is_aligned((uintptr_t)mem->host, GUEST_MEM_ALIGN));
	other = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, mem->fd, 0);
	ck_assert_ptr_ne(other, MAP_FAILED);
	ck_assert_uint_eq(mem->host[size - 1], 0);
	mem->host[0] = 1;
	other[size - 1] = 2;
	ck_assert_uint_eq(other[0], 1);
	ck_assert_uint_eq(mem->host[size - 1], 2);
	munmap(other, size);
	guest_mem_destroy(mem);
}
END_TEST

/* Who has the descriptor cannot take memory away from under the guest; nobody has it if private. */
START_TEST(test_shared_is_sealed)
{
	struct guest_mem *mem = NULL;
	struct error err = {0};

	ck_assert_int_eq(guest_mem_create(BASE, 2 * MIB, &shared, &mem, &err), 0);
	ck_assert_int_eq(ftruncate(mem->fd, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(fcntl(mem->fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	ck_assert_int_eq(fcntl(mem->fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	guest_mem_destroy(mem);
	mem = make(2 * MIB);
	ck_assert_int_eq(mem->fd, -1);
	guest_mem_destroy(mem);
}
END_TEST

START_TEST(test_shared_huge_pages)
{
	const struct guest_mem_options options = {.hugepages = true, .shared = true};
	struct guest_mem *mem = NULL;
	struct error err = {0};

	if (guest_mem_create(BASE, 16 * MIB, &options, &mem, &err) < 0) {
		ck_assert_ptr_nonnull(strstr(err.text, "sysctl vm.nr_hugepages=8"));
		return;
	}
	ck_assert(is_aligned((uintptr_t)mem->host, GUEST_MEM_ALIGN));
	mem->host[0] = 1;
	guest_mem_destroy(mem);
}
END_TEST

/* Whole pages are given back, and read as zeroes; what is beside them stays. */
START_TEST(test_discard)
{
	const struct guest_mem_options options = {.shared = _i};
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct guest_mem *mem = NULL;

	ck_assert_int_eq(guest_mem_create(BASE, 2 * MIB, &options, &mem, NULL), 0);
	memset(mem->host, 0x55, 2 * MIB);
	ck_assert_int_eq(guest_mem_discard(mem, BASE + page - 1, 2 * page + 2), 0);
	ck_assert_uint_eq(mem->host[page - 1], 0x55);
	ck_assert_uint_eq(mem->host[page], 0);
	ck_assert_uint_eq(mem->host[3 * page - 1], 0);
	ck_assert_uint_eq(mem->host[3 * page], 0x55);
	/* Less than a page, none at all, and what is no RAM. */
	ck_assert_int_eq(guest_mem_discard(mem, BASE + 8 * page + 1, page), 0);
	ck_assert_int_eq(guest_mem_discard(mem, BASE + 8 * page, page - 1), 0);
	ck_assert_int_eq(guest_mem_discard(mem, BASE + 8 * page, 0), 0);
	ck_assert_uint_eq(mem->host[8 * page], 0x55);
	ck_assert_uint_eq(mem->host[9 * page], 0x55);
	ck_assert_int_eq(guest_mem_discard(mem, BASE - page, 2 * page), -EFAULT);
	ck_assert_int_eq(guest_mem_discard(mem, BASE + 2 * MIB - page, 2 * page), -EFAULT);
	ck_assert_uint_eq(mem->host[2 * MIB - 1], 0x55);
	ck_assert_int_eq(guest_mem_discard(mem, BASE, 2 * MIB), 0);
	ck_assert_uint_eq(mem->host[2 * MIB - 1], 0);
	/* The memory is still there to be used. */
	mem->host[page] = 1;
	ck_assert_uint_eq(mem->host[page], 1);
	/* What is kept is kept, and nobody is told. */
	mem->kept = true;
	ck_assert_int_eq(guest_mem_discard(mem, BASE, 2 * MIB), 0);
	ck_assert_uint_eq(mem->host[page], 1);
	guest_mem_destroy(mem);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_create, ARRAY_SIZE(sizes)),
	UNIT_LOOP(test_at, ARRAY_SIZE(at_rows)),
	UNIT_CASE(test_copy),
	UNIT_LOOP(test_discard, 2),
	UNIT_CASE(test_more_than_host),
	UNIT_CASE(test_more_than_may_be_locked),
	UNIT_CASE(test_huge_pages),
	UNIT_LOOP(test_shared, ARRAY_SIZE(sizes)),
	UNIT_CASE(test_shared_is_sealed),
	UNIT_CASE(test_shared_huge_pages),
	{0},
};
const char unit_name[] = "guest_mem";
