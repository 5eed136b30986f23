/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The life of a machine
 *
 * machine_create() opens the files and maps the memory, once. machine_run()
 * then goes round: build the board, load kernel, initrd and device tree, start
 * the vCPUs, and run the event loop until the boot ends. Whoever ends it
 * records why (machine_end(): the first one wins), kicks all vCPUs out of the
 * guest and stops the loop; the main thread joins the vCPUs and takes the board
 * down. After a reset it all begins again in the same process, with a new VM;
 * only the RAM keeps its contents, as it does on hardware.
 */
#include "machine/machine.h"

#include <inttypes.h>
#include <sched.h>
#include <time.h>

#include "arm64/sysreg.h"
#include "base/footprint.h"
#include "base/log.h"
#include "base/parse.h"
#include "devices/pl011.h"
#include "devices/pl061.h"
#include "machine/layout.h"
#include "machine_private.h"
#include "topology.h"
#include "virtio/virtio_balloon.h"

/* When the machine has been built and the guest's drivers have started: our code for it can go. */
#define STARTED_NS (5 * UINT64_C(1000000000))

/*
 * How long the power key stays down. A driver that debounces looks at the level
 * some milliseconds after the edge, and a busy host makes that much longer.
 */
#define POWER_KEY_NS (1000 * UINT64_C(1000000))

static int check_pins(const struct machine_config *config, struct error *err)
{
	if (config->pin_count > 1 && config->pin_count != config->cpus)
		return error_set(err, EINVAL,
				 "--pin: names %zu host CPUs for %u vCPUs; name one for each, or "
				 "one for all",
				 config->pin_count, config->cpus);
	for (size_t i = 0; i < config->pin_count; i++) {
		if (config->pin[i] >= CPU_SETSIZE)
			return error_set(err, EINVAL, "--pin: this host has no CPU %u",
					 config->pin[i]);
	}
	return 0;
}

static int check_balloon(const struct machine_config *config, struct error *err)
{
	char size[FORMAT_SIZE_MAX];
	char mem[FORMAT_SIZE_MAX];

	if (config->balloon.size < config->mem)
		return 0;
	return error_set(err, EINVAL, "--balloon: size: %s leaves the guest nothing of its %s",
			 format_size(config->balloon.size, size), format_size(config->mem, mem));
}

static int check_config(const struct machine_config *config, struct error *err)
{
	int r;

	if (!config->kernel)
		return error_set(err, EINVAL,
				 "no kernel is given; name one: armlet run --kernel FILE");
	r = trace_check(config, err);
	if (r == 0)
		r = check_pins(config, err);
	if (r == 0)
		r = topology_check(config, err);
	if (r == 0 && config->cpus_present > config->cpus)
		r = error_set(err, EINVAL, "--cpus-present: %u are more than the %u of --cpus",
			      config->cpus_present, config->cpus);
	if (r < 0)
		return r;
	if (!is_aligned(config->mem, 64 * KIB))
		return error_set(err, EINVAL, "--mem: %" PRIu64 " is not a multiple of 64 KiB",
				 config->mem);
	r = check_balloon(config, err);
	if (r < 0)
		return r;
	return config->append ? boot_check_bootargs(config->append, err) : 0;
}

static void on_started(void *data, unsigned events)
{
	struct machine *machine = data;

	(void)events;
	event_source_remove(&machine->start_timer);
	event_loop_before_rest(machine->loop, footprint_trim);
}

static int arm_start_timer(struct machine *machine, struct error *err)
{
	int r = event_loop_add_timer(machine->loop, &machine->start_timer, CLOCK_MONOTONIC);

	if (r == 0)
		r = event_timer_set(&machine->start_timer, STARTED_NS, 0);
	return r < 0 ? error_set_errno(err, -r, "the host gives no timer") : 0;
}

static void on_key_timer(void *data, unsigned events)
{
	struct machine *machine = data;

	(void)events;
	if (!machine->board.gpio)
		return;
	device_lock(machine->board.gpio);
	pl061_set_input(machine->board.gpio, PL061_POWER_KEY_LINE, false);
	device_unlock(machine->board.gpio);
}

int machine_create(const struct machine_options *options, struct machine **ret, struct error *err)
{
	_cleanup_(cleanup_machine_destroy_) struct machine *machine = NULL;
	const struct machine_config *config = options->config;
	struct guest_mem_options mem_options = {.hugepages = config->hugepages,
						.lock = config->lock_mem};
	int r = check_config(config, err);

	if (r < 0)
		return r;
	machine = calloc(1, sizeof(*machine));
	if (!machine)
		return error_set_errno(err, ENOMEM, "the machine");
	machine->config = config;
	machine->loop = options->loop;
	machine->event = options->event;
	machine->event_data = options->event_data;
	machine->tell_driver = options->tell_driver;
	clock_init_host(&machine->clock, options->loop);
	clock_init_steady(&machine->steady, options->loop);
	console_tap_init(&machine->console, &options->console);
	machine->port = console_tap_port(&machine->console);
	machine->outcome = MACHINE_STOPPED;
	machine->start_timer =
		(struct event_source){.fd = -1, .callback = on_started, .data = machine};
	machine->key_timer =
		(struct event_source){.fd = -1, .callback = on_key_timer, .data = machine};
	stray_init(&machine->stray);
	exclusives_init(&machine->exclusives);
	pause_init(machine);
	debug_init(machine);
	trace_init(machine);
	r = faults_init(machine, err);
	if (r < 0)
		return r;
	psci_init(machine);
	dump_init(machine);
	r = image_open(config->kernel, &machine->kernel, err);
	if (r == 0 && config->initrd)
		r = initrd_open(config->initrd, &machine->initrd, err);
	if (r == 0)
		r = machine_open_disks(machine, err);
	if (r == 0)
		r = machine_open_nets(machine, err);
	if (r == 0)
		r = machine_open_consoles(machine, err);
	if (r == 0)
		r = machine_open_volumes(machine, err);
	if (r == 0)
		r = machine_open_slots(machine, err);
	mem_options.shared = machine_shares_memory(machine);
	if (r == 0)
		r = guest_mem_create(LAYOUT_RAM, config->mem, &mem_options, &machine->mem, err);
	if (r < 0)
		return r;
	*ret = steal_ptr(&machine);
	return 0;
}

void machine_destroy(struct machine *machine)
{
	if (!machine)
		return;
	board_finish(machine);
	event_source_remove(&machine->start_timer);
	event_source_remove(&machine->key_timer);
	guest_mem_destroy(machine->mem);
	machine_close_volumes(machine);
	machine_close_consoles(machine);
	machine_close_nets(machine);
	machine_close_disks(machine);
	machine_close_slots(machine);
	debug_finish(machine);
	trace_finish(machine);
	pause_finish(machine);
	initrd_close(machine->initrd);
	image_close(machine->kernel);
	exclusives_finish(&machine->exclusives);
	stray_finish(&machine->stray);
	free(machine);
}

/* Whether the CPUs can run this kernel, as its header describes it. */
static int check_kernel(const struct machine *machine, struct error *err)
{
	const struct image_info *info = image_info(machine->kernel);
	const char *path = machine->config->kernel;
	unsigned granule = info->granule == 64 * KIB   ? GRANULE_64K
			   : info->granule == 16 * KIB ? GRANULE_16K
						       : GRANULE_4K;
	uint64_t mmfr0 = 0;
	int r;

	if (!info->granule && !info->big_endian)
		return 0;
	r = hyp_vcpu_get_sysreg(machine->board.vcpus[0].hyp, SYSREG_ID_AA64MMFR0_EL1, &mmfr0);
	if (r < 0)
		return error_set_errno(err, -r, "the vCPU does not tell its page sizes");
	if (info->granule && !(id_granules(mmfr0) & granule))
		return error_set(err, ENOTSUP,
				 "kernel '%s' uses pages of %" PRIu64
				 " KiB, which this host's CPUs do not have; use a kernel built for "
				 "pages of 4 KiB",
				 path, info->granule / KIB);
	if (info->big_endian && !id_field(mmfr0, ID_AA64MMFR0_BIGEND))
		return error_set(err, ENOTSUP,
				 "kernel '%s' is big-endian, which this host's CPUs cannot run",
				 path);
	return 0;
}

/* The device tree for this boot, @chosen in it. */
static int make_dtb(const struct machine *machine, const struct boot_chosen *chosen,
		    struct dtb *ret, struct error *err)
{
	const struct machine_config *config = machine->config;
	int r;

	if (config->dtb) {
		r = dtb_read(config->dtb, ret, err);
		if (r == 0)
			r = dtb_set_chosen(ret, chosen, err);
	} else {
		r = machine_describe(machine, chosen, &ret->blob, &ret->size, err);
	}
	for (size_t i = 0; i < config->dtb_overlay_count && r == 0; i++)
		r = dtb_apply_overlay(ret, config->dtb_overlays[i], err);
	return r;
}

static int plan(const struct machine *machine, uint64_t fdt_size, struct placement *ret,
		struct error *err)
{
	const struct placement_request request = {
		.ram_base = machine->mem->base,
		.ram_size = machine->mem->size,
		.image = image_info(machine->kernel),
		.initrd_size = machine->initrd ? initrd_size(machine->initrd) : 0,
		.fdt_size = fdt_size,
	};

	return placement_plan(&request, ret, err);
}

/*
 * Where the initrd goes is in the tree, and where things go depends on the
 * tree's size: so it is made with any address, which is then set right.
 */
static int place(const struct machine *machine, struct placement *ret_plan, struct dtb *ret,
		 struct error *err)
{
	struct boot_chosen chosen = {.bootargs = machine->config->append};
	int r = boot_seeds_generate(&chosen.seeds, err);

	if (r < 0)
		return r;
	chosen.stdout_path = machine->config->dtb ? NULL : LAYOUT_PL011_NODE;
	if (machine->initrd) {
		chosen.initrd_size = initrd_size(machine->initrd);
		chosen.initrd = machine->mem->base;
	}
	r = make_dtb(machine, &chosen, ret, err);
	if (r == 0)
		r = plan(machine, ret->size, ret_plan, err);
	if (r < 0 || !machine->initrd)
		return r;
	chosen.initrd = ret_plan->initrd;
	return dtb_move_initrd(ret, &chosen, err);
}

static int enter_kernel(const struct machine *machine, const struct placement *at,
			struct error *err)
{
	struct hyp_vcpu *first = machine->board.vcpus[0].hyp;
	/* booting.rst, "Call the kernel image": x0 is the device tree, x1 to x3 are zero. */
	int r = hyp_vcpu_set_reg(first, HYP_REG_PC, at->entry);

	if (r == 0)
		r = hyp_vcpu_set_reg(first, HYP_REG_X0, at->fdt);
	return r < 0 ? error_set_errno(err, -r,
				       "the first vCPU cannot be set to the kernel's entry")
		     : 0;
}

static int load(struct machine *machine, struct error *err)
{
	_cleanup_(dtb_finish) struct dtb dtb = DTB_INIT;
	struct placement at = {0};
	int r = check_kernel(machine, err);

	if (r == 0)
		r = place(machine, &at, &dtb, err);
	if (r == 0 && machine->config->dump_dtb && machine->boots == 0)
		r = dtb_write(&dtb, machine->config->dump_dtb, err);
	if (r == 0)
		r = image_load(machine->kernel, machine->mem, at.kernel, err);
	if (r == 0 && machine->initrd)
		r = initrd_load(machine->initrd, machine->mem, at.initrd, err);
	if (r < 0)
		return r;
	r = guest_mem_write(machine->mem, at.fdt, dtb.blob, dtb.size);
	if (r < 0)
		return error_set(err, EFAULT, "the device tree does not fit into the memory");
	machine->kernel_at = at.kernel;
	log_debug("kernel at 0x%" PRIx64 ", entry 0x%" PRIx64 ", device tree at 0x%" PRIx64
		  ", initrd at 0x%" PRIx64,
		  at.kernel, at.entry, at.fdt, at.initrd);
	return enter_kernel(machine, &at, err);
}

static void kick_all(struct board *board)
{
	for (uint32_t i = 0; i < board->vcpu_count; i++)
		vcpu_kick(&board->vcpus[i]);
}

/* One boot, from power-on until the guest or somebody else ends it. */
static int run_boot(struct machine *machine, struct error *err)
{
	struct board *board = &machine->board;
	int r = board_build(machine, err);

	if (r == 0)
		r = load(machine, err);
	if (r == 0)
		r = arm_start_timer(machine, err);
	if (r == 0 && machine->boots == 0)
		r = trace_begin(machine, err);
	if (r < 0)
		return r;
	machine->reset_wanted = false;
	machine->reset_by_host = false;
	console_tap_reset(&machine->console);
	machine->outcome = MACHINE_RUNNING;
	board_expect_driver(machine);
	suspend_begin(machine);
	distress_begin(machine);
	debug_begin(machine);
	trace_board(machine);
	if (machine->config->freeze && machine->boots == 0)
		pause_freeze(machine);
	for (uint32_t i = 0; i < board->vcpu_count && r == 0; i++)
		r = vcpu_start(&board->vcpus[i], err);
	if (r < 0)
		machine_end(machine, MACHINE_FAILED);
	else
		machine_tell(machine, MACHINE_EVENT_STARTED);
	/* Who has ended it meanwhile could not signal a thread that was yet to start. */
	if (machine->outcome != MACHINE_RUNNING)
		kick_all(board);
	while (r == 0 && machine->outcome == MACHINE_RUNNING)
		r = event_loop_run(machine->loop);
	/* A vCPU may wait for the console's reader, and only the loop makes room there. */
	char_port_drain(&machine->port);
	/* Nobody signals a thread that has been joined. */
	while (machine->enders)
		sched_yield();
	for (uint32_t i = 0; i < board->vcpu_count; i++)
		vcpu_join(&board->vcpus[i]);
	posted_drain(&board->posted);
	trace_see_vectors(machine);
	return r;
}

void machine_tell(const struct machine *machine, enum machine_event event)
{
	if (machine->event)
		machine->event(machine->event_data, event);
}

static void tell_end(struct machine *machine)
{
	if (machine->console.panicked)
		distress_tell_panic(machine);
	if (machine->reset_wanted && !machine->stopped)
		machine_tell(machine, machine->reset_by_host ? MACHINE_EVENT_RESET_HOST
							     : MACHINE_EVENT_RESET_GUEST);
}

int machine_run(struct machine *machine, enum machine_outcome *ret, struct error *err)
{
	int r;

	do {
		r = run_boot(machine, err);
		char_port_drain(&machine->port);
		dump_end(machine);
		distress_finish(machine);
		tell_end(machine);
		event_source_remove(&machine->start_timer);
		event_source_remove(&machine->key_timer);
		board_forget_driver(machine);
		suspend_finish(machine);
		board_finish(machine);
		slots_forget(machine);
		machine->boots++;
	} while (r == 0 && machine->reset_wanted && !machine->stopped);
	trace_end(machine);
	if (r < 0)
		return r;
	/* A stop that came after the guest's reset has still kept it from booting. */
	*ret = machine->reset_wanted ? MACHINE_STOPPED : (enum machine_outcome)machine->outcome;
	return 0;
}

bool machine_end(struct machine *machine, enum machine_outcome outcome)
{
	int running = MACHINE_RUNNING;
	bool first;

	atomic_fetch_add(&machine->enders, 1);
	first = atomic_compare_exchange_strong(&machine->outcome, &running, (int)outcome);
	if (first) {
		kick_all(&machine->board);
		pause_end(machine);
	}
	atomic_fetch_sub(&machine->enders, 1);
	if (first)
		event_loop_stop(machine->loop);
	return first;
}

void machine_end_reset(struct machine *machine)
{
	bool panicked = machine->console.panicked || machine->distress.panicked;

	if (machine_end(machine, panicked ? MACHINE_PANICKED : MACHINE_RESET) &&
	    !machine->config->no_reboot)
		machine->reset_wanted = true; /* the main thread looks once we are joined */
}

void machine_reset(struct machine *machine)
{
	if (!machine_end(machine, MACHINE_RESET))
		return;
	machine->reset_by_host = true;
	machine->reset_wanted = !machine->config->no_reboot;
}

bool machine_reset_by_host(const struct machine *machine)
{
	return machine->reset_by_host;
}

bool machine_has_power_key(const struct machine *machine)
{
	return machine->board.gpio && machine->outcome == MACHINE_RUNNING;
}

void machine_press_power_key(struct machine *machine)
{
	if (!machine_has_power_key(machine))
		return;
	if (!machine->key_timer.loop)
		event_loop_add_timer(machine->loop, &machine->key_timer, CLOCK_MONOTONIC);
	device_lock(machine->board.gpio);
	pl061_set_input(machine->board.gpio, PL061_POWER_KEY_LINE, true);
	device_unlock(machine->board.gpio);
	event_timer_set(&machine->key_timer, POWER_KEY_NS, 0);
	machine_tell(machine, MACHINE_EVENT_POWER_KEY);
}

void machine_input_ready(struct machine *machine)
{
	if (machine_tty_input(machine) || !machine->board.uart)
		return;
	device_lock(machine->board.uart);
	pl011_input_ready(machine->board.uart);
	device_unlock(machine->board.uart);
}

void machine_send_break(struct machine *machine)
{
	if (!machine->board.uart)
		return;
	device_lock(machine->board.uart);
	pl011_receive_break(machine->board.uart);
	device_unlock(machine->board.uart);
}

void machine_stop(struct machine *machine)
{
	machine->stopped = true;
	machine_end(machine, MACHINE_STOPPED);
}

int machine_vcpu_thread(const struct machine *machine, uint32_t index)
{
	const struct board *board = &machine->board;
	clockid_t clock;

	if (index >= board->vcpu_count || !board->vcpus[index].started)
		return 0;
	clock = board->vcpus[index].cpu_clock;
	if (!clock)
		return 0;
	/* A thread's clock has its inverted number above three bits of its kind
	 * (clock_getcpuclockid(3)). */
	return ~(clock >> 3);
}

/* Its driver runs: it can be asked for memory. */
static bool balloon_is_active(const struct machine *machine)
{
	return machine->board.balloon && machine->board.balloon->started;
}

bool machine_set_memory(struct machine *machine, uint64_t size)
{
	struct virtio_device *balloon = machine->board.balloon;

	if (!balloon_is_active(machine))
		return false;
	device_lock(&balloon->device);
	virtio_balloon_set_target(balloon, machine->mem->size - min_u64(size, machine->mem->size));
	device_unlock(&balloon->device);
	return true;
}

bool machine_memory(struct machine *machine, uint64_t *ret)
{
	struct virtio_device *balloon = machine->board.balloon;

	if (!balloon_is_active(machine))
		return false;
	device_lock(&balloon->device);
	*ret = machine->mem->size - min_u64(virtio_balloon_actual(balloon), machine->mem->size);
	device_unlock(&balloon->device);
	return true;
}
