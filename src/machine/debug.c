/* SPDX-License-Identifier: Apache-2.0 */
#include "debug.h"

#include <string.h>
#include <time.h>

#include "arm64/sysreg.h"
#include "base/log.h"
#include "cpu_state.h"
#include "machine_private.h"

/* ---- Memory by the guest's tables ----------------------------------------- */

/* The piece at @addr that is in one page: its host address, and at most @size bytes. */
static uint8_t *find_piece(const struct machine *machine, const struct stage1 *stage1, gva_t addr,
			   size_t *size)
{
	struct stage1_path path = {.addr = addr};

	*size = min_u64(*size, STAGE1_PAGE_MIN - addr % STAGE1_PAGE_MIN);
	if (stage1 && stage1_look(stage1, machine->mem, addr, &path) < 0)
		return NULL;
	return guest_mem_at(machine->mem, path.addr, *size);
}

static int transfer(const struct machine *machine, const struct machine_memory *at, void *to,
		    const void *from, size_t size, size_t *ret)
{
	struct stage1 stage1;
	size_t done = 0;

	if (at->cpu >= machine->board.vcpu_count)
		return -EINVAL;
	if (!at->physical)
		cpu_stage1(&machine->board.vcpus[at->cpu], &stage1);
	while (done < size) {
		size_t part = size - done;
		uint8_t *piece =
			find_piece(machine, at->physical ? NULL : &stage1, at->addr + done, &part);

		if (!piece)
			break;
		if (to) {
			memcpy((uint8_t *)to + done, piece, part);
		} else {
			memcpy(piece, (const uint8_t *)from + done, part);
			/* It may be code (DDI 0487, B2.7.4). */
			__builtin___clear_cache((char *)piece, (char *)piece + part);
		}
		done += part;
	}
	*ret = done;
	return done < size ? -EFAULT : 0;
}

int machine_read_memory(const struct machine *machine, const struct machine_memory *at, void *data,
			size_t size, size_t *ret)
{
	return transfer(machine, at, data, NULL, size, ret);
}

int machine_write_memory(struct machine *machine, const struct machine_memory *at, const void *data,
			 size_t size, size_t *ret)
{
	return transfer(machine, at, NULL, data, size, ret);
}

/* ---- Points ----------------------------------------------------------------- */

static bool is_break(enum machine_point kind)
{
	return kind == MACHINE_POINT_BREAK || kind == MACHINE_POINT_HARDWARE_BREAK;
}

static enum debug_watch watch_of(enum machine_point kind)
{
	return kind == MACHINE_POINT_WRITE  ? DEBUG_WATCH_WRITE
	       : kind == MACHINE_POINT_READ ? DEBUG_WATCH_READ
					    : DEBUG_WATCH_BOTH;
}

/* The instruction back in its place, unless the guest has put another there. */
static void unpatch(struct machine *machine, struct debug_point *point)
{
	uint32_t *at = guest_mem_at(machine->mem, point->at, sizeof(*at));

	if (point->patched && at && *at == DEBUG_BRK) {
		*at = point->original;
		__builtin___clear_cache((char *)at, (char *)(at + 1));
	}
	point->patched = false;
}

static bool patch(struct machine *machine, struct debug_point *point)
{
	struct stage1 stage1;
	size_t size = sizeof(point->original);
	uint8_t *at;

	cpu_stage1(&machine->board.vcpus[point->cpu], &stage1);
	at = find_piece(machine, &stage1, point->addr, &size);
	if (!at || size < sizeof(point->original))
		return false;
	memcpy(&point->original, at, size);
	memcpy(at, &(uint32_t){DEBUG_BRK}, size);
	__builtin___clear_cache((char *)at, (char *)at + size);
	point->at = machine->mem->base + (gpa_t)(at - machine->mem->host);
	point->patched = true;
	return true;
}

/* Into @registers; false: there is none free. */
static bool place(const struct machine *machine, const struct debug_point *point,
		  struct hyp_debug *registers)
{
	struct hyp *hyp = machine->board.hyp;

	if (is_break(point->kind)) {
		if (registers->breakpoint_count >= hyp_breakpoints(hyp))
			return false;
		registers->breakpoints[registers->breakpoint_count++] =
			debug_breakpoint(point->addr);
		return true;
	}
	if (registers->watchpoint_count >= hyp_watchpoints(hyp) ||
	    debug_watchpoint(point->addr, point->size, watch_of(point->kind),
			     &registers->watchpoints[registers->watchpoint_count]) < 0)
		return false;
	registers->watchpoint_count++;
	return true;
}

/* All points into registers, as long as there are any, or into memory. */
static int place_all(struct machine *machine)
{
	struct debug *debug = &machine->debug;
	int r = 0;

	memset(&debug->registers, 0, sizeof(debug->registers));
	if (!machine->board.hyp)
		return 0;
	for (size_t i = 0; i < debug->point_count; i++) {
		struct debug_point *point = &debug->points[i];

		if (point->patched || place(machine, point, &debug->registers))
			continue;
		if (point->kind != MACHINE_POINT_BREAK || !patch(machine, point))
			r = -ENOSPC;
	}
	return r;
}

void debug_apply(struct vcpu *vcpu)
{
	const struct debug *debug = &vcpu->machine->debug;
	struct hyp_debug wanted = debug->registers;

	wanted.step = vcpu->debug.stepping || vcpu->exclusive.stepping;
	hyp_vcpu_debug(vcpu->hyp, wanted.step || debug->point_count ? &wanted : NULL);
}

static int apply_all(struct machine *machine)
{
	int r = place_all(machine);

	for (uint32_t i = 0; i < machine->board.vcpu_count; i++)
		debug_apply(&machine->board.vcpus[i]);
	return r;
}

static struct debug_point *find_point(struct debug *debug, enum machine_point kind,
				      const struct machine_point_at *at)
{
	for (size_t i = 0; i < debug->point_count; i++) {
		struct debug_point *point = &debug->points[i];

		if (point->kind == kind && point->addr == at->addr &&
		    (is_break(kind) || point->size == at->size))
			return point;
	}
	return NULL;
}

static void remove_point(struct machine *machine, struct debug_point *point)
{
	struct debug *debug = &machine->debug;

	unpatch(machine, point);
	*point = debug->points[--debug->point_count];
}

static bool is_possible(enum machine_point kind, const struct machine_point_at *at)
{
	struct debug_pair pair;

	if (is_break(kind))
		return is_aligned(at->addr, 4);
	return kind < MACHINE_POINTS &&
	       debug_watchpoint(at->addr, at->size, watch_of(kind), &pair) == 0;
}

int machine_set_point(struct machine *machine, enum machine_point kind,
		      const struct machine_point_at *at)
{
	struct debug *debug = &machine->debug;
	int r;

	if (!is_possible(kind, at) || at->cpu >= machine->board.vcpu_count)
		return -EINVAL;
	if (find_point(debug, kind, at))
		return 0;
	if (debug->point_count == DEBUG_POINTS_MAX)
		return -ENOSPC;
	debug->points[debug->point_count++] = (struct debug_point){
		.kind = kind, .cpu = at->cpu, .addr = at->addr, .size = at->size};
	r = apply_all(machine);
	if (r < 0) {
		remove_point(machine, &debug->points[debug->point_count - 1]);
		apply_all(machine);
	}
	return r;
}

int machine_clear_point(struct machine *machine, enum machine_point kind,
			const struct machine_point_at *at)
{
	struct debug_point *point = find_point(&machine->debug, kind, at);

	if (!point)
		return -EINVAL;
	remove_point(machine, point);
	return apply_all(machine);
}

/* ---- Steps ------------------------------------------------------------------ */

static void get_cpu(const struct vcpu *vcpu, struct debug_cpu *ret)
{
	int masks = debug_read_masks(&vcpu->debug.step);

	*ret = (struct debug_cpu){.vbar = cpu_sysreg(vcpu, SYSREG_VBAR_EL1)};
	hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_PC, &ret->pc);
	hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_PSTATE, &ret->pstate);
	hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_ELR_EL1, &ret->elr);
	hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_SPSR_EL1, &ret->spsr);
	if (masks >= 0)
		hyp_vcpu_get_reg(vcpu->hyp, (enum hyp_reg)masks, &ret->x);
}

static void begin_step(struct vcpu *vcpu, const struct machine_go *range)
{
	struct machine_memory code = {.cpu = vcpu->index};
	struct debug_cpu cpu;
	uint32_t word = 0;
	size_t size;

	vcpu->debug.step.word = 0;
	get_cpu(vcpu, &cpu);
	code.addr = cpu.pc;
	if (machine_read_memory(vcpu->machine, &code, &word, sizeof(word), &size) < 0)
		word = 0;
	debug_mask(&vcpu->debug.step, word, &cpu);
	hyp_vcpu_set_reg(vcpu->hyp, HYP_REG_PSTATE, cpu.pstate);
	vcpu->debug.range = *range;
	vcpu->debug.stepping = true;
	debug_apply(vcpu);
}

static void end_step(struct vcpu *vcpu)
{
	int masks = debug_read_masks(&vcpu->debug.step);
	struct debug_cpu cpu;

	get_cpu(vcpu, &cpu);
	debug_unmask(&vcpu->debug.step, &cpu);
	hyp_vcpu_set_reg(vcpu->hyp, HYP_REG_PSTATE, cpu.pstate);
	hyp_vcpu_set_reg(vcpu->hyp, HYP_REG_SPSR_EL1, cpu.spsr);
	if (masks >= 0)
		hyp_vcpu_set_reg(vcpu->hyp, (enum hyp_reg)masks, cpu.x);
	vcpu->debug.stepping = false;
	debug_apply(vcpu);
}

/* ---- A vCPU stops ----------------------------------------------------------- */

/* Until the client lets it go on. */
static void wait_for_client(struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	struct pause *pause = &machine->pause;

	vcpu->inside = false;
	pause_outside(machine);
	pthread_mutex_lock(&pause->lock);
	while (vcpu->debug.stopped && machine->outcome == MACHINE_RUNNING)
		pthread_cond_wait(&pause->changed, &pause->lock);
	pthread_mutex_unlock(&pause->lock);
	/* On the way to where it looks whether it may enter the guest. */
	vcpu->inside = true;
}

static void stop(struct vcpu *vcpu, const struct machine_stop *stop)
{
	vcpu->debug.stop = *stop;
	vcpu->debug.stop.cpu = vcpu->index;
	vcpu->debug.stopped = true;
	event_timer_set(&vcpu->machine->debug.soon, 1, 0);
	wait_for_client(vcpu);
}

static bool may_go_on(const struct vcpu *vcpu)
{
	return !pause_wanted(vcpu->machine) || vcpu->debug.alone;
}

static void after_step(struct vcpu *vcpu)
{
	const struct machine_go range = vcpu->debug.range;
	uint64_t pc = 0;

	end_step(vcpu);
	hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_PC, &pc);
	if (pc >= range.begin && pc < range.end && may_go_on(vcpu))
		begin_step(vcpu, &range);
	else
		stop(vcpu, &(struct machine_stop){.stepped = true});
}

void debug_by_hand(struct vcpu *vcpu)
{
	uint64_t pc = 0;

	hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_PC, &pc);
	if (vcpu->debug.stepping && pc != vcpu->debug.step.pc)
		after_step(vcpu);
}

static const struct debug_point *find_break(const struct debug *debug, gva_t pc)
{
	for (size_t i = 0; i < debug->point_count; i++) {
		if (is_break(debug->points[i].kind) && debug->points[i].addr == pc)
			return &debug->points[i];
	}
	return NULL;
}

/* FAR may be anywhere in what the instruction accesses (DDI 0487, D2.10.5). */
static const struct debug_point *find_watch(const struct debug *debug, gva_t far)
{
	const struct debug_point *best = NULL;
	uint64_t nearest = UINT64_MAX;

	for (size_t i = 0; i < debug->point_count; i++) {
		const struct debug_point *point = &debug->points[i];
		uint64_t distance = far - point->addr < point->size ? 0
				    : far < point->addr             ? point->addr - far
								    : far - point->addr;

		if (!is_break(point->kind) && distance < nearest) {
			best = point;
			nearest = distance;
		}
	}
	return best;
}

/* It is the guest's own. */
static void give_back(struct vcpu *vcpu, uint64_t esr)
{
	struct exception exception;

	cpu_before_exception(vcpu, &exception);
	exception_take_debug(&exception, esr);
	cpu_after_exception(vcpu, &exception);
}

static const struct debug_point *find_cause(const struct vcpu *vcpu, const struct vcpu_exit *exit)
{
	const struct debug *debug = &vcpu->machine->debug;
	uint64_t pc = 0;

	if (debug_class(exit->detail) == DEBUG_CLASS_WATCHPOINT)
		return find_watch(debug, exit->addr);
	hyp_vcpu_get_reg(vcpu->hyp, HYP_REG_PC, &pc);
	return find_break(debug, pc);
}

static void answer_point(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
	const struct debug_point *point;
	struct machine_stop why = {0};

	if (vcpu->debug.stepping)
		end_step(vcpu);
	point = find_cause(vcpu, exit);
	if (!point) {
		give_back(vcpu, exit->detail);
		return;
	}
	why.point = is_break(point->kind) ? MACHINE_POINT_BREAK : point->kind;
	why.addr = point->addr;
	stop(vcpu, &why);
}

bool debug_answer(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
	if (!vcpu->debug.stepping && !vcpu->exclusive.stepping && !vcpu->machine->debug.point_count)
		return false;
	if (debug_class(exit->detail) != DEBUG_CLASS_STEP) {
		answer_point(vcpu, exit);
		return true;
	}
	exclusive_step(vcpu);
	if (vcpu->debug.stepping)
		after_step(vcpu);
	return true;
}

/* ---- The main thread -------------------------------------------------------- */

static struct vcpu *find_stopped(const struct machine *machine)
{
	for (uint32_t i = 0; i < machine->board.vcpu_count; i++) {
		if (machine->board.vcpus[i].debug.stopped)
			return &machine->board.vcpus[i];
	}
	return NULL;
}

/* Those that have stopped, and are not held any more. */
static void release(struct machine *machine, const struct machine_go *go)
{
	struct pause *pause = &machine->pause;

	pthread_mutex_lock(&pause->lock);
	for (uint32_t i = 0; i < machine->board.vcpu_count; i++) {
		struct vcpu_debug *vcpu = &machine->board.vcpus[i].debug;

		vcpu->stopped = false;
		vcpu->alone = go && go[i].how != MACHINE_HOLD;
	}
	pthread_cond_broadcast(&pause->changed);
	pthread_mutex_unlock(&pause->lock);
}

static void on_soon(void *data, unsigned events)
{
	struct machine *machine = data;
	struct debug *debug = &machine->debug;
	const struct vcpu *vcpu = find_stopped(machine);
	struct machine_stop stop;

	(void)events;
	if (!vcpu || machine->outcome != MACHINE_RUNNING)
		return;
	stop = vcpu->debug.stop;
	/* First, so that the pause is no news. */
	if (debug->stopped)
		debug->stopped(debug->data, &stop);
	if (debug->stopped) {
		machine_pause(machine);
		machine_debug_settle(machine);
	} else {
		release(machine, NULL);
	}
}

void machine_debug_go(struct machine *machine, const struct machine_go *go)
{
	bool some_held = false;

	if (!machine_paused(machine))
		return;
	for (uint32_t i = 0; i < machine->board.vcpu_count; i++) {
		some_held |= go[i].how == MACHINE_HOLD;
		if (go[i].how == MACHINE_STEP)
			begin_step(&machine->board.vcpus[i], &go[i]);
	}
	release(machine, some_held ? go : NULL);
	if (!some_held)
		machine_resume(machine);
}

void machine_debug_settle(struct machine *machine)
{
	for (uint32_t i = 0; i < machine->board.vcpu_count; i++) {
		if (machine->board.vcpus[i].debug.stepping)
			end_step(&machine->board.vcpus[i]);
	}
	release(machine, NULL);
}

uint32_t machine_cpu_count(const struct machine *machine)
{
	return machine->board.vcpu_count;
}

bool machine_cpu_off(const struct machine *machine, uint32_t cpu)
{
	const struct vcpu *vcpu = &machine->board.vcpus[cpu];
	bool off = false;

	if (cpu >= machine->board.vcpu_count)
		return true;
	if (machine->psci.ours)
		return psci_is_off(vcpu);
	return hyp_vcpu_is_off(vcpu->hyp, &off) == 0 && off;
}

int machine_debug_attach(struct machine *machine,
			 void (*stopped)(void *data, const struct machine_stop *stop), void *data,
			 struct error *err)
{
	struct debug *debug = &machine->debug;
	int r = 0;

	if (debug->stopped)
		return error_set(err, EBUSY, "somebody else debugs the machine already");
	/* A vCPU's thread sets it, so it has to be there before. */
	if (!debug->soon.loop)
		r = event_loop_add_timer(machine->loop, &debug->soon, CLOCK_MONOTONIC);
	if (r < 0)
		return error_set_errno(err, -r, "the debugger");
	debug->stopped = stopped;
	debug->data = data;
	return 0;
}

void machine_debug_detach(struct machine *machine)
{
	struct debug *debug = &machine->debug;
	bool held = pause_hold(machine);

	debug->stopped = NULL;
	while (debug->point_count)
		remove_point(machine, &debug->points[0]);
	if (machine->outcome == MACHINE_RUNNING) {
		machine_debug_settle(machine);
		apply_all(machine);
	}
	if (held)
		pause_release(machine);
}

void debug_begin(struct machine *machine)
{
	struct debug *debug = &machine->debug;

	if (!debug->point_count)
		return;
	for (size_t i = 0; i < debug->point_count; i++)
		unpatch(machine, &debug->points[i]);
	if (apply_all(machine) < 0)
		log_warning("a breakpoint of the debugger's has found no place after the reset");
}

void debug_init(struct machine *machine)
{
	machine->debug.soon = (struct event_source){.fd = -1, .callback = on_soon, .data = machine};
}

void debug_finish(struct machine *machine)
{
	event_source_remove(&machine->debug.soon);
}
