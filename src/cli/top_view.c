/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The screen
 *
 * ncurses draws it. Signals come by a descriptor, as the keys and the machines' answers
 * do, so there is one place that waits; only SIGTSTP is left to ncurses, which gives the
 * terminal back for as long as we are stopped. The guardian (control/terminal.h) does so
 * when we are killed.
 */
#include "top_view.h"

#include <curses.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/now.h"
#include "cli.h"

#define FIRST_MS    500 /* until the first rates */
#define ESCAPE_MS   25
#define KEY_ESCAPE  27
#define TITLE_LINES 2 /* above what scrolls, the heading in it */

enum sort_key { SORT_NAME, SORT_CPU, SORT_EXITS, SORT_DISK, SORT_NET, SORT_MEMORY, SORT_KEYS };

struct view {
	struct top *top;
	uint32_t delay;
	SCREEN *screen;
	int signals;
	struct terminal terminal;
	char chosen[PLACE_NAME_MAX + 1]; /* the machine under the bar */
	enum sort_key sort;
	bool one;        /* the chosen machine alone is shown */
	int first;       /* of the lines that scroll, the one on top */
	int64_t next_ms; /* when all are asked again */
	bool ended;
	int status;
};

/* The order of the list. */

static double weight(const struct top_machine *machine, enum sort_key key)
{
	struct top_rates rates = top_rates(machine->before, machine->now);

	switch (key) {
	case SORT_CPU:
		return rates.cpu;
	case SORT_EXITS:
		return rates.exits;
	case SORT_DISK:
		return rates.disk_in + rates.disk_out;
	case SORT_NET:
		return rates.net_in + rates.net_out;
	case SORT_MEMORY:
		return machine->now ? (double)machine->now->resident : 0;
	default:
		return 0;
	}
}

/* Whether @a stands above @b. */
static bool is_above(const struct top_machine *a, const struct top_machine *b, enum sort_key key)
{
	double of_a = weight(a, key), of_b = weight(b, key);

	return of_a > of_b || (!(of_a < of_b) && strcmp(a->name, b->name) < 0);
}

/* They are few, and mostly in order. */
static void sort(struct view *view)
{
	struct top *top = view->top;

	for (size_t i = 1; i < top->count; i++) {
		for (size_t j = i; j > 0 && is_above(&top->entries[j].machine,
						     &top->entries[j - 1].machine, view->sort);
		     j--) {
			struct top_entry entry = top->entries[j];

			top->entries[j] = top->entries[j - 1];
			top->entries[j - 1] = entry;
		}
	}
}

static void choose(struct view *view, size_t index)
{
	snprintf(view->chosen, sizeof(view->chosen), "%s", view->top->entries[index].machine.name);
}

/* Where the bar is; -1: there are no machines. */
static int chosen_index(struct view *view)
{
	struct top *top = view->top;

	for (size_t i = 0; i < top->count; i++) {
		if (!strcmp(top->entries[i].machine.name, view->chosen))
			return (int)i;
	}
	if (!top->count)
		return -1;
	choose(view, 0);
	return 0;
}

/* Drawing. */

static void put_line(int y, const char *text, chtype attributes)
{
	if (y < 0 || y >= LINES)
		return;
	attrset((attr_t)attributes);
	mvaddnstr(y, 0, text, COLS - 1);
	if (attributes) {
		for (int x = getcurx(stdscr); x < COLS - 1; x++)
			addch(' ');
	}
	attrset(A_NORMAL);
}

/* Lines that fit between the title and the keys. */
static int room(void)
{
	return LINES > TITLE_LINES + 1 ? LINES - TITLE_LINES - 1 : 0;
}

static void put_keys(const char *keys)
{
	if (LINES > TITLE_LINES)
		put_line(LINES - 1, keys, A_DIM);
}

static void draw_list(struct view *view)
{
	static const char *const names[SORT_KEYS] = {"name", "CPU", "exits",
						     "disk", "net", "memory"};
	unsigned width = TOP_NAME_WIDTH + (COLS > 80 ? (unsigned)(COLS - 80) : 0);
	int chosen = chosen_index(view);
	char line[TOP_LINE_MAX];

	width = (unsigned)min_u64(width, PLACE_NAME_MAX);
	snprintf(line, sizeof(line), "armlet top: %zu machine%s, every %u s, by %s",
		 view->top->count, view->top->count == 1 ? "" : "s", view->delay,
		 names[view->sort]);
	put_line(0, line, A_NORMAL);
	put_line(1, top_heading(width, line), A_REVERSE);
	if (chosen < view->first)
		view->first = chosen > 0 ? chosen : 0;
	else if (chosen >= view->first + room())
		view->first = chosen - room() + 1;
	for (int i = 0; i < room() && view->first + i < (int)view->top->count; i++)
		put_line(TITLE_LINES + i,
			 top_row(&view->top->entries[view->first + i].machine, width, line),
			 view->first + i == chosen ? A_BOLD | A_STANDOUT : A_NORMAL);
	if (!view->top->count)
		put_line(TITLE_LINES, "no machine with a name runs", A_NORMAL);
	put_keys("q ends  Enter: one machine  up, down: choose  left, right: sort");
}

/* Line @index of what is told of a machine; NULL: there are no more. */
static const char *line_of(const struct top_machine *machine, size_t index,
			   char line[static TOP_LINE_MAX])
{
	const struct top_sample *now = machine->now;

	if (index == 0)
		return top_vcpu_heading(line);
	if (index <= now->vcpu_count)
		return top_vcpu_row(machine, (uint32_t)index - 1, line);
	index -= now->vcpu_count + 1;
	if (!now->device_count || index > now->device_count + 1)
		return NULL;
	if (index == 0)
		return "";
	return index == 1 ? top_device_heading(line) : top_device_row(machine, index - 2, line);
}

static void put_title(const struct top_machine *machine)
{
	struct top_rates rates = top_rates(machine->before, machine->now);
	char line[TOP_LINE_MAX], numbers[3][TOP_NUMBER_MAX];

	if (machine->now && machine->state == TOP_ANSWERS)
		snprintf(line, sizeof(line),
			 "%s: %s, CPU %.0f%% (with devices %.0f%%), memory %s of %s (%s resident)",
			 machine->name, top_state_name(machine), rates.cpu * 100,
			 rates.process * 100, top_number((double)machine->now->actual, numbers[0]),
			 top_number((double)machine->now->memory, numbers[1]),
			 top_number((double)machine->now->resident, numbers[2]));
	else
		snprintf(line, sizeof(line), "%s: %s", machine->name, top_state_name(machine));
	put_line(0, line, A_BOLD);
}

static void draw_one(struct view *view, const struct top_machine *machine)
{
	char line[TOP_LINE_MAX];
	size_t count = 0;

	put_title(machine);
	put_keys("q: back  up, down: scroll");
	if (!machine->now)
		return;
	while (line_of(machine, count, line))
		count++;
	if (view->first > (int)count - room())
		view->first = (int)count > room() ? (int)count - room() : 0;
	for (int i = 0; i < room() && view->first + i < (int)count; i++) {
		size_t index = (size_t)view->first + (size_t)i;

		put_line(TITLE_LINES + i, line_of(machine, index, line), A_NORMAL);
	}
}

static void draw(struct view *view)
{
	int chosen;

	sort(view);
	chosen = chosen_index(view);
	view->one &= chosen >= 0;
	erase();
	if (view->one)
		draw_one(view, &view->top->entries[chosen].machine);
	else
		draw_list(view);
	refresh();
}

/* Keys and signals. */

static void move_by(struct view *view, int lines)
{
	int chosen = chosen_index(view) + lines;

	if (view->one) {
		view->first = view->first + lines > 0 ? view->first + lines : 0;
		return;
	}
	if (!view->top->count)
		return;
	if (chosen >= (int)view->top->count)
		chosen = (int)view->top->count - 1;
	choose(view, chosen > 0 ? (size_t)chosen : 0);
}

static void show_one(struct view *view, bool one)
{
	view->ended = !one && !view->one;
	view->one = one;
	view->first = 0;
}

static void on_key(struct view *view, int key)
{
	switch (key) {
	case 'q':
	case KEY_ESCAPE:
	case KEY_BACKSPACE:
		show_one(view, false);
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
		if (!view->one)
			show_one(view, true);
		break;
	case KEY_UP:
	case 'k':
		move_by(view, -1);
		break;
	case KEY_DOWN:
	case 'j':
		move_by(view, 1);
		break;
	case KEY_PPAGE:
		move_by(view, -room());
		break;
	case KEY_NPAGE:
		move_by(view, room());
		break;
	case KEY_LEFT:
	case '<':
		view->sort = (enum sort_key)((view->sort + SORT_KEYS - 1) % SORT_KEYS);
		break;
	case KEY_RIGHT:
	case '>':
		view->sort = (enum sort_key)((view->sort + 1) % SORT_KEYS);
		break;
	default:
		break;
	}
}

static void on_signal(struct view *view)
{
	struct signalfd_siginfo info;
	uint16_t columns, rows;

	if (read(view->signals, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCONT: /* whoever had the terminal meanwhile has left it as he likes */
		reset_prog_mode();
		clearok(curscr, TRUE);
		break;
	case SIGWINCH: /* nor does a terminal of another size leave all where it was */
		clearok(curscr, TRUE);
		break;
	default:
		view->ended = true;
		view->status = EXIT_SIGNALLED + (int)info.ssi_signo;
		return;
	}
	if (terminal_size(STDIN_FILENO, STDOUT_FILENO, &columns, &rows))
		resizeterm(rows, columns);
}

/* A terminal that is gone has no more keys. */
static void on_input(struct view *view, short events)
{
	int key;

	if (events & (POLLHUP | POLLERR | POLLNVAL)) {
		view->ended = true;
		view->status = EXIT_SIGNALLED + SIGHUP;
		return;
	}
	while (!view->ended && (key = getch()) != ERR)
		on_key(view, key);
}

static int run(struct view *view, struct error *err)
{
	int r = top_ask(view->top, err);

	view->next_ms = now_ms() + FIRST_MS;
	while (r == 0 && !view->ended) {
		struct pollfd fds[] = {
			{.fd = view->signals, .events = POLLIN},
			{.fd = STDIN_FILENO, .events = POLLIN},
		};
		int64_t left = view->next_ms - now_ms();

		draw(view);
		r = top_wait(view->top, fds, ARRAY_SIZE(fds), left > 0 ? (int)left : 0, err);
		if (r == 0 && fds[0].revents)
			on_signal(view);
		if (r == 0 && fds[1].revents)
			on_input(view, fds[1].revents);
		if (r == 0 && now_ms() >= view->next_ms) {
			view->next_ms = now_ms() + view->delay * INT64_C(1000);
			r = top_ask(view->top, err);
		}
	}
	return r;
}

/* Beginning and end. */

static int watch_signals(struct view *view, struct error *err)
{
	static const int watched[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
		sigaddset(&set, watched[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	view->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return view->signals < 0 ? error_set_errno(err, errno, "signals cannot be watched") : 0;
}

static int begin(struct view *view, struct error *err)
{
	char farewell[TERMINAL_FAREWELL_MAX];
	int r = top_check_terminal(farewell, err);

	if (r == 0)
		r = watch_signals(view, err);
	if (r == 0)
		r = terminal_guard(&view->terminal, STDIN_FILENO, farewell, err);
	if (r < 0)
		return r;
	set_escdelay(ESCAPE_MS);
	view->screen = newterm(NULL, stdout, stdin);
	if (!view->screen)
		return error_set(err, EINVAL,
				 "the terminal cannot be drawn on; use --once or --json");
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	return 0;
}

int top_view(struct top *top, uint32_t delay, int *ret_status, struct error *err)
{
	struct view view = {.top = top, .delay = delay, .signals = -EBADF, .terminal = {.fd = -1}};
	int r = begin(&view, err);

	if (r == 0)
		r = run(&view, err);
	if (view.screen) {
		endwin();
		delscreen(view.screen);
	}
	terminal_finish(&view.terminal);
	close_fd(view.signals);
	*ret_status = view.status;
	return r;
}
