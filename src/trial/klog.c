/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each source has its own view of the log: how often it told of a finding, and the lines behind
 * it, so that nothing is counted or kept twice, and the source that lost less is shown.
 */
#include "trial/klog.h"

#include <stdio.h>
#include <string.h>

#include "klog_private.h"

struct trace {
	size_t size;
	char text[KLOG_TRACE_MAX]; /* ends with a 0 */
};

struct slot {
	enum klog_kind kind;
	uint64_t counts[KLOG_SOURCES];
	char text[KLOG_TEXT_MAX];
	struct trace traces[KLOG_SOURCES];
};

/* The lines behind a finding, while they last. */
struct block {
	bool open;
	struct trace *into; /* NULL: of a finding told before, or without room */
	enum klog_block ends;
	bool in_calls; /* "Call trace:" was there */
	unsigned lines;
};

struct source {
	struct block block;
	bool cut;                  /* the line before was "cut here" */
	char about[KLOG_TEXT_MAX]; /* what WARN() and BUG() say in front of their own line */
	char last[KLOG_TEXT_MAX];
	size_t have; /* of the line that is not whole */
	uint8_t line[KLOG_LINE_MAX];
	uint64_t lost[KLOG_KINDS]; /* findings without a slot */
};

struct klog {
	uint64_t seen;
	bool exited;
	struct klog_exit exit;
	struct klog_clues clues;
	char panic[KLOG_TEXT_MAX];
	bool panicked;
	struct source sources[KLOG_SOURCES];
	size_t count;
	struct slot slots[KLOG_FINDINGS];
};

int klog_create(struct klog **ret)
{
	struct klog *klog = calloc(1, sizeof(*klog));

	if (!klog)
		return -ENOMEM;
	klog_clues_init(&klog->clues);
	*ret = klog;
	return 0;
}

void klog_destroy(struct klog *klog)
{
	free(klog);
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* ---- The lines behind a finding --------------------------------------------------------- */

static void keep(struct block *block, const char *text)
{
	struct trace *into = block->into;
	size_t length = strlen(text);

	/* A whole line or none; with it its \n, and the 0 at the end. */
	if (!into || length + 2 > sizeof(into->text) - into->size)
		return;
	memcpy(into->text + into->size, text, length);
	into->size += length;
	into->text[into->size++] = '\n';
}

/* A line that begins no finding. */
static void follow(struct block *block, const char *text)
{
	if (!block->open)
		return;
	/* kernel/kcsan/report.c, mm/kasan/report.c: a rule stands below as well as above */
	if (begins(text, "======") || begins(text, "------------[ cut here ]") ||
	    (block->ends == KLOG_LOOSE && block->in_calls && *text != ' ' &&
	     !begins(text, "---[ end "))) {
		block->open = false;
		return;
	}
	keep(block, text);
	block->in_calls |= begins(text, "Call trace:");
	/* kernel/panic.c, print_oops_end_marker() and vpanic() */
	if (begins(text, "---[ end ") || ++block->lines >= KLOG_TRACE_LINES)
		block->open = false;
}

static void open_block(struct source *from, const struct klog_row *row, struct trace *into)
{
	from->block = (struct block){
		.open = row->block != KLOG_ALONE,
		.into = into,
		.ends = row->block,
	};
	if (from->about[0])
		keep(&from->block, from->about);
	from->about[0] = '\0';
	from->cut = false;
}

/* ---- Findings --------------------------------------------------------------------------- */

static struct slot *find_slot(struct klog *klog, enum klog_kind kind, const char *text)
{
	for (size_t i = 0; i < klog->count; i++) {
		if (klog->slots[i].kind == kind && !strcmp(klog->slots[i].text, text))
			return &klog->slots[i];
	}
	return NULL;
}

static struct slot *add_slot(struct klog *klog, enum klog_kind kind, const char *text)
{
	struct slot *slot;

	if (klog->count == KLOG_FINDINGS)
		return NULL;
	slot = &klog->slots[klog->count++];
	slot->kind = kind;
	snprintf(slot->text, sizeof(slot->text), "%s", text);
	return slot;
}

/* kernel/exit.c, do_exit(): "exitcode=0x%08x" of what wait() gives as well */
static void note_exit(struct klog *klog, const char *text)
{
	const char *code = strstr(text, "exitcode=0x");
	unsigned long value;

	if (!code || klog->exited)
		return;
	value = strtoul(code + strlen("exitcode="), NULL, 16);
	klog->exited = true;
	klog->exit.signal = (int)(value & 0x7f);
	klog->exit.status = klog->exit.signal ? 0 : (int)(value >> 8 & 0xff);
}

static void note_panic(struct klog *klog, const char *text)
{
	const char *reason = strstr(text, "not syncing: ");

	if (klog->panicked || !reason)
		return;
	klog->panicked = true;
	snprintf(klog->panic, sizeof(klog->panic), "%s", reason + strlen("not syncing: "));
}

static uint64_t bits_of(enum klog_kind kind)
{
	return kind == KLOG_INIT_KILLED ? BIT(KLOG_PANIC) | BIT(KLOG_INIT_KILLED) : BIT(kind);
}

static uint64_t found(struct klog *klog, enum klog_source source, const struct klog_row *row,
		      const char *text)
{
	struct source *from = &klog->sources[source];
	struct slot *slot = find_slot(klog, row->kind, text);
	uint64_t bits = slot ? 0 : bits_of(row->kind);

	if (!slot)
		slot = add_slot(klog, row->kind, text);
	if (row->kind == KLOG_INIT_KILLED)
		note_exit(klog, text);
	if (row->kind == KLOG_INIT_KILLED || row->kind == KLOG_PANIC)
		note_panic(klog, text);
	if (slot) {
		bool first = !slot->counts[source]++;

		open_block(from, row, first ? &slot->traces[source] : NULL);
	} else {
		/* Whether it was told before is not known. */
		from->lost[row->kind]++;
		open_block(from, row, NULL);
		bits &= ~klog->seen;
	}
	klog->seen |= bits;
	return bits;
}

/* ---- Lines ------------------------------------------------------------------------------ */

/*
 * kernel/panic.c, vpanic(): with panic=N the kernel restarts instead of saying that it has
 * come to the end.
 */
static bool is_end(const struct klog *klog, const char *text)
{
	struct klog_match match;

	return klog_match("*---[ end Kernel panic", text, &match) ||
	       (klog->panicked && klog_match("Rebooting in * seconds", text, &match));
}

/* A line that begins no finding: what it belongs to, and whether it announces one. */
static void plain(struct source *from, const char *text)
{
	follow(&from->block, text);
	if (from->cut)
		snprintf(from->about, sizeof(from->about), "%s", text);
	from->cut = begins(text, "------------[ cut here ]");
	if (from->cut)
		from->about[0] = '\0';
}

static uint64_t take(struct klog *klog, enum klog_source source, const char *text,
		     const struct klog_row *row, const struct klog_match *match)
{
	struct source *from = &klog->sources[source];

	snprintf(from->last, sizeof(from->last), "%s", text);
	klog_clues_add(&klog->clues, text);
	if (is_end(klog, text)) {
		plain(from, text);
		return KLOG_ENDED;
	}
	if (row && row->block == KLOG_LED && from->block.open && from->block.ends == KLOG_LEADS) {
		from->block.ends = KLOG_MARKED;
		row = NULL;
	}
	if (row)
		return found(klog, source, row, match->begin);
	plain(from, text);
	return 0;
}

uint64_t klog_line(struct klog *klog, enum klog_source source, const uint8_t *bytes, size_t size)
{
	char text[KLOG_TEXT_MAX], behind[KLOG_TEXT_MAX];
	struct klog_match match;
	const struct klog_row *row;

	if (!klog_text(source, bytes, size, text))
		return 0;
	row = klog_classify(text, &match);
	if (!row && klog_text_behind(source, bytes, size, behind))
		return take(klog, source, behind, klog_classify(behind, &match), &match);
	return take(klog, source, text, row, &match);
}

static uint64_t end_line(struct klog *klog, enum klog_source source)
{
	struct source *from = &klog->sources[source];
	size_t size = from->have;

	from->have = 0;
	return size ? klog_line(klog, source, from->line, size) : 0;
}

uint64_t klog_feed(struct klog *klog, enum klog_source source, const uint8_t *bytes, size_t size)
{
	struct source *from = &klog->sources[source];
	uint64_t bits = 0;

	for (size_t i = 0; i < size; i++) {
		/* A CR alone is what begins a line anew. */
		if (bytes[i] == '\n' || bytes[i] == '\r')
			bits |= end_line(klog, source);
		else if (from->have < sizeof(from->line))
			from->line[from->have++] = bytes[i];
	}
	return bits;
}

uint64_t klog_finish(struct klog *klog)
{
	return end_line(klog, KLOG_CONSOLE) | end_line(klog, KLOG_KMSG);
}

/* ---- What was found --------------------------------------------------------------------- */

uint64_t klog_seen(const struct klog *klog)
{
	return klog->seen;
}

static uint64_t slot_count(const struct slot *slot)
{
	return max_u64(slot->counts[KLOG_CONSOLE], slot->counts[KLOG_KMSG]);
}

uint64_t klog_total(const struct klog *klog, enum klog_kind kind)
{
	uint64_t total = max_u64(klog->sources[KLOG_CONSOLE].lost[kind],
				 klog->sources[KLOG_KMSG].lost[kind]);

	for (size_t i = 0; i < klog->count; i++) {
		if (klog->slots[i].kind == kind)
			total += slot_count(&klog->slots[i]);
	}
	return total;
}

bool klog_finding(const struct klog *klog, size_t index, struct klog_finding *ret)
{
	const struct slot *slot;
	const struct trace *console, *kmsg;

	if (index >= klog->count)
		return false;
	slot = &klog->slots[index];
	console = &slot->traces[KLOG_CONSOLE];
	kmsg = &slot->traces[KLOG_KMSG];
	*ret = (struct klog_finding){
		.kind = slot->kind,
		.count = slot_count(slot),
		.text = slot->text,
		.trace = kmsg->size > console->size ? kmsg->text : console->text,
	};
	return true;
}

const char *klog_last_line(const struct klog *klog)
{
	const char *console = klog->sources[KLOG_CONSOLE].last;

	return *console ? console : klog->sources[KLOG_KMSG].last;
}

const char *klog_panic(const struct klog *klog)
{
	return klog->panicked ? klog->panic : NULL;
}

bool klog_init_exit(const struct klog *klog, struct klog_exit *ret)
{
	if (klog->exited)
		*ret = klog->exit;
	return klog->exited;
}

const struct klog_clues *klog_clues_of(const struct klog *klog)
{
	return &klog->clues;
}
