/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/publish.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "unit.h"

static const struct {
	const char *text;
	const char *address;
	uint16_t host, guest;
	bool udp, ipv6;
} good[] = {
	{"8080:80", "", 8080, 80, false, false},
	{"1:65535/tcp", "", 1, 65535, false, false},
	{"53:53/udp", "", 53, 53, true, false},
	{"127.0.0.1:8080:80", "127.0.0.1", 8080, 80, false, false},
	{"[::1]:8080:80/udp", "::1", 8080, 80, true, true},
	{"[0:0::0:1]:8080:80", "::1", 8080, 80, false, true},
};

START_TEST(test_good)
{
	struct publish_table table = {0};
	struct error err = {0};

	ck_assert_int_eq(publish_add(&table, good[_i].text, &err), 0);
	ck_assert_uint_eq(table.count, 1);
	ck_assert_str_eq(table.rows[0].text, good[_i].text);
	ck_assert_str_eq(table.rows[0].address, good[_i].address);
	ck_assert_uint_eq(table.rows[0].host, good[_i].host);
	ck_assert_uint_eq(table.rows[0].guest, good[_i].guest);
	ck_assert(table.rows[0].udp == good[_i].udp && table.rows[0].ipv6 == good[_i].ipv6);
}
END_TEST

static const struct {
	const char *text;
	const char *words;
} bad[] = {
	{"", "needs two ports"},
	{"80", "needs two ports"},
	{":", "needs two ports"},
	{"80:", "needs two ports"},
	{":80", "needs two ports"},
	{"8080:80/", "neither tcp nor udp"},
	{"8080:80/sctp", "neither tcp nor udp"},
	{"8080:80/TCP", "neither tcp nor udp"},
	{"0:80", "the host's port is '0', which is no number from 1 to 65535"},
	{"80:65536", "the guest's port is '65536'"},
	{"80:-1", "the guest's port is '-1'"},
	{"80:8 0", "the guest's port is '8 0'"},
	{"http:80", "the host's port is 'http'"},
	{":8080:80", "'' is no address"},
	{"localhost:8080:80", "'localhost' is no address"},
	{"1.2.3:8080:80", "'1.2.3' is no address"},
	{"::1:8080:80", "is no address"},
	{"[:8080:80", "'[' is no address"},
	{"[]:8080:80", "is no address"},
	{"[127.0.0.1]:8080:80", "is no address"},
	{"0123456789012345678901234567890123456789012345678901234567890123456789", "too long"},
};

START_TEST(test_bad)
{
	struct publish_table table = {0};
	struct error err = {0};

	ck_assert_int_eq(publish_add(&table, bad[_i].text, &err), -EINVAL);
	ck_assert_msg(strstr(err.text, bad[_i].words), "%s", err.text);
	ck_assert_msg(!strncmp(err.text, "--publish ", 10), "%s", err.text);
	ck_assert_uint_eq(table.count, 0);
}
END_TEST

static const struct {
	const char *first, *second;
	bool refused;
} twice[] = {
	{"8080:80", "8080:81", true},
	{"8080:80", "8080:80/udp", false},
	{"8080:80", "8081:80", false},
	{"127.0.0.1:8080:80", "8080:80", true},
	{"8080:80", "[::1]:8080:80", true},
	{"127.0.0.1:8080:80", "127.0.0.2:8080:80", false},
	{"127.0.0.1:8080:80", "0.0.0.0:8080:80", true},
	{"[::]:8080:80", "[::1]:8080:80", true},
	{"0.0.0.0:8080:80", "[::1]:8080:80", false},
	{"[::1]:8080:80", "[0::1]:8080:80", true},
};

START_TEST(test_twice)
{
	struct publish_table table = {0};
	struct error err = {0};
	int r;

	ck_assert_int_eq(publish_add(&table, twice[_i].first, &err), 0);
	r = publish_add(&table, twice[_i].second, &err);
	ck_assert_int_eq(r, twice[_i].refused ? -EINVAL : 0);
	if (r < 0)
		ck_assert_msg(strstr(err.text, "is published already"), "%s", err.text);
}
END_TEST

/* What is published goes by its place, however that is written; the others stay. */
static const struct {
	const char *text;
	int error;
	const char *left[3];
} removed[] = {
	{"8080:80", 0, {"127.0.0.1:53:53/udp", "[::1]:90:90"}},
	{"8080:80/tcp", 0, {"127.0.0.1:53:53/udp", "[::1]:90:90"}},
	{"[0::1]:90:90", 0, {"8080:80", "127.0.0.1:53:53/udp"}},
	{"8080:81", ENOENT, {"8080:80", "127.0.0.1:53:53/udp", "[::1]:90:90"}},
	{"127.0.0.1:8080:80", ENOENT, {"8080:80", "127.0.0.1:53:53/udp", "[::1]:90:90"}},
	{"127.0.0.1:53:53", ENOENT, {"8080:80", "127.0.0.1:53:53/udp", "[::1]:90:90"}},
	{"web", EINVAL, {"8080:80", "127.0.0.1:53:53/udp", "[::1]:90:90"}},
};

START_TEST(test_remove)
{
	struct publish_table table = {0};
	struct error err = {0};
	unsigned left = 0;

	ck_assert_int_eq(publish_add(&table, "8080:80", &err), 0);
	ck_assert_int_eq(publish_add(&table, "127.0.0.1:53:53/udp", &err), 0);
	ck_assert_int_eq(publish_add(&table, "[::1]:90:90", &err), 0);
	ck_assert_int_eq(publish_remove(&table, removed[_i].text, &err), -removed[_i].error);
	for (; left < 3 && removed[_i].left[left]; left++)
		ck_assert_str_eq(table.rows[left].text, removed[_i].left[left]);
	ck_assert_uint_eq(table.count, left);
}
END_TEST

START_TEST(test_many)
{
	struct publish_table table = {0};
	struct error err = {0};
	char text[32];

	for (unsigned i = 0; i <= PUBLISH_MAX; i++) {
		snprintf(text, sizeof(text), "%u:80", 1000 + i);
		ck_assert_int_eq(publish_add(&table, text, &err), i < PUBLISH_MAX ? 0 : -EINVAL);
	}
	ck_assert_msg(strstr(err.text, "64 ports are published already"), "%s", err.text);
}
END_TEST

/* A port of the host's, held by @type; its number. */
static uint16_t hold_port(int type, int *ret_fd)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(in);

	*ret_fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(*ret_fd, (struct sockaddr *)&in, size), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(*ret_fd, 1), 0);
	ck_assert_int_eq(getsockname(*ret_fd, (struct sockaddr *)&in, &size), 0);
	return ntohs(in.sin_port);
}

static int check_port(const char *address, uint16_t port, const char *protocol, struct error *err)
{
	struct publish_table table = {0};
	char text[64];

	snprintf(text, sizeof(text), "%s%u:80/%s", address, port, protocol);
	ck_assert_int_eq(publish_add(&table, text, err), 0);
	return publish_check(&table, err);
}

START_TEST(test_in_use)
{
	static const char *const protocols[] = {"tcp", "udp"};
	int fd;
	uint16_t port = hold_port(_i ? SOCK_DGRAM : SOCK_STREAM, &fd);
	struct error err = {0};

	ck_assert_int_eq(check_port("", port, protocols[_i], &err), -EADDRINUSE);
	ck_assert_msg(strstr(err.text, "is in use by another program"), "%s", err.text);
	ck_assert_int_eq(check_port("127.0.0.1:", port, protocols[_i], &err), -EADDRINUSE);
	ck_assert_int_eq(check_port("127.0.0.2:", port, protocols[_i], &err), 0);
	close(fd);
	ck_assert_int_eq(check_port("", port, protocols[_i], &err), 0);
	ck_assert_int_eq(check_port("192.0.2.77:", port, protocols[_i], &err), -EADDRNOTAVAIL);
	ck_assert_msg(strstr(err.text, "does not have the address 192.0.2.77"), "%s", err.text);
}
END_TEST

/* Without privilege: in a process of its own, which libcheck makes for each test. */
START_TEST(test_privileged)
{
	struct error err = {0};
	FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	unsigned first = 0;

	if (file && fscanf(file, "%u", &first) != 1)
		first = 0;
	if (file)
		fclose(file);
	if (first < 2 || (geteuid() == 0 && setuid(65534) < 0))
		return;
	ck_assert_int_eq(check_port("", 1, "tcp", &err), -EACCES);
	ck_assert_msg(strstr(err.text, "port 1 of the host is privileged"), "%s", err.text);
}
END_TEST

const char unit_name[] = "publish";
const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_good, ARRAY_SIZE(good)),
	UNIT_LOOP(test_bad, ARRAY_SIZE(bad)),
	UNIT_LOOP(test_twice, ARRAY_SIZE(twice)),
	UNIT_LOOP(test_remove, ARRAY_SIZE(removed)),
	UNIT_CASE(test_many),
	UNIT_LOOP(test_in_use, 2),
	UNIT_CASE(test_privileged),
	{0},
};
