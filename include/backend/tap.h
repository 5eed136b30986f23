/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tap interfaces of the host, as network ports. With /dev/vhost-net the kernel
 * moves the frames; without it we do, with a system call each.
 *
 * An interface that is there already keeps its settings and stays; one that
 * is made here is brought up and vanishes with the port. On a bridge it begins
 * its address with fe, as libvirt's do: a bridge takes the lowest address of its
 * interfaces for its own, and that must not be one that comes and goes.
 */
#ifndef ARMLET_BACKEND_TAP_H
#define ARMLET_BACKEND_TAP_H

#include "base/error.h"
#include "core/net_port.h"

enum tap_vhost { TAP_VHOST_AUTO, TAP_VHOST_ON, TAP_VHOST_OFF };

struct tap_options {
	const char *name;   /* NULL: a new one, "tapN" */
	const char *bridge; /* of the host, which it is put on; NULL: none */
	unsigned pairs;     /* 1 to NET_PAIRS_MAX */
	enum tap_vhost vhost;
};

/* Fails with a sentence that begins "--net tap=NAME: ". */
int tap_open(const struct tap_options *options, struct net_port **ret, struct error *err);

/* A fresh /dev/vhost-net for each pair that has none: a device that is gone has used them up. */
int tap_renew_vhosts(struct net_port *port, enum tap_vhost vhost, struct error *err);

#endif
