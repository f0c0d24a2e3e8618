// SPDX-License-Identifier: GPL-2.0
/*
 * codecd: the firmware of the codec twin. The Pi's H.264 block is a processor of its own that the kernel talks to over
 * MMAL; here it is this program, which the twin's driver (hw-tests/kernel/twin) talks to over /dev/codec-firmware. It
 * decodes by libavcodec and encodes by libx264, with a thread for each component.
 *
 * CODECD_VERBOSE=1 tells of formats and ends, 2 lets the libraries speak too.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codecd.h"

int verbose;

void say(int level, const char *format, ...)
{
	va_list words;

	if (verbose < level)
		return;
	va_start(words, format);
	fprintf(stderr, "codecd: ");
	vfprintf(stderr, format, words);
	fputc('\n', stderr);
	va_end(words);
}

/* What cannot go on ends the firmware as a whole, as on the Pi: the driver's clients run into their timeouts. */
_Noreturn void die(const char *what)
{
	fprintf(stderr, "codecd: %s: %s\n", what, strerror(errno));
	exit(1);
}

void *allocated(void *memory)
{
	if (!memory)
		die("memory");
	return memory;
}

/* Starts the thread of a component that the driver asks for. */
static void start_component(const struct fw_msg *m)
{
	struct component *c = allocated(calloc(1, sizeof(*c)));
	pthread_attr_t detached;
	pthread_t thread;

	c->id = m->ctx;
	c->role = m->role;
	c->cfg = m->cfg;
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &detached, component_run, c))
		die("pthread_create");
	pthread_attr_destroy(&detached);
}

int main(void)
{
	const char *wanted = getenv("CODECD_VERBOSE");
	struct fw_msg m;
	int control;

	verbose = wanted ? atoi(wanted) : 0;
	signal(SIGPIPE, SIG_IGN);
	av_log_set_level(verbose > 1 ? AV_LOG_INFO : verbose ? AV_LOG_ERROR : AV_LOG_QUIET);
	control = open(FIRMWARE, O_RDWR | O_CLOEXEC);
	if (control < 0)
		die(FIRMWARE);
	for (;;) {
		ssize_t got = read(control, &m, sizeof(m));

		if (got == sizeof(m) && m.type == FW_OPEN)
			start_component(&m);
		else if (got != sizeof(m) && !(got < 0 && errno == EINTR))
			die("read");
	}
}
