/* SPDX-License-Identifier: Apache-2.0 */
/* armlet ctl: any command of the control socket, as words. */
#include "control/qmp.h"
#include "verbs.h"

static const struct option_def options[] = {VERB_WORDS_ROW, {0}};

const struct option_table ctl_table = {
	.command = "ctl",
	.usage = "NAME COMMAND [ARGUMENT=VALUE]...",
	.summary = "have a machine perform a command of its control socket",
	.options = options,
	.positional = "words",
	.names = OPTION_NAMES_RUNNING,
	.more = qmp_print_commands,
};

static int perform(const char *name, const char *const *words, size_t count,
		   struct json_object **ret, struct error *err)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = NULL;
	struct json_object *arguments = NULL;
	int r = qmp_read_words(words, count, &arguments, err);

	if (r < 0)
		return r;
	r = verb_connect(name, &link, err);
	if (r < 0) {
		json_object_put(arguments);
		return r;
	}
	if (qmp_command_is_long(words[0]))
		qmp_link_be_patient(link, NULL);
	return qmp_link_execute(link, words[0], arguments, ret, err);
}

int ctl_main(int argc, char **argv)
{
	struct verb_options asked = {0};
	struct json_object *answer = NULL;
	struct error err = {0};
	int status;

	if (!parse_or_end(&ctl_table, argc, argv, &asked, &status))
		return status;
	if (asked.word_count < 2) {
		error_set(&err, EINVAL,
			  "name a machine and a command: armlet ctl NAME COMMAND; `armlet ctl "
			  "--help` "
			  "lists the commands");
		return fail_with("ctl", &err);
	}
	if (perform(asked.words[0], asked.words + 1, asked.word_count - 1, &answer, &err) < 0)
		return fail_with("ctl", &err);
	/* Of most there is nothing to tell. */
	if (json_object_is_type(answer, json_type_object) && !json_object_object_length(answer)) {
		json_object_put(answer);
		return EXIT_SUCCESS;
	}
	return print_json(answer);
}
