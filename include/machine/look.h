/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A window into a machine that runs or is paused: where addresses lead to, what is mapped
 * where, and what the devices know. A machine that runs is held for a moment, if at all.
 *
 * Threads: the main thread's.
 */
#ifndef ARMLET_MACHINE_LOOK_H
#define ARMLET_MACHINE_LOOK_H

#include "arm64/stage1.h"
#include "core/mmio.h"
#include "machine/machine.h"

/*
 * Have all vCPUs outside the guest until machine_release(), which takes what this returns:
 * whether they were inside before.
 */
bool machine_hold(struct machine *machine);
void machine_release(struct machine *machine, bool held);

/* Where an address of vCPU @cpu leads to. */
struct machine_translation {
	struct stage1 stage1;
	uint64_t mair;
	struct stage1_path path;
	bool faults;        /* stage 1 refuses: path.status says why */
	const void *host;   /* the byte in this process; NULL: it is no RAM */
	uint64_t page;      /* bytes of the host's page there; 0: not known, or not asked */
	uint64_t physical;  /* address of the byte on the host; likewise */
	const char *device; /* or what else answers there; NULL: nothing */
	uint64_t offset;    /* in its registers */
};

/* -ESRCH: the machine has no such vCPU at present. */
int machine_translate(struct machine *machine, uint32_t cpu, gva_t addr,
		      struct machine_translation *ret);

/* Fill in what the host tells of the page. */
void machine_find_host_page(const struct machine *machine, struct machine_translation *at);

/* Memory that the guest reaches with no exit: RAM, and registers that are shadowed. */
struct machine_area {
	const char *name; /* "ram", or the device's */
	gpa_t base;
	uint64_t size;
	const void *host;
	bool read_only;
};

/* Area @index. False: there are no more. */
bool machine_area(const struct machine *machine, size_t index, struct machine_area *ret);

/* Device @index of the board, in the order of its places. NULL: there are no more. */
const struct device *machine_device(const struct machine *machine, size_t index,
				    struct device_slot *ret);

/*
 * The device whose registers are at @addr, and which of them it is, as mmio_register_name().
 * NULL: nothing is there. Any thread, while the board is there.
 */
const char *machine_register(const struct machine *machine, gpa_t addr,
			     char ret[MMIO_REGISTER_NAME_MAX]);

/* Whose interrupt @intid is; NULL: it is not known. Likewise. */
const char *machine_irq_owner(const struct machine *machine, uint32_t intid);

/* A vCPU's timers (DDI 0487, D12), of a machine that is held. */
struct machine_timers {
	uint64_t frequency; /* counts a second */
	uint64_t counter;   /* CNTVCT_EL0 */
	struct {
		const char *name; /* "virtual", "physical" */
		bool known;       /* the host's KVM tells of it */
		uint64_t control; /* CNTx_CTL_EL0 */
		uint64_t compare; /* CNTx_CVAL_EL0 */
		uint32_t intid;
	} timers[2];
};
int machine_timers(struct machine *machine, uint32_t cpu, struct machine_timers *ret);

/* An interrupt as the distributor or a redistributor has it, of a machine that is held. */
struct machine_irq {
	uint32_t intid;
	bool enabled;
	bool pending;
	bool active;
	bool edge;
	uint8_t priority;
	uint64_t target;  /* of an SPI: affinity fields of MPIDR_EL1, with GICv3; CPUs as bits */
	const char *name; /* of whose it is; NULL: not known */
};

/* The state of @intid, for vCPU @cpu if it is below 32. -errno: KVM does not tell. */
int machine_irq(struct machine *machine, uint32_t cpu, uint32_t intid, struct machine_irq *ret);

/* As hyp_gic_text(): the host's own words on the interrupt controller. */
char *machine_gic_text(struct machine *machine);

/* How many INTIDs there are, and GICv2 or GICv3. */
uint32_t machine_irq_count(const struct machine *machine);
unsigned machine_gic_version(const struct machine *machine);

/* Where the guest sees its interrupt controller; sizes are 0 for what it has not. */
struct machine_gic_place {
	const char *name; /* "gic distributor", ... */
	gpa_t base;
	uint64_t size;
};
bool machine_gic_place(const struct machine *machine, size_t index, struct machine_gic_place *ret);

#endif
