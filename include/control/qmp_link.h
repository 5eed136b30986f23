/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other end of the control socket: what armlet's own commands speak to a machine
 * with.
 *
 * Threads: one at a time. All of it waits, but for what is at the end.
 */
#ifndef ARMLET_CONTROL_QMP_LINK_H
#define ARMLET_CONTROL_QMP_LINK_H

#include <json-c/json.h>

#include "base/error.h"

struct qmp_link;

/*
 * Connect to the socket at @path, and negotiate. -ENOENT, -ECONNREFUSED: nobody is
 * there; -EACCES: another user's; -ETIMEDOUT: no answer within 10 s; -EPROTO: it
 * speaks no QMP.
 */
int qmp_link_open(const char *path, struct qmp_link **ret, struct error *err);
void qmp_link_close(struct qmp_link *link); /* takes NULL */

DEFINE_CLEANUP(struct qmp_link *, qmp_link_close)

/*
 * Have @command performed with @arguments (NULL: none; freed in any case). The answer
 * is the caller's to put; NULL: it is not wanted. -EINVAL: the machine refuses, and
 * @err is its sentence; -ENOTCONN: it has ended; -ETIMEDOUT, -EPROTO as above.
 */
int qmp_link_execute(struct qmp_link *link, const char *command, struct json_object *arguments,
		     struct json_object **ret, struct error *err);

/*
 * From now on an answer may take for ever, and events that come before it go to @seen
 * (NULL: are kept), which is called with what it is not to put.
 */
void qmp_link_be_patient(struct qmp_link *link, void (*seen)(struct json_object *event));

/*
 * The next event, the caller's to put, in the order in which they came. @timeout_ms is
 * as of poll(2). -ETIMEDOUT; -ENOTCONN: there are no more.
 */
int qmp_link_event(struct qmp_link *link, int timeout_ms, struct json_object **ret,
		   struct error *err);

/*
 * For who asks many machines at once, and waits for none: connect, and leave the
 * negotiation to come. -EAGAIN: the machine takes nobody at the moment; else as
 * qmp_link_open().
 */
int qmp_link_begin(const char *path, struct qmp_link **ret, struct error *err);

/* To be watched for input. */
int qmp_link_fd(const struct qmp_link *link);

/* Send @command, the answer to which is known by @id. As qmp_link_execute(), or -EAGAIN. */
int qmp_link_ask(struct qmp_link *link, const char *command, struct json_object *arguments,
		 int64_t id, struct error *err);

/*
 * The next answer that is here, and whose it is; NULL: that was refused. Events are
 * dropped. -EAGAIN: there is none yet; -ENOTCONN, -EPROTO: there are no more.
 */
int qmp_link_next(struct qmp_link *link, int64_t *ret_id, struct json_object **ret,
		  struct error *err);

#endif
