/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader of the device tree (Devicetree Specification, chapter 5), as far as
 * a payload needs one: it walks the structure block from its start each time.
 */
#include "runtime.h"

enum { FDT_BEGIN_NODE = 1, FDT_END_NODE = 2, FDT_PROP = 3, FDT_NOP = 4, FDT_END = 9 };

enum { HEADER_OFF_STRUCT = 8, HEADER_OFF_STRINGS = 12 };

static uint32_t be32(const void *at)
{
	const uint8_t *b = at;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static const uint8_t *tree(void)
{
	return (const uint8_t *)boot_state.x[0];
}

/* The events of a walk: where we are, and what stands there. */
struct walk {
	const uint8_t *at;
	uint32_t token;
	unsigned depth; /* of the node that we are in; the root's is 1 */
	const char *name;
	const uint8_t *value;
	uint32_t size;
};

static struct walk walk_start(void)
{
	return (struct walk){.at = tree() + be32(tree() + HEADER_OFF_STRUCT)};
}

static const uint8_t *align4(const uint8_t *at)
{
	return (const uint8_t *)(((uintptr_t)at + 3) & ~(uintptr_t)3);
}

/* False at the end. */
static bool walk_next(struct walk *walk)
{
	walk->token = be32(walk->at);
	walk->at += 4;
	switch (walk->token) {
	case FDT_BEGIN_NODE:
		walk->name = (const char *)walk->at;
		while (*walk->at)
			walk->at++;
		walk->at = align4(walk->at + 1);
		walk->depth++;
		return true;
	case FDT_END_NODE:
		walk->depth--;
		return true;
	case FDT_PROP:
		walk->size = be32(walk->at);
		walk->name = (const char *)tree() + be32(tree() + HEADER_OFF_STRINGS) +
			     be32(walk->at + 4);
		walk->value = walk->at + 8;
		walk->at = align4(walk->at + 8 + walk->size);
		return true;
	case FDT_NOP:
		return true;
	default:
		return false;
	}
}

/* The number of characters of @path that @name is the first component of; 0: it is not. */
static unsigned match_component(const char *path, const char *name)
{
	unsigned length = 0;

	while (path[length] && path[length] != '/' && path[length] == name[length])
		length++;
	if (path[length] && path[length] != '/')
		return 0;
	return name[length] && name[length] != '@' ? 0 : length;
}

/* Walk to just behind the beginning of the node at @path, "/" being the root. */
static bool walk_to(struct walk *walk, const char *path)
{
	unsigned matched = 1; /* components, the root included */

	*walk = walk_start();
	path++;
	while (walk_next(walk)) {
		unsigned length;

		if (walk->token == FDT_BEGIN_NODE && walk->depth == 1 && !*path)
			return true;
		if (walk->token == FDT_END_NODE && walk->depth < matched)
			return false;
		if (walk->token != FDT_BEGIN_NODE || walk->depth != matched + 1)
			continue;
		length = match_component(path, walk->name);
		if (!length)
			continue;
		matched++;
		path += length;
		if (!*path++)
			return true;
	}
	return false;
}

bool fdt_has_node(const char *path)
{
	struct walk walk;

	return walk_to(&walk, path);
}

/* The property @name of the node that @walk has just come to. */
static const void *property_here(struct walk *walk, const char *name, uint32_t *ret_size)
{
	unsigned depth = walk->depth;

	while (walk_next(walk) && walk->depth == depth) {
		if (walk->token != FDT_PROP || !same(walk->name, name))
			continue;
		if (ret_size)
			*ret_size = walk->size;
		return walk->value;
	}
	return NULL;
}

const void *fdt_property(const char *path, const char *name, uint32_t *ret_size)
{
	struct walk walk;

	return walk_to(&walk, path) ? property_here(&walk, name, ret_size) : NULL;
}

uint64_t fdt_number(const void *cells, unsigned count)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < count; i++)
		value = value << 32 | be32((const uint8_t *)cells + 4 * i);
	return value;
}

const char *fdt_bootargs(void)
{
	const char *bootargs = fdt_property("/chosen", "bootargs", NULL);

	return bootargs ? bootargs : "";
}

/* Looked up once: the tree of many CPUs is long. */
static uint64_t cpu_mpidr[MAX_CPUS];
static unsigned cpu_count;

static void look_at_cpus(void)
{
	struct walk walk;

	if (cpu_count || !walk_to(&walk, "/cpus"))
		return;
	while (walk_next(&walk) && walk.depth >= 2) {
		uint32_t size;
		const void *reg;

		if (walk.token != FDT_BEGIN_NODE || walk.depth != 3 ||
		    !starts_with(walk.name, "cpu@"))
			continue;
		reg = property_here(&walk, "reg", &size);
		if (reg && cpu_count < MAX_CPUS)
			cpu_mpidr[cpu_count++] = fdt_number(reg, size / 4);
	}
}

unsigned fdt_cpu_count(void)
{
	look_at_cpus();
	return cpu_count;
}

uint64_t fdt_cpu_mpidr(unsigned index)
{
	look_at_cpus();
	return index < cpu_count ? cpu_mpidr[index] : ~UINT64_C(0);
}

/* Behind "NAME=" in bootargs, or NULL. */
static const char *find_option(const char *name)
{
	const char *at = fdt_bootargs();

	while (*at) {
		const char *value = at;
		const char *wanted = name;

		while (*wanted && *value == *wanted) {
			value++;
			wanted++;
		}
		if (!*wanted && *value == '=')
			return value + 1;
		while (*at && *at != ' ')
			at++;
		while (*at == ' ')
			at++;
	}
	return NULL;
}

uint64_t option_number(const char *name, uint64_t otherwise)
{
	const char *at = find_option(name);
	uint64_t value = 0;

	if (!at)
		return otherwise;
	while (*at >= '0' && *at <= '9')
		value = value * 10 + (uint64_t)(*at++ - '0');
	return value;
}

bool option_is(const char *name, const char *value)
{
	const char *at = find_option(name);

	if (!at)
		return false;
	while (*value && *at == *value) {
		at++;
		value++;
	}
	return !*value && (!*at || *at == ' ');
}
