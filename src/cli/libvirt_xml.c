/* SPDX-License-Identifier: Apache-2.0 */
#include "libvirt_xml.h"

#include <ctype.h>
#include <inttypes.h>
#include <libxml/parser.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

#define MAX_LACKS 100

/* From bytes. */

static void be_silent(void *data, const char *fmt, ...)
{
	(void)data;
	(void)fmt;
}

void libvirt_silence_xml(void)
{
	xmlSetGenericErrorFunc(NULL, be_silent);
}

/* Entities, and all else that a document type may declare, are of no use here. */
static void refuse_doctype(void *data, const xmlChar *name, const xmlChar *external,
			   const xmlChar *system)
{
	xmlParserCtxt *parser = data;

	(void)name;
	(void)external;
	(void)system;
	*(bool *)parser->_private = true;
	xmlStopParser(parser);
}

static int refuse_xml(xmlParserCtxt *parser, bool has_doctype, struct error *err)
{
	const xmlError *error = xmlCtxtGetLastError(parser);
	size_t size = error && error->message ? strcspn(error->message, "\n") : 0;

	if (has_doctype)
		return error_set(err, EINVAL, "a domain has no document type: remove <!DOCTYPE>");
	if (!size)
		return error_set(err, EINVAL, "this is no XML");
	return error_set(err, EINVAL, "this is no XML: %.*s in line %d",
			 (int)min_u64(size, ERROR_TEXT_MAX / 2), error->message, error->line);
}

xmlDoc *domain_parse_xml(const char *text, size_t size, struct error *err)
{
	xmlParserCtxt *parser = xmlNewParserCtxt();
	bool has_doctype = false;
	xmlDoc *doc;

	if (!parser) {
		error_set_errno(err, ENOMEM, "XML");
		return NULL;
	}
	libvirt_silence_xml();
	parser->_private = &has_doctype;
	parser->sax->internalSubset = refuse_doctype;
	doc = xmlCtxtReadMemory(parser, text, (int)size, NULL, NULL,
				XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
					XML_PARSE_NOCDATA | XML_PARSE_BIG_LINES);
	if (doc && (has_doctype || !xmlDocGetRootElement(doc))) {
		xmlFreeDoc(doc);
		doc = NULL;
	}
	if (!doc)
		refuse_xml(parser, has_doctype, err);
	xmlFreeParserCtxt(parser);
	return doc;
}

/* What is said of nodes. */

/* In one line, whatever is quoted in it. */
static void flatten(char *text)
{
	for (char *at = text; *at; at++) {
		if (iscntrl((unsigned char)*at))
			*at = ' ';
	}
}

/* "line 7, /domain/devices/tpm: " and the words, within @size. */
static PRINTF(4, 0) void say(xmlNode *node, char *text, size_t size, const char *fmt, va_list args)
{
	xmlNode *element = node->type == XML_ATTRIBUTE_NODE ? node->parent : node;
	_cleanup_xml_ char *path = (char *)xmlGetNodePath(node);
	size_t used = (size_t)snprintf(text, size, "line %ld, %.150s: ", xmlGetLineNo(element),
				       path ? path : "?");

	if (used < size)
		vsnprintf(text + used, size - used, fmt, args);
	flatten(text);
}

void domain_refuse(struct domain *domain, xmlNode *node, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;

	if (domain->r < 0)
		return;
	va_start(args, fmt);
	say(node, text, sizeof(text), fmt, args);
	va_end(args);
	domain->r = error_set(domain->err, EINVAL, "%s", text);
}

void domain_lack(struct domain *domain, xmlNode *node, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;

	if (domain->r < 0)
		return;
	if (json_object_array_length(domain->lacks) >= MAX_LACKS) {
		domain_refuse(domain, node, "there is too much in this domain that armlet has not");
		return;
	}
	va_start(args, fmt);
	say(node, text, sizeof(text), fmt, args);
	va_end(args);
	json_object_array_add(domain->lacks, json_object_new_string(text));
}

/* Parts. */

void domain_set(struct domain *domain, const char *key, const char *value)
{
	json_object_object_add(domain->part, key, json_object_new_string(value));
}

void domain_set_number(struct domain *domain, const char *key, uint64_t value)
{
	json_object_object_add(domain->part, key, json_object_new_uint64(value));
}

void domain_set_flag(struct domain *domain, const char *key)
{
	json_object_object_add(domain->part, key, json_object_new_boolean(true));
}

const char *domain_get(const struct domain *domain, const char *key)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(domain->part, key, &value) ? json_object_get_string(value)
								    : NULL;
}

static void add_element(struct domain *domain, const char *key, struct json_object *value)
{
	struct json_object *array = NULL;

	if (!json_object_object_get_ex(domain->config, key, &array)) {
		array = json_object_new_array();
		json_object_object_add(domain->config, key, array);
	}
	json_object_array_add(array, value);
}

void domain_add(struct domain *domain, const char *key, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;
	int r;

	va_start(args, fmt);
	r = vasprintf(&text, fmt, args);
	va_end(args);
	if (r >= 0)
		add_element(domain, key, json_object_new_string(text));
	else
		text = NULL;
}

void domain_begin(struct domain *domain)
{
	domain->part = json_object_new_object();
}

void domain_end(struct domain *domain, const char *key)
{
	if (key)
		add_element(domain, key, domain->part);
	else
		json_object_put(domain->part);
	domain->part = domain->config;
}

/* Nodes. */

xmlNode *domain_child(xmlNode *node, const char *name)
{
	for (xmlNode *child = node->children; child; child = child->next) {
		if (child->type == XML_ELEMENT_NODE && !child->ns &&
		    !strcmp((const char *)child->name, name))
			return child;
	}
	return NULL;
}

char *domain_attribute(xmlNode *node, const char *name)
{
	return node ? (char *)xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
}

char *domain_child_attribute(xmlNode *node, const char *child, const char *name)
{
	return domain_attribute(domain_child(node, child), name);
}

bool domain_is_one_of(const char *text, const char *words)
{
	size_t length = strlen(text);

	for (const char *word = words; *word;) {
		size_t size = strcspn(word, " ");

		if (size == length && !strncmp(word, text, size))
			return true;
		word += size + (word[size] == ' ');
	}
	return false;
}

bool domain_number(struct domain *domain, xmlNode *node, const char *text, uint64_t *ret)
{
	if (parse_u64(text, ret) == 0 && *ret <= INT64_MAX)
		return true;
	domain_refuse(domain, node, "'%.60s' is no number", text);
	return false;
}

static void set_field(struct domain *domain, xmlNode *node, const struct domain_row *row,
		      const char *text)
{
	uint64_t number;

	switch (row->type) {
	case DOMAIN_STRING:
		if (*text)
			domain_set(domain, row->key, text);
		break;
	case DOMAIN_NUMBER:
		if (domain_number(domain, node, text, &number))
			domain_set_number(domain, row->key, number);
		break;
	case DOMAIN_FLAG:
		domain_set_flag(domain, row->key);
		break;
	}
}

/* Returns @text's begin behind white space; what is at its end is cut off. */
static char *trim(char *text)
{
	size_t size;

	text += strspn(text, " \t\r\n");
	size = strlen(text);
	while (size && strchr(" \t\r\n", text[size - 1]))
		size--;
	text[size] = '\0';
	return text;
}

static void apply_row(struct domain *domain, xmlNode *node, const struct domain_row *row)
{
	_cleanup_xml_ char *content = NULL;
	const char *text = "";

	if (row->take || row->key || row->fine) {
		content = (char *)xmlNodeGetContent(node);
		text = content ? trim(content) : "";
	}
	if (row->fine && domain_is_one_of(text, row->fine))
		return;
	if (row->take)
		row->take(domain, node, text);
	else if (row->key)
		set_field(domain, node, row, text);
	else if (row->why && row->fine)
		domain_lack(domain, node, "'%.60s': %s", text, row->why);
	else if (row->why)
		domain_lack(domain, node, "%s", row->why);
	if (row->rows)
		domain_walk(domain, node, row->rows);
}

static void apply(struct domain *domain, xmlNode *node, const xmlNs *ns, const char *mark,
		  const struct domain_row *rows)
{
	size_t size = strlen(mark);

	for (const struct domain_row *row = rows; row->name && !ns; row++) {
		if (!strncmp(row->name, mark, size) &&
		    !strcmp(row->name + size, (const char *)node->name)) {
			apply_row(domain, node, row);
			return;
		}
	}
	domain_lack(domain, node, "armlet has no such thing");
}

void domain_walk(struct domain *domain, xmlNode *node, const struct domain_row *rows)
{
	for (xmlAttr *a = node->properties; a && domain->r == 0; a = a->next)
		apply(domain, (xmlNode *)a, a->ns, "@", rows);
	for (xmlNode *n = node->children; n && domain->r == 0; n = n->next) {
		if (n->type == XML_ELEMENT_NODE)
			apply(domain, n, n->ns, "", rows);
	}
}
