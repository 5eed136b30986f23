/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio_vsock.h"

#include <linux/virtio_vsock.h>
#include <string.h>

#include "net_bench.h"
#include "unit.h"

#define EVENTS 2 /* the queue */

static int create(struct virtio_bench *bench, struct virtio_device **ret)
{
	struct net_bench *net = to_net_bench(bench);
	struct virtio_vsock_options options = {
		.name = "vsock0",
		.mem = bench->mem,
		.loop = bench->loop,
		.cid = 0x1234,
	};
	struct error err = {0};

	/* SEQPACKET, and a feature of vhost's that is none of the device's. */
	net->vhosts[0] = fake_vhost_create(BIT(1) | BIT(26) | BIT(VIRTIO_F_VERSION_1) |
						   BIT(VIRTIO_RING_F_EVENT_IDX) |
						   BIT(VIRTIO_RING_F_INDIRECT_DESC),
					   net->log);
	options.vhost = &net->vhosts[0]->vhost;
	return virtio_vsock_create(&options, ret, &err);
}

static const struct virtio_kind kind = {
	.bench_size = sizeof(struct net_bench),
	.create = create,
};

static void expect_log(struct net_bench *net, const char *log)
{
	ck_assert_str_eq(net->log, log);
	net->log[0] = '\0';
}

START_TEST(test_device)
{
	struct net_bench *net = net_bench_open(&kind);
	struct virtio_bench *bench = &net->bench;
	uint64_t offered = virtio_bench_offered(bench);

	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_VSOCK);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_CONFIG), 0x1234);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_CONFIG + 4), 0);
	ck_assert(offered & BIT(1) && !(offered & BIT(26)));
	ck_assert(!(offered & BIT(VIRTIO_F_RING_PACKED)));
	virtio_bench_drive(bench, UINT64_MAX);
	expect_log(net, "features memory vring0@0 start0 vring1@0 start1 run ");
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, 0);
	expect_log(net, "halt stop0 stop1 ");
	net_bench_close(net);
}
END_TEST

/* After a restore, and only then, the guest hears that its connections are gone. */
START_TEST(test_transport_reset)
{
	struct net_bench *net = net_bench_open(&kind);
	struct virtio_bench *bench = &net->bench;
	struct virtio_saved saved;
	uint64_t token;
	uint32_t length;
	gpa_t at;

	virtio_bench_drive(bench, UINT64_MAX);
	at = virtio_bench_room(bench, EVENTS, sizeof(struct virtio_vsock_event), 1);
	virtio_bench_kick(bench, EVENTS);
	virtio_bench_run(bench);
	ck_assert(!virtio_bench_used(bench, EVENTS, &token, &length));
	saved = virtio_bench_save(bench);
	memset(virtio_bench_ram(bench, at, 4), 0xff, 4);
	ck_assert_int_eq(virtio_bench_load(bench, saved.data, saved.size), 0);
	virtio_bench_interrupts(bench);
	virtio_bench_run(bench);
	ck_assert(virtio_bench_used(bench, EVENTS, &token, &length));
	ck_assert_uint_eq(length, sizeof(struct virtio_vsock_event));
	ck_assert_uint_eq(*(uint32_t *)virtio_bench_ram(bench, at, 4),
			  VIRTIO_VSOCK_EVENT_TRANSPORT_RESET);
	ck_assert_uint_eq(virtio_bench_interrupts(bench), 1);
	/* Once. */
	virtio_bench_room(bench, EVENTS, 4, 2);
	virtio_bench_kick(bench, EVENTS);
	virtio_bench_run(bench);
	ck_assert(!virtio_bench_used(bench, EVENTS, &token, &length));
	free(saved.data);
	net_bench_close(net);
}
END_TEST

/* The driver has no buffer there yet, then one that is too small. */
START_TEST(test_transport_reset_waits)
{
	struct net_bench *net = net_bench_open(&kind);
	struct virtio_bench *bench = &net->bench;
	struct virtio_saved saved;
	uint64_t token;
	uint32_t length;

	virtio_bench_drive(bench, UINT64_MAX);
	saved = virtio_bench_save(bench);
	ck_assert_int_eq(virtio_bench_load(bench, saved.data, saved.size), 0);
	virtio_bench_run(bench);
	virtio_bench_room(bench, EVENTS, 2, 1);
	virtio_bench_room(bench, EVENTS, 4, 2);
	virtio_bench_room(bench, EVENTS, 4, 3);
	virtio_bench_kick(bench, EVENTS);
	virtio_bench_run(bench);
	ck_assert(virtio_bench_used(bench, EVENTS, &token, &length));
	ck_assert_uint_eq(length, 2);
	ck_assert(virtio_bench_used(bench, EVENTS, &token, &length));
	ck_assert_uint_eq(length, 4);
	ck_assert(!virtio_bench_used(bench, EVENTS, &token, &length));
	free(saved.data);
	net_bench_close(net);
}
END_TEST

static const struct {
	uint64_t cid;
	const char *words;
} bad_cids[] = {
	{0, "0 is no CID for a guest; it is from 3 to 4294967294"},
	{2, "2 is no CID"},
	{UINT32_MAX, "4294967295 is no CID"},
	{UINT64_MAX, "is no CID"},
};

START_TEST(test_bad_cid)
{
	const struct virtio_vsock_options options = {.name = "vsock0", .cid = bad_cids[_i].cid};
	struct virtio_device *device = NULL;
	struct error err = {0};

	ck_assert_int_eq(virtio_vsock_create(&options, &device, &err), -EINVAL);
	ck_assert_msg(strstr(err.text, bad_cids[_i].words), "%s", err.text);
	ck_assert_ptr_null(device);
}
END_TEST

/* The kernel's, if this host has it: two machines with one CID; or how to get it. */
START_TEST(test_kernel)
{
	const struct virtio_vsock_options options = {.name = "vsock0", .cid = 0x7ffffffe};
	struct virtio_device *one = NULL;
	struct virtio_device *two = NULL;
	struct error err = {0};
	int r = virtio_vsock_create(&options, &one, &err);

	if (r < 0) {
		ck_assert_msg(!strncmp(err.text, "--vsock: ", 9), "%s", err.text);
		if (r == -ENOENT)
			ck_assert_msg(strstr(err.text, "modprobe vhost_vsock"), "%s", err.text);
		return;
	}
	ck_assert_int_eq(virtio_vsock_create(&options, &two, &err), -EADDRINUSE);
	ck_assert_str_eq(err.text, "--vsock: CID 2147483646 is taken by another machine");
	device_destroy(&one->device);
}
END_TEST

START_TEST(test_random)
{
	virtio_check_random(&kind, (uint64_t)_i + 1, 3000);
}
END_TEST

START_TEST(test_save)
{
	virtio_check_save(&kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_reset)
{
	virtio_check_reset(&kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_hostile_state)
{
	virtio_check_hostile_state(&kind, (uint64_t)_i + 1);
}
END_TEST

const char unit_name[] = "virtio_vsock";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_device),
	UNIT_CASE(test_transport_reset),
	UNIT_CASE(test_transport_reset_waits),
	UNIT_LOOP(test_bad_cid, ARRAY_SIZE(bad_cids)),
	UNIT_CASE(test_kernel),
	UNIT_LOOP(test_random, 4),
	UNIT_LOOP(test_save, 4),
	UNIT_LOOP(test_reset, 4),
	UNIT_LOOP(test_hostile_state, 2),
	{0},
};
