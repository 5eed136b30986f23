/* SPDX-License-Identifier: Apache-2.0 */
/* armlet top: from what machines answer to rates, lines and JSON. */
#include <string.h>

#include "top_print.h"
#include "unit.h"

static const struct {
	uint64_t before;
	uint64_t now;
	double seconds;
	double rate;
} rate_rows[] = {
	{0, 0, 1, 0},
	{100, 100, 2, 0},
	{100, 300, 2, 100},
	{100, 101, 4, 0.25},
	{100, 300, 0, 0},
	{100, 300, -1, 0},
	/* It began anew. */
	{1000, 50, 2, 25},
	{UINT64_MAX, 0, 1, 0},
	{0, UINT64_C(1) << 63, 1, 9223372036854775808.0},
};

START_TEST(test_rate)
{
	ck_assert_double_eq(
		top_rate(rate_rows[_i].before, rate_rows[_i].now, rate_rows[_i].seconds),
		rate_rows[_i].rate);
}
END_TEST

static const struct {
	double value;
	const char *text;
} number_rows[] = {
	{0, "0"},
	{0.4, "0"},
	{1, "1"},
	{999, "999"},
	{999.4, "999"},
	{999.5, "1.0K"},
	{1024, "1.0K"},
	{1536, "1.5K"},
	{9.94 * 1024, "9.9K"},
	{9.96 * 1024, "10K"},
	{999 * 1024.0, "999K"},
	{1000 * 1024.0, "1.0M"},
	{256 * 1048576.0, "256M"},
	{1e12, "931G"},
	{1.8446744073709552e19, "16E"},
};

START_TEST(test_number)
{
	char text[TOP_NUMBER_MAX];

	ck_assert_str_eq(top_number(number_rows[_i].value, text), number_rows[_i].text);
}
END_TEST

/* What a machine says to each question. */
struct said {
	const char *answers[TOP_QUESTIONS];
	double seconds; /* when */
};

#define STAT(name, value) "{\"name\":\"" name "\",\"value\":" value "}"
#define VM(stats)         "[{\"provider\":\"armlet\",\"stats\":[" stats "]}]"
#define VCPU(stats) \
	"{\"provider\":\"armlet\",\"qom-path\":\"/machine/cpu[0]\",\"stats\":[" stats "]}"
#define DISK(name, rd, wr, reads, writes)                                          \
	"{\"device\":\"" name "\",\"stats\":{\"rd_bytes\":" rd ",\"wr_bytes\":" wr \
	",\"rd_operations\":" reads ",\"wr_operations\":" writes "}}"
#define NET(rx, rxp, tx, txp)                                                                      \
	STAT("net0-rx-bytes", rx)                                                                  \
	"," STAT("net0-rx-packets", rxp) "," STAT("net0-tx-bytes", tx) "," STAT("net0-tx-packets", \
										txp)
#define MEMORY  STAT("memory-size", "268435456") "," STAT("memory-resident", "35651584")
#define RUNNING "{\"running\":true,\"status\":\"running\"}"
#define PAUSED  "{\"running\":false,\"status\":\"paused\"}"

static const struct said first = {
	{RUNNING, VM(STAT("cpu-time", "1000000000") "," MEMORY "," NET("1000", "10", "2000", "20")),
	 "[" VCPU(STAT("cpu-time", "500000000") "," STAT("exits", "110") "," STAT(
		 "exits-mmio", "100") "," STAT("exits-no-syndrome",
					       "10")) "," VCPU(STAT("cpu-time",
								    "0") "," STAT("exits-mmio",
										  "0")) "]",
	 "[" DISK("disk0", "4096", "0", "1", "0") "," DISK("disk1", "0", "0", "0", "0") "]"},
	10};
/* Two seconds later. */
static const struct said second = {
	{RUNNING, VM(STAT("cpu-time", "4000000000") "," MEMORY "," NET("3000", "12", "2000", "20")),
	 "[" VCPU(STAT("cpu-time", "2500000000") "," STAT("exits-mmio", "3100") "," STAT(
		 "exits-no-syndrome", "12")) "," VCPU(STAT("cpu-time", "1000000000")) "]",
	 "[" DISK("disk0", "8192", "2097152", "2", "32") "," DISK("disk1", "0", "1024", "0",
								  "2") "]"},
	12};
/* The guest has reset, and lost a vCPU and a disk with its name. */
static const struct said restarted = {
	{PAUSED,
	 VM(STAT("cpu-time", "200000000") "," MEMORY "," STAT("memory-actual", "134217728") "," NET(
		 "400", "2", "0", "0")),
	 "[" VCPU(STAT("cpu-time", "100000000") "," STAT("exits-mmio", "20")) "]",
	 "[" DISK("disk0", "1024", "0", "1", "0") "]"},
	14};

static struct top_sample *sample_of(const struct said *said)
{
	struct top_sample *sample = calloc(1, sizeof(*sample));

	sample->time = (int64_t)(said->seconds * 1e9);
	for (unsigned i = 0; i < TOP_QUESTIONS; i++) {
		struct json_object *answer = json_tokener_parse(said->answers[i]);

		ck_assert_ptr_nonnull(answer);
		ck_assert_int_eq(top_sample_add(sample, (enum top_question)i, answer), 0);
		json_object_put(answer);
	}
	return sample;
}

static const struct {
	const struct said *before;
	const struct said *now;
	struct top_rates rates;
	const char *row;
	const char *vcpu;   /* the first */
	const char *device; /* the first */
} rows[] = {
	{&first,
	 &second,
	 {.seconds = 2,
	  .cpu = 1.5,
	  .process = 1.5,
	  .exits = 1501,
	  .disk_in = 2048,
	  .disk_out = 1049088,
	  .net_in = 1000,
	  .net_out = 0},
	 "web          running      2   150    1.5K   2.0K   1.0M   1.0K      0  34M/256M",
	 "   0   100    1.5K  MMIO 1.5K NO_SYNDROME 1",
	 "net0               1       0      1.0K         0"},
	{&second,
	 &restarted,
	 {.seconds = 2,
	  .cpu = 0.05,
	  .process = 0.1,
	  .exits = 10,
	  .disk_in = 512,
	  .disk_out = 0,
	  .net_in = 200,
	  .net_out = 0},
	 "web          paused       1     5      10    512      0    200      0  34M/128M",
	 "   0     5      10  MMIO 10",
	 "net0               1       0       200         0"},
	/* Fewer than before: what was not there has no rate. */
	{&restarted,
	 &second,
	 {.seconds = 0},
	 "web          running  ",
	 "   0     0       0 ",
	 "net0               0       0         0         0"},
	{NULL,
	 &second,
	 {.seconds = 0},
	 "web          running  ",
	 "   0     0       0 ",
	 "net0               0       0         0         0"},
};

START_TEST(test_rates)
{
	struct top_sample *before = rows[_i].before ? sample_of(rows[_i].before) : NULL;
	struct top_sample *now = sample_of(rows[_i].now);
	struct top_machine machine = {
		.name = "web", .state = TOP_ANSWERS, .now = now, .before = before};
	struct top_rates rates = top_rates(before, now);
	char line[TOP_LINE_MAX];

	ck_assert_double_eq_tol(rates.seconds, rows[_i].rates.seconds, 1e-9);
	ck_assert_double_eq_tol(rates.cpu, rows[_i].rates.cpu, 1e-9);
	ck_assert_double_eq_tol(rates.process, rows[_i].rates.process, 1e-9);
	ck_assert_double_eq_tol(rates.exits, rows[_i].rates.exits, 1e-9);
	ck_assert_double_eq_tol(rates.disk_in, rows[_i].rates.disk_in, 1e-9);
	ck_assert_double_eq_tol(rates.disk_out, rows[_i].rates.disk_out, 1e-9);
	ck_assert_double_eq_tol(rates.net_in, rows[_i].rates.net_in, 1e-9);
	ck_assert_double_eq_tol(rates.net_out, rows[_i].rates.net_out, 1e-9);
	ck_assert_str_eq(top_row(&machine, TOP_NAME_WIDTH, line), rows[_i].row);
	ck_assert_uint_lt(strlen(top_heading(TOP_NAME_WIDTH, line)), 80);
	ck_assert_str_eq(top_vcpu_row(&machine, 0, line), rows[_i].vcpu);
	ck_assert_str_eq(top_device_row(&machine, 0, line), rows[_i].device);
	top_sample_free(before);
	top_sample_free(now);
}
END_TEST

START_TEST(test_json)
{
	struct top_sample *before = sample_of(&first), *now = sample_of(&second);
	struct top_machine machine = {
		.name = "web", .state = TOP_ANSWERS, .now = now, .before = before};
	struct json_object *object = top_json(&machine);

	ck_assert_str_eq(
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
		"{\"name\":\"web\",\"status\":\"running\",\"seconds\":2.00,\"cpu-percent\":150.00,"
		"\"process-cpu-percent\":150.00,\"exits-per-second\":1501.00,\"vcpus\":[{"
		"\"cpu-percent\":100.00,\"exits-per-second\":1501.00,\"exits-by-reason\":{\"MMIO\":"
		"1500.00,\"NO_SYNDROME\":1.00}},{\"cpu-percent\":50.00,\"exits-per-second\":0.00,"
		"\"exits-by-reason\":{}}],\"disks\":[{\"name\":\"disk0\",\"read-bytes-per-second\":"
		"2048.00,\"write-bytes-per-second\":1048576.00,\"reads-per-second\":0.50,"
		"\"writes-per-second\":16.00},{\"name\":\"disk1\",\"read-bytes-per-second\":0.00,"
		"\"write-bytes-per-second\":512.00,\"reads-per-second\":0.00,\"writes-per-second\":"
		"1.00}],\"networks\":[{\"name\":\"net0\",\"rx-bytes-per-second\":1000.00,"
		"\"tx-bytes-per-second\":0.00,\"rx-packets-per-second\":1.00,"
		"\"tx-packets-per-second\":0.00}],\"memory\":{\"size\":268435456,\"actual\":"
		"268435456,\"resident\":35651584}}");
	json_object_put(object);
	machine.state = TOP_SILENT;
	object = top_json(&machine);
	ck_assert_str_eq(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
			 "{\"name\":\"web\",\"status\":\"no answer\"}");
	json_object_put(object);
	top_sample_free(before);
	top_sample_free(now);
}
END_TEST

/* Answers that are none; and such as a newer armlet may give. */
static const struct {
	const char *answer;
	enum top_question question;
	int result;
} odd_rows[] = {
	{"{}", TOP_STATUS, -EPROTO},
	{"[]", TOP_STATUS, -EPROTO},
	{"{\"running\":1}", TOP_STATUS, -EPROTO},
	{"{}", TOP_VM, -EPROTO},
	{"[]", TOP_VM, -EPROTO},
	{"[1]", TOP_VM, 0},
	{VM(STAT("new", "7") "," STAT("list", "[1]") ",{},1"), TOP_VM, 0},
	{VM(STAT("-rx-bytes", "7") "," STAT("a-name-that-is-much-too-long-rx-bytes", "7")), TOP_VM,
	 0},
	{"[]", TOP_VCPUS, -EPROTO},
	{"[{}]", TOP_VCPUS, 0},
	{"[" VCPU(STAT("exits-new", "7") "," STAT("exits-", "7")) "]", TOP_VCPUS, 0},
	{"{}", TOP_DISKS, -EPROTO},
	{"[]", TOP_DISKS, 0},
	{"[{}]", TOP_DISKS, -EPROTO},
	{"[1]", TOP_DISKS, -EPROTO},
	{"[{\"device\":\"disk0\"}]", TOP_DISKS, 0},
};

START_TEST(test_odd)
{
	struct top_sample *sample = calloc(1, sizeof(*sample));
	struct json_object *answer = json_tokener_parse(odd_rows[_i].answer);

	ck_assert_ptr_nonnull(answer);
	ck_assert_int_eq(top_sample_add(sample, odd_rows[_i].question, answer),
			 odd_rows[_i].result);
	for (uint32_t i = 0; i < sample->vcpu_count; i++)
		ck_assert_uint_eq(sample->vcpus[i].exits[VCPU_EXIT_MMIO], 0);
	if (odd_rows[_i].question == TOP_VM)
		ck_assert_uint_eq(sample->device_count, 0);
	json_object_put(answer);
	top_sample_free(sample);
}
END_TEST

START_TEST(test_questions)
{
	for (unsigned i = 0; i < TOP_QUESTIONS; i++) {
		struct json_object *arguments = top_arguments((enum top_question)i);

		ck_assert_ptr_nonnull(top_command((enum top_question)i));
		ck_assert(!arguments == (i == TOP_STATUS || i == TOP_DISKS));
		json_object_put(arguments);
	}
	top_sample_free(NULL);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_rate, ARRAY_SIZE(rate_rows)),
	UNIT_LOOP(test_number, ARRAY_SIZE(number_rows)),
	UNIT_LOOP(test_rates, ARRAY_SIZE(rows)),
	UNIT_CASE(test_json),
	UNIT_LOOP(test_odd, ARRAY_SIZE(odd_rows)),
	UNIT_CASE(test_questions),
	{0},
};
const char unit_name[] = "top";
