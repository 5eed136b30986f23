/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/publish.h"

#include "backend/passt.h"
#include "backend/publish.h"
#include "machine_private.h"
#include "virtio/virtio_net.h"

static int find_net(const struct machine *machine, struct machine_net **ret, struct error *err)
{
	if (machine->outcome != MACHINE_RUNNING)
		return error_set(err, ESRCH, "the machine does not run");
	for (size_t i = 0; i < machine->net_count; i++) {
		*ret = machine->nets[i];
		if ((*ret)->mode == NET_MODE_USER)
			return 0;
	}
	return error_set(err, ENODEV,
			 "ports are published with --net user only, and the machine has no such "
			 "network");
}

/* The old one has to end first: what stays published is at the same ports. */
static int renew(struct machine *machine, struct machine_net *net,
		 const struct publish_table *wanted, struct error *err)
{
	struct virtio_device *virtio = net->device;
	struct publish_table before = *machine->publish;
	struct net_port *port = NULL;
	struct error again = {0};
	int r;

	passt_end(virtio_net_port(virtio));
	*machine->publish = *wanted;
	r = machine_open_passt(machine, net, &port, err);
	if (r < 0) {
		*machine->publish = before;
		/* Without it the device finds its port at its end, and tells. */
		if (machine_open_passt(machine, net, &port, &again) < 0)
			return r;
	}
	passt_introduce(port, net->mac);
	device_lock(&virtio->device);
	virtio_net_change_port(virtio, port);
	device_unlock(&virtio->device);
	return r;
}

/* The network of the user's, and what is published now, to be changed. */
static int begin(struct machine *machine, struct machine_net **ret, struct publish_table *ret_table,
		 struct error *err)
{
	int r = find_net(machine, ret, err);

	if (r < 0)
		return r;
	if (!machine->publish)
		machine->publish = calloc(1, sizeof(*machine->publish));
	if (!machine->publish)
		return error_set_errno(err, ENOMEM, "--publish");
	*ret_table = *machine->publish;
	return 0;
}

int machine_publish(struct machine *machine, const char *text, struct error *err)
{
	struct publish_table wanted, added = {0};
	struct machine_net *net = NULL;
	int r = begin(machine, &net, &wanted, err);

	if (r == 0)
		r = publish_add(&wanted, text, err);
	/* Before anything is cut. */
	if (r == 0)
		r = publish_add(&added, text, err);
	if (r == 0)
		r = publish_check(&added, err);
	return r < 0 ? r : renew(machine, net, &wanted, err);
}

int machine_unpublish(struct machine *machine, const char *text, struct error *err)
{
	struct publish_table wanted;
	struct machine_net *net = NULL;
	int r = begin(machine, &net, &wanted, err);

	if (r == 0)
		r = publish_remove(&wanted, text, err);
	return r < 0 ? r : renew(machine, net, &wanted, err);
}

const char *machine_published(const struct machine *machine, size_t index)
{
	const struct publish_table *table = machine->publish;

	return table && index < table->count ? table->rows[index].text : NULL;
}
