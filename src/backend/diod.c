/* SPDX-License-Identifier: Apache-2.0 */
/* The 9P server diod, at the other end of a socket. */
#include <stdio.h>
#include <sys/socket.h>

#include "jail.h"
#include "share_private.h"

/* How the server finds its socket: the first that a helper is given. */
#define SERVER_FD "3"

bool diod_find(char ret[static PATH_MAX])
{
	static const char *const places[] = {"diod", "/usr/sbin/diod", "/usr/local/sbin/diod",
					     NULL};

	return share_find_program(places, ret);
}

/*
 * Not root, diod serves one user only, so everybody in the guest is that one.
 * No configuration of the host's has a say: it would be for other shares.
 */
int diod_start(struct share *share, struct share_server *ret, struct error *err)
{
	char uid[32];
	const char *const argv[] = {
		share->program,
		"--foreground",
		"--rfdno=" SERVER_FD,
		"--wfdno=" SERVER_FD,
		"--no-auth",
		"--no-userdb",
		"--config-file=/dev/null",
		"--logdest=stderr",
		"--export=" JAIL_SHARE,
		share->options.read_only ? "--export-opts=ro" : "--export-opts=noauth",
		geteuid() ? uid : NULL,
		NULL,
	};
	struct helper_options options = {.argv = argv, .fd_count = 1, .prepare = jail_enter};
	_cleanup_close_ int ours = -EBADF;
	_cleanup_close_ int its = -EBADF;
	struct jail jail;
	int fds[2];
	int r;

	snprintf(uid, sizeof(uid), "--runas-uid=%u", geteuid());
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return error_set_errno(err, errno, SHARE_REFUSED "no socket for diod",
				       share->options.directory);
	ours = fds[0];
	its = fds[1];
	jail_init(&jail, share->options.directory, share->options.read_only);
	options.fds = &its;
	options.data = &jail;
	r = helper_process_start(&options, &share->helper);
	if (r < 0)
		return error_set_errno(err, -r,
				       SHARE_REFUSED
				       "diod cannot be shut into the folder, and is not started "
				       "without that (a container may forbid it; virtiofsd does it "
				       "otherwise)",
				       share->options.directory);
	*ret = (struct share_server){
		.fd = steal_fd(&ours),
		.directory = JAIL_SHARE,
		.squash = geteuid() != 0,
		.uid = geteuid(),
	};
	return 0;
}
