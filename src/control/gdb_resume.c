/* SPDX-License-Identifier: Apache-2.0 */
/* How the machine goes on. */
#include "gdb_private.h"

struct action {
	struct machine_go go;
	bool for_all;
	uint32_t cpu;
};

/* ";s:1", ";c", ";rBEGIN,END:2". */
static bool take_action(const struct gdb_session *session, const char **at, struct action *ret)
{
	uint64_t number = 0;

	*ret = (struct action){.for_all = true};
	if (!gdb_take(at, ";"))
		return false;
	switch (*(*at)++) {
	case 'C': /* with a signal, of which a guest knows nothing */
		gdb_take_hex(at, &number);
		ret->go.how = MACHINE_GO;
		break;
	case 'c':
		ret->go.how = MACHINE_GO;
		break;
	case 'S':
		gdb_take_hex(at, &number);
		ret->go.how = MACHINE_STEP;
		break;
	case 's':
		ret->go.how = MACHINE_STEP;
		break;
	case 'r':
		ret->go.how = MACHINE_STEP;
		if (!gdb_take_hex(at, &ret->go.begin) || !gdb_take(at, ",") ||
		    !gdb_take_hex(at, &ret->go.end))
			return false;
		break;
	default:
		return false;
	}
	if (!gdb_take(at, ":") || gdb_take(at, "-1"))
		return true;
	if (!gdb_take_hex(at, &number) || number > session->cpus)
		return false;
	ret->for_all = number == 0;
	ret->cpu = (uint32_t)number - 1;
	return true;
}

/* Each thread does the first action that is for it, and none is held. */
static bool plan(const struct gdb_session *session, const char *actions, struct machine_go *go,
		 bool *done)
{
	struct action action;

	while (*actions) {
		if (!take_action(session, &actions, &action))
			return false;
		for (uint32_t i = 0; i < session->cpus; i++) {
			if (done[i] || !(action.for_all || action.cpu == i))
				continue;
			go[i] = action.go;
			done[i] = true;
		}
	}
	return true;
}

static void go_on(struct gdb_session *session, const struct machine_go *go)
{
	session->running = true;
	machine_debug_go(session->machine, go);
}

bool gdb_resume(struct gdb_session *session, const char *actions)
{
	_cleanup_free_ struct machine_go *go = calloc(session->cpus, sizeof(*go));
	_cleanup_free_ bool *done = calloc(session->cpus, sizeof(*done));

	if (!*actions || !go || !done || !plan(session, actions, go, done))
		return false;
	go_on(session, go);
	return true;
}

bool gdb_resume_one(struct gdb_session *session, bool step)
{
	_cleanup_free_ struct machine_go *go = calloc(session->cpus, sizeof(*go));

	for (uint32_t i = 0; i < session->cpus && go; i++)
		go[i].how = !step                   ? MACHINE_GO
			    : i == session->run_cpu ? MACHINE_STEP
						    : MACHINE_HOLD;
	if (go)
		go_on(session, go);
	return go != NULL;
}
