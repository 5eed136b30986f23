/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packets that gdb sends, each with a row. What has no row is answered by an empty
 * packet, which says so.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gdb_private.h"

#define READ_MAX (GDB_PACKET_MAX / 2)

static void answer(struct gdb_session *session, const char *text)
{
	gdb_put(&session->out, text, strlen(text));
}

/* errno's number, as gdb's file operations have it; it tells users of no more than a failure. */
static void refuse(struct gdb_session *session, int error)
{
	gdb_printf(&session->out, "E%02x", (unsigned)error & 0xff);
}

static void answer_result(struct gdb_session *session, int r)
{
	if (r < 0)
		refuse(session, -r);
	else
		answer(session, "OK");
}

/* ---- What we are ------------------------------------------------------------ */

static void supported(struct gdb_session *session, const char *rest, size_t size)
{
	(void)rest;
	(void)size;
	gdb_printf(&session->out,
		   "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;vContSupported+",
		   (unsigned)GDB_PACKET_MAX);
}

static void no_acks(struct gdb_session *session, const char *rest, size_t size)
{
	(void)rest;
	(void)size;
	session->no_acks = true;
	answer(session, "OK");
}

static void features(struct gdb_session *session, const char *rest, size_t size)
{
	uint64_t offset, wanted, there;

	(void)size;
	if (!session->target)
		session->target = gdb_describe_target(session->machine);
	if (!session->target || !gdb_take(&rest, "target.xml:") || !gdb_take_hex(&rest, &offset) ||
	    !gdb_take(&rest, ",") || !gdb_take_hex(&rest, &wanted)) {
		refuse(session, EINVAL);
		return;
	}
	there = strlen(session->target);
	offset = min_u64(offset, there);
	wanted = min_u64(min_u64(wanted, there - offset), READ_MAX);
	gdb_put(&session->out, offset + wanted < there ? "m" : "l", 1);
	gdb_put(&session->out, session->target + offset, wanted);
}

static void attached(struct gdb_session *session, const char *rest, size_t size)
{
	(void)rest;
	(void)size;
	/* So gdb leaves the machine alive when it is quit. */
	answer(session, "1");
}

static void physical_mode(struct gdb_session *session, const char *rest, size_t size)
{
	(void)size;
	if (*rest == ':') {
		session->physical = rest[1] == '1';
		answer(session, "OK");
	} else {
		answer(session, session->physical ? "1" : "0");
	}
}

static void monitor(struct gdb_session *session, const char *rest, size_t size)
{
	(void)size;
	gdb_monitor(session, rest);
}

/* ---- Threads ---------------------------------------------------------------- */

/* A thread's number as a vCPU; 0 and -1, any and all, are @otherwise. */
static bool take_thread(const struct gdb_session *session, const char **at, uint32_t otherwise,
			uint32_t *ret)
{
	uint64_t number = 0;

	if (!gdb_take(at, "-1") && !gdb_take_hex(at, &number))
		return false;
	*ret = number ? (uint32_t)number - 1 : otherwise;
	return number <= session->cpus;
}

static void choose_thread(struct gdb_session *session, const char *rest, size_t size)
{
	uint32_t *chosen = *rest == 'c' ? &session->run_cpu : &session->cpu;
	const char *thread = rest + 1;
	uint32_t cpu;

	if (!size || !*rest || !take_thread(session, &thread, *chosen, &cpu)) {
		refuse(session, EINVAL);
		return;
	}
	*chosen = cpu;
	answer(session, "OK");
}

static void current_thread(struct gdb_session *session, const char *rest, size_t size)
{
	(void)rest;
	/* qCRC, for one, is another packet. */
	if (size)
		return;
	gdb_printf(&session->out, "QC%x", gdb_thread(session->cpu));
}

static void list_threads(struct gdb_session *session, const char *rest, size_t size)
{
	(void)rest;
	(void)size;
	for (uint32_t i = 0; i < session->cpus; i++)
		gdb_printf(&session->out, "%c%x", i ? ',' : 'm', gdb_thread(i));
}

static void list_no_more(struct gdb_session *session, const char *rest, size_t size)
{
	(void)rest;
	(void)size;
	answer(session, "l");
}

static void is_alive(struct gdb_session *session, const char *rest, size_t size)
{
	uint32_t cpu;

	(void)size;
	answer_result(session, take_thread(session, &rest, 0, &cpu) ? 0 : -ESRCH);
}

static void tell_thread(struct gdb_session *session, const char *rest, size_t size)
{
	uint32_t cpu;
	char text[64];
	int length;

	(void)size;
	if (!take_thread(session, &rest, 0, &cpu)) {
		refuse(session, ESRCH);
		return;
	}
	length = snprintf(text, sizeof(text), "vCPU %u%s", cpu,
			  machine_cpu_off(session->machine, cpu) ? ", off" : "");
	gdb_put_hex(&session->out, text, (size_t)length);
}

/* ---- Registers -------------------------------------------------------------- */

static void put_register(struct gdb_session *session, size_t index, unsigned size)
{
	uint8_t value[MACHINE_REGISTER_MAX] = {0};

	if (machine_get_register(session->machine, session->cpu, index, value) >= 0) {
		gdb_put_hex(&session->out, value, size);
		return;
	}
	/* It cannot be told. */
	for (unsigned i = 0; i < size; i++)
		gdb_put(&session->out, "xx", 2);
}

/* All but the system registers, which are asked for one by one. */
static size_t common_registers(struct gdb_session *session, const struct machine_register **ret)
{
	size_t all = machine_registers(session->machine, ret), count = 0;

	while (count < all && (*ret)[count].group != MACHINE_REGISTERS_SYSTEM)
		count++;
	return count;
}

static void read_registers(struct gdb_session *session, const char *rest, size_t size)
{
	const struct machine_register *list;
	size_t count = common_registers(session, &list);

	(void)rest;
	(void)size;
	for (size_t i = 0; i < count; i++)
		put_register(session, i, list[i].size);
}

static void write_registers(struct gdb_session *session, const char *rest, size_t size)
{
	const struct machine_register *list;
	size_t count = common_registers(session, &list);
	uint8_t value[MACHINE_REGISTER_MAX];

	(void)size;
	for (size_t i = 0; i < count; i++) {
		if (!gdb_take_bytes(&rest, value, list[i].size))
			break;
		machine_set_register(session->machine, session->cpu, i, value);
	}
	answer(session, "OK");
}

static bool take_register(struct gdb_session *session, const char **at, uint64_t *ret,
			  unsigned *ret_size)
{
	const struct machine_register *list;
	size_t count = machine_registers(session->machine, &list);

	if (!gdb_take_hex(at, ret) || *ret >= count)
		return false;
	*ret_size = list[*ret].size;
	return true;
}

static void read_register(struct gdb_session *session, const char *rest, size_t size)
{
	unsigned bytes;
	uint64_t index;

	(void)size;
	if (take_register(session, &rest, &index, &bytes))
		put_register(session, index, bytes);
	else
		refuse(session, EINVAL);
}

static void write_register(struct gdb_session *session, const char *rest, size_t size)
{
	uint8_t value[MACHINE_REGISTER_MAX] = {0};
	unsigned bytes;
	uint64_t index;
	int r = -EINVAL;

	(void)size;
	if (take_register(session, &rest, &index, &bytes) && gdb_take(&rest, "=") &&
	    gdb_take_bytes(&rest, value, bytes))
		r = machine_set_register(session->machine, session->cpu, index, value);
	answer_result(session, r);
}

/* ---- Memory ----------------------------------------------------------------- */

static bool take_place(const char **at, struct machine_memory *ret, uint64_t *ret_size)
{
	return gdb_take_hex(at, &ret->addr) && gdb_take(at, ",") && gdb_take_hex(at, ret_size);
}

static void read_memory(struct gdb_session *session, const char *rest, size_t size)
{
	struct machine_memory at = {.cpu = session->cpu, .physical = session->physical};
	_cleanup_free_ uint8_t *data = NULL;
	uint64_t wanted;
	size_t got = 0;

	(void)size;
	if (!take_place(&rest, &at, &wanted)) {
		refuse(session, EINVAL);
		return;
	}
	wanted = min_u64(wanted, READ_MAX);
	data = malloc(wanted + 1);
	if (data)
		machine_read_memory(session->machine, &at, data, wanted, &got);
	if (got || !wanted)
		gdb_put_hex(&session->out, data, got);
	else
		refuse(session, data ? EFAULT : ENOMEM);
}

static void write_at(struct gdb_session *session, const struct machine_memory *at, const void *data,
		     size_t size)
{
	size_t done;

	answer_result(session, machine_write_memory(session->machine, at, data, size, &done));
}

static void write_memory(struct gdb_session *session, const char *rest, size_t size)
{
	struct machine_memory at = {.cpu = session->cpu, .physical = session->physical};
	_cleanup_free_ uint8_t *data = malloc(size + 1);
	uint64_t wanted;

	if (!data || !take_place(&rest, &at, &wanted) || wanted > size || !gdb_take(&rest, ":") ||
	    !gdb_take_bytes(&rest, data, wanted))
		refuse(session, EINVAL);
	else
		write_at(session, &at, data, wanted);
}

/* The bytes are as they are. */
static void write_binary(struct gdb_session *session, const char *rest, size_t size)
{
	struct machine_memory at = {.cpu = session->cpu, .physical = session->physical};
	const char *end = rest + size;
	uint64_t wanted;

	if (!take_place(&rest, &at, &wanted) || !gdb_take(&rest, ":") ||
	    wanted != (uint64_t)(end - rest))
		refuse(session, EINVAL);
	else
		write_at(session, &at, rest, wanted);
}

/* ---- Points ----------------------------------------------------------------- */

static void change_point(struct gdb_session *session, const char *rest, bool on)
{
	struct machine_point_at at = {.cpu = session->cpu};
	uint64_t kind;
	int r;

	if (!gdb_take_hex(&rest, &kind) || kind >= MACHINE_POINTS) {
		/* Of a kind that we do not know. */
		return;
	}
	if (!gdb_take(&rest, ",") || !gdb_take_hex(&rest, &at.addr) || !gdb_take(&rest, ",") ||
	    !gdb_take_hex(&rest, &at.size))
		r = -EINVAL;
	else if (on)
		r = machine_set_point(session->machine, (enum machine_point)kind, &at);
	else
		r = machine_clear_point(session->machine, (enum machine_point)kind, &at);
	answer_result(session, r);
}

static void set_point(struct gdb_session *session, const char *rest, size_t size)
{
	(void)size;
	change_point(session, rest, true);
}

static void clear_point(struct gdb_session *session, const char *rest, size_t size)
{
	(void)size;
	change_point(session, rest, false);
}

/* ---- Going on --------------------------------------------------------------- */

static void tell_actions(struct gdb_session *session, const char *rest, size_t size)
{
	(void)rest;
	(void)size;
	answer(session, "vCont;c;C;s;S;r");
}

/* The answer comes when the machine stops. */
static void resume(struct gdb_session *session, const char *rest, size_t size)
{
	(void)size;
	if (!gdb_resume(session, rest))
		refuse(session, EINVAL);
}

static void resume_all(struct gdb_session *session, const char *rest, size_t size)
{
	(void)rest;
	(void)size;
	if (!gdb_resume_one(session, false))
		refuse(session, ENOMEM);
}

static void step_one(struct gdb_session *session, const char *rest, size_t size)
{
	(void)rest;
	(void)size;
	if (!gdb_resume_one(session, true))
		refuse(session, ENOMEM);
}

static void put_stop(struct gdb_session *session)
{
	static const char *const watches[] = {[MACHINE_POINT_WRITE] = "watch",
					      [MACHINE_POINT_READ] = "rwatch",
					      [MACHINE_POINT_ACCESS] = "awatch"};
	const struct machine_stop *stop = &session->stop;

	gdb_printf(&session->out, "T%02xthread:%x;", session->signal, gdb_thread(stop->cpu));
	if (session->signal == GDB_SIGNAL_TRAP && !stop->stepped && watches[stop->point])
		gdb_printf(&session->out, "%s:%" PRIx64 ";", watches[stop->point], stop->addr);
}

void gdb_tell_stop(struct gdb_session *session)
{
	session->running = false;
	session->cpu = session->stop.cpu;
	session->run_cpu = session->stop.cpu;
	gdb_begin(&session->out);
	put_stop(session);
	gdb_end(&session->out);
}

static void why_stopped(struct gdb_session *session, const char *rest, size_t size)
{
	(void)rest;
	(void)size;
	put_stop(session);
}

static void detach(struct gdb_session *session, const char *rest, size_t size)
{
	(void)rest;
	(void)size;
	session->detached = true;
	answer(session, "OK");
}

static void kill_machine(struct gdb_session *session, const char *rest, size_t size)
{
	(void)rest;
	(void)size;
	session->killed = true;
	answer(session, "OK");
}

/* A word that begins with another stands before it. */
static const struct {
	const char *word;
	void (*run)(struct gdb_session *session, const char *rest, size_t size);
} packets[] = {
	{"qSupported", supported},
	{"QStartNoAckMode", no_acks},
	{"qXfer:features:read:", features},
	{"qAttached", attached},
	{"qRcmd,", monitor},
	{"qfThreadInfo", list_threads},
	{"qsThreadInfo", list_no_more},
	{"qThreadExtraInfo,", tell_thread},
	{"qC", current_thread},
	{"qqemu.PhyMemMode", physical_mode},
	{"Qqemu.PhyMemMode", physical_mode},
	{"vCont?", tell_actions},
	{"vCont", resume},
	{"vKill", kill_machine},
	{"H", choose_thread},
	{"T", is_alive},
	{"g", read_registers},
	{"G", write_registers},
	{"p", read_register},
	{"P", write_register},
	{"m", read_memory},
	{"M", write_memory},
	{"X", write_binary},
	{"Z", set_point},
	{"z", clear_point},
	{"?", why_stopped},
	{"c", resume_all},
	{"s", step_one},
	{"D", detach},
	{"k", kill_machine},
};

/* These are answered by the stop that follows, and by nothing before. */
void gdb_handle(struct gdb_session *session, const char *packet, size_t size)
{
	size_t before = session->out.size;
	bool ran = session->running;

	gdb_begin(&session->out);
	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		size_t length = strlen(packets[i].word);

		if (length <= size && !strncmp(packet, packets[i].word, length)) {
			packets[i].run(session, packet + length, size - length);
			break;
		}
	}
	if (session->running && !ran)
		session->out.size = before;
	else
		gdb_end(&session->out);
}
