/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the XML of a domain: it is taken, or refused with one sentence; what it
 * lacks is a sentence each; what is taken, --config takes or refuses, too.
 */
#include <string.h>

#include "cli.h"
#include "fuzz.h"
#include "libvirt_domain.h"
#include "options_json.h"

static int name_path(const char *name, char **ret, struct error *err)
{
	if (name[0] == '!')
		return error_set(err, ENOENT, "there is no '%.100s'", name);
	*ret = strdup(name);
	FUZZ_ASSERT(*ret);
	return 0;
}

static int volume(void *data, const char *pool, const char *name, char **ret, struct error *err)
{
	(void)data;
	return name_path(pool[0] ? name : pool, ret, err);
}

static int network(void *data, const char *name, char **ret, struct error *err)
{
	(void)data;
	return name_path(name, ret, err);
}

static void check_sentence(const char *text)
{
	FUZZ_ASSERT(text[0] && strlen(text) < ERROR_TEXT_MAX && !strchr(text, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct libvirt_host host = {.volume = volume, .network = network};
	static struct run_options run;
	struct json_object *config = NULL, *lacks = NULL;
	struct error err = {0};
	int r;

	r = libvirt_domain_read((const char *)data, size, size % 2 ? &host : NULL, &config, &lacks,
				&err);
	if (r < 0) {
		FUZZ_ASSERT(err.code == -r && !config && !lacks);
		check_sentence(err.text);
		return 0;
	}
	for (size_t i = 0; i < json_object_array_length(lacks); i++)
		check_sentence(json_object_get_string(json_object_array_get_idx(lacks, i)));
	run_options_init(&run);
	r = options_from_json(run_table.options, config, &run, &err);
	FUZZ_ASSERT(r == 0 || (r < 0 && err.text[0]));
	json_object_put(config);
	json_object_put(lacks);
	return 0;
}
