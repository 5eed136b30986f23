/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The screen
 *
 * Signals come by a descriptor, as the keys and the machines' answers do, so there is one
 * place that waits. The terminal is given back for as long as we are stopped by SIGTSTP.
 */
#include "top_view.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/now.h"
#include "cli.h"
#include "top_screen.h"

#define FIRST_MS    500 /* until the first rates */
#define KEY_ESCAPE  27
#define KEY_DELETE  127
#define TITLE_LINES 2 /* above what scrolls, the heading in it */

enum sort_key { SORT_NAME, SORT_CPU, SORT_EXITS, SORT_DISK, SORT_NET, SORT_MEMORY, SORT_KEYS };

struct view {
	struct top *top;
	uint32_t delay;
	struct top_screen screen;
	int signals;
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

/* Lines that fit between the title and the keys. */
static int room(const struct view *view)
{
	int height = view->screen.height;

	return height > TITLE_LINES + 1 ? height - TITLE_LINES - 1 : 0;
}

/* What is left below the line before @y, and the keys. */
static void put_rest(struct view *view, int y, const char *keys)
{
	int last = view->screen.height - 1;

	for (; y < last; y++)
		top_screen_put(&view->screen, y, "", TOP_NORMAL);
	if (last >= TITLE_LINES)
		top_screen_put(&view->screen, last, keys, TOP_DIM);
}

static void draw_list(struct view *view)
{
	static const char *const names[SORT_KEYS] = {"name", "CPU", "exits",
						     "disk", "net", "memory"};
	struct top_screen *screen = &view->screen;
	unsigned width = TOP_NAME_WIDTH + (screen->width > 80 ? (unsigned)screen->width - 80 : 0);
	int chosen = chosen_index(view), space = room(view), y = TITLE_LINES;
	char line[TOP_LINE_MAX];

	width = (unsigned)min_u64(width, PLACE_NAME_MAX);
	snprintf(line, sizeof(line), "armlet top: %zu machine%s, every %u s, by %s",
		 view->top->count, view->top->count == 1 ? "" : "s", view->delay,
		 names[view->sort]);
	top_screen_put(screen, 0, line, TOP_NORMAL);
	top_screen_put(screen, 1, top_heading(width, line), TOP_REVERSE);
	if (chosen < view->first)
		view->first = chosen > 0 ? chosen : 0;
	else if (chosen >= view->first + space)
		view->first = chosen - space + 1;
	for (int i = view->first; i < view->first + space && i < (int)view->top->count; i++)
		top_screen_put(screen, y++, top_row(&view->top->entries[i].machine, width, line),
			       i == chosen ? TOP_BAR : TOP_NORMAL);
	if (!view->top->count)
		top_screen_put(screen, y++, "no machine with a name runs", TOP_NORMAL);
	put_rest(view, y, "q ends  Enter: one machine  up, down: choose  left, right: sort");
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

static void put_title(struct view *view, const struct top_machine *machine)
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
	top_screen_put(&view->screen, 0, line, TOP_BOLD);
	top_screen_put(&view->screen, 1, "", TOP_NORMAL);
}

static void draw_one(struct view *view, const struct top_machine *machine)
{
	int count = 0, space = room(view), y = TITLE_LINES;
	char line[TOP_LINE_MAX];

	put_title(view, machine);
	while (machine->now && line_of(machine, (size_t)count, line))
		count++;
	if (view->first > count - space)
		view->first = count > space ? count - space : 0;
	for (int i = view->first; i < view->first + space && i < count; i++)
		top_screen_put(&view->screen, y++, line_of(machine, (size_t)i, line), TOP_NORMAL);
	put_rest(view, y, "q: back  up, down: scroll");
}

static void draw(struct view *view)
{
	int chosen;

	sort(view);
	chosen = chosen_index(view);
	view->one &= chosen >= 0;
	if (view->one)
		draw_one(view, &view->top->entries[chosen].machine);
	else
		draw_list(view);
	top_screen_flush(&view->screen);
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
	case KEY_DELETE:
	case '\b':
	case TOP_KEY_BACKSPACE:
		show_one(view, false);
		break;
	case '\n':
	case '\r':
	case TOP_KEY_ENTER:
		if (!view->one)
			show_one(view, true);
		break;
	case TOP_KEY_UP:
	case 'k':
		move_by(view, -1);
		break;
	case TOP_KEY_DOWN:
	case 'j':
		move_by(view, 1);
		break;
	case TOP_KEY_PAGE_UP:
		move_by(view, -room(view));
		break;
	case TOP_KEY_PAGE_DOWN:
		move_by(view, room(view));
		break;
	case TOP_KEY_LEFT:
	case '<':
		view->sort = (enum sort_key)((view->sort + SORT_KEYS - 1) % SORT_KEYS);
		break;
	case TOP_KEY_RIGHT:
	case '>':
		view->sort = (enum sort_key)((view->sort + 1) % SORT_KEYS);
		break;
	default:
		break;
	}
}

/* As the signal does by itself, and only what has a shell to wake it. */
static void stop(struct view *view)
{
	sigset_t set;

	top_screen_leave(&view->screen);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, NULL); /* here we are stopped */
	sigprocmask(SIG_BLOCK, &set, NULL);
	top_screen_enter(&view->screen);
}

static void on_signal(struct view *view)
{
	struct signalfd_siginfo info;

	if (read(view->signals, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCONT: /* whoever had the terminal meanwhile has left it as he likes */
		top_screen_enter(&view->screen);
		break;
	case SIGWINCH: /* nor does a terminal of another size leave all where it was */
		top_screen_renew(&view->screen);
		break;
	case SIGTSTP:
		stop(view);
		break;
	default:
		view->ended = true;
		view->status = EXIT_SIGNALLED + (int)info.ssi_signo;
		break;
	}
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
	while (!view->ended && (key = top_screen_key(&view->screen)) != TOP_NO_KEY)
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
	static const int watched[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH, SIGCONT};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
		sigaddset(&set, watched[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	view->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return view->signals < 0 ? error_set_errno(err, errno, "signals cannot be watched") : 0;
}

int top_view(struct top *top, uint32_t delay, int *ret_status, struct error *err)
{
	struct view view = {.top = top, .delay = delay, .signals = -EBADF};
	int r = watch_signals(&view, err);

	if (r == 0)
		r = top_screen_begin(&view.screen, err);
	if (r == 0)
		r = run(&view, err);
	top_screen_end(&view.screen);
	close_fd(view.signals);
	*ret_status = view.status;
	return r;
}
