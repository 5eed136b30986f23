/* SPDX-License-Identifier: Apache-2.0 */
/* A listener as systemd is one. */
#include "notify.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

static int listener;
static char address[64];

static void listen_at(bool abstract)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t size;

	snprintf(address, sizeof(address), "%carmlet-notify-%d", abstract ? '@' : '/',
		 (int)getpid());
	if (!abstract)
		snprintf(address, sizeof(address), "/tmp/armlet-notify-%d", (int)getpid());
	size = strlen(address);
	memcpy(at.sun_path, address, size);
	if (abstract)
		at.sun_path[0] = '\0';
	else
		unlink(address);
	listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (const struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
			 0);
	setenv("NOTIFY_SOCKET", address, 1);
}

static void stop_listening(bool abstract)
{
	close(listener);
	if (!abstract)
		unlink(address);
}

static const char *heard(void)
{
	static char text[1024];
	ssize_t size = recv(listener, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[size > 0 ? size : 0] = '\0';
	return text;
}

static void forget_environment(void)
{
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

START_TEST(test_tells)
{
	struct notify notify;
	struct error err = {0};

	forget_environment();
	listen_at(_i);
	ck_assert_msg(notify_open(&notify, &err) == 0, "%s", err.text);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert_uint_eq(notify.watchdog_ns, 0);
	notify_send(&notify, "READY=1\nSTATUS=%s %d", "boot", 2);
	ck_assert_str_eq(heard(), "READY=1\nSTATUS=boot 2");
	ck_assert_str_eq(heard(), "");
	stop_listening(_i);
	/* Who is gone is told nothing. */
	notify_send(&notify, "STOPPING=1");
	notify_close(&notify);
	notify_send(&notify, "STOPPING=1");
	notify_close(&notify);
}
END_TEST

START_TEST(test_nobody)
{
	struct notify notify;
	struct error err = {0};

	forget_environment();
	setenv("WATCHDOG_USEC", "1000", 1);
	ck_assert_int_eq(notify_open(&notify, &err), 0);
	ck_assert_int_eq(notify.fd, -1);
	ck_assert_uint_eq(notify.watchdog_ns, 0);
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	notify_send(&notify, "READY=1");
}
END_TEST

/* A listener that does not listen does not hold us up for long, nor for ever. */
START_TEST(test_full)
{
	struct notify notify;
	struct error err = {0};
	ssize_t sent;

	forget_environment();
	listen_at(true);
	ck_assert_int_eq(notify_open(&notify, &err), 0);
	do {
		sent = sendto(notify.fd, "x", 1, MSG_DONTWAIT,
			      (const struct sockaddr *)&notify.address, notify.address_size);
	} while (sent == 1);
	ck_assert_int_eq(errno, EAGAIN);
	notify_send(&notify, "READY=1");
	ck_assert_str_eq(heard(), "x");
	notify_close(&notify);
	stop_listening(true);
}
END_TEST

static const struct {
	const char *period;
	const char *process; /* NULL: not set; "": this one */
	uint64_t ns;
} watchdogs[] = {
	{"1", NULL, 1000},
	{"30000000", "", UINT64_C(30000000000)},
	{"30000000", "1", 0},
};

START_TEST(test_watchdog)
{
	struct notify notify;
	struct error err = {0};
	char process[16];

	forget_environment();
	listen_at(true);
	setenv("WATCHDOG_USEC", watchdogs[_i].period, 1);
	snprintf(process, sizeof(process), "%d", (int)getpid());
	if (watchdogs[_i].process)
		setenv("WATCHDOG_PID", watchdogs[_i].process[0] ? watchdogs[_i].process : process,
		       1);
	ck_assert_msg(notify_open(&notify, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(notify.watchdog_ns, watchdogs[_i].ns);
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	ck_assert_ptr_null(getenv("WATCHDOG_PID"));
	notify_close(&notify);
	stop_listening(true);
}
END_TEST

#define LONG                                                                                       \
	"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *socket;
	const char *period;
	const char *process;
	const char *words;
} bad[] = {
	{"", NULL, NULL, "NOTIFY_SOCKET '' is no socket that can be notified"},
	{"/", NULL, NULL, "NOTIFY_SOCKET '/' is no socket that can be notified"},
	{"@", NULL, NULL, "NOTIFY_SOCKET '@' is no socket"},
	{"run/notify", NULL, NULL, "neither a path nor an abstract name"},
	{"vsock:2:1234", NULL, NULL, "neither a path nor an abstract name"},
	{LONG, NULL, NULL, "is longer than a socket's"},
	{"/run/x", "", NULL, "WATCHDOG_USEC '' is no number of microseconds"},
	{"/run/x", "0", NULL, "WATCHDOG_USEC '0' is no number"},
	{"/run/x", "1s", NULL, "WATCHDOG_USEC '1s' is no number"},
	{"/run/x", "18446744073709551615", NULL, "is no number of microseconds"},
	{"/run/x", "1000", "self", "WATCHDOG_PID 'self' is no process"},
};

START_TEST(test_bad)
{
	struct notify notify;
	struct error err = {0};

	forget_environment();
	setenv("NOTIFY_SOCKET", bad[_i].socket, 1);
	if (bad[_i].period)
		setenv("WATCHDOG_USEC", bad[_i].period, 1);
	if (bad[_i].process)
		setenv("WATCHDOG_PID", bad[_i].process, 1);
	ck_assert_int_eq(notify_open(&notify, &err), -EINVAL);
	ck_assert_msg(strstr(err.text, bad[_i].words), "%s", err.text);
	ck_assert_int_eq(notify.fd, -1);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_tells, 2),
	UNIT_CASE(test_nobody),
	UNIT_CASE(test_full),
	UNIT_LOOP(test_watchdog, ARRAY_SIZE(watchdogs)),
	UNIT_LOOP(test_bad, ARRAY_SIZE(bad)),
	{0},
};
const char unit_name[] = "notify";
