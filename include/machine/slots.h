/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Devices that come and go
 *
 * A device tree cannot grow while its guest runs, so a machine has as many free slots as
 * its configuration says: nodes of virtio-mmio whose DeviceID is 0 (virtio 1.3, 4.2.2),
 * which a driver passes over at boot. A device that is plugged in stands there from then
 * on; the guest has to look again, which under Linux is a matter of binding the slot's
 * platform device to the driver virtio-mmio. It cannot be told to: there is no interrupt
 * that a slot without a driver could raise.
 *
 * Nor does a driver like its device to go. So one that is to be unplugged leaves once its
 * driver has reset it (unbinding does that), or when the guest resets.
 *
 * What is plugged in stays over a reset of the guest, which finds it at boot.
 *
 * Threads: the main thread's.
 */
#ifndef ARMLET_MACHINE_SLOTS_H
#define ARMLET_MACHINE_SLOTS_H

#include "core/types.h"
#include "machine/machine.h"

/* Slot @index of the configuration's. */
struct machine_slot_info {
	gpa_t base;
	const char *device; /* what is in it; NULL: it is free */
	bool in_use;        /* a driver of the guest works with it */
	bool leaving;
};
/* False: there is no such slot. */
bool machine_slot(const struct machine *machine, size_t index, struct machine_slot_info *ret);

/*
 * Plug a device into the first free slot. @config with its strings is the caller's, and
 * stays there until MACHINE_EVENT_DEVICE_LEAVES tells that the device has gone, or to the
 * machine's end. -EINVAL: @name is not one, or @config no such device; -EEXIST: there is a
 * device @name; -ENOSPC: no slot is free; -ESRCH: the machine does not run; or as of
 * opening what is behind the device.
 */
int machine_plug_disk(struct machine *machine, const char *name, const struct disk_config *config,
		      struct error *err);
int machine_plug_net(struct machine *machine, const char *name, const struct net_config *config,
		     struct error *err);

/*
 * Have the device @name leave: at once if no driver works with it. -ENODEV: there is no
 * device @name in a slot; -EINPROGRESS: it leaves already; -ESRCH: the machine does not run.
 */
int machine_unplug(struct machine *machine, const char *name, struct error *err);

/* During MACHINE_EVENT_DEVICE_LEAVES: the name of the device, which has left. */
const char *machine_leaving_device(const struct machine *machine);

#endif
