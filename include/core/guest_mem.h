/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's RAM as the VMM sees it: one run of IPAs backed by one mapping of
 * this process. Both start on a 2 MiB boundary, so that stage 2 can map blocks
 * (kvm_arm64: block mappings need host and guest address equal modulo 2 MiB).
 *
 * The guest writes to this memory at any moment. Read what matters once, into
 * a copy, then check the copy.
 *
 * Threads: create and destroy with no vCPU about; everything else any thread.
 */
#ifndef ARMLET_CORE_GUEST_MEM_H
#define ARMLET_CORE_GUEST_MEM_H

#include "base/error.h"
#include "core/types.h"

#define GUEST_MEM_ALIGN (2 * MIB)

struct guest_mem {
	gpa_t base;
	uint64_t size; /* bytes, a multiple of the host's page size */
	uint8_t *host; /* the byte at @base */
	size_t mapped; /* bytes of the mapping; 0 when the memory is somebody else's */
	int fd;        /* the memory as a file, @host at its start; -1 if it is ours alone */
	bool kept;     /* huge pages of the pool, or locked: none of it is ever given back */
};

struct guest_mem_options {
	bool hugepages; /* from hugetlbfs's default pool, all reserved at once */
	bool lock;      /* mlock: nothing is ever paged out */
	bool shared;    /* other processes may map it, by the fd */
};

/*
 * Map @size bytes for the guest at @base (both multiples of 2 MiB; a @size
 * that is not is rounded up in the mapping only). Fails with a sentence if the
 * host has less, cannot lock it, or has too few huge pages.
 */
int guest_mem_create(gpa_t base, uint64_t size, const struct guest_mem_options *options,
		     struct guest_mem **ret, struct error *err);

/* Takes NULL. */
void guest_mem_destroy(struct guest_mem *mem);

DEFINE_CLEANUP(struct guest_mem *, guest_mem_destroy)

/* The end of the RAM: the first IPA behind it. */
static inline gpa_t guest_mem_end(const struct guest_mem *mem)
{
	return mem->base + mem->size;
}

/* The host's address of [@addr, @addr + @size), or NULL unless all of it is RAM. */
static inline void *guest_mem_at(const struct guest_mem *mem, gpa_t addr, uint64_t size)
{
	if (addr < mem->base || size > mem->size || addr - mem->base > mem->size - size)
		return NULL;
	return mem->host + (addr - mem->base);
}

/* Copy out of or into the RAM; -EFAULT (and nothing copied) unless all of it is RAM. */
int guest_mem_read(const struct guest_mem *mem, gpa_t addr, void *data, uint64_t size);
int guest_mem_write(const struct guest_mem *mem, gpa_t addr, const void *data, uint64_t size);

/*
 * Give the host back what lies in [@addr, @addr + @size): it reads as zeroes
 * then, and costs nothing until it is written. Only whole pages of the host
 * are, and none of memory that is kept; the rest stays as it is. -EFAULT unless
 * all of it is RAM; -errno of the host's.
 */
int guest_mem_discard(const struct guest_mem *mem, gpa_t addr, uint64_t size);

#endif
