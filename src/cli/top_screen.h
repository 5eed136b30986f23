/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Lines on a terminal
 *
 * A screen of whole lines, each with one attribute, by what terminfo(5) says of the
 * terminal. A line is written when it is another than the one that stands there, and a
 * frame at once, so nothing flickers. ncurses would do all of this, with a tenth of the static
 * program.
 */
#ifndef ARMLET_CLI_TOP_SCREEN_H
#define ARMLET_CLI_TOP_SCREEN_H

#include "control/terminal.h"
#include "top_print.h"

enum top_attribute { TOP_NORMAL, TOP_BOLD, TOP_DIM, TOP_REVERSE, TOP_BAR, TOP_ATTRIBUTES };

/* Keys that are more than a byte; those that are one are that byte. */
enum top_key {
	TOP_NO_KEY = -1,
	TOP_KEY_UNKNOWN = 256,
	TOP_KEY_UP,
	TOP_KEY_DOWN,
	TOP_KEY_LEFT,
	TOP_KEY_RIGHT,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_ENTER,
	TOP_KEY_BACKSPACE,
};

struct top_screen_line {
	enum top_attribute attribute;
	char text[TOP_LINE_MAX];
};

struct top_screen {
	int width, height;
	bool begun;
	struct terminal terminal;
	struct termios saved;
	struct top_screen_line *shown; /* as many as @height */
	char farewell[TERMINAL_FAREWELL_MAX];
	unsigned char input[32]; /* not taken yet */
	size_t input_size;
	char frame[8192]; /* not written yet */
	size_t frame_size;
};

/*
 * Take the terminal at standard input and output; a guardian (control/terminal.h) gives it
 * back if we die.
 */
int top_screen_begin(struct top_screen *screen, struct error *err);

/* The terminal is as before. Takes a zeroed screen, and what could not begin. */
void top_screen_end(struct top_screen *screen);

/* Give the terminal back for as long as we are stopped, and take it again. */
void top_screen_leave(struct top_screen *screen);
void top_screen_enter(struct top_screen *screen);

/* Its size may be another, and every line is to be written anew. */
void top_screen_renew(struct top_screen *screen);

/* Line @y is to be @text, as far as it fits; no such line: nothing. */
void top_screen_put(struct top_screen *screen, int y, const char *text,
		    enum top_attribute attribute);

/* Write what was put. */
void top_screen_flush(struct top_screen *screen);

/* The next key, of enum top_key or a byte; it waits only for the rest of one that has begun. */
int top_screen_key(struct top_screen *screen);

#endif
