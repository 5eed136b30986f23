/* SPDX-License-Identifier: Apache-2.0 */
#include "top_ask.h"

#include <stdio.h>
#include <string.h>

#include "base/now.h"

/* A machine that is known no more, or that another one has come for. */
static void forget_samples(struct top_entry *entry)
{
	top_sample_free(entry->machine.now);
	top_sample_free(entry->machine.before);
	top_sample_free(entry->coming);
	entry->machine.now = entry->machine.before = entry->coming = NULL;
}

static void hang_up(struct top_entry *entry, enum top_state state)
{
	qmp_link_close(entry->link);
	entry->link = NULL;
	entry->owed = 0;
	entry->machine.state = state;
	forget_samples(entry);
}

void top_close(struct top *top)
{
	for (size_t i = 0; i < top->count; i++)
		hang_up(&top->entries[i], TOP_ENDED);
	free(top->entries);
	*top = (struct top){0};
}

static int add_entry(struct top *top, const char *name)
{
	struct top_entry *entries =
		reallocarray(top->entries, top->count + 1, sizeof(*top->entries));
	struct top_entry *entry;

	if (!entries)
		return -ENOMEM;
	top->entries = entries;
	entry = &entries[top->count++];
	*entry = (struct top_entry){.found = true};
	snprintf(entry->machine.name, sizeof(entry->machine.name), "%s", name);
	return 0;
}

int top_open(struct top *top, const char *const *names, size_t count, struct error *err)
{
	*top = (struct top){.names = names, .name_count = count};
	for (size_t i = 0; i < count; i++) {
		struct place place;
		int r = place_find(names[i], &place, err);

		if (r < 0)
			return r;
		place_leave(&place);
		if (add_entry(top, names[i]) < 0)
			return error_set_errno(err, ENOMEM, "%s", names[i]);
	}
	return 0;
}

/* Which machines run. */

static void find(void *data, const char *name)
{
	struct top *top = data;

	for (size_t i = 0; i < top->count; i++) {
		if (!strcmp(top->entries[i].machine.name, name)) {
			top->entries[i].found = true;
			return;
		}
	}
	/* Without memory it is looked for again the next time. */
	add_entry(top, name);
}

static void find_named(struct top *top)
{
	for (size_t i = 0; i < top->count; i++) {
		struct place place;

		if (place_find(top->entries[i].machine.name, &place, NULL) < 0)
			continue;
		top->entries[i].found = true;
		place_leave(&place);
	}
}

/* Who has ended is shown as that if it was asked for by its name. */
static void drop_ended(struct top *top)
{
	size_t kept = 0;

	for (size_t i = 0; i < top->count; i++) {
		if (!top->entries[i].found)
			hang_up(&top->entries[i], TOP_ENDED);
		if (top->entries[i].found || top->name_count)
			top->entries[kept++] = top->entries[i];
	}
	top->count = kept;
}

static int look(struct top *top, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < top->count; i++)
		top->entries[i].found = false;
	if (top->name_count)
		find_named(top);
	else
		r = place_each(find, top, err);
	if (r == 0)
		drop_ended(top);
	return r;
}

/* Asking. */

static int begin(struct top_entry *entry)
{
	struct place place;
	int r = place_find(entry->machine.name, &place, NULL);

	if (r < 0)
		return r;
	forget_samples(entry);
	r = qmp_link_begin(place.api, &entry->link, NULL);
	place_leave(&place);
	return r;
}

/* One that just starts has no socket yet. */
static void ask(struct top_entry *entry)
{
	int r = entry->link ? 0 : begin(entry);

	if (r < 0) {
		entry->machine.state = r == -EAGAIN ? TOP_SILENT : TOP_UNKNOWN;
		return;
	}
	entry->coming = calloc(1, sizeof(*entry->coming));
	r = entry->coming ? 0 : -ENOMEM;
	entry->asked_ms = now_ms();
	for (unsigned i = 0; i < TOP_QUESTIONS && r == 0; i++) {
		r = qmp_link_ask(entry->link, top_command(i), top_arguments(i), i + 1, NULL);
		entry->owed |= (unsigned)BIT(i);
	}
	if (r < 0)
		hang_up(entry, r == -ENOTCONN ? TOP_ENDED : TOP_SILENT);
}

int top_ask(struct top *top, struct error *err)
{
	int r = look(top, err);

	for (size_t i = 0; i < top->count && r == 0; i++) {
		if (top->entries[i].found && !top->entries[i].owed)
			ask(&top->entries[i]);
	}
	return r;
}

bool top_is_owed(const struct top *top)
{
	for (size_t i = 0; i < top->count; i++) {
		if (top->entries[i].owed && top->entries[i].machine.state != TOP_SILENT)
			return true;
	}
	return false;
}

/* Answers. */

static void complete(struct top_entry *entry)
{
	struct top_machine *machine = &entry->machine;

	entry->coming->time = now_ns();
	top_sample_free(machine->before);
	machine->before = machine->now;
	machine->now = steal_ptr(&entry->coming);
	machine->state = TOP_ANSWERS;
}

/* A question that is refused, as an older armlet may, leaves its part empty. */
static void take_answer(struct top_entry *entry, int64_t id, struct json_object *answer)
{
	unsigned question = (unsigned)id - 1;

	if (id < 1 || id > TOP_QUESTIONS || !(entry->owed & BIT(question)))
		return;
	entry->owed &= ~(unsigned)BIT(question);
	if (answer)
		top_sample_add(entry->coming, (enum top_question)question, answer);
	if (!entry->owed)
		complete(entry);
}

static void take_all(struct top_entry *entry)
{
	int r = 0;

	while (r == 0) {
		struct json_object *answer = NULL;
		int64_t id = 0;

		r = qmp_link_next(entry->link, &id, &answer, NULL);
		if (r == 0)
			take_answer(entry, id, answer);
		json_object_put(answer);
	}
	if (r != -EAGAIN)
		hang_up(entry, r == -ENOTCONN ? TOP_ENDED : TOP_SILENT);
}

static void lose_patience(struct top *top)
{
	int64_t now = now_ms();

	for (size_t i = 0; i < top->count; i++) {
		struct top_entry *entry = &top->entries[i];

		if (entry->owed && now - entry->asked_ms >= TOP_PATIENCE_MS)
			entry->machine.state = TOP_SILENT;
	}
}

/* Not beyond the moment when patience ends. */
static int patient_ms(const struct top *top, int timeout_ms)
{
	int64_t now = now_ms();
	int64_t least = timeout_ms;

	for (size_t i = 0; i < top->count; i++) {
		const struct top_entry *entry = &top->entries[i];
		int64_t left = entry->asked_ms + TOP_PATIENCE_MS - now;

		if (entry->owed && entry->machine.state != TOP_SILENT && left < least)
			least = left;
	}
	return least > 0 ? (int)least : 0;
}

int top_wait(struct top *top, struct pollfd *others, size_t other_count, int timeout_ms,
	     struct error *err)
{
	_cleanup_free_ struct pollfd *fds = calloc(top->count + other_count + 1, sizeof(*fds));

	if (!fds)
		return error_set_errno(err, ENOMEM, "the machines");
	for (size_t i = 0; i < top->count; i++) {
		const struct qmp_link *link = top->entries[i].link;

		fds[i] = (struct pollfd){.fd = link ? qmp_link_fd(link) : -1, .events = POLLIN};
	}
	for (size_t i = 0; i < other_count; i++)
		fds[top->count + i] = others[i];
	if (poll(fds, top->count + other_count, patient_ms(top, timeout_ms)) < 0) {
		for (size_t i = 0; i < other_count; i++)
			others[i].revents = 0;
		return errno == EINTR ? 0 : error_set_errno(err, errno, "waiting");
	}
	for (size_t i = 0; i < other_count; i++)
		others[i].revents = fds[top->count + i].revents;
	for (size_t i = 0; i < top->count; i++) {
		if (fds[i].revents)
			take_all(&top->entries[i]);
	}
	lose_patience(top);
	return 0;
}
