/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that come to the slots of a machine, and go again. */
#include "machine/slots.h"

#include <errno.h>
#include <linux/virtio_mmio.h>
#include <string.h>

#include "machine/layout.h"
#include "machine_bench.h"
#include "unit.h"

#define SLOT      (LAYOUT_VIRTIO + 2 * LAYOUT_SLOT_SIZE) /* behind console and entropy */
#define SECOND    (SLOT + LAYOUT_SLOT_SIZE)
#define STATUS    (SLOT + VIRTIO_MMIO_STATUS)
#define FEATURES  (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER)
#define CHECKED   (FEATURES | VIRTIO_CONFIG_S_FEATURES_OK)
#define DRIVER_OK (CHECKED | VIRTIO_CONFIG_S_DRIVER_OK)

#define ID_IS(slot, id) GUEST_READS((slot) + VIRTIO_MMIO_DEVICE_ID, 4, id)
#define DRIVE                                                               \
	GUEST_WRITES(STATUS, 4, 0), GUEST_WRITES(STATUS, 4, FEATURES),      \
		GUEST_WRITES(SLOT + VIRTIO_MMIO_DRIVER_FEATURES_SEL, 4, 1), \
		GUEST_WRITES(SLOT + VIRTIO_MMIO_DRIVER_FEATURES, 4,         \
			     1U << (VIRTIO_F_VERSION_1 - 32)),              \
		GUEST_WRITES(STATUS, 4, CHECKED), GUEST_WRITES(STATUS, 4, DRIVER_OK)
#define POWER_OFF GUEST_EXITS(VCPU_EXIT_SHUTDOWN)

#define PROGRAM(boot, steps) fake_program(boot, 0, steps, ARRAY_SIZE(steps))

static const char sectors[4096];
static struct disk_config disk = {.queues = 1};
static atomic_int go;
static unsigned boots, left;
static bool paused;

static struct machine_slot_info slot(const struct machine_bench *bench, size_t index)
{
	struct machine_slot_info info = {0};

	ck_assert(machine_slot(bench->machine, index, &info));
	return info;
}

static void plug(struct machine_bench *bench, const char *name)
{
	int r = machine_plug_disk(bench->machine, name, &disk, &bench->err);

	ck_assert_msg(r == 0, "%s", bench->err.text);
}

static void unplug(struct machine_bench *bench, const char *name)
{
	int r = machine_unplug(bench->machine, name, &bench->err);

	ck_assert_msg(r == 0, "%s", bench->err.text);
}

static void open_bench(struct machine_bench *bench,
		       void (*event)(void *data, enum machine_event event))
{
	machine_bench_open(bench);
	bench->config.slots = 2;
	bench->event = event;
	bench->event_data = bench;
	bench->tell_driver = true;
	disk.file = memory_file(sectors, sizeof(sectors));
	atomic_store(&go, 0);
	boots = left = 0;
	paused = false;
}

/* A device comes as soon as the machine runs, whether it is paused or not. */
static void on_start_plug(void *data, enum machine_event event)
{
	struct machine_bench *bench = data;

	if (event != MACHINE_EVENT_STARTED)
		return;
	if (paused)
		machine_pause(bench->machine);
	plug(bench, "data");
	ck_assert_str_eq(slot(bench, 0).device, "data");
	ck_assert_uint_eq(slot(bench, 0).base, SLOT);
	ck_assert_ptr_null(slot(bench, 1).device);
	if (paused)
		machine_resume(bench->machine);
	atomic_store(&go, 1);
}

START_TEST(test_comes)
{
	static const struct fake_step steps[] = {GUEST_WAITS_FOR(&go),
						 ID_IS(SLOT, VIRTIO_ID_BLOCK),
						 ID_IS(SECOND, 0),
						 DRIVE,
						 GUEST_READS(STATUS, 4, DRIVER_OK),
						 POWER_OFF};
	struct machine_bench bench;

	open_bench(&bench, on_start_plug);
	paused = _i;
	PROGRAM(0, steps);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	machine_bench_close(&bench);
}
END_TEST

/* Nobody can drive what is not there. */
START_TEST(test_empty)
{
	static const struct fake_step steps[] = {
		GUEST_READS(SLOT + VIRTIO_MMIO_MAGIC_VALUE, 4, 0x74726976),
		ID_IS(SLOT, 0),
		GUEST_READS(SLOT + VIRTIO_MMIO_QUEUE_NUM_MAX, 4, 0),
		DRIVE,
		GUEST_READS_MASKED(STATUS, 4, VIRTIO_CONFIG_S_DRIVER_OK, 0),
		GUEST_WRITES(SLOT + VIRTIO_MMIO_QUEUE_NOTIFY, 4, 0),
		POWER_OFF};
	struct machine_bench bench;

	open_bench(&bench, NULL);
	PROGRAM(0, steps);
	capture_stderr();
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_uint_ge(count_text(captured_stderr(), "the slot is empty"), 1);
	machine_bench_close(&bench);
}
END_TEST

/* One that a driver works with stays until that has reset it. */
static void on_driver_unplug(void *data, enum machine_event event)
{
	struct machine_bench *bench = data;

	switch (event) {
	case MACHINE_EVENT_STARTED:
		on_start_plug(data, event);
		break;
	case MACHINE_EVENT_DRIVER:
		ck_assert(slot(bench, 0).in_use);
		unplug(bench, "data");
		ck_assert(slot(bench, 0).leaving);
		ck_assert_int_eq(machine_unplug(bench->machine, "data", &bench->err), -EINPROGRESS);
		ck_assert_uint_eq(left, 0);
		atomic_store(&go, 2);
		break;
	case MACHINE_EVENT_DEVICE_LEAVES:
		ck_assert_str_eq(machine_leaving_device(bench->machine), "data");
		ck_assert_ptr_null(slot(bench, 0).device);
		left++;
		machine_stop(bench->machine);
		break;
	default:
		break;
	}
}

START_TEST(test_goes)
{
	static const struct fake_step steps[] = {GUEST_WAITS_FOR(&go), DRIVE, GUEST_WAITS_MS(50),
						 ID_IS(SLOT, VIRTIO_ID_BLOCK),
						 GUEST_WRITES(STATUS, 4, 0)};
	struct machine_bench bench;

	open_bench(&bench, on_driver_unplug);
	PROGRAM(0, steps);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_STOPPED);
	ck_assert_uint_eq(left, 1);
	ck_assert_ptr_null(machine_leaving_device(bench.machine));
	machine_bench_close(&bench);
}
END_TEST

/* What nobody works with goes at once, and the next has its place. */
static void on_start_change(void *data, enum machine_event event)
{
	struct machine_bench *bench = data;

	if (event == MACHINE_EVENT_DEVICE_LEAVES)
		left++;
	if (event != MACHINE_EVENT_STARTED)
		return;
	for (unsigned i = 0; i < 100; i++) {
		plug(bench, "data");
		ck_assert_int_eq(machine_plug_disk(bench->machine, "data", &disk, &bench->err),
				 -EEXIST);
		unplug(bench, "data");
		ck_assert_uint_eq(left, i + 1);
	}
	ck_assert_int_eq(machine_unplug(bench->machine, "data", &bench->err), -ENODEV);
	machine_stop(bench->machine);
}

START_TEST(test_comes_and_goes)
{
	struct machine_bench bench;

	open_bench(&bench, on_start_change);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_STOPPED);
	machine_bench_close(&bench);
}
END_TEST

/* Over a reset: what has been there stays, what was to leave does not. */
static void on_boots(void *data, enum machine_event event)
{
	struct machine_bench *bench = data;

	if (event == MACHINE_EVENT_DEVICE_LEAVES)
		left++;
	if (event == MACHINE_EVENT_DRIVER && boots == 2)
		unplug(bench, "data");
	if (event == MACHINE_EVENT_DRIVER)
		machine_reset(bench->machine);
	if (event != MACHINE_EVENT_STARTED)
		return;
	boots++;
	if (boots == 1)
		plug(bench, "data");
	if (boots == 3) {
		ck_assert_uint_eq(left, 1);
		ck_assert_ptr_null(slot(bench, 0).device);
	}
	atomic_store(&go, 1);
}

START_TEST(test_reset)
{
	static const struct fake_step drive[] = {GUEST_WAITS_FOR(&go), ID_IS(SLOT, VIRTIO_ID_BLOCK),
						 DRIVE};
	static const struct fake_step last[] = {ID_IS(SLOT, 0), POWER_OFF};
	struct machine_bench bench;

	open_bench(&bench, on_boots);
	PROGRAM(0, drive);
	PROGRAM(1, drive);
	PROGRAM(2, last);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_uint_eq(boots, 3);
	ck_assert_uint_eq(left, 1);
	machine_bench_close(&bench);
}
END_TEST

/* The refusals. */
static const struct refused_row {
	const char *name;
	const char *file; /* NULL: a good one */
	uint32_t slots;
	int error;
	const char *text;
} refused_rows[] = {
	{"data", NULL, 0, ENOSPC, "start it with --slots"},
	{"data", "/nowhere/at-all", 1, ENOENT, "/nowhere/at-all"},
	{"", NULL, 1, EINVAL, "no name of a device"},
	{"0data", NULL, 1, EINVAL, "no name of a device"},
	{"da ta", NULL, 1, EINVAL, "no name of a device"},
	{"a123456789012345678901234567890123", NULL, 1, EINVAL, "no name of a device"},
	{"slot0", NULL, 1, EEXIST, "'slot0' already"},
	{"serial0", NULL, 1, EEXIST, "'serial0' already"},
};

static void on_start_refused(void *data, enum machine_event event)
{
	struct machine_bench *bench = data;
	const struct refused_row *row = &refused_rows[boots];
	struct disk_config config = disk;
	int r;

	if (event != MACHINE_EVENT_STARTED)
		return;
	if (row->file)
		config.file = row->file;
	r = machine_plug_disk(bench->machine, row->name, &config, &bench->err);
	ck_assert_int_eq(r, -row->error);
	ck_assert_ptr_nonnull(strstr(bench->err.text, row->text));
	ck_assert_uint_eq(bench->machine->disk_count, 0);
	machine_stop(bench->machine);
}

START_TEST(test_refused)
{
	struct machine_bench bench;

	open_bench(&bench, on_start_refused);
	boots = (unsigned)_i;
	bench.config.slots = refused_rows[_i].slots;
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_STOPPED);
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_full)
{
	struct machine_bench bench;
	struct disk_config config = disk;

	open_bench(&bench, NULL);
	machine_bench_build(&bench);
	plug(&bench, "one");
	config.file = memory_file(sectors, sizeof(sectors));
	ck_assert_int_eq(machine_plug_disk(bench.machine, "two", &config, &bench.err), 0);
	ck_assert_int_eq(machine_plug_disk(bench.machine, "three", &config, &bench.err), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(bench.err.text, "2 slots"));
	/* With the machine they go, too. */
	machine_bench_close(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_comes, 2), UNIT_CASE(test_empty),
	UNIT_CASE(test_goes),     UNIT_CASE(test_comes_and_goes),
	UNIT_CASE(test_reset),    UNIT_LOOP(test_refused, ARRAY_SIZE(refused_rows)),
	UNIT_CASE(test_full),     {0},
};
const char unit_name[] = "machine_slots";
