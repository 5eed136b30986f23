/* SPDX-License-Identifier: Apache-2.0 */
/* A shell script plays passt; the real one is started, too, where it is installed. */
#include "backend/passt.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "unit.h"

#define MAC                         \
	{                           \
		0x02, 1, 2, 3, 4, 5 \
	}

static char script[] = "/tmp/test-passt-XXXXXX";
static char words_file[64];

/* Write the script: what it was called with, in a file; then @body. */
static void write_script(const char *body)
{
	char text[1024];
	int fd = mkstemp(script);

	ck_assert_int_ge(fd, 0);
	snprintf(words_file, sizeof(words_file), "%s.words", script);
	snprintf(text, sizeof(text), "#!/bin/sh\necho \"$*\" >>%s\n%s\n", words_file, body);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(fchmod(fd, 0755), 0);
	close(fd);
}

static void remove_script(void)
{
	unlink(script);
	unlink(words_file);
}

static const char *script_words(void)
{
	static char text[1024];
	int fd = open(words_file, O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[size > 0 ? size : 0] = '\0';
	return text;
}

static int start(const struct publish_table *publish, uint16_t mtu, struct net_port **ret,
		 struct error *err)
{
	const struct passt_options options = {
		.program = script,
		.publish = publish,
		.mac = MAC,
		.mtu = mtu,
	};
	int r = passt_open(&options, ret, err);

	if (r < 0)
		return r;
	r = passt_ready(*ret, err);
	if (r < 0) {
		net_port_destroy(*ret);
		*ret = NULL;
	}
	return r;
}

/* As passt: a child in the background with the socket, which gives back what it gets. */
#define BACKGROUND "cat <&3 >&3 2>/dev/null & exit 0"

START_TEST(test_frames)
{
	struct net_port *port = NULL;
	struct error err = {0};
	char back[8] = "";

	write_script(BACKGROUND);
	ck_assert_msg(start(NULL, 0, &port, &err) == 0, "%s", err.text);
	ck_assert_int_eq(passt_ready(port, &err), 0);
	ck_assert_int_eq(port->framing, NET_FRAMES_STREAM);
	ck_assert_uint_eq(port->pair_count, 1);
	ck_assert_uint_eq(port->offloads, 0);
	ck_assert_int_eq(send(port->pairs[0].fd, "frame", 5, 0), 5);
	ck_assert_int_eq(recv(port->pairs[0].fd, back, sizeof(back), 0), 5);
	ck_assert_str_eq(back, "frame");
	net_port_destroy(port);
	remove_script();
}
END_TEST

/* One frame, as any switch would learn from. */
START_TEST(test_introduce)
{
	static const uint8_t mac[MAC_SIZE] = MAC;
	struct net_port *port = NULL;
	struct error err = {0};
	uint8_t back[128];

	write_script(BACKGROUND);
	ck_assert_msg(start(NULL, 0, &port, &err) == 0, "%s", err.text);
	passt_introduce(port, mac);
	ck_assert_int_eq(recv(port->pairs[0].fd, back, sizeof(back), 0), 64);
	ck_assert_mem_eq(back, "\0\0\0\x3c\xff\xff\xff\xff\xff\xff", 10);
	ck_assert_mem_eq(back + 10, mac, MAC_SIZE);
	ck_assert_mem_eq(back + 16, "\x80\x35", 2);
	net_port_destroy(port);
	remove_script();
}
END_TEST

START_TEST(test_words)
{
	struct publish_table table = {0};
	struct net_port *port = NULL;
	struct error err = {0};

	write_script(BACKGROUND);
	ck_assert_int_eq(publish_add(&table, "127.0.0.1:33380:80", &err), 0);
	ck_assert_int_eq(publish_add(&table, "33322:22", &err), 0);
	ck_assert_int_eq(publish_add(&table, "33353:53/udp", &err), 0);
	ck_assert_msg(start(&table, 9000, &port, &err) == 0, "%s", err.text);
	ck_assert_msg(strstr(script_words(), "--quiet --fd 3 --mac-addr 02:01:02:03:04:85 --mtu "
					     "9000 -t 127.0.0.1/33380:80 -t 33322:22 -u 33353:53"),
		      "%s", script_words());
	net_port_destroy(port);
	remove_script();
}
END_TEST

/* Nothing published is said aloud: older versions have their own idea of UDP. */
START_TEST(test_words_none)
{
	struct net_port *port = NULL;
	struct error err = {0};

	write_script(BACKGROUND);
	ck_assert_int_eq(start(NULL, 0, &port, &err), 0);
	ck_assert_msg(strstr(script_words(), "-t none -u none"), "%s", script_words());
	ck_assert_ptr_null(strstr(script_words(), "--mtu"));
	net_port_destroy(port);
	remove_script();
}
END_TEST

static const struct {
	const char *body;
	const char *sentence;
} failures[] = {
	{"echo 'Failed to send 9 bytes to syslog' >&2; echo 'External interface not usable' >&2; "
	 "exit 1",
	 "--net user: passt has ended: External interface not usable"},
	{"exit 1", "--net user: passt has ended: it did not say why"},
	{"exit 0", "--net user: passt has ended: it did not say why"},
	{"kill -9 $$", "--net user: passt has ended: it did not say why"},
	{"echo \"Couldn't create user namespace: No space left on device\" >&2; exit 1",
	 "--net user: passt cannot isolate itself here: Couldn't create user namespace: No space "
	 "left on device; it needs user namespaces (in a container: a seccomp profile that permits "
	 "them), or take --net tap"},
};

START_TEST(test_failures)
{
	struct net_port *port = NULL;
	struct error err = {0};

	write_script(failures[_i].body);
	ck_assert_int_eq(start(NULL, 0, &port, &err), -EIO);
	ck_assert_str_eq(err.text, failures[_i].sentence);
	remove_script();
}
END_TEST

/* Without user namespaces it is asked to do without, which those can who may. */
START_TEST(test_no_user_namespaces)
{
	struct net_port *port = NULL;
	struct error err = {0};

	write_script("case \"$*\" in *--netns-only*) " BACKGROUND ";; esac\n"
		     "echo \"Couldn't create user namespace: Operation not permitted\" >&2\n"
		     "exit 1");
	ck_assert_msg(start(NULL, 0, &port, &err) == 0, "%s", err.text);
	net_port_destroy(port);
	remove_script();
}
END_TEST

START_TEST(test_not_installed)
{
	struct net_port *port = NULL;
	struct error err = {0};

	snprintf(script, sizeof(script), "/nonexistent/passt");
	ck_assert_int_eq(start(NULL, 0, &port, &err), -ENOENT);
	ck_assert_str_eq(err.text, "--net user: the program /nonexistent/passt is not installed; "
				   "the package passt has it");
}
END_TEST

/* Asked for, and never waited for. */
START_TEST(test_abandoned)
{
	const struct passt_options options = {.program = script, .mac = MAC};
	struct net_port *port = NULL;
	struct error err = {0};

	write_script("sleep 100");
	ck_assert_int_eq(passt_open(&options, &port, &err), 0);
	net_port_destroy(port);
	remove_script();
}
END_TEST

/* The real one ends with its socket; what it answers to is an ARP request for its gateway. */
START_TEST(test_real)
{
	static const uint8_t request[64] = {
		0, 0, 0, 60, 255, 255, 255, 255, 255, 255, 2, 1, 2, 3, 4, 5, 8, 6, 0, 1,  8, 0, 6,
		4, 0, 1, 2,  1,   2,   3,   4,   5,   0,   0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1,
	};
	const struct passt_options options = {.mac = MAC, .mtu = 1500};
	struct net_port *port = NULL;
	struct error err = {0};
	struct pollfd polled = {.events = POLLIN};
	uint8_t answer[64] = {0};
	int r = passt_open(&options, &port, &err);

	if (r == 0)
		r = passt_ready(port, &err);
	if (r < 0) {
		ck_assert_msg(!strncmp(err.text, "--net user: ", 12), "%s", err.text);
		net_port_destroy(port);
		return;
	}
	polled.fd = port->pairs[0].fd;
	ck_assert_int_eq(send(polled.fd, request, sizeof(request), 0), sizeof(request));
	if (poll(&polled, 1, 2000) > 0) {
		ck_assert_int_ge(recv(polled.fd, answer, sizeof(answer), 0), 4 + 42);
		ck_assert_uint_eq(answer[4], 2);
		ck_assert_uint_eq(answer[4 + 6 + 5], 0x85);
	}
	net_port_destroy(port);
}
END_TEST

const char unit_name[] = "passt";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_frames),
	UNIT_CASE(test_introduce),
	UNIT_CASE(test_words),
	UNIT_CASE(test_words_none),
	UNIT_LOOP(test_failures, ARRAY_SIZE(failures)),
	UNIT_CASE(test_no_user_namespaces),
	UNIT_CASE(test_not_installed),
	UNIT_CASE(test_abandoned),
	UNIT_CASE(test_real),
	{0},
};
