/* SPDX-License-Identifier: Apache-2.0 */
/* The Fuchsia trace format: words as the specification has them, and what is read of them. */
#include <stdio.h>
#include <string.h>

#include "core/fxt_read.h"
#include "unit.h"

static uint64_t words[256];
static size_t count;

static void put(uint64_t word)
{
	words[count++] = word;
}

/* ---- Written -------------------------------------------------------------------------- */

START_TEST(test_words)
{
	uint64_t at[FXT_RECORD_WORDS];
	const struct fxt_name process = {.kind = FXT_PROCESS, .koid = 77, .name = 5};
	const struct fxt_name thread = {
		.kind = FXT_THREAD_OBJECT, .koid = 78, .name = 6, .process_word = 9, .process = 77};

	ck_assert_uint_eq(fxt_put_begin(at, 1000), 3);
	ck_assert_uint_eq(at[0], UINT64_C(0x0016547846040010));
	ck_assert_uint_eq(at[1], 0x21);
	ck_assert_uint_eq(at[2], 1000);
	ck_assert_uint_eq(fxt_put_string(at, 0x12, "eightbyt"), 2);
	ck_assert_uint_eq(at[0], UINT64_C(0x0000000800120022));
	ck_assert_mem_eq(at + 1, "eightbyt", 8);
	ck_assert_uint_eq(fxt_put_string(at, 1, "nine byte"), 3);
	ck_assert_mem_eq(at + 1, "nine byte\0\0\0\0\0\0\0", 16);
	ck_assert_uint_eq(fxt_put_string(at, 1, ""), 1);
	ck_assert_uint_eq(at[0], 0x10012);
	ck_assert_uint_eq(fxt_put_thread(at, 3, 77, 78), 3);
	ck_assert_uint_eq(at[0], 0x30033);
	ck_assert_uint_eq(fxt_put_name(at, &process), 2);
	ck_assert_uint_eq(at[0], UINT64_C(0x0000000005010027));
	ck_assert_uint_eq(fxt_put_name(at, &thread), 4);
	ck_assert_uint_eq(at[0], UINT64_C(0x0000010006020047));
	ck_assert_uint_eq(at[2], 0x90028);
	ck_assert_uint_eq(at[3], 77);
}
END_TEST

START_TEST(test_event)
{
	uint64_t at[FXT_EVENT_WORDS];
	struct fxt_writer writer = fxt_begin(at, 100);

	fxt_add_word(&writer, FXT_POINTER, 7, 0xabc);
	fxt_add_u32(&writer, 8, 42);
	ck_assert_uint_eq(
		fxt_end_word(&writer,
			     (struct fxt_kind){
				     .event = FXT_COMPLETE, .thread = 1, .category = 2, .name = 3},
			     250),
		6);
	ck_assert_uint_eq(at[0], UINT64_C(0x0003000201240064));
	ck_assert_uint_eq(at[1], 100);
	ck_assert_uint_eq(at[2], 0x70027);
	ck_assert_uint_eq(at[3], 0xabc);
	ck_assert_uint_eq(at[4], UINT64_C(0x0000002a00080012));
	ck_assert_uint_eq(at[5], 250);
}
END_TEST

/* ---- Read ------------------------------------------------------------------------------- */

static struct fxt_seen last;
static char name[64], category[64], argument[64];
static unsigned events;
static uint64_t frequency;

static void on_frequency(void *data, uint64_t ticks)
{
	(void)data;
	frequency = ticks;
}

static void on_event(void *data, const struct fxt_seen *seen)
{
	(void)data;
	last = *seen;
	snprintf(name, sizeof(name), "%s", seen->name);
	snprintf(category, sizeof(category), "%s", seen->category);
	if (seen->count) {
		snprintf(argument, sizeof(argument), "%s", seen->arguments[0].name);
		last.arguments[0].name = argument;
	}
	events++;
}

static const struct fxt_visitor visitor = {.frequency = on_frequency, .event = on_event};

static int read_words(struct error *err)
{
	events = 0;
	return fxt_read(words, count * sizeof(*words), &visitor, err);
}

static void begin(void)
{
	count = fxt_put_begin(words, 1000);
	count += fxt_put_string(words + count, 2, "mmio");
	count += fxt_put_string(words + count, 3, "serial0 UARTDR");
	count += fxt_put_thread(words + count, 1, 77, 78);
}

static void put_event(void)
{
	struct fxt_writer writer = fxt_begin(words + count, 100);

	fxt_add_word(&writer, FXT_UINT64, 3, 0xabc);
	count += fxt_end_word(
		&writer,
		(struct fxt_kind){.event = FXT_COMPLETE, .thread = 1, .category = 2, .name = 3},
		250);
}

START_TEST(test_read)
{
	struct error err = {0};
	uint64_t value = 0;

	begin();
	put_event();
	ck_assert_int_eq(read_words(&err), 0);
	ck_assert_uint_eq(events, 1);
	ck_assert_uint_eq(frequency, 1000);
	ck_assert_str_eq(category, "mmio");
	ck_assert_str_eq(name, "serial0 UARTDR");
	ck_assert_uint_eq(last.process, 77);
	ck_assert_uint_eq(last.thread, 78);
	ck_assert_uint_eq(last.when, 100);
	ck_assert_uint_eq(last.last, 250);
	ck_assert(fxt_argument(&last, "serial0 UARTDR", &value));
	ck_assert_uint_eq(value, 0xabc);
	ck_assert(!fxt_argument(&last, "other", &value));
}
END_TEST

/* What others may write: strings and threads in place, records and arguments of other kinds. */
START_TEST(test_read_foreign)
{
	struct error err = {0};

	begin();
	put(UINT64_C(0x8003) << 48 | UINT64_C(0x8008) << 32 | UINT64_C(1) << 20 | 8 << 4 |
	    FXT_EVENT);              /* an instant, no thread, one argument */
	put(7);                      /* when */
	put(1);                      /* process */
	put(2);                      /* thread */
	put(UINT64_C(0x2020202020)); /* category */
	put(UINT64_C(0x414141));     /* name */
	put(3 << 16 | 2 << 4 | 6);   /* an argument that is a string */
	put(0);
	put(2 << 4 | 5); /* a blob */
	put(1);
	put(1 << 4 | 12); /* a kind that is none */
	put_event();
	ck_assert_int_eq(read_words(&err), 0);
	ck_assert_uint_eq(events, 2);
	ck_assert_uint_eq(last.when, 100);
}
END_TEST

START_TEST(test_read_damaged)
{
	struct error err = {0};

	begin();
	put_event();
	/* Wherever it ends, it is read up to there. */
	for (size_t size = 8; size < count * sizeof(*words); size++) {
		events = 0;
		ck_assert_int_eq(fxt_read(words, size, &visitor, &err), 0);
		ck_assert_uint_eq(events, 0);
	}
	ck_assert_int_eq(fxt_read(words, 7, &visitor, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "does not begin as one"));
	put(0);
	ck_assert_int_eq(read_words(&err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "a record of no length"));
	words[0] ^= 1;
	ck_assert_int_eq(read_words(&err), -EINVAL);
}
END_TEST

/* An event whose arguments are more than there are words is no event. */
START_TEST(test_read_short_event)
{
	struct error err = {0};

	begin();
	put(UINT64_C(0x0003000200000000) | UINT64_C(1) << 24 | 15 << 20 | 2 << 4 | FXT_EVENT);
	put(5);
	ck_assert_int_eq(read_words(&err), 0);
	ck_assert_uint_eq(events, 0);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_words),
	UNIT_CASE(test_event),
	UNIT_CASE(test_read),
	UNIT_CASE(test_read_foreign),
	UNIT_CASE(test_read_damaged),
	UNIT_CASE(test_read_short_event),
	{0},
};

const char unit_name[] = "fxt";
