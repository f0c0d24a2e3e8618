// SPDX-License-Identifier: GPL-2.0
/* The encoder: raw pictures to H.264 in Annex B, by x264 at its fastest. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/videodev2.h>

#include "codecd.h"

static const char *profile_name(uint32_t profile)
{
	switch (profile) {
	case V4L2_MPEG_VIDEO_H264_PROFILE_BASELINE:
	case V4L2_MPEG_VIDEO_H264_PROFILE_CONSTRAINED_BASELINE:
		return "baseline";
	case V4L2_MPEG_VIDEO_H264_PROFILE_MAIN:
		return "main";
	default:
		return "high";
	}
}

/* What can be changed while it encodes. */
static void set_rates(struct component *c, x264_param_t *p)
{
	const struct fw_enc *w = &c->wanted;

	/* Every intra frame is an IDR. */
	p->i_keyint_max = w->gop ? (int)w->gop : X264_KEYINT_MAX_INFINITE;
	p->i_keyint_min = 1;
	p->i_scenecut_threshold = 0;
	p->b_open_gop = 0;
	p->rc.i_rc_method = X264_RC_ABR;
	p->rc.i_bitrate = w->bitrate / 1000;
	p->rc.i_qp_min = w->min_qp;
	p->rc.i_qp_max = w->max_qp >= w->min_qp ? w->max_qp : 51;
	if (w->cbr) {
		p->rc.i_vbv_max_bitrate = p->rc.i_bitrate;
		p->rc.i_vbv_buffer_size = p->rc.i_bitrate;
	}
}

/* The headers that are joined with the first frame. */
static void keep_header(struct component *c)
{
	x264_nal_t *nals;
	int n = 0, length = x264_encoder_headers(c->encoder, &nals, &n);

	c->header = allocated(realloc(c->header, length > 0 ? length : 1));
	for (int i = 0; length > 0 && i < n; i++) {
		if (nals[i].i_type == NAL_SEI)
			continue;
		memcpy(c->header + c->header_length, nals[i].p_payload, nals[i].i_payload);
		c->header_length += nals[i].i_payload;
	}
}

/* STREAMON(OUTPUT): a new stream with the parameters of now. */
void encoder_open(struct component *c)
{
	const struct fw_enc *w = &c->wanted;
	const char *profile = profile_name(w->profile);
	x264_param_t p;

	if (c->encoder)
		x264_encoder_close(c->encoder);
	x264_param_default_preset(&p, "ultrafast", "zerolatency");
	p.i_log_level = verbose > 1 ? X264_LOG_INFO : X264_LOG_ERROR;
	p.i_threads = 1;
	p.b_sliced_threads = 0;
	p.i_lookahead_threads = 1;
	p.i_sync_lookahead = 0;
	p.i_width = c->in_port.crop_w & ~1u;
	p.i_height = c->in_port.crop_h & ~1u;
	p.i_csp = X264_CSP_I420;
	p.b_annexb = 1;
	p.b_repeat_headers = w->repeat_headers;
	p.b_aud = 0;
	p.i_bframe = 0;
	p.i_level_idc = w->level;
	p.b_vfr_input = 0;
	p.i_fps_num = w->fps_num ? w->fps_num : 30;
	p.i_fps_den = w->fps_den ? w->fps_den : 1;
	p.i_timebase_num = 1;
	p.i_timebase_den = 1000000;
	if (strcmp(profile, "high") == 0) {
		p.b_cabac = 1;
		p.analyse.b_transform_8x8 = 1;
	}
	set_rates(c, &p);
	x264_param_apply_profile(&p, profile);
	c->encoder = x264_encoder_open(&p);
	if (!c->encoder)
		say(0, "[%u] x264 refuses %dx%d", c->id, p.i_width, p.i_height);
	c->changed = false;
	c->first = true;
	c->header_length = 0;
	if (c->encoder && !w->repeat_headers)
		keep_header(c);
	say(1, "[%u] encoder %dx%d %.4s stride %u, %u bit/s, %u/%u fps, gop %u, level %u, %s", c->id, p.i_width, p.i_height,
	    (const char *)&c->in_port.fourcc, c->in_port.stride, w->bitrate, p.i_fps_num, p.i_fps_den, w->gop, w->level,
	    profile);
}

void encoder_close(struct component *c)
{
	if (c->encoder)
		x264_encoder_close(c->encoder);
	sws_freeContext(c->scaler);
	free(c->converted);
	free(c->header);
}

static enum AVPixelFormat rgb_format(uint32_t fourcc)
{
	switch (fourcc) {
	case V4L2_PIX_FMT_RGB565:
		return AV_PIX_FMT_RGB565LE;
	case V4L2_PIX_FMT_YUYV:
		return AV_PIX_FMT_YUYV422;
	case V4L2_PIX_FMT_UYVY:
		return AV_PIX_FMT_UYVY422;
	case V4L2_PIX_FMT_RGB24:
		return AV_PIX_FMT_RGB24;
	case V4L2_PIX_FMT_BGR24:
		return AV_PIX_FMT_BGR24;
	default:
		return AV_PIX_FMT_BGR0;
	}
}

/* What the ISP in front of the encoder does: anything else to 4:2:0. */
static void convert(struct component *c, const uint8_t *from, x264_image_t *image)
{
	const struct fw_fmt *f = &c->in_port;
	int w = f->crop_w & ~1u, h = f->crop_h & ~1u;
	size_t luma = (size_t)w * h, length = luma * 3 / 2;
	const uint8_t *in[4] = { from };
	int in_stride[4] = { f->stride };
	uint8_t *out[4];
	int out_stride[4] = { w, w / 2, w / 2 };
	const int *bt709 = sws_getCoefficients(SWS_CS_ITU709);

	c->scaler = sws_getCachedContext(c->scaler, w, h, rgb_format(f->fourcc), w, h, AV_PIX_FMT_YUV420P,
					 SWS_BILINEAR | SWS_ACCURATE_RND, NULL, NULL, NULL);
	allocated(c->scaler);
	sws_setColorspaceDetails(c->scaler, bt709, 1, bt709, 0, 0, 1 << 16, 1 << 16);
	if (c->converted_size < length) {
		c->converted = allocated(realloc(c->converted, length));
		c->converted_size = length;
	}
	out[0] = c->converted;
	out[1] = out[0] + luma;
	out[2] = out[1] + luma / 4;
	out[3] = NULL;
	sws_scale(c->scaler, in, in_stride, 0, h, out, out_stride);
	for (int i = 0; i < 3; i++) {
		image->plane[i] = out[i];
		image->i_stride[i] = out_stride[i];
	}
}

/* Points x264 at a packet's picture. */
static void set_image(struct component *c, uint8_t *luma, x264_image_t *image)
{
	size_t stride = c->in_port.stride, height = c->in_port.height;
	uint8_t *chroma = luma + stride * height, *second = chroma + stride / 2 * (height / 2);

	image->i_csp = X264_CSP_I420;
	image->i_plane = 3;
	image->plane[0] = luma;
	image->i_stride[0] = stride;
	image->i_stride[1] = image->i_stride[2] = stride / 2;
	switch (c->in_port.fourcc) {
	case V4L2_PIX_FMT_NV12:
	case V4L2_PIX_FMT_NV21:
		image->i_csp = c->in_port.fourcc == V4L2_PIX_FMT_NV12 ? X264_CSP_NV12 : X264_CSP_NV21;
		image->i_plane = 2;
		image->plane[1] = chroma;
		image->i_stride[1] = stride;
		break;
	case V4L2_PIX_FMT_YUV420:
		image->plane[1] = chroma;
		image->plane[2] = second;
		break;
	case V4L2_PIX_FMT_YVU420:
		image->plane[1] = second;
		image->plane[2] = chroma;
		break;
	default:
		convert(c, luma, image);
	}
}

/* Queues what x264 made, without its SEI, and behind the headers if it is the first. */
static void queue_coded(struct component *c, const x264_nal_t *nals, int n, int length, const x264_picture_t *made)
{
	uint32_t at = c->first ? c->header_length : 0;
	uint8_t *data = allocated(malloc(at + length));

	if (at)
		memcpy(data, c->header, at);
	for (int i = 0; i < n; i++) {
		if (nals[i].i_type == NAL_SEI)
			continue;
		memcpy(data + at, nals[i].p_payload, nals[i].i_payload);
		at += nals[i].i_payload;
	}
	c->first = false;
	c->n_frames++;
	queue_picture(c, (struct picture){
		.data = data,
		.length = at,
		.pts = made->i_pts,
		.flags = (made->b_keyframe ? FW_F_KEYFRAME : 0) | (c->n_frames == c->cfg.corrupt_at ? FW_F_CORRUPTED : 0),
	});
}

void encoder_take(struct component *c, const struct packet *k)
{
	if (k->m.length && c->encoder) {
		x264_picture_t in, made;
		x264_nal_t *nals;
		int n, length;

		work_for(c, c->in_port.crop_w, c->in_port.crop_h);
		if (c->changed) {
			x264_param_t p;

			x264_encoder_parameters(c->encoder, &p);
			set_rates(c, &p);
			x264_encoder_reconfig(c->encoder, &p);
			c->changed = false;
		}
		x264_picture_init(&in);
		in.i_pts = k->m.pts;
		set_image(c, k->data, &in.img);
		if (c->force_key || k->m.flags & FW_F_KEYFRAME)
			in.i_type = X264_TYPE_IDR;
		c->force_key = false;
		length = x264_encoder_encode(c->encoder, &nals, &n, &in, &made);
		if (length > 0)
			queue_coded(c, nals, n, length, &made);
	}
	if (k->m.flags & FW_F_EOS) {
		queue_picture(c, (struct picture){ .flags = FW_F_EOS });
		c->ended = true;
	}
}

/* Sends coded data to CAPTURE; what is greater than a buffer goes in pieces. Returns false if nothing could go. */
bool encoder_emit(struct component *c)
{
	struct picture *p = c->out;
	struct fw_msg m = { .type = FW_OUT };
	int result;

	if (!c->n_out || !c->out_on || !c->n_buffers)
		return false;
	m.index = c->buffers[0].index;
	m.flags = p->flags;
	m.pts = p->pts;
	m.length = p->length - p->sent;
	if (m.length > c->buffers[0].size)
		m.length = c->buffers[0].size;
	result = send_message(c, &m, p->data ? p->data + p->sent : NULL);
	drop_buffer(c);
	if (result == -ENOENT)
		return true;
	p->sent += m.length;
	if (p->sent >= p->length)
		drop_picture(c, 0);
	return true;
}
