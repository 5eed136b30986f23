/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: A jail for a file server
 *
 * diod walks by names: "..", and symbolic links that a guest has made, lead out
 * of the folder that it shares. So it runs where there is nothing else: in a
 * mount namespace whose root holds the folder, as /share, and the programs and
 * libraries of the host, read-only. Devices in the folder are none to it. It
 * has no network, and of root's capabilities those that files need.
 *
 * Without root this takes a user namespace, in which the user is who they were.
 */
#ifndef ARMLET_BACKEND_JAIL_H
#define ARMLET_BACKEND_JAIL_H

#include "base/util.h"

#define JAIL_SHARE "/share"

#define JAIL_MAP_SIZE 32

struct jail {
	const char *directory; /* absolute */
	bool read_only;

	/* jail_init()'s. */
	bool is_root;
	char uid_map[JAIL_MAP_SIZE];
	char gid_map[JAIL_MAP_SIZE];
};

/* Whoever enters will be this process's user. */
void jail_init(struct jail *jail, const char *directory, bool read_only);

/*
 * Enter @jail (a struct jail): in a child, between fork and exec, where nothing
 * may be allocated. 0 or -errno, and then the child is good for nothing.
 */
int jail_enter(const void *jail);

#endif
