/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/slots.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "machine_private.h"
#include "virtio/virtio_empty.h"

static uint32_t slot_count(const struct machine *machine)
{
	return machine->slots ? machine->config->slots : 0;
}

static bool is_free(const struct machine_slot *slot)
{
	return !slot->disk && !slot->net;
}

static const char *device_name(const struct machine_slot *slot)
{
	return slot->disk ? slot->disk->name : slot->net ? slot->net->name : NULL;
}

int machine_open_slots(struct machine *machine, struct error *err)
{
	uint32_t count = machine->config->slots;

	if (!count)
		return 0;
	machine->slots = calloc(count, sizeof(*machine->slots));
	if (!machine->slots)
		return error_set_errno(err, ENOMEM, "--slots");
	for (uint32_t i = 0; i < count; i++)
		snprintf(machine->slots[i].name, sizeof(machine->slots[i].name), "slot%u", i);
	return 0;
}

void machine_close_slots(struct machine *machine)
{
	free(machine->slots);
	machine->slots = NULL;
}

/* The board's. */

static int make_empty(const struct machine *machine, const struct machine_slot *slot,
		      struct virtio_device **ret, struct error *err)
{
	const struct virtio_empty_options options = {
		.name = slot->name,
		.mem = machine->mem,
		.loop = machine->loop,
	};
	int r = virtio_empty_create(&options, ret);

	return r < 0 ? error_set_errno(err, -r, "%s cannot be made", slot->name) : 0;
}

static int make_device(const struct machine *machine, const struct machine_slot *slot,
		       struct virtio_device **ret, struct error *err)
{
	if (slot->disk)
		return machine_make_disk(slot->disk, ret, err);
	if (slot->net)
		return machine_make_net(machine, slot->net, ret, err);
	return make_empty(machine, slot, ret, err);
}

static int not_running(struct error *err)
{
	return error_set(err, ESRCH, "the machine does not run");
}

/* What is in a slot now in the place of what was there. */
static int exchange(struct machine *machine, const struct machine_slot *slot, struct error *err)
{
	struct virtio_device *device = NULL;
	bool held;
	int r = make_device(machine, slot, &device, err);

	if (r < 0)
		return r;
	if (machine_paused(machine))
		virtio_device_pause(device);
	held = pause_hold(machine);
	/* A boot that has ended meanwhile has vCPUs that are yet to come out. */
	if (machine->outcome == MACHINE_RUNNING) {
		r = board_replace_virtio(machine, slot->index, device, err);
	} else {
		device_destroy(&device->device);
		r = not_running(err);
	}
	if (held)
		pause_release(machine);
	return r;
}

/* The disk or network itself; its device is gone. */
static void close_behind(struct machine *machine, struct machine_slot *slot)
{
	if (slot->disk)
		machine_close_disk(machine, slot->disk);
	if (slot->net)
		machine_close_net(machine, slot->net);
	slot->disk = NULL;
	slot->net = NULL;
	slot->leaving = false;
}

/* Its device is gone from the board, or the board with it. */
static void leave(struct machine *machine, struct machine_slot *slot)
{
	char name[MACHINE_NAME_MAX + 1];

	snprintf(name, sizeof(name), "%s", device_name(slot));
	close_behind(machine, slot);
	machine->leaving = name;
	machine_tell(machine, MACHINE_EVENT_DEVICE_LEAVES);
	machine->leaving = NULL;
}

static bool in_use(const struct machine *machine, const struct machine_slot *slot)
{
	struct virtio_device *virtio = machine->board.virtio[slot->index];
	bool used;

	device_lock(&virtio->device);
	used = virtio->status != 0;
	device_unlock(&virtio->device);
	return used;
}

static int take_out(struct machine *machine, struct machine_slot *slot, struct error *err)
{
	struct machine_disk *disk = slot->disk;
	struct machine_net *net = slot->net;
	int r;

	slot->disk = NULL;
	slot->net = NULL;
	r = exchange(machine, slot, err);
	slot->disk = disk;
	slot->net = net;
	if (r == 0)
		leave(machine, slot);
	return r;
}

static void on_driver_left(void *data, unsigned events)
{
	struct machine *machine = data;

	(void)events;
	event_timer_set(&machine->reset_timer, 0, 0);
	/* At the end of a boot they leave all at once. */
	if (machine->outcome != MACHINE_RUNNING)
		return;
	for (uint32_t i = 0; i < slot_count(machine); i++) {
		struct machine_slot *slot = &machine->slots[i];
		struct error err = {0};

		if (slot->leaving && !in_use(machine, slot) && take_out(machine, slot, &err) < 0)
			log_error("%s is still there: %s", device_name(slot), err.text);
	}
}

void slots_driver_left(struct machine *machine)
{
	if (machine->reset_timer.loop)
		event_timer_set(&machine->reset_timer, 1, 0);
}

int board_build_slots(struct machine *machine, struct error *err)
{
	int r = 0;

	for (uint32_t i = 0; i < slot_count(machine) && r == 0; i++) {
		struct machine_slot *slot = &machine->slots[i];
		struct virtio_device *device = NULL;

		slot->index = machine->board.virtio_count;
		r = make_device(machine, slot, &device, err);
		if (r == 0)
			r = board_plug_virtio(machine, device, err);
	}
	if (r < 0 || !slot_count(machine))
		return r;
	machine->reset_timer =
		(struct event_source){.fd = -1, .callback = on_driver_left, .data = machine};
	r = event_loop_add_timer(machine->loop, &machine->reset_timer, CLOCK_MONOTONIC);
	return r < 0 ? error_set_errno(err, -r, "--slots") : 0;
}

void slots_forget(struct machine *machine)
{
	event_source_remove(&machine->reset_timer);
	for (uint32_t i = 0; i < slot_count(machine); i++) {
		if (machine->slots[i].leaving)
			leave(machine, &machine->slots[i]);
	}
}

/* From outside. */

bool machine_slot(const struct machine *machine, size_t index, struct machine_slot_info *ret)
{
	const struct machine_slot *slot;

	if (index >= slot_count(machine) || !machine->board.virtio_count)
		return false;
	slot = &machine->slots[index];
	*ret = (struct machine_slot_info){
		.base = LAYOUT_VIRTIO + slot->index * LAYOUT_SLOT_SIZE,
		.device = device_name(slot),
		.in_use = in_use(machine, slot),
		.leaving = slot->leaving,
	};
	return true;
}

static bool is_taken(const struct machine *machine, const char *name)
{
	const struct board *board = &machine->board;

	for (size_t i = 0; i < board->device_count; i++) {
		if (!strcmp(board->devices[i].device->name, name))
			return true;
	}
	return false;
}

/* As a label of the device tree is. */
static bool is_name(const char *name)
{
	size_t length = strlen(name);

	if (!length || length > MACHINE_NAME_MAX || !isalpha((unsigned char)name[0]))
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
	       length;
}

/* The slot for a device @name. */
static int find_free(struct machine *machine, const char *name, struct machine_slot **ret,
		     struct error *err)
{
	if (machine->outcome != MACHINE_RUNNING)
		return not_running(err);
	if (!is_name(name))
		return error_set(err, EINVAL,
				 "'%.100s' is no name of a device: up to %d letters, digits, - and "
				 "_, the first a letter",
				 name, MACHINE_NAME_MAX);
	if (is_taken(machine, name))
		return error_set(err, EEXIST, "there is a device '%s' already", name);
	for (uint32_t i = 0; i < slot_count(machine); i++) {
		*ret = &machine->slots[i];
		if (is_free(*ret))
			return 0;
	}
	if (!slot_count(machine))
		return error_set(err, ENOSPC,
				 "the machine has no slots for devices that come later; start it "
				 "with --slots N");
	return error_set(err, ENOSPC, "the machine has %u slots, and none is free",
			 slot_count(machine));
}

/* What is in the slot comes on the board, or is closed again. */
static int put_in(struct machine *machine, struct machine_slot *slot, struct error *err)
{
	int r = exchange(machine, slot, err);

	if (r < 0)
		close_behind(machine, slot);
	return r;
}

int machine_plug_disk(struct machine *machine, const char *name, const struct disk_config *config,
		      struct error *err)
{
	struct machine_slot *slot = NULL;
	int r = find_free(machine, name, &slot, err);

	if (r == 0)
		r = machine_open_disk(machine, name, config, &slot->disk, err);
	if (r < 0)
		return r;
	return put_in(machine, slot, err);
}

int machine_plug_net(struct machine *machine, const char *name, const struct net_config *config,
		     struct error *err)
{
	struct machine_slot *slot = NULL;
	int r = find_free(machine, name, &slot, err);

	if (r == 0 && config->mode == NET_MODE_NONE)
		return error_set(err, EINVAL,
				 "mode: a network is that of the user, or a tap of the host's: "
				 "\"user\" or \"tap\"");
	if (r == 0)
		r = machine_open_net(machine, name,
				     MACHINE_MAX_NETS + (unsigned)(slot - machine->slots), config,
				     &slot->net, err);
	if (r < 0)
		return r;
	return put_in(machine, slot, err);
}

int machine_unplug(struct machine *machine, const char *name, struct error *err)
{
	struct machine_slot *slot = NULL;

	for (uint32_t i = 0; i < slot_count(machine) && !slot; i++) {
		struct machine_slot *each = &machine->slots[i];

		slot = !is_free(each) && !strcmp(device_name(each), name) ? each : NULL;
	}
	if (!slot)
		return error_set(err, ENODEV, "%s '%.100s'",
				 is_taken(machine, name)
					 ? "only what was plugged in later can be unplugged, not"
					 : "there is no device",
				 name);
	if (machine->outcome != MACHINE_RUNNING)
		return not_running(err);
	if (slot->leaving)
		return error_set(err, EINPROGRESS,
				 "'%s' is about to leave, once the guest's driver lets go of it or "
				 "the guest resets",
				 name);
	slot->leaving = in_use(machine, slot);
	return slot->leaving ? 0 : take_out(machine, slot, err);
}

const char *machine_leaving_device(const struct machine *machine)
{
	return machine->leaving;
}
