/* SPDX-License-Identifier: Apache-2.0 */
/* The XML of a domain (https://libvirt.org/formatdomain.html) as a configuration in JSON. */
#ifndef ARMLET_CLI_LIBVIRT_DOMAIN_H
#define ARMLET_CLI_LIBVIRT_DOMAIN_H

#include <json-c/json.h>

#include "base/error.h"

/* What only libvirt knows. Both fail with a sentence; what they return is the caller's to free. */
struct libvirt_host {
	int (*volume)(void *data, const char *pool, const char *name, char **ret_path,
		      struct error *err);
	int (*network)(void *data, const char *name, char **ret_bridge, struct error *err);
	void *data;
};

/*
 * Read @size bytes of XML. @ret_lacks is an array of strings, a sentence for each thing
 * that @ret_config is without. Without a @host (NULL), volumes and networks are such things.
 * Fails with a sentence for what is no domain of ours at all.
 */
int libvirt_domain_read(const char *text, size_t size, const struct libvirt_host *host,
			struct json_object **ret_config, struct json_object **ret_lacks,
			struct error *err);

/* From now on libxml2 prints nothing by itself: what it has to say is told once, by us. */
void libvirt_silence_xml(void);

#endif
