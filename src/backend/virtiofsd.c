/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtiofsd, of which there are two: that of QEMU up to 7.2 (written in C), and
 * its successor (in Rust), which has options of its own.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "share_private.h"

#define PROBE_MS 5000

/* The last line that --version says: of the one in Rust, and of the one in C. */
#define RUST_SAYS "virtiofsd "
#define C_SAYS    "using FUSE kernel interface version "

#define SERVER_FD "3" /* the first that a helper is given */

bool virtiofsd_find(char ret[static PATH_MAX])
{
	static const char *const places[] = {"virtiofsd", "/usr/libexec/virtiofsd",
					     "/usr/lib/virtiofsd", "/usr/lib/qemu/virtiofsd", NULL};

	return share_find_program(places, ret);
}

/* Whether what @program says at the end, asked for its version with @option, begins so. */
static bool says(const char *program, const char *option, const char *beginning)
{
	const char *const argv[] = {program, option, "--version", NULL};
	const struct helper_options options = {.argv = argv};
	struct helper_process *helper = NULL;
	bool said;

	if (helper_process_start(&options, &helper) < 0)
		return false;
	helper_process_wait(helper, PROBE_MS);
	said = strncmp(helper_process_last_words(helper), beginning, strlen(beginning)) == 0;
	helper_process_end(helper, 0);
	return said;
}

static bool is_old(const struct share *share)
{
	return says(share->program, "-f", C_SAYS);
}

const char *virtiofsd_refuses(const struct share *share)
{
	if (is_old(share)) {
		if (geteuid() != 0)
			return "is QEMU's own, which has to be started by root";
		return share->options.read_only ? "is QEMU's own, which cannot share read-only"
						: NULL;
	}
	if (share->options.read_only && !says(share->program, "--readonly", RUST_SAYS))
		return "is too old to share read-only";
	return says(share->program, "-f", RUST_SAYS) ? NULL : "does not say what it is";
}

/*
 * A socket that listens, and the connection that it will accept first. It has a
 * name that the kernel picks, in no folder; whoever else finds it comes second,
 * and is not listened to.
 */
static int make_sockets(int *ret_listening, int *ret_connected)
{
	_cleanup_close_ int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_close_ int connected = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(address.sun_family);

	if (listening < 0 || connected < 0 ||
	    bind(listening, (struct sockaddr *)&address, size) < 0)
		return -errno;
	size = sizeof(address);
	if (getsockname(listening, (struct sockaddr *)&address, &size) < 0 ||
	    listen(listening, 1) < 0 || connect(connected, (struct sockaddr *)&address, size) < 0)
		return -errno;
	*ret_listening = steal_fd(&listening);
	*ret_connected = steal_fd(&connected);
	return 0;
}

/* Without root it cannot change its root: it never leaves the folder by itself, either. */
static void new_arguments(const struct share *share, const char *directory, const char **argv)
{
	*argv++ = share->program;
	*argv++ = "--fd=" SERVER_FD;
	*argv++ = directory;
	*argv++ = "--cache=auto";
	*argv++ = "--announce-submounts";
	*argv++ = "--inode-file-handles=prefer";
	*argv++ = "--log-level=warn";
	*argv++ = geteuid() ? "--sandbox=none" : "--sandbox=namespace";
	if (share->options.read_only)
		*argv++ = "--readonly";
	*argv = NULL;
}

static void old_arguments(const struct share *share, const char *directory, const char **argv)
{
	*argv++ = share->program;
	*argv++ = "--fd=" SERVER_FD;
	*argv++ = "-f";
	*argv++ = "-o";
	*argv++ = directory;
	*argv++ = "-o";
	*argv++ = "cache=auto,announce_submounts,sandbox=namespace,log_level=warn";
	*argv = NULL;
}

/* In a list of the old one's, a comma ends an option unless it has a backslash before it. */
static void write_source(const struct share *share, char *ret)
{
	ret = stpcpy(ret, "source=");
	for (const char *at = share->options.directory; *at; at++) {
		if (*at == ',' || *at == '\\')
			*ret++ = '\\';
		*ret++ = *at;
	}
	*ret = '\0';
}

int virtiofsd_start(struct share *share, struct share_server *ret, struct error *err)
{
	char directory[2 * PATH_MAX + 16];
	const char *argv[12];
	struct helper_options options = {.argv = argv, .fd_count = 1};
	_cleanup_close_ int listening = -EBADF;
	_cleanup_close_ int connected = -EBADF;
	int r = make_sockets(&listening, &connected);

	if (r < 0)
		return error_set_errno(err, -r, SHARE_REFUSED "no socket for virtiofsd",
				       share->options.directory);
	if (is_old(share)) {
		write_source(share, directory);
		old_arguments(share, directory, argv);
	} else {
		snprintf(directory, sizeof(directory), "--shared-dir=%s", share->options.directory);
		new_arguments(share, directory, argv);
	}
	options.fds = &listening;
	r = helper_process_start(&options, &share->helper);
	if (r < 0)
		return error_set_errno(err, -r, SHARE_REFUSED "%s does not start",
				       share->options.directory, share->program);
	*ret = (struct share_server){.fd = steal_fd(&connected)};
	return 0;
}
