/* SPDX-License-Identifier: Apache-2.0 */
#include "notify.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"

#define LINES_MAX 512
#define SEND_US   200000 /* a listener that does not listen may cost us */

/* "/path", or "@name" for the abstract name space. */
static int set_address(struct notify *notify, const char *text, struct error *err)
{
	size_t size = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || size < 2)
		return error_set(err, EINVAL,
				 "NOTIFY_SOCKET '%.100s' is no socket that can be notified: it is "
				 "neither a path nor an abstract name",
				 text);
	if (size >= sizeof(notify->address.sun_path))
		return error_set(err, EINVAL, "NOTIFY_SOCKET '%.20s...' is longer than a socket's",
				 text);
	notify->address.sun_family = AF_UNIX;
	memcpy(notify->address.sun_path, text, size);
	if (text[0] == '@')
		notify->address.sun_path[0] = '\0';
	notify->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
	return 0;
}

static int open_socket(struct notify *notify, const char *text, struct error *err)
{
	const struct timeval patience = {.tv_usec = SEND_US};
	int r = set_address(notify, text, err);

	if (r < 0)
		return r;
	notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify->fd < 0 ||
	    setsockopt(notify->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return error_set_errno(err, errno, "NOTIFY_SOCKET");
	return 0;
}

/* sd_watchdog_enabled(3): it may be meant for another process. */
static int set_watchdog(struct notify *notify, struct error *err)
{
	const char *period = getenv("WATCHDOG_USEC");
	const char *process = getenv("WATCHDOG_PID");
	uint64_t us = 0, pid = (uint64_t)getpid();

	if (!period)
		return 0;
	if (parse_u64(period, &us) < 0 || !us || us > UINT64_MAX / 1000)
		return error_set(err, EINVAL, "WATCHDOG_USEC '%.40s' is no number of microseconds",
				 period);
	if (process && parse_u64(process, &pid) < 0)
		return error_set(err, EINVAL, "WATCHDOG_PID '%.40s' is no process", process);
	if (pid == (uint64_t)getpid())
		notify->watchdog_ns = us * 1000;
	return 0;
}

int notify_open(struct notify *ret, struct error *err)
{
	const char *text = getenv("NOTIFY_SOCKET");
	int r = 0;

	*ret = (struct notify)NOTIFY_NONE;
	if (text)
		r = open_socket(ret, text, err);
	if (text && r == 0)
		r = set_watchdog(ret, err);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (r < 0)
		notify_close(ret);
	return r;
}

void notify_close(struct notify *notify)
{
	close_fd(notify->fd);
	*notify = (struct notify)NOTIFY_NONE;
}

void notify_send(const struct notify *notify, const char *fmt, ...)
{
	char lines[LINES_MAX];
	va_list args;

	if (notify->fd < 0)
		return;
	va_start(args, fmt);
	vsnprintf(lines, sizeof(lines), fmt, args);
	va_end(args);
	if (sendto(notify->fd, lines, strlen(lines), MSG_NOSIGNAL,
		   (const struct sockaddr *)&notify->address, notify->address_size) < 0)
		log_debug("NOTIFY_SOCKET: %s", strerror(errno));
}
