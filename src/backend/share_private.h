/* SPDX-License-Identifier: Apache-2.0 */
/* Between shared folders and the two programs that serve them. */
#ifndef ARMLET_BACKEND_SHARE_PRIVATE_H
#define ARMLET_BACKEND_SHARE_PRIVATE_H

#include "backend/helper_process.h"
#include "backend/share.h"

struct share {
	struct share_options options; /* the directory is real; the kind is chosen */
	char program[PATH_MAX];       /* the server's */
	struct helper_process *helper;
	int socket; /* the device's, once more: to end the connection */
};

/* The sentences begin with the option and the folder. */
#define SHARE_REFUSED "--volume %s: "

/*
 * The first of @places (ends with NULL) that is a program; a name without a
 * slash is looked for in $PATH. Into @ret; false if there is none.
 */
bool share_find_program(const char *const *places, char ret[static PATH_MAX]);

/* diod.c */
bool diod_find(char ret[static PATH_MAX]);
int diod_start(struct share *share, struct share_server *ret, struct error *err);

/*
 * virtiofsd.c: NULL if share->program can serve share->options, or why it
 * cannot, behind "virtiofsd ".
 */
bool virtiofsd_find(char ret[static PATH_MAX]);
const char *virtiofsd_refuses(const struct share *share);
int virtiofsd_start(struct share *share, struct share_server *ret, struct error *err);

#endif
