/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same options as JSON: one object, a field for each row of the table. A field has
 * the option's name, or its plural, and then is an array, if it may be given more than
 * once; a record is an object of its properties. A size is a string as on the command
 * line, or a number of bytes. What is not there is as if it were not said.
 */
#ifndef ARMLET_CLI_OPTIONS_JSON_H
#define ARMLET_CLI_OPTIONS_JSON_H

#include <json-c/json.h>

#include "options.h"

#define OPTIONS_JSON_MAX (1 * MIB) /* of a file */

/*
 * Set in @target what @object has. Strings stay the object's. Fails with a sentence
 * that begins with where the offence is: "disks[1].block-size: ..."; @target is then
 * half set.
 */
int options_from_json(const struct option_def *rows, struct json_object *object, void *target,
		      struct error *err);

/* The same from the file @path, whose object the caller gets and puts. */
int options_read_file(const struct option_table *table, const char *path, void *target,
		      struct json_object **ret, struct error *err);

/*
 * A file's bytes, OPTIONS_JSON_MAX at most, and a NUL behind. The caller frees @ret. The
 * sentence is without @path.
 */
int options_read_text(const char *path, char **ret, size_t *ret_size, struct error *err);

/*
 * The JSON that is in @text, of @size bytes and a NUL; the caller puts @ret, which is NULL for
 * null. Sentences begin with @path, and tell line and column.
 */
int options_parse_json(const char *path, const char *text, size_t size, struct json_object **ret,
		       struct error *err);

/* All that @target says, what was set and what was not; read back, it is the same. */
struct json_object *options_to_json(const struct option_def *rows, const void *target);

/*
 * The JSON Schema (draft 2020-12) of what options_from_json() takes; @initial is a
 * target of which nothing was said.
 */
struct json_object *options_schema(const struct option_table *table, const void *initial);

/* Of one option: its field's name, whether that is an array, whether it is one of @rows. */
const char *option_json_name(const struct option_def *option);
bool option_is_array(const struct option_def *option);
bool option_is_field(const struct option_def *rows, const struct option_def *option);

/* Its value; NULL: it was not said, and has none then. */
struct json_object *option_to_json(const struct option_def *option, const void *target);

#endif
