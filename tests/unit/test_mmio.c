/* SPDX-License-Identifier: Apache-2.0 */
#include "core/mmio.h"

#include "unit.h"

/* A device that remembers the last access and answers with its number all over. */
struct recorder {
	struct device device;
	uint64_t answer;
	uint64_t offset;
	uint64_t value;
	unsigned size;
	unsigned reads;
	unsigned writes;
	size_t run; /* writes of the last run that came as one */
};

static bool is_locked(struct device *device)
{
	if (!lock_try(&device->lock))
		return true;
	device_unlock(device);
	return false;
}

static uint64_t record_read(struct device *device, uint64_t offset, unsigned size)
{
	struct recorder *recorder = (struct recorder *)device;

	ck_assert(is_locked(device));
	recorder->offset = offset;
	recorder->size = size;
	recorder->reads++;
	return recorder->answer;
}

static void record_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct recorder *recorder = (struct recorder *)device;

	ck_assert(is_locked(device));
	recorder->offset = offset;
	recorder->size = size;
	recorder->value = value;
	recorder->writes++;
}

static const struct mmio_ops record_ops = {
	.read = record_read,
	.write = record_write,
};

static void record_run(struct device *device, uint64_t offset, unsigned size,
		       const uint64_t *values, size_t count)
{
	struct recorder *recorder = (struct recorder *)device;

	record_write(device, offset, size, values[count - 1]);
	recorder->run = count;
}

static const struct mmio_ops run_ops = {
	.read = record_read,
	.write = record_write,
	.write_run = record_run,
};

static void recorder_init(struct recorder *recorder, uint64_t answer)
{
	*recorder = (struct recorder){.answer = answer};
	device_init(&recorder->device, NULL, "recorder");
}

static int add(struct mmio_bus *bus, gpa_t base, uint64_t size, struct recorder *recorder)
{
	const struct mmio_region region = {base, size, &record_ops, &recorder->device};

	return mmio_bus_add(bus, &region);
}

START_TEST(test_add)
{
	static const struct {
		gpa_t base;
		uint64_t size;
		int result;
	} rows[] = {
		{0x2000, 0x1000, 0},
		{0x2000, 0x1000, -EINVAL},              /* the same */
		{0x1fff, 2, -EINVAL},                   /* into its beginning */
		{0x2fff, 1, -EINVAL},                   /* its last byte */
		{0x1000, 0x4000, -EINVAL},              /* around it */
		{0x2400, 0x10, -EINVAL},                /* within it */
		{0x3000, 0x1000, 0},                    /* next to it */
		{0x1000, 0x1000, 0},                    /* before it */
		{0x5000, 0, -EINVAL},                   /* nothing */
		{UINT64_MAX - 0xfff, 0x1001, -EINVAL},  /* past the end of the world */
		{UINT64_MAX - 0xfff, 0x1000, 0},        /* just up to it */
		{0x4000, UINT64_MAX - 0x3fff, -EINVAL}, /* all the rest, which is not free */
		{0, 0x1000, 0},
	};
	struct mmio_bus *bus;
	struct recorder recorder;

	recorder_init(&recorder, 0);
	ck_assert_int_eq(mmio_bus_create(&bus), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_msg(add(bus, rows[i].base, rows[i].size, &recorder) == rows[i].result,
			      "row %zu", i);
	mmio_bus_destroy(bus);
	mmio_bus_destroy(NULL);
	device_finish(&recorder.device);
}
END_TEST

START_TEST(test_find)
{
	static const struct {
		gpa_t addr;
		unsigned size;
		gpa_t base; /* of the region; 1: none */
	} rows[] = {
		{0x0fff, 1, 1},
		{0x1000, 1, 0x1000},
		{0x1fff, 1, 0x1000},
		{0x1ffe, 4, 1}, /* past its end, though the next one begins there */
		{0x1ff8, 8, 0x1000},
		{0x2000, 8, 0x2000},
		{0x2ff9, 8, 1},
		{0x3000, 4, 1},
		{0x8000, 2, 0x8000},
		{0x8001, 2, 1}, /* a region of two bytes */
		{0x7fff, 2, 1},
		{UINT64_MAX, 1, UINT64_MAX - 0xfff},
		{UINT64_MAX, 8, 1},
		{UINT64_MAX - 7, 8, UINT64_MAX - 0xfff},
		{0, 8, 1},
	};
	struct mmio_bus *bus;
	struct recorder recorder;

	recorder_init(&recorder, 0);
	ck_assert_int_eq(mmio_bus_create(&bus), 0);
	ck_assert_ptr_null(mmio_bus_find(bus, 0, 1));
	ck_assert_int_eq(add(bus, 0x8000, 2, &recorder), 0);
	ck_assert_int_eq(add(bus, 0x1000, 0x1000, &recorder), 0);
	ck_assert_int_eq(add(bus, UINT64_MAX - 0xfff, 0x1000, &recorder), 0);
	ck_assert_int_eq(add(bus, 0x2000, 0x1000, &recorder), 0);
	mmio_bus_seal(bus);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct mmio_region *region = mmio_bus_find(bus, rows[i].addr, rows[i].size);

		ck_assert_msg((region ? region->base : 1) == rows[i].base, "row %zu", i);
	}
	mmio_bus_destroy(bus);
	device_finish(&recorder.device);
}
END_TEST

START_TEST(test_values)
{
	static const struct {
		unsigned size;
		uint64_t value;
	} rows[] = {
		{1, 0x88},
		{2, 0x7788},
		{4, 0x55667788},
		{8, 0x1122334455667788},
	};
	const struct mmio_region *last = NULL;
	struct mmio_bus *bus;
	struct recorder recorder;

	recorder_init(&recorder, 0x1122334455667788);
	ck_assert_int_eq(mmio_bus_create(&bus), 0);
	ck_assert_int_eq(add(bus, 0x1000, 0x1000, &recorder), 0);
	mmio_bus_seal(bus);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mmio_access access = {.addr = 0x1013, .size = rows[i].size, .value = 99};

		ck_assert_int_eq(mmio_bus_access(bus, &access, &last), MMIO_HANDLED);
		ck_assert_uint_eq(access.value, rows[i].value);
		ck_assert_uint_eq(recorder.offset, 0x13);
		ck_assert_uint_eq(recorder.size, rows[i].size);
		access.is_write = true;
		access.value = 0x1122334455667788;
		ck_assert_int_eq(mmio_bus_access(bus, &access, &last), MMIO_HANDLED);
		ck_assert_uint_eq(recorder.value, rows[i].value);
	}
	ck_assert_uint_eq(recorder.reads, ARRAY_SIZE(rows));
	ck_assert_uint_eq(recorder.writes, ARRAY_SIZE(rows));
	ck_assert(!is_locked(&recorder.device));
	mmio_bus_destroy(bus);
	device_finish(&recorder.device);
}
END_TEST

START_TEST(test_unclaimed)
{
	const struct mmio_region *last = NULL;
	struct mmio_access access = {.addr = 0x1ffd, .size = 4, .value = 99};
	struct mmio_bus *bus;
	struct recorder recorder;

	recorder_init(&recorder, 1);
	ck_assert_int_eq(mmio_bus_create(&bus), 0);
	ck_assert_int_eq(add(bus, 0x1000, 0x1000, &recorder), 0);
	mmio_bus_seal(bus);
	ck_assert_int_eq(mmio_bus_access(bus, &access, &last), MMIO_UNCLAIMED);
	ck_assert_uint_eq(access.value, 0);
	ck_assert_ptr_null(last);
	access.is_write = true;
	ck_assert_int_eq(mmio_bus_access(bus, &access, &last), MMIO_UNCLAIMED);
	ck_assert_uint_eq(recorder.reads + recorder.writes, 0);
	mmio_bus_destroy(bus);
	device_finish(&recorder.device);
}
END_TEST

/* With an operation for it, a run is one call; else as many as it has writes. */
START_TEST(test_write_run)
{
	static const uint64_t values[] = {1, 2, 3, 4, 5};
	const struct mmio_ops *ops = _i ? &run_ops : &record_ops;
	struct mmio_run run = {0x1018, 4, values, ARRAY_SIZE(values)};
	const struct mmio_region *last = NULL;
	struct mmio_bus *bus;
	struct recorder recorder;
	struct mmio_region region = {0x1000, 0x1000, ops, &recorder.device};

	recorder_init(&recorder, 0);
	ck_assert_int_eq(mmio_bus_create(&bus), 0);
	ck_assert_int_eq(mmio_bus_add(bus, &region), 0);
	mmio_bus_seal(bus);
	ck_assert_int_eq(mmio_bus_write_run(bus, &run, &last), MMIO_HANDLED);
	ck_assert_ptr_eq(last->device, &recorder.device);
	ck_assert_uint_eq(recorder.offset, 0x18);
	ck_assert_uint_eq(recorder.size, 4);
	ck_assert_uint_eq(recorder.value, 5);
	ck_assert_uint_eq(recorder.writes, _i ? 1 : 5);
	ck_assert_uint_eq(recorder.run, _i ? 5 : 0);
	ck_assert(!is_locked(&recorder.device));
	run.addr = 0x1ffe; /* past the end */
	ck_assert_int_eq(mmio_bus_write_run(bus, &run, &last), MMIO_UNCLAIMED);
	ck_assert_uint_eq(recorder.writes, _i ? 1 : 5);
	mmio_bus_destroy(bus);
	device_finish(&recorder.device);
}
END_TEST

/* The last hit is a hint: it must never send an access to the wrong device. */
START_TEST(test_last_hit)
{
	const struct mmio_region *last = NULL;
	struct mmio_bus *bus;
	struct recorder recorders[8];

	ck_assert_int_eq(mmio_bus_create(&bus), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(recorders); i++) {
		recorder_init(&recorders[i], i);
		ck_assert_int_eq(add(bus, 0x10000 * (gpa_t)(8 - i), 0x1000, &recorders[i]), 0);
	}
	mmio_bus_seal(bus);
	for (unsigned i = 0; i < 64; i++) {
		unsigned wanted = i * 5 / 2 % 8;
		struct mmio_access access = {.addr = 0x10000 * (gpa_t)(8 - wanted), .size = 8};

		ck_assert_int_eq(mmio_bus_access(bus, &access, &last), MMIO_HANDLED);
		ck_assert_uint_eq(access.value, wanted);
		ck_assert_ptr_eq(last->device, &recorders[wanted].device);
	}
	mmio_bus_destroy(bus);
	for (unsigned i = 0; i < ARRAY_SIZE(recorders); i++)
		device_finish(&recorders[i].device);
}
END_TEST

const char unit_name[] = "mmio";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_add),
	UNIT_CASE(test_find),
	UNIT_CASE(test_values),
	UNIT_CASE(test_unclaimed),
	UNIT_LOOP(test_write_run, 2),
	UNIT_CASE(test_last_hit),
	{0},
};
