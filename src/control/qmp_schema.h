/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket's language, said once. A table names each command and event
 * with its members, types, bounds and help; from it come dispatch, the check of
 * arguments, query-commands and query-qmp-schema.
 *
 * Types are QAPI's, and so are the names of builtin ones (QEMU, docs/devel/qapi-code-gen).
 */
#ifndef ARMLET_CONTROL_QMP_SCHEMA_H
#define ARMLET_CONTROL_QMP_SCHEMA_H

#include <json-c/json.h>

#include "base/error.h"

enum qmp_kind {
	QMP_BOOL,
	QMP_INT,    /* int64_t within [min, max] of its member */
	QMP_SIZE,   /* uint64_t bytes within [min, max] */
	QMP_STRING, /* of at most QMP_STRING_MAX bytes */
	QMP_ENUM,
	QMP_OBJECT,
	QMP_ARRAY, /* of at most QMP_ARRAY_MAX elements, whose numbers have no bounds */
	QMP_ANY,   /* in answers only */
};

#define QMP_STRING_MAX 4096
#define QMP_ARRAY_MAX  1024

struct qmp_type {
	enum qmp_kind kind;
	const char *name;
	const char *const *values;        /* of QMP_ENUM; ends with NULL */
	const struct qmp_member *members; /* of QMP_OBJECT; ends with one without a name */
	const struct qmp_type *element;   /* of QMP_ARRAY */
};

struct qmp_member {
	const char *name;
	const struct qmp_type *type;
	bool optional;
	int64_t min; /* of numbers; both 0: any, of a size not above INT64_MAX */
	int64_t max;
	const char *help;
};

extern const struct qmp_type qmp_bool, qmp_int, qmp_size, qmp_string, qmp_any;

/* QMP's classes of errors, as QapiErrorClass. */
enum qmp_error_class {
	QMP_GENERIC_ERROR,
	QMP_COMMAND_NOT_FOUND,
	QMP_DEVICE_NOT_ACTIVE,
	QMP_DEVICE_NOT_FOUND,
};

struct qmp_error {
	enum qmp_error_class class;
	struct error text;
};

struct qmp_client;

struct qmp_call {
	void *context;                       /* of whoever dispatches */
	struct qmp_client *client;           /* who asks */
	const struct json_object *arguments; /* checked; NULL: none were given */
	struct json_object *answer;          /* the command's to set; NULL: an empty object */
	struct qmp_error error;
};

/* The answer comes by qmp_client_answer(); until then the client is not served. */
#define QMP_LATER 1

struct qmp_command {
	const char *name;
	const char *help;
	const struct qmp_member *arguments; /* NULL: none */
	const struct qmp_type *returns;     /* NULL: nothing */
	int (*run)(struct qmp_call *call);  /* 0; QMP_LATER; -errno: @call->error says why */
	bool is_long;                       /* it answers when all is done */
	bool always;                        /* the schema's check is not for this one */
	bool open;                          /* any further arguments are its own to check */
};

struct qmp_event {
	const char *name;
	const char *help;
	const struct qmp_member *members; /* NULL: none */
};

/* Both tables end with an entry without a name. */
struct qmp_schema {
	const struct qmp_command *commands;
	const struct qmp_event *events;

	/* Optional: whether a command can be performed now; as its run. */
	int (*check)(struct qmp_call *call);
};

/* Fill @call->error. Returns -EINVAL. */
int qmp_fail(struct qmp_call *call, enum qmp_error_class class, const char *fmt, ...) PRINTF(3, 4);

const char *qmp_error_class_name(enum qmp_error_class class);

/*
 * Find @name, check @call->arguments against its row, and run it. -errno: @call->error
 * has why, and nothing was done.
 */
int qmp_dispatch(const struct qmp_schema *schema, const char *name, struct qmp_call *call);

/* Arguments that were checked; the value that is not there is @otherwise. */
bool qmp_argument_bool(const struct qmp_call *call, const char *name, bool otherwise);
int64_t qmp_argument_int(const struct qmp_call *call, const char *name, int64_t otherwise);
const char *qmp_argument_string(const struct qmp_call *call, const char *name);
const struct json_object *qmp_argument(const struct qmp_call *call, const char *name);

/* What query-commands and query-qmp-schema answer; NULL without memory. */
struct json_object *qmp_schema_commands(const struct qmp_schema *schema);
struct json_object *qmp_schema_describe(const struct qmp_schema *schema);

#endif
