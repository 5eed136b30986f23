/* SPDX-License-Identifier: Apache-2.0 */
/* What terminfo(5) says of the terminal; here, as term.h takes many a name for itself. */
#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

#include "top_view.h"

/* Without $<N>, which is a delay for terminals that need one. */
static void append_plain(char *to, const char *capability)
{
	const char *text = tigetstr(capability);
	size_t size = strlen(to);

	if (!text || text == (const char *)-1)
		return;
	while (*text && size + 1 < TERMINAL_FAREWELL_MAX) {
		if (text[0] == '$' && text[1] == '<' && strchr(text, '>'))
			text = strchr(text, '>') + 1;
		else
			to[size++] = *text++;
	}
	to[size] = '\0';
}

int top_check_terminal(char farewell[static TERMINAL_FAREWELL_MAX], struct error *err)
{
	const char *name = getenv("TERM");
	int code = 0;

	if (!name || !*name)
		return error_set(err, EINVAL,
				 "TERM does not say which terminal this is; set it, or use --once "
				 "or --json");
	if (setupterm(NULL, STDOUT_FILENO, &code) != OK)
		return error_set(err, EINVAL,
				 "TERM says '%.100s', of which this host has no usable description "
				 "(Debian: ncurses-base, ncurses-term); set another one, or use "
				 "--once or --json",
				 name);
	if (!cursor_address) {
		del_curterm(cur_term);
		return error_set(err, EINVAL,
				 "the terminal '%.100s' cannot move its cursor; use --once or "
				 "--json",
				 name);
	}
	farewell[0] = '\0';
	append_plain(farewell, "sgr0");
	append_plain(farewell, "rmcup");
	append_plain(farewell, "cnorm");
	del_curterm(cur_term);
	return 0;
}
