/* SPDX-License-Identifier: Apache-2.0 */
/* Disks, networks, folders and the other devices of QEMU's command line. */
#include <string.h>

#include "base/parse.h"
#include "qemu_words.h"

/* Drives. */

#define ERROR_RULES                                                                    \
	{"werror", "report", "on-error=report"}, {"werror", "stop", "on-error=pause"}, \
		{"werror", "enospc", "on-error=enospc"}, {"rerror", "report", ""},     \
	{                                                                              \
		"rerror", "stop", "on-error=pause"                                     \
	}

static const struct qemu_rule drive_rules[] = {
	{"format", NULL, "format="},
	{"readonly", "on", "ro"},
	{"readonly", "off auto", ""},
	{"read-only", "on", "ro"},
	{"read-only", "off auto", ""},
	{"media", "disk", ""},
	{"media", "cdrom", "ro"},
	{"cache", "writeback", "cache=writeback"},
	{"cache", "writethrough", "cache=writethrough"},
	{"cache", "unsafe", "cache=unsafe"},
	{"cache", "none", "direct"},
	{"cache", "directsync", "direct,cache=writethrough"},
	{"cache.direct", "on", "direct"},
	{"cache.direct", "off", ""},
	{"aio", "threads", "aio=threads"},
	{"aio", "io_uring", "aio=io_uring"},
	{"aio", "native", ""},
	{"discard", "on unmap", "discard=on"},
	{"discard", "off ignore", "discard=off"},
	{"detect-zeroes", "off", ""},
	{"copy-on-read", "off", ""},
	{"serial", NULL, "serial="},
	{"index", NULL, ""},
	ERROR_RULES,
	{0},
};

/* A name that looks like a property is one behind file=. */
static struct qemu_part *add_drive(struct qemu *qemu, const char *id, const char *file)
{
	struct qemu_part *drive = qemu_part_add(qemu, QEMU_DRIVE, id);

	if (!drive)
		return NULL;
	if (strchr(file, '='))
		qemu_add(qemu, &drive->text, "file=");
	qemu_add_escaped(qemu, &drive->text, file);
	return drive;
}

int qemu_take_drive(struct qemu *qemu, const char *value, struct error *err)
{
	_cleanup_properties_ struct qemu_properties properties = {0};
	const char *file, *bus, *snapshot;
	struct qemu_part *drive;
	int r = qemu_properties_read(value, NULL, &properties, err);

	if (r < 0)
		return r;
	file = qemu_take(&properties, "file");
	bus = qemu_take(&properties, "if");
	if (!file || !*file)
		return error_set(err, EINVAL, "it has no file=FILE");
	if (bus && !strcmp(bus, "pflash"))
		return error_set(err, EINVAL, "armlet boots a kernel, and has no firmware");
	if (bus && !qemu_is_one_of(bus, "virtio none"))
		return error_set(err, EINVAL, "armlet has not if=%.60s, but virtio none", bus);
	drive = add_drive(qemu, qemu_take(&properties, "id"), file);
	if (!drive)
		return -ENOMEM;
	drive->plugged = !bus || !strcmp(bus, "virtio");
	snapshot = qemu_take(&properties, "snapshot");
	drive->ephemeral = snapshot && qemu_is_on(snapshot);
	return qemu_apply(qemu, &properties, drive_rules, &drive->text, err);
}

int qemu_take_disk(struct qemu *qemu, const char *file, struct error *err)
{
	struct qemu_part *drive = add_drive(qemu, NULL, file);

	if (!*file)
		return error_set(err, EINVAL, "it is a file, and no empty word");
	if (drive)
		drive->plugged = true;
	return 0;
}

int qemu_take_cdrom(struct qemu *qemu, const char *file, struct error *err)
{
	int r = qemu_take_disk(qemu, file, err);
	struct qemu_part *last = qemu->parts;

	while (last && last->next)
		last = last->next;
	if (r == 0 && last)
		qemu_add(qemu, &last->text, ",ro");
	return r;
}

/* Whether it has the flag, which no name of a file is taken for: its commas are doubled. */
static bool has_flag(const char *text, const char *flag)
{
	size_t length = strlen(flag);

	for (const char *at = strchr(text, ','); at; at = strchr(at + 1, ',')) {
		if (at[1] == ',')
			at++;
		else if (!strncmp(at + 1, flag, length) &&
			 (!at[1 + length] || at[1 + length] == ','))
			return true;
	}
	return false;
}

/* What is not written to needs not be dropped. */
static void push_disk(struct qemu *qemu, const struct qemu_part *drive, const char *more)
{
	const char *text = drive->text ? drive->text : "";
	bool ephemeral = (qemu->snapshot || drive->ephemeral) && !has_flag(text, "ro");

	qemu_push(qemu, "--disk");
	qemu_pushf(qemu, "%s%s%s%s", text, ephemeral ? ",ephemeral" : "", more ? "," : "",
		   more ? more : "");
}

void qemu_plug_drives(struct qemu *qemu)
{
	for (const struct qemu_part *part = qemu->parts; part; part = part->next) {
		if (part->kind == QEMU_DRIVE && part->plugged)
			push_disk(qemu, part, NULL);
	}
}

/* Networks. */

/* "[tcp|udp]:[ADDRESS]:PORT-[GUEST]:PORT" */
static int add_forward(struct qemu *qemu, const char *value, struct error *err)
{
	_cleanup_free_ char *text = strdup(value);
	char *host = text ? strchr(text, ':') : NULL;
	char *dash = host ? strrchr(host, '-') : NULL;
	char *host_port, *guest_port;
	bool udp;

	if (!dash || !(guest_port = strrchr(dash, ':')))
		return error_set(err, EINVAL, "hostfwd=%.60s: write it as tcp::2222-:22", value);
	*host++ = '\0';
	*dash++ = '\0';
	*guest_port++ = '\0';
	udp = !strcmp(text, "udp");
	host_port = strrchr(host, ':');
	if ((!udp && *text && strcmp(text, "tcp") != 0) || !host_port)
		return error_set(err, EINVAL, "hostfwd=%.60s: write it as tcp::2222-:22", value);
	*host_port++ = '\0';
	if (*dash && strcmp(dash, "10.0.2.15") != 0)
		return error_set(err, EINVAL,
				 "hostfwd=%.60s: the guest's address is given by "
				 "DHCP; leave it out",
				 value);
	qemu_push(qemu, "--publish");
	qemu_pushf(qemu, "%s%s%s:%s%s", host, *host ? ":" : "", host_port, guest_port,
		   udp ? "/udp" : "");
	return 0;
}

static int add_forwards(struct qemu *qemu, struct qemu_properties *properties, struct error *err)
{
	for (size_t i = 0; i < properties->count; i++) {
		struct qemu_property *property = &properties->list[i];
		int r = 0;

		if (!strcmp(property->name, "hostfwd")) {
			property->taken = true;
			r = add_forward(qemu, property->value, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

#define NIC_RULES                                                                 \
	{"mac", NULL, "mac="}, {"macaddr", NULL, "mac="},                         \
	{                                                                         \
		"model", "virtio virtio-net virtio-net-pci virtio-net-device", "" \
	}

static const struct qemu_rule user_rules[] = {NIC_RULES, {0}};

static const struct qemu_rule tap_rules[] = {
	{"ifname", NULL, "tap="},
	{"br", NULL, "bridge="},
	{"script", "off no", ""},
	{"downscript", "off no", ""},
	{"vhost", "on", "vhost=on"},
	{"vhost", "off", "vhost=off"},
	{"queues", NULL, "queues="},
	NIC_RULES,
	{0},
};

static const struct qemu_rule bridge_rules[] = {{"br", NULL, "bridge="}, NIC_RULES, {0}};

static const struct {
	const char *name;
	const char *mode;
	const struct qemu_rule *rules;
} net_kinds[] = {
	{"user", "user", user_rules},
	{"tap", "mode=tap", tap_rules},
	{"bridge", "mode=tap", bridge_rules},
};

static int read_net(struct qemu *qemu, struct qemu_properties *properties, struct qemu_part **ret,
		    struct error *err)
{
	const char *kind = qemu_take(properties, "type");
	const char *id = qemu_take(properties, "id");
	struct qemu_part *net;
	size_t i = 0;
	int r;

	while (i < ARRAY_SIZE(net_kinds) && (!kind || strcmp(net_kinds[i].name, kind) != 0))
		i++;
	if (i == ARRAY_SIZE(net_kinds))
		return error_set(err, EINVAL,
				 "armlet has not the network '%.60s', but user tap "
				 "bridge",
				 kind ? kind : "");
	net = qemu_part_add(qemu, QEMU_NETDEV, id);
	if (!net)
		return -ENOMEM;
	qemu_add(qemu, &net->text, net_kinds[i].mode);
	r = i == 0 ? add_forwards(qemu, properties, err) : 0;
	if (r == 0)
		r = qemu_apply(qemu, properties, net_kinds[i].rules, &net->text, err);
	*ret = net;
	return r;
}

/* With an interface or a bridge, what it is needs no word. */
static void push_net(struct qemu *qemu, const struct qemu_part *net, const char *more)
{
	const char *text = net->text ? net->text : "";

	if (!strncmp(text, "mode=tap,tap=", 13) || !strncmp(text, "mode=tap,bridge=", 16))
		text += strlen("mode=tap,");
	qemu_push(qemu, "--net");
	qemu_pushf(qemu, "%s%s%s", text, more ? "," : "", more ? more : "");
}

int qemu_take_netdev(struct qemu *qemu, const char *value, struct error *err)
{
	_cleanup_properties_ struct qemu_properties properties = {0};
	struct qemu_part *net;
	int r = qemu_properties_read(value, "type", &properties, err);

	return r < 0 ? r : read_net(qemu, &properties, &net, err);
}

int qemu_take_nic(struct qemu *qemu, const char *value, struct error *err)
{
	_cleanup_properties_ struct qemu_properties properties = {0};
	struct qemu_part *net = NULL;
	int r;

	if (!strcmp(value, "none"))
		return 0;
	r = qemu_properties_read(value, "type", &properties, err);
	if (r == 0)
		r = read_net(qemu, &properties, &net, err);
	if (r == 0)
		push_net(qemu, net, NULL);
	return r;
}

int qemu_take_net(struct qemu *qemu, const char *value, struct error *err)
{
	(void)qemu;
	if (!strcmp(value, "none"))
		return 0;
	return error_set(err, EINVAL,
			 "armlet has not '%.60s'; write -net nic and -net user "
			 "together as -nic user",
			 value);
}

/* Folders. */

static const struct qemu_rule folder_rules[] = {
	{"security_model", "none passthrough", ""},
	{"multidevs", "*", ""},
	{0},
};

static int read_folder(struct qemu *qemu, struct qemu_properties *properties,
		       struct qemu_part **ret, struct error *err)
{
	const char *driver = qemu_take(properties, "fsdriver");
	const char *path = qemu_take(properties, "path");
	const char *read_only = qemu_take(properties, "readonly");
	struct qemu_part *folder;

	if (!driver || strcmp(driver, "local") != 0)
		return error_set(err, EINVAL, "armlet shares folders as 'local', not '%.60s'",
				 driver ? driver : "");
	if (!path || !*path || strchr(path, ':'))
		return error_set(err, EINVAL, "it needs path=FOLDER, which has no colon");
	folder = qemu_part_add(qemu, QEMU_FSDEV, qemu_take(properties, "id"));
	if (!folder)
		return -ENOMEM;
	qemu_add(qemu, &folder->text, path);
	folder->read_only = read_only && qemu_is_on(read_only);
	*ret = folder;
	return qemu_apply(qemu, properties, folder_rules, NULL, err);
}

static int push_folder(struct qemu *qemu, const struct qemu_part *folder, const char *tag,
		       struct error *err)
{
	if (!tag || !*tag)
		return error_set(err, EINVAL, "it needs mount_tag=TAG");
	qemu_push(qemu, "--volume");
	qemu_pushf(qemu, "%s:%s%s:fs=9p", folder->text ? folder->text : "", tag,
		   folder->read_only ? ":ro" : "");
	return 0;
}

int qemu_take_fsdev(struct qemu *qemu, const char *value, struct error *err)
{
	_cleanup_properties_ struct qemu_properties properties = {0};
	struct qemu_part *folder;
	int r = qemu_properties_read(value, "fsdriver", &properties, err);

	return r < 0 ? r : read_folder(qemu, &properties, &folder, err);
}

int qemu_take_virtfs(struct qemu *qemu, const char *value, struct error *err)
{
	_cleanup_properties_ struct qemu_properties properties = {0};
	struct qemu_part *folder = NULL;
	const char *tag;
	int r = qemu_properties_read(value, "fsdriver", &properties, err);

	if (r < 0)
		return r;
	tag = qemu_take(&properties, "mount_tag");
	r = read_folder(qemu, &properties, &folder, err);
	return r < 0 ? r : push_folder(qemu, folder, tag, err);
}

/* Devices, of virtio all: where they are plugged in is of no matter. */

#define PLACE_RULES                                                                     \
	{"id", NULL, ""}, {"bus", NULL, ""}, {"addr", NULL, ""}, {"romfile", NULL, ""}, \
		{"bootindex", NULL, ""}, {"vectors", NULL, ""},                         \
		{"disable-legacy", "on off auto", ""}, {"disable-modern", "off", ""},   \
		{"packed", "on off", ""}, {"iothread", NULL, ""},                       \
	{                                                                               \
		0                                                                       \
	}

static const struct qemu_rule place_rules[] = {PLACE_RULES};

static const struct qemu_rule any_rules[] = {
	{"chassis", NULL, ""},       {"port", NULL, ""},      {"slot", NULL, ""},
	{"multifunction", NULL, ""}, {"max_ports", NULL, ""}, PLACE_RULES,
};

static const struct qemu_rule blk_rules[] = {
	{"serial", NULL, "serial="},
	{"logical_block_size", NULL, "block-size="},
	{"physical_block_size", NULL, "physical-block-size="},
	{"num-queues", NULL, "queues="},
	{"write-cache", "on auto", ""},
	{"write-cache", "off", "cache=writethrough"},
	{"discard", "on", ""},
	{"discard", "off", "discard=off"},
	{"scsi", "off", ""},
	ERROR_RULES,
	PLACE_RULES,
};

static const struct qemu_rule net_rules[] = {
	{"mac", NULL, "mac="}, {"host_mtu", NULL, "mtu="}, {"mq", "on off", ""}, PLACE_RULES};

static const struct qemu_rule balloon_rules[] = {
	{"free-page-reporting", "on off", ""}, {"deflate-on-oom", "on", ""}, PLACE_RULES};

static const struct qemu_rule rng_rules[] = {{"rng", NULL, ""}, PLACE_RULES};

static const struct qemu_rule vsock_rules[] = {{"guest-cid", NULL, "--vsock "}, PLACE_RULES};

static const struct qemu_rule port_rules[] = {{"nr", NULL, ""}, PLACE_RULES};

static int plug_disk(struct qemu *qemu, struct qemu_properties *properties, struct error *err)
{
	_cleanup_free_ char *more = NULL;
	struct qemu_part *drive =
		qemu_part_find(qemu, QEMU_DRIVE, qemu_take(properties, "drive"), err);
	int r;

	if (!drive)
		return -EINVAL;
	if (drive->plugged)
		return error_set(err, EINVAL, "the drive '%.60s' is a disk already; is it if=none?",
				 drive->id);
	drive->plugged = true;
	r = qemu_apply(qemu, properties, blk_rules, &more, err);
	if (r == 0)
		push_disk(qemu, drive, more);
	return r;
}

static int plug_net(struct qemu *qemu, struct qemu_properties *properties, struct error *err)
{
	_cleanup_free_ char *more = NULL;
	struct qemu_part *net =
		qemu_part_find(qemu, QEMU_NETDEV, qemu_take(properties, "netdev"), err);
	int r;

	if (!net)
		return -EINVAL;
	if (net->plugged)
		return error_set(err, EINVAL, "the network '%.60s' has a device already", net->id);
	net->plugged = true;
	r = qemu_apply(qemu, properties, net_rules, &more, err);
	if (r == 0)
		push_net(qemu, net, more);
	return r;
}

static int plug_folder(struct qemu *qemu, struct qemu_properties *properties, struct error *err)
{
	const char *tag = qemu_take(properties, "mount_tag");
	const struct qemu_part *folder =
		qemu_part_find(qemu, QEMU_FSDEV, qemu_take(properties, "fsdev"), err);
	int r;

	if (!folder)
		return -EINVAL;
	r = qemu_apply(qemu, properties, place_rules, NULL, err);
	return r < 0 ? r : push_folder(qemu, folder, tag, err);
}

static int plug_console(struct qemu *qemu, struct qemu_properties *properties, struct error *err)
{
	_cleanup_free_ char *where = NULL;
	int r;

	if (qemu->console)
		return error_set(err, EINVAL, "there is one console already; others are ports");
	r = qemu_add_where(qemu, qemu_take(properties, "chardev"), &where, err);

	if (r == 0)
		r = qemu_apply(qemu, properties, port_rules, NULL, err);
	if (r == 0)
		qemu_push_value(qemu, "--console", where ? where : "");
	qemu->console = true;
	return r;
}

static int plug_port(struct qemu *qemu, struct qemu_properties *properties, struct error *err)
{
	const char *name = qemu_take(properties, "name");
	_cleanup_free_ char *port = NULL;
	int r;

	if (!name || !*name || strchr(name, '='))
		return error_set(err, EINVAL, "it needs a name=NAME");
	qemu_add(qemu, &port, name);
	qemu_add(qemu, &port, "=");
	r = qemu_add_where(qemu, qemu_take(properties, "chardev"), &port, err);
	if (r == 0)
		r = qemu_apply(qemu, properties, port_rules, NULL, err);
	if (r == 0)
		qemu_push_value(qemu, "--port", port ? port : "");
	return r;
}

static const struct device {
	const char *name;              /* without -device, -pci and so on */
	const char *word;              /* that it is, whatever its properties; NULL: none */
	const struct qemu_rule *rules; /* for all its properties; NULL: @plug has them */
	int (*plug)(struct qemu *qemu, struct qemu_properties *properties, struct error *err);
} devices[] = {
	{.name = "virtio-blk", .plug = plug_disk},
	{.name = "virtio-net", .plug = plug_net},
	{.name = "virtio-9p", .plug = plug_folder},
	{.name = "virtconsole", .plug = plug_console},
	{.name = "virtserialport", .plug = plug_port},
	{.name = "virtio-serial", .rules = any_rules},
	{.name = "virtio-balloon", .word = "--balloon", .rules = balloon_rules},
	{.name = "virtio-rng", .rules = rng_rules},
	{.name = "vhost-vsock", .rules = vsock_rules},
	{.name = "pcie-root-port", .rules = any_rules},
};

/* The length of a device's name without what it is plugged into. */
static size_t plain_length(const char *name)
{
	static const char *const ends[] = {"-device", "-pci", "-pci-non-transitional",
					   "-pci-transitional"};
	size_t length = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		size_t end = strlen(ends[i]);

		if (length > end && !strcmp(name + length - end, ends[i]))
			return length - end;
	}
	return length;
}

static int refuse_device(const char *name, struct error *err)
{
	const char *names[ARRAY_SIZE(devices)];
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		names[i] = devices[i].name;
	near = nearest_name(name, names, ARRAY_SIZE(names));
	if (near)
		return error_set(err, EINVAL,
				 "armlet has not the device '%.60s'; did you mean "
				 "'%s'?",
				 name, near);
	return error_set(err, EINVAL,
			 "armlet has not the device '%.60s', but virtio's: blk, net, "
			 "9p, serial, balloon, rng and vsock",
			 name);
}

int qemu_take_device(struct qemu *qemu, const char *value, struct error *err)
{
	_cleanup_properties_ struct qemu_properties properties = {0};
	const struct device *device = devices;
	const char *name;
	size_t length;
	int r = qemu_properties_read(value, "driver", &properties, err);

	if (r < 0)
		return r;
	name = qemu_take(&properties, "driver");
	if (!name)
		return error_set(err, EINVAL, "it does not say which device it is");
	length = plain_length(name);
	while (strlen(device->name) != length || strncmp(device->name, name, length) != 0) {
		if (++device == devices + ARRAY_SIZE(devices))
			return refuse_device(name, err);
	}
	if (device->word)
		qemu_push(qemu, device->word);
	r = device->plug ? device->plug(qemu, &properties, err)
			 : qemu_apply(qemu, &properties, device->rules, NULL, err);
	return r < 0 ? error_prefix(err, "%.60s: ", name) : 0;
}
