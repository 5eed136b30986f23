/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One virtual machine: the board, its vCPUs, and its life from power-on to the
 * end. machine_create() reads the files and checks what it can without a
 * guest; machine_run() builds the board, runs it, and builds it anew each time
 * the guest resets.
 *
 * Threads: all of it is the main thread's but machine_press_power_key(),
 * machine_input_ready(), machine_pause(), machine_resume(), machine_reset(),
 * machine_inject_serror(), machine_wakeup(), machine_refresh_disks(), machine_resize_console(),
 * machine_stop() and what asks of a machine, which event callbacks may call.
 */
#ifndef ARMLET_MACHINE_MACHINE_H
#define ARMLET_MACHINE_MACHINE_H

#include "core/char_port.h"
#include "core/disk.h"
#include "core/event_loop.h"
#include "machine/config.h"

struct machine;

#define MACHINE_NAME_MAX 31 /* of a device; what is in a slot may be named by its user */

enum machine_outcome {
	MACHINE_POWERED_OFF, /* PSCI SYSTEM_OFF */
	MACHINE_RESET,       /* PSCI SYSTEM_RESET, with no_reboot */
	MACHINE_PANICKED,    /* the same, behind a panic that the console or pvpanic told of */
	MACHINE_HUNG,        /* a watchdog has bitten, and the machine is not to reset */
	MACHINE_STOPPED,     /* machine_stop() */
	MACHINE_FAILED,      /* it cannot go on; a report has been printed */
};

enum machine_event {
	MACHINE_EVENT_STARTED, /* the vCPUs run: at the beginning of each boot */
	MACHINE_EVENT_DRIVER,  /* only with tell_driver, see there */
	MACHINE_EVENT_PAUSED,
	MACHINE_EVENT_RESUMED,
	MACHINE_EVENT_SUSPENDED, /* the guest has suspended itself to RAM */
	MACHINE_EVENT_WOKEN,     /* and goes on */
	MACHINE_EVENT_POWER_KEY,
	MACHINE_EVENT_PANICKED,    /* told by pvpanic, or found at the end of the boot */
	MACHINE_EVENT_RESET_GUEST, /* the next boot follows: the guest asked for it */
	MACHINE_EVENT_RESET_HOST,  /* or machine_reset() */
	MACHINE_EVENT_DUMP_PROGRESS,
	MACHINE_EVENT_DUMP_ENDED,    /* machine_dump_status() says how (machine/dump.h) */
	MACHINE_EVENT_CRASH_LOADED,  /* pvpanic: it has panicked, and its crash kernel runs */
	MACHINE_EVENT_PVSHUTDOWN,    /* pvpanic: it wants to be powered off, and is */
	MACHINE_EVENT_WATCHDOG,      /* it has bitten; what follows is the configuration's */
	MACHINE_EVENT_DEVICE_LEAVES, /* machine_leaving_device() says which (machine/slots.h) */
};

struct machine_options {
	const struct machine_config *config;
	struct event_loop *loop;
	struct char_port console; /* behind the PL011 */

	/* Optional: what happens to the machine, from the main thread, with no lock held. */
	void (*event)(void *data, enum machine_event event);
	void *event_data;

	/*
	 * Tell as well when the guest's first driver of a virtio device begins to work, in
	 * each boot; at once if the machine has no such device.
	 */
	bool tell_driver;
};

int machine_create(const struct machine_options *options, struct machine **ret, struct error *err);
void machine_destroy(struct machine *machine); /* takes NULL */

DEFINE_CLEANUP(struct machine *, machine_destroy)

/* Power on; returns when the machine has ended. Runs the event loop. */
int machine_run(struct machine *machine, enum machine_outcome *ret, struct error *err);

/* The power key of the PL061 goes down and, soon after, up. No-op without one (nodefaults). */
void machine_press_power_key(struct machine *machine);

/* True once a vCPU has run, until the end: the power key can be heard. */
bool machine_has_power_key(const struct machine *machine);

/* The console's back end has bytes for the guest, or a break. */
void machine_input_ready(struct machine *machine);
void machine_send_break(struct machine *machine);

/*
 * Hold the machine, or let it go on. On return all vCPUs have left the guest, and the
 * virtio devices their queues. One that is being dumped goes on when that has ended.
 */
void machine_pause(struct machine *machine);
void machine_resume(struct machine *machine);
bool machine_paused(const struct machine *machine);

/* Whether it is paused since its beginning, as its configuration says (freeze). */
bool machine_prelaunch(const struct machine *machine);

/*
 * Whether the guest has suspended itself to RAM (PSCI SYSTEM_SUSPEND): any interrupt that it
 * left enabled wakes it, or machine_wakeup(). -EINVAL: it is not.
 */
bool machine_suspended(const struct machine *machine);
int machine_wakeup(struct machine *machine, struct error *err);

/*
 * Reset the machine as by its reset key; with no_reboot it ends. One that is paused
 * stays so.
 */
void machine_reset(struct machine *machine);

/* Whether that, and not the guest, has ended the last boot. */
bool machine_reset_by_host(const struct machine *machine);

/*
 * An SError interrupt for the first vCPU, which is held for that moment: Linux takes it as
 * a broken machine, and panics. -ESRCH: the machine does not run.
 */
int machine_inject_serror(struct machine *machine, struct error *err);

/* Why a watchdog has bitten last. */
struct machine_hang {
	int cpu; /* that did nothing for its stall detector; -1: nobody refreshed the watchdog */
	uint32_t seconds; /* that the CPU ran, or that have gone by */
};
void machine_hang(const struct machine *machine, struct machine_hang *ret);

/* Which thread runs vCPU @index, as gettid(2); 0: none. @index is below the configuration's. */
int machine_vcpu_thread(const struct machine *machine, uint32_t index);

/*
 * The balloon: how much memory the guest is to have, and has, as it says, in bytes.
 * False: there is none, or its driver does not run.
 */
bool machine_set_memory(struct machine *machine, uint64_t size);
bool machine_memory(struct machine *machine, uint64_t *ret);

/* The files behind the disks may have another size now: look, and tell the guest. */
void machine_refresh_disks(struct machine *machine);

/* A disk of the configuration, in its order. */
struct machine_disk_info {
	const char *name; /* "disk0" */
	const struct disk_config *config;
	const struct disk_info *info;
	const struct disk_counters *counters; /* DISK_OPS of them, over all boots */
};
/* False: there is no such disk. */
bool machine_disk(const struct machine *machine, size_t index, struct machine_disk_info *ret);

/*
 * Give the disk @name another size in bytes, and tell the guest. -ENODEV: there is no
 * such disk; -EINVAL: its blocks do not fit; -EOPNOTSUPP: it has its size from elsewhere;
 * or as ftruncate(2).
 */
int machine_resize_disk(struct machine *machine, const char *name, uint64_t size,
			struct error *err);

/* Pull the cable of the network @name, "net0", or put it in again. -ENODEV: there is none. */
int machine_set_link(struct machine *machine, const char *name, bool up, struct error *err);

/* A stream behind the virtio console: hvc0's first, then those of its ports. */
struct machine_chardev_info {
	const char *name;  /* "console0", or the port's own */
	const char *where; /* what is at the other end */
	bool open;         /* the guest listens */
};
/* False: there is no such stream. */
bool machine_chardev(const struct machine *machine, size_t index, struct machine_chardev_info *ret);

/* The terminal of --console stdio has this size. */
void machine_resize_console(struct machine *machine, uint16_t columns, uint16_t rows);

/* End the machine now, without asking the guest. */
void machine_stop(struct machine *machine);

#endif
