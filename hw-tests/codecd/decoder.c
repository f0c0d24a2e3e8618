// SPDX-License-Identifier: GPL-2.0
/* The decoder: H.264 in Annex B to 4:2:0, with the formats' changes that the Pi's firmware reports. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/pixdesc.h>
#include <linux/videodev2.h>

#include "codecd.h"

void decoder_open(struct component *c)
{
	c->packet = allocated(av_packet_alloc());
	c->decoder = allocated(avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_H264)));
	c->decoder->thread_count = 1;
	c->decoder->apply_cropping = 0;
	c->decoder->pkt_timebase = (AVRational){ 1, 1000000 };
	/* The order of output follows from the size of the decoded picture buffer, not from guessing. */
	c->decoder->strict_std_compliance = FF_COMPLIANCE_STRICT;
	if (avcodec_open2(c->decoder, NULL, NULL) < 0)
		die("avcodec_open2");
}

void decoder_flush(struct component *c)
{
	avcodec_flush_buffers(c->decoder);
}

void decoder_close(struct component *c)
{
	avcodec_free_context(&c->decoder);
	av_packet_free(&c->packet);
	free(c->stage);
}

/* The format that a frame asks of the output port. */
static struct fw_fmt format_of(struct component *c, const AVFrame *f)
{
	struct fw_fmt o = c->port;

	o.crop_w = f->width - f->crop_left - f->crop_right;
	o.crop_h = f->height - f->crop_top - f->crop_bottom;
	o.stride = align_up(o.crop_w, 32);
	o.width = o.stride;
	o.height = align_up(o.crop_h, 16);
	o.size = o.stride * o.height * 3 / 2;
	o.par_num = f->sample_aspect_ratio.num;
	o.par_den = f->sample_aspect_ratio.den;
	if (!o.par_num || !o.par_den)
		o.par_num = o.par_den = 1;
	o.primaries = f->color_primaries;
	o.transfer = f->color_trc;
	o.matrix = f->colorspace;
	o.full_range = f->color_range == AVCOL_RANGE_JPEG;
	o.interlaced = 0;
	if (f->flags & AV_FRAME_FLAG_INTERLACED)
		o.interlaced = f->flags & AV_FRAME_FLAG_TOP_FIELD_FIRST ? 1 : 2;
	/* What is held for reordering, the one that is shown and the one that is decoded. */
	o.min_buffers = c->decoder->has_b_frames + 2;
	return o;
}

static bool same_geometry(const struct fw_fmt *a, const struct fw_fmt *port)
{
	if (a->crop_w != port->crop_w || a->crop_h != port->crop_h)
		return false;
	/* A client may have asked for a wider stride. */
	return (a->stride == port->stride && a->height == port->height) ||
	       (a->stride < port->stride && a->height <= port->height);
}

/* Does a frame of this format fit the output port? If not, it is said, and nothing goes out until the port's restart. */
static bool fits(struct component *c, const struct fw_fmt *f)
{
	bool geometry = same_geometry(f, &c->port);
	bool tagged = f->matrix && f->matrix != AVCOL_SPC_UNSPECIFIED;
	uint64_t num = c->par_num ? c->par_num : 1, den = c->par_den ? c->par_den : 1;
	bool colour = c->cfg.colour_event && ((tagged && f->matrix != c->matrix) || f->par_num * den != f->par_den * num);
	/* The specification: there is nothing to say if CAPTURE streams already and fits. */
	bool always = c->cfg.src_change == 1 && !c->started && !(c->cfg.strict && c->out_on);
	struct fw_msg m = { .type = FW_FORMAT, .fmt = *f, .flags = geometry ? 0 : FW_F_CHANGED };

	if (c->cfg.src_change == 2 && geometry)
		colour = false;
	if (tagged)
		c->matrix = f->matrix;
	c->par_num = f->par_num;
	c->par_den = f->par_den;
	c->started = true;
	if (geometry && !colour && !always)
		return true;
	say(1, "[%u] format change: %ux%u stride %u -> %ux%u stride %u%s%s", c->id, c->port.crop_w, c->port.crop_h,
	    c->port.stride, f->crop_w, f->crop_h, f->stride, colour ? " colour or aspect" : "", always ? " always" : "");
	c->waiting = true;
	send_message(c, &m, NULL);
	return false;
}

/* With header_event: the headers are known, though no picture is ready yet. */
static void report_headers(struct component *c)
{
	const AVCodecContext *d = c->decoder;
	AVFrame known = {
		.width = d->width,
		.height = d->height,
		.sample_aspect_ratio = d->sample_aspect_ratio,
		.color_primaries = d->color_primaries,
		.color_trc = d->color_trc,
		.colorspace = d->colorspace,
		.color_range = d->color_range,
	};
	struct fw_fmt f;

	if (!c->cfg.header_event || c->started || c->n_out || c->waiting || !d->width)
		return;
	if (d->field_order > AV_FIELD_PROGRESSIVE)
		known.flags |= AV_FRAME_FLAG_INTERLACED;
	if (d->field_order == AV_FIELD_TT || d->field_order == AV_FIELD_BT)
		known.flags |= AV_FRAME_FLAG_TOP_FIELD_FIRST;
	f = format_of(c, &known);
	fits(c, &f);
}

/* Queues the frames that the decoder has ready. */
static void receive_frames(struct component *c)
{
	for (;;) {
		AVFrame *f = allocated(av_frame_alloc());
		struct picture p = { .frame = f };

		if (avcodec_receive_frame(c->decoder, f) < 0) {
			av_frame_free(&f);
			return;
		}
		if (f->format != AV_PIX_FMT_YUV420P && f->format != AV_PIX_FMT_YUVJ420P) {
			say(0, "[%u] the hardware has no %s", c->id, av_get_pix_fmt_name(f->format));
			av_frame_free(&f);
			continue;
		}
		p.pts = f->pts;
		c->n_frames++;
		if (f->flags & AV_FRAME_FLAG_KEY)
			p.flags |= FW_F_KEYFRAME;
		if (f->flags & AV_FRAME_FLAG_CORRUPT || f->decode_error_flags || c->n_frames == c->cfg.corrupt_at)
			p.flags |= FW_F_CORRUPTED;
		if (f->flags & AV_FRAME_FLAG_INTERLACED)
			p.flags |= FW_F_INTERLACED | (f->flags & AV_FRAME_FLAG_TOP_FIELD_FIRST ? FW_F_TFF : 0);
		queue_picture(c, p);
	}
}

void decoder_take(struct component *c, const struct packet *k)
{
	uint32_t length = k->m.length;

	if (length) {
		uint8_t *padded = allocated(av_malloc(length + AV_INPUT_BUFFER_PADDING_SIZE));

		work_for(c, c->decoder->width, c->decoder->height);
		memcpy(padded, k->data, length);
		memset(padded + length, 0, AV_INPUT_BUFFER_PADDING_SIZE);
		if (av_packet_from_data(c->packet, padded, length) < 0)
			die("av_packet_from_data");
		c->packet->pts = k->m.pts;
		if (avcodec_send_packet(c->decoder, c->packet) < 0)
			say(1, "[%u] a packet of %u bytes is not understood", c->id, length);
		av_packet_unref(c->packet);
		receive_frames(c);
		report_headers(c);
	}
	if (k->m.flags & FW_F_EOS) {
		say(1, "[%u] EOS after %u packets", c->id, c->n_packets);
		avcodec_send_packet(c->decoder, NULL);
		receive_frames(c);
		avcodec_flush_buffers(c->decoder);
		queue_picture(c, (struct picture){ .flags = FW_F_EOS });
		c->ended = true;
	}
}

static void copy_rows(uint8_t *to, size_t to_stride, const uint8_t *from, int from_stride, int width, int height)
{
	for (int y = 0; y < height; y++)
		memcpy(to + y * to_stride, from + (ptrdiff_t)y * from_stride, width);
}

/* Lays a frame out in `stage` as the port wants it, and returns its length. The hardware's padding comes along. */
static uint32_t lay_out(struct component *c, const AVFrame *f)
{
	size_t stride = c->port.stride, height = c->port.height, length = stride * height * 3 / 2;
	int w = f->width - f->crop_left, h = f->height - f->crop_top;
	const uint8_t *first = f->data[1], *second = f->data[2];
	int first_stride = f->linesize[1], second_stride = f->linesize[2];
	bool swapped = c->port.fourcc == V4L2_PIX_FMT_YVU420 || c->port.fourcc == V4L2_PIX_FMT_NV21;
	bool planar = c->port.fourcc == V4L2_PIX_FMT_YVU420 || c->port.fourcc == V4L2_PIX_FMT_YUV420;
	uint8_t *chroma;

	if (c->stage_size < length) {
		c->stage = allocated(realloc(c->stage, length));
		c->stage_size = length;
	}
	w = w > (int)stride ? (int)stride : w;
	h = h > (int)height ? (int)height : h;
	copy_rows(c->stage, stride, f->data[0] + f->crop_top * f->linesize[0] + f->crop_left, f->linesize[0], w, h);
	w = (w + 1) / 2;
	h = (h + 1) / 2;
	chroma = c->stage + stride * height;
	if (swapped) {
		first = f->data[2];
		second = f->data[1];
		first_stride = f->linesize[2];
		second_stride = f->linesize[1];
	}
	first += f->crop_top / 2 * first_stride + f->crop_left / 2;
	second += f->crop_top / 2 * second_stride + f->crop_left / 2;
	if (planar) {
		copy_rows(chroma, stride / 2, first, first_stride, w, h);
		copy_rows(chroma + stride / 2 * (height / 2), stride / 2, second, second_stride, w, h);
		return length;
	}
	for (int y = 0; y < h; y++) {
		uint8_t *to = chroma + y * stride;
		const uint8_t *a = first + (ptrdiff_t)y * first_stride, *b = second + (ptrdiff_t)y * second_stride;

		for (int x = 0; x < w; x++) {
			to[2 * x] = a[x];
			to[2 * x + 1] = b[x];
		}
	}
	return length;
}

/*
 * With drop_on_change: the frames that the hardware loses before a change of size. So many are held back to know of it.
 * Returns whether the first picture may go; it is dropped if it is one of the lost.
 */
static bool survives(struct component *c, bool *dropped)
{
	int lost = c->cfg.drop_on_change;
	bool is_last = false;

	*dropped = false;
	for (int i = 1; i < c->n_out && i <= lost; i++) {
		const AVFrame *f = c->out[i].frame, *first = c->out[0].frame;

		if (f && (f->width != first->width || f->height != first->height)) {
			say(1, "[%u] lost a frame before the change", c->id);
			drop_picture(c, 0);
			*dropped = true;
			return false;
		}
		is_last |= !f;
	}
	return c->n_out > lost || is_last;
}

/* Sends one picture to CAPTURE. Returns false if nothing could go. */
bool decoder_emit(struct component *c)
{
	struct picture *p = c->out;
	struct fw_msg m = { .type = FW_OUT };
	bool dropped;

	if (!c->n_out || c->waiting)
		return false;
	if (p->frame) {
		struct fw_fmt f = format_of(c, p->frame);

		if (!fits(c, &f))
			return true;
	}
	if (!c->out_on || !c->n_buffers)
		return false;
	if (p->frame && c->cfg.drop_on_change && !survives(c, &dropped))
		return dropped;
	m.index = c->buffers[0].index;
	m.flags = p->flags;
	m.pts = p->pts;
	if (p->frame)
		m.length = lay_out(c, p->frame);
	if (m.length > c->buffers[0].size) {
		say(0, "[%u] a picture of %u bytes for a buffer of %u", c->id, m.length, c->buffers[0].size);
		m.length = c->buffers[0].size;
		m.flags |= FW_F_CORRUPTED;
	}
	if (send_message(c, &m, c->stage) != -ENOENT)
		drop_picture(c, 0);
	drop_buffer(c);
	return true;
}
