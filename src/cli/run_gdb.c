/* SPDX-License-Identifier: Apache-2.0 */
/* armlet run: the stub for gdb, from the beginning or when it is asked for. */
#include <string.h>

#include "base/log.h"
#include "run.h"

#define USUAL "tcp:1234" /* as QEMU's -s has it */

static void on_kill(void *data)
{
	run_stop(data, EXIT_SUCCESS, "host-qmp-quit");
}

int run_start_gdb(struct run *run, const char *where, const char **ret_target, struct error *err)
{
	const struct gdb_options options = {
		.where = where            ? where
			 : run->place.gdb ? run->place.gdb
					  : USUAL,
		.loop = run->loop,
		.machine = run->machine,
		.quit = on_kill,
		.data = run,
	};
	int r;

	if (where && !strcmp(where, "none")) {
		gdb_server_destroy(steal_ptr(&run->gdb));
		*ret_target = NULL;
		return 0;
	}
	/* Who does not care where is content with the one that is there. */
	if (run->gdb && where)
		return error_set(err, EBUSY, "gdb is served at %s already; 'none' ends that",
				 gdb_server_target(run->gdb));
	r = run->gdb ? 0 : gdb_server_create(&options, &run->gdb, err);
	if (r < 0)
		return r;
	*ret_target = gdb_server_target(run->gdb);
	log_info("for gdb: target remote %s", *ret_target);
	return 0;
}
