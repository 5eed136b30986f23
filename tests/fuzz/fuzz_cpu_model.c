/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a file of a CPU model: it is taken, or refused with one sentence; what is taken
 * and printed again is the same model, and a field has no more bits than it has.
 */
#include <string.h>

#include "cpu_models.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cpu_model model, again;
	_cleanup_free_ char *text = calloc(1, size + 1);
	struct error err = {0};
	struct json_object *printed;
	const char *words;
	int r;

	memcpy(text, data, size);
	r = cpu_model_parse("model", text, size, &model, &err);
	FUZZ_ASSERT(r == 0 || (r < 0 && err.code > 0 && strlen(err.text) < ERROR_TEXT_MAX));
	if (r < 0)
		return 0;
	printed = cpu_model_to_json(&model);
	words = json_object_to_json_string(printed);
	FUZZ_ASSERT(cpu_model_parse("model", words, strlen(words), &again, &err) == 0);
	FUZZ_ASSERT(!memcmp(model.regs, again.regs, sizeof(model.regs)));
	FUZZ_ASSERT(!strcmp(model.name, again.name));
	for (int reg = 0; reg < ID_REGS; reg++)
		FUZZ_ASSERT(!(model.regs[reg].value & ~model.regs[reg].said));
	json_object_put(printed);
	return 0;
}
