/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#ifndef ARMLET_MACHINE_PRIVATE_H
#define ARMLET_MACHINE_PRIVATE_H

#include <stdatomic.h>

#include "base/mac.h"
#include "boot/dtb.h"
#include "boot/image.h"
#include "boot/initrd.h"
#include "boot/placement.h"
#include "console_tap.h"
#include "core/clock.h"
#include "core/eventfd_ops.h"
#include "core/guest_mem.h"
#include "core/mmio_shadow.h"
#include "debug.h"
#include "distress.h"
#include "dump.h"
#include "fault.h"
#include "machine/layout.h"
#include "machine/machine.h"
#include "machine/registers.h"
#include "pause.h"
#include "posted.h"
#include "psci.h"
#include "stray.h"
#include "suspend.h"
#include "trace.h"
#include "vcpu.h"
#include "virtio/virtio_device.h"
#include "watchdog.h"

#define BOARD_DEVICES (8 + LAYOUT_VIRTIO_SLOTS)

/* A device with its place; the board's row. */
struct board_device {
	struct device *device;
	struct device_slot slot;
};

/* machine_registers()'s answer. */
struct machine_registers {
	size_t count;
	struct machine_register rows[];
};

/*
 * What lives from one reset of the guest to the next. It is zeroed before it
 * is built, and board_finish() takes it in any state.
 */
struct board {
	struct hyp *hyp;
	enum hyp_gic_version gic;
	struct hyp_gic_config gic_config;
	struct hyp_vcpu_options features;
	struct mmio_bus *bus;
	struct mmio_bus *covered; /* of devices that rules are about (fault.h); NULL: none */
	struct posted posted;
	struct mmio_shadow *uart_shadow;
	struct mmio_shadow *gpio_shadow;
	struct board_device devices[BOARD_DEVICES];
	size_t device_count;
	struct device *uart;
	struct device *rtc;  /* NULL with nodefaults */
	struct device *gpio; /* NULL with nodefaults */
	struct device *gwdt; /* NULL without watchdog */
	struct virtio_device *virtio[LAYOUT_VIRTIO_SLOTS];
	struct virtio_device *balloon; /* NULL: there is none */
	struct virtio_device *console; /* NULL: there is none */
	uint32_t virtio_count;         /* slots of virtio-mmio that are taken, from the first */
	struct vcpu *vcpus;
	uint32_t vcpu_count;                 /* made so far */
	struct machine_registers *registers; /* NULL: nobody has asked */
	void *steal_time;                    /* of all vCPUs, for the guest to read */
	bool finishing; /* the VM is about to go: its slots are not taken down one by one */
};

/* A disk, of the configuration or in a slot; it outlives the board. */
struct machine_disk {
	struct machine *machine;
	const struct disk_config *config;
	char name[MACHINE_NAME_MAX + 1];
	struct disk *disk;
	struct virtio_device *device; /* the board's */
};

/* A network, likewise. */
struct machine_net {
	const struct net_config *config;
	enum net_mode mode;
	char name[MACHINE_NAME_MAX + 1];
	uint8_t mac[MAC_SIZE];
	struct net_port *tap;         /* NULL unless that is the mode */
	struct virtio_device *device; /* the board's */
	bool unplugged;               /* stays so over the guest's resets */
};

/* A slot of the configuration's, and what is in it now; it outlives the board, too. */
struct machine_slot {
	char name[16];
	struct machine_disk *disk; /* at most one of the two; both are in the lists of theirs */
	struct machine_net *net;
	bool leaving;   /* as soon as no driver uses it */
	uint32_t index; /* among the board's virtio devices */
};

/* One of the configuration's shared folders. */
struct machine_volume {
	char name[16];
	struct share *share;
};

/* A port of the virtio console. */
struct machine_port {
	char name[64]; /* a console has none */
	bool is_console;
	struct stream *stream;
};

/* Why a vCPU does not just run the guest and answer its exits. */
enum attention {
	ATTEND_PAUSE = 1,   /* the machine is to be paused, or is (pause.h) */
	ATTEND_HOLD = 2,    /* it is held for a moment, paused or not (pause.h) */
	ATTEND_SUSPEND = 4, /* a vCPU waits for the answer to SYSTEM_SUSPEND (suspend.h) */
	ATTEND_TRACE = 8,   /* exits are traced (trace.h) */
};

struct machine {
	atomic_uint attention; /* enum attention; first, where a vCPU finds it soonest */
	const struct machine_config *config;
	struct event_loop *loop;
	void (*event)(void *data, enum machine_event event); /* NULL: nobody listens */
	void *event_data;
	struct clock clock;
	struct clock steady; /* that nobody sets */
	struct console_tap console;
	struct char_port port; /* the tap's */
	struct guest_mem *mem;
	struct image *kernel;
	struct initrd *initrd;
	struct machine_disk **disks; /* with room for as many more as there are slots */
	size_t disk_count;
	struct machine_volume *volumes;
	size_t volume_count;
	struct machine_port *ports;
	size_t port_count;
	struct stream *tty; /* of hvc0 or a port, if it has the terminal */
	uint16_t columns;   /* of the terminal; 0: not known */
	uint16_t rows;
	struct machine_net **nets; /* likewise */
	size_t net_count;
	struct machine_slot *slots;    /* as many as the configuration says */
	const char *leaving;           /* NULL, but while it is told */
	struct publish_table *publish; /* NULL: nothing is */
	struct board board;
	struct stray stray;
	struct exclusives exclusives;
	struct pause pause;
	struct suspend suspend;
	struct distress distress;
	struct watchdog watchdog;
	struct dump dump;
	struct event_source start_timer;  /* once, a while after power-on */
	struct event_source key_timer;    /* the power key comes up again */
	struct event_source driver_timer; /* at once: a driver has begun to work */
	struct event_source reset_timer;  /* at once: a driver has left its device */
	bool tell_driver;
	atomic_bool driver_seen; /* in this boot */
	uint32_t rtc_offset;     /* what the guest has set the clock to stays set over a reset */
	unsigned boots;
	gpa_t kernel_at; /* of this boot */

	/* How this boot ends: the first to say so wins. */
	atomic_int outcome; /* enum machine_outcome, or MACHINE_RUNNING */
	atomic_int enders; /* threads in machine_end(): they signal vCPUs that are not joined yet */
	atomic_bool reset_wanted;
	bool reset_by_host; /* the main thread's */
	bool stopped;       /* the main thread's: machine_stop() was called, no boot follows */

	/* Large, and seldom wanted: behind what each exit looks at. */
	struct psci psci;
	struct faults faults;
	struct debug debug;
	struct trace trace;
};

#define MACHINE_RUNNING (-1)

/* Whether the machine is to be paused, or is. Any thread. */
static inline bool pause_wanted(const struct machine *machine)
{
	return machine->attention & ATTEND_PAUSE;
}

/* Whether @vcpu has to wait, as @attention of its machine says. Any thread. */
static inline bool pause_asks(const struct vcpu *vcpu, unsigned attention)
{
	return attention & ATTEND_HOLD || (attention & ATTEND_PAUSE && !vcpu->debug.alone);
}

/* The main thread: tell whoever listens. */
void machine_tell(const struct machine *machine, enum machine_event event);

/*
 * Any thread: end this boot with @outcome; all vCPUs leave the guest. False if
 * somebody else has ended it before.
 */
bool machine_end(struct machine *machine, enum machine_outcome outcome);

/* The guest asked for a reset: end this boot, and begin the next if that is wanted. */
void machine_end_reset(struct machine *machine);

/* Build the board: VM, vCPUs, GIC, devices. board_finish() takes it half-built. */
int board_build(struct machine *machine, struct error *err);
void board_finish(struct machine *machine);

/* board_build()'s part that is virtio: what the configuration asks for, in slots from 0. */
int board_build_virtio(struct machine *machine, struct error *err);

/* A boot begins or ends: what tells of drivers. */
void board_expect_driver(struct machine *machine);
void board_forget_driver(struct machine *machine);

/* Give @device the next slot; it is the board's, whatever comes. Fails with a sentence. */
int board_plug_virtio(struct machine *machine, struct virtio_device *device, struct error *err);

/*
 * The main thread, while no vCPU is in the guest: @device, which is the board's from now
 * on, instead of what is in slot @index of virtio-mmio, which is destroyed.
 */
int board_replace_virtio(struct machine *machine, uint32_t index, struct virtio_device *device,
			 struct error *err);

/* The slots for devices that come later: empty ones, or with what is in them. */
int machine_open_slots(struct machine *machine, struct error *err);
void machine_close_slots(struct machine *machine);
int board_build_slots(struct machine *machine, struct error *err);
void slots_forget(struct machine *machine); /* the boot is over */

/* Any thread: a driver has reset its device, which may be one that is to leave. */
void slots_driver_left(struct machine *machine);

/*
 * The disks: those of the configuration at once, and any by itself. Their devices are
 * made one by one, for each boot.
 */
int machine_open_disks(struct machine *machine, struct error *err);
void machine_close_disks(struct machine *machine);
int machine_open_disk(struct machine *machine, const char *name, const struct disk_config *config,
		      struct machine_disk **ret, struct error *err);
void machine_close_disk(struct machine *machine, struct machine_disk *disk);
int machine_make_disk(struct machine_disk *disk, struct virtio_device **ret, struct error *err);

/* The shared folders, likewise; their servers live for a boot. */
int machine_open_volumes(struct machine *machine, struct error *err);
void machine_close_volumes(struct machine *machine);
int machine_plug_volume(struct machine *machine, struct machine_volume *volume, struct error *err);
void machine_stop_volumes(struct machine *machine);

/* Whether a server has to map the guest's memory. */
bool machine_shares_memory(const struct machine *machine);

/* The virtio console and its ports, likewise. */
int machine_open_consoles(struct machine *machine, struct error *err);
void machine_close_consoles(struct machine *machine);
int machine_plug_console(struct machine *machine, struct error *err);

/* What is behind the PL011: the terminal, with or without its keys. */
struct char_port machine_uart_port(struct machine *machine);

/* Input has come, and hvc0 has the terminal: false if it has not. */
bool machine_tty_input(struct machine *machine);

/* The networks, as the disks. @index is the network's own: its address may come of it. */
int machine_open_nets(struct machine *machine, struct error *err);
void machine_close_nets(struct machine *machine);
int machine_open_net(struct machine *machine, const char *name, unsigned index,
		     const struct net_config *config, struct machine_net **ret, struct error *err);
void machine_close_net(struct machine *machine, struct machine_net *net);
int machine_make_net(const struct machine *machine, struct machine_net *net,
		     struct virtio_device **ret, struct error *err);

/* passt for a network, with what is published now. */
int machine_open_passt(const struct machine *machine, const struct machine_net *net,
		       struct net_port **ret, struct error *err);

/* Put @device, made for @slot, on the bus and into the board's list, which owns it. */
int board_plug(struct board *board, struct device *device, const struct mmio_ops *ops,
	       const struct device_slot *slot);

/* A line of the interrupt controller's. */
struct irq_line board_wire(struct board *board, uint32_t intid);

/* Shadows and eventfds of a board; their data is the struct board. */
extern const struct mmio_shadow_ops board_shadow_ops;
extern const struct eventfd_ops board_eventfd_ops;

/* How many bits of IPA this machine needs. */
unsigned board_ipa_bits(const struct machine_config *config);

/* The tree that describes the board, with @chosen in it; malloc()ed. */
struct boot_chosen;
int machine_describe(const struct machine *machine, const struct boot_chosen *chosen, void **ret,
		     size_t *ret_size, struct error *err);

/* Why the machine cannot go on, with registers and the end of the console, to stderr. */
void report_failure(struct vcpu *vcpu, const struct vcpu_exit *exit);

#endif
