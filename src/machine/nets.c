/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's networks. A tap stays over the guest's resets, so that whoever
 * has put it on a bridge does not have to do that again; passt is started anew
 * for every boot, as its stream of frames may have been cut anywhere.
 */
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "backend/passt.h"
#include "backend/publish.h"
#include "backend/tap.h"
#include "base/mac.h"
#include "machine_private.h"
#include "virtio/virtio_net.h"

static int parse_mac(struct machine_net *net, const char *host, unsigned index, struct error *err)
{
	int r;

	if (!net->config->mac) {
		char key[HOST_NAME_MAX + IFNAMSIZ + 2];

		snprintf(key, sizeof(key), "%s/%s", host, net->tap ? net->tap->peer : "user");
		mac_derive(key, index, net->mac);
		return 0;
	}
	r = mac_parse(net->config->mac, net->mac);
	if (r == -EADDRNOTAVAIL)
		return error_set(err, EINVAL,
				 "--net: mac: '%s' is no machine's address, but a group's or none; "
				 "write one as 02:00:00:12:34:56",
				 net->config->mac);
	if (r < 0)
		return error_set(err, EINVAL,
				 "--net: mac: '%s' is no address; write it as 02:00:00:12:34:56",
				 net->config->mac);
	return 0;
}

static int check_net(const struct net_config *config, struct error *err)
{
	int mode = config->mode;

	if (config->tap && config->mode == NET_MODE_USER)
		return error_set(err, EINVAL, "--net: user and tap=%s do not go together",
				 config->tap);
	if (config->bridge && mode == NET_MODE_USER)
		return error_set(err, EINVAL, "--net: user and bridge=%s do not go together",
				 config->bridge);
	if (mode == NET_MODE_USER && config->queues > 1)
		return error_set(err, EINVAL, "--net user: queues: passt has one pair of them");
	if (mode == NET_MODE_USER && config->vhost == TAP_VHOST_ON)
		return error_set(err, EINVAL, "--net user: vhost: that is for taps");
	return 0;
}

/* A tap that was made multi_queue would let us in twice. */
static int check_tap(const struct machine *machine, const char *tap, struct error *err)
{
	for (size_t i = 0; tap && i < machine->net_count; i++) {
		const struct net_port *port = machine->nets[i].tap;

		if (port && !strcmp(port->peer, tap))
			return error_set(err, EINVAL, "--net tap=%s: two networks have this tap",
					 tap);
	}
	return 0;
}

static int open_tap(struct machine_net *net, struct error *err)
{
	const struct tap_options options = {
		.name = net->config->tap,
		.bridge = net->config->bridge,
		.pairs = net->config->queues,
		.vhost = (enum tap_vhost)net->config->vhost,
	};

	return tap_open(&options, &net->tap, err);
}

static int parse_publish(struct machine *machine, struct error *err)
{
	const struct machine_config *config = machine->config;
	int r = 0;

	if (!config->publish_count)
		return 0;
	machine->publish = calloc(1, sizeof(*machine->publish));
	if (!machine->publish)
		return error_set_errno(err, ENOMEM, "--publish");
	for (size_t i = 0; i < config->publish_count && r == 0; i++)
		r = publish_add(machine->publish, config->publish[i], err);
	return r;
}

static int open_net(struct machine *machine, const struct net_config *config, const char *host,
		    struct error *err)
{
	struct machine_net *net = &machine->nets[machine->net_count];
	int r = check_net(config, err);

	if (r < 0 || config->mode == NET_MODE_NONE)
		return r;
	r = check_tap(machine, config->tap, err);
	if (r < 0)
		return r;
	net->config = config;
	net->mode = (enum net_mode)config->mode;
	snprintf(net->name, sizeof(net->name), "net%u", (unsigned)machine->net_count);
	machine->net_count++;
	if (net->mode == NET_MODE_TAP)
		r = open_tap(net, err);
	return r < 0 ? r : parse_mac(net, host, (unsigned)machine->net_count - 1, err);
}

int machine_open_nets(struct machine *machine, struct error *err)
{
	const struct machine_config *config = machine->config;
	char host[256] = "";
	bool user = false;
	int r = parse_publish(machine, err);

	if (config->net_count)
		machine->nets = calloc(config->net_count, sizeof(*machine->nets));
	if (config->net_count && !machine->nets)
		return error_set_errno(err, ENOMEM, "--net");
	gethostname(host, sizeof(host) - 1);
	for (size_t i = 0; i < config->net_count && r == 0; i++)
		r = open_net(machine, &config->nets[i], host, err);
	for (size_t i = 0; i < machine->net_count && r == 0; i++) {
		if (user && machine->nets[i].mode == NET_MODE_USER)
			return error_set(err, EINVAL, "--net user: once is enough");
		user |= machine->nets[i].mode == NET_MODE_USER;
	}
	if (r == 0 && config->publish_count && !user)
		return error_set(err, EINVAL,
				 "--publish %s: ports are published with --net user only",
				 config->publish[0]);
	return r;
}

void machine_close_nets(struct machine *machine)
{
	while (machine->net_count)
		net_port_destroy(machine->nets[--machine->net_count].tap);
	free(machine->nets);
	machine->nets = NULL;
	free(machine->publish);
	machine->publish = NULL;
}

static int open_passt(const struct machine *machine, const struct machine_net *net,
		      struct net_port **ret, struct error *err)
{
	_cleanup_(cleanup_net_port_destroy_) struct net_port *port = NULL;
	struct passt_options options = {
		.publish = machine->publish,
		.mtu = (uint16_t)net->config->mtu,
	};
	int r;

	memcpy(options.mac, net->mac, sizeof(options.mac));
	r = passt_open(&options, &port, err);
	if (r == 0)
		r = passt_ready(port, err);
	if (r == 0)
		*ret = steal_ptr(&port);
	return r;
}

int machine_plug_net(struct machine *machine, struct machine_net *net, struct error *err)
{
	_cleanup_(cleanup_net_port_destroy_) struct net_port *passt = NULL;
	struct virtio_net_options options = {
		.name = net->name,
		.mem = machine->mem,
		.loop = machine->loop,
		.mtu = (uint16_t)net->config->mtu,
		.port = net->tap,
		.keep_port = net->mode == NET_MODE_TAP,
	};
	struct virtio_device *device = NULL;
	int r;

	memcpy(options.mac, net->mac, sizeof(options.mac));
	if (net->mode == NET_MODE_TAP) {
		r = tap_renew_vhosts(net->tap, (enum tap_vhost)net->config->vhost, err);
	} else {
		r = open_passt(machine, net, &passt, err);
		options.port = passt;
	}
	if (r == 0)
		r = virtio_net_create(&options, &device, err);
	if (r < 0)
		return r;
	steal_ptr(&passt);
	net->device = device;
	virtio_net_set_link(device, !net->unplugged);
	return board_plug_virtio(machine, device, err);
}

int machine_set_link(struct machine *machine, const char *name, bool up, struct error *err)
{
	for (size_t i = 0; i < machine->net_count; i++) {
		struct machine_net *net = &machine->nets[i];

		if (strcmp(net->name, name) != 0)
			continue;
		net->unplugged = !up;
		if (machine->board.virtio_count) {
			device_lock(&net->device->device);
			virtio_net_set_link(net->device, up);
			device_unlock(&net->device->device);
		}
		return 0;
	}
	return error_set(err, ENODEV, "there is no network '%.100s'", name);
}
