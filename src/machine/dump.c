/* SPDX-License-Identifier: Apache-2.0 */
#include "dump.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "arm64/sysreg.h"
#include "core/vmcore.h"
#include "machine_private.h"

#define PAGE    (4 * KIB)
#define CHUNK   (1 * MIB)
#define PARTS   20  /* events of progress */
#define LOOK_MS 100 /* whether it is cancelled, while a reader makes us wait */

/* Writing: the thread. */

static int await_room(const struct dump *dump)
{
	struct pollfd pfd = {.fd = dump->fd, .events = POLLOUT};

	while (!dump->cancelled) {
		if (poll(&pfd, 1, LOOK_MS) > 0)
			return 0;
	}
	return -ECANCELED;
}

static int write_all(const struct dump *dump, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t written = write(dump->fd, data, size);
		int r = written < 0 ? -errno : 0;

		if (r == -EAGAIN)
			r = await_room(dump);
		if (r < 0 && r != -EINTR)
			return r;
		if (written > 0) {
			data += written;
			size -= (size_t)written;
		}
	}
	return 0;
}

static bool is_zero(const uint8_t *page)
{
	uint64_t first;

	memcpy(&first, page, sizeof(first));
	return !first && !memcmp(page, page + sizeof(first), PAGE - sizeof(first));
}

/* The size of the run of pages at the start that are all zero, or all not. */
static size_t run_of(const uint8_t *data, size_t size, bool zero)
{
	size_t run = PAGE;

	while (run < size && is_zero(data + run) == zero)
		run += PAGE;
	return run;
}

static int write_chunk(const struct dump *dump, const uint8_t *data, size_t size)
{
	int r = 0;

	if (!dump->sparse)
		return write_all(dump, data, size);
	while (size && r == 0) {
		bool zero = is_zero(data);
		size_t run = run_of(data, size, zero);

		if (!zero)
			r = write_all(dump, data, run);
		else if (lseek(dump->fd, (off_t)run, SEEK_CUR) < 0)
			r = -errno;
		data += run;
		size -= run;
	}
	return r;
}

static int write_memory(struct dump *dump)
{
	int r = 0;

	for (uint64_t at = 0; at < dump->total && r == 0;) {
		size_t size = min_u64(CHUNK, dump->total - at);
		uint64_t part = at * PARTS / dump->total;

		if (dump->cancelled)
			return -ECANCELED;
		r = write_chunk(dump, dump->memory + at, size);
		at += size;
		dump->completed = at;
		if (at * PARTS / dump->total != part && at < dump->total)
			eventfd_write(dump->told.fd, 1);
	}
	return r;
}

/* Holes at the end are part of the file. */
static int set_end(const struct dump *dump)
{
	off_t end = dump->sparse ? lseek(dump->fd, 0, SEEK_CUR) : 0;

	if (end < 0 || (dump->sparse && ftruncate(dump->fd, end) < 0))
		return -errno;
	return 0;
}

static void *write_dump(void *data)
{
	struct dump *dump = data;
	int r;

	pthread_setname_np(pthread_self(), "dump");
	r = write_all(dump, dump->header, dump->header_size);
	if (r == 0)
		r = write_memory(dump);
	if (r == 0)
		r = set_end(dump);
	dump->result = r;
	dump->ended = true;
	eventfd_write(dump->told.fd, 1);
	return NULL;
}

/* What is written. */

static void read_cpu(const struct vcpu *vcpu, struct vmcore_cpu *ret)
{
	uint64_t pstate = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(ret->x); i++)
		hyp_vcpu_get_reg(vcpu->hyp, (enum hyp_reg)(HYP_REG_X0 + i), &ret->x[i]);
	hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_PC, &ret->pc);
	hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_PSTATE, &pstate);
	ret->pstate = pstate;
	/* PSTATE.M: at EL1 with SPSel the stack is SP_EL1's (DDI 0487, C5.2.19). */
	hyp_vcpu_get_reg(vcpu->hyp,
			 (pstate & PSTATE_M) == PSTATE_EL1H ? HYP_REG_SP_EL1 : HYP_REG_SP_EL0,
			 &ret->sp);
}

/*
 * How many vCPUs have their vectors or their PC in the kernel's image, if it is where
 * @info says: none if that is of a kernel that ran before a reset.
 */
static unsigned vouch(const struct machine *machine, const struct vmcoreinfo *info)
{
	uint64_t begin = machine->kernel_at + info->kimage_voffset;
	uint64_t size = image_info(machine->kernel)->memory_size;
	unsigned count = 0;

	for (uint32_t i = 0; i < machine->board.vcpu_count && info->has_mapping; i++) {
		struct hyp_vcpu *vcpu = machine->board.vcpus[i].hyp;
		uint64_t pc = 0, vectors = 0;

		hyp_vcpu_get_reg(vcpu, HYP_REG_PC, &pc);
		hyp_vcpu_get_sysreg(vcpu, SYSREG_VBAR_EL1, &vectors);
		count += (pc - begin < size) + (vectors - begin < size);
	}
	return count;
}

/* Of the notes in memory the one that most vCPUs vouch for; the first, if it is all the same. */
static bool find_info(const struct machine *machine, struct vmcoreinfo *ret)
{
	gpa_t at = machine->mem->base;
	struct vmcoreinfo next;
	unsigned best = 0;

	*ret = VMCOREINFO_INIT;
	while (vmcoreinfo_next(machine->mem, &at, &next)) {
		unsigned count = vouch(machine, &next);

		if (!ret->note || count > best) {
			vmcoreinfo_finish(ret);
			*ret = next;
			best = count;
		} else {
			vmcoreinfo_finish(&next);
		}
	}
	return ret->note;
}

static int choose_memory(const struct machine *machine, const struct machine_dump_options *options,
			 struct vmcore_options *ret, struct error *err)
{
	const struct guest_mem *mem = machine->mem;

	ret->base = mem->base;
	ret->size = mem->size;
	if (options->length) {
		ret->base = options->begin;
		ret->size = options->length;
	}
	if (!is_aligned(ret->base | ret->size, PAGE))
		return error_set(err, EINVAL, "begin and length are not multiples of 4096");
	if (!guest_mem_at(mem, ret->base, ret->size))
		return error_set(err, EINVAL,
				 "the machine's memory is from 0x%" PRIx64 " to 0x%" PRIx64,
				 mem->base, guest_mem_end(mem) - 1);
	return 0;
}

static int describe(struct machine *machine, const struct machine_dump_options *options,
		    struct error *err)
{
	struct dump *dump = &machine->dump;
	struct vmcore_options core = {.cpu_count = machine->board.vcpu_count,
				      .paging = options->paging,
				      .image = machine->kernel_at,
				      .image_size = image_info(machine->kernel)->memory_size};
	_cleanup_(vmcoreinfo_finish) struct vmcoreinfo info = VMCOREINFO_INIT;
	_cleanup_free_ struct vmcore_cpu *cpus = calloc(core.cpu_count, sizeof(*cpus));
	int r = choose_memory(machine, options, &core, err);

	if (r < 0)
		return r;
	if (find_info(machine, &info))
		core.info = &info;
	if (options->paging && !info.has_mapping)
		return error_set(err, ENODATA,
				 "the guest has no kernel that tells its virtual addresses "
				 "(VMCOREINFO): dump without paging, --physical");
	for (uint32_t i = 0; i < core.cpu_count && cpus; i++)
		read_cpu(&machine->board.vcpus[i], &cpus[i]);
	core.cpus = cpus;
	if (!cpus || vmcore_header(&core, &dump->header, &dump->header_size) < 0)
		return error_set_errno(err, ENOMEM, "the dump");
	dump->memory = guest_mem_at(machine->mem, core.base, core.size);
	dump->total = core.size;
	return 0;
}

/* Where it goes. */

static int open_new(struct dump *dump, const char *path, struct error *err)
{
	if (asprintf(&dump->temporary, "%s.XXXXXX", path) < 0) {
		dump->temporary = NULL;
		return error_set_errno(err, ENOMEM, "%s", path);
	}
	dump->fd = mkostemp(dump->temporary, O_CLOEXEC);
	if (dump->fd >= 0)
		return 0;
	free(steal_ptr(&dump->temporary));
	return error_set_errno(err, errno, "%s", path);
}

static int open_path(struct dump *dump, const char *path, struct error *err)
{
	struct stat status;

	dump->path = strdup(path);
	if (!dump->path)
		return error_set_errno(err, ENOMEM, "%s", path);
	if (stat(path, &status) < 0 || S_ISREG(status.st_mode))
		return open_new(dump, path, err);
	dump->fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return dump->fd < 0 ? error_set_errno(err, errno, "%s", path) : 0;
}

static int open_dump(struct dump *dump, const struct machine_dump_options *options,
		     struct error *err)
{
	struct stat status;
	int flags;
	int r = 0;

	dump->fd = options->fd;
	if (options->path)
		r = open_path(dump, options->path, err);
	if (r < 0)
		return r;
	flags = fcntl(dump->fd, F_GETFL);
	if (flags < 0 || fstat(dump->fd, &status) < 0)
		return error_set_errno(err, errno, "the dump's file");
	/* What is appended cannot leave a hole. */
	dump->sparse = S_ISREG(status.st_mode) && !(flags & O_APPEND);
	if (dump->sparse && ftruncate(dump->fd, lseek(dump->fd, 0, SEEK_CUR)) < 0)
		return error_set_errno(err, errno, "the dump's file");
	/* A reader that does not read is not to hold us for ever. */
	if (!dump->sparse && fcntl(dump->fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return error_set_errno(err, errno, "the dump's file");
	return 0;
}

/* All is over: a whole file is put in its place, and of another nothing stays. */
static int close_dump(struct dump *dump, int r)
{
	if (dump->fd >= 0 && close(dump->fd) < 0 && r == 0)
		r = -errno;
	dump->fd = -EBADF;
	if (dump->temporary && r == 0 && rename(dump->temporary, dump->path) < 0)
		r = -errno;
	if (dump->temporary && r < 0)
		unlink(dump->temporary);
	if (r < 0)
		error_set_errno(&dump->err, -r, "%s", dump->path ? dump->path : "the dump's file");
	event_source_remove(&dump->told);
	free(steal_ptr(&dump->header));
	free(steal_ptr(&dump->temporary));
	free(steal_ptr(&dump->path));
	return r;
}

/* Its life. */

static void finish(struct machine *machine)
{
	struct dump *dump = &machine->dump;
	int r;

	pthread_join(dump->thread, NULL);
	r = close_dump(dump, dump->result);
	if (r == -ECANCELED)
		error_set(&dump->err, ECANCELED, "the dump was cancelled");
	dump->state = r < 0 ? MACHINE_DUMP_FAILED : MACHINE_DUMP_COMPLETED;
	if (dump->resume)
		machine_resume(machine);
	machine_tell(machine, MACHINE_EVENT_DUMP_ENDED);
}

static void on_told(void *data, unsigned events)
{
	struct machine *machine = data;
	eventfd_t count;

	(void)events;
	eventfd_read(machine->dump.told.fd, &count);
	machine_tell(machine, MACHINE_EVENT_DUMP_PROGRESS);
	if (machine->dump.ended)
		finish(machine);
}

static int start_thread(struct machine *machine, struct error *err)
{
	struct dump *dump = &machine->dump;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int r = fd < 0 ? -errno : event_loop_add(machine->loop, &dump->told, fd, EVENT_READ);

	if (r == 0) {
		dump->told.owns_fd = true;
		r = -pthread_create(&dump->thread, NULL, write_dump, dump);
	} else if (fd >= 0) {
		close(fd);
	}
	return r < 0 ? error_set_errno(err, -r, "the dump") : 0;
}

int machine_dump(struct machine *machine, const struct machine_dump_options *options,
		 struct error *err)
{
	struct dump *dump = &machine->dump;
	bool was_paused = machine_paused(machine);
	int r = 0;

	if (dump->state == MACHINE_DUMP_ACTIVE)
		r = error_set(err, EBUSY, "a dump is being written already");
	else if (machine->outcome != MACHINE_RUNNING)
		r = error_set(err, ESRCH, "the machine does not run");
	if (r < 0) {
		if (options->fd >= 0)
			close(options->fd);
		return r;
	}
	machine_pause(machine);
	*dump = (struct dump){.fd = -EBADF, .told = dump->told, .resume = !was_paused};
	r = open_dump(dump, options, err);
	if (r == 0)
		r = describe(machine, options, err);
	if (r == 0)
		r = start_thread(machine, err);
	if (r == 0) {
		dump->state = MACHINE_DUMP_ACTIVE;
		return 0;
	}
	close_dump(dump, r);
	dump->state = MACHINE_DUMP_FAILED;
	if (err)
		dump->err = *err;
	if (dump->resume)
		machine_resume(machine);
	return r;
}

void machine_dump_cancel(struct machine *machine)
{
	machine->dump.cancelled = true;
}

void machine_dump_status(const struct machine *machine, struct machine_dump_status *ret)
{
	const struct dump *dump = &machine->dump;

	*ret = (struct machine_dump_status){.state = dump->state,
					    .completed = dump->completed,
					    .total = dump->total,
					    .err = dump->err};
}

void dump_init(struct machine *machine)
{
	machine->dump = (struct dump){.fd = -EBADF,
				      .told = {.fd = -1, .callback = on_told, .data = machine}};
}

void dump_end(struct machine *machine)
{
	if (machine->dump.state != MACHINE_DUMP_ACTIVE)
		return;
	machine_dump_cancel(machine);
	finish(machine);
	if (machine->dump.resume)
		pause_forget(machine);
}
