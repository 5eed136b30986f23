/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that the main thread moves: streams that are cut anywhere, guests that are not ready. */
#include <string.h>
#include <sys/socket.h>

#include "net_bench.h"
#include "unit.h"

#define NO_MERGE (~BIT(VIRTIO_NET_F_MRG_RXBUF))

static const size_t sizes[] = {14, 15, 60, 64, 1514, 9000, 32768, NET_FRAME_MAX};

static void expect_traffic(struct net_bench *net, const struct virtio_net_traffic *wanted)
{
	const struct virtio_net_traffic traffic = virtio_net_traffic(net->bench.virtio);

	ck_assert_mem_eq(&traffic, wanted, sizeof(traffic));
}

START_TEST(test_send)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, UINT64_MAX);

	for (unsigned pieces = 1; pieces <= 14; pieces++) {
		net_bench_send(net, sizes[_i], pieces, pieces);
		net_bench_kick(net, NET_SEND);
		net_bench_expect(net, sizes[_i], pieces);
		net_bench_expect_sent(net, pieces);
		virtio_bench_interrupts(&net->bench);
	}
	ck_assert_uint_eq(net_bench_dropped(net).sent, 0);
	expect_traffic(net, &(struct virtio_net_traffic){.sent = 14, .sent_bytes = 14 * sizes[_i]});
	net_bench_close(net);
}
END_TEST

/* Many at once: one interrupt for all. */
START_TEST(test_send_batch)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, ~BIT(VIRTIO_F_RING_PACKED));

	virtio_bench_interrupts(&net->bench);
	for (unsigned i = 0; i < VIRTIO_BENCH_RING; i++)
		net_bench_send(net, 100 + i, 1, i);
	net_bench_kick(net, NET_SEND);
	for (unsigned i = 0; i < VIRTIO_BENCH_RING; i++) {
		net_bench_expect(net, 100 + i, i);
		net_bench_expect_sent(net, i);
	}
	ck_assert_uint_le(virtio_bench_interrupts(&net->bench), 1);
	net_bench_close(net);
}
END_TEST

/* What is no frame is dropped; those around it go their way. */
START_TEST(test_send_dropped)
{
	static const size_t wrong[] = {0, 1, 13, NET_FRAME_MAX + 1, 100000};
	struct net_bench *net = net_bench_drive(&net_stream_kind, UINT64_MAX);

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		net_bench_send(net, 100, 2, 2 * i);
		net_bench_send(net, wrong[i], 1, 2 * i + 1);
		net_bench_kick(net, NET_SEND);
		net_bench_expect(net, 100, 2 * i);
		net_bench_expect_sent(net, 2 * i);
		net_bench_expect_sent(net, 2 * i + 1);
	}
	/* Not even a header; and one that is to be written. */
	ck_assert(virtio_bench_put(&net->bench, NET_SEND, "x", 1, 20));
	virtio_bench_room(&net->bench, NET_SEND, 100, 21);
	net_bench_kick(net, NET_SEND);
	net_bench_expect_sent(net, 20);
	net_bench_expect_sent(net, 21);
	ck_assert_uint_eq(net_bench_dropped(net).sent, ARRAY_SIZE(wrong) + 2);
	expect_traffic(net, &(struct virtio_net_traffic){.sent = ARRAY_SIZE(wrong),
							 .sent_bytes = 100 * ARRAY_SIZE(wrong)});
	net_bench_close(net);
}
END_TEST

/* The other side reads slowly: nothing is lost, cut or out of order. */
START_TEST(test_send_blocked)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, UINT64_MAX);
	unsigned sent = 0, seen = 0, back = 0;
	uint64_t token;
	uint32_t length;

	setsockopt(net->port->pairs[0].fd, SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int));
	while (seen < 200) {
		net->bench.next = VIRTIO_BENCH_RAM + MIB + (sent % 32) * 64 * KIB;
		if (sent - back < VIRTIO_BENCH_RING - 2 && sent < 200) {
			net_bench_send(net, 14 + sent * 97 % 20000, 1, sent);
			sent++;
		}
		net_bench_kick(net, NET_SEND);
		while (virtio_bench_used(&net->bench, NET_SEND, &token, &length))
			ck_assert_uint_eq(token, back++);
		if (sent % 7 == 0 || sent == 200) {
			net_bench_expect(net, 14 + seen * 97 % 20000, seen);
			seen++;
		}
		if (sent > seen + 12) {
			net_bench_expect(net, 14 + seen * 97 % 20000, seen);
			seen++;
		}
	}
	ck_assert_uint_eq(net_bench_dropped(net).sent, 0);
	net_bench_close(net);
}
END_TEST

/* The device is reset while a frame is cut: its rest goes first. */
START_TEST(test_send_cut_by_reset)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, UINT64_MAX);

	setsockopt(net->port->pairs[0].fd, SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int));
	net_bench_send(net, 60000, 1, 1);
	net_bench_kick(net, NET_SEND);
	net_bench_expect_sent(net, 1);
	virtio_bench_drive(&net->bench, UINT64_MAX);
	net_bench_send(net, 100, 1, 2);
	net_bench_kick(net, NET_SEND);
	net_bench_expect(net, 60000, 1);
	net_bench_expect(net, 100, 2);
	net_bench_close(net);
}
END_TEST

START_TEST(test_receive)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, _i % 2 ? NO_MERGE : UINT64_MAX);
	uint8_t *data = malloc(NET_FRAME_MAX + 4);
	size_t size = sizes[_i / 2];
	gpa_t at = virtio_bench_room(&net->bench, NET_RECEIVE, NET_HEADER_SIZE + NET_FRAME_MAX, 1);

	virtio_bench_kick(&net->bench, NET_RECEIVE);
	net_bench_give(net, data, net_bench_frame(data, size, 3));
	virtio_bench_run(&net->bench);
	net_bench_expect_received(net, at, size, 3);
	ck_assert_uint_eq(virtio_bench_interrupts(&net->bench), 1);
	ck_assert_uint_eq(net_bench_dropped(net).received, 0);
	expect_traffic(net, &(struct virtio_net_traffic){.received = 1, .received_bytes = size});
	free(data);
	net_bench_close(net);
}
END_TEST

/* Two frames, cut at each byte. */
START_TEST(test_receive_cut)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, UINT64_MAX);
	uint8_t data[200];
	size_t size = net_bench_frame(data, 40, 1);

	size += net_bench_frame(data + size, 61, 2);
	for (size_t cut = 0; cut <= size; cut++) {
		gpa_t first = virtio_bench_room(&net->bench, NET_RECEIVE, 128, 1);
		gpa_t second = virtio_bench_room(&net->bench, NET_RECEIVE, 128, 2);

		net_bench_kick(net, NET_RECEIVE);
		net_bench_give(net, data, cut);
		virtio_bench_run(&net->bench);
		net_bench_give(net, data + cut, size - cut);
		virtio_bench_run(&net->bench);
		net_bench_expect_received(net, first, 40, 1);
		net_bench_expect_received(net, second, 61, 2);
	}
	net_bench_close(net);
}
END_TEST

/* Frames of any size in pieces of any size, with resets of the device between. */
START_TEST(test_receive_random)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, UINT64_MAX);
	struct virtio_bench *bench = &net->bench;
	uint8_t *data = malloc(NET_FRAME_MAX + 4);

	bench->random = (uint64_t)_i + 1;
	for (unsigned n = 0; n < 300; n++) {
		size_t size = 14 + virtio_bench_random(bench, n % 10 ? 3000 : 60000);
		size_t total = net_bench_frame(data, size, n);
		gpa_t at;

		if (virtio_bench_random(bench, 20) == 0)
			virtio_bench_drive(bench, UINT64_MAX);
		bench->next = VIRTIO_BENCH_RAM + MIB;
		at = virtio_bench_room(bench, NET_RECEIVE, NET_HEADER_SIZE + NET_FRAME_MAX, n);
		net_bench_kick(net, NET_RECEIVE);
		for (size_t done = 0; done < total;) {
			size_t part = 1 + virtio_bench_random(bench, 8000);

			if (part > total - done)
				part = total - done;
			net_bench_give(net, data + done, part);
			virtio_bench_run(bench);
			done += part;
		}
		net_bench_expect_received(net, at, size, n);
	}
	free(data);
	net_bench_close(net);
}
END_TEST

/* No buffers: the frames wait, and the rest stays in the socket. */
START_TEST(test_receive_starved)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, UINT64_MAX);
	uint8_t data[4096];

	for (unsigned i = 0; i < 40; i++) {
		net_bench_give(net, data, net_bench_frame(data, 4000, i));
		virtio_bench_run(&net->bench);
	}
	for (unsigned i = 0; i < 40; i++) {
		gpa_t at = virtio_bench_room(&net->bench, NET_RECEIVE, 4096, i);

		net_bench_kick(net, NET_RECEIVE);
		net_bench_expect_received(net, at, 4000, i);
	}
	ck_assert_uint_eq(net_bench_dropped(net).received, 0);
	net_bench_close(net);
}
END_TEST

/* One frame in many buffers: the first has the header and their number. */
static void check_merged(struct net_bench *net, const gpa_t *at, uint32_t room, size_t size)
{
	uint8_t *expected = calloc(1, NET_HEADER_SIZE + size);
	size_t total = NET_HEADER_SIZE + size;
	size_t done = 0;
	uint64_t token;
	uint32_t length;

	expected[10] = (uint8_t)((total + room - 1) / room);
	net_bench_fill(expected + NET_HEADER_SIZE, size, 5);
	for (unsigned i = 0; done < total; i++) {
		ck_assert(virtio_bench_used(&net->bench, NET_RECEIVE, &token, &length));
		ck_assert_uint_eq(length, min_u64(room, total - done));
		ck_assert(!memcmp(virtio_bench_ram(&net->bench, at[i], length), expected + done,
				  length));
		done += length;
	}
	ck_assert(!virtio_bench_used(&net->bench, NET_RECEIVE, &token, &length));
	free(expected);
}

static const struct {
	uint32_t room;
	size_t size;
} merges[] = {
	{1000, 988}, {1000, 989}, {1000, 5000}, {1000, 15988}, {12, 14}, {12, 100}, {13, 14},
};

START_TEST(test_merge)
{
	struct net_bench *net =
		net_bench_drive(&net_stream_kind, ~BIT(VIRTIO_RING_F_INDIRECT_DESC));
	uint8_t *data = malloc(NET_FRAME_MAX + 4);
	gpa_t at[VIRTIO_BENCH_RING];

	/* The buffers come one by one while the frame waits. */
	net_bench_give(net, data, net_bench_frame(data, merges[_i].size, 5));
	for (unsigned i = 0; i < VIRTIO_BENCH_RING; i++) {
		at[i] = virtio_bench_room(&net->bench, NET_RECEIVE, merges[_i].room, i);
		net_bench_kick(net, NET_RECEIVE);
	}
	check_merged(net, at, merges[_i].room, merges[_i].size);
	ck_assert_uint_eq(net_bench_dropped(net).received, 0);
	free(data);
	net_bench_close(net);
}
END_TEST

/* More than all buffers of the ring together: dropped, and they are there for the next. */
START_TEST(test_merge_too_long)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, UINT64_MAX);
	uint8_t *data = malloc(NET_FRAME_MAX + 4);
	gpa_t first = 0;

	for (unsigned i = 0; i < VIRTIO_BENCH_RING; i++) {
		gpa_t at = virtio_bench_room(&net->bench, NET_RECEIVE, 100, i);

		first = first ? first : at;
	}
	net_bench_kick(net, NET_RECEIVE);
	net_bench_give(net, data, net_bench_frame(data, 1600, 1));
	net_bench_give(net, data, net_bench_frame(data, 50, 2));
	virtio_bench_run(&net->bench);
	net_bench_expect_received(net, first, 50, 2);
	ck_assert_uint_eq(net_bench_dropped(net).received, 1);
	free(data);
	net_bench_close(net);
}
END_TEST

/* While a frame waits for more buffers, the device is paused: those it has are as if never seen. */
START_TEST(test_merge_paused)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, UINT64_MAX);
	struct virtio_device *virtio = net->bench.virtio;
	uint8_t data[3004];
	gpa_t at[3];

	at[0] = virtio_bench_room(&net->bench, NET_RECEIVE, 1012, 1);
	net_bench_kick(net, NET_RECEIVE);
	net_bench_give(net, data, net_bench_frame(data, 3000, 5));
	virtio_bench_run(&net->bench);
	ck_assert_uint_ne(virtio->queues[NET_RECEIVE].ring.avail,
			  virtio->queues[NET_RECEIVE].ring.used);
	device_lock(&virtio->device);
	virtio_device_pause(virtio);
	ck_assert_uint_eq(virtio->queues[NET_RECEIVE].ring.avail,
			  virtio->queues[NET_RECEIVE].ring.used);
	virtio_device_resume(virtio);
	device_unlock(&virtio->device);
	virtio_bench_run(&net->bench);
	at[1] = virtio_bench_room(&net->bench, NET_RECEIVE, 1012, 2);
	at[2] = virtio_bench_room(&net->bench, NET_RECEIVE, 1012, 3);
	net_bench_kick(net, NET_RECEIVE);
	check_merged(net, at, 1012, 3000);
	net_bench_close(net);
}
END_TEST

START_TEST(test_no_merge_too_small)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, NO_MERGE);
	uint8_t data[2000];
	gpa_t at = virtio_bench_room(&net->bench, NET_RECEIVE, 100, 1);

	virtio_bench_room(&net->bench, NET_RECEIVE, 1000, 2);
	net_bench_kick(net, NET_RECEIVE);
	net_bench_give(net, data, net_bench_frame(data, 89, 1));
	net_bench_give(net, data, net_bench_frame(data, 88, 2));
	virtio_bench_run(&net->bench);
	net_bench_expect_received(net, at, 88, 2);
	ck_assert_uint_eq(net_bench_dropped(net).received, 1);
	net_bench_close(net);
}
END_TEST

/* Without room for a header, or with none at all. */
static const uint32_t small[] = {0, 1, 11};

START_TEST(test_no_room_for_header)
{
	struct net_bench *net = net_bench_drive(&net_stream_kind, _i % 2 ? NO_MERGE : UINT64_MAX);
	struct driver_piece piece = {virtio_bench_alloc(&net->bench, 16, 1), small[_i / 2]};
	uint8_t data[200];

	ck_assert(virtio_bench_add(&net->bench, NET_RECEIVE, &piece, 0, 1, 1));
	net_bench_kick(net, NET_RECEIVE);
	net_bench_give(net, data, net_bench_frame(data, 89, 1));
	virtio_bench_run(&net->bench);
	ck_assert(net->bench.virtio->status & VIRTIO_CONFIG_S_NEEDS_RESET);
	/* After a reset the frame is still there. */
	virtio_bench_drive(&net->bench, UINT64_MAX);
	piece.addr = virtio_bench_room(&net->bench, NET_RECEIVE, 200, 1);
	net_bench_kick(net, NET_RECEIVE);
	net_bench_expect_received(net, piece.addr, 89, 1);
	net_bench_close(net);
}
END_TEST

const char unit_name[] = "virtio_net_user";
const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_send, ARRAY_SIZE(sizes)),
	UNIT_CASE(test_send_batch),
	UNIT_CASE(test_send_dropped),
	UNIT_CASE(test_send_blocked),
	UNIT_CASE(test_send_cut_by_reset),
	UNIT_LOOP(test_receive, 2 * ARRAY_SIZE(sizes)),
	UNIT_CASE(test_receive_cut),
	UNIT_LOOP(test_receive_random, 3),
	UNIT_CASE(test_receive_starved),
	UNIT_LOOP(test_merge, ARRAY_SIZE(merges)),
	UNIT_CASE(test_merge_too_long),
	UNIT_CASE(test_merge_paused),
	UNIT_CASE(test_no_merge_too_small),
	UNIT_LOOP(test_no_room_for_header, 2 * ARRAY_SIZE(small)),
	{0},
};
