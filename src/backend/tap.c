/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/tap.h"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/log.h"

#define TUN_PATH   "/dev/net/tun"
#define VHOST_PATH "/dev/vhost-net"

/* What linux/if_tun.h and linux/virtio_net.h of Debian 12 lack: Linux 6.2. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#ifndef VIRTIO_NET_F_GUEST_USO4
#define VIRTIO_NET_F_GUEST_USO4 54
#define VIRTIO_NET_F_GUEST_USO6 55
#define VIRTIO_NET_F_HOST_USO   56
#endif

struct tap {
	struct net_port port;
	char name[IFNAMSIZ];
	bool attached[NET_PAIRS_MAX];
	bool multi_queue;
};

/* An offload of frames that come to us, and the same of those that go. */
static const struct {
	unsigned tun;
	unsigned guest;
	unsigned host;
} offloads[] = {
	{TUN_F_CSUM, VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_CSUM},
	{TUN_F_TSO4, VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_HOST_TSO4},
	{TUN_F_TSO6, VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_HOST_TSO6},
	{TUN_F_TSO_ECN, VIRTIO_NET_F_GUEST_ECN, VIRTIO_NET_F_HOST_ECN},
	{TUN_F_UFO, VIRTIO_NET_F_GUEST_UFO, VIRTIO_NET_F_HOST_UFO},
	{TUN_F_USO4, VIRTIO_NET_F_GUEST_USO4, VIRTIO_NET_F_HOST_USO},
	{TUN_F_USO6, VIRTIO_NET_F_GUEST_USO6, VIRTIO_NET_F_HOST_USO},
};

static struct tap *to_tap(struct net_port *port)
{
	return container_of(port, struct tap, port);
}

/* As a port. */

static int tun_set_offloads(int fd, unsigned flags)
{
	return ioctl(fd, TUNSETOFFLOAD, (unsigned long)flags) < 0 ? -errno : 0;
}

static int set_offloads(struct net_port *port, uint64_t guest)
{
	unsigned flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(offloads); i++) {
		if (guest & BIT(offloads[i].guest))
			flags |= offloads[i].tun;
	}
	return tun_set_offloads(port->pairs[0].fd, flags);
}

static int set_pair(struct net_port *port, unsigned index, bool on)
{
	struct tap *tap = to_tap(port);
	struct ifreq request = {.ifr_flags = on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE};

	if (tap->attached[index] == on)
		return 0;
	if (ioctl(port->pairs[index].fd, TUNSETQUEUE, &request) < 0)
		return -errno;
	tap->attached[index] = on;
	return 0;
}

static void destroy(struct net_port *port)
{
	for (unsigned i = 0; i < port->pair_count; i++) {
		close_fd(port->pairs[i].fd);
		close_fd(port->pairs[i].vhost_fd);
	}
	free(to_tap(port));
}

static const struct net_port_ops tap_ops = {
	.set_offloads = set_offloads,
	.set_pair = set_pair,
	.destroy = destroy,
};

/* Opening it. */

static int refuse_open(const char *name, int code, struct error *err)
{
	if (code == ENOENT || code == ENODEV || code == ENXIO)
		return error_set(err, code,
				 "--net tap=%s: the host has no " TUN_PATH
				 "; load the module with 'modprobe tun'",
				 name);
	if (code == EACCES || code == EPERM)
		return error_set(err, code,
				 "--net tap=%s: " TUN_PATH " may not be opened by this user; "
				 "'chmod 666 " TUN_PATH "' is what most systems have",
				 name);
	return error_set_errno(err, code, "--net tap=%s: " TUN_PATH, name);
}

/* libc's own looks by netlink as well, which is much code. */
static int index_of(int socket, const char *name)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(socket, SIOCGIFINDEX, &request) < 0 ? 0 : request.ifr_ifindex;
}

static bool has_interface(const char *name)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && index_of(fd, name);
}

/* Whether the host has an interface of this name that is no tap; of a tap, ETHTOOL tells that. */
static bool is_no_tap(const char *name)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {.ifr_data = (void *)&info};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || !index_of(fd, name))
		return false;
	return ioctl(fd, SIOCETHTOOL, &request) < 0 || strcmp(info.driver, "tun") != 0 ||
	       strcmp(info.bus_info, "tap") != 0;
}

/* Why the kernel did not attach us to @name. */
static int refuse_attach(const char *name, bool multi_queue, int code, struct error *err)
{
	if (is_no_tap(name))
		return error_set(err, code, "--net tap=%s: this interface of the host is no tap",
				 name);
	if (code == EPERM || code == EACCES)
		return error_set(err, code,
				 "--net tap=%s: this user may not use it; make it as root with "
				 "'ip tuntap add dev %s mode tap user $USER%s', or give armlet "
				 "CAP_NET_ADMIN",
				 name, name, multi_queue ? " multi_queue" : "");
	if (code == EBUSY || code == E2BIG)
		return error_set(err, code,
				 "--net tap=%s: another program is attached to it, perhaps "
				 "another machine",
				 name);
	if (code == EINVAL && has_interface(name))
		return error_set(err, code,
				 "--net tap=%s: it was made %s multi_queue, but %s of queues is "
				 "asked for",
				 name, multi_queue ? "without" : "with",
				 multi_queue ? "more than one pair" : "one pair");
	return error_set_errno(err, code, "--net tap=%s: it cannot be attached to", name);
}

/* The next queue of the tap; the first one settles its name. */
static int open_queue(struct tap *tap, const char *shown, struct error *err)
{
	_cleanup_close_ int fd = open(TUN_PATH, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	const int header = NET_HEADER_SIZE;
	unsigned index = tap->port.pair_count;

	if (fd < 0)
		return refuse_open(shown, errno, err);
	if (tap->multi_queue)
		request.ifr_flags |= IFF_MULTI_QUEUE;
	memcpy(request.ifr_name, tap->name, sizeof(request.ifr_name));
	if (ioctl(fd, TUNSETIFF, &request) < 0)
		return refuse_attach(shown, tap->multi_queue, errno, err);
	memcpy(tap->name, request.ifr_name, sizeof(tap->name));
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
		return error_set_errno(err, errno, "--net tap=%s: its header has another size",
				       tap->name);
	tap->attached[index] = true;
	tap->port.pairs[index] = (struct net_pair){.fd = steal_fd(&fd), .vhost_fd = -1};
	tap->port.pair_count++;
	return 0;
}

/* Its settings. */

/* From all that we know down to nothing: older kernels refuse what they do not know. */
static void probe_offloads(struct tap *tap)
{
	static const unsigned trials[] = {
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_UFO | TUN_F_USO4 |
			TUN_F_USO6,
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_UFO,
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
		TUN_F_CSUM,
	};
	int fd = tap->port.pairs[0].fd;

	for (size_t i = 0; i < ARRAY_SIZE(trials); i++) {
		if (tun_set_offloads(fd, trials[i]) < 0)
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(offloads); j++) {
			if (trials[i] & offloads[j].tun)
				tap->port.offloads |=
					BIT(offloads[j].guest) | BIT(offloads[j].host);
		}
		break;
	}
	/* None until a guest wants them. */
	tun_set_offloads(fd, 0);
}

/* One that vanishes with us; another was there before, and is its owner's. */
static bool is_ours(const struct tap *tap)
{
	struct ifreq request = {0};

	return ioctl(tap->port.pairs[0].fd, TUNGETIFF, &request) == 0 &&
	       !(request.ifr_flags & IFF_PERSIST);
}

/* MTU, and that it is up: one that was there before is only looked at. */
static void look_at_interface(struct tap *tap)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {0};

	memcpy(request.ifr_name, tap->name, sizeof(request.ifr_name));
	if (fd < 0)
		return;
	if (ioctl(fd, SIOCGIFMTU, &request) == 0 && request.ifr_mtu >= NET_MTU_MIN &&
	    request.ifr_mtu <= NET_MTU_MAX)
		tap->port.mtu = (uint16_t)request.ifr_mtu;
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0 || request.ifr_flags & IFF_UP)
		return;
	request.ifr_flags |= IFF_UP;
	if (!is_ours(tap) || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		log_warning("%s is down: nothing comes through before 'ip link set %s up'",
			    tap->name, tap->name);
}

/* Its bridge. */

static bool is_on_bridge(const struct tap *tap, const char *bridge)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%s/brif/%s", bridge, tap->name);
	return access(path, F_OK) == 0;
}

static int refuse_bridge(const struct tap *tap, const char *bridge, int code, struct error *err)
{
	if (code == ENODEV)
		return error_set(err, code,
				 "--net tap=%s: bridge=%s: the host has no such interface; make it "
				 "with 'ip link add %s type bridge'",
				 tap->name, bridge, bridge);
	if (code == EOPNOTSUPP || code == EINVAL)
		return error_set(err, code,
				 "--net tap=%s: bridge=%s: this interface of the host is no bridge",
				 tap->name, bridge);
	if (code == EPERM || code == EACCES)
		return error_set(err, code,
				 "--net tap=%s: bridge=%s: this user may not put it there; make a "
				 "tap as root, put it on the bridge with 'ip link set TAP master "
				 "%s', and give tap=TAP alone",
				 tap->name, bridge, bridge);
	if (code == EBUSY)
		return error_set(err, code,
				 "--net tap=%s: bridge=%s: it is on another bridge already",
				 tap->name, bridge);
	return error_set_errno(err, code, "--net tap=%s: bridge=%s", tap->name, bridge);
}

static int join_bridge(const struct tap *tap, const char *bridge, struct error *err)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {0};
	int code;

	if (fd < 0)
		return refuse_bridge(tap, bridge, errno, err);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", tap->name);
	if (is_ours(tap) && ioctl(fd, SIOCGIFHWADDR, &request) == 0) {
		request.ifr_hwaddr.sa_data[0] = (char)0xfe;
		ioctl(fd, SIOCSIFHWADDR, &request); /* else it has the address that it has */
	}
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", bridge);
	request.ifr_ifindex = index_of(fd, tap->name);
	if (ioctl(fd, SIOCBRADDIF, &request) == 0)
		return 0;
	code = errno;
	if (code == EBUSY && is_on_bridge(tap, bridge))
		return 0;
	return refuse_bridge(tap, bridge, code, err);
}

/* A vhost for each pair, or none at all. */
int tap_renew_vhosts(struct net_port *port, enum tap_vhost wish, struct error *err)
{
	struct tap *tap = to_tap(port);

	for (unsigned i = 0; i < tap->port.pair_count && wish != TAP_VHOST_OFF; i++) {
		int fd;

		if (tap->port.pairs[i].vhost_fd >= 0)
			continue;
		fd = open(VHOST_PATH, O_RDWR | O_CLOEXEC);
		if (fd < 0 && wish == TAP_VHOST_ON)
			return error_set_errno(err, errno,
					       "--net tap=%s: " VHOST_PATH " cannot be opened "
					       "('modprobe vhost_net' loads it)",
					       tap->name);
		if (fd < 0) {
			log_info("%s is served by armlet itself, which is slower: " VHOST_PATH
				 ": %s",
				 tap->name, strerror(errno));
			for (unsigned j = 0; j < i; j++)
				tap->port.pairs[j].vhost_fd = close_fd(tap->port.pairs[j].vhost_fd);
			return 0;
		}
		tap->port.pairs[i].vhost_fd = fd;
	}
	return 0;
}

static int check_name(const char *name, struct error *err)
{
	if (!name[0] || !strcmp(name, ".") || !strcmp(name, "..") || strpbrk(name, "/:% \t\n"))
		return error_set(err, EINVAL, "--net tap=%s: no interface can have this name",
				 name);
	if (strlen(name) >= IFNAMSIZ)
		return error_set(err, EINVAL,
				 "--net tap=%s: the name is too long; Linux takes %d characters",
				 name, IFNAMSIZ - 1);
	return 0;
}

static int check_bridge(const struct tap_options *options, const char *shown, struct error *err)
{
	int r = options->bridge ? check_name(options->bridge, NULL) : 0;

	return r < 0 ? error_set(err, EINVAL,
				 "--net tap=%s: bridge=%s: no interface can have this name", shown,
				 options->bridge)
		     : 0;
}

int tap_open(const struct tap_options *options, struct net_port **ret, struct error *err)
{
	const char *shown = options->name ? options->name : "tapN";
	_cleanup_(cleanup_net_port_destroy_) struct net_port *port = NULL;
	struct tap *tap;
	int r = options->name ? check_name(options->name, err) : 0;

	if (r == 0)
		r = check_bridge(options, shown, err);
	if (r < 0)
		return r;
	tap = calloc(1, sizeof(*tap));
	if (!tap)
		return error_set_errno(err, ENOMEM, "--net tap=%s", shown);
	port = &tap->port;
	port->ops = &tap_ops;
	port->framing = NET_FRAMES_PACKET;
	port->peer = tap->name;
	tap->multi_queue = options->pairs > 1;
	snprintf(tap->name, sizeof(tap->name), "%s", options->name ? options->name : "tap%d");
	while (port->pair_count < options->pairs && r == 0)
		r = open_queue(tap, shown, err);
	/* The guest begins with one pair. */
	for (unsigned i = 1; i < port->pair_count && r == 0; i++) {
		r = set_pair(port, i, false);
		if (r < 0)
			error_set_errno(err, -r, "--net tap=%s: its queues cannot be detached",
					tap->name);
	}
	if (r == 0)
		r = tap_renew_vhosts(port, options->vhost, err);
	if (r < 0)
		return r;
	probe_offloads(tap);
	look_at_interface(tap);
	r = options->bridge ? join_bridge(tap, options->bridge, err) : 0;
	if (r < 0)
		return r;
	*ret = steal_ptr(&port);
	return 0;
}
