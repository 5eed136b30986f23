/* SPDX-License-Identifier: Apache-2.0 */
#include "machined.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/helper_process.h"
#include "base/log.h"

#define BOOTED            "/run/systemd/system" /* sd_booted(3) */
#define SERVICE           "/usr/share/dbus-1/system-services/org.freedesktop.machine1.service"
#define HOST              "/etc/machine-id"
#define NAME_MAX_OF_HOSTS 64
#define GRACE_MS          100 /* for a registration that is under way when the machine ends */

struct machined {
	struct helper_process *helper;
	struct event_source ended;
};

bool machined_takes_name(const char *name)
{
	size_t size = strlen(name);
	char before = '.';

	if (!size || size > NAME_MAX_OF_HOSTS)
		return false;
	for (const char *at = name; *at; before = *at++) {
		bool first = before == '.';

		if (*at == '.' && (first || before == '-'))
			return false;
		if (*at == '-' && first)
			return false;
		if (*at != '.' && *at != '-' && !isalnum((unsigned char)*at))
			return false;
	}
	return before != '.' && before != '-';
}

/* FNV-1a, begun differently for each half. */
static uint64_t hash(uint64_t seed, const char *text)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325) ^ seed;

	do {
		sum = (sum ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	} while (*text++);
	return sum;
}

void machined_uuid(const char *name, const char *host, uint8_t ret[static MACHINED_UUID_SIZE])
{
	for (unsigned half = 0; half < 2; half++) {
		uint64_t sum = hash(hash(hash(half, "armlet"), host), name);

		/* Its low bits know little of the last characters. */
		sum ^= sum >> 32;
		for (unsigned i = 0; i < 8; i++)
			ret[8 * half + i] = (uint8_t)(sum >> (8 * i));
	}
	ret[6] = (uint8_t)(0x80 | (ret[6] & 0x0f)); /* version 8 */
	ret[8] = (uint8_t)(0x80 | (ret[8] & 0x3f)); /* its variant */
}

void machined_command(const struct machined_entry *entry, struct machined_command *ret)
{
	static const char *const begin[] = {
		"busctl",
		"--system",
		"--quiet",
		"--timeout=10",
		"call",
		"org.freedesktop.machine1",
		"/org/freedesktop/machine1",
		"org.freedesktop.machine1.Manager",
	};
	char *pid;
	size_t count = 0;

	*ret = (struct machined_command){0};
	pid = ret->numbers[MACHINED_UUID_SIZE];
	for (; count < ARRAY_SIZE(begin); count++)
		ret->words[count] = begin[count];
	ret->words[count++] = entry->in_unit ? "RegisterMachine" : "CreateMachine";
	ret->words[count++] = entry->in_unit ? "sayssus" : "sayssusa(sv)";
	ret->words[count++] = entry->name;
	ret->words[count++] = "16"; /* bytes follow */
	for (unsigned i = 0; i < MACHINED_UUID_SIZE; i++) {
		snprintf(ret->numbers[i], sizeof(ret->numbers[i]), "%u", entry->uuid[i]);
		ret->words[count++] = ret->numbers[i];
	}
	snprintf(pid, sizeof(ret->numbers[0]), "%ld", entry->pid);
	ret->words[count++] = "armlet";
	ret->words[count++] = "vm";
	ret->words[count++] = pid;
	ret->words[count++] = ""; /* a folder of its root */
	if (!entry->in_unit)
		ret->words[count++] = "0"; /* properties of the scope */
	ret->words[count] = NULL;
}

static void read_host(char ret[static 64])
{
	FILE *file = fopen(HOST, "re");

	if (!file || !fgets(ret, 64, file))
		ret[0] = '\0';
	if (file)
		fclose(file);
}

/* busctl says nothing if all is well. */
static void on_ended(void *data, unsigned events)
{
	struct machined *machined = data;
	const char *words = helper_process_last_words(machined->helper);

	(void)events;
	event_source_remove(&machined->ended);
	if (words[0])
		log_warning("machinectl does not list the machine: %s", words);
	helper_process_end(machined->helper, 0);
	machined->helper = NULL;
}

static bool is_there(const char *name)
{
	if (geteuid() != 0 || access(BOOTED, F_OK) < 0 || access(SERVICE, F_OK) < 0)
		return false;
	if (machined_takes_name(name))
		return true;
	log_info("machinectl does not list the machine: '%s' is no name for a host", name);
	return false;
}

struct machined *machined_register(struct event_loop *loop, const char *name, bool in_unit)
{
	struct machined_entry entry = {.name = name, .pid = getpid(), .in_unit = in_unit};
	struct machined_command command;
	const struct helper_options options = {.argv = command.words};
	struct machined *machined;
	char host[64] = "";
	int r;

	if (!is_there(name))
		return NULL;
	read_host(host);
	machined_uuid(name, host, entry.uuid);
	machined_command(&entry, &command);
	machined = calloc(1, sizeof(*machined));
	if (!machined)
		return NULL;
	machined->ended = (struct event_source){.fd = -1, .callback = on_ended, .data = machined};
	r = helper_process_start(&options, &machined->helper);
	if (r == 0)
		r = event_loop_add(loop, &machined->ended, helper_process_fd(machined->helper),
				   EVENT_READ);
	if (r == 0)
		return machined;
	if (r != -ENOENT)
		log_warning("machinectl does not list the machine: busctl: %s", strerror(-r));
	machined_forget(machined);
	return NULL;
}

void machined_forget(struct machined *machined)
{
	if (!machined)
		return;
	event_source_remove(&machined->ended);
	helper_process_end(machined->helper, GRACE_MS);
	free(machined);
}
