/* SPDX-License-Identifier: Apache-2.0 */
/* What the host has written down for us. */
#include <fcntl.h>

#include "init.h"

/* A whole environment and command line fit: execve(2) takes 2 MiB with a stack of 8. */
#define JOB_MAX (2 * 1024 * 1024)

static char bytes[JOB_MAX];

static size_t read_file(struct init *init)
{
	long fd = SYS4(openat, AT_FDCWD, "/" JOB_FILE, O_RDONLY | O_CLOEXEC, 0);
	size_t size = 0;
	long n;

	if (fd < 0)
		give_up(init, "/" JOB_FILE " cannot be opened", fd);
	while ((n = SYS3(read, fd, bytes + size, sizeof(bytes) - 1 - size)) > 0)
		size += (size_t)n;
	if (n < 0)
		give_up(init, "/" JOB_FILE " cannot be read", n);
	SYS1(close, fd);
	return size;
}

static void take_word(char **words, size_t *count, char *word)
{
	if (*count < WORDS_MAX)
		words[(*count)++] = word;
}

static size_t name_size(const char *variable)
{
	size_t size = 0;

	while (variable[size] && variable[size] != '=')
		size++;
	return size;
}

/* NAME=VALUE, in the place of one of that name: programs differ in which of two they see. */
static void take_variable(struct job *job, char *variable)
{
	size_t size = name_size(variable);

	for (size_t i = 0; i < job->environment_count; i++) {
		if (name_size(job->environment[i]) == size &&
		    !memcmp(job->environment[i], variable, size)) {
			job->environment[i] = variable;
			return;
		}
	}
	take_word(job->environment, &job->environment_count, variable);
}

static void take_number(const char *text, unsigned long *ret)
{
	text_number(text, ret);
}

/* A row that has one value. */
static void take_one(struct job *job, const char *row)
{
	const char *value;

	if ((value = text_behind(row, JOB_ROOT)))
		job->root = value;
	else if ((value = text_behind(row, JOB_DIRECTORY)))
		job->directory = value;
	else if ((value = text_behind(row, JOB_USER)))
		job->user = value;
	else if ((value = text_behind(row, JOB_WRITABLE)))
		job->writable = *value == '1';
	else if ((value = text_behind(row, JOB_TERMINAL)))
		job->terminal = *value == '1';
	else if ((value = text_behind(row, JOB_MASK)))
		take_number(value, &job->mask);
	else if ((value = text_behind(row, JOB_COLUMNS)))
		take_number(value, &job->columns);
	else if ((value = text_behind(row, JOB_ROWS)))
		take_number(value, &job->rows);
}

static void take_row(struct job *job, char *row)
{
	const char *value;

	if (text_behind(row, JOB_WORD))
		take_word(job->words, &job->word_count, row + sizeof(JOB_WORD) - 1);
	else if (text_behind(row, JOB_ENVIRONMENT))
		take_variable(job, row + sizeof(JOB_ENVIRONMENT) - 1);
	else if ((value = text_behind(row, JOB_MODULE)) && job->module_count < MODULES_MAX)
		job->modules[job->module_count++] = value;
	else if ((value = text_behind(row, JOB_MOUNT)) && job->mount_count < MOUNTS_MAX)
		job->mounts[job->mount_count++] = value;
	else
		take_one(job, row);
}

void read_job(struct init *init)
{
	size_t size = read_file(init);

	for (size_t at = 0; at < size; at += strlen(bytes + at) + 1)
		take_row(&init->job, bytes + at);
}
