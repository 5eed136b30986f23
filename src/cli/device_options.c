/* SPDX-License-Identifier: Apache-2.0 */
/* The properties that devices have on the command line: tables, as of all options. */
#include "device_options.h"

#include "cli.h"
#include "machine/config.h"

#define DISK(member) .offset = offsetof(struct disk_config, member)

static const char *const caches[] = {"writeback", "writethrough", "unsafe", NULL};
static const char *const engines[] = {"auto", "io_uring", "threads", NULL};
static const char *const error_policies[] = {"report", "pause", "enospc", NULL};
static const char *const discards[] = {"on", "off", NULL};

const struct option_def disk_properties[] = {
	{.name = "file", .argument = "FILE", .type = OPTION_FILE, DISK(file)},
	{.name = "ro", .type = OPTION_FLAG, DISK(read_only), .help = "the guest may only read"},
	{.name = "ephemeral",
	 .type = OPTION_FLAG,
	 DISK(ephemeral),
	 .help = "FILE stays as it is: changes are dropped at the end"},
	{.name = "format",
	 .argument = "NAME",
	 .type = OPTION_STRING,
	 DISK(format),
	 .help = "raw, qcow2 and what else qemu-nbd knows (by content)"},
	{.name = "serial",
	 .argument = "TEXT",
	 .type = OPTION_STRING,
	 DISK(serial),
	 .help = "up to 20 characters that the guest sees"},
	{.name = "direct",
	 .type = OPTION_FLAG,
	 DISK(direct),
	 .help = "past the host's page cache (O_DIRECT)"},
	{.name = "cache",
	 .argument = "MODE",
	 .type = OPTION_CHOICE,
	 DISK(cache),
	 .choices = caches,
	 .help = "writeback, writethrough, or unsafe: never flushed (writeback)"},
	{.name = "discard",
	 .argument = "on|off",
	 .type = OPTION_CHOICE,
	 DISK(discard),
	 .choices = discards,
	 .help = "give the space of what the guest discards back (on)"},
	{.name = "block-size",
	 .argument = "BYTES",
	 .type = OPTION_U32,
	 DISK(block_size),
	 .power_of_two = true,
	 .min = 512,
	 .max = 65536,
	 .help = "logical block (512, or the block device's)"},
	{.name = "physical-block-size",
	 .argument = "BYTES",
	 .type = OPTION_U32,
	 DISK(physical_block_size),
	 .power_of_two = true,
	 .min = 512,
	 .max = 65536,
	 .help = "physical block (as the host's file system says)"},
	{.name = "queues",
	 .argument = "N",
	 .type = OPTION_U32,
	 DISK(queues),
	 .min = 1,
	 .max = 16,
	 .help = "request queues (1)"},
	{.name = "on-error",
	 .argument = "WHAT",
	 .type = OPTION_CHOICE,
	 DISK(on_error),
	 .choices = error_policies,
	 .help = "report it, pause, or enospc: pause if the host is full (report)"},
	{.name = "aio",
	 .argument = "ENGINE",
	 .type = OPTION_CHOICE,
	 DISK(aio),
	 .choices = engines,
	 .help = "how the host reads and writes: io_uring, threads (auto)"},
	{0},
};

void init_disk_config(void *record)
{
	*(struct disk_config *)record = (struct disk_config){.queues = 1};
}

#define NET(member) .offset = offsetof(struct net_config, member)

static const char *const net_modes[] = {"none", "user", "tap", NULL};
static const char *const switches[] = {"auto", "on", "off", NULL};

const struct option_def net_properties[] = {
	{.name = "mode",
	 .argument = "MODE",
	 .type = OPTION_CHOICE,
	 NET(mode),
	 .choices = net_modes},
	{.name = "tap",
	 .argument = "IF",
	 .type = OPTION_STRING,
	 NET(tap),
	 .help = "this tap interface; it is made if it is not there"},
	{.name = "bridge",
	 .argument = "IF",
	 .type = OPTION_STRING,
	 NET(bridge),
	 .help = "put the tap on this bridge of the host"},
	{.name = "mac",
	 .argument = "MAC",
	 .type = OPTION_STRING,
	 NET(mac),
	 .help = "the guest's address (derived from the machine's place)"},
	{.name = "mtu",
	 .argument = "BYTES",
	 .type = OPTION_U32,
	 NET(mtu),
	 .min = 68,
	 .max = 65535,
	 .help = "what the guest is told (the interface's)"},
	{.name = "queues",
	 .argument = "N",
	 .type = OPTION_U32,
	 NET(queues),
	 .min = 1,
	 .max = 8,
	 .help = "pairs of queues, of a tap (1)"},
	{.name = "vhost",
	 .argument = "auto|on|off",
	 .type = OPTION_CHOICE,
	 NET(vhost),
	 .choices = switches,
	 .help = "the kernel moves a tap's frames (auto)"},
	{0},
};

void init_net_config(void *record)
{
	*(struct net_config *)record = (struct net_config){.queues = 1};
}

void settle_net_config(void *record)
{
	struct net_config *net = record;

	if ((net->tap || net->bridge) && net->mode == NET_MODE_NONE)
		net->mode = NET_MODE_TAP;
}

const struct option_def gdb_properties[] = {
	{.name = "where",
	 .argument = "WHERE",
	 .type = OPTION_STRING,
	 .offset = offsetof(struct gdb_config, where)},
	{0},
};

const struct option_def balloon_properties[] = {
	{.name = "size",
	 .argument = "SIZE",
	 .type = OPTION_SIZE,
	 .offset = offsetof(struct balloon_config, size),
	 .min = MIB,
	 .max = 4096 * TIB},
	{0},
};
