/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk in memory, for tests of what is in front of disks. It has no thread:
 * mem_disk_run() is what its thread would do meanwhile.
 */
#ifndef ARMLET_TESTS_MEM_DISK_H
#define ARMLET_TESTS_MEM_DISK_H

#include "core/disk.h"

#define MEM_DISK_KICKS 16

struct mem_disk {
	struct disk disk;
	uint8_t *bytes;
	uint64_t room;         /* of @bytes; the disk's size is at most that */
	uint64_t refresh_size; /* what refresh finds */
	int fail;   /* positive errno that requests end with from now on; 0: they succeed */
	bool loses; /* a flush that fails, fails for good */
	bool cannot_start;
	unsigned flushes;

	struct disk_client client;
	bool running;
	bool kicked; /* by its start */
	int kick_fds[MEM_DISK_KICKS];
	unsigned kick_count;
	struct disk_request *first;
	struct disk_request *last;
};

/* Zeroes. Everything is offered: discards, zeroes, a write cache. Destroyed as a disk. */
struct mem_disk *mem_disk_create(uint64_t size);

/* Take kicks, if there are any, then end at most @limit requests. */
void mem_disk_run(struct mem_disk *disk, unsigned limit);

#endif
