/* SPDX-License-Identifier: Apache-2.0 */
/* Taps of the host, where this process may make them; and what is said where it may not. */
#include "backend/tap.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/log.h"
#include "bench.h"
#include "unit.h"

/* A network of our own, so that nothing is left; false: taps cannot be made here. */
static bool own_network(void)
{
	struct net_port *port = NULL;
	const struct tap_options options = {.pairs = 1, .vhost = TAP_VHOST_OFF};

	if (unshare(CLONE_NEWNET) < 0 || tap_open(&options, &port, NULL) < 0)
		return false;
	net_port_destroy(port);
	return true;
}

static int open_tap(const char *name, unsigned pairs, struct net_port **ret, struct error *err)
{
	const struct tap_options options = {.name = name, .pairs = pairs};

	return tap_open(&options, ret, err);
}

static void expect_refused(const char *name, unsigned pairs, const char *words)
{
	struct net_port *port = NULL;
	struct error err = {0};
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "--net tap=%s: ", name);
	ck_assert_int_lt(open_tap(name, pairs, &port, &err), 0);
	ck_assert_msg(!strncmp(err.text, prefix, strlen(prefix)), "%s", err.text);
	ck_assert_msg(strstr(err.text, words), "%s", err.text);
	ck_assert_ptr_null(port);
}

static const struct {
	const char *name;
	const char *words;
} bad_names[] = {
	{"", "no interface can have this name"},
	{".", "no interface can have this name"},
	{"..", "no interface can have this name"},
	{"a/b", "no interface can have this name"},
	{"tap%d", "no interface can have this name"},
	{"a b", "no interface can have this name"},
	{"a23456789012345f", "the name is too long; Linux takes 15 characters"},
};

START_TEST(test_bad_name)
{
	expect_refused(bad_names[_i].name, 1, bad_names[_i].words);
}
END_TEST

START_TEST(test_open)
{
	struct net_port *port = NULL;
	struct error err = {0};
	struct ifreq request = {0};
	int header = 0;

	if (!own_network())
		return;
	ck_assert_int_eq(open_tap("armlet0", 1, &port, &err), 0);
	ck_assert_str_eq(port->peer, "armlet0");
	ck_assert_uint_eq(port->mtu, 1500);
	ck_assert_int_eq(port->framing, NET_FRAMES_PACKET);
	ck_assert(port->offloads & BIT(VIRTIO_NET_F_CSUM));
	ck_assert(port->offloads & BIT(VIRTIO_NET_F_GUEST_TSO4));
	ck_assert_int_eq(ioctl(port->pairs[0].fd, TUNGETIFF, &request), 0);
	ck_assert_int_eq(request.ifr_flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR),
			 IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	ck_assert_int_eq(ioctl(port->pairs[0].fd, TUNGETVNETHDRSZ, &header), 0);
	ck_assert_int_eq(header, NET_HEADER_SIZE);
	ck_assert(fcntl(port->pairs[0].fd, F_GETFL) & O_NONBLOCK);
	ck_assert(fcntl(port->pairs[0].fd, F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(port->ops->set_offloads(port, port->offloads), 0);
	ck_assert_int_eq(port->ops->set_offloads(port, 0), 0);
	expect_refused("armlet0", 1, "another program is attached to it");
	net_port_destroy(port);
	/* It was ours, and is gone. */
	ck_assert_uint_eq(if_nametoindex("armlet0"), 0);
}
END_TEST

START_TEST(test_pairs)
{
	struct net_port *port = NULL;
	struct error err = {0};

	if (!own_network())
		return;
	ck_assert_int_eq(open_tap(NULL, 3, &port, &err), 0);
	ck_assert_str_eq(port->peer, "tap0");
	ck_assert_uint_eq(port->pair_count, 3);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 1; i < 3; i++) {
			ck_assert_int_eq(port->ops->set_pair(port, i, true), 0);
			ck_assert_int_eq(port->ops->set_pair(port, i, true), 0);
		}
		for (unsigned i = 1; i < 3; i++) {
			ck_assert_int_eq(port->ops->set_pair(port, i, false), 0);
			ck_assert_int_eq(port->ops->set_pair(port, i, false), 0);
		}
	}
	net_port_destroy(port);
}
END_TEST

/* An interface that stays when its program has gone, as `ip tuntap add` makes it. */
static void make_persistent(const char *name, int flags)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	struct ifreq request = {.ifr_flags = (short)flags};

	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	ck_assert_int_eq(ioctl(fd, TUNSETIFF, &request), 0);
	ck_assert_int_eq(ioctl(fd, TUNSETPERSIST, 1), 0);
	close(fd);
}

START_TEST(test_existing)
{
	struct net_port *port = NULL;
	struct error err = {0};

	if (!own_network())
		return;
	make_persistent("one0", IFF_TAP | IFF_NO_PI);
	make_persistent("many0", IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE);
	make_persistent("tun0", IFF_TUN | IFF_NO_PI);
	expect_refused("one0", 2, "made without multi_queue, but more than one pair");
	expect_refused("many0", 1, "made with multi_queue, but one pair");
	expect_refused("tun0", 1, "is no tap");
	expect_refused("lo", 1, "is no tap");
	capture_stderr();
	ck_assert_int_eq(open_tap("one0", 1, &port, &err), 0);
	ck_assert_uint_eq(count_text(captured_stderr(), "one0 is down"), 1);
	net_port_destroy(port);
	ck_assert_uint_ne(if_nametoindex("one0"), 0);
	/* Somebody who is nobody. */
	if (setuid(65534) == 0 && access("/dev/net/tun", R_OK | W_OK) == 0)
		expect_refused("one0", 1, "ip tuntap add dev one0 mode tap user $USER");
	else
		expect_refused("one0", 1, "may not be opened by this user");
}
END_TEST

/* Without /dev/vhost-net: one line for those who want to know, or a sentence. */
START_TEST(test_no_vhost)
{
	struct tap_options options = {.name = "armlet0", .pairs = 2};
	struct net_port *port = NULL;
	struct error err = {0};

	if (!own_network() || access("/dev/vhost-net", R_OK | W_OK) == 0)
		return;
	log_set_level(LOG_LEVEL_INFO);
	capture_stderr();
	ck_assert_int_eq(tap_open(&options, &port, &err), 0);
	ck_assert_uint_eq(count_text(captured_stderr(), "served by armlet itself"), 1);
	ck_assert_int_eq(port->pairs[0].vhost_fd, -1);
	net_port_destroy(port);
	port = NULL;
	options.vhost = TAP_VHOST_ON;
	ck_assert_int_lt(tap_open(&options, &port, &err), 0);
	ck_assert_msg(strstr(err.text, "modprobe vhost_net"), "%s", err.text);
	ck_assert_ptr_null(port);
}
END_TEST

/* A frame each way, with its header. */
START_TEST(test_frames)
{
	struct net_port *port = NULL;
	struct error err = {0};
	uint8_t frame[NET_HEADER_SIZE + 60] = {0};
	uint8_t got[2048];

	if (!own_network())
		return;
	ck_assert_int_eq(open_tap("armlet0", 1, &port, &err), 0);
	memset(frame + NET_HEADER_SIZE, 0xff, 6);
	frame[NET_HEADER_SIZE + 6] = 2;
	ck_assert_int_eq(write(port->pairs[0].fd, frame, sizeof(frame)), sizeof(frame));
	/* An interface that is up says something by itself: IPv6's neighbour discovery. */
	for (unsigned i = 0; i < 300; i++) {
		ssize_t size = read(port->pairs[0].fd, got, sizeof(got));

		if (size > 0) {
			ck_assert_int_ge(size, NET_HEADER_SIZE + NET_FRAME_MIN);
			break;
		}
		ck_assert_int_eq(errno, EAGAIN);
		usleep(10000);
	}
	net_port_destroy(port);
}
END_TEST

static bool make_bridge(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool made = fd >= 0 && ioctl(fd, SIOCBRADDBR, name) == 0;

	close(fd);
	return made;
}

static int join(const char *name, const char *bridge, struct net_port **ret, struct error *err)
{
	const struct tap_options options = {.name = name, .bridge = bridge, .pairs = 1};

	return tap_open(&options, ret, err);
}

/* What leaves the guest's end comes out of the bridge; the tap's address is above all others. */
START_TEST(test_bridge)
{
	static const struct {
		const char *bridge, *says;
	} refused[] = {
		{"none0", "the host has no such interface; make it with 'ip link add none0 type "},
		{"lo", "this interface of the host is no bridge"},
		{"a/b", "no interface can have this name"},
		{"", "no interface can have this name"},
		{"br1", "it is on another bridge already"},
	};
	struct ifreq request = {.ifr_name = "one0"};
	struct net_port *port = NULL;
	struct error err = {0};
	int fd;

	if (!own_network() || !make_bridge("br0") || !make_bridge("br1"))
		return;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_msg(join("one0", "br0", &port, &err) == 0, "%s", err.text);
	ck_assert_int_eq(ioctl(fd, SIOCGIFHWADDR, &request), 0);
	ck_assert_uint_eq((uint8_t)request.ifr_hwaddr.sa_data[0], 0xfe);
	strcpy(request.ifr_name, "br0");
	request.ifr_ifindex = (int)if_nametoindex("one0");
	ck_assert_int_lt(ioctl(fd, SIOCBRADDIF, &request), 0);
	ck_assert_int_eq(errno, EBUSY);
	net_port_destroy(port);
	ck_assert_uint_eq(if_nametoindex("one0"), 0);

	/* One that was there, and is on a bridge. */
	make_persistent("one0", IFF_TAP | IFF_NO_PI);
	request.ifr_ifindex = (int)if_nametoindex("one0");
	ck_assert_int_eq(ioctl(fd, SIOCBRADDIF, &request), 0);
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		const char *name = i + 1 < ARRAY_SIZE(refused) ? "two0" : "one0";
		char says[256];

		port = NULL;
		snprintf(says, sizeof(says), "--net tap=%s: bridge=%s: %s", name, refused[i].bridge,
			 refused[i].says);
		ck_assert_int_lt(join(name, refused[i].bridge, &port, &err), 0);
		ck_assert_msg(!strncmp(err.text, says, strlen(says)), "%s", err.text);
		ck_assert_ptr_null(port);
	}
}
END_TEST

const char unit_name[] = "tap";
const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_bad_name, ARRAY_SIZE(bad_names)),
	UNIT_CASE(test_open),
	UNIT_CASE(test_pairs),
	UNIT_CASE(test_existing),
	UNIT_CASE(test_no_vhost),
	UNIT_CASE(test_frames),
	UNIT_CASE(test_bridge),
	{0},
};
