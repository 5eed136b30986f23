/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/publish.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/parse.h"

static int refuse(const char *text, const char *why, struct error *err)
{
	return error_set(err, EINVAL,
			 "--publish %s: %s; it is [ADDRESS:]PORT:GUESTPORT[/tcp|/udp], for example "
			 "8080:80 or 127.0.0.1:5353:53/udp",
			 text, why);
}

/* Cut the last word behind @separator off @text; NULL if there is none. */
static char *cut_last(char *text, char separator)
{
	char *at = strrchr(text, separator);

	if (!at)
		return NULL;
	*at = '\0';
	return at + 1;
}

static int take_protocol(struct publish *row, char *words, struct error *err)
{
	const char *protocol = cut_last(words, '/');

	if (!protocol || !strcmp(protocol, "tcp"))
		return 0;
	if (strcmp(protocol, "udp") != 0)
		return refuse(row->text, "the protocol is neither tcp nor udp", err);
	row->udp = true;
	return 0;
}

static int take_port(const struct publish *row, const char *word, const char *whose, uint16_t *ret,
		     struct error *err)
{
	uint64_t port;

	if (!word || !word[0])
		return refuse(row->text, "it needs two ports", err);
	if (parse_u64(word, &port) < 0 || port < 1 || port > UINT16_MAX)
		return error_set(
			err, EINVAL,
			"--publish %s: the %s's port is '%s', which is no number from 1 to "
			"65535",
			row->text, whose, word);
	*ret = (uint16_t)port;
	return 0;
}

static int take_address(struct publish *row, char *word, struct error *err)
{
	struct in6_addr address;
	size_t length = strlen(word);

	if (word[0] == '[' && word[length - 1] == ']') {
		word[length - 1] = '\0';
		word++;
		row->ipv6 = true;
	}
	if (inet_pton(row->ipv6 ? AF_INET6 : AF_INET, word, &address) != 1)
		return error_set(
			err, EINVAL,
			"--publish %s: '%s' is no address of the host: give it in numbers, "
			"that of IPv6 in brackets",
			row->text, word);
	/* One address has one spelling from here on. */
	inet_ntop(row->ipv6 ? AF_INET6 : AF_INET, &address, row->address, sizeof(row->address));
	return 0;
}

static int parse(struct publish *row, struct error *err)
{
	char words[PUBLISH_TEXT_MAX];
	char *guest;
	char *host;
	int r;

	memcpy(words, row->text, sizeof(words));
	r = take_protocol(row, words, err);
	if (r < 0)
		return r;
	guest = cut_last(words, ':');
	r = take_port(row, guest, "guest", &row->guest, err);
	if (r < 0)
		return r;
	host = cut_last(words, ':');
	r = take_port(row, host ? host : words, "host", &row->host, err);
	return r < 0 || !host ? r : take_address(row, words, err);
}

static bool is_wildcard(const struct publish *row)
{
	return !strcmp(row->address, "0.0.0.0") || !strcmp(row->address, "::");
}

static bool overlap(const struct publish *a, const struct publish *b)
{
	if (a->udp != b->udp || a->host != b->host)
		return false;
	if (!a->address[0] || !b->address[0])
		return true;
	return a->ipv6 == b->ipv6 &&
	       (is_wildcard(a) || is_wildcard(b) || !strcmp(a->address, b->address));
}

static int read_row(const char *text, struct publish *ret, struct error *err)
{
	*ret = (struct publish){0};
	if (strlen(text) >= sizeof(ret->text))
		return refuse(text, "it is too long", err);
	memcpy(ret->text, text, strlen(text) + 1);
	return parse(ret, err);
}

int publish_remove(struct publish_table *table, const char *text, struct error *err)
{
	struct publish row;
	int r = read_row(text, &row, err);

	for (unsigned i = 0; i < table->count && r == 0; i++) {
		const struct publish *there = &table->rows[i];

		if (there->udp != row.udp || there->host != row.host || there->guest != row.guest ||
		    strcmp(there->address, row.address) != 0)
			continue;
		table->count--;
		memmove(&table->rows[i], &table->rows[i + 1],
			(table->count - i) * sizeof(table->rows[0]));
		return 0;
	}
	return r < 0 ? r : error_set(err, ENOENT, "--publish %s: that is not published", text);
}

int publish_add(struct publish_table *table, const char *text, struct error *err)
{
	struct publish row;
	int r = read_row(text, &row, err);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < table->count; i++) {
		if (overlap(&row, &table->rows[i]))
			return error_set(
				err, EINVAL,
				"--publish %s: port %u is published already, by --publish %s", text,
				row.host, table->rows[i].text);
	}
	if (table->count == PUBLISH_MAX)
		return error_set(err, EINVAL, "--publish %s: %d ports are published already", text,
				 PUBLISH_MAX);
	table->rows[table->count++] = row;
	return 0;
}

/* Whether the host lets us have a port. */

static int refuse_port(const struct publish *row, int code, struct error *err)
{
	const char *protocol = row->udp ? "UDP" : "TCP";

	switch (code) {
	case EADDRINUSE:
		return error_set(
			err, code,
			"--publish %s: %s port %u of the host is in use by another program",
			row->text, protocol, row->host);
	case EACCES:
		return error_set(err, code,
				 "--publish %s: port %u of the host is privileged; take one above "
				 "1023, or lower net.ipv4.ip_unprivileged_port_start",
				 row->text, row->host);
	case EADDRNOTAVAIL:
		return error_set(err, code, "--publish %s: the host does not have the address %s",
				 row->text, row->address);
	default:
		return error_set_errno(err, code, "--publish %s: %s port %u of the host", row->text,
				       protocol, row->host);
	}
}

/* Take the port for a moment. A UDP socket that allows it would share, so it does not. */
static int try_port(const struct publish *row, bool ipv6)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(row->host)};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(row->host)};
	const int type = row->udp ? SOCK_DGRAM : SOCK_STREAM;
	const int on = 1;
	_cleanup_close_ int fd = socket(ipv6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	if (!row->udp)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ipv6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
		inet_pton(AF_INET6, row->address, &in6.sin6_addr);
		r = bind(fd, (const struct sockaddr *)&in6, sizeof(in6));
	} else {
		inet_pton(AF_INET, row->address, &in.sin_addr);
		r = bind(fd, (const struct sockaddr *)&in, sizeof(in));
	}
	return r < 0 ? -errno : 0;
}

int publish_check(const struct publish_table *table, struct error *err)
{
	for (unsigned i = 0; i < table->count; i++) {
		const struct publish *row = &table->rows[i];
		int r = try_port(row, row->ipv6);

		if (r == 0 && !row->address[0]) {
			/* All addresses: a host without IPv6 has none of those. */
			r = try_port(row, true);
			if (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)
				r = 0;
		}
		if (r < 0)
			return refuse_port(row, -r, err);
	}
	return 0;
}
