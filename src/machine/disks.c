/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's disks. They are opened once, and stay open when the guest
 * resets; the block device before each is made anew for every boot.
 */
#include <stdio.h>
#include <string.h>

#include "backend/disk.h"
#include "machine_private.h"
#include "virtio/virtio_blk.h"

static int open_disk(struct machine_disk *disk, const struct disk_config *config, struct error *err)
{
	const struct disk_options options = {
		.path = config->file,
		.read_only = config->read_only,
		.direct = config->direct,
		.ephemeral = config->ephemeral,
		.no_discard = config->discard != 0,
		.cache = (enum disk_cache)config->cache,
		.aio = (enum disk_aio)config->aio,
		.format = config->format,
		.block_size = config->block_size,
		.physical_block_size = config->physical_block_size,
	};

	if (!config->file || !*config->file)
		return error_set(err, EINVAL, "--disk: there is no file; write --disk FILE");
	if (config->serial && strlen(config->serial) > 20)
		return error_set(err, EINVAL,
				 "--disk %s: the serial '%s' is too long; it may have 20 "
				 "characters",
				 config->file, config->serial);
	disk->config = config;
	return disk_open(&options, &disk->disk, err);
}

static const char *serial_of(const struct machine_disk *disk)
{
	return disk->config->serial ? disk->config->serial : disk->name;
}

/* The guest finds a disk by its serial, unless it has none. */
static int check_serial(const struct machine *machine, const struct machine_disk *disk,
			struct error *err)
{
	const char *serial = serial_of(disk);

	for (size_t i = 0; i < machine->disk_count; i++) {
		const struct machine_disk *other = machine->disks[i];

		if (other != disk && *serial && !strcmp(serial_of(other), serial))
			return error_set(err, EINVAL, "--disk %s: two disks have the serial '%s'",
					 disk->config->file, serial);
	}
	return 0;
}

int machine_open_disk(struct machine *machine, const char *name, const struct disk_config *config,
		      struct machine_disk **ret, struct error *err)
{
	struct machine_disk *disk = calloc(1, sizeof(*disk));
	int r;

	if (!disk)
		return error_set_errno(err, ENOMEM, "--disk");
	machine->disks[machine->disk_count++] = disk;
	disk->machine = machine;
	snprintf(disk->name, sizeof(disk->name), "%s", name);
	r = open_disk(disk, config, err);
	if (r == 0)
		r = check_serial(machine, disk, err);
	if (r < 0)
		machine_close_disk(machine, disk);
	else if (ret)
		*ret = disk;
	return r;
}

void machine_close_disk(struct machine *machine, struct machine_disk *disk)
{
	size_t at = 0;

	while (machine->disks[at] != disk)
		at++;
	machine->disk_count--;
	memmove(&machine->disks[at], &machine->disks[at + 1],
		(machine->disk_count - at) * sizeof(struct machine_disk *));
	disk_destroy(disk->disk);
	free(disk);
}

int machine_open_disks(struct machine *machine, struct error *err)
{
	const struct machine_config *config = machine->config;
	size_t room = config->disk_count + config->slots;
	char name[MACHINE_NAME_MAX + 1];
	int r = 0;

	if (!room)
		return 0;
	machine->disks = calloc(room, sizeof(struct machine_disk *));
	if (!machine->disks)
		return error_set_errno(err, ENOMEM, "--disk");
	for (size_t i = 0; i < config->disk_count && r == 0; i++) {
		snprintf(name, sizeof(name), "disk%u", (unsigned)i);
		r = machine_open_disk(machine, name, &config->disks[i], NULL, err);
	}
	return r;
}

void machine_close_disks(struct machine *machine)
{
	while (machine->disk_count)
		machine_close_disk(machine, machine->disks[machine->disk_count - 1]);
	free(machine->disks);
	machine->disks = NULL;
}

/* A request failed, and waits: so does the machine. */
static void on_held(void *data, struct virtio_device *virtio, int code)
{
	struct machine_disk *disk = data;

	(void)virtio;
	log_error("%s (%s): %s; the machine is paused: mend that, then let it go on with "
		  "`kill -CONT %d`",
		  disk->name, disk->config->file, strerror(code), (int)getpid());
	machine_pause_soon(disk->machine);
}

int machine_make_disk(struct machine_disk *disk, struct virtio_device **ret, struct error *err)
{
	struct machine *machine = disk->machine;
	const struct virtio_blk_options options = {
		.name = disk->name,
		.mem = machine->mem,
		.loop = machine->loop,
		.disk = disk->disk,
		.serial = disk->config->serial,
		.queues = disk->config->queues,
		.on_error = (enum virtio_blk_on_error)disk->config->on_error,
		.held = on_held,
		.data = disk,
	};
	int r = virtio_blk_create(&options, &disk->device);

	if (r < 0)
		return error_set_errno(err, -r, "--disk %s", disk->config->file);
	*ret = disk->device;
	return 0;
}

void machine_refresh_disks(struct machine *machine)
{
	for (size_t i = 0; i < machine->disk_count && machine->board.virtio_count; i++) {
		struct machine_disk *disk = machine->disks[i];
		struct virtio_device *virtio = disk->device;
		int r;

		device_lock(&virtio->device);
		r = virtio_blk_resize(virtio);
		device_unlock(&virtio->device);
		if (r < 0)
			log_warning("%s (%s): its size cannot be told: %s", disk->name,
				    disk->config->file, strerror(-r));
	}
}

bool machine_disk(const struct machine *machine, size_t index, struct machine_disk_info *ret)
{
	const struct machine_disk *disk;

	if (index >= machine->disk_count)
		return false;
	disk = machine->disks[index];
	*ret = (struct machine_disk_info){
		.name = disk->name,
		.config = disk->config,
		.info = &disk->disk->info,
		.counters = disk->disk->counters,
	};
	return true;
}

static int resize(struct machine_disk *disk, uint64_t size)
{
	struct virtio_device *virtio = disk->machine->board.virtio_count ? disk->device : NULL;
	int r;

	if (size % disk->disk->info.logical_block || size > INT64_MAX)
		return -EINVAL;
	if (!disk->disk->ops->resize)
		return -EOPNOTSUPP;
	if (!virtio)
		return disk->disk->ops->resize(disk->disk, size);
	device_lock(&virtio->device);
	r = disk->disk->ops->resize(disk->disk, size);
	if (r == 0)
		r = virtio_blk_resize(virtio);
	device_unlock(&virtio->device);
	return r;
}

int machine_resize_disk(struct machine *machine, const char *name, uint64_t size, struct error *err)
{
	for (size_t i = 0; i < machine->disk_count; i++) {
		struct machine_disk *disk = machine->disks[i];
		int r;

		if (strcmp(disk->name, name) != 0)
			continue;
		r = resize(disk, size);
		if (r == -EINVAL)
			return error_set(
				err, EINVAL,
				"%s (%s): its size is a multiple of its blocks of %u bytes", name,
				disk->config->file, disk->disk->info.logical_block);
		if (r == -EOPNOTSUPP)
			return error_set(err, EOPNOTSUPP,
					 "%s (%s): its size is not ours to change: only that of a "
					 "raw file is",
					 name, disk->config->file);
		return r < 0 ? error_set_errno(err, -r, "%s (%s)", name, disk->config->file) : 0;
	}
	return error_set(err, ENODEV, "there is no disk '%.100s'", name);
}
