/* SPDX-License-Identifier: Apache-2.0 */
/* What vhost is told, in which order, and where the rings go on afterwards. */
#include <string.h>
#include <sys/eventfd.h>

#include "net_bench.h"
#include "unit.h"

#define CONTROL 2 /* the queue, without VIRTIO_NET_F_MQ */

#define SIMPLE (BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_MRG_RXBUF))

/* What was said since the last call. */
static void expect_log(struct net_bench *net, const char *log)
{
	ck_assert_str_eq(net->log, log);
	net->log[0] = '\0';
}

static struct net_bench *open_driven(uint64_t features)
{
	struct net_bench *net = net_bench_open(&net_vhost_kind);

	virtio_bench_drive(&net->bench, features);
	return net;
}

static void pause_device(struct net_bench *net, bool on)
{
	device_lock(&net->bench.virtio->device);
	if (on)
		virtio_device_pause(net->bench.virtio);
	else
		virtio_device_resume(net->bench.virtio);
	device_unlock(&net->bench.virtio->device);
}

static uint16_t *used_index(struct net_bench *net, unsigned queue)
{
	return virtio_bench_ram(&net->bench, driver_ring_device(&net->bench.rings[queue]) + 2, 2);
}

/* What vhost cannot do is not offered. */
START_TEST(test_lacks)
{
	struct net_bench *net = net_bench_open(&net_vhost_kind);
	uint64_t offered = virtio_bench_offered(&net->bench);

	ck_assert(!(offered & BIT(VIRTIO_F_RING_PACKED)));
	ck_assert(!(offered & BIT(VIRTIO_F_IN_ORDER)));
	ck_assert(!(offered & BIT(VIRTIO_RING_F_INDIRECT_DESC)));
	ck_assert(offered & BIT(VIRTIO_RING_F_EVENT_IDX) && offered & BIT(VIRTIO_F_RING_RESET));
	ck_assert(offered & BIT(VIRTIO_NET_F_MRG_RXBUF) && offered & BIT(VIRTIO_NET_F_MQ));
	net_bench_close(net);
}
END_TEST

START_TEST(test_order)
{
	struct net_bench *net = open_driven(SIMPLE | BIT(VIRTIO_RING_F_EVENT_IDX));
	const struct vhost_vring *vring = &net->vhosts[0]->vrings[1];

	expect_log(net, "features memory vring0@0 start0 vring1@0 start1 run ");
	ck_assert_uint_eq(net->vhosts[0]->set_features, BIT(VIRTIO_NET_F_MRG_RXBUF) |
								BIT(VIRTIO_RING_F_EVENT_IDX) |
								BIT(VIRTIO_F_VERSION_1));
	ck_assert_uint_eq(vring->size, VIRTIO_BENCH_RING);
	ck_assert_ptr_eq(vring->desc, net->bench.virtio->queues[1].ring.desc_ring);
	ck_assert_ptr_eq(vring->driver, net->bench.virtio->queues[1].ring.driver_area);
	ck_assert_ptr_eq(vring->device, net->bench.virtio->queues[1].ring.device_area);
	ck_assert_int_eq(vring->kick_fd, net->bench.notify_fds[1]);
	ck_assert_int_ge(vring->call_fd, 0);
	virtio_bench_set(&net->bench, VIRTIO_MMIO_STATUS, 0);
	expect_log(net, "halt stop0 stop1 ");
	net_bench_close(net);
}
END_TEST

START_TEST(test_two_pairs)
{
	struct net_bench *net = open_driven(UINT64_MAX);

	expect_log(net, "features memory vring0@0 start0 vring1@0 start1 run "
			"features memory vring0@0 start0 vring1@0 start1 run ");
	ck_assert_ptr_eq(net->vhosts[1]->vrings[0].desc,
			 net->bench.virtio->queues[2].ring.desc_ring);
	net_bench_close(net);
}
END_TEST

/* A pause: indices from vhost and from the used ring, and on from there. */
START_TEST(test_pause)
{
	struct net_bench *net = open_driven(SIMPLE);
	const struct virtqueue *ring = &net->bench.virtio->queues[0].ring;

	expect_log(net, "features memory vring0@0 start0 vring1@0 start1 run ");
	net->vhosts[0]->bases[0] = 7;
	*used_index(net, 0) = 5;
	pause_device(net, true);
	expect_log(net, "halt stop0 stop1 ");
	ck_assert_uint_eq(ring->avail, 7);
	ck_assert_uint_eq(ring->used, 5);
	ck_assert_uint_eq(ring->signaled, 5);
	pause_device(net, false);
	expect_log(net, "features memory vring0@7 start0 vring1@0 start1 run ");
	net_bench_close(net);
}
END_TEST

/* The guest has written nonsense to the used ring: the state is one that can be loaded. */
START_TEST(test_hostile_used)
{
	struct net_bench *net = open_driven(SIMPLE);
	struct virtio_saved saved;

	net->vhosts[0]->bases[0] = 7;
	*used_index(net, 0) = 0x8000;
	pause_device(net, true);
	ck_assert_uint_eq(net->bench.virtio->queues[0].ring.used, 7);
	saved = virtio_bench_save(&net->bench);
	ck_assert_int_eq(virtio_bench_load(&net->bench, saved.data, saved.size), 0);
	free(saved.data);
	pause_device(net, false);
	net_bench_close(net);
}
END_TEST

/* One queue is reset: the other goes on, where it was. */
START_TEST(test_queue_reset)
{
	struct net_bench *net = open_driven(SIMPLE | BIT(VIRTIO_F_RING_RESET));

	expect_log(net, "features memory vring0@0 start0 vring1@0 start1 run ");
	net->vhosts[0]->bases[0] = 3;
	net->vhosts[0]->bases[1] = 4;
	*used_index(net, 1) = 4;
	virtio_bench_set(&net->bench, VIRTIO_MMIO_QUEUE_SEL, 0);
	virtio_bench_set(&net->bench, VIRTIO_MMIO_QUEUE_RESET, 1);
	expect_log(net, "halt stop0 stop1 features memory vring1@4 start1 run ");
	virtio_bench_queue(&net->bench, 0, VIRTIO_BENCH_RING);
	expect_log(net, "halt stop1 features memory vring0@0 start0 vring1@4 start1 run ");
	net_bench_close(net);
}
END_TEST

/* A ring is refused: what was started is stopped, and the driver is told. */
START_TEST(test_refused)
{
	struct net_bench *net = net_bench_open(&net_vhost_kind);

	net->vhosts[0]->fail_vring = 2;
	ck_assert(virtio_bench_negotiate(&net->bench, SIMPLE));
	for (unsigned i = 0; i < 3; i++)
		virtio_bench_queue(&net->bench, i, VIRTIO_BENCH_RING);
	virtio_bench_set(&net->bench, VIRTIO_MMIO_STATUS,
			 virtio_bench_get(&net->bench, VIRTIO_MMIO_STATUS) |
				 VIRTIO_CONFIG_S_DRIVER_OK);
	expect_log(net, "features memory vring0@0 start0 vring1@0 halt stop0 ");
	ck_assert(virtio_bench_get(&net->bench, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET);
	net->vhosts[0]->fail_vring = 0;
	virtio_bench_drive(&net->bench, SIMPLE);
	expect_log(net, "features memory vring0@0 start0 vring1@0 start1 run ");
	net_bench_close(net);
}
END_TEST

/* The control queue is ours, with vhost at work, and over a pause. */
START_TEST(test_control)
{
	struct net_bench *net = open_driven(SIMPLE | BIT(VIRTIO_NET_F_CTRL_RX));
	uint8_t on = 1;

	ck_assert_int_eq(net_bench_control(net, CONTROL, VIRTIO_NET_CTRL_RX, 0, &on, 1), 0);
	pause_device(net, true);
	ck_assert_int_eq(net_bench_control(net, CONTROL, VIRTIO_NET_CTRL_RX, 0, &on, 1), -1);
	pause_device(net, false);
	virtio_bench_run(&net->bench);
	ck_assert_int_eq(net_bench_control(net, CONTROL, VIRTIO_NET_CTRL_RX, 0, &on, 1), 0);
	net_bench_close(net);
}
END_TEST

START_TEST(test_link)
{
	struct net_bench *net = open_driven(SIMPLE);
	struct virtio_device *virtio = net->bench.virtio;

	net->log[0] = '\0';
	net->vhosts[0]->bases[1] = 2;
	*used_index(net, 1) = 2;
	device_lock(&virtio->device);
	virtio_net_set_link(virtio, false);
	expect_log(net, "halt stop0 stop1 ");
	virtio_net_set_link(virtio, true);
	expect_log(net, "features memory vring0@0 start0 vring1@2 start1 run ");
	device_unlock(&virtio->device);
	net_bench_close(net);
}
END_TEST

static bool needs_reset(struct net_bench *net)
{
	return virtio_bench_get(&net->bench, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* Vhost meets a ring that is broken: the driver is told; and not the next one. */
START_TEST(test_broken)
{
	struct net_bench *net = open_driven(SIMPLE);
	int err_fd = net->vhosts[0]->vrings[1].err_fd;

	net->log[0] = '\0';
	ck_assert_int_eq(eventfd_write(err_fd, 1), 0);
	virtio_bench_run(&net->bench);
	expect_log(net, "halt stop0 stop1 ");
	ck_assert(needs_reset(net));
	ck_assert_uint_eq(net->bench.virtio->device.guest_errors.left, LOG_BUDGET_LINES - 1);
	virtio_bench_drive(&net->bench, SIMPLE);
	ck_assert(!needs_reset(net));
	ck_assert_int_eq(net->vhosts[0]->vrings[0].err_fd, err_fd);
	/* Too late: the driver has begun anew. */
	ck_assert_int_eq(eventfd_write(err_fd, 1), 0);
	virtio_bench_drive(&net->bench, SIMPLE);
	virtio_bench_run(&net->bench);
	ck_assert(!needs_reset(net));
	net_bench_close(net);
}
END_TEST

const char unit_name[] = "virtio_net_vhost";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_lacks),
	UNIT_CASE(test_order),
	UNIT_CASE(test_two_pairs),
	UNIT_CASE(test_pause),
	UNIT_CASE(test_hostile_used),
	UNIT_CASE(test_queue_reset),
	UNIT_CASE(test_refused),
	UNIT_CASE(test_control),
	UNIT_CASE(test_link),
	UNIT_CASE(test_broken),
	{0},
};
