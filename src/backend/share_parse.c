/* SPDX-License-Identifier: Apache-2.0 */
/* HOST:GUEST[:ro][,fs=...] */
#include <stdio.h>
#include <string.h>

#include "backend/share.h"
#include "base/parse.h"

static const struct {
	const char *word;
	enum { WORD_ACCESS, WORD_KIND } what;
	bool read_only;
	enum share_kind kind;
} words[] = {
	{"ro", WORD_ACCESS, true, SHARE_AUTO},
	{"rw", WORD_ACCESS, false, SHARE_AUTO},
	{"fs=auto", WORD_KIND, false, SHARE_AUTO},
	{"fs=virtiofs", WORD_KIND, false, SHARE_VIRTIOFS},
	{"fs=9p", WORD_KIND, false, SHARE_9P},
};

static int refuse_word(const char *text, const char *word, struct error *err)
{
	const char *names[ARRAY_SIZE(words)];
	const char *nearest;

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		names[i] = words[i].word;
	nearest = nearest_name(word, names, ARRAY_SIZE(names));
	if (nearest)
		return error_set(err, EINVAL, "--volume %s: '%s' is no option; is '%s' meant?",
				 text, word, nearest);
	return error_set(err, EINVAL,
			 "--volume %s: '%s' is no option; there are ro, rw, fs=virtiofs, fs=9p and "
			 "fs=auto",
			 text, word);
}

/* Each of the two may be said once. */
static int take_word(const char *text, const char *word, struct share_options *options,
		     bool said[static 2], struct error *err)
{
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(word, words[i].word) != 0)
			continue;
		if (said[words[i].what])
			return error_set(err, EINVAL, "--volume %s: '%s' is one too many", text,
					 word);
		said[words[i].what] = true;
		if (words[i].what == WORD_ACCESS)
			options->read_only = words[i].read_only;
		else
			options->kind = words[i].kind;
		return 0;
	}
	return refuse_word(text, word, err);
}

static int take_words(const char *text, const char *rest, struct share_options *options,
		      struct error *err)
{
	bool said[2] = {false, false};
	int r = 0;

	while (*rest && r == 0) {
		size_t size = strcspn(++rest, ":,");
		char word[64];

		if (size >= sizeof(word))
			size = sizeof(word) - 1;
		memcpy(word, rest, size);
		word[size] = '\0';
		r = take_word(text, word, options, said, err);
		rest += strcspn(rest, ":,");
	}
	return r;
}

int share_parse(const char *text, struct share_options *ret, struct error *err)
{
	struct share_options options = {0};
	const char *guest = strchr(text, ':');
	size_t host_size = guest ? (size_t)(guest - text) : 0;
	size_t guest_size = guest ? strcspn(guest + 1, ":,") : 0;
	int r;

	if (!guest)
		return error_set(err, EINVAL,
				 "--volume %s: what the guest sees it as is missing; say "
				 "HOST:GUEST, as in %s:data",
				 text, *text ? text : ".");
	if (!host_size)
		return error_set(err, EINVAL, "--volume %s: there is no folder before the colon",
				 text);
	if (!guest_size)
		return error_set(err, EINVAL, "--volume %s: there is nothing behind the colon",
				 text);
	if (host_size >= sizeof(options.directory))
		return error_set(err, ENAMETOOLONG, "--volume: the folder's name is too long");
	if (guest_size > SHARE_TAG_MAX)
		return error_set(err, ENAMETOOLONG,
				 "--volume %s: the guest can know a folder by at most %d bytes",
				 text, SHARE_TAG_MAX);
	memcpy(options.directory, text, host_size);
	memcpy(options.tag, guest + 1, guest_size);
	r = take_words(text, guest + 1 + guest_size, &options, err);
	if (r < 0)
		return r;
	*ret = options;
	return 0;
}
