/* SPDX-License-Identifier: Apache-2.0 */
/* The virtio devices of the board, in the order in which the guest finds them. */
#include <time.h>

#include "machine_private.h"
#include "virtio/virtio_balloon.h"
#include "virtio/virtio_mmio.h"
#include "virtio/virtio_rng.h"
#include "virtio/virtio_vsock.h"

static void on_driver_timer(void *data, unsigned events)
{
	struct machine *machine = data;

	(void)events;
	event_source_remove(&machine->driver_timer);
	if (machine->outcome == MACHINE_RUNNING)
		machine_tell(machine, MACHINE_EVENT_DRIVER);
}

static void tell_driver(struct machine *machine)
{
	if (atomic_exchange(&machine->driver_seen, true))
		return;
	if (event_loop_add_timer(machine->loop, &machine->driver_timer, CLOCK_MONOTONIC) == 0)
		event_timer_set(&machine->driver_timer, 1, 0);
}

/* From a vCPU's thread, under the device's lock. */
static void on_driver(void *data, bool works)
{
	struct machine *machine = data;

	if (!works)
		slots_driver_left(machine);
	else if (machine->tell_driver)
		tell_driver(machine);
}

void board_expect_driver(struct machine *machine)
{
	machine->driver_timer =
		(struct event_source){.fd = -1, .callback = on_driver_timer, .data = machine};
	machine->driver_seen = false;
	if (machine->tell_driver && machine->board.virtio_count == machine->config->slots)
		tell_driver(machine);
}

void board_forget_driver(struct machine *machine)
{
	event_source_remove(&machine->driver_timer);
}

static struct device_slot slot_of(uint32_t index)
{
	return (struct device_slot){
		.base = LAYOUT_VIRTIO + index * LAYOUT_SLOT_SIZE,
		.size = VIRTIO_MMIO_SIZE,
		.intid = LAYOUT_SPI_VIRTIO + index,
	};
}

static int connect(struct machine *machine, uint32_t index, struct virtio_device *device)
{
	const struct device_slot slot = slot_of(index);
	const struct virtio_mmio_options options = {
		.device = device,
		.eventfds = &board_eventfd_ops,
		.shadow_ops = &board_shadow_ops,
		.hyp = &machine->board,
		.base = slot.base,
		.intid = slot.intid,
	};

	device->driver = on_driver;
	device->driver_data = machine;
	device->watch = trace_watch(machine, index);
	return virtio_mmio_create(&options);
}

int board_plug_virtio(struct machine *machine, struct virtio_device *device, struct error *err)
{
	struct board *board = &machine->board;
	uint32_t index = board->virtio_count;
	const struct device_slot slot = slot_of(index);
	int r = index < LAYOUT_VIRTIO_SLOTS ? connect(machine, index, device) : -ENOSPC;

	if (r < 0) {
		device_destroy(&device->device);
		if (r == -ENOSPC)
			return error_set(err, EINVAL,
					 "a machine has %d slots for virtio devices, and this one "
					 "needs more; leave some out",
					 LAYOUT_VIRTIO_SLOTS);
		return error_set_errno(err, -r, "the virtio devices cannot be made");
	}
	board->virtio[board->virtio_count++] = device;
	r = board_plug(board, &device->device, &virtio_mmio_ops, &slot);
	return r < 0 ? error_set_errno(err, -r, "the virtio devices cannot be plugged in") : 0;
}

int board_replace_virtio(struct machine *machine, uint32_t index, struct virtio_device *device,
			 struct error *err)
{
	struct board *board = &machine->board;
	struct device *old = &board->virtio[index]->device;
	int r = connect(machine, index, device);
	size_t row = 0;
	bool covered;

	if (r < 0) {
		device_destroy(&device->device);
		return error_set_errno(err, -r, "the device cannot be plugged in");
	}
	while (board->devices[row].device != old)
		row++;
	board->devices[row].device = &device->device;
	board->virtio[index] = device;
	covered = board->covered && mmio_bus_find(board->covered, slot_of(index).base, 1);
	mmio_bus_replace(covered ? board->covered : board->bus, slot_of(index).base,
			 &device->device);
	device_destroy(old);
	return 0;
}

static int plug_vsock(struct machine *machine, struct error *err)
{
	const struct virtio_vsock_options options = {
		.name = "vsock0",
		.mem = machine->mem,
		.loop = machine->loop,
		.cid = machine->config->vsock_cid,
	};
	struct virtio_device *device = NULL;
	int r = virtio_vsock_create(&options, &device, err);

	return r < 0 ? r : board_plug_virtio(machine, device, err);
}

static int plug_balloon(struct machine *machine, struct error *err)
{
	const struct virtio_balloon_options options = {
		.name = "balloon0",
		.mem = machine->mem,
		.loop = machine->loop,
		.deflate_on_oom = true,
		.reporting = true,
	};
	struct board *board = &machine->board;
	int r = virtio_balloon_create(&options, &board->balloon);

	if (r < 0)
		return error_set_errno(err, -r, "balloon0 cannot be made");
	virtio_balloon_set_target(board->balloon, machine->config->balloon.size);
	return board_plug_virtio(machine, board->balloon, err);
}

static int plug_rng(struct machine *machine, struct error *err)
{
	const struct virtio_rng_options options = {
		.name = "rng0",
		.mem = machine->mem,
		.loop = machine->loop,
	};
	struct virtio_device *device = NULL;
	int r = virtio_rng_create(&options, &device);

	if (r < 0)
		return error_set_errno(err, -r, "rng0 cannot be made");
	return board_plug_virtio(machine, device, err);
}

/* Those in the slots come later. */
static bool in_slot(const struct machine *machine, const void *disk_or_net)
{
	for (uint32_t i = 0; i < machine->config->slots; i++) {
		if (machine->slots[i].disk == disk_or_net || machine->slots[i].net == disk_or_net)
			return true;
	}
	return false;
}

static int plug_disks_and_nets(struct machine *machine, struct error *err)
{
	struct virtio_device *device;
	int r = 0;

	for (size_t i = 0; i < machine->disk_count && r == 0; i++) {
		if (in_slot(machine, machine->disks[i]))
			continue;
		r = machine_make_disk(machine->disks[i], &device, err);
		if (r == 0)
			r = board_plug_virtio(machine, device, err);
	}
	for (size_t i = 0; i < machine->net_count && r == 0; i++) {
		if (in_slot(machine, machine->nets[i]))
			continue;
		r = machine_make_net(machine, machine->nets[i], &device, err);
		if (r == 0)
			r = board_plug_virtio(machine, device, err);
	}
	return r;
}

int board_build_virtio(struct machine *machine, struct error *err)
{
	int r = plug_disks_and_nets(machine, err);

	if (r == 0 && machine->config->vsock_cid)
		r = plug_vsock(machine, err);
	for (size_t i = 0; i < machine->volume_count && r == 0; i++)
		r = machine_plug_volume(machine, &machine->volumes[i], err);
	if (r == 0)
		r = machine_plug_console(machine, err);
	if (r == 0 && machine->config->balloon_count)
		r = plug_balloon(machine, err);
	if (r == 0 && !machine->config->nodefaults)
		r = plug_rng(machine, err);
	return r < 0 ? r : board_build_slots(machine, err);
}
