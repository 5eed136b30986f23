/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog.h"

#include "arm64/sysreg.h"
#include "base/now.h"
#include "base/ticks.h"
#include "devices/sbsa_gwdt.h"
#include "devices/stall_detector.h"
#include "machine_private.h"

/* A guest may have it bite as often as it likes, so nobody is told more often. */
#define TELL_NS INT64_C(1000000000)

static uint64_t guest_counter(void *data)
{
	const struct machine *machine = data;

	return ticks_now() - machine->watchdog.counter_before;
}

static void on_bite(void *data, uint64_t seconds)
{
	struct machine *machine = data;

	machine->watchdog.seconds = (uint32_t)min_u64(seconds, UINT32_MAX);
	machine->watchdog.cpu = -1;
	distress_tell(machine, DISTRESS_HANG);
}

static void on_stall(void *data, uint32_t cpu, uint32_t seconds)
{
	struct machine *machine = data;

	machine->watchdog.seconds = seconds;
	machine->watchdog.cpu = (int)cpu;
	distress_tell(machine, DISTRESS_HANG);
}

/* What its thread has had of the host's CPUs is nearly all the guest's. */
static uint64_t vcpu_ran(void *data, uint32_t cpu)
{
	const struct machine *machine = data;
	clockid_t clock = machine->board.vcpus[cpu].cpu_clock;
	struct timespec time;

	if (!clock || clock_gettime(clock, &time) < 0)
		return 0;
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

static int plug_stall_detector(struct machine *machine)
{
	const struct device_slot slot = {.base = LAYOUT_STALL_DETECTOR,
					 .size = (uint64_t)machine->config->cpus *
						 STALL_DETECTOR_CPU_SIZE};
	const struct stall_detector_options options = {
		.name = "stall0",
		.clock = &machine->steady,
		.cpus = machine->config->cpus,
		.ran = vcpu_ran,
		.stalled = on_stall,
		.data = machine,
	};
	struct device *detector;
	int r = stall_detector_create(&options, &detector);

	return r < 0 ? r : board_plug(&machine->board, detector, &stall_detector_mmio_ops, &slot);
}

static int plug_gwdt(struct machine *machine)
{
	struct board *board = &machine->board;
	const struct device_slot slot = {
		.base = LAYOUT_SBSA_GWDT, .size = SBSA_GWDT_SIZE, .intid = LAYOUT_SPI_SBSA_GWDT};
	const struct sbsa_gwdt_options options = {
		.name = "watchdog0",
		.irq = board_wire(board, slot.intid),
		.clock = &machine->steady,
		.counter = guest_counter,
		.frequency = ticks_frequency(),
		.bite = on_bite,
		.data = machine,
	};
	int r = sbsa_gwdt_create(&options, &board->gwdt);

	return r < 0 ? r : board_plug(board, board->gwdt, &sbsa_gwdt_mmio_ops, &slot);
}

int board_plug_watchdog(struct machine *machine)
{
	/* KVM has the two of the virtual timer swapped (hyp_vcpu_list_sysregs()). */
	const uint16_t cntvct = SYSREG(3, 3, 14, 3, 2);
	uint64_t counter = 0;
	int r;

	if (machine->config->watchdog == CONFIG_WATCHDOG_OFF)
		return 0;
	/* Linux reckons with WCV and its own counter, which is the virtual one. */
	hyp_vcpu_get_sysreg(machine->board.vcpus[0].hyp, cntvct, &counter);
	machine->watchdog.counter_before = ticks_now() - counter;
	r = plug_gwdt(machine);
	return r < 0 ? r : plug_stall_detector(machine);
}

void watchdog_hold(struct machine *machine, bool on)
{
	struct device *gwdt = machine->board.gwdt;

	if (!gwdt)
		return;
	device_lock(gwdt);
	sbsa_gwdt_hold(gwdt, on);
	device_unlock(gwdt);
}

void watchdog_act(struct machine *machine)
{
	struct watchdog *watchdog = &machine->watchdog;
	int64_t now = now_ns();

	if (machine->outcome != MACHINE_RUNNING ||
	    (watchdog->bitten_ns && now - watchdog->bitten_ns < TELL_NS))
		return;
	watchdog->bitten_ns = now;
	machine_tell(machine, MACHINE_EVENT_WATCHDOG);
	switch (machine->config->watchdog) {
	case CONFIG_WATCHDOG_RESET:
		if (machine_end(machine, MACHINE_HUNG))
			machine->reset_wanted = !machine->config->no_reboot;
		break;
	case CONFIG_WATCHDOG_POWEROFF:
		machine_end(machine, MACHINE_HUNG);
		break;
	case CONFIG_WATCHDOG_PAUSE:
		machine_pause(machine);
		break;
	default: /* none */
		break;
	}
}

void machine_hang(const struct machine *machine, struct machine_hang *ret)
{
	ret->seconds = machine->watchdog.seconds;
	ret->cpu = machine->watchdog.cpu;
}
