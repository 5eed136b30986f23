/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <inttypes.h>
#include <stdio.h>

#include "arm64/psci.h"
#include "arm64/sysreg.h"
#include "base/probe.h"
#include "base/ticks.h"
#include "cpu_state.h"
#include "machine/look.h"
#include "machine_private.h"

/* What has a name in the file: addresses of registers by themselves, twice. */
#define NAME_OF_WRITE BIT(63)
#define NAME_OF_IRQ   BIT(62)
#define NAME_OF_CALL  BIT(61)
#define NAME_MAX_SIZE 96

#define TRACE_FILE  "armlet.fxt" /* unless another is said */
#define VCPU_THREAD 1            /* of a block's events */

/* What each exit is besides TRACE_EXITS. */
static const uint8_t categories[VCPU_EXIT_REASONS] = {
	[VCPU_EXIT_MMIO] = TRACE_MMIO,        [VCPU_EXIT_LDST64B] = TRACE_MMIO,
	[VCPU_EXIT_NO_SYNDROME] = TRACE_NISV, [VCPU_EXIT_SHUTDOWN] = TRACE_PSCI,
	[VCPU_EXIT_RESET] = TRACE_PSCI,       [VCPU_EXIT_SUSPEND] = TRACE_PSCI,
	[VCPU_EXIT_WAKEUP] = TRACE_PSCI,      [VCPU_EXIT_HYPERCALL] = TRACE_PSCI,
};

static uint16_t category_string(enum vcpu_exit_reason reason)
{
	switch (categories[reason]) {
	case TRACE_MMIO:
		return TRACE_STRING_MMIO;
	case TRACE_PSCI:
		return TRACE_STRING_PSCI;
	case TRACE_NISV:
		return TRACE_STRING_NISV;
	default:
		return TRACE_STRING_EXITS;
	}
}

/* ---- Names --------------------------------------------------------------------------- */

/* With the lock: what the register at @addr is called. */
static uint16_t name_register(struct machine *machine, gpa_t addr, bool is_write)
{
	char text[NAME_MAX_SIZE], reg[MMIO_REGISTER_NAME_MAX];
	const char *device = machine_register(machine, addr, reg);

	if (device)
		snprintf(text, sizeof(text), "%s %s %s", device, reg, is_write ? "write" : "read");
	else
		snprintf(text, sizeof(text), "0x%" PRIx64 " %s", addr, is_write ? "write" : "read");
	return trace_file_name(&machine->trace.file, addr | (is_write ? NAME_OF_WRITE : 0), text);
}

static uint16_t name_irq(struct machine *machine, uint32_t intid, const char *owner)
{
	char text[NAME_MAX_SIZE];

	snprintf(text, sizeof(text), "%s INTID %u", owner ? owner : "?", intid);
	return trace_file_name(&machine->trace.file, NAME_OF_IRQ | intid, text);
}

static uint16_t name_call(struct machine *machine, uint32_t function)
{
	const char *name = psci_function_name(function);
	char text[NAME_MAX_SIZE];
	uint16_t number;

	if (!name)
		return 0;
	snprintf(text, sizeof(text), "%s%s", name, function & SMCCC_64 ? " (64 bits)" : "");
	pthread_mutex_lock(&machine->trace.lock);
	number = trace_file_name(&machine->trace.file, NAME_OF_CALL | function, text);
	pthread_mutex_unlock(&machine->trace.lock);
	return number;
}

/* ---- Exits --------------------------------------------------------------------------- */

static void flush(struct machine *machine, struct trace_buffer *buffer)
{
	pthread_mutex_lock(&machine->trace.lock);
	trace_buffer_flush(buffer, &machine->trace.file);
	pthread_mutex_unlock(&machine->trace.lock);
}

static void ask_pc(struct vcpu *vcpu, struct trace_cpu *cpu)
{
	cpu->pc_weight = 0;
	if (cpu->seen++ >= TRACE_PCS_EXACT && --cpu->until_pc > 0)
		return;
	cpu->pc_weight = cpu->seen > TRACE_PCS_EXACT ? TRACE_PC_INTERVAL : 1;
	cpu->until_pc = TRACE_PC_INTERVAL;
	if (hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_PC, &cpu->pc) < 0)
		cpu->pc_weight = 0;
}

void trace_exit(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
	struct trace_cpu *cpu = vcpu->trace;

	if (!cpu)
		return;
	cpu->category = cpu->what & (TRACE_EXITS | categories[exit->reason]);
	if (!cpu->category)
		return;
	ask_pc(vcpu, cpu);
	cpu->begin = ticks_now();
}

/* Its name: of a register that of its row, which had it from the file once. */
static uint16_t exit_name(struct vcpu *vcpu, const struct vcpu_exit *exit, struct tally_row *row)
{
	struct machine *machine = vcpu->machine;
	uint16_t name = 0;

	if (exit->reason == VCPU_EXIT_MMIO && row) {
		if (!row->mark) {
			pthread_mutex_lock(&machine->trace.lock);
			row->mark = name_register(machine, exit->addr, exit->is_write);
			pthread_mutex_unlock(&machine->trace.lock);
		}
		name = (uint16_t)row->mark;
	} else if (exit->reason == VCPU_EXIT_HYPERCALL) {
		name = name_call(machine, (uint32_t)exit->detail);
	}
	return name ? name : (uint16_t)(TRACE_STRING_REASONS + exit->reason);
}

static void write_event(struct vcpu *vcpu, const struct vcpu_exit *exit, uint16_t name,
			uint64_t end)
{
	struct trace_cpu *cpu = vcpu->trace;
	struct fxt_writer writer = fxt_begin(trace_buffer_next(&cpu->buffer), cpu->begin);
	const struct fxt_kind kind = {.event = FXT_COMPLETE,
				      .thread = VCPU_THREAD,
				      .category = category_string(exit->reason),
				      .name = name};

	if (cpu->pc_weight)
		fxt_add_word(&writer, FXT_POINTER, TRACE_STRING_PC, cpu->pc);
	if (cpu->pc_weight > 1)
		fxt_add_u32(&writer, TRACE_STRING_PC_WEIGHT, cpu->pc_weight);
	if (exit->reason == VCPU_EXIT_MMIO) {
		fxt_add_word(&writer, FXT_POINTER, TRACE_STRING_ADDRESS, exit->addr);
		fxt_add_word(&writer, FXT_POINTER, TRACE_STRING_VALUE, exit->value);
		fxt_add_u32(&writer, TRACE_STRING_SIZE, exit->size);
	} else if (exit->reason == VCPU_EXIT_NO_SYNDROME) {
		fxt_add_word(&writer, FXT_POINTER, TRACE_STRING_ADDRESS, exit->addr);
		if (vcpu->word)
			fxt_add_word(&writer, FXT_POINTER, TRACE_STRING_INSTRUCTION, vcpu->word);
	} else if (exit->reason != VCPU_EXIT_INTERRUPTED) {
		fxt_add_word(&writer, FXT_POINTER, TRACE_STRING_DETAIL, exit->detail);
	}
	trace_buffer_put(&cpu->buffer, fxt_end_word(&writer, kind, end));
}

void trace_answered(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
	struct trace_cpu *cpu = vcpu->trace;
	uint64_t end = ticks_now(), time;
	struct tally_row *row = NULL, *pc;

	if (!cpu || !cpu->category)
		return;
	time = end - cpu->begin;
	tally_add(&cpu->exits[exit->reason], time, 1);
	if (exit->reason == VCPU_EXIT_MMIO) {
		row = tally_row(exit->is_write ? &cpu->writes : &cpu->reads, exit->addr);
		if (row)
			tally_add(row, time, 1);
	}
	if (cpu->pc_weight) {
		pc = tally_row(&cpu->pcs, cpu->pc);
		if (pc)
			tally_add(pc, time, cpu->pc_weight);
		else
			cpu->pcs.lost += cpu->pc_weight - 1; /* tally_row() has counted one */
	}
	if (!cpu->buffer.words)
		return;
	if (trace_buffer_is_full(&cpu->buffer))
		flush(vcpu->machine, &cpu->buffer);
	write_event(vcpu, exit, exit_name(vcpu, exit, row), end);
}

/* ---- Interrupts, posted writes --------------------------------------------------------- */

/* With the lock. */
static void write_irq(struct machine *machine, enum fxt_event event, uint32_t intid,
		      const char *owner)
{
	struct trace *trace = &machine->trace;
	struct fxt_kind kind = {
		.event = event, .thread = VCPU_THREAD, .category = TRACE_STRING_IRQ};
	struct fxt_writer writer;

	if (!trace->shared.words)
		return;
	kind.name = name_irq(machine, intid, owner);
	if (trace_buffer_is_full(&trace->shared))
		trace_buffer_flush(&trace->shared, &trace->file);
	writer = fxt_begin(trace_buffer_next(&trace->shared), ticks_now());
	trace_buffer_put(&trace->shared, event == FXT_INSTANT ? fxt_end(&writer, kind)
							      : fxt_end_word(&writer, kind, intid));
}

/* With the lock: devices that are gone, or nobody looks at any more, hold no lines. */
static void close_lines(struct machine *machine)
{
	struct trace *trace = &machine->trace;
	uint64_t now = ticks_now();

	for (size_t i = 0; i < trace->irqs.size; i++) {
		struct tally_row *row = &trace->irqs.rows[i];
		uint32_t intid = (uint32_t)row->key;

		if (!row->mark)
			continue;
		tally_add(row, now - row->mark, 1);
		row->mark = 0;
		write_irq(machine, FXT_ASYNC_END, intid, machine_irq_owner(machine, intid));
	}
}

void trace_irq(struct machine *machine, uint32_t intid, bool level)
{
	struct trace *trace = &machine->trace;
	uint64_t now = ticks_now();
	struct tally_row *row;

	pthread_mutex_lock(&trace->lock);
	row = trace->what & TRACE_IRQ ? tally_row(&trace->irqs, intid) : NULL;
	if (row && level && !row->mark) {
		row->mark = now;
		write_irq(machine, FXT_ASYNC_BEGIN, intid, machine_irq_owner(machine, intid));
	} else if (row && !level && row->mark) {
		tally_add(row, now - row->mark, 1);
		row->mark = 0;
		write_irq(machine, FXT_ASYNC_END, intid, machine_irq_owner(machine, intid));
	}
	pthread_mutex_unlock(&trace->lock);
}

/* An edge: it takes no time. */
static void on_signalled(void *data, uint32_t intid, const char *name)
{
	struct machine *machine = data;
	struct trace *trace = &machine->trace;
	struct tally_row *row;

	pthread_mutex_lock(&trace->lock);
	row = trace->what & TRACE_IRQ ? tally_row(&trace->irqs, intid) : NULL;
	if (row) {
		tally_add(row, 0, 1);
		write_irq(machine, FXT_INSTANT, intid, name);
	}
	pthread_mutex_unlock(&trace->lock);
}

void trace_posted(struct machine *machine, gpa_t addr, uint32_t count)
{
	struct trace *trace = &machine->trace;
	struct fxt_writer writer;
	struct tally_row *row;

	pthread_mutex_lock(&trace->lock);
	row = trace->what & TRACE_MMIO ? tally_row(&trace->posted, addr) : NULL;
	if (row)
		tally_add(row, 0, count);
	else if (trace->what & TRACE_MMIO)
		trace->posted.lost += count - 1; /* tally_row() has counted one */
	if (row && trace->shared.words) {
		if (trace_buffer_is_full(&trace->shared))
			trace_buffer_flush(&trace->shared, &trace->file);
		writer = fxt_begin(trace_buffer_next(&trace->shared), ticks_now());
		fxt_add_u32(&writer, TRACE_STRING_COUNT, count);
		trace_buffer_put(&trace->shared,
				 fxt_end(&writer, (struct fxt_kind){.event = FXT_INSTANT,
								    .thread = VCPU_THREAD,
								    .category = TRACE_STRING_MMIO,
								    .name = name_register(
									    machine, addr, true)}));
	}
	pthread_mutex_unlock(&trace->lock);
}

/* ---- Begin and end ----------------------------------------------------------------------- */

static void free_cpus(struct trace *trace)
{
	for (uint32_t i = 0; i < trace->cpu_count; i++) {
		struct trace_cpu *cpu = &trace->cpus[i];

		tally_finish(&cpu->reads);
		tally_finish(&cpu->writes);
		tally_finish(&cpu->pcs);
		trace_buffer_finish(&cpu->buffer);
	}
	free(trace->cpus);
	trace->cpus = NULL;
	trace->cpu_count = 0;
}

static int make_cpus(struct trace *trace, uint32_t count, unsigned what)
{
	int r = 0;

	trace->cpus = calloc(count, sizeof(*trace->cpus));
	if (!trace->cpus)
		return -ENOMEM;
	for (; trace->cpu_count < count && r == 0; trace->cpu_count++) {
		struct trace_cpu *cpu = &trace->cpus[trace->cpu_count];

		cpu->what = what;
		r = tally_init(&cpu->reads, TRACE_REGISTERS);
		if (r == 0)
			r = tally_init(&cpu->writes, TRACE_REGISTERS);
		if (r == 0)
			r = tally_init(&cpu->pcs, TRACE_PCS);
		if (r == 0)
			r = trace_buffer_init(&cpu->buffer, &trace->file, trace->cpu_count);
	}
	return r;
}

static void forget(struct trace *trace)
{
	free_cpus(trace);
	trace_file_finish(&trace->file);
	trace_buffer_finish(&trace->shared);
	tally_finish(&trace->irqs);
	tally_finish(&trace->posted);
}

static int make(struct machine *machine, const struct machine_trace_request *request,
		struct error *err)
{
	struct trace *trace = &machine->trace;
	int r = 0;

	if (request->file)
		r = trace_file_open(&trace->file, request->file, machine->config->cpus, err);
	if (r < 0)
		return r;
	r = make_cpus(trace, machine->config->cpus, request->what);
	if (r == 0)
		r = tally_init(&trace->irqs, TRACE_IRQS);
	if (r == 0)
		r = tally_init(&trace->posted, TRACE_REGISTERS);
	if (r == 0)
		r = trace_buffer_init(&trace->shared, &trace->file, -1);
	return r < 0 ? error_set_errno(err, -r, "there is no memory for a trace") : 0;
}

const struct irq_watch *trace_watch(struct machine *machine, uint32_t index)
{
	return machine->trace.what & TRACE_IRQ ? &machine->trace.watches[index] : NULL;
}

/* The vCPUs and devices of the board that there is; the vCPUs are outside the guest. */
static void attach(struct machine *machine)
{
	struct board *board = &machine->board;
	struct trace *trace = &machine->trace;

	for (uint32_t i = 0; i < board->vcpu_count && i < trace->cpu_count; i++)
		board->vcpus[i].trace = &trace->cpus[i];
	pthread_mutex_lock(&trace->lock);
	close_lines(machine);
	pthread_mutex_unlock(&trace->lock);
	for (uint32_t i = 0; i < board->virtio_count; i++)
		board->virtio[i]->watch = trace_watch(machine, i);
}

static void set_what(struct machine *machine, unsigned what)
{
	pthread_mutex_lock(&machine->trace.lock);
	machine->trace.what = what;
	pthread_mutex_unlock(&machine->trace.lock);
	if (what)
		atomic_fetch_or(&machine->attention, ATTEND_TRACE);
	else
		atomic_fetch_and(&machine->attention, ~(unsigned)ATTEND_TRACE);
}

static void on_time(void *data, unsigned events)
{
	struct machine *machine = data;

	(void)events;
	/* The boot is just ending: in the next one, if there is one. */
	if (machine_trace_stop(machine, NULL) < 0 && machine->trace.what)
		event_timer_set(&machine->trace.timer, UINT64_C(100000000), 0);
}

static int set_timer(struct machine *machine, uint32_t seconds, struct error *err)
{
	struct event_source *timer = &machine->trace.timer;
	int r;

	if (!seconds)
		return 0;
	*timer = (struct event_source){.fd = -1, .callback = on_time, .data = machine};
	r = event_loop_add_timer(machine->loop, timer, CLOCK_MONOTONIC);
	if (r == 0)
		r = event_timer_set(timer, seconds * UINT64_C(1000000000), 0);
	return r < 0 ? error_set_errno(err, -r, "the host gives no timer for the trace") : 0;
}

/* No vCPU is in the guest. What there was stays if this one cannot be. */
static int begin(struct machine *machine, const struct machine_trace_request *request,
		 struct error *err)
{
	struct trace *trace = &machine->trace;
	struct trace old = *trace;
	int r;

	trace->cpus = NULL;
	trace->cpu_count = 0;
	trace->file = (struct trace_file){.fd = -1};
	trace->shared = (struct trace_buffer){0};
	trace->irqs = trace->posted = (struct tally){0};
	r = make(machine, request, err);
	if (r == 0)
		r = set_timer(machine, request->seconds, err);
	if (r < 0) {
		event_source_remove(&trace->timer);
		forget(trace);
		trace->cpus = old.cpus;
		trace->cpu_count = old.cpu_count;
		trace->file = old.file;
		trace->irqs = old.irqs;
		trace->posted = old.posted;
		trace->shared = old.shared;
		return r;
	}
	forget(&old);
	trace->begun = ticks_now();
	trace->asked = request->what;
	trace->vectors = 0;
	set_what(machine, request->what);
	attach(machine);
	return 0;
}

/* All vCPUs outside the guest, and no end of the boot under way, which does not wait for them. */
static int hold(struct machine *machine, bool *ret_held, struct error *err)
{
	*ret_held = pause_hold(machine);
	if (machine->outcome == MACHINE_RUNNING)
		return 0;
	if (*ret_held)
		pause_release(machine);
	return error_set(err, ESRCH, "the machine does not run");
}

int machine_trace_start(struct machine *machine, const struct machine_trace_request *request,
			struct error *err)
{
	bool held;
	int r;

	if (machine->trace.what)
		return error_set(err, EBUSY, "there is a trace already; it is to be stopped first");
	r = hold(machine, &held, err);
	if (r < 0)
		return r;
	r = begin(machine, request, err);
	if (held)
		pause_release(machine);
	return r;
}

/* With the lock. Where the guest's kernel is: who has its symbols finds the rest by this. */
static void write_vectors(struct trace *trace)
{
	struct fxt_writer writer;

	if (!trace->shared.words || !trace->vectors)
		return;
	if (trace_buffer_is_full(&trace->shared))
		trace_buffer_flush(&trace->shared, &trace->file);
	writer = fxt_begin(trace_buffer_next(&trace->shared), trace->ended);
	fxt_add_word(&writer, FXT_POINTER, TRACE_STRING_ADDRESS, trace->vectors);
	trace_buffer_put(&trace->shared,
			 fxt_end(&writer, (struct fxt_kind){.event = FXT_INSTANT,
							    .thread = VCPU_THREAD,
							    .category = TRACE_STRING_EXITS,
							    .name = TRACE_STRING_VECTORS}));
}

/* No vCPU is in the guest. */
static void stop(struct machine *machine)
{
	struct trace *trace = &machine->trace;

	trace_see_vectors(machine);
	event_source_remove(&trace->timer);
	for (uint32_t i = 0; i < machine->board.virtio_count; i++)
		machine->board.virtio[i]->watch = NULL;
	for (uint32_t i = 0; i < machine->board.vcpu_count; i++)
		machine->board.vcpus[i].trace = NULL;
	set_what(machine, 0);
	for (uint32_t i = 0; i < trace->cpu_count; i++)
		flush(machine, &trace->cpus[i].buffer);
	pthread_mutex_lock(&trace->lock);
	close_lines(machine);
	trace->ended = ticks_now();
	write_vectors(trace);
	trace_buffer_flush(&trace->shared, &trace->file);
	trace_file_close(&trace->file);
	pthread_mutex_unlock(&trace->lock);
}

int machine_trace_stop(struct machine *machine, struct error *err)
{
	bool held;
	int r;

	if (!machine->trace.what)
		return error_set(err, EINVAL, "there is no trace that could be stopped");
	r = hold(machine, &held, err);
	if (r < 0)
		return r;
	stop(machine);
	if (held)
		pause_release(machine);
	return 0;
}

void trace_init(struct machine *machine)
{
	pthread_mutex_init(&machine->trace.lock, NULL);
	for (uint32_t i = 0; i < LAYOUT_VIRTIO_SLOTS; i++) {
		machine->trace.watches[i] = (struct irq_watch){
			.signalled = on_signalled, .data = machine, .intid = LAYOUT_SPI_VIRTIO + i};
	}
	machine->trace.timer.fd = -1;
	machine->trace.file.fd = -1;
}

void trace_finish(struct machine *machine)
{
	forget(&machine->trace);
	pthread_mutex_destroy(&machine->trace.lock);
}

int trace_check(const struct machine_config *config, struct error *err)
{
	unsigned what;

	return trace_read_what(config->trace, &what, err) < 0 ? error_prefix(err, "--trace: ") : 0;
}

int trace_begin(struct machine *machine, struct error *err)
{
	const struct machine_config *config = machine->config;
	struct machine_trace_request request = {.file = config->trace_file ? config->trace_file
									   : TRACE_FILE};

	if (!config->trace && !config->trace_file)
		return 0;
	trace_read_what(config->trace, &request.what, NULL); /* trace_check() has had it */
	return begin(machine, &request, err);
}

void trace_board(struct machine *machine)
{
	if (machine->trace.what)
		attach(machine);
}

void trace_see_vectors(struct machine *machine)
{
	if (machine->trace.what && machine->board.vcpu_count)
		machine->trace.vectors = cpu_sysreg(&machine->board.vcpus[0], SYSREG_VBAR_EL1);
}

void trace_end(struct machine *machine)
{
	if (machine->trace.what)
		stop(machine);
}
