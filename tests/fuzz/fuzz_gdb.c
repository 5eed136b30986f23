/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client of the stub for gdb may send: bytes, packets, and what the commands find in
 * these, on a machine that is a few bytes. Each packet is answered by one that can be read,
 * or by none if the machine is to go on.
 */
#include <string.h>

#include "fuzz.h"
#include "gdb_private.h"

#define CPUS 3

static uint8_t memory[64 * KIB];
static const struct machine_register registers[] = {
	{"X0", MACHINE_REGISTERS_CORE, 0, 8},    {"CPSR", MACHINE_REGISTERS_CORE, 33, 4},
	{"V0", MACHINE_REGISTERS_VECTOR, 0, 16}, {"FPSR", MACHINE_REGISTERS_VECTOR, 32, 4},
	{"VG", MACHINE_REGISTERS_SVE, 17, 8},    {"SCTLR_EL1", MACHINE_REGISTERS_SYSTEM, 1, 8},
};

/* ---- The machine ------------------------------------------------------------ */

size_t machine_registers(struct machine *machine, const struct machine_register **ret)
{
	(void)machine;
	*ret = registers;
	return ARRAY_SIZE(registers);
}

int machine_get_register(struct machine *machine, uint32_t cpu, size_t index,
			 uint8_t value[static MACHINE_REGISTER_MAX])
{
	(void)machine;
	FUZZ_ASSERT(cpu < CPUS && index < ARRAY_SIZE(registers));
	memset(value, 0x5a, registers[index].size);
	return index == 3 ? -EINVAL : 0;
}

int machine_set_register(struct machine *machine, uint32_t cpu, size_t index,
			 const uint8_t value[static MACHINE_REGISTER_MAX])
{
	(void)machine;
	(void)value;
	FUZZ_ASSERT(cpu < CPUS && index < ARRAY_SIZE(registers));
	return 0;
}

static size_t span(const struct machine_memory *at, size_t size)
{
	FUZZ_ASSERT(at->cpu < CPUS);
	return at->addr >= sizeof(memory) ? 0 : min_u64(size, sizeof(memory) - at->addr);
}

int machine_read_memory(const struct machine *machine, const struct machine_memory *at, void *data,
			size_t size, size_t *ret)
{
	(void)machine;
	*ret = span(at, size);
	memcpy(data, memory + (*ret ? at->addr : 0), *ret);
	return *ret < size ? -EFAULT : 0;
}

int machine_write_memory(struct machine *machine, const struct machine_memory *at, const void *data,
			 size_t size, size_t *ret)
{
	(void)machine;
	*ret = span(at, size);
	memcpy(memory + (*ret ? at->addr : 0), data, *ret);
	return *ret < size ? -EFAULT : 0;
}

int machine_set_point(struct machine *machine, enum machine_point point,
		      const struct machine_point_at *at)
{
	(void)machine;
	FUZZ_ASSERT(point < MACHINE_POINTS && at->cpu < CPUS);
	return at->size > 8 ? -EINVAL : 0;
}

int machine_clear_point(struct machine *machine, enum machine_point point,
			const struct machine_point_at *at)
{
	return machine_set_point(machine, point, at);
}

void machine_debug_go(struct machine *machine, const struct machine_go *go)
{
	(void)machine;
	for (uint32_t i = 0; i < CPUS; i++)
		FUZZ_ASSERT(go[i].how <= MACHINE_STEP);
}

bool machine_cpu_off(const struct machine *machine, uint32_t cpu)
{
	(void)machine;
	FUZZ_ASSERT(cpu < CPUS);
	return cpu == 1;
}

void machine_reset(struct machine *machine)
{
	(void)machine;
}

/* ---- The client ------------------------------------------------------------- */

static void check_answer(struct gdb_session *session)
{
	struct gdb_writer *out = &session->out;
	enum gdb_input input = GDB_NOTHING;
	struct gdb_reader reader;

	FUZZ_ASSERT(!out->failed && gdb_reader_init(&reader) == 0);
	for (size_t i = 0; i < out->size; i++) {
		FUZZ_ASSERT(input == GDB_NOTHING);
		input = gdb_reader_byte(&reader, (uint8_t)out->data[i]);
	}
	FUZZ_ASSERT(session->running ? out->size == 0 : input == GDB_PACKET);
	gdb_reader_finish(&reader);
	out->size = 0;
	session->running = false;
	session->detached = false;
	session->killed = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gdb_session session = {.cpus = CPUS, .signal = GDB_SIGNAL_TRAP};
	struct gdb_reader reader;

	FUZZ_ASSERT(gdb_reader_init(&reader) == 0);
	for (size_t i = 0; i < size; i++) {
		enum gdb_input input = gdb_reader_byte(&reader, data[i]);

		/* A sum is seldom guessed; what is in the packet is what matters. */
		if (input != GDB_PACKET && input != GDB_DAMAGED)
			continue;
		FUZZ_ASSERT(reader.size <= GDB_PACKET_MAX);
		reader.data[reader.size] = '\0';
		gdb_handle(&session, reader.data, reader.size);
		check_answer(&session);
	}
	gdb_reader_finish(&reader);
	gdb_writer_finish(&session.out);
	free(session.target);
	return 0;
}
