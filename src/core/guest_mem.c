/* SPDX-License-Identifier: Apache-2.0 */
#include "core/guest_mem.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "base/parse.h"

#define HUGE_PAGE_SHIFT 21 /* of the 2 MiB that a stage-2 block of 4 KiB granules has */

static int refuse_more_than_host(uint64_t size, struct error *err)
{
	char wanted[FORMAT_SIZE_MAX];
	char there[FORMAT_SIZE_MAX];
	struct sysinfo info;
	uint64_t total;

	if (sysinfo(&info) < 0)
		return 0; /* the mapping itself will tell */
	total = ((uint64_t)info.totalram + info.totalswap) * info.mem_unit;
	if (size <= total)
		return 0;
	return error_set(err, ENOMEM,
			 "--mem: %s is more than this host's memory and swap (%s); "
			 "give the machine less",
			 format_size(size, wanted), format_size(align_down(total, MIB), there));
}

static int refuse_huge(const struct guest_mem *mem, int code, struct error *err)
{
	char text[FORMAT_SIZE_MAX];

	return error_set_errno(err, code,
			       "--hugepages: the host cannot give %s in 2 MiB huge pages; "
			       "reserve %llu of them: sysctl vm.nr_hugepages=%llu",
			       format_size(mem->mapped, text),
			       (unsigned long long)(mem->mapped >> HUGE_PAGE_SHIFT),
			       (unsigned long long)(mem->mapped >> HUGE_PAGE_SHIFT));
}

static int map_huge(struct guest_mem *mem, struct error *err)
{
	int flags = mem->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
					  (HUGE_PAGE_SHIFT << MAP_HUGE_SHIFT)
				: MAP_SHARED;
	void *host = mmap(NULL, mem->mapped, PROT_READ | PROT_WRITE, flags, mem->fd, 0);

	if (host == MAP_FAILED)
		return refuse_huge(mem, errno, err);
	mem->host = host;
	return 0;
}

/* Reserve 2 MiB too much, give back what lies outside the aligned part, and map that. */
static int map_pages(struct guest_mem *mem, struct error *err)
{
	int flags = mem->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
	size_t mapped = mem->mapped + GUEST_MEM_ALIGN;
	char text[FORMAT_SIZE_MAX];
	uint8_t *raw =
		mmap(NULL, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *host;
	int code = errno;
	size_t head;

	if (raw == MAP_FAILED)
		return error_set_errno(err, code, "--mem: the host cannot map %s",
				       format_size(mem->size, text));
	head = align_up((uintptr_t)raw, GUEST_MEM_ALIGN) - (uintptr_t)raw;
	host = mmap(raw + head, mem->mapped, PROT_READ | PROT_WRITE, flags | MAP_FIXED, mem->fd, 0);
	code = errno;
	if (host == MAP_FAILED) {
		munmap(raw, mapped);
		return error_set_errno(err, code, "--mem: the host cannot map %s",
				       format_size(mem->size, text));
	}
	if (head)
		munmap(raw, head);
	munmap(host + mem->mapped, GUEST_MEM_ALIGN - head);
	mem->host = host;
	/* Where the kernel has no transparent huge pages, small ones do. */
	madvise(mem->host, mem->mapped, MADV_HUGEPAGE);
	return 0;
}

/*
 * The memory as a file of its final size: whoever maps it as well must not be
 * able to cut it short under us.
 */
static int open_shared(struct guest_mem *mem, bool hugepages, struct error *err)
{
	unsigned huge = MFD_HUGETLB | (unsigned)HUGE_PAGE_SHIFT << MFD_HUGE_SHIFT;
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | (hugepages ? huge : 0);
	char text[FORMAT_SIZE_MAX];

	mem->fd = memfd_create("guest-ram", flags);
	if (mem->fd >= 0 && ftruncate(mem->fd, (off_t)mem->mapped) == 0 &&
	    fcntl(mem->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return 0;
	if (hugepages)
		return refuse_huge(mem, errno, err);
	return error_set_errno(err, errno, "--mem: the host cannot share %s",
			       format_size(mem->size, text));
}

static int map(struct guest_mem *mem, const struct guest_mem_options *options, struct error *err)
{
	int r = options->shared ? open_shared(mem, options->hugepages, err) : 0;

	if (r < 0)
		return r;
	return options->hugepages ? map_huge(mem, err) : map_pages(mem, err);
}

int guest_mem_create(gpa_t base, uint64_t size, const struct guest_mem_options *options,
		     struct guest_mem **ret, struct error *err)
{
	_cleanup_(cleanup_guest_mem_destroy_) struct guest_mem *mem = calloc(1, sizeof(*mem));
	char text[FORMAT_SIZE_MAX];
	int r = refuse_more_than_host(size, err);

	if (r < 0)
		return r;
	if (!mem)
		return error_set_errno(err, ENOMEM, "guest memory");
	mem->base = base;
	mem->size = size;
	mem->mapped = align_up(size, GUEST_MEM_ALIGN);
	mem->fd = -1;
	mem->kept = options->hugepages || options->lock;
	r = map(mem, options, err);
	if (r < 0) {
		mem->mapped = 0;
		return r;
	}
	/* A core dump of ours need not hold the guest's secrets. */
	madvise(mem->host, mem->mapped, MADV_DONTDUMP);
	if (options->lock && mlock(mem->host, mem->mapped) < 0)
		return error_set_errno(err, errno,
				       "--lock-mem: the host does not let us lock %s; raise the "
				       "limit (ulimit -l, or LimitMEMLOCK= of the service)",
				       format_size(mem->mapped, text));
	*ret = steal_ptr(&mem);
	return 0;
}

void guest_mem_destroy(struct guest_mem *mem)
{
	if (!mem)
		return;
	if (mem->mapped)
		munmap(mem->host, mem->mapped);
	close_fd(mem->fd);
	free(mem);
}

int guest_mem_read(const struct guest_mem *mem, gpa_t addr, void *data, uint64_t size)
{
	const void *at = guest_mem_at(mem, addr, size);

	if (!at)
		return -EFAULT;
	memcpy(data, at, size);
	return 0;
}

int guest_mem_write(const struct guest_mem *mem, gpa_t addr, const void *data, uint64_t size)
{
	void *at = guest_mem_at(mem, addr, size);

	if (!at)
		return -EFAULT;
	memcpy(at, data, size);
	return 0;
}

int guest_mem_discard(const struct guest_mem *mem, gpa_t addr, uint64_t size)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint8_t *at = guest_mem_at(mem, addr, size);
	uint64_t skip, rest;

	if (!at)
		return -EFAULT;
	skip = align_up((uintptr_t)at, page) - (uintptr_t)at;
	if (mem->kept || skip >= size)
		return 0;
	rest = align_down(size - skip, page);
	if (rest && madvise(at + skip, rest, mem->fd < 0 ? MADV_DONTNEED : MADV_REMOVE) < 0)
		return -errno;
	return 0;
}
