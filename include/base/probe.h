/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Static probes for perf, bpftrace and SystemTap, of the provider "armlet". Each is a no-op
 * and a note in the program that says where its arguments are (SystemTap's sys/sdt.h); it
 * is counted for nothing while nobody looks. Without that header there are none.
 *
 *	exit        vCPU, reason (enum vcpu_exit_reason), address, size, is-write, value
 *	answered    vCPU, reason, value as read
 *	nisv        vCPU, PC, instruction, IPA
 *	psci        vCPU, function
 *	irq         INTID, level: a device's line
 *	interrupt   name of the virtio device, descriptor that was signalled
 */
#ifndef ARMLET_BASE_PROBE_H
#define ARMLET_BASE_PROBE_H

#ifdef ARMLET_PROBES
#define SDT_USE_VARIADIC
#include <sys/sdt.h>
#define PROBE(name, ...) STAP_PROBEV(armlet, name, __VA_ARGS__)
#else
#define PROBE(name, ...) ((void)0)
#endif

#endif
