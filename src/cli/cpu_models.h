/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU models as JSON, and those that are shipped:
 *
 *	{"name": "...", "description": "...",
 *	 "registers": {"ID_AA64ISAR0_EL1": {"AES": 2, "DP": 0}, "MIDR_EL1": "0x413fd0c1"}}
 *
 * A register is an object of its fields' values, or a value as a whole; a value is a number,
 * or a string of one, so that it may be hexadecimal.
 */
#ifndef ARMLET_CLI_CPU_MODELS_H
#define ARMLET_CLI_CPU_MODELS_H

#include <json-c/json.h>

#include "arm64/cpu_model.h"
#include "base/error.h"

/* The host's own CPU, of which this module knows nothing. */
#define CPU_MODEL_HOST "host"

/* A model that is shipped: share/cpu-models/NAME.json. */
struct cpu_model_text {
	const char *name; /* NULL: the end of the list */
	const char *text;
};

extern const struct cpu_model_text cpu_model_texts[];

/* CPU_MODEL_HOST and their names; ends with NULL. */
extern const char *const cpu_model_words[];

/*
 * The model that is called @word: of those that are shipped, else a file. Fails with a
 * sentence that begins with @word.
 */
int cpu_model_load(const char *word, struct cpu_model *ret, struct error *err);

/* The same from @text, of @size bytes and a NUL. */
int cpu_model_parse(const char *word, const char *text, size_t size, struct cpu_model *ret,
		    struct error *err);

/* What cpu_model_parse() reads; the caller puts it. */
struct json_object *cpu_model_to_json(const struct cpu_model *model);

#endif
