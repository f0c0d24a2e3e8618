// SPDX-License-Identifier: GPL-2.0
/* A component: its queues, the messages of its driver, and the order in which it works. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "codecd.h"

/* The longest message: a packet may be 16 MiB, which is what the driver lets an OUTPUT buffer be. */
#define MESSAGE_MOST (32u << 20)
/* What is read into at first: most packets are smaller. */
#define MESSAGE_USUAL (4u << 20)

/* The one H.264 block that all components share. */
static pthread_mutex_t hardware = PTHREAD_MUTEX_INITIALIZER;

/* Sends a message and `m->length` bytes of payload. -ENOENT: the driver took the buffer back meanwhile. */
int send_message(struct component *c, struct fw_msg *m, const void *payload)
{
	struct iovec parts[2] = { { m, sizeof(*m) }, { (void *)payload, m->length } };
	ssize_t sent;

	m->ctx = c->id;
	sent = writev(c->fd, parts, m->length ? 2 : 1);
	if (sent >= 0)
		return 0;
	if (errno != ENOENT && errno != EPIPE)
		say(0, "[%u] a message of type %u could not be sent: %s", c->id, m->type, strerror(errno));
	return -errno;
}

static void acknowledge(struct component *c, uint32_t type)
{
	struct fw_msg m = { .type = FW_ACK, .index = type };

	send_message(c, &m, NULL);
}

/* Lets the time pass that a picture of this size takes, where the hardware is as slow as cfg.mb_rate says. */
void work_for(struct component *c, uint32_t width, uint32_t height)
{
	uint64_t macroblocks = (uint64_t)(align_up(width, 16) / 16) * (align_up(height, 16) / 16), ns;
	struct timespec time;

	if (!c->cfg.mb_rate || !macroblocks)
		return;
	ns = macroblocks * 1000000000ull / c->cfg.mb_rate;
	time = (struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
	pthread_mutex_lock(&hardware);
	nanosleep(&time, NULL);
	pthread_mutex_unlock(&hardware);
}

void queue_picture(struct component *c, struct picture picture)
{
	if (c->n_out == MOST) {
		errno = ENOBUFS;
		die("pictures");
	}
	c->out[c->n_out++] = picture;
}

void drop_picture(struct component *c, int at)
{
	av_frame_free(&c->out[at].frame);
	free(c->out[at].data);
	c->n_out--;
	memmove(c->out + at, c->out + at + 1, sizeof(c->out[0]) * (c->n_out - at));
}

/* The first empty buffer is filled, or the driver took it back. */
void drop_buffer(struct component *c)
{
	c->n_buffers--;
	memmove(c->buffers, c->buffers + 1, sizeof(c->buffers[0]) * c->n_buffers);
}

static void queue_packet(struct component *c, const struct fw_msg *m, const uint8_t *payload)
{
	struct packet *k = &c->in[c->n_in];

	if (c->n_in == MOST) {
		errno = ENOBUFS;
		die("packets");
	}
	c->n_in++;
	k->m = *m;
	k->data = NULL;
	if (m->length) {
		k->data = allocated(malloc(m->length));
		memcpy(k->data, payload, m->length);
	}
}

static struct packet next_packet(struct component *c)
{
	struct packet k = c->in[0];

	c->n_in--;
	memmove(c->in, c->in + 1, sizeof(c->in[0]) * c->n_in);
	return k;
}

static void drop_packets(struct component *c)
{
	while (c->n_in)
		free(next_packet(c).data);
}

/* Takes the next packet. Returns false if it may not, whatever there is. */
static bool take(struct component *c)
{
	bool is_buffer, stalled, swallowed;
	struct packet k;
	int room = (c->cfg.pool ? c->cfg.pool : 1) + c->cfg.drop_on_change;

	if (!c->n_in || !c->in_on)
		return false;
	/* Stalled after EOS until the port is restarted. */
	if (c->ended && c->cfg.after_eos == 1 && !(c->in[0].m.flags & FW_F_EOS))
		return false;
	if (c->n_out >= room)
		return false;
	k = next_packet(c);
	is_buffer = k.m.index != NO_BUFFER;
	c->n_packets += is_buffer;
	stalled = c->cfg.stall_after && c->n_packets > c->cfg.stall_after;
	swallowed = c->ended && c->cfg.after_eos == 2;
	if (stalled && is_buffer && c->n_packets == c->cfg.stall_after + 1)
		say(0, "[%u] stalls at packet %u", c->id, c->n_packets);
	if (!stalled && !swallowed && c->role == FW_ROLE_DECODE)
		decoder_take(c, &k);
	else if (!stalled && !swallowed)
		encoder_take(c, &k);
	free(k.data);
	if (is_buffer && !(stalled && c->cfg.stall_hold)) {
		struct fw_msg done = { .type = FW_IN_DONE, .index = k.m.index };

		send_message(c, &done, NULL);
	}
	return true;
}

/* Does what can be done with what there is: pictures out first, so that they make room. */
static void work(struct component *c)
{
	while ((c->role == FW_ROLE_DECODE ? decoder_emit(c) : encoder_emit(c)) || take(c))
		;
}

/* Reads the next message into `*bytes`, which grows as it must. Returns false when the driver is through. */
static bool receive(struct component *c, uint8_t **bytes, size_t *size)
{
	for (;;) {
		ssize_t got = read(c->fd, *bytes, *size);

		if (got > 0)
			return true;
		if (got < 0 && errno == EMSGSIZE && *size < MESSAGE_MOST) {
			*size *= 2;
			*bytes = allocated(realloc(*bytes, *size));
		} else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
			struct pollfd wait = { .fd = c->fd, .events = POLLIN };

			poll(&wait, 1, -1);
		} else {
			return false;
		}
	}
}

/* STREAMOFF(OUTPUT). What is decoded already stays; that the stream ended does not. */
static void disable_input(struct component *c)
{
	c->in_on = false;
	c->ended = false;
	drop_packets(c);
	for (int i = c->n_out - 1; i >= 0; i--)
		if (!c->out[i].frame && !c->out[i].data)
			drop_picture(c, i);
	if (c->role == FW_ROLE_DECODE)
		decoder_flush(c);
	acknowledge(c, FW_IN_DISABLE);
}

/* Does what a message says. Returns false when the component is to be closed. */
static bool handle(struct component *c, const struct fw_msg *m, const uint8_t *payload)
{
	switch (m->type) {
	case FW_CLOSE:
		return false;
	case FW_IN_ENABLE:
		c->in_on = true;
		c->ended = false;
		c->cfg = m->cfg;
		c->in_port = m->in;
		if (!c->out_on) {
			c->port = m->fmt;
			c->started = false;
		}
		if (c->role == FW_ROLE_ENCODE) {
			c->wanted = m->enc;
			encoder_open(c);
		}
		break;
	case FW_IN_DISABLE:
		disable_input(c);
		break;
	case FW_OUT_ENABLE:
		c->out_on = true;
		c->waiting = false;
		c->port = m->fmt;
		c->cfg = m->cfg;
		break;
	case FW_OUT_DISABLE:
		c->out_on = false;
		c->n_buffers = 0;
		acknowledge(c, FW_OUT_DISABLE);
		break;
	case FW_DATA:
		queue_packet(c, m, payload);
		break;
	case FW_BUF:
		if (c->n_buffers < MOST)
			c->buffers[c->n_buffers++] = (struct buffer){ m->index, m->size };
		break;
	case FW_PARAM:
		c->force_key |= m->enc.force_key;
		c->wanted = m->enc;
		c->changed = true;
		break;
	case FW_START:
		c->ended = false;
		c->waiting = false;
		break;
	}
	return true;
}

void *component_run(void *component)
{
	struct component *c = component;
	size_t size = MESSAGE_USUAL;
	uint8_t *bytes = allocated(malloc(size));
	struct fw_msg m;

	c->fd = open(FIRMWARE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (c->fd < 0)
		die(FIRMWARE);
	/* A client that was gone at once is no mistake. */
	if (ioctl(c->fd, FW_IOC_BIND, &c->id)) {
		say(0, "[%u] could not be bound: %s", c->id, strerror(errno));
	} else {
		say(1, "[%u] %s", c->id, c->role == FW_ROLE_DECODE ? "decoder" : "encoder");
		if (c->role == FW_ROLE_DECODE)
			decoder_open(c);
		do {
			work(c);
			if (!receive(c, &bytes, &size))
				break;
			memcpy(&m, bytes, sizeof(m));
		} while (handle(c, &m, bytes + sizeof(m)));
		say(1, "[%u] closed after %u packets, %u frames", c->id, c->n_packets, c->n_frames);
	}
	drop_packets(c);
	while (c->n_out)
		drop_picture(c, 0);
	decoder_close(c);
	encoder_close(c);
	close(c->fd);
	free(bytes);
	free(c);
	return NULL;
}
