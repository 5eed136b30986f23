/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of armlet stats share. */
#ifndef ARMLET_CLI_STATS_H
#define ARMLET_CLI_STATS_H

#include <json-c/json.h>

#include "symbols.h"

/* A profile as query-trace of the control socket tells it. */

/* That of the trace in a file; the caller's to put. Fails with a sentence. */
int stats_read_trace(const char *path, struct json_object **ret, struct error *err);

/* What is in @bytes; see there. */
int stats_of_trace(const void *bytes, size_t size, struct json_object **ret, struct error *err);

/*
 * Put the names of functions beside the PCs. False: where the kernel lies is not known, as its
 * vectors are not where these symbols have them.
 */
bool stats_name_pcs(struct json_object *profile, struct symbols *symbols);

/* As tables, with at most @rows in each. */
void stats_print(struct json_object *profile, uint32_t rows);

#endif
