/* SPDX-License-Identifier: Apache-2.0 */
#include "disk_kicks.h"

#include <assert.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "disk_engine.h"

enum { POLLED_WAKE, POLLED_MORE, POLLED_KICKS };

int disk_kicks_create(const int *kick_fds, unsigned count, struct disk_kicks **ret)
{
	struct disk_kicks *kicks =
		malloc(sizeof(*kicks) + (POLLED_KICKS + count) * sizeof(struct pollfd));

	if (!kicks)
		return -ENOMEM;
	kicks->count = count;
	kicks->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (kicks->wake_fd < 0) {
		free(kicks);
		return -errno;
	}
	kicks->polled[POLLED_WAKE] = (struct pollfd){.fd = kicks->wake_fd, .events = POLLIN};
	for (unsigned i = 0; i < count; i++)
		kicks->polled[POLLED_KICKS + i] =
			(struct pollfd){.fd = kick_fds[i], .events = POLLIN};
	*ret = kicks;
	return 0;
}

void disk_kicks_destroy(struct disk_kicks *kicks)
{
	if (!kicks)
		return;
	close_fd(kicks->wake_fd);
	free(kicks);
}

void disk_kicks_wake(struct disk_kicks *kicks)
{
	uint64_t one = 1;

	if (write(kicks->wake_fd, &one, sizeof(one)) < 0) {
		/* The counter is full: it wakes all the same. */
	}
}

/* True if there was a signal in it. */
static bool take(const struct pollfd *polled)
{
	uint64_t value;

	return polled->revents & POLLIN && read(polled->fd, &value, sizeof(value)) > 0;
}

bool disk_kicks_wait(struct disk_kicks *kicks, int fd, short events, short *ret_events)
{
	struct pollfd *more = &kicks->polled[POLLED_MORE];
	bool kicked = false;

	*more = (struct pollfd){.fd = fd, .events = events};
	*ret_events = 0;
	if (poll(kicks->polled, POLLED_KICKS + kicks->count, -1) < 0)
		return false;
	take(&kicks->polled[POLLED_WAKE]);
	*ret_events = more->revents;
	for (unsigned i = 0; i < kicks->count; i++)
		kicked |= take(&kicks->polled[POLLED_KICKS + i]);
	return kicked;
}

int disk_thread_create(pthread_t *ret, const char *name, void *(*run)(void *data), void *data)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int r;

	pthread_attr_init(&attr);
	r = pthread_attr_setstacksize(&attr, DISK_THREAD_STACK);
	assert(r == 0); /* else it has 8 MiB, where the host may put huge pages */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(ret, &attr, run, data);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (r == 0)
		pthread_setname_np(*ret, name);
	return r;
}
