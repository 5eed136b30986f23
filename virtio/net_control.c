/* SPDX-License-Identifier: Apache-2.0 */
/* The control queue (5.1.6.5): a class, a command, its data; then a byte of ours, the answer. */
#include <string.h>

#include "net_private.h"

/* Where a command's data are, behind class and command; unread bytes count. */
struct command {
	const struct virtq_chain *chain;
	size_t offset;
};

static bool take(struct command *command, void *data, size_t size)
{
	size_t got = virtq_chain_read(command->chain, command->offset, data, size);

	command->offset += got;
	return got == size;
}

/* Nothing may stand behind what a command takes. */
static bool at_end(const struct command *command)
{
	return command->offset == command->chain->out_size;
}

/* 5.1.6.5.1: a byte, on or off. */
static bool set_receive_mode(const struct virtio_net *net, uint8_t number, struct command *command)
{
	bool extra = number > VIRTIO_NET_CTRL_RX_ALLMULTI;
	uint8_t on;

	if (!virtio_has(&net->virtio, extra ? VIRTIO_NET_F_CTRL_RX_EXTRA : VIRTIO_NET_F_CTRL_RX))
		return false;
	return number <= VIRTIO_NET_CTRL_RX_NOBCAST && take(command, &on, sizeof(on)) && on <= 1 &&
	       at_end(command);
}

/* 5.1.6.5.2: two lists of addresses, of one station each and of groups. */
static bool set_mac_table(const struct virtio_net *net, struct command *command)
{
	if (!virtio_has(&net->virtio, VIRTIO_NET_F_CTRL_RX))
		return false;
	for (unsigned list = 0; list < 2; list++) {
		size_t left;
		uint32_t count;

		if (!take(command, &count, sizeof(count)))
			return false;
		left = command->chain->out_size - command->offset;
		if (count > left / MAC_SIZE)
			return false;
		command->offset += (size_t)count * MAC_SIZE;
	}
	return at_end(command);
}

static bool set_mac(struct virtio_net *net, struct command *command)
{
	uint8_t mac[MAC_SIZE];

	if (!virtio_has(&net->virtio, VIRTIO_NET_F_CTRL_MAC_ADDR) ||
	    !take(command, mac, sizeof(mac)) || !at_end(command) || !mac_usable(mac))
		return false;
	memcpy(net->config.mac, mac, sizeof(mac));
	return true;
}

/* 5.1.6.5.5 */
static bool set_pairs(struct virtio_net *net, struct command *command)
{
	uint16_t pairs;

	if (!virtio_has(&net->virtio, VIRTIO_NET_F_MQ) || !take(command, &pairs, sizeof(pairs)) ||
	    !at_end(command) || pairs < VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MIN ||
	    pairs > net->port->pair_count)
		return false;
	net->pairs = pairs;
	net_apply_pairs(net);
	return true;
}

/* 5.1.6.5.6 */
static bool set_offloads(struct virtio_net *net, struct command *command)
{
	uint64_t possible = net->virtio.driver_features & NET_GUEST_OFFLOADS;
	uint64_t offloads;

	if (!virtio_has(&net->virtio, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) ||
	    !take(command, &offloads, sizeof(offloads)) || !at_end(command) || offloads & ~possible)
		return false;
	net->offloads_chosen = true;
	net->guest_offloads = offloads;
	net_apply_offloads(net);
	return true;
}

static bool perform(struct virtio_net *net, const struct virtq_chain *chain)
{
	struct command command = {.chain = chain};
	struct virtio_net_ctrl_hdr header;

	if (!take(&command, &header, sizeof(header)))
		return false;
	switch (header.class) {
	case VIRTIO_NET_CTRL_RX:
		return set_receive_mode(net, header.cmd, &command);
	case VIRTIO_NET_CTRL_MAC:
		if (header.cmd == VIRTIO_NET_CTRL_MAC_TABLE_SET)
			return set_mac_table(net, &command);
		return header.cmd == VIRTIO_NET_CTRL_MAC_ADDR_SET && set_mac(net, &command);
	case VIRTIO_NET_CTRL_MQ:
		return header.cmd == VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET && set_pairs(net, &command);
	case VIRTIO_NET_CTRL_GUEST_OFFLOADS:
		return header.cmd == VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET &&
		       set_offloads(net, &command);
	default:
		return false;
	}
}

static bool answer(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain,
		   uint32_t *ret_written)
{
	virtio_net_ctrl_ack ack;

	(void)index;
	/* Who leaves no room for the answer has asked for nothing. */
	if (!chain->in_size)
		return true;
	ack = perform(to_net(virtio), chain) ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
	*ret_written = (uint32_t)virtq_chain_write(chain, 0, &ack, sizeof(ack));
	return true;
}

void net_control_serve(struct virtio_device *virtio, unsigned index)
{
	struct iovec pieces[NET_PIECES_MAX];
	struct virtq_chain chain = {.iov = pieces, .iov_max = NET_PIECES_MAX};

	virtio_serve(virtio, index, &chain, answer);
}
