/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's shared folders. Their servers are started anew for every boot. */
#include <stdio.h>
#include <string.h>

#include "backend/share.h"
#include "machine_private.h"
#include "virtio/virtio_9p.h"
#include "virtio/virtio_fs.h"

static bool tag_is_taken(const struct machine *machine, const struct share *share)
{
	for (size_t i = 0; i < machine->volume_count; i++) {
		const struct share *other = machine->volumes[i].share;

		if (other != share && other && !strcmp(share_tag(other), share_tag(share)))
			return true;
	}
	return false;
}

static int open_volume(struct machine *machine, const char *text, struct error *err)
{
	struct machine_volume *volume = &machine->volumes[machine->volume_count];
	struct share_options options;
	int r = share_parse(text, &options, err);

	if (r == 0)
		r = share_open(&options, &volume->share, err);
	if (r < 0)
		return r;
	snprintf(volume->name, sizeof(volume->name), "volume%u", (unsigned)machine->volume_count);
	machine->volume_count++;
	if (tag_is_taken(machine, volume->share))
		return error_set(err, EINVAL, "--volume %s: two volumes have the tag '%s'", text,
				 options.tag);
	return 0;
}

int machine_open_volumes(struct machine *machine, struct error *err)
{
	size_t count = machine->config->volume_count;
	int r = 0;

	if (!count)
		return 0;
	machine->volumes = calloc(count, sizeof(*machine->volumes));
	if (!machine->volumes)
		return error_set_errno(err, ENOMEM, "--volume");
	for (size_t i = 0; i < count && r == 0; i++)
		r = open_volume(machine, machine->config->volumes[i], err);
	return r;
}

bool machine_shares_memory(const struct machine *machine)
{
	for (size_t i = 0; i < machine->volume_count; i++) {
		if (share_kind(machine->volumes[i].share) == SHARE_VIRTIOFS)
			return true;
	}
	return false;
}

void machine_close_volumes(struct machine *machine)
{
	while (machine->volume_count)
		share_close(machine->volumes[--machine->volume_count].share);
	free(machine->volumes);
	machine->volumes = NULL;
}

void machine_stop_volumes(struct machine *machine)
{
	for (size_t i = 0; i < machine->volume_count; i++)
		share_stop(machine->volumes[i].share);
}

static int make_9p(struct machine *machine, const struct machine_volume *volume,
		   const struct share_server *server, struct virtio_device **ret, struct error *err)
{
	const struct virtio_9p_options options = {
		.name = volume->name,
		.mem = machine->mem,
		.loop = machine->loop,
		.tag = share_tag(volume->share),
		.server_fd = server->fd,
		.directory = server->directory,
		.squash = server->squash,
		.uid = server->uid,
	};
	int r = virtio_9p_create(&options, ret);

	return r < 0 ? error_set_errno(err, -r, "%s cannot be made", volume->name) : 0;
}

static int make_fs(struct machine *machine, const struct machine_volume *volume,
		   const struct share_server *server, struct virtio_device **ret, struct error *err)
{
	const struct virtio_fs_options options = {
		.name = volume->name,
		.mem = machine->mem,
		.loop = machine->loop,
		.tag = share_tag(volume->share),
		.server_fd = server->fd,
	};
	int r = virtio_fs_create(&options, ret, err);

	return r < 0 ? share_explain(volume->share, err) : 0;
}

int machine_plug_volume(struct machine *machine, struct machine_volume *volume, struct error *err)
{
	struct virtio_device *device = NULL;
	struct share_server server;
	int r = share_start(volume->share, &server, err);

	if (r < 0)
		return r;
	if (share_kind(volume->share) == SHARE_VIRTIOFS)
		r = make_fs(machine, volume, &server, &device, err);
	else
		r = make_9p(machine, volume, &server, &device, err);
	return r < 0 ? r : board_plug_virtio(machine, device, err);
}
