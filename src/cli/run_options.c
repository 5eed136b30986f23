/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `armlet run`. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli.h"
#include "libvirt.h"
#include "machine_options.h"
#include "options_json.h"

#define AT(member) .offset = offsetof(struct run_options, member)
#define COUNTED(member, counter)                        \
	.offset = offsetof(struct run_options, member), \
	.count_offset = offsetof(struct run_options, counter)

const char *const switch_words[] = {"auto", "on", "off", NULL};
const char *const irqchip_words[] = {"auto", "gicv3", "gicv2", NULL};
const char *const psci_words[] = {"kvm", "armlet", NULL};
const char *const level_words[] = {"error", "warning", "info", "debug", NULL};

static const char *const restarts[] = {"never", "on-failure", "always", NULL};

const struct option_def run_rows[] = {
#include "machine_options.inc"

	{.group = "Process",
	 .name = "config",
	 .argument = "FILE",
	 .type = OPTION_CONFIG,
	 AT(config),
	 .read = options_read_file,
	 .only_here = true,
	 .help = "all that a JSON file says, as --dry-run prints it"},
	{.name = "libvirt",
	 .argument = "DOMAIN",
	 .type = OPTION_CONFIG,
	 AT(domain),
	 .read = libvirt_read,
	 .only_here = true,
	 .help = "a libvirt domain: a file of XML, or URI/NAME as qemu:///system/web"},
	{.name = "lenient",
	 .type = OPTION_FLAG,
	 AT(lenient),
	 .only_here = true,
	 .help = "warn of what armlet has not of the domain, instead of refusing it"},
	{.name = "dry-run",
	 .type = OPTION_FLAG,
	 AT(dry_run),
	 .only_here = true,
	 .help = "print the machine as JSON, for --config, and start nothing"},
	{.name = "directory",
	 .argument = "FOLDER",
	 .type = OPTION_FILE,
	 AT(directory),
	 .help = "where names of files begin that are not absolute (the present one)"},
	{.name = "detach",
	 .type = OPTION_FLAG,
	 AT(detach),
	 .only_here = true,
	 .help = "run in the background; needs --name, for armlet console and the others"},
	{.name = "attachable",
	 .type = OPTION_FLAG,
	 AT(attachable),
	 .help = "a console for armlet console and logs, as with --detach; needs --name"},
	{.name = "ready",
	 .argument = "WHEN",
	 .type = OPTION_STRING,
	 AT(ready),
	 .help = "when the guest is up: driver, started or text=TEXT (driver)"},
	{.name = "restart",
	 .argument = "WHEN",
	 .type = OPTION_CHOICE,
	 AT(restart),
	 .choices = restarts,
	 .help = "begin anew at the end: never, on-failure or always (never)"},
	{.name = "no-reboot",
	 .type = OPTION_FLAG,
	 AT(machine.no_reboot),
	 .help = "end when the guest resets, instead of booting anew"},
	{.name = "timeout",
	 .letter = 't',
	 .argument = "SECONDS",
	 .type = OPTION_U32,
	 AT(timeout),
	 .min = 1,
	 .max = UINT32_MAX,
	 .help = "end the machine after this time, with status 124"},

	/* What kvmtool calls them. */
	{.name = "params", .argument = "WORDS", .type = OPTION_STRING, AT(machine.append)},
	{.name = "network",
	 .argument = "none",
	 .type = OPTION_RECORDS,
	 COUNTED(machine.nets, machine.net_count),
	 .max = MACHINE_MAX_NETS,
	 .record = net_properties,
	 .record_size = sizeof(struct net_config),
	 .record_init = init_net_config,
	 .record_done = settle_net_config},
	{0},
};

const struct option_table run_table = {
	.command = "run",
	.usage = "[OPTIONS] [KERNEL]",
	.summary = "boot a machine in the foreground",
	.options = run_rows,
	.positional = "kernel",
	.epilogue =
		"On a terminal, Ctrl-a x ends the machine, Ctrl-a p presses its power key, and\n"
		"Ctrl-a h lists the other keys. SIGTERM presses the power key, too; a second one\n"
		"ends the machine.\n\n"
		"Exit status: 0 when the guest powered off (or reset, with --no-reboot), 255 when\n"
		"it reset after a kernel panic with --no-reboot, 124 on a timeout, 125 when "
		"armlet\n"
		"could not go on, 128+N when signal N ended it.",
};

void run_options_init(struct run_options *run)
{
	*run = (struct run_options){.log_level = LOG_LEVEL_WARNING};
	machine_config_init(&run->machine);
}

void run_options_finish(struct run_options *run)
{
	json_object_put(run->config);
	json_object_put(run->domain);
	run->config = NULL;
	run->domain = NULL;
}

/* As many of the sentences as have room; what is left out is counted. */
static int refuse_lacks(const char *where, struct json_object *lacks, struct error *err)
{
	char text[ERROR_TEXT_MAX - 128] = "";
	size_t count = json_object_array_length(lacks), used = 0, said = 0;
	char more[80] = "--lenient runs it all the same";

	for (; said < count; said++) {
		const char *lack = json_object_get_string(json_object_array_get_idx(lacks, said));
		size_t size = strlen(lack) + 2;

		if (said && used + size >= sizeof(text))
			break;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", said ? "; " : "",
					 lack);
		used = used < sizeof(text) ? used : sizeof(text) - 1;
	}
	if (said < count)
		snprintf(more, sizeof(more), "and %zu more; --lenient tells of all, and runs it",
			 count - said);
	return error_set(err, EOPNOTSUPP, "--libvirt %.64s: %s; %s", where, text, more);
}

int run_options_settle(const struct run_options *run, struct error *err)
{
	struct json_object *lacks = NULL, *where = NULL;
	size_t count;

	if (!run->domain)
		return run->lenient ? error_set(err, EINVAL, "--lenient: that is for --libvirt")
				    : 0;
	json_object_object_get_ex(run->domain, "where", &where);
	json_object_object_get_ex(run->domain, "lacks", &lacks);
	count = json_object_array_length(lacks);
	if (count && !run->lenient)
		return refuse_lacks(json_object_get_string(where), lacks, err);
	for (size_t i = 0; i < count; i++)
		log_warning("--libvirt %s: %s", json_object_get_string(where),
			    json_object_get_string(json_object_array_get_idx(lacks, i)));
	return 0;
}
