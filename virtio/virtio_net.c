/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio_net.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "net_private.h"

/* Up to and with the MTU: the rest belongs to features that are not offered (5.1.4). */
#define CONFIG_SIZE (offsetof(struct virtio_net_config, mtu) + sizeof(uint16_t))

/* Of every such device. */
#define FEATURES                                                                        \
	(BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_NET_F_STATUS) | BIT(VIRTIO_NET_F_CTRL_VQ) | \
	 BIT(VIRTIO_NET_F_CTRL_RX) | BIT(VIRTIO_NET_F_CTRL_RX_EXTRA) |                  \
	 BIT(VIRTIO_NET_F_CTRL_MAC_ADDR))

#define GUEST_TSO (BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6))
#define HOST_TSO  (BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6))

/* 5.1.3.1: a feature, and those of which it needs one. */
static const struct {
	unsigned bit;
	uint64_t needs;
	const char *fault;
} requirements[] = {
	{VIRTIO_NET_F_GUEST_TSO4, BIT(VIRTIO_NET_F_GUEST_CSUM), "GUEST_TSO4 without GUEST_CSUM"},
	{VIRTIO_NET_F_GUEST_TSO6, BIT(VIRTIO_NET_F_GUEST_CSUM), "GUEST_TSO6 without GUEST_CSUM"},
	{VIRTIO_NET_F_GUEST_ECN, GUEST_TSO, "GUEST_ECN without GUEST_TSO4 or GUEST_TSO6"},
	{VIRTIO_NET_F_GUEST_UFO, BIT(VIRTIO_NET_F_GUEST_CSUM), "GUEST_UFO without GUEST_CSUM"},
	{VIRTIO_NET_F_GUEST_USO4, BIT(VIRTIO_NET_F_GUEST_CSUM), "GUEST_USO4 without GUEST_CSUM"},
	{VIRTIO_NET_F_GUEST_USO6, BIT(VIRTIO_NET_F_GUEST_CSUM), "GUEST_USO6 without GUEST_CSUM"},
	{VIRTIO_NET_F_HOST_TSO4, BIT(VIRTIO_NET_F_CSUM), "HOST_TSO4 without CSUM"},
	{VIRTIO_NET_F_HOST_TSO6, BIT(VIRTIO_NET_F_CSUM), "HOST_TSO6 without CSUM"},
	{VIRTIO_NET_F_HOST_ECN, HOST_TSO, "HOST_ECN without HOST_TSO4 or HOST_TSO6"},
	{VIRTIO_NET_F_HOST_UFO, BIT(VIRTIO_NET_F_CSUM), "HOST_UFO without CSUM"},
	{VIRTIO_NET_F_HOST_USO, BIT(VIRTIO_NET_F_CSUM), "HOST_USO without CSUM"},
	{VIRTIO_NET_F_CTRL_RX, BIT(VIRTIO_NET_F_CTRL_VQ), "CTRL_RX without CTRL_VQ"},
	{VIRTIO_NET_F_CTRL_RX_EXTRA, BIT(VIRTIO_NET_F_CTRL_VQ), "CTRL_RX_EXTRA without CTRL_VQ"},
	{VIRTIO_NET_F_CTRL_MAC_ADDR, BIT(VIRTIO_NET_F_CTRL_VQ), "CTRL_MAC_ADDR without CTRL_VQ"},
	{VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, BIT(VIRTIO_NET_F_CTRL_VQ),
	 "CTRL_GUEST_OFFLOADS without CTRL_VQ"},
	{VIRTIO_NET_F_MQ, BIT(VIRTIO_NET_F_CTRL_VQ), "MQ without CTRL_VQ"},
};

static const char *check_features(const struct virtio_device *virtio, uint64_t features)
{
	(void)virtio;
	for (size_t i = 0; i < ARRAY_SIZE(requirements); i++) {
		if (features & BIT(requirements[i].bit) && !(features & requirements[i].needs))
			return requirements[i].fault;
	}
	return NULL;
}

/* The port. */

uint64_t net_offloads(const struct virtio_net *net)
{
	uint64_t negotiated = net->virtio.driver_features & NET_GUEST_OFFLOADS;

	return net->offloads_chosen ? negotiated & net->guest_offloads : negotiated;
}

static void warn(const struct virtio_net *net, const char *what, int r)
{
	log_warning("%s: %s %s: %s", net->virtio.device.name, net->port->peer, what, strerror(-r));
}

void net_apply_offloads(struct virtio_net *net)
{
	int r = 0;

	if (net->port->ops->set_offloads && !net->gone)
		r = net->port->ops->set_offloads(net->port, net_offloads(net));
	if (r < 0)
		warn(net, "does not take the guest's choice of offloads", r);
}

void net_apply_pairs(struct virtio_net *net)
{
	int r = 0;

	for (unsigned i = 1; i < net->port->pair_count && net->port->ops->set_pair; i++) {
		if (r == 0 && !net->gone)
			r = net->port->ops->set_pair(net->port, i, i < net->pairs);
	}
	if (r == 0 && net->user && net->virtio.started)
		r = net_user_set_pairs(net->user);
	if (r < 0)
		warn(net, "does not take the guest's number of queues", r);
}

/* The link. */

static void stop_pairs(struct virtio_net *net)
{
	for (unsigned i = 0; i < net->port->pair_count; i++) {
		if (net->vhosts[i])
			vhost_stop(net->vhosts[i], &net->virtio, net_receive_queue(i));
	}
}

static int start_pairs(struct virtio_net *net, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; i < net_pair_count(net) && r == 0 && net_link_is_up(net); i++)
		r = vhost_start(net->vhosts[i], &net->virtio, net_receive_queue(i), 2, err);
	if (r < 0)
		stop_pairs(net);
	return r;
}

static void update_link(struct virtio_net *net)
{
	uint16_t status = net_link_is_up(net) ? VIRTIO_NET_S_LINK_UP : 0;

	if (net->config.status == status)
		return;
	net->config.status = status;
	virtio_config_changed(&net->virtio);
}

void virtio_net_set_link(struct virtio_device *virtio, bool up)
{
	struct virtio_net *net = to_net(virtio);
	struct error err = {0};

	if (net->plugged == up)
		return;
	net->plugged = up;
	if (net->vhosts[0] && virtio->started && !virtio->paused) {
		stop_pairs(net);
		if (start_pairs(net, &err) < 0)
			log_error("%s: %s", virtio->device.name, err.text);
	}
	update_link(net);
}

void net_port_lost(struct virtio_net *net, const char *why)
{
	if (net->gone)
		return;
	net->gone = true;
	log_error("%s: the network is gone, and the guest's link is down: %s: %s",
		  net->virtio.device.name, net->port->peer, why);
	update_link(net);
}

struct net_port *virtio_net_port(const struct virtio_device *virtio)
{
	return container_of(virtio, const struct virtio_net, virtio)->port;
}

void virtio_net_change_port(struct virtio_device *virtio, struct net_port *port)
{
	struct virtio_net *net = to_net(virtio);
	bool serving = virtio->started && !virtio->paused;
	int r = 0;

	assert(net->user && !net->keep_port);
	if (serving)
		net_user_stop(net->user);
	net_user_forget(net->user);
	net_port_destroy(net->port);
	net->port = port;
	net->gone = false;
	if (serving)
		r = net_user_start(net->user);
	if (r < 0)
		net_port_lost(net, strerror(-r));
	/* Who had waited for the old port was not to be told of more. */
	for (unsigned i = 0; serving && i < net_control_queue(net); i++) {
		if (virtio->queues[i].ring.ready)
			virtio_again(virtio, i);
	}
	update_link(net);
}

/* The device. */

static int start(struct virtio_device *virtio, struct error *err)
{
	struct virtio_net *net = to_net(virtio);
	int r;

	net_apply_offloads(net);
	net_apply_pairs(net);
	if (net->user) {
		r = net_user_start(net->user);
		return r < 0 ? error_set_errno(err, -r, "%s cannot be watched", net->port->peer)
			     : 0;
	}
	r = start_pairs(net, err);
	if (r < 0)
		return r;
	r = vhost_own_queue_start(&net->control, virtio, net_control_queue(net), net_control_serve);
	if (r < 0) {
		stop_pairs(net);
		return error_set_errno(err, -r, "the control queue cannot be watched");
	}
	return 0;
}

static void stop(struct virtio_device *virtio)
{
	struct virtio_net *net = to_net(virtio);

	if (net->user) {
		net_user_stop(net->user);
		return;
	}
	vhost_own_queue_stop(&net->control);
	stop_pairs(net);
}

static void notify(struct virtio_device *virtio, unsigned index)
{
	struct virtio_net *net = to_net(virtio);

	if (index == net_control_queue(net))
		net_control_serve(virtio, index);
	else if (index < net_control_queue(net))
		net_user_notify(net->user, index);
}

static void reset(struct virtio_device *virtio)
{
	struct virtio_net *net = to_net(virtio);

	memcpy(net->config.mac, net->mac, MAC_SIZE);
	net->pairs = 1;
	net->offloads_chosen = false;
	net->guest_offloads = 0;
}

static const struct virtio_ops user_ops = {
	.id = VIRTIO_ID_NET,
	.in_order = true,
	.check_features = check_features,
	.notify = notify,
	.start = start,
	.stop = stop,
	.reset = reset,
};

static const struct virtio_ops vhost_net_ops = {
	.id = VIRTIO_ID_NET,
	.in_order = true,
	.check_features = check_features,
	.start = start,
	.stop = stop,
	.reset = reset,
};

/* State. */

static const struct state_field net_fields[] = {
	VIRTIO_STATE_FIELDS(struct virtio_net),
	STATE_ARRAY(struct virtio_net, config.mac, STATE_U8),
	STATE_FIELD(struct virtio_net, pairs, STATE_U16),
	STATE_FIELD(struct virtio_net, offloads_chosen, STATE_BOOL),
	STATE_FIELD(struct virtio_net, guest_offloads, STATE_U64),
};

static int validate(const void *object, struct error *err)
{
	const struct virtio_net *net = object;

	if (!mac_usable(net->config.mac))
		return error_set(err, EINVAL, "the saved address of a network device is none");
	if (net->pairs < 1 || net->pairs > NET_PAIRS_MAX)
		return error_set(err, EINVAL, "a network device with %u pairs of queues is saved",
				 net->pairs);
	if (net->guest_offloads & ~(net->virtio.driver_features & NET_GUEST_OFFLOADS) ||
	    (net->guest_offloads && !net->offloads_chosen))
		return error_set(err, EINVAL,
				 "the saved offloads of a network device (0x%" PRIx64
				 ") are not those that were negotiated",
				 net->guest_offloads);
	return 0;
}

static int loaded(struct device *device, struct error *err)
{
	struct virtio_net *net = to_net(to_virtio(device));

	uint16_t pairs = net->pairs;

	if (pairs <= net->port->pair_count)
		return virtio_device_loaded(device, err);
	virtio_device_reset(device);
	return error_set(err, EINVAL,
			 "the saved state of %s uses %u pairs of queues, where this one has %u",
			 device->name, pairs, net->port->pair_count);
}

static const struct state_table net_state = {
	.name = "virtio-net",
	.fields = net_fields,
	.field_count = ARRAY_SIZE(net_fields),
	.object_size = sizeof(struct virtio_net),
	.validate = validate,
};

static void net_destroy(struct device *device)
{
	struct virtio_net *net = to_net(to_virtio(device));

	virtio_device_finish(&net->virtio);
	net_user_destroy(net->user);
	for (unsigned i = 0; i < NET_PAIRS_MAX; i++)
		vhost_destroy(net->vhosts[i]);
	if (!net->keep_port)
		net_port_destroy(net->port);
	free(net);
}

static const struct device_ops net_device_ops = {
	.type = "virtio-net",
	.reset = virtio_device_reset,
	.describe = virtio_device_describe,
	.state = &net_state,
	.loaded = loaded,
	.destroy = net_destroy,
};

/* Making one. */

static int make_vhosts(struct virtio_net *net, struct net_port *port)
{
	int r = 0;

	for (unsigned i = 0; i < port->pair_count && r == 0; i++)
		r = vhost_kernel_net_create(steal_fd(&port->pairs[i].vhost_fd), port->pairs[i].fd,
					    &net->vhosts[i]);
	return r;
}

static void fill_config(struct virtio_net *net, const struct virtio_net_options *options,
			uint16_t mtu)
{
	net->config.status = VIRTIO_NET_S_LINK_UP;
	net->config.max_virtqueue_pairs = (uint16_t)options->port->pair_count;
	net->config.mtu = mtu;
	memcpy(net->mac, options->mac, MAC_SIZE);
	memcpy(net->config.mac, options->mac, MAC_SIZE);
}

static int init_device(struct virtio_net *net, const struct virtio_net_options *options)
{
	const struct net_port *port = options->port;
	const uint16_t mtu = options->mtu ? options->mtu : port->mtu;
	uint16_t queue_sizes[2 * NET_PAIRS_MAX + 1];
	struct virtio_device_options device_options = {
		.name = options->name,
		.mem = options->mem,
		.loop = options->loop,
		.features = FEATURES | BIT(VIRTIO_NET_F_MRG_RXBUF) | port->offloads,
		.config = &net->config,
		.config_size = CONFIG_SIZE,
		.queue_sizes = queue_sizes,
		.queue_count = 2 * port->pair_count + 1,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(queue_sizes); i++)
		queue_sizes[i] = NET_QUEUE_SIZE;
	if (port->offloads & NET_GUEST_OFFLOADS)
		device_options.features |= BIT(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
	if (mtu)
		device_options.features |= BIT(VIRTIO_NET_F_MTU);
	if (port->pair_count > 1)
		device_options.features |= BIT(VIRTIO_NET_F_MQ);
	for (unsigned i = 0; i < port->pair_count && net->vhosts[0]; i++) {
		uint64_t lacks = ~net->vhosts[i]->features & BIT(VIRTIO_NET_F_MRG_RXBUF);

		device_options.features &= ~lacks;
		device_options.lacks |= vhost_lacks(net->vhosts[i]);
	}
	fill_config(net, options, mtu);
	net->plugged = true;
	net->pairs = 1;
	net->control.kick.fd = -1;
	return virtio_device_init(&net->virtio, &net_device_ops,
				  net->user ? &user_ops : &vhost_net_ops, &device_options);
}

/* By whom the pairs are served. */
static int make_server(struct virtio_net *net, const struct virtio_net_options *options,
		       struct error *err)
{
	struct net_port *port = options->port;
	int r;

	if (options->vhosts) {
		for (unsigned i = 0; i < port->pair_count; i++)
			net->vhosts[i] = options->vhosts[i];
		return 0;
	}
	if (port->pairs[0].vhost_fd < 0) {
		r = net_user_create(net, &net->user);
		return r < 0 ? error_set_errno(err, -r, "%s cannot be made", options->name) : 0;
	}
	r = make_vhosts(net, port);
	return r < 0 ? error_set_errno(err, -r, "%s: /dev/vhost-net does not serve %s",
				       options->name, port->peer)
		     : 0;
}

/* What make_server() made; what the caller brought stays his. */
static void unmake(struct virtio_net *net, const struct virtio_net_options *options)
{
	net_user_destroy(net->user);
	for (unsigned i = 0; i < NET_PAIRS_MAX && !options->vhosts; i++)
		vhost_destroy(net->vhosts[i]);
	free(net);
}

int virtio_net_create(const struct virtio_net_options *options, struct virtio_device **ret,
		      struct error *err)
{
	struct virtio_net *net = calloc(1, sizeof(*net));
	int r;

	if (!net)
		return error_set_errno(err, ENOMEM, "%s cannot be made", options->name);
	net->port = options->port;
	net->keep_port = options->keep_port;
	r = make_server(net, options, err);
	if (r == 0) {
		r = init_device(net, options);
		if (r < 0)
			error_set_errno(err, -r, "%s cannot be made", options->name);
	}
	if (r < 0) {
		unmake(net, options);
		return r;
	}
	*ret = &net->virtio;
	return 0;
}

struct virtio_net_dropped virtio_net_dropped(const struct virtio_device *virtio)
{
	const struct virtio_net *net = container_of(virtio, struct virtio_net, virtio);

	return net->user ? net_user_dropped(net->user) : (struct virtio_net_dropped){0};
}

struct virtio_net_traffic virtio_net_traffic(const struct virtio_device *virtio)
{
	const struct virtio_net *net = container_of(virtio, const struct virtio_net, virtio);

	return net->user ? net_user_traffic(net->user) : (struct virtio_net_traffic){0};
}
