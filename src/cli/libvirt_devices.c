/* SPDX-License-Identifier: Apache-2.0 */
/* Devices but disks and interfaces, which have files of their own. */
#include <stdio.h>
#include <string.h>

#include "libvirt_xml.h"

/* Character devices. */

/* @spec and @path as of backend/stream.h, where a comma in a path is written twice. */
static char *stream_of(const char *spec, const char *path)
{
	char *text = calloc(2, strlen(spec) + strlen(path) + 1);
	char *to = text ? stpcpy(text, spec) : NULL;

	for (; text && *path; path++) {
		*to++ = *path;
		if (*path == ',')
			*to++ = ',';
	}
	return text;
}

/* What stands behind a virtio port; NULL: it is lacking. The caller frees it. */
static char *read_stream(struct domain *domain, xmlNode *node)
{
	_cleanup_xml_ char *type = domain_attribute(node, "type");
	_cleanup_xml_ char *path = domain_child_attribute(node, "source", "path");
	_cleanup_xml_ char *mode = domain_child_attribute(node, "source", "mode");

	if (type && domain_is_one_of(type, "pty null stdio"))
		return strdup(type);
	if (!type || !domain_is_one_of(type, "unix file"))
		domain_lack(domain, node, "'%.60s': a port is a pty, a socket, a file or null",
			    type ? type : "");
	else if (!path)
		domain_lack(domain, node, "a port that is a %s needs a path: <source path='...'/>",
			    type);
	else if (!strcmp(type, "unix") && mode && strcmp(mode, "bind") != 0)
		domain_lack(domain, node, "a port's socket waits for others to connect (bind)");
	else
		return stream_of(!strcmp(type, "unix") ? "unix:" : "file:", path);
	return NULL;
}

static const struct domain_row pl011_rows[] = {ONLY("@name", "pl011", "it is a PL011"), {0}};

static const struct domain_row serial_target_rows[] = {
	ONLY("@type", "system-serial", "the serial port is a PL011"),
	IGNORED("@port"),
	INSIDE("model", pl011_rows),
	{0},
};

#define NO_LOG "what a port says goes to one place"

static const struct domain_row serial_rows[] = {
	ONLY("@type", "pty stdio null", "armlet's serial port is its standard input and output"),
	IGNORED("@tty"),
	IGNORED("source"),
	IGNORED("protocol"),
	INSIDE("target", serial_target_rows),
	LACKING("log", NO_LOG),
	DOMAIN_DEVICE_ROWS,
	{0},
};

static void take_serial(struct domain *domain, xmlNode *node, const char *text)
{
	(void)text;
	if (domain->serials++)
		domain_lack(domain, node, "there is one serial port");
	else
		domain_walk(domain, node, serial_rows);
}

/* The first one may be the serial port once more. */
static void take_console(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *type = domain_child_attribute(node, "target", "type");
	_cleanup_free_ char *stream = NULL;

	(void)text;
	if (!type || !strcmp(type, "serial"))
		return;
	if (strcmp(type, "virtio") != 0)
		domain_lack(domain, node, "'%.60s': a console is a serial or a virtio one", type);
	else if (domain_get(domain, "console"))
		domain_lack(domain, node, "there is one virtio console");
	else
		stream = read_stream(domain, node);
	if (stream)
		domain_set(domain, "console", stream);
	if (domain_child(node, "log"))
		domain_lack(domain, domain_child(node, "log"), NO_LOG);
}

static void take_channel(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *type = domain_child_attribute(node, "target", "type");
	_cleanup_xml_ char *name = domain_child_attribute(node, "target", "name");
	_cleanup_free_ char *stream = NULL;

	(void)text;
	if (!type || strcmp(type, "virtio") != 0)
		domain_lack(domain, node, "'%.60s': a channel is a virtio one", type ? type : "");
	else if (!name || !*name || strchr(name, '='))
		domain_lack(domain, node, "a port is found by its name, which has no '='");
	else
		stream = read_stream(domain, node);
	if (stream)
		domain_add(domain, "ports", "%s=%s", name, stream);
	if (domain_child(node, "log"))
		domain_lack(domain, domain_child(node, "log"), NO_LOG);
}

/* Shared folders. */

static const struct domain_row fs_driver_rows[] = {
	ONLY("@type", "path virtiofs", "a folder is shared by 9p or virtiofs"),
	IGNORED("@queue"),
	IGNORED("@wrpolicy"),
	{0},
};

static const struct domain_row filesystem_rows[] = {
	ONLY("@type", "mount", "a folder of the host is shared, and nothing else"),
	ONLY("@accessmode", "passthrough", "the guest's owners and modes are the host's"),
	IGNORED("@model"),
	ONLY("@multidevs", "default remap", "inodes are as the server has them"),
	LACKING("@fmode", "the guest's owners and modes are the host's"),
	LACKING("@dmode", "the guest's owners and modes are the host's"),
	INSIDE("driver", fs_driver_rows),
	IGNORED("source"),
	IGNORED("target"),
	IGNORED("readonly"),
	LACKING("binary", "armlet starts virtiofsd as it needs it"),
	LACKING("idmap", "the guest's owners and modes are the host's"),
	LACKING("space_hard_limit", "a shared folder has no limit"),
	LACKING("space_soft_limit", "a shared folder has no limit"),
	DOMAIN_DEVICE_ROWS,
	{0},
};

static void take_filesystem(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *type = domain_attribute(node, "type");
	_cleanup_xml_ char *driver = domain_child_attribute(node, "driver", "type");
	_cleanup_xml_ char *folder = domain_child_attribute(node, "source", "dir");
	_cleanup_xml_ char *tag = domain_child_attribute(node, "target", "dir");

	(void)text;
	domain_walk(domain, node, filesystem_rows);
	if (type && strcmp(type, "mount") != 0)
		return;
	if (!folder || !tag)
		domain_lack(domain, node, "a folder needs source/@dir and target/@dir");
	else if (strchr(folder, ':') || strpbrk(tag, ":,"))
		domain_lack(domain, node, "a folder's name has no ':' here, nor a tag a ','");
	else
		domain_add(domain, "volumes", "%s:%s%s%s", folder, tag,
			   domain_child(node, "readonly") ? ":ro" : "",
			   driver && !strcmp(driver, "virtiofs") ? ":fs=virtiofs" : ":fs=9p");
}

/* The rest. */

static const struct domain_row vsock_rows[] = {
	ONLY("@model", "virtio virtio-transitional virtio-non-transitional",
	     "a socket is a virtio one"),
	IGNORED("cid"),
	IGNORED("driver"),
	DOMAIN_DEVICE_ROWS,
	{0},
};

static void take_vsock(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *cid = domain_child_attribute(node, "cid", "address");
	uint64_t number;

	(void)text;
	domain_walk(domain, node, vsock_rows);
	if (!cid)
		domain_lack(domain, node, "the guest's CID has to be given: <cid address='3'/>");
	else if (domain_number(domain, node, cid, &number))
		domain_set_number(domain, "vsock", number);
}

static void take_rng_backend(struct domain *domain, xmlNode *node, const char *text)
{
	if (*text && !domain_is_one_of(text, "/dev/urandom /dev/random /dev/hwrng"))
		domain_lack(domain, node, "'%.60s': random bytes are the kernel's", text);
}

static const struct domain_row rng_backend_rows[] = {
	ONLY("@model", "random builtin", "random bytes are the kernel's"),
	{0},
};

static const struct domain_row rng_rows[] = {
	ONLY("@model", "virtio virtio-transitional virtio-non-transitional",
	     "the source of entropy is a virtio one"),
	{.name = "backend", .take = take_rng_backend, .rows = rng_backend_rows},
	LACKING("rate", "the source of entropy has no limit"),
	IGNORED("driver"),
	DOMAIN_DEVICE_ROWS,
	{0},
};

static const struct domain_row balloon_rows[] = {
	ONLY("@model", "virtio virtio-transitional virtio-non-transitional none",
	     "a balloon is a virtio one"),
	ONLY("@autodeflate", "off", "a balloon has the size that it is told"),
	IGNORED("@freePageReporting"), /* always on */
	IGNORED("stats"),
	IGNORED("driver"),
	DOMAIN_DEVICE_ROWS,
	{0},
};

static void take_balloon(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *model = domain_attribute(node, "model");

	(void)text;
	domain_walk(domain, node, balloon_rows);
	domain->no_balloon = model && !strcmp(model, "none");
	domain->has_balloon = !domain->no_balloon;
}

static void take_controller(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *type = domain_attribute(node, "type");
	_cleanup_xml_ char *model = domain_attribute(node, "model");

	(void)text;
	if (type && (domain_is_one_of(type, "pci virtio-serial") ||
		     (!strcmp(type, "usb") && model && !strcmp(model, "none"))))
		return;
	domain_lack(domain, node, "there is no controller of the kind '%.60s'", type ? type : "");
}

#define NO_SCREEN "there is no screen"
#define NO_SOUND  "there is no sound"
#define NO_USB    "there is no USB"

static const struct domain_row audio_rows[] = {
	IGNORED("@id"), ONLY("@type", "none", NO_SOUND), {0}};

const struct domain_row domain_device_rows[] = {
	IGNORED("emulator"),
	TAKEN("disk", domain_take_disk),
	TAKEN("interface", domain_take_interface),
	TAKEN("controller", take_controller),
	TAKEN("serial", take_serial),
	TAKEN("console", take_console),
	TAKEN("channel", take_channel),
	TAKEN("filesystem", take_filesystem),
	TAKEN("vsock", take_vsock),
	INSIDE("rng", rng_rows),
	TAKEN("memballoon", take_balloon),
	LACKING("graphics", NO_SCREEN),
	LACKING("video", NO_SCREEN),
	LACKING("input", "there is no keyboard, mouse or tablet"),
	LACKING("sound", NO_SOUND),
	INSIDE("audio", audio_rows),
	LACKING("hub", NO_USB),
	LACKING("redirdev", NO_USB),
	LACKING("redirfilter", NO_USB),
	LACKING("smartcard", NO_USB),
	LACKING("tpm", "there is no TPM"),
	LACKING("watchdog", "it is another one here: --watchdog"),
	LACKING("panic", "pvpanic is there without it, on MMIO"),
	LACKING("hostdev", "no device of the host is passed through"),
	LACKING("lease", "armlet takes no leases"),
	LACKING("shmem", "machines share no memory"),
	LACKING("memory", "memory is one piece"),
	LACKING("nvram", "there is no NVRAM"),
	LACKING("pstore", "there is no persistent store"),
	LACKING("iommu", "there is no IOMMU"),
	LACKING("crypto", "there is no crypto device"),
	LACKING("parallel", "there is no parallel port"),
	{0},
};
