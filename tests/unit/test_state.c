/* SPDX-License-Identifier: Apache-2.0 */
#include "core/state.h"

#include <string.h>

#include "unit.h"

struct thing {
	void *not_state;
	bool on;
	uint8_t byte;
	uint16_t halves[3];
	uint32_t word;
	uint64_t large;
};

static const struct state_field thing_fields[] = {
	STATE_FIELD(struct thing, on, STATE_BOOL),    STATE_FIELD(struct thing, byte, STATE_U8),
	STATE_ARRAY(struct thing, halves, STATE_U16), STATE_FIELD(struct thing, word, STATE_U32),
	STATE_FIELD(struct thing, large, STATE_U64),
};

static int refuse_13(const void *object, struct error *err)
{
	const struct thing *thing = object;

	ck_assert_ptr_null(thing->not_state);
	if (thing->byte == 13)
		return error_set(err, EINVAL, "13 brings bad luck");
	return 0;
}

static const struct state_table thing_table = {
	.name = "thing",
	.fields = thing_fields,
	.field_count = ARRAY_SIZE(thing_fields),
	.object_size = sizeof(struct thing),
	.validate = refuse_13,
};

static const struct thing sample = {
	.on = true,
	.byte = 0xfe,
	.halves = {0x1122, 0, 0xffff},
	.word = 0x89abcdef,
	.large = 0x0123456789abcdef,
};

static bool same(const struct thing *a, const struct thing *b)
{
	return a->not_state == b->not_state && a->on == b->on && a->byte == b->byte &&
	       !memcmp(a->halves, b->halves, sizeof(a->halves)) && a->word == b->word &&
	       a->large == b->large;
}

static uint8_t *save_sample(size_t *ret_size)
{
	uint8_t *data;

	ck_assert_int_eq(state_save(&thing_table, &sample, &data, ret_size), 0);
	return data;
}

START_TEST(test_round_trip)
{
	int mark;
	struct thing thing = {.not_state = &mark};
	size_t size, again_size;
	uint8_t *data = save_sample(&size);
	uint8_t *again;

	ck_assert_int_eq(state_load(&thing_table, &thing, data, size, NULL), 0);
	ck_assert_ptr_eq(thing.not_state, &mark);
	thing.not_state = NULL;
	ck_assert(same(&thing, &sample));
	ck_assert_int_eq(state_save(&thing_table, &thing, &again, &again_size), 0);
	ck_assert_uint_eq(size, again_size);
	ck_assert(!memcmp(data, again, size));
	free(again);
	free(data);
}
END_TEST

/* The saved form is a promise: these bytes are what other programs find. */
START_TEST(test_saved_form)
{
	static const struct state_field fields[] = {
		STATE_FIELD(struct thing, on, STATE_BOOL),
		STATE_ARRAY(struct thing, halves, STATE_U16),
	};
	static const struct state_table table = {
		.name = "two",
		.version = 0x0102,
		.fields = fields,
		.field_count = 2,
		.object_size = sizeof(struct thing),
	};
	static const uint8_t expected[] = {
		2, 1,   0,   0,                          /* version */
		2, 0,   0,   0,                          /* fields */
		2, 'o', 'n', 0,   1,    0,    0,   0, 1, /* a bool: true */
		6, 'h', 'a', 'l', 'v',  'e',  's', 2,    /* three 16-bit numbers */
		3, 0,   0,   0,   0x22, 0x11, 0,   0, 0xff, 0xff,
	};
	uint8_t *data;
	size_t size;

	ck_assert_int_eq(state_save(&table, &sample, &data, &size), 0);
	ck_assert_uint_eq(size, sizeof(expected));
	ck_assert(!memcmp(data, expected, size));
	free(data);
}
END_TEST

/* Bytes that must be refused, and load nothing. */
static void check_refused(const struct state_table *table, const uint8_t *data, size_t size,
			  const char *what)
{
	struct thing thing = {.byte = 77};
	const struct thing before = thing;
	struct error err = {0};

	ck_assert_msg(state_load(table, &thing, data, size, &err) == -EINVAL, "%s", what);
	ck_assert_int_eq(err.code, EINVAL);
	ck_assert_msg(err.text[0], "%s", what);
	ck_assert_msg(same(&thing, &before), "%s", what);
	ck_assert_int_eq(state_load(table, &thing, data, size, NULL), -EINVAL);
}

START_TEST(test_truncated)
{
	size_t size;
	uint8_t *data = save_sample(&size);

	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *copy = malloc(cut + 1); /* so that a sanitizer sees the end */

		memcpy(copy, data, cut);
		copy = realloc(copy, cut ? cut : 1);
		check_refused(&thing_table, copy, cut, "truncated");
		free(copy);
	}
	data = realloc(data, size + 1);
	data[size] = 0;
	check_refused(&thing_table, data, size + 1, "one byte too many");
	free(data);
}
END_TEST

/* Each byte with each value: loaded or refused, but never in between. */
START_TEST(test_every_byte)
{
	size_t size;
	uint8_t *data = save_sample(&size);

	for (size_t at = 0; at < size; at++) {
		uint8_t saved = data[at];

		for (unsigned value = 0; value < 256; value++) {
			struct thing thing = {.byte = 77};
			const struct thing before = thing;
			struct error err = {0};
			int r;

			data[at] = (uint8_t)value;
			r = state_load(&thing_table, &thing, data, size, &err);
			if (r != -err.code || (r < 0 && !same(&thing, &before)))
				ck_abort_msg("byte %zu of value %u", at, value);
			if (r == 0 && thing.byte == 13)
				ck_abort_msg("not validated");
		}
		data[at] = saved;
	}
	free(data);
}
END_TEST

#define HEADER(count) 0, 0, 0, 0, count, 0, 0, 0
#define ON            2, 'o', 'n', STATE_BOOL, 1, 0, 0, 0

static const struct state_table on_table = {
	.name = "on",
	.fields = thing_fields,
	.field_count = 1,
	.object_size = sizeof(struct thing),
};

static const struct {
	const char *what;
	uint8_t size;
	uint8_t data[40];
} refused_rows[] = {
	{"unknown field", 17, {HEADER(1), 2, 'n', 'o', STATE_BOOL, 1, 0, 0, 0, 1}},
	{"prefix of a name", 16, {HEADER(1), 1, 'o', STATE_BOOL, 1, 0, 0, 0, 1}},
	{"longer name", 18, {HEADER(1), 3, 'o', 'n', 'e', STATE_BOOL, 1, 0, 0, 0, 1}},
	{"empty name", 15, {HEADER(1), 0, STATE_BOOL, 1, 0, 0, 0, 1}},
	{"other type", 17, {HEADER(1), 2, 'o', 'n', STATE_U8, 1, 0, 0, 0, 1}},
	{"objects", 17, {HEADER(1), 2, 'o', 'n', STATE_OBJECTS, 1, 0, 0, 0, 1}},
	{"unknown type", 17, {HEADER(1), 2, 'o', 'n', 99, 1, 0, 0, 0, 1}},
	{"no elements", 16, {HEADER(1), 2, 'o', 'n', STATE_BOOL, 0, 0, 0, 0}},
	{"many elements", 18, {HEADER(1), 2, 'o', 'n', STATE_BOOL, 2, 0, 0, 0, 1, 1}},
	{"too many", 17, {HEADER(1), 2, 'o', 'n', STATE_BOOL, 255, 255, 255, 255, 1}},
	{"neither true nor false", 17, {HEADER(1), ON, 2}},
	{"twice", 26, {HEADER(2), ON, 1, ON, 1}},
	{"missing", 8, {HEADER(0)}},
	{"more promised", 17, {HEADER(2), ON, 1}},
	{"less promised", 26, {HEADER(1), ON, 1, ON, 1}},
	{"newer version", 17, {1, 0, 0, 0, 1, 0, 0, 0, ON, 1}},
	{"nothing", 0, {0}},
};

START_TEST(test_refused)
{
	static const uint8_t good[] = {HEADER(1), ON, 1};
	struct thing thing = {0};

	ck_assert_int_eq(state_load(&on_table, &thing, good, sizeof(good), NULL), 0);
	ck_assert(thing.on);
	check_refused(&on_table, refused_rows[_i].data, refused_rows[_i].size,
		      refused_rows[_i].what);
}
END_TEST

START_TEST(test_validate)
{
	struct thing thing = {.byte = 1};
	struct error err = {0};
	uint8_t *data;
	size_t size;

	thing.byte = 13;
	ck_assert_int_eq(state_save(&thing_table, &thing, &data, &size), 0);
	thing.byte = 1;
	ck_assert_int_eq(state_load(&thing_table, &thing, data, size, &err), -EINVAL);
	ck_assert_uint_eq(thing.byte, 1);
	ck_assert_str_eq(err.text, "13 brings bad luck");
	free(data);
}
END_TEST

/* Version 1 brought "byte": version 0 lacks it, and may. */
START_TEST(test_versions)
{
	static const struct state_field fields[] = {
		{.name = "word",
		 .offset = offsetof(struct thing, word),
		 .type = STATE_U32,
		 .count = 1},
		{.name = "byte",
		 .offset = offsetof(struct thing, byte),
		 .type = STATE_U8,
		 .count = 1,
		 .since = 1},
	};
	static const struct state_table old = {.name = "t",
					       .fields = fields,
					       .field_count = 1,
					       .object_size = sizeof(struct thing)};
	static const struct state_table new = {.name = "t",
					       .version = 1,
					       .fields = fields,
					       .field_count = 2,
					       .object_size = sizeof(struct thing)};
	struct thing thing = {.byte = 42};
	uint8_t *data;
	size_t size;

	ck_assert_int_eq(state_save(&old, &sample, &data, &size), 0);
	ck_assert_int_eq(state_load(&new, &thing, data, size, NULL), 0);
	ck_assert_uint_eq(thing.word, sample.word);
	ck_assert_uint_eq(thing.byte, 42); /* as it was */
	data[0] = 1;                       /* now it says that it is version 1 */
	check_refused(&new, data, size, "version 1 without its field");
	free(data);
	ck_assert_int_eq(state_save(&new, &sample, &data, &size), 0);
	check_refused(&old, data, size, "newer than the program");
	free(data);
}
END_TEST

START_TEST(test_order_is_free)
{
	const struct state_field backwards[] = {thing_fields[4], thing_fields[3], thing_fields[2],
						thing_fields[1], thing_fields[0]};
	struct state_table table = thing_table;
	struct thing thing = {0};
	uint8_t *data;
	size_t size;

	table.fields = backwards;
	ck_assert_int_eq(state_save(&table, &sample, &data, &size), 0);
	ck_assert_int_eq(state_load(&thing_table, &thing, data, size, NULL), 0);
	ck_assert(same(&thing, &sample));
	free(data);
}
END_TEST

/* A rack of shelves, with books on each. */
struct book {
	char *owner;
	uint32_t pages;
};

struct shelf {
	uint64_t not_state;
	struct {
		struct book book;
		uint16_t price;
	} * books;
	uint32_t book_count;
	uint16_t height;
};

struct rack {
	uint8_t color;
	struct {
		uint32_t count;
		struct slot {
			uint8_t number;
			struct shelf shelf;
		} * slots;
	} in;
	uint32_t weight;
};

static int refuse_thick(const void *object, struct error *err)
{
	const struct book *book = object;

	ck_assert_ptr_null(book->owner);
	return book->pages > 1000 ? error_set(err, EINVAL, "too thick") : 0;
}

static const struct state_field book_fields[] = {STATE_FIELD(struct book, pages, STATE_U32)};
static const struct state_table book_table = {
	.name = "book",
	.fields = book_fields,
	.field_count = ARRAY_SIZE(book_fields),
	.object_size = sizeof(struct book),
	.validate = refuse_thick,
};

static const struct state_field shelf_fields[] = {
	STATE_FIELD(struct shelf, height, STATE_U16),
	STATE_OBJECTS(struct shelf, books, book_count, book, &book_table),
};
static const struct state_table shelf_table = {
	.name = "shelf",
	.fields = shelf_fields,
	.field_count = ARRAY_SIZE(shelf_fields),
	.object_size = sizeof(struct shelf),
};

static int refuse_black(const void *object, struct error *err)
{
	const struct rack *rack = object;

	ck_assert_ptr_null(rack->in.slots);
	return rack->color == 0xff ? error_set(err, EINVAL, "too dark") : 0;
}

static const struct state_field rack_fields[] = {
	STATE_FIELD(struct rack, color, STATE_U8),
	STATE_OBJECTS(struct rack, in.slots, in.count, shelf, &shelf_table),
	STATE_FIELD(struct rack, weight, STATE_U32),
};
static const struct state_table rack_table = {
	.name = "rack",
	.fields = rack_fields,
	.field_count = ARRAY_SIZE(rack_fields),
	.object_size = sizeof(struct rack),
	.validate = refuse_black,
};

#define SHELVES 3
#define BOOKS   2 /* on each but the first, which is empty */

/* Every number differs with @seed. */
static struct rack *make_rack(uint8_t seed)
{
	struct rack *rack = calloc(1, sizeof(*rack));

	rack->color = seed;
	rack->weight = 100U + seed;
	rack->in.count = SHELVES;
	rack->in.slots = calloc(SHELVES, sizeof(*rack->in.slots));
	for (uint32_t i = 0; i < SHELVES; i++) {
		struct shelf *shelf = &rack->in.slots[i].shelf;

		shelf->not_state = i;
		shelf->height = (uint16_t)(seed + i);
		if (i == 0)
			continue;
		shelf->book_count = BOOKS;
		shelf->books = calloc(BOOKS, sizeof(*shelf->books));
		for (uint32_t n = 0; n < BOOKS; n++) {
			shelf->books[n].price = 7;
			shelf->books[n].book.pages = seed + 10 * i + n;
		}
	}
	return rack;
}

static void free_rack(struct rack *rack)
{
	for (uint32_t i = 0; i < SHELVES; i++)
		free(rack->in.slots[i].shelf.books);
	free(rack->in.slots);
	free(rack);
}

static bool same_rack(const struct rack *a, const struct rack *b)
{
	if (a->color != b->color || a->weight != b->weight || a->in.count != b->in.count)
		return false;
	for (uint32_t i = 0; i < a->in.count; i++) {
		const struct shelf *left = &a->in.slots[i].shelf;
		const struct shelf *right = &b->in.slots[i].shelf;

		if (left->height != right->height || left->not_state != right->not_state ||
		    left->book_count != right->book_count)
			return false;
		for (uint32_t n = 0; n < left->book_count; n++) {
			if (left->books[n].book.pages != right->books[n].book.pages ||
			    left->books[n].price != right->books[n].price)
				return false;
		}
	}
	return true;
}

static uint8_t *save_rack(const struct rack *rack, size_t *ret_size)
{
	uint8_t *data;

	ck_assert_int_eq(state_save(&rack_table, rack, &data, ret_size), 0);
	return data;
}

START_TEST(test_objects)
{
	struct rack *rack = make_rack(1);
	struct rack *other = make_rack(50);
	size_t size;
	uint8_t *data = save_rack(rack, &size);

	ck_assert(!same_rack(rack, other));
	ck_assert_int_eq(state_load(&rack_table, other, data, size, NULL), 0);
	ck_assert(same_rack(rack, other));
	free(data);
	free_rack(other);
	free_rack(rack);
}
END_TEST

START_TEST(test_objects_saved_form)
{
	static const uint8_t expected[] = {
		0,         0,   0,   0,   2,    0,    0,
		0, /* version, fields */
		6,         'h', 'e', 'i', 'g',  'h',  't',
		STATE_U16,                                           /* a number */
		1,         0,   0,   0,   0x22, 0x11,                /* ... of which there is one */
		5,         'b', 'o', 'o', 'k',  's',  STATE_OBJECTS, /* objects */
		1,         0,   0,   0,                              /* ... of which there is one */
		23,        0,   0,   0,                              /* its bytes */
		0,         0,   0,   0,   1,    0,    0,
		0,                                               /* version, fields */
		5,         'p', 'a', 'g', 'e',  's',  STATE_U32, /* a number */
		1,         0,   0,   0,   0x44, 0x33, 0,
		0, /* ... of which there is one */
	};
	struct shelf shelf = {.height = 0x1122, .book_count = 1};
	uint8_t *data;
	size_t size;

	shelf.books = calloc(1, sizeof(*shelf.books));
	shelf.books[0].book.pages = 0x3344;
	ck_assert_int_eq(state_save(&shelf_table, &shelf, &data, &size), 0);
	ck_assert_uint_eq(size, sizeof(expected));
	ck_assert(!memcmp(data, expected, size));
	free(data);
	free(shelf.books);
}
END_TEST

/* Refused, with a sentence that has @words in it, and nothing changed. */
static void check_rack_refused(const uint8_t *data, size_t size, const char *words)
{
	struct rack *rack = make_rack(50);
	struct rack *before = make_rack(50);
	struct error err = {0};

	ck_assert_int_eq(state_load(&rack_table, rack, data, size, &err), -EINVAL);
	ck_assert_int_eq(err.code, EINVAL);
	ck_assert_msg(strstr(err.text, words), "'%s' has no '%s'", err.text, words);
	ck_assert(same_rack(rack, before));
	ck_assert_int_eq(state_load(&rack_table, rack, data, size, NULL), -EINVAL);
	free_rack(before);
	free_rack(rack);
}

/* What is wrong with the last object of the last object, and with the outermost. */
START_TEST(test_objects_refused)
{
	struct rack *rack = make_rack(1);
	struct slot *slots = rack->in.slots;
	size_t size;
	uint8_t *data;

	slots[2].shelf.books[1].book.pages = 1001;
	data = save_rack(rack, &size);
	check_rack_refused(data, size, "rack, in.slots 2: shelf, books 1: too thick");
	free(data);
	slots[2].shelf.books[1].book.pages = 1;
	slots[2].shelf.book_count = 1;
	data = save_rack(rack, &size);
	check_rack_refused(data, size, "shelf has 1 of books, where this one has 2");
	free(data);
	slots[2].shelf.book_count = BOOKS;
	rack->in.count = 0;
	data = save_rack(rack, &size);
	check_rack_refused(data, size, "rack has 0 of in.slots, where this one has 3");
	free(data);
	rack->in.count = SHELVES;
	rack->color = 0xff;
	data = save_rack(rack, &size);
	check_rack_refused(data, size, "too dark");
	free(data);
	free_rack(rack);
}
END_TEST

START_TEST(test_objects_truncated)
{
	struct rack *rack = make_rack(1);
	size_t size;
	uint8_t *data = save_rack(rack, &size);

	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *copy = malloc(cut + 1);

		memcpy(copy, data, cut);
		copy = realloc(copy, cut ? cut : 1);
		check_rack_refused(copy, cut, "cut short");
		free(copy);
	}
	free(data);
	free_rack(rack);
}
END_TEST

/* Each byte with some values: loaded or refused, but never in between. */
START_TEST(test_objects_every_byte)
{
	static const uint8_t flips[] = {0x01, 0x02, 0x04, 0x10, 0x80, 0xff};
	struct rack *rack = make_rack(1);
	struct rack *before = make_rack(50);
	size_t size;
	uint8_t *data = save_rack(rack, &size);

	for (size_t i = 0; i < size * ARRAY_SIZE(flips); i++) {
		uint8_t *at = &data[i / ARRAY_SIZE(flips)];
		struct rack *victim = make_rack(50);
		struct error err = {0};
		int r;

		*at ^= flips[i % ARRAY_SIZE(flips)];
		r = state_load(&rack_table, victim, data, size, &err);
		ck_assert_int_eq(r, -err.code);
		ck_assert(r == 0 || same_rack(victim, before));
		*at ^= flips[i % ARRAY_SIZE(flips)];
		free_rack(victim);
	}
	free(data);
	free_rack(before);
	free_rack(rack);
}
END_TEST

const char unit_name[] = "state";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_round_trip),
	UNIT_CASE(test_saved_form),
	UNIT_CASE(test_truncated),
	UNIT_CASE(test_every_byte),
	UNIT_LOOP(test_refused, ARRAY_SIZE(refused_rows)),
	UNIT_CASE(test_validate),
	UNIT_CASE(test_versions),
	UNIT_CASE(test_order_is_free),
	UNIT_CASE(test_objects),
	UNIT_CASE(test_objects_saved_form),
	UNIT_CASE(test_objects_refused),
	UNIT_CASE(test_objects_truncated),
	UNIT_CASE(test_objects_every_byte),
	{0},
};
