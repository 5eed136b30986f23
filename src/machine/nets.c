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

/* @index is the network's own as long as it is there. */
static int parse_mac(struct machine_net *net, unsigned index, struct error *err)
{
	char host[HOST_NAME_MAX + 1] = "";
	int r;

	if (!net->config->mac) {
		char key[HOST_NAME_MAX + IFNAMSIZ + 2];

		gethostname(host, sizeof(host) - 1);
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

static int check_net(const struct machine *machine, const struct net_config *config,
		     struct error *err)
{
	int mode = config->mode;

	for (size_t i = 0; mode == NET_MODE_USER && i < machine->net_count; i++) {
		if (machine->nets[i]->mode == NET_MODE_USER)
			return error_set(err, EINVAL, "--net user: once is enough");
	}

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
		const struct net_port *port = machine->nets[i]->tap;

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

int machine_open_net(struct machine *machine, const char *name, unsigned index,
		     const struct net_config *config, struct machine_net **ret, struct error *err)
{
	struct machine_net *net;
	int r = check_net(machine, config, err);

	if (r == 0)
		r = check_tap(machine, config->tap, err);
	if (r < 0)
		return r;
	net = calloc(1, sizeof(*net));
	if (!net)
		return error_set_errno(err, ENOMEM, "--net");
	machine->nets[machine->net_count++] = net;
	net->config = config;
	net->mode = (enum net_mode)config->mode;
	snprintf(net->name, sizeof(net->name), "%s", name);
	if (net->mode == NET_MODE_TAP)
		r = open_tap(net, err);
	if (r == 0)
		r = parse_mac(net, index, err);
	if (r < 0)
		machine_close_net(machine, net);
	else if (ret)
		*ret = net;
	return r;
}

void machine_close_net(struct machine *machine, struct machine_net *net)
{
	size_t at = 0;

	while (machine->nets[at] != net)
		at++;
	machine->net_count--;
	memmove(&machine->nets[at], &machine->nets[at + 1],
		(machine->net_count - at) * sizeof(struct machine_net *));
	net_port_destroy(net->tap);
	free(net);
}

/* Who is to be reached needs a network that passt serves. */
static int check_publish(const struct machine *machine, struct error *err)
{
	const struct machine_config *config = machine->config;

	for (size_t i = 0; i < machine->net_count; i++) {
		if (machine->nets[i]->mode == NET_MODE_USER)
			return 0;
	}
	return config->publish_count
		       ? error_set(err, EINVAL,
				   "--publish %s: ports are published with --net user only",
				   config->publish[0])
		       : 0;
}

int machine_open_nets(struct machine *machine, struct error *err)
{
	const struct machine_config *config = machine->config;
	size_t room = config->net_count + config->slots;
	char name[MACHINE_NAME_MAX + 1];
	int r = parse_publish(machine, err);

	if (room)
		machine->nets = calloc(room, sizeof(struct machine_net *));
	if (room && !machine->nets)
		return error_set_errno(err, ENOMEM, "--net");
	for (size_t i = 0; i < config->net_count && r == 0; i++) {
		unsigned index = (unsigned)machine->net_count;

		if (config->nets[i].mode == NET_MODE_NONE)
			continue;
		snprintf(name, sizeof(name), "net%u", index);
		r = machine_open_net(machine, name, index, &config->nets[i], NULL, err);
	}
	return r < 0 ? r : check_publish(machine, err);
}

void machine_close_nets(struct machine *machine)
{
	while (machine->net_count)
		machine_close_net(machine, machine->nets[machine->net_count - 1]);
	free(machine->nets);
	machine->nets = NULL;
	free(machine->publish);
	machine->publish = NULL;
}

int machine_open_passt(const struct machine *machine, const struct machine_net *net,
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

int machine_make_net(const struct machine *machine, struct machine_net *net,
		     struct virtio_device **ret, struct error *err)
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
	int r;

	memcpy(options.mac, net->mac, sizeof(options.mac));
	if (net->mode == NET_MODE_TAP) {
		r = tap_renew_vhosts(net->tap, (enum tap_vhost)net->config->vhost, err);
	} else {
		r = machine_open_passt(machine, net, &passt, err);
		options.port = passt;
	}
	if (r == 0)
		r = virtio_net_create(&options, &net->device, err);
	if (r < 0)
		return r;
	steal_ptr(&passt);
	virtio_net_set_link(net->device, !net->unplugged);
	*ret = net->device;
	return 0;
}

int machine_set_link(struct machine *machine, const char *name, bool up, struct error *err)
{
	for (size_t i = 0; i < machine->net_count; i++) {
		struct machine_net *net = machine->nets[i];

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
