/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the codec's firmware share. */
#ifndef CODECD_H
#define CODECD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libavcodec/avcodec.h>
#include <libswscale/swscale.h>
#include <x264.h>

#include "codec_firmware.h"

#define FIRMWARE "/dev/codec-firmware"
/* V4L2 has at most 64 buffers a queue; a decoder that drains gives up to 17 pictures at once on top of the pool. */
#define MOST 256
/* The index of a packet that is no buffer, only the end of the stream. */
#define NO_BUFFER UINT32_MAX

/* A packet of the client's: an OUTPUT buffer's content. */
struct packet {
	struct fw_msg m;
	uint8_t *data;
};

/* One thing that is to go to CAPTURE: a frame, coded data, or, with neither, the end of the stream. */
struct picture {
	AVFrame *frame;
	uint8_t *data;
	uint32_t length, sent;	/* of `data` */
	uint32_t flags;		/* FW_F_* */
	int64_t pts;
};

/* An empty CAPTURE buffer. */
struct buffer {
	uint32_t index, size;
};

/* One decoder or encoder, as an MMAL component is on the Pi. A thread of its own serves it. */
struct component {
	int fd;			/* of FIRMWARE, bound to this component */
	uint32_t id;
	int role;		/* FW_ROLE_* */
	struct fw_cfg cfg;

	struct packet in[MOST];
	int n_in;
	struct picture out[MOST];
	int n_out;
	struct buffer buffers[MOST];
	int n_buffers;

	bool in_on, out_on;	/* the ports are enabled */
	bool waiting;		/* a change of format was reported: nothing goes out until the output port is restarted */
	bool started;		/* a format was compared with the port's since the stream began */
	bool ended;		/* EOS was seen since the input port was enabled */
	struct fw_fmt port, in_port;
	uint32_t n_packets, n_frames;

	/* Of a decoder. */
	AVCodecContext *decoder;
	AVPacket *packet;
	uint8_t *stage;		/* a frame as the port wants it */
	size_t stage_size;
	uint32_t matrix;	/* of the stream so far, 0 if it never said */
	uint32_t par_num, par_den;

	/* Of an encoder. */
	x264_t *encoder;
	struct fw_enc wanted;
	bool changed;		/* `wanted` is not yet what `encoder` does */
	bool force_key;
	bool first;		/* `header` goes before the next frame */
	uint8_t *header;
	int header_length;
	struct SwsContext *scaler;
	uint8_t *converted;
	size_t converted_size;
};

/* main.c */
void say(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void die(const char *what);
void *allocated(void *memory);
extern int verbose;

/* component.c */
void *component_run(void *component);
int send_message(struct component *c, struct fw_msg *m, const void *payload);
void work_for(struct component *c, uint32_t width, uint32_t height);
void queue_picture(struct component *c, struct picture picture);
void drop_picture(struct component *c, int at);
void drop_buffer(struct component *c);

/* decoder.c */
void decoder_open(struct component *c);
void decoder_flush(struct component *c);
void decoder_close(struct component *c);
void decoder_take(struct component *c, const struct packet *k);
bool decoder_emit(struct component *c);

/* encoder.c */
void encoder_open(struct component *c);
void encoder_close(struct component *c);
void encoder_take(struct component *c, const struct packet *k);
bool encoder_emit(struct component *c);

static inline uint32_t align_up(uint32_t value, uint32_t to)
{
	return (value + to - 1) / to * to;
}
#endif
