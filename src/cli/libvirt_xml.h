/* SPDX-License-Identifier: Apache-2.0 */
/* XML that is walked along tables: an element's has a row for each thing that may be in it. */
#ifndef ARMLET_CLI_LIBVIRT_XML_H
#define ARMLET_CLI_LIBVIRT_XML_H

#include <libxml/tree.h>

#include "libvirt_domain.h"
#include "machine/config.h"

/* A domain while it is read. */
struct domain {
	const struct libvirt_host *host; /* NULL: there is none */
	struct json_object *config;
	struct json_object *part; /* of @config: what is being read */
	struct json_object *lacks;
	struct error *err;
	int r; /* below zero: @err says why nothing comes of it */

	bool has_type;
	uint64_t mem, current_mem; /* bytes; 0: not said */
	bool has_balloon, no_balloon;
	uint32_t cpus;
	int64_t pin_all, pin[MACHINE_MAX_VCPUS]; /* host CPUs; below zero: not pinned */
	unsigned serials;
};

/*
 * What becomes of an element or of an attribute: @take and the walk along @rows, or else
 * @key; or else it is lacking if there is a @why. A row with none of these ignores it.
 */
struct domain_row {
	const char *name; /* an attribute's behind an '@' */
	const char *fine; /* values that need nothing be done, blanks between */
	const char *why;  /* what armlet has not */
	const char *key;  /* the field of the present part that its value is */
	enum { DOMAIN_STRING, DOMAIN_NUMBER, DOMAIN_FLAG } type; /* of the field */
	const struct domain_row *rows;                           /* what may be in it */
	/* @text: its value, or what is in it, without white space around */
	void (*take)(struct domain *domain, xmlNode *node, const char *text);
};

#define IGNORED(name_)          \
	{                       \
		.name = (name_) \
	}
#define LACKING(name_, why_)                   \
	{                                      \
		.name = (name_), .why = (why_) \
	}
#define ONLY(name_, fine_, why_)                                \
	{                                                       \
		.name = (name_), .fine = (fine_), .why = (why_) \
	}
#define STRING(name_, key_)                    \
	{                                      \
		.name = (name_), .key = (key_) \
	}
#define NUMBER(name_, key_)                                           \
	{                                                             \
		.name = (name_), .key = (key_), .type = DOMAIN_NUMBER \
	}
#define FLAG(name_, key_)                                           \
	{                                                           \
		.name = (name_), .key = (key_), .type = DOMAIN_FLAG \
	}
#define INSIDE(name_, rows_)                     \
	{                                        \
		.name = (name_), .rows = (rows_) \
	}
#define TAKEN(name_, take_)                      \
	{                                        \
		.name = (name_), .take = (take_) \
	}

/* Attributes and elements of @node; @rows end with a zeroed one. */
void domain_walk(struct domain *domain, xmlNode *node, const struct domain_row *rows);

/* @node is one that armlet has not, as the words say. */
void domain_lack(struct domain *domain, xmlNode *node, const char *fmt, ...) PRINTF(3, 4);

/* Nothing comes of it, for what the words say of @node. */
void domain_refuse(struct domain *domain, xmlNode *node, const char *fmt, ...) PRINTF(3, 4);

/* Fields of the present part. */
void domain_set(struct domain *domain, const char *key, const char *value);
void domain_set_number(struct domain *domain, const char *key, uint64_t value);
void domain_set_flag(struct domain *domain, const char *key);
const char *domain_get(const struct domain *domain, const char *key); /* NULL: no such string */

/* Begin a part of its own, and end it: as an element of @key's array, or, with NULL, of nothing. */
void domain_begin(struct domain *domain);
void domain_end(struct domain *domain, const char *key);

/* One more in the array of strings @key of the configuration. */
void domain_add(struct domain *domain, const char *key, const char *fmt, ...) PRINTF(3, 4);

/* An element of that name in @node; NULL: there is none. */
xmlNode *domain_child(xmlNode *node, const char *name);

/* An attribute's value, NULL if @node is or has none; of a child: domain_child_attribute(). */
char *domain_attribute(xmlNode *node, const char *name);
char *domain_child_attribute(xmlNode *node, const char *child, const char *name);

static inline void free_xml(char *text)
{
	if (text)
		xmlFree(text);
}
DEFINE_CLEANUP(char *, free_xml)
#define _cleanup_xml_ _cleanup_(cleanup_free_xml_)

/* Whether @text is one of @words, which have blanks between. */
bool domain_is_one_of(const char *text, const char *words);

/* A number; false: it was refused. */
bool domain_number(struct domain *domain, xmlNode *node, const char *text, uint64_t *ret);

/* The tree of @domain->err or none. */
xmlDoc *domain_parse_xml(const char *text, size_t size, struct error *err);

/* The rows of elements, for their containers. */
extern const struct domain_row domain_device_rows[];
void domain_take_disk(struct domain *domain, xmlNode *node, const char *text);
void domain_take_interface(struct domain *domain, xmlNode *node, const char *text);

/* What of most devices is of no matter. */
#define DOMAIN_DEVICE_ROWS IGNORED("alias"), IGNORED("address"), IGNORED("acpi")

#endif
