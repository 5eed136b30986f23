/* SPDX-License-Identifier: Apache-2.0 */
/* armlet stats: what leaves a guest, how often, for how long, and from where. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "stats.h"
#include "verbs.h"

#define SECONDS_MAX 86400
#define GRACE       5 /* seconds that a trace goes on for if we are killed */

struct stats_options {
	const char *names[2]; /* one too many, to be told so */
	size_t name_count;
	uint32_t seconds;
	const char *trace;
	const char *trace_file;
	const char *symbols;
	uint32_t cpu;
	bool json;
	uint32_t rows;
};

#define AT(member) .offset = offsetof(struct stats_options, member)
#define ALL_CPUS   UINT32_MAX

static const struct option_def options[] = {
	{.name = "names",
	 .argument = "NAME",
	 .type = OPTION_STRINGS,
	 AT(names),
	 .count_offset = offsetof(struct stats_options, name_count),
	 .max = 2},
	{.name = "seconds",
	 .letter = 's',
	 .argument = "N",
	 .type = OPTION_U32,
	 AT(seconds),
	 .min = 1,
	 .max = SECONDS_MAX - GRACE,
	 .help = "look for so long (1, or what a trace of its own has had so far)"},
	{.name = "trace",
	 .argument = "WHAT",
	 .type = OPTION_STRING,
	 AT(trace),
	 .help = "only exits, mmio, psci, irq, nisv, with commas (all of them)"},
	{.name = "trace-file",
	 .argument = "FILE",
	 .type = OPTION_FILE,
	 AT(trace_file),
	 .help = "write each event as well, for Perfetto"},
	{.name = "symbols",
	 .argument = "FILE",
	 .type = OPTION_FILE,
	 AT(symbols),
	 .help = "the kernel's System.map or vmlinux, or its /proc/kallsyms"},
	{.name = "cpu",
	 .argument = "N",
	 .type = OPTION_U32,
	 AT(cpu),
	 .max = UINT32_MAX - 1,
	 .help = "only the exits of this vCPU"},
	{.name = "rows",
	 .argument = "N",
	 .type = OPTION_U32,
	 AT(rows),
	 .min = 1,
	 .max = UINT32_MAX,
	 .help = "of each table (12)"},
	{.name = "json",
	 .type = OPTION_FLAG,
	 AT(json),
	 .help = "print what query-trace of the control socket answers"},
	{0},
};

const struct option_table stats_table = {
	.command = "stats",
	.usage = "[OPTIONS] NAME|FILE",
	.summary = "profile what leaves a guest: exits, registers, interrupts, and from where",
	.options = options,
	.positional = "names",
	.names = OPTION_NAMES_RUNNING,
	.epilogue = "FILE is one that --trace-file has made, here or of armlet run.",
};

static void wait_seconds(uint32_t seconds)
{
	const struct timespec time = {.tv_sec = seconds};
	sigset_t interrupt, before;

	if (isatty(STDERR_FILENO) && seconds > 1)
		fprintf(stderr, "armlet stats: for %u seconds; Ctrl-C ends it sooner\n", seconds);
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	sigprocmask(SIG_BLOCK, &interrupt, &before);
	sigtimedwait(&interrupt, NULL, &time);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static int query(struct qmp_link *link, const struct stats_options *asked, struct json_object **ret,
		 struct error *err)
{
	struct json_object *arguments = json_object_new_object();

	if (asked->cpu != ALL_CPUS)
		json_object_object_add(arguments, "cpu", json_object_new_int64(asked->cpu));
	return qmp_link_execute(link, "query-trace", arguments, ret, err);
}

/* A machine has a folder of its own that it works in. */
static int add_file(struct json_object *arguments, const char *file, struct error *err)
{
	_cleanup_free_ char *folder = NULL;
	char *path = NULL;

	if (!file)
		return 0;
	if (file[0] != '/')
		folder = getcwd(NULL, 0);
	if (file[0] != '/' && !folder)
		return error_set_errno(err, errno, "the present folder");
	if (asprintf(&path, "%s%s%s", folder ? folder : "", folder ? "/" : "", file) < 0)
		return error_set_errno(err, ENOMEM, "'%s'", file);
	json_object_object_add(arguments, "file", json_object_new_string(path));
	free(path);
	return 0;
}

/* One that goes on is the machine's, and left alone. */
static bool is_traced(struct qmp_link *link)
{
	struct json_object *answer = NULL, *active = NULL;
	struct error none = {0};
	bool is;

	if (qmp_link_execute(link, "query-trace", NULL, &answer, &none) < 0)
		return false;
	is = json_object_object_get_ex(answer, "active", &active) &&
	     json_object_get_boolean(active);
	json_object_put(answer);
	return is;
}

static int trace(struct qmp_link *link, const struct stats_options *asked, struct error *err)
{
	uint32_t seconds = asked->seconds ? asked->seconds : 1;
	struct json_object *arguments = json_object_new_object();
	struct error late = {0};
	int r = add_file(arguments, asked->trace_file, err);

	if (r < 0) {
		json_object_put(arguments);
		return r;
	}
	if (asked->trace)
		json_object_object_add(arguments, "what", json_object_new_string(asked->trace));
	json_object_object_add(arguments, "seconds", json_object_new_int64(seconds + GRACE));
	r = qmp_link_execute(link, "trace-start", arguments, NULL, err);
	if (r < 0)
		return r;
	wait_seconds(seconds);
	/* It may have ended by itself. */
	r = qmp_link_execute(link, "trace-stop", NULL, NULL, &late);
	return r == -EINVAL ? 0 : r < 0 ? error_set(err, -r, "%s", late.text) : 0;
}

static int look_at_machine(const struct stats_options *asked, struct json_object **ret,
			   struct error *err)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = NULL;
	int r = verb_connect(asked->names[0], &link, err);

	if (r < 0)
		return r;
	if (!is_traced(link))
		r = trace(link, asked, err);
	else if (asked->trace || asked->trace_file || asked->seconds)
		r = error_set(err, EBUSY,
			      "'%s' is traced already, since it was started or by somebody else; "
			      "without --seconds, --trace and --trace-file that is shown",
			      asked->names[0]);
	return r < 0 ? r : query(link, asked, ret, err);
}

static bool is_file(const char *name)
{
	struct stat stat_of;

	return stat(name, &stat_of) == 0 && !S_ISDIR(stat_of.st_mode);
}

/* A machine that runs is meant before a file that happens to be called the same. */
static bool is_machine(const char *name)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = NULL;
	struct error none = {0};

	return !strchr(name, '/') && verb_connect(name, &link, &none) == 0;
}

static int look_at_file(const struct stats_options *asked, struct json_object **ret,
			struct error *err)
{
	if (asked->trace || asked->trace_file || asked->seconds || asked->cpu != ALL_CPUS)
		return error_set(err, EINVAL,
				 "'%s' is a trace that was made before: --seconds, --trace, "
				 "--trace-file and --cpu are for machines",
				 asked->names[0]);
	return stats_read_trace(asked->names[0], ret, err);
}

static int show(const struct stats_options *asked, struct json_object *profile, struct error *err)
{
	if (asked->json)
		puts(json_object_to_json_string_ext(
			profile, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
					 JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		stats_print(profile, asked->rows);
	return fflush(stdout) < 0 ? error_set_errno(err, errno, "standard output") : 0;
}

static int stats(const struct stats_options *asked, struct error *err)
{
	_cleanup_(cleanup_symbols_free_) struct symbols *symbols = NULL;
	struct json_object *profile = NULL;
	int r = 0;

	if (!asked->name_count)
		return error_set(err, EINVAL, "name a machine or a trace: armlet stats NAME");
	if (asked->name_count > 1)
		return error_set(err, EINVAL, "'%.60s' is too much: one machine or trace at a time",
				 asked->names[1]);
	if (asked->symbols)
		r = symbols_open(asked->symbols, &symbols, err);
	if (r < 0)
		return error_prefix(err, "--symbols: ");
	r = is_file(asked->names[0]) && !is_machine(asked->names[0])
		    ? look_at_file(asked, &profile, err)
		    : look_at_machine(asked, &profile, err);
	if (r == 0 && symbols && !stats_name_pcs(profile, symbols))
		fputs("armlet stats: these symbols are of another kernel than the guest's, or the "
		      "guest was at EL0 with its kernel unmapped: no names are shown\n",
		      stderr);
	if (r == 0)
		r = show(asked, profile, err);
	json_object_put(profile);
	return r;
}

int stats_main(int argc, char **argv)
{
	struct stats_options asked = {.cpu = ALL_CPUS, .rows = 12};
	struct error err = {0};
	int status;

	if (!parse_or_end(&stats_table, argc, argv, &asked, &status))
		return status;
	return stats(&asked, &err) < 0 ? fail_with("stats", &err) : EXIT_SUCCESS;
}
