/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a text is well-formed XML: libxml2 says, where it is there (xml_check.c). */
#ifndef ARMLET_TESTS_XML_CHECK_H
#define ARMLET_TESTS_XML_CHECK_H

/* Fails the test, with what is wrong. */
void xml_check(const char *text);

#endif
