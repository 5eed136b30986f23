/* SPDX-License-Identifier: Apache-2.0 */
/* Where the XML of a domain comes from, and what only libvirt knows. */
#include <assert.h>
#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libvirt.h"
#include "libvirt_domain.h"
#include "options_json.h"

#define LIBRARY "libvirt.so.0"
#define XML_MAX OPTIONS_JSON_MAX

/* The functions of libvirt, by their names there. */
struct library {
	typeof(virSetErrorFunc) *virSetErrorFunc;
	typeof(virGetLastErrorCode) *virGetLastErrorCode;
	typeof(virGetLastErrorMessage) *virGetLastErrorMessage;
	typeof(virConnectOpenReadOnly) *virConnectOpenReadOnly;
	typeof(virConnectClose) *virConnectClose;
	typeof(virDomainLookupByName) *virDomainLookupByName;
	typeof(virDomainLookupByUUIDString) *virDomainLookupByUUIDString;
	typeof(virDomainGetXMLDesc) *virDomainGetXMLDesc;
	typeof(virDomainFree) *virDomainFree;
	typeof(virNetworkLookupByName) *virNetworkLookupByName;
	typeof(virNetworkIsActive) *virNetworkIsActive;
	typeof(virNetworkGetBridgeName) *virNetworkGetBridgeName;
	typeof(virNetworkFree) *virNetworkFree;
	typeof(virStoragePoolLookupByName) *virStoragePoolLookupByName;
	typeof(virStoragePoolFree) *virStoragePoolFree;
	typeof(virStorageVolLookupByName) *virStorageVolLookupByName;
	typeof(virStorageVolGetPath) *virStorageVolGetPath;
	typeof(virStorageVolFree) *virStorageVolFree;
};

#define FUNCTION(name)                                \
	{                                             \
#name, offsetof(struct library, name) \
	}

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
	FUNCTION(virSetErrorFunc),
	FUNCTION(virGetLastErrorCode),
	FUNCTION(virGetLastErrorMessage),
	FUNCTION(virConnectOpenReadOnly),
	FUNCTION(virConnectClose),
	FUNCTION(virDomainLookupByName),
	FUNCTION(virDomainLookupByUUIDString),
	FUNCTION(virDomainGetXMLDesc),
	FUNCTION(virDomainFree),
	FUNCTION(virNetworkLookupByName),
	FUNCTION(virNetworkIsActive),
	FUNCTION(virNetworkGetBridgeName),
	FUNCTION(virNetworkFree),
	FUNCTION(virStoragePoolLookupByName),
	FUNCTION(virStoragePoolFree),
	FUNCTION(virStorageVolLookupByName),
	FUNCTION(virStorageVolGetPath),
	FUNCTION(virStorageVolFree),
};

/* A connection to the host that a URI names. */
struct connection {
	struct library libvirt;
	virConnectPtr host;
};

/* It stays loaded, as it asks for: its threads may not have ended. False: @err says why not. */
static bool load(struct library *ret, struct error *err)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	struct library loaded;

	if (!library) {
		error_set(err, ENOTSUP, "libvirt cannot be loaded (%.200s); install libvirt0",
			  dlerror());
		return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		void *function = dlsym(library, functions[i].name);

		if (!function) {
			error_set(err, ENOTSUP, "this libvirt is too old: it has no %s",
				  functions[i].name);
			return false;
		}
		memcpy((char *)&loaded + functions[i].offset, &function, sizeof(function));
	}
	*ret = loaded;
	return true;
}

/* What libvirt says of its last failure is told once, by us. */
static void be_silent(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

static int refused_by(const struct connection *c, struct error *err)
{
	return error_set(err, EIO, "libvirt says: %.300s", c->libvirt.virGetLastErrorMessage());
}

/* What only libvirt knows. */

static int find_volume(void *data, const char *pool_name, const char *name, char **ret,
		       struct error *err)
{
	const struct connection *c = data;
	virStoragePoolPtr pool = c->libvirt.virStoragePoolLookupByName(c->host, pool_name);
	virStorageVolPtr volume = pool ? c->libvirt.virStorageVolLookupByName(pool, name) : NULL;
	char *path = volume ? c->libvirt.virStorageVolGetPath(volume) : NULL;
	int r = path ? 0 : refused_by(c, err);

	if (volume)
		c->libvirt.virStorageVolFree(volume);
	if (pool)
		c->libvirt.virStoragePoolFree(pool);
	if (r == 0)
		*ret = path;
	return r;
}

static int find_bridge(void *data, const char *name, char **ret, struct error *err)
{
	const struct connection *c = data;
	virNetworkPtr network = c->libvirt.virNetworkLookupByName(c->host, name);
	char *bridge = NULL;
	int r = 0;

	if (network && c->libvirt.virNetworkIsActive(network) == 0)
		r = error_set(err, ENETDOWN,
			      "the network '%.60s' is down; `virsh net-start` starts it", name);
	else
		bridge = network ? c->libvirt.virNetworkGetBridgeName(network) : NULL;
	if (r == 0 && !bridge)
		r = refused_by(c, err);
	if (network)
		c->libvirt.virNetworkFree(network);
	if (r == 0)
		*ret = bridge;
	return r;
}

/* Domains. */

/* A domain as it is kept, which is how it starts. */
static int fetch(const struct connection *c, const char *name, char **ret, struct error *err)
{
	virDomainPtr domain = c->libvirt.virDomainLookupByName(c->host, name);
	char *text;

	if (!domain && c->libvirt.virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
		return refused_by(c, err);
	if (!domain)
		domain = c->libvirt.virDomainLookupByUUIDString(c->host, name);
	if (!domain)
		return error_set(err, ENOENT, "libvirt has no domain '%.100s' there", name);
	text = c->libvirt.virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
	c->libvirt.virDomainFree(domain);
	if (!text)
		return refused_by(c, err);
	*ret = text;
	return 0;
}

static int read_from(struct connection *c, const char *name, struct json_object **ret_config,
		     struct json_object **ret_lacks, struct error *err)
{
	const struct libvirt_host host = {.volume = find_volume, .network = find_bridge, .data = c};
	_cleanup_free_ char *text = NULL;
	int r = fetch(c, name, &text, err);

	if (r < 0)
		return r;
	assert(text);
	if (strlen(text) > XML_MAX)
		return error_set(err, EFBIG, "this domain is too large");
	return libvirt_domain_read(text, strlen(text), &host, ret_config, ret_lacks, err);
}

/* @where is URI/NAME, the name behind the last slash. */
static int read_uri(const char *where, struct json_object **ret_config,
		    struct json_object **ret_lacks, struct error *err)
{
	const char *slash = strrchr(where, '/');
	_cleanup_free_ char *uri = strndup(where, (size_t)(slash - where));
	struct connection c = {0};
	int r;

	if (!uri)
		return error_set_errno(err, ENOMEM, "the URI");
	if (!slash[1])
		return error_set(err, EINVAL, "name the domain behind the URI: %.200s/NAME", uri);
	if (!load(&c.libvirt, err))
		return -ENOTSUP;
	c.libvirt.virSetErrorFunc(NULL, be_silent);
	libvirt_silence_xml(); /* that of libvirt, too */
	c.host = c.libvirt.virConnectOpenReadOnly(uri);
	if (!c.host)
		return refused_by(&c, err);
	r = read_from(&c, slash + 1, ret_config, ret_lacks, err);
	c.libvirt.virConnectClose(c.host);
	return r;
}

static int read_file(const char *path, struct json_object **ret_config,
		     struct json_object **ret_lacks, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int r = options_read_text(path, &text, &size, err);

	return r < 0 ? r : libvirt_domain_read(text, size, NULL, ret_config, ret_lacks, err);
}

static bool is_file(const char *where)
{
	size_t size = strlen(where);

	return access(where, F_OK) == 0 ||
	       (!strstr(where, "://") && size > 4 && !strcmp(where + size - 4, ".xml"));
}

int libvirt_read(const struct option_table *table, const char *where, void *target,
		 struct json_object **ret, struct error *err)
{
	struct json_object *domain, *config = NULL, *lacks = NULL;
	int r;

	if (is_file(where))
		r = read_file(where, &config, &lacks, err);
	else if (strstr(where, "://"))
		r = read_uri(where, &config, &lacks, err);
	else
		r = error_set(err, ENOENT,
			      "this is no file, and no URI/NAME such as qemu:///system/web");
	if (r < 0)
		return error_prefix(err, "%.200s: ", where);
	domain = json_object_new_object();
	json_object_object_add(domain, "where", json_object_new_string(where));
	json_object_object_add(domain, "config", config);
	json_object_object_add(domain, "lacks", lacks);
	r = options_from_json(table->options, config, target, err);
	if (r < 0) {
		json_object_put(domain);
		return error_prefix(err, "%.200s: ", where);
	}
	*ret = domain;
	return 0;
}
