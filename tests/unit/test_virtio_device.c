/* SPDX-License-Identifier: Apache-2.0 */
/* What all virtio devices do when they are paused, broken, saved and loaded. */
#include "virtio/virtio_device.h"

#include <string.h>

#include "unit.h"
#include "virtio_probe.h"

/* Pauses, and what fails. */

START_TEST(test_pause)
{
	struct virtio_bench *bench = probe_open_driven();
	struct probe *probe = to_probe(bench);
	uint64_t token;
	uint32_t length;

	device_lock(&bench->virtio->device);
	virtio_device_pause(bench->virtio);
	device_unlock(&bench->virtio->device);
	ck_assert_uint_eq(probe->stops, 1);
	probe->notified[0] = 0;
	virtio_bench_room(bench, 0, 10, 5);
	virtio_bench_kick(bench, 0);
	virtio_bench_run(bench);
	ck_assert(!virtio_bench_used(bench, 0, &token, &length));
	ck_assert_uint_eq(probe->notified[0], 0);
	device_lock(&bench->virtio->device);
	virtio_device_resume(bench->virtio);
	device_unlock(&bench->virtio->device);
	virtio_bench_run(bench);
	ck_assert(virtio_bench_used(bench, 0, &token, &length));
	ck_assert_uint_eq(token, 5);
	ck_assert_uint_eq(probe->starts, 2);
	virtio_bench_close(bench);
}
END_TEST

START_TEST(test_start_fails)
{
	struct virtio_bench *bench = probe_open();
	struct probe *probe = to_probe(bench);

	probe->refuse_start = true;
	ck_assert(virtio_bench_negotiate(bench, 0));
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, DRIVER_OK);
	ck_assert_uint_eq(probe->stops, 0);
	ck_assert_uint_eq(virtio_bench_interrupts(bench), 1);
	probe->refuse_start = false;
	probe_expect_broken(bench, DRIVER_OK);
}
END_TEST

START_TEST(test_resume_fails)
{
	struct virtio_bench *bench = probe_open_driven();
	struct probe *probe = to_probe(bench);

	device_lock(&bench->virtio->device);
	virtio_device_pause(bench->virtio);
	probe->refuse_start = true;
	virtio_device_resume(bench->virtio);
	device_unlock(&bench->virtio->device);
	ck_assert_uint_eq(probe->stops, 1); /* what did not start is not stopped */
	probe->refuse_start = false;
	probe_expect_broken(bench, DRIVER_OK);
}
END_TEST

/* State. */

static const struct {
	const char *field;
	uint32_t value;
} impossible[] = {
	{"virtio.status", DRIVER | VIRTIO_CONFIG_S_DRIVER_OK},
	{"virtio.status", DRIVER_OK | 0x20},
	{"virtio.status", DRIVER},   /* with queues */
	{"virtio.registers.isr", 1}, /* never kept */
	{"virtio.registers.isr", 4},
	{"virtio.driver_features", 0}, /* no VERSION_1 */
	{"virtio.driver_features", BIT(6)},
};

START_TEST(test_impossible_state)
{
	struct virtio_bench *bench = probe_open_driven();
	struct virtio_bench *victim = probe_open();
	struct virtio_saved saved = virtio_bench_save(bench);
	const char *field = impossible[_i].field;
	uint8_t *at = memmem(saved.data, saved.size, field, strlen(field));

	ck_assert_ptr_nonnull(at);
	virtio_bench_copy_ram(victim, bench);
	at += strlen(field); /* at the type, then the number of elements, then the first */
	for (size_t i = 0; i < STATE_TYPE_SIZE(at[0]); i++)
		at[5 + i] = (uint8_t)(i < 4 ? impossible[_i].value >> 8 * i : 0);
	ck_assert_int_eq(virtio_bench_load(victim, saved.data, saved.size), -EINVAL);
	ck_assert_uint_eq(virtio_bench_get(victim, VIRTIO_MMIO_STATUS), 0);
	free(saved.data);
	virtio_bench_close(victim);
	virtio_bench_close(bench);
}
END_TEST

/* A broken device is saved as one, and waits for its reset elsewhere. */
START_TEST(test_save_broken)
{
	struct virtio_bench *bench = probe_open_driven();
	struct virtio_bench *twin = probe_open();
	struct virtio_saved saved;

	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, FEATURES_OK);
	saved = virtio_bench_save(bench);
	virtio_bench_copy_ram(twin, bench);
	ck_assert_int_eq(virtio_bench_load(twin, saved.data, saved.size), 0);
	virtio_bench_run(twin);
	ck_assert_uint_eq(virtio_bench_get(twin, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_ISR_CONFIG);
	ck_assert_uint_eq(to_probe(twin)->starts, 0);
	free(saved.data);
	virtio_bench_close(bench);
	probe_expect_broken(twin, DRIVER_OK);
}
END_TEST

START_TEST(test_random)
{
	virtio_check_random(&probe_kind, (uint64_t)_i + 1, 1500);
}
END_TEST

START_TEST(test_save)
{
	virtio_check_save(&probe_kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_reset)
{
	virtio_check_reset(&probe_kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_hostile_state)
{
	virtio_check_hostile_state(&probe_kind, (uint64_t)_i + 1);
}
END_TEST

const char unit_name[] = "virtio_device";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_pause),
	UNIT_CASE(test_start_fails),
	UNIT_CASE(test_resume_fails),
	UNIT_LOOP(test_impossible_state, ARRAY_SIZE(impossible)),
	UNIT_CASE(test_save_broken),
	UNIT_LOOP(test_random, 4),
	UNIT_LOOP(test_save, 20),
	UNIT_LOOP(test_reset, 20),
	UNIT_LOOP(test_hostile_state, 2),
	{0},
};
