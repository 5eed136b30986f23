/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glibc's own messages go through gettext, which in a static program brings all that reads and
 * converts catalogues. armlet never chooses a locale, so there is none to be read, and the text
 * is the one that is asked for. Only in small static programs; glibc takes these for its own.
 */
char *dcgettext(const char *domain, const char *text, int category);
char *__dcgettext(const char *domain, const char *text, int category); /* NOLINT */

char *dcgettext(const char *domain, const char *text, int category)
{
	(void)domain;
	(void)category;
	return (char *)text;
}

char *__dcgettext(const char *domain, const char *text, int category) /* NOLINT */
{
	return dcgettext(domain, text, category);
}
