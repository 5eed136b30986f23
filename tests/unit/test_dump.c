/* SPDX-License-Identifier: Apache-2.0 */
/* A machine's memory and registers into a file, with a guest that is a script. */
#include <elf.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/vmcore.h"
#include "machine/dump.h"
#include "machine/layout.h"
#include "machine_bench.h"
#include "unit.h"

#define MARK_AT (LAYOUT_RAM + 5 * MIB)
#define MARK    "this is in the guest's memory"

static atomic_int over; /* the guest may end */

static const struct fake_step waits[] = {
	GUEST_WAITS_FOR(&over),
	GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
};

/* A machine, the dump of it, and what was told. */
struct dump_bench {
	struct machine_bench bench;
	char folder[32];
	char path[64];
	struct event_source timer;
	struct machine_dump_options options;
	void (*begun)(struct dump_bench *dump); /* NULL: nothing */
	int result;
	struct error err;
	unsigned progress;
	unsigned ends;
	bool paused; /* when it had begun */
	bool paused_at_end;
};

static void on_timer(void *data, unsigned events)
{
	struct dump_bench *dump = data;

	(void)events;
	dump->result = machine_dump(dump->bench.machine, &dump->options, &dump->err);
	dump->paused = machine_paused(dump->bench.machine);
	if (dump->begun)
		dump->begun(dump);
	if (dump->result < 0)
		over = true;
}

static void on_event(void *data, enum machine_event event)
{
	struct dump_bench *dump = data;

	if (event == MACHINE_EVENT_DUMP_PROGRESS)
		dump->progress++;
	if (event != MACHINE_EVENT_DUMP_ENDED)
		return;
	dump->ends++;
	dump->paused_at_end = machine_paused(dump->bench.machine);
	over = true;
	machine_resume(dump->bench.machine);
}

static void open_bench(struct dump_bench *dump)
{
	*dump = (struct dump_bench){.options.fd = -1};
	machine_bench_open(&dump->bench);
	dump->bench.event = on_event;
	dump->bench.event_data = dump;
	dump->bench.config.cpus = 2;
	dump->bench.config.mem = 32 * MIB;
	snprintf(dump->folder, sizeof(dump->folder), "/tmp/armlet-dump-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dump->folder));
	snprintf(dump->path, sizeof(dump->path), "%s/vmcore", dump->folder);
	dump->options.path = dump->path;
	over = false;
	fake_program(0, 0, waits, ARRAY_SIZE(waits));
	machine_bench_create(&dump->bench);
	ck_assert_int_eq(guest_mem_write(dump->bench.machine->mem, MARK_AT, MARK, sizeof(MARK)), 0);
	dump->timer = (struct event_source){.fd = -1, .callback = on_timer, .data = dump};
	ck_assert_int_eq(event_loop_add_timer(dump->bench.loop, &dump->timer, CLOCK_MONOTONIC), 0);
	ck_assert_int_eq(event_timer_set(&dump->timer, 1000000, 0), 0);
}

/* Only what is named is in the folder. */
static void close_bench(struct dump_bench *dump)
{
	event_source_remove(&dump->timer);
	machine_bench_close(&dump->bench);
	unlink(dump->path);
	ck_assert_int_eq(rmdir(dump->folder), 0);
}

static void check_file(const char *path, gpa_t begin, uint64_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Phdr phdr[2];
	char mark[sizeof(MARK)];
	struct stat status;
	uint64_t pc;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, phdr, sizeof(phdr), sizeof(Elf64_Ehdr)), sizeof(phdr));
	ck_assert_uint_eq(phdr[1].p_paddr, begin);
	ck_assert_uint_eq(phdr[1].p_filesz, size);
	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert_uint_eq((uint64_t)status.st_size, phdr[1].p_offset + size);
	ck_assert_uint_lt((uint64_t)status.st_blocks * 512, MIB);
	ck_assert_int_eq(pread(fd, mark, sizeof(mark), (off_t)(phdr[1].p_offset + MARK_AT - begin)),
			 sizeof(mark));
	ck_assert_str_eq(mark, MARK);
	/* NT_PRSTATUS of the second vCPU: its PC is behind 31 registers and SP. */
	ck_assert_int_eq(
		pread(fd, &pc, sizeof(pc), (off_t)phdr[0].p_offset + 412 + 20 + 112 + 32 * 8),
		sizeof(pc));
	ck_assert_uint_eq(pc, FAKE_REG_VALUE(1, HYP_REG_PC));
}

START_TEST(test_whole)
{
	struct machine_dump_status status;
	struct dump_bench dump;

	open_bench(&dump);
	machine_dump_status(dump.bench.machine, &status);
	ck_assert_int_eq(status.state, MACHINE_DUMP_NONE);
	ck_assert_int_eq(machine_bench_run(&dump.bench), MACHINE_POWERED_OFF);
	ck_assert_msg(dump.result == 0, "%s", dump.err.text);
	ck_assert(dump.paused);
	ck_assert(!dump.paused_at_end);
	ck_assert_uint_ge(dump.progress, 1);
	ck_assert_uint_le(dump.progress, 20);
	ck_assert_uint_eq(dump.ends, 1);
	machine_dump_status(dump.bench.machine, &status);
	ck_assert_int_eq(status.state, MACHINE_DUMP_COMPLETED);
	ck_assert_uint_eq(status.completed, 32 * MIB);
	ck_assert_uint_eq(status.total, 32 * MIB);
	check_file(dump.path, LAYOUT_RAM, 32 * MIB);
	close_bench(&dump);
}
END_TEST

/* A part; and what was in the file before is gone. */
START_TEST(test_part)
{
	struct dump_bench dump;
	FILE *before;

	open_bench(&dump);
	before = fopen(dump.path, "we");
	ck_assert_ptr_nonnull(before);
	fputs("before", before);
	fclose(before);
	dump.options.begin = LAYOUT_RAM + 4 * MIB;
	dump.options.length = 2 * MIB;
	ck_assert_int_eq(machine_bench_run(&dump.bench), MACHINE_POWERED_OFF);
	check_file(dump.path, LAYOUT_RAM + 4 * MIB, 2 * MIB);
	close_bench(&dump);
}
END_TEST

/* Into a pipe, which has no holes. */
static size_t drain(int fd)
{
	char bytes[4096];
	size_t size = 0;
	ssize_t got;

	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		size += (size_t)got;
	close(fd);
	return size;
}

static void *drain_thread(void *data)
{
	return (void *)(uintptr_t)drain(*(int *)data);
}

START_TEST(test_pipe)
{
	struct dump_bench dump;
	pthread_t reader;
	void *size = NULL;
	int ends[2];

	open_bench(&dump);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	dump.options.path = NULL;
	dump.options.fd = ends[1];
	pthread_create(&reader, NULL, drain_thread, &ends[0]);
	ck_assert_int_eq(machine_bench_run(&dump.bench), MACHINE_POWERED_OFF);
	pthread_join(reader, &size);
	ck_assert_uint_eq((uintptr_t)size, VMCORE_ALIGN + 32 * MIB);
	close_bench(&dump);
}
END_TEST

/* Behind what a file has already, which has no holes either. */
START_TEST(test_append)
{
	struct dump_bench dump;
	struct stat status;
	char before[7] = "";
	int fd;

	open_bench(&dump);
	fd = open(dump.path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_eq(write(fd, "before", 6), 6);
	dump.options.path = NULL;
	dump.options.fd = fd;
	ck_assert_int_eq(machine_bench_run(&dump.bench), MACHINE_POWERED_OFF);
	ck_assert_msg(dump.result == 0, "%s", dump.err.text);
	fd = open(dump.path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert_uint_eq((uint64_t)status.st_size, 6 + VMCORE_ALIGN + 32 * MIB);
	ck_assert_int_eq(pread(fd, before, 6, 0), 6);
	ck_assert_str_eq(before, "before");
	close(fd);
	close_bench(&dump);
}
END_TEST

/* While it is held up by a pipe that nobody reads. */
static void refuse_another(struct dump_bench *dump)
{
	struct machine_dump_options other = {.path = dump->path, .fd = -1};

	ck_assert_int_eq(machine_dump(dump->bench.machine, &other, NULL), -EBUSY);
	/* It is not let go on, but will. */
	machine_pause(dump->bench.machine);
	machine_resume(dump->bench.machine);
	ck_assert(machine_paused(dump->bench.machine));
	machine_dump_cancel(dump->bench.machine);
}

static void let_reset(struct dump_bench *dump)
{
	machine_reset(dump->bench.machine);
}

static void end_now(struct dump_bench *dump)
{
	machine_stop(dump->bench.machine);
}

struct broken_row {
	void (*begun)(struct dump_bench *dump);
	enum machine_outcome outcome;
};

static const struct broken_row broken_rows[] = {
	{refuse_another, MACHINE_POWERED_OFF},
	{let_reset, MACHINE_POWERED_OFF},
	{end_now, MACHINE_STOPPED},
};

START_TEST(test_broken_off)
{
	const struct broken_row *row = &broken_rows[_i];
	struct machine_dump_status status;
	struct dump_bench dump;
	int ends[2];

	open_bench(&dump);
	fake_program(1, 0, waits, ARRAY_SIZE(waits));
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	dump.options.path = NULL;
	dump.options.fd = ends[1];
	dump.begun = row->begun;
	ck_assert_int_eq(machine_bench_run(&dump.bench), row->outcome);
	machine_dump_status(dump.bench.machine, &status);
	ck_assert_int_eq(status.state, MACHINE_DUMP_FAILED);
	ck_assert_str_eq(status.err.text, "the dump was cancelled");
	ck_assert_uint_eq(dump.ends, 1);
	close(ends[0]);
	close_bench(&dump);
}
END_TEST

/* What is refused at once. */
struct refused_row {
	const char *path;
	gpa_t begin;
	uint64_t length;
	int code;
	bool paging;
};

static const struct refused_row refused_rows[] = {
	{"/nowhere/vmcore", 0, 0, ENOENT, false},
	{"/tmp", 0, 0, EISDIR, false},
	{NULL, 0, 0, ENODATA, true},
	{NULL, LAYOUT_RAM - 4096, 4096, EINVAL, false},
	{NULL, LAYOUT_RAM, 32 * MIB + 4096, EINVAL, false},
	{NULL, LAYOUT_RAM + 1, 4096, EINVAL, false},
	{NULL, LAYOUT_RAM, UINT64_MAX - 4095, EINVAL, false},
};

START_TEST(test_refused)
{
	const struct refused_row *row = &refused_rows[_i];
	struct machine_dump_status status;
	struct dump_bench dump;

	open_bench(&dump);
	if (row->path)
		dump.options.path = row->path;
	dump.options.paging = row->paging;
	dump.options.begin = row->begin;
	dump.options.length = row->length;
	ck_assert_int_eq(machine_bench_run(&dump.bench), MACHINE_POWERED_OFF);
	ck_assert_int_eq(dump.result, -row->code);
	ck_assert_int_eq(dump.err.code, row->code);
	ck_assert(!dump.paused);
	ck_assert_uint_eq(dump.ends, 0);
	machine_dump_status(dump.bench.machine, &status);
	ck_assert_int_eq(status.state, MACHINE_DUMP_FAILED);
	close_bench(&dump);
}
END_TEST

/* A machine that does not run has nothing to tell; the descriptor is closed. */
START_TEST(test_not_running)
{
	struct dump_bench dump;
	int ends[2];

	open_bench(&dump);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	dump.options.path = NULL;
	dump.options.fd = ends[1];
	ck_assert_int_eq(machine_dump(dump.bench.machine, &dump.options, &dump.err), -ESRCH);
	ck_assert_uint_eq(drain(ends[0]), 0);
	close_bench(&dump);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_whole),
	UNIT_CASE(test_part),
	UNIT_CASE(test_pipe),
	UNIT_CASE(test_append),
	UNIT_LOOP(test_broken_off, ARRAY_SIZE(broken_rows)),
	UNIT_LOOP(test_refused, ARRAY_SIZE(refused_rows)),
	UNIT_CASE(test_not_running),
	{0},
};
const char unit_name[] = "dump";
