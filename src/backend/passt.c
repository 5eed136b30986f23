/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/passt.h"

#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/helper_process.h"
#include "base/log.h"

#define SOCKET_FD "3" /* passt's end, in passt */

#define WORDS_MAX     (24 + 2 * PUBLISH_MAX)
#define TEXT_MAX      128   /* of a word that is made here */
#define START_WAIT_MS 20000 /* it takes 40 ms where nobody else wants the CPU */
#define END_WAIT_MS   1000  /* it sees the end of its socket at once */

#define NOBODY 65534

struct passt {
	struct net_port port;
	struct helper_process *helper; /* its first process, until passt_ready() */
	unsigned word_count;
	char *words[WORDS_MAX + 1];
};

static struct passt *to_passt(struct net_port *port)
{
	return container_of(port, struct passt, port);
}

/* The command line. */

static int add_word(struct passt *passt, const char *word)
{
	char *copy = strdup(word);

	if (!copy)
		return -ENOMEM;
	passt->words[passt->word_count++] = copy;
	return 0;
}

static int add_option(struct passt *passt, const char *option, const char *value)
{
	int r = add_word(passt, option);

	return r < 0 ? r : add_word(passt, value);
}

/* Without a word on UDP, old versions forward the numbers of TCP's ports there too. */
static int add_publishes(struct passt *passt, const struct publish_table *table, bool udp)
{
	const char *option = udp ? "-u" : "-t";
	bool any = false;
	int r = 0;

	for (unsigned i = 0; table && i < table->count && r == 0; i++) {
		const struct publish *row = &table->rows[i];
		char value[TEXT_MAX];

		if (row->udp != udp)
			continue;
		any = true;
		snprintf(value, sizeof(value), "%s%s%u:%u", row->address,
			 row->address[0] ? "/" : "", row->host, row->guest);
		r = add_option(passt, option, value);
	}
	return r < 0 || any ? r : add_option(passt, option, "none");
}

/* Whether user or group 65534 is one that this process can name. */
static bool maps_nobody(const char *path)
{
	FILE *file = fopen(path, "re");
	bool found = false;
	char line[128];

	if (!file)
		return true;
	/* user_namespaces(7): what a group of IDs begins with inside and outside, and its size. */
	while (fgets(line, sizeof(line), file)) {
		char *at = line;
		unsigned long inside = strtoul(at, &at, 10);

		strtoul(at, &at, 10);
		found |= NOBODY >= inside && NOBODY - inside < strtoul(at, NULL, 10);
	}
	fclose(file);
	return found;
}

static bool can_become_nobody(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	const uint64_t needed = BIT(CAP_SETUID) | BIT(CAP_SETGID);

	if (syscall(SYS_capget, &header, data) < 0 || (data[0].effective & needed) != needed)
		return false;
	return maps_nobody("/proc/self/uid_map") && maps_nobody("/proc/self/gid_map");
}

static int build_words(struct passt *passt, const struct passt_options *options)
{
	uint8_t mac[MAC_SIZE];
	char text[MAC_TEXT_MAX];
	char mtu[TEXT_MAX];
	int r = add_word(passt, options->program ? options->program : "passt");

	/* Neither the guest's, nor the host's: the guest keeps its neighbour when it moves. */
	memcpy(mac, options->mac, sizeof(mac));
	mac[0] |= 0x02;
	mac[MAC_SIZE - 1] ^= 0x80;
	if (r == 0)
		r = add_word(passt, "--quiet");
	if (r == 0)
		r = add_option(passt, "--fd", SOCKET_FD);
	if (r == 0)
		r = add_option(passt, "--mac-addr", mac_format(mac, text));
	if (r == 0 && options->mtu) {
		snprintf(mtu, sizeof(mtu), "%u", options->mtu);
		r = add_option(passt, "--mtu", mtu);
	}
	if (r == 0)
		r = add_publishes(passt, options->publish, false);
	if (r == 0)
		r = add_publishes(passt, options->publish, true);
	if (r == 0 && geteuid() == 0 && !can_become_nobody())
		r = add_option(passt, "--runas", "0:0");
	return r;
}

/* Starting it. */

static int start(struct passt *passt, struct error *err)
{
	struct helper_options options = {
		.argv = (const char *const *)passt->words,
		.fd_count = 1,
	};
	int fds[2];
	int r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return error_set_errno(err, errno, "--net user: passt cannot be started");
	close_fd(passt->port.pairs[0].fd);
	passt->port.pairs[0].fd = fds[0];
	options.fds = &fds[1];
	r = helper_process_start(&options, &passt->helper);
	close_fd(fds[1]);
	if (r == -ENOENT)
		return error_set(err, ENOENT,
				 "--net user: the program %s is not installed; the package passt "
				 "has it",
				 passt->words[0]);
	if (r < 0)
		return error_set_errno(err, -r, "--net user: %s cannot be started",
				       passt->words[0]);
	return 0;
}

/* Its first process has ended; whether one is in the background that has our socket. */
static bool is_up(const struct passt *passt)
{
	struct pollfd polled = {.fd = passt->port.pairs[0].fd, .events = POLLIN};

	return poll(&polled, 1, 0) == 0 || !(polled.revents & (POLLHUP | POLLERR));
}

static int refuse(const char *words, struct error *err)
{
	if (strstr(words, "namespace"))
		return error_set(err, EIO,
				 "--net user: passt cannot isolate itself here: %s; it needs user "
				 "namespaces (in a container: a seccomp profile that permits "
				 "them), or take --net tap",
				 words);
	return error_set(err, EIO, "--net user: passt has ended: %s",
			 words[0] ? words : "it did not say why");
}

/* Once more, if it failed for lack of user namespaces: some have other means. */
static bool try_again(struct passt *passt, const char *words, struct error *err)
{
	struct error again = {0};
	int r = strstr(words, "user namespace") ? add_word(passt, "--netns-only") : -EINVAL;

	if (r == 0)
		r = start(passt, &again);
	if (r == 0) {
		helper_process_wait(passt->helper, START_WAIT_MS);
		helper_process_end(steal_ptr(&passt->helper), 0);
	}
	if (r == 0 && is_up(passt))
		return true;
	refuse(words, err);
	return false;
}

int passt_ready(struct net_port *port, struct error *err)
{
	struct passt *passt = to_passt(port);
	char words[256];

	if (!passt->helper)
		return 0;
	if (!helper_process_wait(passt->helper, START_WAIT_MS))
		return error_set(err, ETIMEDOUT,
				 "--net user: passt has not come up within %d seconds",
				 START_WAIT_MS / 1000);
	snprintf(words, sizeof(words), "%s", helper_process_last_words(passt->helper));
	helper_process_end(steal_ptr(&passt->helper), 0);
	return is_up(passt) || try_again(passt, words, err) ? 0 : -EIO;
}

/* A request of reverse ARP (RFC 903), which asks for nothing that passt knows. */
void passt_introduce(struct net_port *port, const uint8_t mac[MAC_SIZE])
{
	struct __attribute__((packed)) {
		uint8_t prefix[4];
		uint8_t to[MAC_SIZE];
		uint8_t from[MAC_SIZE];
		uint8_t type[2];
		uint8_t kinds[8]; /* Ethernet and IPv4, their sizes, the operation */
		uint8_t sender[MAC_SIZE];
		uint8_t sender_ip[4];
		uint8_t target[MAC_SIZE];
		uint8_t target_ip[4];
		uint8_t padding[18];
	} frame = {
		.to = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		.type = {0x80, 0x35},
		.kinds = {0, 1, 0x08, 0, MAC_SIZE, 4, 0, 3},
	};

	frame.prefix[3] = sizeof(frame) - sizeof(frame.prefix);
	memcpy(frame.from, mac, MAC_SIZE);
	memcpy(frame.sender, mac, MAC_SIZE);
	memcpy(frame.target, mac, MAC_SIZE);
	/* There is room for it, as it is the first; if not, the guest speaks for itself. */
	if (send(port->pairs[0].fd, &frame, sizeof(frame), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("passt is not told of the guest: %s", strerror(errno));
}

/* Its end: when it has closed its socket, its ports are free again. */
static void await_end(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	char frames[4096];

	shutdown(fd, SHUT_WR);
	while (poll(&polled, 1, END_WAIT_MS) > 0) {
		if (recv(fd, frames, sizeof(frames), MSG_DONTWAIT) <= 0)
			break;
	}
}

void passt_end(struct net_port *port)
{
	if (port->pairs[0].fd >= 0)
		await_end(port->pairs[0].fd);
}

static void destroy(struct net_port *port)
{
	struct passt *passt = to_passt(port);

	helper_process_end(passt->helper, 0);
	passt_end(port);
	close_fd(port->pairs[0].fd);
	for (unsigned i = 0; i < passt->word_count; i++)
		free(passt->words[i]);
	free(passt);
}

static const struct net_port_ops passt_ops = {.destroy = destroy};

int passt_open(const struct passt_options *options, struct net_port **ret, struct error *err)
{
	_cleanup_(cleanup_net_port_destroy_) struct net_port *port = NULL;
	struct passt *passt;
	int r = options->publish ? publish_check(options->publish, err) : 0;

	if (r < 0)
		return r;
	passt = calloc(1, sizeof(*passt));
	if (!passt)
		return error_set_errno(err, ENOMEM, "--net user");
	port = &passt->port;
	port->ops = &passt_ops;
	port->peer = "passt";
	port->framing = NET_FRAMES_STREAM;
	port->pair_count = 1;
	port->pairs[0] = (struct net_pair){.fd = -1, .vhost_fd = -1};
	r = build_words(passt, options);
	if (r < 0)
		return error_set_errno(err, -r, "--net user: passt cannot be started");
	r = start(passt, err);
	if (r < 0)
		return r;
	*ret = steal_ptr(&port);
	return 0;
}
