/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces: taps, on bridges and on libvirt's networks, and passt. */
#include <inttypes.h>
#include <string.h>

#include "libvirt_xml.h"

static void take_network(struct domain *domain, xmlNode *source, const char *name)
{
	_cleanup_free_ char *bridge = NULL;
	struct error err = {0};

	if (!domain->host)
		domain_lack(domain, source,
			    "the bridge of a network only libvirt knows: name the domain as "
			    "URI/NAME");
	else if (domain->host->network(domain->host->data, name, &bridge, &err) < 0)
		domain_lack(domain, source, "%s", err.text);
	else
		domain_set(domain, "bridge", bridge);
}

static void take_source(struct domain *domain, xmlNode *source, const char *text)
{
	_cleanup_xml_ char *type = domain_attribute(source->parent, "type");
	_cleanup_xml_ char *network = domain_attribute(source, "network");
	_cleanup_xml_ char *bridge = domain_attribute(source, "bridge");

	(void)text;
	/* The XML of a domain that runs has the network's bridge, too. */
	if (!strcmp(type, "network") && (domain->host || !bridge))
		take_network(domain, source, network ? network : "");
	else if (domain_is_one_of(type, "network bridge") && bridge)
		domain_set(domain, "bridge", bridge);
}

/* The name of a tap, but for those that libvirt itself makes up while a domain runs. */
static void take_target(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *type = domain_attribute(node->parent->parent, "type");

	if (strcmp(type, "user") != 0 && strncmp(text, "vnet", 4) != 0)
		domain_set(domain, "tap", text);
}

static void take_driver(struct domain *domain, xmlNode *node, const char *text)
{
	if (!strcmp(text, "vhost"))
		domain_set(domain, "vhost", "on");
	else if (!strcmp(text, "qemu"))
		domain_set(domain, "vhost", "off");
	else
		domain_lack(domain, node, "'%.60s': the kernel moves frames, or armlet", text);
}

/* Ports. */

static void add_ports(struct domain *domain, xmlNode *range)
{
	_cleanup_xml_ char *address = domain_attribute(range->parent, "address");
	_cleanup_xml_ char *proto = domain_attribute(range->parent, "proto");
	_cleanup_xml_ char *start = domain_attribute(range, "start");
	_cleanup_xml_ char *end = domain_attribute(range, "end");
	_cleanup_xml_ char *to = domain_attribute(range, "to");
	bool is_v6 = address && strchr(address, ':');
	struct json_object *ports = NULL;
	uint64_t first, last, guest;

	if (!domain_number(domain, range, start ? start : "", &first) ||
	    !domain_number(domain, range, end ? end : start, &last) ||
	    !domain_number(domain, range, to ? to : start, &guest))
		return;
	json_object_object_get_ex(domain->config, "publish", &ports);
	if (first > last || last - first >= MACHINE_MAX_PUBLISH ||
	    (ports && json_object_array_length(ports) >= MACHINE_MAX_PUBLISH)) {
		domain_lack(domain, range, "there may be %d ports at most", MACHINE_MAX_PUBLISH);
		return;
	}
	for (uint64_t i = 0; i <= last - first; i++)
		domain_add(domain, "publish", "%s%s%s%s%" PRIu64 ":%" PRIu64 "%s", is_v6 ? "[" : "",
			   address ? address : "", is_v6 ? "]" : "", address ? ":" : "", first + i,
			   guest + i, proto && !strcmp(proto, "udp") ? "/udp" : "");
}

static void take_range(struct domain *domain, xmlNode *range, const char *text)
{
	_cleanup_xml_ char *exclude = domain_attribute(range, "exclude");

	(void)text;
	if (exclude && !strcmp(exclude, "yes"))
		domain_lack(domain, range, "ports are named that are published, not others");
	else
		add_ports(domain, range);
}

static void take_forward(struct domain *domain, xmlNode *node, const char *text)
{
	(void)text;
	if (!domain_child(node, "range"))
		domain_lack(domain, node, "ports are published one by one");
}

static const struct domain_row forward_rows[] = {
	ONLY("@proto", "tcp udp", "ports are of tcp or udp"),
	IGNORED("@address"),
	LACKING("@dev", "ports are of an address"),
	TAKEN("range", take_range),
	{0},
};

/* The interface. */

static const struct domain_row mac_rows[] = {
	STRING("@address", "mac"), IGNORED("@type"), IGNORED("@check"), {0}};

static const struct domain_row net_source_rows[] = {
	IGNORED("@network"),
	IGNORED("@bridge"),
	IGNORED("@dev"),
	IGNORED("@portid"),
	LACKING("@portgroup", "a network's groups of ports are libvirt's own"),
	{0},
};

static const struct domain_row net_target_rows[] = {
	TAKEN("@dev", take_target), IGNORED("@managed"), {0}};

static const struct domain_row net_model_rows[] = {
	ONLY("@type", "virtio virtio-transitional virtio-non-transitional virtio-net",
	     "it would be a virtio interface"),
	{0},
};

static const struct domain_row net_driver_rows[] = {
	TAKEN("@name", take_driver),
	NUMBER("@queues", "queues"),
	ONLY("@iommu", "off", "there is no IOMMU"),
	IGNORED("@txmode"),
	IGNORED("@ioeventfd"),
	IGNORED("@event_idx"),
	IGNORED("@rx_queue_size"),
	IGNORED("@tx_queue_size"),
	IGNORED("@packed"),
	IGNORED("@ats"),
	IGNORED("@page_per_vq"),
	LACKING("host", "a guest chooses its offloads itself"),
	LACKING("guest", "a guest chooses its offloads itself"),
	{0},
};

static const struct domain_row mtu_rows[] = {NUMBER("@size", "mtu"), {0}};
static const struct domain_row link_rows[] = {
	ONLY("@state", "up", "a cable is plugged from the start"), {0}};
static const struct domain_row backend_rows[] = {
	ONLY("@type", "passt default", "the host's own network is by passt"), {0}};

#define AS_HOST "its address and routes are passt's"

static const struct domain_row interface_rows[] = {
	IGNORED("@type"),
	IGNORED("@managed"),
	IGNORED("@trustGuestRxFilters"),
	INSIDE("mac", mac_rows),
	{.name = "source", .take = take_source, .rows = net_source_rows},
	INSIDE("target", net_target_rows),
	INSIDE("model", net_model_rows),
	INSIDE("driver", net_driver_rows),
	INSIDE("backend", backend_rows),
	{.name = "portForward", .take = take_forward, .rows = forward_rows},
	INSIDE("mtu", mtu_rows),
	INSIDE("link", link_rows),
	IGNORED("boot"),
	IGNORED("rom"),
	LACKING("bandwidth", "armlet limits no traffic (tc can)"),
	LACKING("filterref", "armlet filters no traffic (nft can)"),
	LACKING("vlan", "a bridge that filters VLANs has to be told itself"),
	LACKING("virtualport", "there are bridges of Linux only"),
	LACKING("port", "there are bridges of Linux only"),
	LACKING("ip", AS_HOST),
	LACKING("route", AS_HOST),
	LACKING("guest", AS_HOST),
	LACKING("script", "no script is run"),
	LACKING("downscript", "no script is run"),
	LACKING("coalesce", "the tap's own settings stay"),
	LACKING("tune", "the tap's own settings stay"),
	LACKING("teaming", "interfaces are not teamed"),
	DOMAIN_DEVICE_ROWS,
	{0},
};

void domain_take_interface(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *type = domain_attribute(node, "type");
	size_t lacks = json_object_array_length(domain->lacks);

	(void)text;
	if (!type || !domain_is_one_of(type, "user network bridge ethernet")) {
		domain_lack(domain, node, "there is no interface of the kind '%.60s'",
			    type ? type : "");
		return;
	}
	domain_begin(domain);
	domain_set(domain, "mode", !strcmp(type, "user") ? "user" : "tap");
	domain_walk(domain, node, interface_rows);
	/* One that is on no bridge would be of no use. */
	if (domain_is_one_of(type, "network bridge") && !domain_get(domain, "bridge")) {
		if (json_object_array_length(domain->lacks) == lacks)
			domain_lack(domain, node, "it does not say what it is on");
		domain_end(domain, NULL);
		return;
	}
	domain_end(domain, "nets");
}
