/* SPDX-License-Identifier: Apache-2.0 */
/* Features, configuration, control queue, state: what is the same whoever moves the frames. */
#include <string.h>

#include "net_bench.h"
#include "unit.h"

#define CONTROL       2 /* the queue, of a device with one pair */
#define CONTROL_PAIRS 4 /* with two */

#define CONFIG(member) (VIRTIO_MMIO_CONFIG + offsetof(struct virtio_net_config, member))

static bool has(struct net_bench *net, unsigned bit)
{
	return virtio_bench_offered(&net->bench) & BIT(bit);
}

START_TEST(test_offers)
{
	struct net_bench *net = net_bench_open(&net_stream_kind);
	static const uint8_t always[] = {
		VIRTIO_NET_F_MAC,       VIRTIO_NET_F_STATUS,        VIRTIO_NET_F_CTRL_VQ,
		VIRTIO_NET_F_CTRL_RX,   VIRTIO_NET_F_CTRL_MAC_ADDR, VIRTIO_NET_F_MTU,
		VIRTIO_NET_F_MRG_RXBUF,
	};

	ck_assert_uint_eq(virtio_bench_get(&net->bench, VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_NET);
	for (unsigned i = 0; i < ARRAY_SIZE(always); i++)
		ck_assert_msg(has(net, always[i]), "%u", always[i]);
	ck_assert(!has(net, VIRTIO_NET_F_MQ) && !has(net, VIRTIO_NET_F_CSUM));
	ck_assert(!has(net, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS));
	net_bench_close(net);
	net = net_bench_open(&net_pairs_kind);
	ck_assert(has(net, VIRTIO_NET_F_MQ) && has(net, VIRTIO_NET_F_CSUM));
	ck_assert(has(net, VIRTIO_NET_F_HOST_TSO4) && has(net, VIRTIO_NET_F_GUEST_TSO6));
	ck_assert(has(net, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS));
	net_bench_close(net);
}
END_TEST

START_TEST(test_config)
{
	struct net_bench *net = net_bench_open(&net_pairs_kind);
	static const uint8_t mac[] = NET_MAC;

	for (unsigned i = 0; i < MAC_SIZE; i++)
		ck_assert_uint_eq(virtio_bench_read(&net->bench, CONFIG(mac) + i, 1), mac[i]);
	ck_assert_uint_eq(virtio_bench_read(&net->bench, CONFIG(status), 2), 1);
	ck_assert_uint_eq(virtio_bench_read(&net->bench, CONFIG(max_virtqueue_pairs), 2), 2);
	ck_assert_uint_eq(virtio_bench_read(&net->bench, CONFIG(mtu), 2), 1500);
	virtio_bench_write(&net->bench, CONFIG(mac), 1, 0x55);
	ck_assert_uint_eq(virtio_bench_read(&net->bench, CONFIG(mac), 1), mac[0]);
	net_bench_close(net);
}
END_TEST

/* A feature without what it needs. */
static const uint64_t contradictions[] = {
	BIT(VIRTIO_NET_F_GUEST_TSO4),
	BIT(VIRTIO_NET_F_GUEST_TSO6),
	BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_ECN),
	BIT(VIRTIO_NET_F_HOST_TSO4),
	BIT(VIRTIO_NET_F_HOST_TSO6),
	BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_HOST_ECN),
	BIT(VIRTIO_NET_F_CTRL_RX),
	BIT(VIRTIO_NET_F_CTRL_RX_EXTRA),
	BIT(VIRTIO_NET_F_CTRL_MAC_ADDR),
	BIT(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS),
	BIT(VIRTIO_NET_F_MQ),
};

START_TEST(test_contradictions)
{
	struct net_bench *net = net_bench_open(&net_pairs_kind);

	ck_assert(!virtio_bench_negotiate(&net->bench, contradictions[_i]));
	ck_assert(virtio_bench_negotiate(&net->bench, UINT64_MAX));
	net_bench_close(net);
}
END_TEST

/* Commands: a class, a command, up to 8 bytes of data, the answer. */
static const struct {
	uint8_t class, command, size, answer;
	uint8_t data[24];
} commands[] = {
	{VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 1, VIRTIO_NET_OK, {1}},
	{VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, 1, VIRTIO_NET_OK, {0}},
	{VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOBCAST, 1, VIRTIO_NET_OK, {1}},
	{VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 1, VIRTIO_NET_ERR, {2}},
	{VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 0, VIRTIO_NET_ERR, {0}},
	{VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 2, VIRTIO_NET_ERR, {1, 1}},
	{VIRTIO_NET_CTRL_RX, 6, 1, VIRTIO_NET_ERR, {1}},
	{VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 6, VIRTIO_NET_OK, {2, 9, 9, 9, 9, 9}},
	{VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 6, VIRTIO_NET_ERR, {1, 9}},
	{VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 6, VIRTIO_NET_ERR, {0}},
	{VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 5, VIRTIO_NET_ERR, {2}},
	{VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 7, VIRTIO_NET_ERR, {2}},
	{VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 8, VIRTIO_NET_OK, {0}},
	{VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 20, VIRTIO_NET_OK, {1, 0, 0, 0, 2,
										 2, 2, 2, 2, 2,
										 1, 0, 0, 0, 1,
										 1, 1, 1, 1, 1}},
	{VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 20, VIRTIO_NET_ERR, {3}},
	{VIRTIO_NET_CTRL_MAC,
	 VIRTIO_NET_CTRL_MAC_TABLE_SET,
	 8,
	 VIRTIO_NET_ERR,
	 {0xff, 0xff, 0xff, 0xff}},
	{VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 9, VIRTIO_NET_ERR, {0}},
	{VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 4, VIRTIO_NET_ERR, {0}},
	{VIRTIO_NET_CTRL_MAC, 2, 6, VIRTIO_NET_ERR, {2}},
	{VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 2, VIRTIO_NET_OK, {2, 0}},
	{VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 2, VIRTIO_NET_ERR, {0, 0}},
	{VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 2, VIRTIO_NET_ERR, {3, 0}},
	{VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 2, VIRTIO_NET_ERR, {0, 0x80}},
	{VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 1, VIRTIO_NET_ERR, {1}},
	{VIRTIO_NET_CTRL_MQ, 1, 2, VIRTIO_NET_ERR, {1}},
	{VIRTIO_NET_CTRL_GUEST_OFFLOADS, 0, 8, VIRTIO_NET_OK, {BIT(VIRTIO_NET_F_GUEST_CSUM)}},
	{VIRTIO_NET_CTRL_GUEST_OFFLOADS, 0, 8, VIRTIO_NET_OK, {0}},
	{VIRTIO_NET_CTRL_GUEST_OFFLOADS, 0, 8, VIRTIO_NET_ERR, {1}},
	{VIRTIO_NET_CTRL_GUEST_OFFLOADS, 0, 7, VIRTIO_NET_ERR, {2}},
	{VIRTIO_NET_CTRL_GUEST_OFFLOADS, 1, 8, VIRTIO_NET_ERR, {2}},
	{VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, 2, VIRTIO_NET_ERR, {1}},
	{VIRTIO_NET_CTRL_ANNOUNCE, 0, 0, VIRTIO_NET_ERR, {0}},
	{77, 0, 0, VIRTIO_NET_ERR, {0}},
};

START_TEST(test_commands)
{
	struct net_bench *net = net_bench_open(&net_pairs_kind);

	virtio_bench_drive(&net->bench, UINT64_MAX);
	ck_assert_int_eq(net_bench_control(net, CONTROL_PAIRS, commands[_i].class,
					   commands[_i].command, commands[_i].data,
					   commands[_i].size),
			 commands[_i].answer);
	ck_assert_uint_eq(net->bench.virtio->status & VIRTIO_CONFIG_S_NEEDS_RESET, 0);
	net_bench_close(net);
}
END_TEST

/* What was not negotiated is not granted. */
START_TEST(test_commands_without_features)
{
	struct net_bench *net = net_bench_open(&net_pairs_kind);

	virtio_bench_drive(&net->bench, BIT(VIRTIO_NET_F_CTRL_VQ));
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		ck_assert_int_eq(net_bench_control(net, CONTROL, commands[i].class,
						   commands[i].command, commands[i].data,
						   commands[i].size),
				 VIRTIO_NET_ERR);
	net_bench_close(net);
}
END_TEST

/* No room for the answer; too short for a header; nothing to read. */
START_TEST(test_commands_malformed)
{
	struct net_bench *net = net_bench_open(&net_stream_kind);
	struct virtio_bench *bench = &net->bench;
	struct driver_piece piece;
	uint64_t token;
	uint32_t length;

	virtio_bench_drive(bench, UINT64_MAX);
	piece = (struct driver_piece){virtio_bench_alloc(bench, 16, 1), 3};
	ck_assert(virtio_bench_add(bench, CONTROL, &piece, 1, 0, 1));
	ck_assert(virtio_bench_put(bench, CONTROL, "x", 1, 2));
	ck_assert(virtio_bench_add(bench, CONTROL, &piece, 0, 1, 3));
	virtio_bench_kick(bench, CONTROL);
	virtio_bench_run(bench);
	for (unsigned i = 1; i <= 3; i++) {
		ck_assert(virtio_bench_used(bench, CONTROL, &token, &length));
		ck_assert_uint_eq(token, i);
		ck_assert_uint_eq(length, i == 3 ? 1 : 0);
	}
	ck_assert_uint_eq(*(uint8_t *)virtio_bench_ram(bench, piece.addr, 1), VIRTIO_NET_ERR);
	net_bench_close(net);
}
END_TEST

START_TEST(test_mac_set_and_reset)
{
	struct net_bench *net = net_bench_open(&net_stream_kind);
	static const uint8_t mac[] = {0x02, 7, 7, 7, 7, 7};

	virtio_bench_drive(&net->bench, UINT64_MAX);
	ck_assert_int_eq(net_bench_control(net, CONTROL, VIRTIO_NET_CTRL_MAC,
					   VIRTIO_NET_CTRL_MAC_ADDR_SET, mac, sizeof(mac)),
			 VIRTIO_NET_OK);
	ck_assert_uint_eq(virtio_bench_read(&net->bench, CONFIG(mac) + 1, 1), 7);
	virtio_bench_drive(&net->bench, UINT64_MAX);
	ck_assert_uint_eq(virtio_bench_read(&net->bench, CONFIG(mac) + 1, 1), 1);
	net_bench_close(net);
}
END_TEST

/* All that was negotiated, until the driver chooses; again all after a reset. */
START_TEST(test_offloads)
{
	struct net_bench *net = net_bench_open(&net_packet_kind);
	const uint64_t both = BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4);
	const uint64_t control = BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
	uint64_t chosen = BIT(VIRTIO_NET_F_GUEST_CSUM);

	virtio_bench_drive(&net->bench, both | control);
	ck_assert_uint_eq(net->guest_wishes, both);
	ck_assert_int_eq(net_bench_control(net, CONTROL, VIRTIO_NET_CTRL_GUEST_OFFLOADS, 0, &chosen,
					   sizeof(chosen)),
			 VIRTIO_NET_OK);
	ck_assert_uint_eq(net->guest_wishes, chosen);
	virtio_bench_drive(&net->bench, both);
	ck_assert_uint_eq(net->guest_wishes, both);
	virtio_bench_drive(&net->bench, 0);
	ck_assert_uint_eq(net->guest_wishes, 0);
	net_bench_close(net);
}
END_TEST

START_TEST(test_pairs)
{
	struct net_bench *net = net_bench_open(&net_pairs_kind);
	uint16_t two = 2;

	virtio_bench_drive(&net->bench, UINT64_MAX);
	ck_assert_uint_eq(net->pairs_on, 0);
	ck_assert_int_eq(net_bench_control(net, CONTROL_PAIRS, VIRTIO_NET_CTRL_MQ, 0, &two, 2),
			 VIRTIO_NET_OK);
	ck_assert_uint_eq(net->pairs_on, 2);
	virtio_bench_drive(&net->bench, 0);
	ck_assert_uint_eq(net->pairs_on, 0);
	net_bench_close(net);
}
END_TEST

static void set_link(struct net_bench *net, bool up)
{
	device_lock(&net->bench.virtio->device);
	virtio_net_set_link(net->bench.virtio, up);
	device_unlock(&net->bench.virtio->device);
}

START_TEST(test_link)
{
	struct net_bench *net = net_bench_open(&net_stream_kind);

	virtio_bench_drive(&net->bench, UINT64_MAX);
	virtio_bench_run(&net->bench);
	virtio_bench_interrupts(&net->bench);
	set_link(net, true);
	ck_assert_uint_eq(virtio_bench_interrupts(&net->bench), 0);
	set_link(net, false);
	ck_assert_uint_eq(virtio_bench_interrupts(&net->bench), 1);
	ck_assert_uint_eq(virtio_bench_read(&net->bench, CONFIG(status), 2), 0);
	ck_assert_uint_eq(virtio_bench_get(&net->bench, VIRTIO_MMIO_INTERRUPT_STATUS) &
				  VIRTIO_ISR_CONFIG,
			  VIRTIO_ISR_CONFIG);
	virtio_bench_check_shadow(&net->bench);
	/* It stays down over a reset: it is not the driver's. */
	virtio_bench_drive(&net->bench, UINT64_MAX);
	ck_assert_uint_eq(virtio_bench_read(&net->bench, CONFIG(status), 2), 0);
	set_link(net, true);
	ck_assert_uint_eq(virtio_bench_read(&net->bench, CONFIG(status), 2), 1);
	net_bench_close(net);
}
END_TEST

/* The state of a driven device, changed, and what is said of it. */
static int load_changed(struct net_bench *net, const char *field, size_t behind, uint8_t value)
{
	struct virtio_saved saved = virtio_bench_save(&net->bench);
	size_t length = strlen(field);
	uint8_t *at = memmem(saved.data, saved.size, field, length);
	int r;

	ck_assert_ptr_nonnull(at);
	at[length + 5 + behind] = value; /* type, count */
	r = virtio_bench_load(&net->bench, saved.data, saved.size);
	free(saved.data);
	return r;
}

START_TEST(test_state_refused)
{
	struct net_bench *net = net_bench_open(&net_pairs_kind);

	virtio_bench_drive(&net->bench, UINT64_MAX);
	ck_assert_int_eq(load_changed(net, "config.mac", 0, 3), -EINVAL);
	ck_assert_int_eq(load_changed(net, "pairs", 0, 0), -EINVAL);
	ck_assert_int_eq(load_changed(net, "pairs", 0, 3), -EINVAL);
	ck_assert_int_eq(load_changed(net, "pairs", 0, 9), -EINVAL);
	ck_assert_int_eq(load_changed(net, "guest_offloads", 0, 2), -EINVAL);
	ck_assert_int_eq(load_changed(net, "config.mac", 0, 2), 0);
	net_bench_close(net);
}
END_TEST

static const struct virtio_kind *const kinds[] = {
	&net_stream_kind,
	&net_packet_kind,
	&net_pairs_kind,
	&net_vhost_kind,
};

START_TEST(test_random)
{
	virtio_check_random(kinds[_i % 4], (uint64_t)_i + 1, 3000);
}
END_TEST

START_TEST(test_save)
{
	virtio_check_save(kinds[_i % 4], (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_reset)
{
	virtio_check_reset(kinds[_i % 4], (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_hostile_state)
{
	virtio_check_hostile_state(kinds[_i % 4], (uint64_t)_i + 1);
}
END_TEST

const char unit_name[] = "virtio_net";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_offers),
	UNIT_CASE(test_config),
	UNIT_LOOP(test_contradictions, ARRAY_SIZE(contradictions)),
	UNIT_LOOP(test_commands, ARRAY_SIZE(commands)),
	UNIT_CASE(test_commands_without_features),
	UNIT_CASE(test_commands_malformed),
	UNIT_CASE(test_mac_set_and_reset),
	UNIT_CASE(test_offloads),
	UNIT_CASE(test_pairs),
	UNIT_CASE(test_link),
	UNIT_CASE(test_state_refused),
	UNIT_LOOP(test_random, 8),
	UNIT_LOOP(test_save, 8),
	UNIT_LOOP(test_reset, 8),
	UNIT_LOOP(test_hostile_state, 4),
	{0},
};
