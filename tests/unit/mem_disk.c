/* SPDX-License-Identifier: Apache-2.0 */
#include "mem_disk.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "core/iov.h"

static struct mem_disk *to_mem_disk(struct disk *disk)
{
	return container_of(disk, struct mem_disk, disk);
}

static int start(struct disk *disk, const struct disk_client *client, const int *kick_fds,
		 unsigned count, struct error *err)
{
	struct mem_disk *mem = to_mem_disk(disk);

	if (mem->cannot_start)
		return error_set(err, EAGAIN, "the disk cannot start");
	mem->client = *client;
	memcpy(mem->kick_fds, kick_fds, count * sizeof(*kick_fds));
	mem->kick_count = count;
	mem->running = true;
	mem->kicked = true;
	return 0;
}

static void submit(struct disk *disk, struct disk_request *request)
{
	struct mem_disk *mem = to_mem_disk(disk);

	request->next = NULL;
	if (mem->first)
		mem->last->next = request;
	else
		mem->first = request;
	mem->last = request;
}

static int transfer(struct mem_disk *mem, const struct disk_request *request)
{
	uint8_t *at = mem->bytes + request->offset;

	switch (request->op) {
	case DISK_READ:
		iov_write(request->iov, request->iov_count, 0, at, request->size);
		break;
	case DISK_WRITE:
		iov_read(request->iov, request->iov_count, 0, at, request->size);
		break;
	case DISK_DISCARD:
	case DISK_WRITE_ZEROES:
		memset(at, 0, request->size);
		break;
	case DISK_FLUSH:
		mem->flushes++;
		break;
	}
	return 0;
}

static void end_first(struct mem_disk *mem)
{
	struct disk_request *request = mem->first;

	mem->first = request->next;
	request->result = mem->fail ? -mem->fail : transfer(mem, request);
	request->lost = mem->fail && mem->loses && request->op == DISK_FLUSH;
	/* A disk may do so. */
	for (uint32_t i = 0; i < request->iov_count; i++)
		request->iov[i] = (struct iovec){0};
	mem->client.done(mem->client.data, request);
}

static bool take_kicks(struct mem_disk *mem)
{
	bool kicked = mem->kicked;

	mem->kicked = false;
	for (unsigned i = 0; i < mem->kick_count; i++) {
		struct pollfd polled = {.fd = mem->kick_fds[i], .events = POLLIN};
		uint64_t value;

		if (poll(&polled, 1, 0) > 0)
			kicked |= read(polled.fd, &value, sizeof(value)) > 0;
	}
	return kicked;
}

void mem_disk_run(struct mem_disk *mem, unsigned limit)
{
	if (!mem->running)
		return;
	if (take_kicks(mem))
		mem->client.kicked(mem->client.data);
	while (mem->first && limit--)
		end_first(mem);
	mem->client.settled(mem->client.data);
}

static void stop(struct disk *disk)
{
	struct mem_disk *mem = to_mem_disk(disk);

	while (mem->first)
		end_first(mem);
	mem->client.settled(mem->client.data);
	mem->running = false;
}

static int refresh(struct disk *disk)
{
	disk->info.size = to_mem_disk(disk)->refresh_size;
	return 0;
}

static void destroy(struct disk *disk)
{
	struct mem_disk *mem = to_mem_disk(disk);

	free(mem->bytes);
	free(mem);
}

static const struct disk_ops mem_disk_ops = {
	.start = start,
	.submit = submit,
	.stop = stop,
	.refresh = refresh,
	.destroy = destroy,
};

struct mem_disk *mem_disk_create(uint64_t size)
{
	struct mem_disk *mem = calloc(1, sizeof(*mem));

	if (!mem)
		abort();
	mem->bytes = calloc(1, size);
	mem->room = mem->refresh_size = size;
	mem->disk.ops = &mem_disk_ops;
	mem->disk.info = (struct disk_info){
		.size = size,
		.logical_block = 512,
		.physical_block = 4096,
		.discard_granularity = 4096,
		.write_zeroes = true,
		.write_cache = true,
	};
	return mem;
}
