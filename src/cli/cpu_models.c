/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu_models.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "options_json.h"

#define FIELDS_MAX 64

static void put(struct json_object **object)
{
	json_object_put(*object);
}

/* Reading. */

static int read_text(struct json_object *value, const char *key, char *ret, size_t max,
		     struct error *err)
{
	const char *text = json_object_get_string(value);

	if (!json_object_is_type(value, json_type_string))
		return error_set(err, EINVAL, "%s is to be a string", key);
	if (strlen(text) > max)
		return error_set(err, EINVAL, "%s is longer than %zu bytes", key, max);
	snprintf(ret, max + 1, "%s", text);
	return 0;
}

static int read_value(struct json_object *value, uint64_t *ret)
{
	if (json_object_is_type(value, json_type_string))
		return parse_u64(json_object_get_string(value), ret);
	if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
		return -EINVAL;
	*ret = json_object_get_uint64(value);
	return 0;
}

static int refuse_field(const struct id_reg *reg, const char *name, struct error *err)
{
	const char *names[FIELDS_MAX] = {0};
	const char *near;
	size_t count = 0;

	for (const struct id_field *field = reg->fields; field->name; field++)
		names[count++] = field->name;
	near = nearest_name(name, names, count);
	return error_set(err, EINVAL, "%s has no field '%.64s'%s%s%s", reg->name, name,
			 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int read_field(struct cpu_model *model, int reg, const char *name, struct json_object *value,
		      struct error *err)
{
	const struct id_field *field = id_field_find(&id_regs[reg], name);
	uint64_t number;

	if (!field)
		return refuse_field(&id_regs[reg], name, err);
	if (read_value(value, &number) < 0 || number > id_field_get(field, UINT64_MAX))
		return error_set(err, EINVAL, "%s.%s: %.100s is not a number from 0 to %" PRIu64,
				 id_regs[reg].name, name, json_object_to_json_string(value),
				 id_field_get(field, UINT64_MAX));
	cpu_model_say(model, reg, field, number);
	return 0;
}

static int refuse_reg(const char *name, struct error *err)
{
	const char *names[ID_REGS];
	const char *near;

	for (int i = 0; i < ID_REGS; i++)
		names[i] = id_regs[i].name;
	near = nearest_name(name, names, ID_REGS);
	return error_set(err, EINVAL, "there is no ID register '%.64s'%s%s%s", name,
			 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int read_reg(struct cpu_model *model, const char *name, struct json_object *value,
		    struct error *err)
{
	int reg = id_reg_find(name);
	uint64_t whole;
	int r = 0;

	if (reg < 0)
		return refuse_reg(name, err);
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, field)
		{
			r = r == 0 ? read_field(model, reg, key, field, err) : r;
		}
		return r;
	}
	if (read_value(value, &whole) < 0)
		return error_set(err, EINVAL,
				 "%s: %.100s is neither an object of fields nor a number", name,
				 json_object_to_json_string(value));
	cpu_model_say_all(model, reg, whole);
	return 0;
}

static int read_regs(struct cpu_model *model, struct json_object *value, struct error *err)
{
	int r = 0;

	if (!json_object_is_type(value, json_type_object))
		return error_set(err, EINVAL, "registers is to be an object");
	json_object_object_foreach(value, key, reg)
	{
		r = r == 0 ? read_reg(model, key, reg, err) : r;
	}
	return r;
}

static int read_model(struct json_object *object, struct cpu_model *model, struct error *err)
{
	int r = 0;

	if (!json_object_is_type(object, json_type_object))
		return error_set(err, EINVAL,
				 "this is no CPU model: a JSON object is wanted, {...}");
	json_object_object_foreach(object, key, value)
	{
		if (r < 0)
			break;
		if (!strcmp(key, "name"))
			r = read_text(value, key, model->name, CPU_MODEL_NAME_MAX, err);
		else if (!strcmp(key, "description"))
			r = read_text(value, key, model->description, CPU_MODEL_DESCRIPTION_MAX,
				      err);
		else if (!strcmp(key, "registers"))
			r = read_regs(model, value, err);
		else
			r = error_set(err, EINVAL,
				      "a CPU model has name, description and registers, and no "
				      "'%.64s'",
				      key);
	}
	return r;
}

/* A model without a name is called as its file is. */
static void name_after(struct cpu_model *model, const char *word)
{
	const char *base = strrchr(word, '/');

	if (!model->name[0])
		snprintf(model->name, sizeof(model->name), "%s", base ? base + 1 : word);
}

int cpu_model_parse(const char *word, const char *text, size_t size, struct cpu_model *ret,
		    struct error *err)
{
	_cleanup_(put) struct json_object *object = NULL;
	int r = options_parse_json(word, text, size, &object, err);

	*ret = (struct cpu_model){0};
	if (r < 0)
		return r;
	r = read_model(object, ret, err);
	name_after(ret, word);
	return r < 0 ? error_prefix(err, "%s: ", word) : 0;
}

static int refuse_word(const char *word, const struct error *why, struct error *err)
{
	char names[128] = "";
	size_t used = 0;

	for (size_t i = 0; cpu_model_words[i] && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
					 cpu_model_words[i]);
	return error_set(err, why->code,
			 "%s: it is none of the models (%s), and as a file: %s; `armlet cpu show` "
			 "makes one",
			 word, names, why->text);
}

int cpu_model_load(const char *word, struct cpu_model *ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	struct error why = {0};
	size_t size = 0;

	for (const struct cpu_model_text *model = cpu_model_texts; model->name; model++) {
		if (!strcmp(model->name, word))
			return cpu_model_parse(word, model->text, strlen(model->text), ret, err);
	}
	if (options_read_text(word, &text, &size, &why) < 0)
		return refuse_word(word, &why, err);
	return cpu_model_parse(word, text, size, ret, err);
}

/* Writing. */

static struct json_object *hexadecimal(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_object_new_string(text);
}

static struct json_object *reg_to_json(const struct cpu_model *model, int reg)
{
	struct json_object *object;
	uint64_t value;

	/* As people know them. */
	if (id_regs[reg].is_identity && cpu_model_says_all(model, reg))
		return hexadecimal(model->regs[reg].value);
	object = json_object_new_object();
	for (const struct id_field *field = id_regs[reg].fields; field->name; field++) {
		if (cpu_model_says(model, reg, field, &value))
			json_object_object_add(object, field->name, json_object_new_uint64(value));
	}
	return object;
}

struct json_object *cpu_model_to_json(const struct cpu_model *model)
{
	struct json_object *object = json_object_new_object();
	struct json_object *regs = json_object_new_object();

	json_object_object_add(object, "name", json_object_new_string(model->name));
	if (model->description[0])
		json_object_object_add(object, "description",
				       json_object_new_string(model->description));
	for (int reg = 0; reg < ID_REGS; reg++) {
		if (cpu_model_names(model, reg))
			json_object_object_add(regs, id_regs[reg].name, reg_to_json(model, reg));
	}
	json_object_object_add(object, "registers", regs);
	return object;
}
