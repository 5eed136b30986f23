/* SPDX-License-Identifier: Apache-2.0 */
#include "xml_check.h"

#include <check.h>
#include <libxml/parser.h>
#include <string.h>

void xml_check(const char *text)
{
	xmlDoc *document = xmlReadMemory(text, (int)strlen(text), "test", NULL,
					 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	const xmlError *error = xmlGetLastError();

	ck_assert_msg(document && !error, "line %d: %s", error ? error->line : 0,
		      error ? error->message : "?");
	xmlFreeDoc(document);
	xmlCleanupParser();
}
