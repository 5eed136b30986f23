/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that nobody has checked, as text of a page. What is no UTF-8, or no character of HTML,
 * is U+FFFD; control characters are shown as their pictures; a CR begins a line. Sequences of
 * terminals are left out, but colours and bold become spans (classes a0 to a15, ab).
 */
#ifndef ARMLET_TRIAL_HTML_TEXT_H
#define ARMLET_TRIAL_HTML_TEXT_H

#include <stdio.h>

#include "base/util.h"

/* Spans that it opens it closes. */
void html_bytes(FILE *out, const uint8_t *bytes, size_t size);

/* The same for a string; NULL is none. */
void html_text(FILE *out, const char *text);

#endif
