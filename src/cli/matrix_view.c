/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is seen of a matrix while it runs. On a terminal a table stays below all lines: it is
 * erased, and drawn again. The cursor is hidden meanwhile, and what is typed not shown; the
 * terminal's guardian puts that right if we cannot.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/now.h"
#include "matrix.h"
#include "test.h"

#define HIDE_CURSOR "\033[?25l"
#define SHOW_CURSOR "\033[?25h"
#define ERASE_BELOW "\033[J"
#define COLUMNS     80
#define ROWS        24
#define LINE_SIZE   512

/* A terminal that can do what nearly all can; what it is called tells those that cannot. */
static bool is_able(void)
{
	const char *name = getenv("TERM");

	return isatty(STDOUT_FILENO) && name && *name && strcmp(name, "dumb") != 0;
}

void matrix_view_open(struct matrix *matrix)
{
	struct matrix_view *view = &matrix->view;
	struct termios modes;

	*view = (struct matrix_view){.terminal.fd = -1};
	if (!is_able() || terminal_guard(&view->terminal, STDOUT_FILENO, SHOW_CURSOR, NULL) < 0 ||
	    view->terminal.fd < 0)
		return;
	modes = view->terminal.saved;
	modes.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(view->terminal.fd, TCSANOW, &modes);
	fputs(HIDE_CURSOR, stdout);
	fflush(stdout);
	view->live = true;
}

static void erase(struct matrix_view *view)
{
	if (view->lines)
		printf("\033[%uF" ERASE_BELOW, view->lines);
	view->lines = 0;
}

void matrix_view_close(struct matrix *matrix)
{
	struct matrix_view *view = &matrix->view;

	if (!view->live)
		return;
	erase(view);
	fputs(SHOW_CURSOR, stdout);
	fflush(stdout);
	terminal_finish(&view->terminal);
	view->live = false;
}

/* One line of the table, cut to the terminal's width; it is ASCII. */
static void PRINTF(3, 4)
	draw_line(struct matrix_view *view, unsigned columns, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	printf("%.*s\n", (int)columns - 1, line);
	view->lines++;
}

static void draw_running(struct matrix *matrix, unsigned columns, unsigned rows)
{
	size_t shown = 0;

	for (size_t i = 0; i < matrix->next && shown < rows; i++) {
		const struct matrix_result *result = &matrix->results[i];

		if (result->state != MATRIX_RUNNING)
			continue;
		shown++;
		draw_line(&matrix->view, columns, "%6lld s  %s%s",
			  (long long)(now_ms() - result->began_ms) / 1000,
			  matrix->plan.tests[i].name, result->tries > 1 ? " (again)" : "");
	}
	if (shown < matrix->running)
		draw_line(&matrix->view, columns, "          and %zu more",
			  matrix->running - shown);
}

void matrix_view_draw(struct matrix *matrix)
{
	uint16_t columns = COLUMNS, rows = ROWS;
	size_t ended = matrix->passed + matrix->failed;

	if (!matrix->view.live)
		return;
	terminal_size(STDIN_FILENO, STDOUT_FILENO, &columns, &rows);
	erase(&matrix->view);
	draw_running(matrix, columns, rows > 4 ? rows - 3U : 1);
	draw_line(&matrix->view, columns, "%s%zu of %zu: %zu ok, %zu not ok; %zu running; %lld s",
		  matrix->ending ? "ending; " : "", ended, matrix->plan.count, matrix->passed,
		  matrix->failed, matrix->running, (long long)(now_ms() - matrix->began_ms) / 1000);
	fflush(stdout);
}

/* On a terminal, what went well is in the table's sums only. */
void matrix_view_tell(struct matrix *matrix, size_t test)
{
	const struct matrix_result *result = &matrix->results[test];
	const char *name = matrix->plan.tests[test].name;
	bool ok = result->status == EXIT_SUCCESS;

	if (matrix->view.live && ok)
		return;
	erase(&matrix->view);
	if (ok)
		printf("ok %s (%.1f s)\n", name, (double)result->took_ms / 1000);
	else
		printf("%s %s: %d%s%s%s\n", result->state == MATRIX_ENDED ? "not ok" : "#", name,
		       result->status, *result->reason ? ", " : "", result->reason,
		       result->state == MATRIX_ENDED ? "" : "; it is tried again");
	fflush(stdout);
}

void matrix_view_sum(const struct matrix *matrix, const char *summary)
{
	size_t ended = matrix->passed + matrix->failed;

	printf("%zu tests: %zu ok, %zu not ok", matrix->plan.count, matrix->passed, matrix->failed);
	if (ended < matrix->plan.count)
		printf(", %zu not run", matrix->plan.count - ended);
	printf("; %.1f s; %s\n", (double)(now_ms() - matrix->began_ms) / 1000, summary);
	fflush(stdout);
}
