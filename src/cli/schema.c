/* SPDX-License-Identifier: Apache-2.0 */
/* armlet schema: the JSON Schema of a machine's configuration, made from the option tables. */
#include "cli.h"
#include "options_json.h"

static const struct option_def options[] = {{0}};

const struct option_table schema_table = {
	.command = "schema",
	.usage = "",
	.summary = "print the JSON Schema of a machine's configuration",
	.options = options,
	.epilogue = "It describes what `armlet run --config FILE` takes and --dry-run prints: for\n"
		    "editors, by \"$schema\" in the file, and for validators.",
};

int schema_main(int argc, char **argv)
{
	struct run_options initial;
	char nothing;
	int status;

	if (!parse_or_end(&schema_table, argc, argv, &nothing, &status))
		return status;
	run_options_init(&initial);
	return print_json(options_schema(&run_table, &initial));
}
