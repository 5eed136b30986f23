/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine as its user asked for it: plain values, checked one by one by the
 * command line's option table; what depends on the host or on files is checked
 * by machine_create(). Strings are the caller's and outlive the machine.
 */
#ifndef ARMLET_MACHINE_CONFIG_H
#define ARMLET_MACHINE_CONFIG_H

#include "base/util.h"

struct cpu_model; /* arm64/cpu_model.h */

#define MACHINE_MAX_VCPUS    512
#define MACHINE_MAX_OVERLAYS 16
#define MACHINE_MIN_MEM      (16 * MIB)
#define MACHINE_MAX_DISKS    32
#define MACHINE_MAX_NETS     8
#define MACHINE_MAX_PUBLISH  64
#define MACHINE_MAX_VOLUMES  16
#define MACHINE_MAX_PORTS    15
#define MACHINE_MAX_SLOTS    32
#define MACHINE_MAX_FAULTS   32

/* A feature of the host that a machine may have: where the host has it, always, never. */
enum config_switch { CONFIG_AUTO, CONFIG_ON, CONFIG_OFF };

enum config_psci { CONFIG_PSCI_KVM, CONFIG_PSCI_ARMLET };

/* What becomes of a guest that hangs; OFF: nobody looks, and there is no watchdog. */
enum config_watchdog {
	CONFIG_WATCHDOG_OFF,
	CONFIG_WATCHDOG_RESET,
	CONFIG_WATCHDOG_POWEROFF,
	CONFIG_WATCHDOG_PAUSE,
	CONFIG_WATCHDOG_NONE, /* it is told of */
};

/* Their words, all but the first as QMP's WatchdogAction; ends with NULL. */
extern const char *const config_watchdog_words[];

enum config_irqchip { CONFIG_IRQCHIP_AUTO, CONFIG_IRQCHIP_GICV3, CONFIG_IRQCHIP_GICV2 };

/* As of struct disk_options (backend/disk.h), struct virtio_blk_options. */
struct disk_config {
	const char *file;
	const char *format; /* NULL: by content */
	const char *serial; /* NULL: the disk's name */
	bool read_only;
	bool ephemeral;
	bool direct;
	int discard;  /* 0: on, 1: off */
	int cache;    /* enum disk_cache */
	int aio;      /* enum disk_aio */
	int on_error; /* enum virtio_blk_on_error */
	uint32_t block_size;
	uint32_t physical_block_size;
	uint32_t queues;
};

enum net_mode { NET_MODE_NONE, NET_MODE_USER, NET_MODE_TAP };

/* As of struct tap_options (backend/tap.h), struct passt_options (backend/passt.h). */
struct net_config {
	int mode;           /* enum net_mode; with a @tap or @bridge it is NET_MODE_TAP */
	const char *tap;    /* NULL: a new one */
	const char *bridge; /* of the tap; NULL: none */
	const char *mac;    /* NULL: derived */
	uint32_t mtu;       /* 0: the interface's */
	uint32_t queues;
	int vhost; /* enum tap_vhost */
};

/* Of struct virtio_balloon_options. */
struct balloon_config {
	uint64_t size; /* bytes that it has from the start, less than the memory */
};

/* How many of each are in one of those above it; 0: nothing is said. */
struct topology_config {
	uint32_t sockets;
	uint32_t clusters;
	uint32_t cores;
	uint32_t threads;
};

/* What goes wrong; the last ones are PSCI's errors, from NOT_SUPPORTED on (DEN0022, 5.2.2). */
enum fault_action {
	FAULT_PASS, /* nothing: it is only late */
	FAULT_ZERO, /* reads as zero, ignored on write */
	FAULT_ONES, /* all bits are one, likewise */
	FAULT_DROP, /* as ZERO */
	FAULT_ABORT,
	FAULT_SERROR, /* done, but an SError interrupt comes */
	FAULT_PSCI_FIRST,
	FAULT_PSCI_LAST = FAULT_PSCI_FIRST + 8,
};

enum fault_access { FAULT_OF_ALL, FAULT_OF_READS, FAULT_OF_WRITES };

struct fault_config {
	const char *where; /* addresses, a device with or without registers, a function of PSCI */
	int action;        /* enum fault_action */
	int access;        /* enum fault_access */
	uint32_t delay;    /* ms */
	uint32_t nth;      /* the first that is meant, from 1; 0: all are */
	uint32_t count;    /* how many; 0: one from nth on, or all */
};

#define MACHINE_HALT_POLL_HOST UINT32_MAX

struct machine_config {
	const char *kernel;
	const char *initrd;
	const char *append;
	const char *dtb;
	const char *dtb_overlays[MACHINE_MAX_OVERLAYS];
	size_t dtb_overlay_count;
	const char *dump_dtb;

	uint32_t cpus;
	struct topology_config topology;
	size_t topology_count;       /* 0 or 1 */
	const char *cpu_model;       /* what the user calls it; NULL: the host's own */
	const struct cpu_model *cpu; /* what is in it; NULL: the host's own */
	uint64_t mem;                /* bytes */
	enum config_irqchip irqchip;
	enum config_switch pmu;
	enum config_switch sve;
	enum config_switch pauth;
	enum config_switch steal_time;
	int psci;              /* enum config_psci: who answers it */
	uint32_t cpus_present; /* of those that CPU_ON is not refused for at first; 0: all */
	uint32_t pin[MACHINE_MAX_VCPUS]; /* host CPU of each vCPU */
	size_t pin_count;
	bool hugepages;
	bool lock_mem;
	bool nodefaults;
	int watchdog;       /* enum config_watchdog */
	uint32_t halt_poll; /* ns; MACHINE_HALT_POLL_HOST: as the host has it for all */
	bool scratch;       /* devices/scratch.h */
	struct fault_config faults[MACHINE_MAX_FAULTS];
	size_t fault_count;
	bool no_reboot;
	bool freeze;            /* the first boot begins paused */
	const char *trace;      /* as trace_read_what() of machine/trace.h; NULL: see trace_file */
	const char *trace_file; /* NULL: armlet.fxt, if there is a trace */
	struct disk_config disks[MACHINE_MAX_DISKS];
	size_t disk_count;
	struct net_config nets[MACHINE_MAX_NETS];
	size_t net_count;
	const char *publish[MACHINE_MAX_PUBLISH];
	size_t publish_count;
	uint32_t vsock_cid; /* 0: no vsock */
	const char *volumes[MACHINE_MAX_VOLUMES];
	size_t volume_count;
	const char *console; /* as of backend/stream.h; NULL: "null"; "none": no console */
	const char *ports[MACHINE_MAX_PORTS]; /* "NAME=WHERE" */
	size_t port_count;
	struct balloon_config balloon;
	size_t balloon_count;   /* 0 or 1 */
	uint32_t slots;         /* free ones, for devices that come later (machine/slots.h) */
	const char *kvm_device; /* /dev/kvm */
};

/* 1 vCPU, 512 MiB, what the host has. */
void machine_config_init(struct machine_config *config);

#endif
