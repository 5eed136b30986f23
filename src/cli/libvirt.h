/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Domains of libvirt
 *
 * --libvirt takes the machine that a domain of libvirt describes, from a file of XML or
 * from libvirt itself:
 *
 *	libvirt_source.c	where the XML comes from; what only libvirt knows: the path of
 *				a storage volume, the bridge of a network
 *	libvirt_xml.c		from bytes to a tree, and from the tree by tables of rows to
 *				those who take what they name
 *	libvirt_domain.c	the rows of the domain; libvirt_devices.c, libvirt_disk.c and
 *				libvirt_net.c those of its devices
 *
 * What comes out is a JSON object as --config takes it, which then goes the same way. All
 * that no row knows, or that a row says armlet has not, is a lack. It is kept until all
 * options are read, as --lenient may stand anywhere, and then ends the run or is warned
 * of.
 *
 * libvirt is loaded when a domain is asked for by its name: it brings a hundred
 * libraries with it, which no other machine should have to start with.
 */
#ifndef ARMLET_CLI_LIBVIRT_H
#define ARMLET_CLI_LIBVIRT_H

#include <json-c/json.h>

#include "options.h"

/*
 * Set in @target what the domain @where has: a file, or URI/NAME. The caller gets and puts
 * @ret, {"where": @where, "config": what was set, with the strings that @target points to,
 * "lacks": ["sentence", ...]}. Sentences begin with @where.
 */
int libvirt_read(const struct option_table *table, const char *where, void *target,
		 struct json_object **ret, struct error *err);

#endif
