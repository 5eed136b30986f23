/* SPDX-License-Identifier: Apache-2.0 */
/* Disks: files, block devices, storage volumes, and exports of NBD servers. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "libvirt_xml.h"

static void take_cache(struct domain *domain, xmlNode *node, const char *text)
{
	if (domain_is_one_of(text, "none directsync"))
		domain_set_flag(domain, "direct");
	if (!strcmp(text, "directsync"))
		domain_set(domain, "cache", "writethrough");
	else if (domain_is_one_of(text, "writeback writethrough unsafe"))
		domain_set(domain, "cache", text);
	else if (strcmp(text, "none") != 0)
		domain_lack(domain, node, "there is no cache '%.60s'", text);
}

static void take_discard(struct domain *domain, xmlNode *node, const char *text)
{
	(void)node;
	domain_set(domain, "discard", !strcmp(text, "unmap") ? "on" : "off");
}

static void take_write_policy(struct domain *domain, xmlNode *node, const char *text)
{
	if (!strcmp(text, "stop"))
		domain_set(domain, "on-error", "pause");
	else if (!strcmp(text, "enospace"))
		domain_set(domain, "on-error", "enospc");
	else if (!strcmp(text, "report"))
		domain_set(domain, "on-error", text);
	else
		domain_lack(domain, node, "'%.60s': a guest is told of errors, or waits", text);
}

/* It is the other one's as well; and enospc is of writes only. */
static void take_read_policy(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *other = domain_attribute(node->parent, "error_policy");

	if (strcmp(text, other ? other : "report") != 0 &&
	    !(!strcmp(text, "report") && other && !strcmp(other, "enospace")))
		domain_lack(domain, node, "'%.60s': reads and writes have one policy for errors",
			    text);
}

static const struct domain_row driver_rows[] = {
	IGNORED("@name"),
	STRING("@type", "format"),
	{.name = "@cache", .fine = "default", .take = take_cache},
	{.name = "@io", .fine = "native", .key = "aio"}, /* the host's best engine is taken */
	{.name = "@discard", .take = take_discard},
	TAKEN("@error_policy", take_write_policy),
	TAKEN("@rerror_policy", take_read_policy),
	ONLY("@copy_on_read", "off", "what is read is not copied"),
	ONLY("@iommu", "off", "there is no IOMMU"),
	NUMBER("@queues", "queues"),
	IGNORED("@queue_size"),
	IGNORED("@detect_zeroes"),
	IGNORED("@discard_no_unref"),
	IGNORED("@iothread"), /* each disk has one */
	IGNORED("iothreads"),
	IGNORED("@ioeventfd"),
	IGNORED("@event_idx"),
	IGNORED("@packed"),
	IGNORED("@ats"),
	IGNORED("@page_per_vq"),
	{0},
};

/* As a part of a URI; the caller frees it. */
static char *percent(const char *text)
{
	char *out = calloc(3, strlen(text) + 1);
	size_t used = 0;

	for (const char *at = text; out && *at; at++) {
		if (isalnum((unsigned char)*at) || strchr("-._~/", *at))
			out[used++] = *at;
		else
			used += (size_t)sprintf(out + used, "%%%02X", (unsigned char)*at);
	}
	return out;
}

static void set_nbd(struct domain *domain, xmlNode *source, xmlNode *host)
{
	_cleanup_xml_ char *name = domain_attribute(source, "name");
	_cleanup_xml_ char *tls = domain_attribute(source, "tls");
	_cleanup_xml_ char *address = domain_attribute(host, "name");
	_cleanup_xml_ char *port = domain_attribute(host, "port");
	_cleanup_xml_ char *socket = domain_attribute(host, "socket");
	_cleanup_free_ char *export = percent(name ? name : "");
	_cleanup_free_ char *at = percent(socket ? socket : address ? address : "localhost");
	const char *scheme = tls && !strcmp(tls, "yes") ? "nbds" : "nbd";
	_cleanup_free_ char *uri = NULL;
	int r = -1;

	if (export && at && socket)
		r = asprintf(&uri, "%s+unix:///%s?socket=%s", scheme, export, at);
	else if (export && at && address && strchr(address, ':'))
		r = asprintf(&uri, "%s://[%s]:%s/%s", scheme, address, port ? port : "10809",
			     export);
	else if (export && at)
		r = asprintf(&uri, "%s://%s:%s/%s", scheme, at, port ? port : "10809", export);
	if (r < 0)
		uri = NULL;
	else
		domain_set(domain, "file", uri);
}

static void take_network_source(struct domain *domain, xmlNode *source)
{
	_cleanup_xml_ char *protocol = domain_attribute(source, "protocol");
	xmlNode *host = domain_child(source, "host");

	if (!protocol || strcmp(protocol, "nbd") != 0)
		domain_lack(domain, source,
			    "'%.60s': of the network's disks armlet has those by nbd",
			    protocol ? protocol : "");
	else if (!host)
		domain_lack(domain, source, "there is no host to reach it at");
	else
		set_nbd(domain, source, host);
}

static void take_volume(struct domain *domain, xmlNode *source)
{
	_cleanup_xml_ char *pool = domain_attribute(source, "pool");
	_cleanup_xml_ char *volume = domain_attribute(source, "volume");
	_cleanup_free_ char *path = NULL;
	struct error err = {0};

	if (!domain->host)
		domain_lack(domain, source,
			    "where a storage volume is only libvirt knows: name the domain as "
			    "URI/NAME");
	else if (!pool || !volume)
		domain_lack(domain, source, "a volume has a pool and a name");
	else if (domain->host->volume(domain->host->data, pool, volume, &path, &err) < 0)
		domain_lack(domain, source, "%s", err.text);
	else
		domain_set(domain, "file", path);
}

/* It is a path, whatever it looks like. */
static void set_path(struct domain *domain, xmlNode *source, const char *attribute)
{
	_cleanup_xml_ char *path = domain_attribute(source, attribute);
	_cleanup_free_ char *here = NULL;

	if (!path || !*path)
		return;
	if (!strstr(path, "://") || *path == '/')
		domain_set(domain, "file", path);
	else if (asprintf(&here, "./%s", path) >= 0)
		domain_set(domain, "file", here);
	else
		here = NULL;
}

static void take_source(struct domain *domain, xmlNode *source, const char *text)
{
	_cleanup_xml_ char *given = domain_attribute(source->parent, "type");
	const char *type = given ? given : "file";

	(void)text;
	if (!strcmp(type, "file"))
		set_path(domain, source, "file");
	else if (!strcmp(type, "block"))
		set_path(domain, source, "dev");
	else if (!strcmp(type, "volume"))
		take_volume(domain, source);
	else if (!strcmp(type, "network"))
		take_network_source(domain, source);
	else
		domain_lack(domain, source,
			    "a disk is a file, a block device, a volume or by nbd, not '%.60s'",
			    type);
}

static const struct domain_row source_rows[] = {
	IGNORED("@file"),
	IGNORED("@dev"),
	IGNORED("@pool"),
	IGNORED("@volume"),
	IGNORED("@mode"),
	IGNORED("@protocol"),
	IGNORED("@name"),
	IGNORED("@tls"),
	IGNORED("@dir"),
	IGNORED("@type"),
	IGNORED("@path"),
	IGNORED("@index"),
	IGNORED("host"),
	IGNORED("address"),
	IGNORED("seclabel"),
	ONLY("@startupPolicy", "mandatory", "a disk has to be there"),
	LACKING("auth", "armlet knows no secrets"),
	LACKING("encryption", "the guest has to decrypt its disk itself"),
	LACKING("reservations", "there are no SCSI reservations"),
	LACKING("slices", "a disk is a whole file"),
	{0},
};

static const struct domain_row target_rows[] = {
	IGNORED("@dev"),           ONLY("@bus", "virtio", "it would be a virtio disk"),
	IGNORED("@tray"),          IGNORED("@removable"),
	IGNORED("@rotation_rate"), {0},
};

static const struct domain_row blockio_rows[] = {
	{.name = "@logical_block_size", .fine = "0", .key = "block-size", .type = DOMAIN_NUMBER},
	{.name = "@physical_block_size",
	 .fine = "0",
	 .key = "physical-block-size",
	 .type = DOMAIN_NUMBER},
	LACKING("@discard_granularity", "it is the block's size"),
	{0},
};

static const struct domain_row disk_rows[] = {
	IGNORED("@type"),
	IGNORED("@device"),
	IGNORED("@snapshot"),
	IGNORED("@sgio"),
	ONLY("@model", "virtio virtio-transitional virtio-non-transitional",
	     "it would be a virtio disk"),
	ONLY("@rawio", "no", "a guest speaks no SCSI to the host's disk"),
	INSIDE("driver", driver_rows),
	{.name = "source", .take = take_source, .rows = source_rows},
	INSIDE("target", target_rows),
	INSIDE("blockio", blockio_rows),
	STRING("serial", "serial"),
	FLAG("readonly", "ro"),
	FLAG("transient", "ephemeral"),
	IGNORED("backingStore"), /* the image itself names what is behind it */
	IGNORED("boot"),
	IGNORED("privateData"),
	LACKING("iotune", "armlet limits no I/O (systemd-run can)"),
	LACKING("throttlefilters", "armlet limits no I/O (systemd-run can)"),
	LACKING("shareable", "a disk that may be written has one machine"),
	LACKING("encryption", "the guest has to decrypt its disk itself"),
	LACKING("auth", "armlet knows no secrets"),
	LACKING("mirror", "a disk has no mirror"),
	LACKING("geometry", "a disk has no geometry"),
	LACKING("wwn", "a virtio disk has no WWN"),
	LACKING("vendor", "a virtio disk names no vendor"),
	LACKING("product", "a virtio disk names no product"),
	DOMAIN_DEVICE_ROWS,
	{0},
};

/* A type that is not said is raw, never what the bytes look like. */
static void settle_format(struct domain *domain, xmlNode *node)
{
	const char *format = domain_get(domain, "format");
	_cleanup_xml_ char *type = domain_attribute(node, "type");
	bool is_nbd = type && !strcmp(type, "network");

	if (!format) {
		if (!is_nbd)
			domain_set(domain, "format", "raw");
	} else if (is_nbd) {
		if (strcmp(format, "raw") != 0)
			domain_lack(domain, node, "an NBD server's export is taken as raw");
		json_object_object_del(domain->part, "format");
	}
}

void domain_take_disk(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *device = domain_attribute(node, "device");
	size_t lacks = json_object_array_length(domain->lacks);
	bool is_disk = !device || !strcmp(device, "disk");

	(void)text;
	if (!is_disk && !domain_is_one_of(device, "cdrom lun")) {
		domain_lack(domain, node, "there is no drive of the kind '%.60s'", device);
		return;
	}
	if (!domain_child(node, "source")) {
		domain_lack(domain, node, "there is nothing in this drive");
		return;
	}
	if (!is_disk)
		domain_lack(domain, node, "'%.60s': it would be a disk%s", device,
			    !strcmp(device, "cdrom") ? " that can only be read" : "");
	domain_begin(domain);
	domain_walk(domain, node, disk_rows);
	if (!is_disk && !strcmp(device, "cdrom"))
		domain_set_flag(domain, "ro");
	if (domain->r == 0 && domain_get(domain, "file")) {
		settle_format(domain, node);
		domain_end(domain, "disks");
		return;
	}
	if (json_object_array_length(domain->lacks) == lacks)
		domain_lack(domain, node, "there is nothing in this drive");
	domain_end(domain, NULL);
}
