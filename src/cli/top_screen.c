/* SPDX-License-Identifier: Apache-2.0 */
#include "top_screen.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>

/* Last, as term.h takes many a name for itself; the prototypes are in curses.h. */
#include <curses.h>
#include <term.h>

#define ESCAPE    27
#define ESCAPE_MS 25 /* within which the rest of a key comes */

/* What is written goes to the terminal as one piece, as far as it fits. */

static void write_out(struct top_screen *screen)
{
	size_t done = 0;

	while (done < screen->frame_size) {
		ssize_t n = write(STDOUT_FILENO, screen->frame + done, screen->frame_size - done);

		if (n < 0 && errno != EINTR)
			break; /* a terminal that is gone: poll(2) tells */
		done += n > 0 ? (size_t)n : 0;
	}
	screen->frame_size = 0;
}

static void say_byte(struct top_screen *screen, char byte)
{
	if (screen->frame_size == sizeof(screen->frame))
		write_out(screen);
	screen->frame[screen->frame_size++] = byte;
}

/* The next byte of a capability; 0: it ends. $<N> is a delay for terminals that need one. */
static char next_byte(const char **at)
{
	const char *end;

	while ((*at)[0] == '$' && (*at)[1] == '<' && (end = strchr(*at, '>')))
		*at = end + 1;
	return **at ? *(*at)++ : '\0';
}

static void say(struct top_screen *screen, const char *capability)
{
	char byte;

	while (capability && (byte = next_byte(&capability)))
		say_byte(screen, byte);
}

static void set_farewell(struct top_screen *screen)
{
	const char *const parts[] = {exit_attribute_mode, keypad_local, exit_ca_mode,
				     cursor_normal};
	size_t size = 0;
	char byte;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		for (const char *at = parts[i];
		     at && size + 1 < sizeof(screen->farewell) && (byte = next_byte(&at));)
			screen->farewell[size++] = byte;
	}
	screen->farewell[size] = '\0';
}

static int check_terminal(struct error *err)
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
	return 0;
}

void top_screen_renew(struct top_screen *screen)
{
	struct top_screen_line *shown;
	uint16_t width = 80, height = 24;

	terminal_size(STDIN_FILENO, STDOUT_FILENO, &width, &height);
	shown = calloc(height, sizeof(*shown));
	free(screen->shown);
	screen->shown = shown;
	screen->width = width;
	screen->height = shown ? height : 0;
	say(screen, exit_attribute_mode);
	say(screen, clear_screen);
}

static void set_modes(const struct termios *modes)
{
	while (tcsetattr(STDIN_FILENO, TCSADRAIN, modes) < 0 && errno == EINTR)
		;
}

void top_screen_enter(struct top_screen *screen)
{
	struct termios modes = screen->saved;

	modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	modes.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR);
	modes.c_cc[VMIN] = 1;
	modes.c_cc[VTIME] = 0;
	set_modes(&modes);
	say(screen, enter_ca_mode);
	say(screen, keypad_xmit);
	say(screen, cursor_invisible);
	top_screen_renew(screen);
}

static void leave_screen(struct top_screen *screen)
{
	if (!exit_ca_mode)
		say(screen, tparm(cursor_address, screen->height - 1, 0, 0, 0, 0, 0, 0, 0, 0));
	say(screen, screen->farewell);
	write_out(screen);
}

void top_screen_leave(struct top_screen *screen)
{
	leave_screen(screen);
	set_modes(&screen->saved);
}

int top_screen_begin(struct top_screen *screen, struct error *err)
{
	int r = check_terminal(err);

	*screen = (struct top_screen){.terminal = {.fd = -1}};
	if (r < 0)
		return r;
	set_farewell(screen);
	if (tcgetattr(STDIN_FILENO, &screen->saved) < 0)
		r = error_set_errno(err, errno, "the terminal has no modes");
	else
		r = terminal_guard(&screen->terminal, STDIN_FILENO, screen->farewell, err);
	if (r < 0) {
		del_curterm(cur_term);
		return r;
	}
	screen->begun = true;
	top_screen_enter(screen);
	return 0;
}

void top_screen_end(struct top_screen *screen)
{
	if (!screen->begun)
		return;
	leave_screen(screen);
	if (screen->terminal.fd < 0)
		set_modes(&screen->saved);
	terminal_finish(&screen->terminal); /* from the background as well */
	del_curterm(cur_term);
	free(screen->shown);
}

/* Drawing. */

static const char *attribute_text(enum top_attribute attribute)
{
	switch (attribute) {
	case TOP_BOLD:
		return enter_bold_mode;
	case TOP_DIM:
		return enter_dim_mode;
	case TOP_REVERSE:
		return enter_reverse_mode;
	case TOP_BAR:
		return enter_standout_mode;
	default:
		return NULL;
	}
}

/* The last column stays free: some terminals go on to the next line behind it. */
void top_screen_put(struct top_screen *screen, int y, const char *text,
		    enum top_attribute attribute)
{
	struct top_screen_line line = {.attribute = attribute};
	size_t width = (size_t)MIN(screen->width, TOP_LINE_MAX) - 1;

	if (y < 0 || y >= screen->height)
		return;
	for (size_t i = 0; i < width; i++) {
		line.text[i] = *text ? *text++ : ' ';
		if (line.text[i] < ' ' || line.text[i] > '~')
			line.text[i] = '?';
	}
	if (!memcmp(&line, &screen->shown[y], sizeof(line)))
		return;
	screen->shown[y] = line;
	say(screen, tparm(cursor_address, y, 0, 0, 0, 0, 0, 0, 0, 0));
	say(screen, attribute_text(attribute));
	for (size_t i = 0; i < width; i++)
		say_byte(screen, line.text[i]);
	if (attribute != TOP_NORMAL)
		say(screen, exit_attribute_mode);
}

void top_screen_flush(struct top_screen *screen)
{
	write_out(screen);
}

/* Keys. */

/* Whether more came within @wait_ms. */
static bool read_more(struct top_screen *screen, int wait_ms)
{
	struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
	size_t room = sizeof(screen->input) - screen->input_size;
	ssize_t n = 0;

	if (room && poll(&fd, 1, wait_ms) > 0)
		n = read(STDIN_FILENO, screen->input + screen->input_size, room);
	if (n > 0)
		screen->input_size += (size_t)n;
	return n > 0;
}

static int take(struct top_screen *screen, size_t size, int key)
{
	screen->input_size -= size;
	memmove(screen->input, screen->input + size, screen->input_size);
	return key;
}

/* ECMA-48, section 5.4: a control sequence ends with a byte from 4/0 on; SS3 has one more. */
static int take_sequence(struct top_screen *screen)
{
	size_t at = 2;

	do {
		for (; at < screen->input_size; at++) {
			if (screen->input[1] == 'O' || screen->input[at] >= 0x40)
				return take(screen, at + 1, TOP_KEY_UNKNOWN);
		}
	} while (read_more(screen, ESCAPE_MS));
	return take(screen, screen->input_size, TOP_KEY_UNKNOWN);
}

/* The key that stands at the front; TOP_NO_KEY with *@ret_begun: it may become one. */
static int find_key(const struct top_screen *screen, size_t *ret_size, bool *ret_begun)
{
	const struct {
		int key;
		const char *text;
	} keys[] = {
		{TOP_KEY_UP, key_up},         {TOP_KEY_DOWN, key_down},
		{TOP_KEY_LEFT, key_left},     {TOP_KEY_RIGHT, key_right},
		{TOP_KEY_PAGE_UP, key_ppage}, {TOP_KEY_PAGE_DOWN, key_npage},
		{TOP_KEY_ENTER, key_enter},   {TOP_KEY_BACKSPACE, key_backspace},
	};

	*ret_begun = screen->input_size == 1 && screen->input[0] == ESCAPE;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t size = keys[i].text ? strlen(keys[i].text) : 0;

		if (!size || memcmp(screen->input, keys[i].text, MIN(size, screen->input_size)))
			continue;
		if (size <= screen->input_size) {
			*ret_size = size;
			return keys[i].key;
		}
		*ret_begun = true;
	}
	return TOP_NO_KEY;
}

int top_screen_key(struct top_screen *screen)
{
	size_t size;
	bool begun;
	int key;

	if (!screen->input_size && !read_more(screen, 0))
		return TOP_NO_KEY;
	do {
		key = find_key(screen, &size, &begun);
		if (key != TOP_NO_KEY)
			return take(screen, size, key);
	} while (begun && read_more(screen, ESCAPE_MS));
	if (screen->input_size > 1 && screen->input[0] == ESCAPE &&
	    (screen->input[1] == '[' || screen->input[1] == 'O'))
		return take_sequence(screen);
	return take(screen, 1, screen->input[0]);
}
