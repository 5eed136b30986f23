/* SPDX-License-Identifier: Apache-2.0 */
/* Ports that go away, are unplugged, talk nonsense, or carry packets. */
#include <string.h>
#include <sys/socket.h>

#include "bench.h"
#include "net_bench.h"
#include "unit.h"

/* Too short for a frame: dropped, without a word. */
START_TEST(test_receive_short)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, UINT64_MAX);
	gpa_t at = virtio_bench_room(&net->bench, NET_RECEIVE, 200, 1);
	uint8_t data[200];

	net_bench_kick(net, NET_RECEIVE);
	net_bench_give(net, data, net_bench_frame(data, 0, 1));
	net_bench_give(net, data, net_bench_frame(data, 13, 1));
	net_bench_give(net, data, net_bench_frame(data, 14, 1));
	virtio_bench_run(&net->bench);
	net_bench_expect_received(net, at, 14, 1);
	ck_assert_uint_eq(net_bench_dropped(net).received, 2);
	net_bench_close(net);
}
END_TEST

static uint64_t link_status(struct net_bench *net)
{
	return virtio_bench_read(
		&net->bench, VIRTIO_MMIO_CONFIG + offsetof(struct virtio_net_config, status), 2);
}

/* The port's other side is gone: one line, the link is down, and no buffer of the guest's hangs. */
static void expect_gone(struct net_bench *net, const char *why)
{
	struct virtio_bench *bench = &net->bench;
	const char *log = captured_stderr();

	ck_assert_uint_eq(count_text(log, "the guest's link is down"), 1);
	ck_assert_msg(strstr(log, why), "%s", log);
	ck_assert_uint_eq(link_status(net), 0);
	net_bench_send(net, 100, 1, 77);
	net_bench_kick(net, NET_SEND);
	net_bench_expect_sent(net, 77);
	virtio_bench_drive(bench, UINT64_MAX);
	net_bench_send(net, 100, 1, 78);
	net_bench_kick(net, NET_SEND);
	net_bench_expect_sent(net, 78);
	ck_assert_uint_eq(net_bench_dropped(net).sent, 2);
	net_bench_close(net);
}

START_TEST(test_too_long)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, UINT64_MAX);
	uint8_t data[4] = {0, 1, 0, 17}; /* NET_FRAME_MAX is 65553 */

	net_bench_give(net, data, sizeof(data));
	virtio_bench_run(&net->bench);
	ck_assert_uint_eq(net->bench.virtio->status & VIRTIO_CONFIG_S_NEEDS_RESET, 0);
	data[3]++;
	capture_stderr();
	net_bench_close(net);
	captured_stderr();
	net = net_bench_drive(&net_stream_kind, UINT64_MAX);
	capture_stderr();
	net_bench_give(net, data, sizeof(data));
	virtio_bench_run(&net->bench);
	expect_gone(net, "more than 64 KiB");
}
END_TEST

START_TEST(test_closed)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, UINT64_MAX);
	uint8_t data[200];

	capture_stderr();
	if (_i)
		net_bench_give(net, data, net_bench_frame(data, 100, 1));
	virtio_bench_run(&net->bench);
	net->peer = close_fd(net->peer);
	virtio_bench_run(&net->bench);
	expect_gone(net, "it has closed the connection");
}
END_TEST

/* Closed, and seen first by a frame of the guest's; the others go back, too. */
START_TEST(test_closed_when_sending)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, UINT64_MAX);

	capture_stderr();
	net->peer = close_fd(net->peer);
	for (unsigned i = 0; i < 4; i++)
		net_bench_send(net, 100, 1, i);
	virtio_bench_kick(&net->bench, NET_SEND);
	device_lock(&net->bench.virtio->device);
	net->bench.virtio->ops->notify(net->bench.virtio, NET_SEND);
	device_unlock(&net->bench.virtio->device);
	for (unsigned i = 0; i < 4; i++)
		net_bench_expect_sent(net, i);
	expect_gone(net, "it has closed the connection");
}
END_TEST

/* While the link is down, frames go nowhere, either way. */
START_TEST(test_unplugged)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, UINT64_MAX);
	struct virtio_device *virtio = net->bench.virtio;
	gpa_t at = virtio_bench_room(&net->bench, NET_RECEIVE, 200, 1);
	uint8_t data[200];

	net_bench_kick(net, NET_RECEIVE);
	device_lock(&virtio->device);
	virtio_net_set_link(virtio, false);
	device_unlock(&virtio->device);
	net_bench_give(net, data, net_bench_frame(data, 100, 1));
	net_bench_send(net, 100, 1, 1);
	net_bench_kick(net, NET_SEND);
	net_bench_expect_sent(net, 1);
	ck_assert(!net_bench_take(net, data, 1));
	device_lock(&virtio->device);
	virtio_net_set_link(virtio, true);
	device_unlock(&virtio->device);
	net_bench_give(net, data, net_bench_frame(data, 100, 2));
	virtio_bench_run(&net->bench);
	net_bench_expect_received(net, at, 100, 2);
	ck_assert_uint_eq(net_bench_dropped(net).received, 1);
	ck_assert_uint_eq(net_bench_dropped(net).sent, 1);
	net_bench_close(net);
}
END_TEST

/*
 * Another port for the old one, which is alive (0), has ended (1), or is not looked at, as
 * the machine is paused (2). Frames that were cut there are forgotten.
 */
START_TEST(test_changed)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, UINT64_MAX);
	struct virtio_device *virtio = net->bench.virtio;
	gpa_t at = virtio_bench_room(&net->bench, NET_RECEIVE, 200, 1);
	uint8_t data[200];

	capture_stderr();
	setsockopt(net->port->pairs[0].fd, SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int));
	net_bench_send(net, 60000, 1, 1);
	net_bench_kick(net, NET_SEND);
	net_bench_expect_sent(net, 1);
	net_bench_give(net, data, net_bench_frame(data, 100, 2) - 1);
	virtio_bench_run(&net->bench);
	if (_i == 1) {
		net->peer = close_fd(net->peer);
		virtio_bench_run(&net->bench);
		ck_assert_uint_eq(link_status(net), 0);
	}
	device_lock(&virtio->device);
	if (_i == 2)
		virtio_device_pause(virtio);
	virtio_net_change_port(virtio, net_bench_another_port(net));
	ck_assert_ptr_eq(virtio_net_port(virtio), net->port);
	if (_i == 2)
		virtio_device_resume(virtio);
	device_unlock(&virtio->device);
	net_bench_send(net, 100, 1, 3);
	net_bench_kick(net, NET_SEND);
	net_bench_expect(net, 100, 3);
	net_bench_give(net, data, net_bench_frame(data, 100, 4));
	virtio_bench_run(&net->bench);
	net_bench_expect_received(net, at, 100, 4);
	ck_assert_uint_eq(link_status(net), VIRTIO_NET_S_LINK_UP);
	ck_assert_uint_eq(count_text(captured_stderr(), "link is down"), _i == 1);
	net_bench_close(net);
}
END_TEST

/* Packets: headers go through as they are, both ways, but for the number of buffers. */
START_TEST(test_packets)
{
	struct net_bench *net = net_bench_drive(&net_packet_kind, UINT64_MAX);
	struct virtio_bench *bench = &net->bench;
	uint8_t packet[NET_HEADER_SIZE + 100] = {
		VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV4, 54, 0, 0xb4, 5, 34, 0, 16, 0,
	};
	uint8_t got[NET_HEADER_SIZE + 200];
	gpa_t at = virtio_bench_room(bench, NET_RECEIVE, 200, 1);
	uint64_t token;
	uint32_t length;

	net_bench_kick(net, NET_RECEIVE);
	net_bench_fill(packet + NET_HEADER_SIZE, 100, 9);
	net_bench_give(net, packet, sizeof(packet));
	net_bench_give(net, packet, NET_HEADER_SIZE + 13);
	net_bench_give(net, packet, 5);
	virtio_bench_run(bench);
	ck_assert(virtio_bench_used(bench, NET_RECEIVE, &token, &length));
	ck_assert_uint_eq(length, sizeof(packet));
	packet[10] = 1;
	ck_assert(!memcmp(virtio_bench_ram(bench, at, length), packet, length));
	ck_assert(virtio_bench_put(bench, NET_SEND, packet, sizeof(packet), 2));
	ck_assert(virtio_bench_put(bench, NET_SEND, packet, NET_HEADER_SIZE + 13, 3));
	net_bench_kick(net, NET_SEND);
	net_bench_expect_sent(net, 2);
	net_bench_expect_sent(net, 3);
	ck_assert_int_eq(recv(net->peer, got, sizeof(got), MSG_DONTWAIT), sizeof(packet));
	ck_assert(!memcmp(got, packet, sizeof(packet)));
	ck_assert_uint_eq(net_bench_dropped(net).sent, 1);
	net_bench_close(net);
}
END_TEST

/* The port takes no more for a while. */
START_TEST(test_packets_blocked)
{
	struct net_bench *net = net_bench_drive(&net_packet_kind, UINT64_MAX);
	uint8_t got[NET_HEADER_SIZE + 1000];
	unsigned seen = 0;
	uint64_t token;
	uint32_t length;
	unsigned back = 0;

	setsockopt(net->port->pairs[0].fd, SOL_SOCKET, SO_SNDBUF, &(int){2048}, sizeof(int));
	for (unsigned i = 0; i < VIRTIO_BENCH_RING; i++)
		net_bench_send(net, 1000, 1, i);
	net_bench_kick(net, NET_SEND);
	while (virtio_bench_used(&net->bench, NET_SEND, &token, &length))
		back++;
	ck_assert_uint_lt(back, VIRTIO_BENCH_RING);
	for (unsigned i = 0; i < VIRTIO_BENCH_RING; i++) {
		virtio_bench_run(&net->bench);
		while (recv(net->peer, got, sizeof(got), MSG_DONTWAIT) > 0) {
			uint8_t expected[1000];

			net_bench_fill(expected, sizeof(expected), seen++);
			ck_assert(!memcmp(got + NET_HEADER_SIZE, expected, sizeof(expected)));
		}
	}
	ck_assert_uint_eq(seen, VIRTIO_BENCH_RING);
	while (virtio_bench_used(&net->bench, NET_SEND, &token, &length))
		back++;
	ck_assert_uint_eq(back, VIRTIO_BENCH_RING);
	ck_assert_uint_eq(net_bench_dropped(net).sent, 0);
	net_bench_close(net);
}
END_TEST

/* The second pair works from the moment that the driver asks for it. */
START_TEST(test_second_pair)
{
	struct net_bench *net = net_bench_drive(&net_pairs_kind, UINT64_MAX);
	struct virtio_bench *bench = &net->bench;
	uint8_t packet[NET_HEADER_SIZE + 100] = {0};
	gpa_t at = virtio_bench_room(bench, 2, 200, 1);
	uint16_t two = 2;
	uint64_t token;
	uint32_t length;

	net_bench_kick(net, 2);
	ck_assert_int_eq(write(net->others[1], packet, sizeof(packet)), sizeof(packet));
	virtio_bench_run(bench);
	ck_assert(!virtio_bench_used(bench, 2, &token, &length));
	ck_assert_int_eq(net_bench_control(net, 4, VIRTIO_NET_CTRL_MQ, 0, &two, 2), 0);
	virtio_bench_run(bench);
	ck_assert(virtio_bench_used(bench, 2, &token, &length));
	ck_assert_uint_eq(length, sizeof(packet));
	ck_assert_uint_eq(*(uint8_t *)virtio_bench_ram(bench, at + 10, 1), 1);
	ck_assert(virtio_bench_put(bench, 3, packet, sizeof(packet), 2));
	net_bench_kick(net, 3);
	ck_assert(virtio_bench_used(bench, 3, &token, &length));
	ck_assert_int_eq(recv(net->others[1], packet, sizeof(packet), MSG_DONTWAIT),
			 sizeof(packet));
	net_bench_close(net);
}
END_TEST

const char unit_name[] = "virtio_net_port";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_receive_short),   UNIT_CASE(test_too_long),
	UNIT_LOOP(test_closed, 2),       UNIT_CASE(test_closed_when_sending),
	UNIT_CASE(test_unplugged),       UNIT_CASE(test_packets),
	UNIT_CASE(test_packets_blocked), UNIT_CASE(test_second_pair),
	UNIT_LOOP(test_changed, 3),      {0},
};
