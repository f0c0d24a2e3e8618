// SPDX-License-Identifier: GPL-2.0
/*
 * A twin of the Raspberry Pi's bcm2835-codec for tests without a Pi: the same nodes, formats, controls and habits,
 * with the codec itself ("firmware") in a user-space daemon behind /dev/codec-firmware (hw-tests/codecd).
 *
 * There are no nodes unless enable=1. strict=0 (default) behaves as the Pi's driver and firmware do where they deviate
 * from the kernel's specification (Memory-to-Memory Stateful Video Decoder and Encoder Interface); strict=1 behaves as
 * the specification says. hw-tests/boards/virtual.md lists the parameters, and which habits nobody has confirmed on a Pi.
 *
 * The way of a buffer:
 *
 *	QBUF -> device_run() -> with_fw[], and a message in msgs -> the daemon read()s it
 *	DQBUF <- vb2_buffer_done() <- fw_write() <- the daemon write()s FW_IN_DONE or FW_OUT
 *
 * Locks: the node's mutex (V4L2's calls, one for all instances as in the Pi's driver), below it fw_lock (what an instance
 * shares with the daemon) or fw_mutex (what all share), never both of these.
 */
#include <linux/debugfs.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/idr.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-device.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <media/v4l2-mem2mem.h>
#include <media/videobuf2-dma-contig.h>
#include <media/videobuf2-v4l2.h>
#include <media/videobuf2-vmalloc.h>
#include "codec_firmware.h"

#define NAME "bcm2835-codec"
#define MIN_SIZE 32
/* How long a component may take to be created: the MMAL timeout of the Pi's driver. */
#define FW_TIMEOUT (3 * HZ)

#define PARAM(name, type, val, desc) \
	static type name = val; \
	module_param(name, type, 0644); \
	MODULE_PARM_DESC(name, desc)

static bool enable;
module_param(enable, bool, 0444);
MODULE_PARM_DESC(enable, "there are nodes; only at boot");
PARAM(strict, bool, false, "behave as the specification of stateful codecs says, not as the Pi");
PARAM(decode_nr, int, 10, "/dev/videoN of the decoder");
PARAM(encode_nr, int, 11, "/dev/videoN of the encoder");
PARAM(max_size, uint, 1920, "greatest width and height");
PARAM(contig, bool, true, "buffers are physically contiguous, and so must imported ones be");
PARAM(min_capture, uint, 1, "buffers the firmware wants on CAPTURE at least (REQBUFS is raised to it)");
PARAM(src_change, uint, 0, "SOURCE_CHANGE at the start: 0 as the Pi, 1 always, 2 never when the size was set right");
PARAM(event_late, bool, true, "the first SOURCE_CHANGE comes with the first picture, not with the headers");
PARAM(colour_event, bool, true, "a change of colour or pixel aspect alone is a source change");
PARAM(change_now, bool, true, "at a source change DQBUF says EPIPE at once, though done buffers wait (as the Pi)");
PARAM(start_resumes, bool, false, "after a source change of equal geometry CMD_START is enough; else only STREAMOFF/ON of CAPTURE");
PARAM(drop_on_change, uint, 0, "frames of the old format lost at a source change");
PARAM(after_eos, uint, 1, "after EOS, until OUTPUT is restarted: 0 goes on, 1 stalls, 2 swallows");
PARAM(mb_rate, uint, 0, "macroblocks per second of the hardware, shared by all instances; 0 = no limit");
PARAM(pool, uint, 6, "pictures decoded ahead of the CAPTURE queue");
PARAM(stop_ms, uint, 0, "STREAMOFF takes this long at least");
PARAM(timeout_ms, uint, 2000, "how long STREAMOFF waits for a firmware that does not answer");
PARAM(max_components, uint, 0, "decoders and encoders the firmware has memory for; 0 = no limit");
PARAM(wedge_after, uint, 0, "the firmware dies at the Nth STREAMOFF or REQBUFS(0) with CAPTURE dma-bufs still held; 0 = never");
PARAM(dead, bool, false, "the firmware is dead; write 0 to reload it");
PARAM(error_after, uint, 0, "both queues fail with EIO after this many CAPTURE buffers; 0 = never");
PARAM(stall_after, uint, 0, "packets after which nothing is decoded; 0 = never");
PARAM(stall_hold, bool, false, "a stalled codec does not give packets back either");
PARAM(corrupt_at, uint, 0, "this frame (from 1) is flagged corrupted; 0 = none");
PARAM(debug, uint, 0, "1: events, 2: buffers");

#define dbg(l, ctx, fmt, ...) do { if (debug >= (l)) \
	pr_info(NAME "[%u]: " fmt "\n", (ctx)->id, ##__VA_ARGS__); } while (0)

enum { SRC, DST };

struct twin_fmt {
	u32 fourcc;
	u8 bpp;			/* bits a pixel, all planes together; 0 for coded data */
	u8 align[2];		/* of bytesperline, on the decoder and on the encoder */
	u8 roles;		/* bit 0: decoder, bit 1: encoder */
	bool planar;		/* bytesperline counts one byte per pixel */
};

static const struct twin_fmt raw_fmts[] = {
	{ V4L2_PIX_FMT_YUV420, 12, { 32, 64 }, 3, true },
	{ V4L2_PIX_FMT_YVU420, 12, { 32, 64 }, 3, true },
	{ V4L2_PIX_FMT_NV12, 12, { 32, 32 }, 3, true },
	{ V4L2_PIX_FMT_NV21, 12, { 32, 32 }, 3, true },
	{ V4L2_PIX_FMT_RGB565, 16, { 32, 32 }, 2 },
	{ V4L2_PIX_FMT_YUYV, 16, { 64, 64 }, 2 },
	{ V4L2_PIX_FMT_UYVY, 16, { 64, 64 }, 2 },
	{ V4L2_PIX_FMT_RGB24, 24, { 32, 32 }, 2 },
	{ V4L2_PIX_FMT_BGR24, 24, { 32, 32 }, 2 },
	{ V4L2_PIX_FMT_BGR32, 32, { 64, 64 }, 2 },
};

static const struct twin_fmt h264_fmt = { V4L2_PIX_FMT_H264, 0, { 0, 0 }, 3 };

struct twin_q {
	const struct twin_fmt *fmt;
	u32 width;			/* as it was set; only strict mode says it */
	u32 crop_w, crop_h;		/* visible */
	u32 height, bpl, size;		/* of the buffer */
	bool selection_set;		/* the visible height is known, S_FMT no longer changes it */
	u32 field;
	u32 sequence;
	struct v4l2_fract par;
};

struct twin_dev {
	struct twin_drv *drv;
	int role;
	struct video_device vfd;
	struct mutex mutex;		/* one for all instances of a node, as the Pi's driver */
	struct v4l2_m2m_dev *m2m;
	struct v4l2_device v4l2;
	bool registered;
};

struct twin_drv {
	struct device *dev;
	struct media_device mdev;
	struct twin_dev node[2];
	struct kref ref;
};

struct twin_buf {
	struct v4l2_m2m_buffer m2m;
	struct list_head list;		/* while with the firmware */
};

struct fw_item {
	struct list_head list;
	struct fw_msg m;
	struct twin_buf *buf;		/* of FW_DATA */
};

struct twin_ctx {
	struct v4l2_fh fh;
	struct twin_dev *dev;
	struct v4l2_ctrl_handler hdl;
	struct twin_q q[2];
	u32 colorspace, xfer, ycbcr, quant;
	struct v4l2_fract tpf;
	struct fw_enc enc;

	/* the component: lives as long as the file or the daemon's descriptor */
	struct kref ref;
	u32 id;
	struct mutex fw_lock;		/* everything below */
	struct list_head msgs;		/* to the daemon */
	struct list_head with_fw[2];	/* buffers the firmware has */
	wait_queue_head_t wq;		/* the daemon waits */
	struct completion bound, acked;
	bool component;			/* it was created */
	bool gone;			/* the client closed its file */
	bool lost;			/* the daemon closed its descriptor */
	bool enabled[2];		/* ports */
	u32 ack_wanted;			/* FW_IN_DISABLE or FW_OUT_DISABLE, while that is waited for */
	bool draining;			/* strict: CMD_STOP was given and LAST did not go out yet */
	bool change_pending;		/* strict: a LAST for a source change is owed */
	bool eos_in_use;		/* the Pi: CMD_STOP was given since OUTPUT started */
	u32 n_in, n_out;		/* packets and frames so far, for faults that come after so many */
	struct {			/* strict: what is copied from OUTPUT to CAPTURE besides the timestamp */
		s64 pts;
		u32 flags;
		struct v4l2_timecode tc;
	} meta[64];
};

/* ---------------------------------------------------------------- the firmware's side, /dev/codec-firmware */

static DEFINE_MUTEX(fw_mutex);		/* the list below, ids */
static LIST_HEAD(fw_opens);
static DECLARE_WAIT_QUEUE_HEAD(fw_wq);
static DEFINE_IDR(fw_idr);
static int fw_components;
static unsigned int held_stops;

static void ctx_free(struct kref *ref)
{
	struct twin_ctx *ctx = container_of(ref, struct twin_ctx, ref);
	struct fw_item *it, *n;

	list_for_each_entry_safe(it, n, &ctx->msgs, list)
		kfree(it);
	kfree(ctx);
}

/* Posts a message for the daemon; ctx->fw_lock is held. */
static void fw_post(struct twin_ctx *ctx, const struct fw_msg *m, struct twin_buf *buf)
{
	struct fw_item *it;

	if (!ctx->component || ctx->lost)
		return;
	it = kzalloc(sizeof(*it), GFP_KERNEL);
	if (!it)
		return;
	it->m = *m;
	it->m.ctx = ctx->id;
	it->buf = buf;
	list_add_tail(&it->list, &ctx->msgs);
	wake_up(&ctx->wq);
}

static void fw_fill_fmt(struct twin_ctx *ctx, int i, struct fw_fmt *f)
{
	struct twin_q *q = &ctx->q[i];

	f->fourcc = q->fmt->fourcc;
	f->width = q->fmt->planar ? q->bpl : q->crop_w;
	f->height = q->height;
	f->crop_w = q->crop_w;
	f->crop_h = q->crop_h;
	f->stride = q->bpl;
	f->size = q->size;
	f->par_num = q->par.numerator;
	f->par_den = q->par.denominator;
}

static void fw_fill_cfg(struct fw_cfg *c)
{
	c->strict = strict;
	c->src_change = strict ? 1 : src_change;
	c->header_event = strict || !event_late;
	c->colour_event = !strict && colour_event;
	c->drop_on_change = drop_on_change;
	c->after_eos = strict ? 0 : after_eos;
	c->mb_rate = mb_rate;
	c->pool = pool;
	c->stall_after = stall_after;
	c->stall_hold = stall_hold;
	c->corrupt_at = corrupt_at;
}

/* The component is created with the first REQBUFS, as in the Pi's driver. */
static int fw_create(struct twin_ctx *ctx)
{
	struct fw_item *it;
	int ret;

	if (ctx->component)
		return 0;
	if (dead) {
		pr_err(NAME ": timed out waiting for sync completion\n");
		schedule_timeout_uninterruptible(FW_TIMEOUT);
		return -ENOMEM;
	}
	if (max_components && fw_components >= max_components) {
		pr_err(NAME ": failed to create component ril.video_%s\n", ctx->dev->role ? "encode" : "decode");
		return -ENOMEM;
	}
	it = kzalloc(sizeof(*it), GFP_KERNEL);
	if (!it)
		return -ENOMEM;
	it->m.type = FW_OPEN;
	it->m.role = ctx->dev->role;
	fw_fill_cfg(&it->m.cfg);
	mutex_lock(&fw_mutex);
	ret = idr_alloc(&fw_idr, ctx, 1, 0, GFP_KERNEL);
	if (ret < 0) {
		mutex_unlock(&fw_mutex);
		kfree(it);
		return ret;
	}
	ctx->id = it->m.ctx = ret;
	ctx->component = true;
	ctx->lost = false;
	fw_components++;
	list_add_tail(&it->list, &fw_opens);
	mutex_unlock(&fw_mutex);
	wake_up(&fw_wq);
	if (!wait_for_completion_timeout(&ctx->bound, FW_TIMEOUT)) {
		struct fw_item *i, *n;

		pr_err(NAME ": no firmware: nobody serves /dev/codec-firmware\n");
		mutex_lock(&fw_mutex);
		list_for_each_entry_safe(i, n, &fw_opens, list)
			if (i->m.ctx == ctx->id) {
				list_del(&i->list);
				kfree(i);
			}
		idr_remove(&fw_idr, ctx->id);
		fw_components--;
		ctx->component = false;
		mutex_unlock(&fw_mutex);
		return -ENOMEM;
	}
	return 0;
}

static void fw_destroy(struct twin_ctx *ctx)
{
	struct fw_msg m = { .type = FW_CLOSE };

	if (!ctx->component)
		return;
	mutex_lock(&ctx->fw_lock);
	fw_post(ctx, &m, NULL);
	ctx->gone = true;
	wake_up(&ctx->wq);
	mutex_unlock(&ctx->fw_lock);
	mutex_lock(&fw_mutex);
	idr_remove(&fw_idr, ctx->id);
	fw_components--;
	mutex_unlock(&fw_mutex);
}

/* Tells the daemon that a port runs, and in which format; ctx->fw_lock is held. */
static void fw_post_enable(struct twin_ctx *ctx, u32 type)
{
	struct fw_msg m = { .type = type };

	fw_fill_fmt(ctx, DST, &m.fmt);
	fw_fill_fmt(ctx, SRC, &m.in);
	fw_fill_cfg(&m.cfg);
	m.enc = ctx->enc;
	m.enc.fps_num = ctx->tpf.denominator;
	m.enc.fps_den = ctx->tpf.numerator;
	fw_post(ctx, &m, NULL);
}

/*
 * Disables a port and waits until the firmware has let go of its buffers. A firmware that does not answer loses them by
 * force, with the words of the Pi's driver in the log.
 */
static void fw_disable(struct twin_ctx *ctx, int i)
{
	struct fw_msg m = { .type = i == SRC ? FW_IN_DISABLE : FW_OUT_DISABLE };
	struct fw_item *it, *n;
	struct twin_buf *b, *bn;

	if (stop_ms)
		schedule_timeout_uninterruptible(msecs_to_jiffies(stop_ms));
	mutex_lock(&ctx->fw_lock);
	ctx->enabled[i] = false;
	list_for_each_entry_safe(it, n, &ctx->msgs, list)
		if (i == SRC ? it->m.type == FW_DATA : it->m.type == FW_BUF) {
			list_del(&it->list);
			kfree(it);
		}
	reinit_completion(&ctx->acked);
	ctx->ack_wanted = m.type;
	if (ctx->component)
		fw_post(ctx, &m, NULL);
	mutex_unlock(&ctx->fw_lock);
	if (ctx->component && (dead || ctx->lost ||
			       !wait_for_completion_timeout(&ctx->acked, msecs_to_jiffies(timeout_ms)))) {
		if (dead || ctx->lost)
			schedule_timeout_uninterruptible(msecs_to_jiffies(timeout_ms));
		pr_err(NAME ": Timeout waiting for buffers to be returned\n");
	}
	mutex_lock(&ctx->fw_lock);
	ctx->ack_wanted = 0;
	list_for_each_entry_safe(b, bn, &ctx->with_fw[i], list) {
		list_del_init(&b->list);
		vb2_buffer_done(&b->m2m.vb.vb2_buf, VB2_BUF_STATE_ERROR);
	}
	mutex_unlock(&ctx->fw_lock);
}

struct fw_file {
	struct twin_ctx *ctx;		/* the component; NULL: the control descriptor */
};

static int fw_open(struct inode *inode, struct file *file)
{
	struct fw_file *f = kzalloc(sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	file->private_data = f;
	return stream_open(inode, file);
}

static int fw_release(struct inode *inode, struct file *file)
{
	struct fw_file *f = file->private_data;

	if (f->ctx) {
		mutex_lock(&f->ctx->fw_lock);
		f->ctx->lost = true;
		mutex_unlock(&f->ctx->fw_lock);
		kref_put(&f->ctx->ref, ctx_free);
	}
	kfree(f);
	return 0;
}

static long fw_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct fw_file *f = file->private_data;
	struct twin_ctx *ctx;
	u32 id;

	if (cmd != FW_IOC_BIND || f->ctx)
		return -EINVAL;
	if (get_user(id, (u32 __user *)arg))
		return -EFAULT;
	mutex_lock(&fw_mutex);
	ctx = idr_find(&fw_idr, id);
	if (ctx && !completion_done(&ctx->bound)) {
		kref_get(&ctx->ref);
		f->ctx = ctx;
		complete_all(&ctx->bound);
	} else {
		ctx = NULL;
	}
	mutex_unlock(&fw_mutex);
	return ctx ? 0 : -ENOENT;
}

static struct fw_item *fw_next(struct list_head *l)
{
	return dead ? NULL : list_first_entry_or_null(l, struct fw_item, list);
}

static ssize_t fw_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *file = iocb->ki_filp;
	struct fw_file *f = file->private_data;
	struct twin_ctx *ctx = f->ctx;
	struct mutex *lock = ctx ? &ctx->fw_lock : &fw_mutex;
	struct list_head *l = ctx ? &ctx->msgs : &fw_opens;
	wait_queue_head_t *wq = ctx ? &ctx->wq : &fw_wq;
	struct fw_item *it;
	ssize_t ret;
	void *p = NULL;

again:
	mutex_lock(lock);
	it = fw_next(l);
	if (!it) {
		mutex_unlock(lock);
		if (ctx && ctx->gone)
			return 0;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(*wq, fw_next(l) || (ctx && ctx->gone)))
			return -ERESTARTSYS;
		goto again;
	}
	ret = sizeof(it->m) + (it->buf ? it->m.length : 0);
	if (iov_iter_count(to) < ret) {
		ret = -EMSGSIZE;
		goto out;
	}
	if (copy_to_iter(&it->m, sizeof(it->m), to) != sizeof(it->m)) {
		ret = -EFAULT;
		goto out;
	}
	if (it->buf && it->m.length) {
		p = vb2_plane_vaddr(&it->buf->m2m.vb.vb2_buf, 0);
		if (!p || copy_to_iter(p + it->m.pad, it->m.length, to) != it->m.length)
			pr_err(NAME ": cannot read an OUTPUT buffer\n");
	}
	list_del(&it->list);
	kfree(it);
out:
	mutex_unlock(lock);
	return ret;
}

static __poll_t fw_poll(struct file *file, poll_table *wait)
{
	struct fw_file *f = file->private_data;
	struct twin_ctx *ctx = f->ctx;

	poll_wait(file, ctx ? &ctx->wq : &fw_wq, wait);
	return EPOLLOUT | (fw_next(ctx ? &ctx->msgs : &fw_opens) ? EPOLLIN : 0) | (ctx && ctx->gone ? EPOLLIN | EPOLLHUP : 0);
}

/* Takes the buffer of this index back from the firmware; NULL if it has none. ctx->fw_lock is held. */
static struct twin_buf *fw_take(struct twin_ctx *ctx, int i, u32 index)
{
	struct twin_buf *b;

	list_for_each_entry(b, &ctx->with_fw[i], list)
		if (b->m2m.vb.vb2_buf.index == index) {
			list_del_init(&b->list);
			return b;
		}
	return NULL;
}

static void send_event(struct twin_ctx *ctx, u32 type)
{
	struct v4l2_event ev = { .type = type };

	if (type == V4L2_EVENT_SOURCE_CHANGE)
		ev.u.src_change.changes = V4L2_EVENT_SRC_CH_RESOLUTION;
	dbg(1, ctx, "event %s", type == V4L2_EVENT_EOS ? "EOS" : "SOURCE_CHANGE");
	v4l2_event_queue_fh(&ctx->fh, &ev);
}

static void set_colour(struct twin_ctx *ctx, const struct fw_fmt *f)
{
	bool bt601 = f->matrix == 5 || f->matrix == 6;

	if (!strict) {
		/* The Pi's firmware knows two colour spaces, and no range. */
		if (f->matrix == 2 || !f->matrix)
			return;
		ctx->colorspace = bt601 ? V4L2_COLORSPACE_SMPTE170M : V4L2_COLORSPACE_REC709;
		ctx->xfer = V4L2_MAP_XFER_FUNC_DEFAULT(ctx->colorspace);
		ctx->ycbcr = V4L2_MAP_YCBCR_ENC_DEFAULT(ctx->colorspace);
		ctx->quant = V4L2_MAP_QUANTIZATION_DEFAULT(false, ctx->colorspace, ctx->ycbcr);
		return;
	}
	switch (f->primaries) {
	case 1: ctx->colorspace = V4L2_COLORSPACE_REC709; break;
	case 4: ctx->colorspace = V4L2_COLORSPACE_470_SYSTEM_M; break;
	case 5: ctx->colorspace = V4L2_COLORSPACE_470_SYSTEM_BG; break;
	case 6: ctx->colorspace = V4L2_COLORSPACE_SMPTE170M; break;
	case 7: ctx->colorspace = V4L2_COLORSPACE_SMPTE240M; break;
	case 9: ctx->colorspace = V4L2_COLORSPACE_BT2020; break;
	default: ctx->colorspace = bt601 ? V4L2_COLORSPACE_SMPTE170M : V4L2_COLORSPACE_REC709;
	}
	switch (f->transfer) {
	case 1: case 6: case 14: case 15: ctx->xfer = V4L2_XFER_FUNC_709; break;
	case 13: ctx->xfer = V4L2_XFER_FUNC_SRGB; break;
	case 16: ctx->xfer = V4L2_XFER_FUNC_SMPTE2084; break;
	default: ctx->xfer = V4L2_XFER_FUNC_DEFAULT;
	}
	switch (f->matrix) {
	case 1: ctx->ycbcr = V4L2_YCBCR_ENC_709; break;
	case 5: case 6: ctx->ycbcr = V4L2_YCBCR_ENC_601; break;
	case 7: ctx->ycbcr = V4L2_YCBCR_ENC_SMPTE240M; break;
	case 9: ctx->ycbcr = V4L2_YCBCR_ENC_BT2020; break;
	default: ctx->ycbcr = V4L2_YCBCR_ENC_DEFAULT;
	}
	ctx->quant = f->full_range ? V4L2_QUANTIZATION_FULL_RANGE : V4L2_QUANTIZATION_LIM_RANGE;
}

/* Strict: hands out an empty buffer flagged LAST as soon as there is one; ctx->fw_lock is held. */
static void strict_last(struct twin_ctx *ctx)
{
	struct twin_buf *b;
	struct fw_item *it, *n;

	if (!ctx->change_pending)
		return;
	b = list_first_entry_or_null(&ctx->with_fw[DST], struct twin_buf, list);
	if (!b)
		return;
	/* The daemon may or may not have read of it: it uses no buffer until the port is restarted. */
	list_for_each_entry_safe(it, n, &ctx->msgs, list)
		if (it->m.type == FW_BUF && it->m.index == b->m2m.vb.vb2_buf.index) {
			list_del(&it->list);
			kfree(it);
		}
	list_del_init(&b->list);
	ctx->change_pending = false;
	vb2_set_plane_payload(&b->m2m.vb.vb2_buf, 0, 0);
	b->m2m.vb.flags |= V4L2_BUF_FLAG_LAST;
	b->m2m.vb.sequence = ctx->q[DST].sequence++;
	vb2_buffer_done(&b->m2m.vb.vb2_buf, VB2_BUF_STATE_DONE);
}

static void fw_format(struct twin_ctx *ctx, const struct fw_msg *m)
{
	struct twin_q *q = &ctx->q[DST];
	struct vb2_queue *vq = v4l2_m2m_get_dst_vq(ctx->fh.m2m_ctx);

	dbg(1, ctx, "format changed to %ux%u, crop %ux%u (was %ux%u, crop %ux%u)", m->fmt.width, m->fmt.height,
	    m->fmt.crop_w, m->fmt.crop_h, q->bpl, q->height, q->crop_w, q->crop_h);
	q->crop_w = m->fmt.crop_w;
	q->crop_h = m->fmt.crop_h;
	q->selection_set = true;
	q->bpl = m->fmt.stride;
	q->height = m->fmt.height;
	q->size = m->fmt.size;
	q->par.numerator = m->fmt.par_num;
	q->par.denominator = m->fmt.par_den;
	q->field = m->fmt.interlaced == 1 ? V4L2_FIELD_INTERLACED_TB :
		   m->fmt.interlaced == 2 ? V4L2_FIELD_INTERLACED_BT : V4L2_FIELD_NONE;
	set_colour(ctx, &m->fmt);
	if (strict) {
		struct v4l2_ctrl *c = v4l2_ctrl_find(&ctx->hdl, V4L2_CID_MIN_BUFFERS_FOR_CAPTURE);

		if (c && m->fmt.min_buffers)
			v4l2_ctrl_s_ctrl(c, m->fmt.min_buffers);
		q->crop_w = m->fmt.crop_w;
		if (vb2_is_streaming(vq) && m->flags & FW_F_CHANGED) {
			ctx->change_pending = true;
			strict_last(ctx);
		}
	} else if (vb2_is_streaming(vq)) {
		/* The Pi's driver: no LAST, and what was not dequeued yet is out of reach until CMD_START clears this. */
		vq->last_buffer_dequeued = true;
		wake_up(&vq->done_wq);
	}
	send_event(ctx, V4L2_EVENT_SOURCE_CHANGE);
}

static ssize_t fw_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct fw_file *f = iocb->ki_filp->private_data;
	struct twin_ctx *ctx = f->ctx;
	ssize_t ret = iov_iter_count(from);
	struct fw_msg m;
	struct twin_buf *b;
	struct vb2_v4l2_buffer *vb;
	enum vb2_buffer_state state;
	void *p;

	if (!ctx || !copy_from_iter_full(&m, sizeof(m), from))
		return -EINVAL;
	mutex_lock(&ctx->fw_lock);
	if (ctx->gone || dead) {
		ret = ctx->gone ? -EPIPE : ret;
		goto out;
	}
	switch (m.type) {
	case FW_ACK:
		if (m.index == ctx->ack_wanted)
			complete(&ctx->acked);
		break;
	case FW_IN_DONE:
		b = ctx->enabled[SRC] ? fw_take(ctx, SRC, m.index) : NULL;
		if (!b) {
			ret = -ENOENT;
			break;
		}
		b->m2m.vb.sequence = strict ? ctx->q[SRC].sequence++ : 0;
		vb2_buffer_done(&b->m2m.vb.vb2_buf, m.flags & FW_F_ERROR ? VB2_BUF_STATE_ERROR : VB2_BUF_STATE_DONE);
		break;
	case FW_FORMAT:
		if (!strict && !change_now) {	/* Without loss: wait for the client, but not under the lock. */
			struct vb2_queue *vq = v4l2_m2m_get_dst_vq(ctx->fh.m2m_ctx);

			mutex_unlock(&ctx->fw_lock);
			for (int i = 0; i < 2000 && vb2_is_streaming(vq) && !list_empty(&vq->done_list) && !ctx->gone; i++)
				schedule_timeout_uninterruptible(msecs_to_jiffies(1));
			mutex_lock(&ctx->fw_lock);
		}
		if (ctx->dev->role == FW_ROLE_DECODE && ctx->enabled[SRC])
			fw_format(ctx, &m);
		break;
	case FW_OUT:
		b = ctx->enabled[DST] ? fw_take(ctx, DST, m.index) : NULL;
		if (!b) {
			ret = -ENOENT;
			break;
		}
		vb = &b->m2m.vb;
		p = m.length ? vb2_plane_vaddr(&vb->vb2_buf, 0) : NULL;
		if (m.length && (!p || m.length > vb2_plane_size(&vb->vb2_buf, 0) ||
				 copy_from_iter(p, m.length, from) != m.length)) {
			list_add(&b->list, &ctx->with_fw[DST]);
			ret = -EFAULT;
			break;
		}
		state = VB2_BUF_STATE_DONE;
		if (m.flags & FW_F_CORRUPTED)
			state = VB2_BUF_STATE_ERROR;
		vb->flags &= ~(V4L2_BUF_FLAG_LAST | V4L2_BUF_FLAG_KEYFRAME | V4L2_BUF_FLAG_PFRAME | V4L2_BUF_FLAG_BFRAME);
		if (m.flags & FW_F_EOS) {
			send_event(ctx, V4L2_EVENT_EOS);
			vb->flags |= V4L2_BUF_FLAG_LAST;
			ctx->draining = false;
		}
		if (m.flags & FW_F_KEYFRAME)
			vb->flags |= V4L2_BUF_FLAG_KEYFRAME;
		for (int i = 0; strict && i < ARRAY_SIZE(ctx->meta); i++)
			if (ctx->meta[i].pts == m.pts && !(m.flags & FW_F_EOS)) {
				u32 mask = V4L2_BUF_FLAG_TIMECODE | V4L2_BUF_FLAG_TSTAMP_SRC_MASK;

				vb->flags = (vb->flags & ~mask) | (ctx->meta[i].flags & mask);
				vb->timecode = ctx->meta[i].tc;
				break;
			}
		vb->field = !(m.flags & FW_F_INTERLACED) ? V4L2_FIELD_NONE :
			    m.flags & FW_F_TFF ? V4L2_FIELD_INTERLACED_TB : V4L2_FIELD_INTERLACED_BT;
		vb->sequence = strict ? ctx->q[DST].sequence++ : 0;
		vb->vb2_buf.timestamp = m.pts * 1000;
		vb2_set_plane_payload(&vb->vb2_buf, 0, m.length);
		vb2_buffer_done(&vb->vb2_buf, state);
		ctx->n_out++;
		dbg(2, ctx, "out %u: buffer %u, %u bytes, pts %lld, flags %x", ctx->n_out, m.index, m.length, m.pts, m.flags);
		if (error_after && ctx->n_out >= error_after) {
			vb2_queue_error(v4l2_m2m_get_src_vq(ctx->fh.m2m_ctx));
			vb2_queue_error(v4l2_m2m_get_dst_vq(ctx->fh.m2m_ctx));
		}
		break;
	default:
		ret = -EINVAL;
	}
out:
	mutex_unlock(&ctx->fw_lock);
	return ret;
}

static const struct file_operations fw_fops = {
	.owner = THIS_MODULE,
	.open = fw_open,
	.release = fw_release,
	.read_iter = fw_read,
	.write_iter = fw_write,
	.poll = fw_poll,
	.unlocked_ioctl = fw_ioctl,
};

static struct miscdevice fw_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "codec-firmware",
	.mode = 0600,
	.fops = &fw_fops,
};

/* ---------------------------------------------------------------- exported dma-bufs: who still holds one? */

/*
 * What wedges the Pi's firmware is a CAPTURE queue that stops while its dma-bufs are still imported elsewhere. videobuf2
 * does not tell who holds a buffer it exported, so each export's release is intercepted to keep a list of them.
 */
struct twin_export {
	struct list_head list;
	struct dma_buf *dbuf;
	struct vb2_buffer *vb;
	struct vb2_queue *vq;
	const struct dma_buf_ops *orig;
	struct dma_buf_ops ops;
};

static DEFINE_MUTEX(export_lock);
static LIST_HEAD(exports);

static void export_release(struct dma_buf *dbuf)
{
	struct twin_export *e = container_of(dbuf->ops, struct twin_export, ops);
	const struct dma_buf_ops *orig = e->orig;

	mutex_lock(&export_lock);
	list_del(&e->list);
	mutex_unlock(&export_lock);
	dbuf->ops = orig;
	orig->release(dbuf);
	kfree(e);
}

static struct dma_buf *export_track(struct vb2_buffer *vb, struct dma_buf *dbuf)
{
	struct twin_export *e;

	if (IS_ERR_OR_NULL(dbuf))
		return dbuf;
	e = kzalloc(sizeof(*e), GFP_KERNEL);
	if (!e)
		return dbuf;
	e->dbuf = dbuf;
	e->vb = vb;
	e->vq = vb->vb2_queue;
	e->orig = dbuf->ops;
	e->ops = *dbuf->ops;
	e->ops.release = export_release;
	dbuf->ops = &e->ops;
	mutex_lock(&export_lock);
	list_add(&e->list, &exports);
	mutex_unlock(&export_lock);
	return dbuf;
}

static struct vb2_mem_ops contig_ops, vmalloc_ops;

static struct dma_buf *contig_get_dmabuf(struct vb2_buffer *vb, void *priv, unsigned long flags)
{
	return export_track(vb, vb2_dma_contig_memops.get_dmabuf(vb, priv, flags));
}

static struct dma_buf *vmalloc_get_dmabuf(struct vb2_buffer *vb, void *priv, unsigned long flags)
{
	return export_track(vb, vb2_vmalloc_memops.get_dmabuf(vb, priv, flags));
}

/* How many dma-bufs of this queue somebody imported, mapped or keeps, beyond the client's own descriptor. */
static unsigned int exports_held(struct vb2_queue *vq)
{
	struct twin_export *e;
	unsigned int n = 0;

	mutex_lock(&export_lock);
	list_for_each_entry(e, &exports, list)
		if (e->vq == vq && (!list_empty(&e->dbuf->attachments) || file_count(e->dbuf->file) > 1))
			n++;
	mutex_unlock(&export_lock);
	return n;
}

/* Counts a queue that is taken down too early, and wedges the firmware at the one that wedge_after names. */
static void check_held(struct twin_ctx *ctx, const char *what)
{
	unsigned int n = exports_held(v4l2_m2m_get_dst_vq(ctx->fh.m2m_ctx));

	if (!n)
		return;
	held_stops++;
	dbg(1, ctx, "%s with %u dma-bufs still held (%u times)", what, n, held_stops);
	if (wedge_after && held_stops >= wedge_after && !dead) {
		pr_err(NAME ": the firmware is wedged: %s with %u dma-bufs still held, %u times\n", what, n, held_stops);
		dead = true;
	}
}

/* ---------------------------------------------------------------- calls that fail */

/*
 * fail=CALL:QUEUE:FIRST-LAST:ANSWER makes calls on the decoder's node, as counted over all its files, fail. FIRST is after
 * FIRST-1 calls that succeeded, so that looking in vain (DQBUF's EAGAIN) does not count; LAST-FIRST+1 calls in a row are
 * answered so. QUEUE is output, capture or any. ANSWER is an error's name, or one of what makes a call succeed and lie:
 *
 *	few	REQBUFS makes one buffer
 *	none	REQBUFS makes none
 *	other	S_FMT answers with another format than it was asked for
 *	ignored	S_FMT answers as if it had done what it was asked for
 *	absurd	G_FMT answers with a size that no picture has
 *
 * Read, it says how many calls were answered so. Written, it counts from the beginning.
 */
enum { FAIL_FEW = 1, FAIL_NONE, FAIL_OTHER, FAIL_IGNORED, FAIL_ABSURD };

static const struct {
	const char *name;
	int answer;
} fail_answers[] = {
	{ "few", FAIL_FEW }, { "none", FAIL_NONE }, { "other", FAIL_OTHER }, { "ignored", FAIL_IGNORED }, { "absurd", FAIL_ABSURD },
	{ "EACCES", -EACCES }, { "EBUSY", -EBUSY }, { "EINVAL", -EINVAL }, { "EIO", -EIO }, { "EMFILE", -EMFILE },
	{ "ENODEV", -ENODEV }, { "ENOMEM", -ENOMEM }, { "EPIPE", -EPIPE },
};

static DEFINE_SPINLOCK(fail_lock);	/* everything below */
static struct {
	char call[20];
	int queue;			/* SRC, DST, or -1: any */
	unsigned int first, last;
	int answer;
	unsigned int succeeded, hits;
} fail;

static int fail_set(const char *text, const struct kernel_param *kp)
{
	char call[20], queue[8], answer[12];
	unsigned int first, last, i;

	if (sscanf(text, "%19[^:]:%7[^:]:%u-%u:%11s", call, queue, &first, &last, answer) != 5) {
		if (text[0] && text[0] != '\n')
			return -EINVAL;
		spin_lock(&fail_lock);
		memset(&fail, 0, sizeof(fail));
		spin_unlock(&fail_lock);
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(fail_answers); i++)
		if (!strcmp(fail_answers[i].name, answer))
			break;
	if (i == ARRAY_SIZE(fail_answers) || !first || last < first)
		return -EINVAL;
	spin_lock(&fail_lock);
	memset(&fail, 0, sizeof(fail));
	strscpy(fail.call, call, sizeof(fail.call));
	fail.queue = !strcmp(queue, "output") ? SRC : !strcmp(queue, "capture") ? DST : -1;
	fail.first = first;
	fail.last = last;
	fail.answer = fail_answers[i].answer;
	spin_unlock(&fail_lock);
	return 0;
}

static int fail_get(char *text, const struct kernel_param *kp)
{
	return sysfs_emit(text, "%u\n", fail.hits);
}

static const struct kernel_param_ops fail_ops = { .set = fail_set, .get = fail_get };
module_param_cb(fail, &fail_ops, NULL, 0644);
MODULE_PARM_DESC(fail, "CALL:QUEUE:FIRST-LAST:ANSWER: calls that fail; read: how many did");

static bool fail_is(struct twin_dev *dev, const char *call, int queue)
{
	return dev->role == FW_ROLE_DECODE && !strcmp(fail.call, call) && (fail.queue < 0 || queue < 0 || fail.queue == queue);
}

/* How this call is answered instead; 0: as always. */
static int fail_now(struct twin_dev *dev, const char *call, int queue)
{
	int answer = 0;

	spin_lock(&fail_lock);
	if (fail_is(dev, call, queue) && fail.succeeded + 1 >= fail.first && fail.hits < fail.last - fail.first + 1) {
		fail.hits++;
		answer = fail.answer;
	}
	spin_unlock(&fail_lock);
	return answer;
}

/* A call was made as always. */
static int fail_made(struct twin_dev *dev, const char *call, int queue, int ret)
{
	spin_lock(&fail_lock);
	if (ret >= 0 && fail_is(dev, call, queue))
		fail.succeeded++;
	spin_unlock(&fail_lock);
	return ret;
}

static int queue_of(u32 type)
{
	return V4L2_TYPE_IS_OUTPUT(type) ? SRC : DST;
}

/* ---------------------------------------------------------------- V4L2 */

static struct twin_ctx *file2ctx(struct file *file)
{
	return container_of(file_to_v4l2_fh(file), struct twin_ctx, fh);
}

static bool is_coded(struct twin_ctx *ctx, int i)
{
	return (ctx->dev->role == FW_ROLE_DECODE) == (i == SRC);
}

static const struct twin_fmt *find_fmt(struct twin_ctx *ctx, int i, u32 fourcc)
{
	int k;

	if (is_coded(ctx, i))
		return fourcc == V4L2_PIX_FMT_H264 ? &h264_fmt : NULL;
	for (k = 0; k < ARRAY_SIZE(raw_fmts); k++)
		if (raw_fmts[k].fourcc == fourcc && raw_fmts[k].roles & BIT(ctx->dev->role))
			return &raw_fmts[k];
	return NULL;
}

static u32 min_bpl(struct twin_ctx *ctx, u32 w, const struct twin_fmt *fmt)
{
	if (!fmt->bpp)
		return 0;
	return ALIGN(fmt->planar ? w : w * fmt->bpp / 8, fmt->align[ctx->dev->role]);
}

static u32 min_size(u32 bpl, u32 w, u32 h, const struct twin_fmt *fmt)
{
	if (!fmt->bpp)
		return w * h > 1280 * 720 ? 768 << 10 : 512 << 10;
	return fmt->planar ? bpl * h * fmt->bpp / 8 : bpl * h;
}

static int querycap(struct file *file, void *priv, struct v4l2_capability *cap)
{
	struct twin_dev *dev = video_drvdata(file);

	strscpy(cap->driver, NAME, sizeof(cap->driver));
	strscpy(cap->card, dev->vfd.name, sizeof(cap->card));
	strscpy(cap->bus_info, "platform:" NAME, sizeof(cap->bus_info));
	return 0;
}

static int enum_fmt(struct twin_ctx *ctx, struct v4l2_fmtdesc *f, int i)
{
	int k, n = 0;

	if (is_coded(ctx, i)) {
		if (f->index)
			return -EINVAL;
		f->pixelformat = V4L2_PIX_FMT_H264;
		f->flags = V4L2_FMT_FLAG_COMPRESSED;
		if (i == SRC)
			f->flags |= V4L2_FMT_FLAG_DYN_RESOLUTION;
		return 0;
	}
	for (k = 0; k < ARRAY_SIZE(raw_fmts); k++)
		if (raw_fmts[k].roles & BIT(ctx->dev->role) && n++ == f->index) {
			f->pixelformat = raw_fmts[k].fourcc;
			return 0;
		}
	return -EINVAL;
}

static int enum_fmt_cap(struct file *file, void *priv, struct v4l2_fmtdesc *f)
{
	return enum_fmt(file2ctx(file), f, DST);
}

static int enum_fmt_out(struct file *file, void *priv, struct v4l2_fmtdesc *f)
{
	return enum_fmt(file2ctx(file), f, SRC);
}

static int g_fmt(struct twin_ctx *ctx, struct v4l2_format *f, int i)
{
	struct v4l2_pix_format_mplane *p = &f->fmt.pix_mp;
	struct twin_q *q = &ctx->q[i];

	memset(p, 0, sizeof(*p));
	p->width = q->crop_w;
	if (strict && !is_coded(ctx, i) && ctx->dev->role == FW_ROLE_DECODE)
		p->width = q->bpl;
	else if (strict && !is_coded(ctx, i))
		p->width = q->width;
	p->height = q->height;
	p->pixelformat = q->fmt->fourcc;
	p->field = q->field;
	p->num_planes = 1;
	p->plane_fmt[0].sizeimage = q->size;
	p->plane_fmt[0].bytesperline = q->bpl;
	p->colorspace = ctx->colorspace;
	p->xfer_func = ctx->xfer;
	p->ycbcr_enc = ctx->ycbcr;
	p->quantization = ctx->quant;
	return 0;
}

static int try_fmt(struct twin_ctx *ctx, struct v4l2_format *f, int i)
{
	struct v4l2_pix_format_mplane *p = &f->fmt.pix_mp;
	const struct twin_fmt *fmt = find_fmt(ctx, i, p->pixelformat);
	u32 bpl, size, asked_size = p->plane_fmt[0].sizeimage;

	if (!fmt) {
		fmt = is_coded(ctx, i) ? &h264_fmt : &raw_fmts[0];
		p->pixelformat = fmt->fourcc;
	}
	p->width = min(p->width, max_size);
	p->height = min(p->height, max_size);
	if (fmt->bpp) {
		p->width = max_t(u32, p->width, MIN_SIZE);
		p->height = max_t(u32, p->height, MIN_SIZE);
		if (ctx->dev->role == FW_ROLE_DECODE)
			p->height = min(ALIGN(p->height, 16), ALIGN(max_size, 16));
	}
	p->num_planes = 1;
	p->flags = 0;
	memset(p->reserved, 0, sizeof(p->reserved));
	bpl = p->plane_fmt[0].bytesperline;
	memset(&p->plane_fmt[0], 0, sizeof(p->plane_fmt[0]));
	if (fmt->bpp) {
		bpl = max(bpl, min_bpl(ctx, p->width, fmt));
		bpl = min(bpl, 4 * ALIGN(max_size, 64));
		p->plane_fmt[0].bytesperline = ALIGN(bpl, fmt->align[ctx->dev->role]);
		if (strict && ctx->dev->role == FW_ROLE_DECODE)
			p->width = p->plane_fmt[0].bytesperline;
	}
	size = min_size(p->plane_fmt[0].bytesperline, p->width, p->height, fmt);
	if (!fmt->bpp)
		size = clamp(asked_size, size, 16u << 20);
	p->plane_fmt[0].sizeimage = size;
	if (ctx->dev->role == FW_ROLE_DECODE && (p->field == V4L2_FIELD_INTERLACED_TB || p->field == V4L2_FIELD_INTERLACED_BT ||
						 p->field == V4L2_FIELD_INTERLACED))
		;
	else
		p->field = V4L2_FIELD_NONE;
	return 0;
}

static int try_fmt_cap(struct file *file, void *priv, struct v4l2_format *f)
{
	struct twin_ctx *ctx = file2ctx(file);

	/* Colour on CAPTURE is the driver's to say. */
	f->fmt.pix_mp.colorspace = ctx->colorspace;
	f->fmt.pix_mp.xfer_func = ctx->xfer;
	f->fmt.pix_mp.ycbcr_enc = ctx->ycbcr;
	f->fmt.pix_mp.quantization = ctx->quant;
	return try_fmt(ctx, f, DST);
}

static int try_fmt_out(struct file *file, void *priv, struct v4l2_format *f)
{
	struct twin_ctx *ctx = file2ctx(file);

	if (!f->fmt.pix_mp.colorspace)
		f->fmt.pix_mp.colorspace = ctx->colorspace;
	return try_fmt(ctx, f, SRC);
}

static int s_fmt(struct twin_ctx *ctx, struct v4l2_format *f, int i, u32 asked_h)
{
	struct v4l2_pix_format_mplane *p = &f->fmt.pix_mp;
	struct twin_q *q = &ctx->q[i], *d = &ctx->q[DST];

	if (vb2_is_busy(v4l2_m2m_get_vq(ctx->fh.m2m_ctx, f->type)))
		return -EBUSY;
	mutex_lock(&ctx->fw_lock);
	q->fmt = find_fmt(ctx, i, p->pixelformat);
	if (!(strict && ctx->dev->role == FW_ROLE_DECODE && i == DST)) {	/* The visible size is the stream's. */
		q->crop_w = p->width;
		if (strict && ctx->dev->role == FW_ROLE_ENCODE) {
			q->selection_set = false;
			asked_h = p->height;
		}
		if (!q->selection_set || is_coded(ctx, i))
			q->crop_h = min(asked_h ?: p->height, p->height);
	}
	q->width = p->width;
	q->height = p->height;
	q->bpl = p->plane_fmt[0].bytesperline;
	q->size = p->plane_fmt[0].sizeimage;
	q->field = p->field;
	if (i == SRC) {
		ctx->colorspace = p->colorspace;
		ctx->xfer = p->xfer_func;
		ctx->ycbcr = p->ycbcr_enc;
		ctx->quant = p->quantization;
	}
	if (ctx->dev->role == FW_ROLE_DECODE && i == SRC && q->crop_w && q->height) {
		/* A size on OUTPUT is copied to CAPTURE. */
		d->crop_w = q->crop_w;
		d->crop_h = q->crop_h;
		d->height = ALIGN(q->crop_h, 16);
		d->bpl = min_bpl(ctx, q->crop_w, d->fmt);
		d->size = min_size(d->bpl, d->crop_w, d->height, d->fmt);
	}
	if (ctx->dev->role == FW_ROLE_ENCODE && i == SRC) {
		/* The coded side follows. */
		d->crop_w = q->crop_w;
		d->crop_h = q->crop_h;
		d->height = q->height;
		d->size = max(d->size, min_size(0, d->crop_w, d->height, d->fmt));
	}
	mutex_unlock(&ctx->fw_lock);
	return 0;
}

static int s_fmt_cap(struct file *file, void *priv, struct v4l2_format *f)
{
	u32 h = f->fmt.pix_mp.height;

	return try_fmt_cap(file, priv, f) ?: s_fmt(file2ctx(file), f, DST, h);
}

static int s_fmt_out(struct file *file, void *priv, struct v4l2_format *f)
{
	u32 h = f->fmt.pix_mp.height;

	return try_fmt_out(file, priv, f) ?: s_fmt(file2ctx(file), f, SRC, h);
}

static int g_selection(struct file *file, void *priv, struct v4l2_selection *s)
{
	struct twin_ctx *ctx = file2ctx(file);
	bool dec = ctx->dev->role == FW_ROLE_DECODE;
	struct twin_q *q = &ctx->q[dec ? DST : SRC];

	if (s->type != (dec ? V4L2_BUF_TYPE_VIDEO_CAPTURE : V4L2_BUF_TYPE_VIDEO_OUTPUT))
		return -EINVAL;
	s->r.left = s->r.top = 0;
	s->r.width = q->crop_w;
	s->r.height = q->crop_h;
	switch (s->target) {
	case V4L2_SEL_TGT_COMPOSE:
	case V4L2_SEL_TGT_COMPOSE_DEFAULT:
	case V4L2_SEL_TGT_COMPOSE_BOUNDS:
		if (!dec)
			return -EINVAL;
		if (strict && s->target == V4L2_SEL_TGT_COMPOSE_BOUNDS) {
			s->r.width = q->bpl;
			s->r.height = q->height;
		}
		return 0;
	case V4L2_SEL_TGT_CROP:
		return dec ? -EINVAL : 0;
	case V4L2_SEL_TGT_CROP_BOUNDS:
	case V4L2_SEL_TGT_CROP_DEFAULT:
		s->r.width = q->fmt->planar ? q->bpl : q->bpl * 8 / q->fmt->bpp;
		s->r.height = q->height;
		if (strict && !dec)
			s->r.width = q->width;
		return 0;
	}
	return -EINVAL;
}

static int s_selection(struct file *file, void *priv, struct v4l2_selection *s)
{
	struct twin_ctx *ctx = file2ctx(file);
	bool dec = ctx->dev->role == FW_ROLE_DECODE;
	struct twin_q *q = &ctx->q[dec ? DST : SRC];

	if (s->type != (dec ? V4L2_BUF_TYPE_VIDEO_CAPTURE : V4L2_BUF_TYPE_VIDEO_OUTPUT) ||
	    s->target != (dec ? V4L2_SEL_TGT_COMPOSE : V4L2_SEL_TGT_CROP))
		return -EINVAL;
	if (strict && dec) {		/* The visible rectangle is the stream's. */
		s->r.left = s->r.top = 0;
		s->r.width = q->crop_w;
		s->r.height = q->crop_h;
		return 0;
	}
	s->r.left = s->r.top = 0;
	s->r.width = q->crop_w = min(s->r.width, strict ? q->width : q->crop_w);
	s->r.height = q->crop_h = min(s->r.height, q->height);
	q->selection_set = true;
	return 0;
}

static int g_parm(struct file *file, void *priv, struct v4l2_streamparm *a)
{
	struct twin_ctx *ctx = file2ctx(file);

	if (a->type != V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE)
		return -EINVAL;
	a->parm.output.capability = V4L2_CAP_TIMEPERFRAME;
	a->parm.output.timeperframe = ctx->tpf;
	return 0;
}

static int s_parm(struct file *file, void *priv, struct v4l2_streamparm *a)
{
	struct twin_ctx *ctx = file2ctx(file);

	if (a->type != V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE)
		return -EINVAL;
	if (!a->parm.output.timeperframe.numerator || !a->parm.output.timeperframe.denominator) {
		if (!strict)
			return -EINVAL;
		a->parm.output.timeperframe = ctx->tpf;
	}
	ctx->tpf = a->parm.output.timeperframe;
	a->parm.output.capability = V4L2_CAP_TIMEPERFRAME;
	return 0;
}

static int g_pixelaspect(struct file *file, void *priv, int type, struct v4l2_fract *f)
{
	struct twin_ctx *ctx = file2ctx(file);

	if (ctx->dev->role != FW_ROLE_DECODE)
		return -ENOIOCTLCMD;
	if (type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
		return -EINVAL;
	*f = ctx->q[DST].par;
	return 0;
}

static int subscribe_event(struct v4l2_fh *fh, const struct v4l2_event_subscription *sub)
{
	struct twin_ctx *ctx = container_of(fh, struct twin_ctx, fh);

	switch (sub->type) {
	case V4L2_EVENT_EOS:
		return v4l2_event_subscribe(fh, sub, 2, NULL);
	case V4L2_EVENT_SOURCE_CHANGE:
		if (strict && ctx->dev->role != FW_ROLE_DECODE)
			return -EINVAL;
		return v4l2_src_change_event_subscribe(fh, sub);
	default:
		return v4l2_ctrl_subscribe_event(fh, sub);
	}
}

/* CMD_STOP of either kind is an empty input buffer with the EOS flag. */
static int cmd_stop(struct twin_ctx *ctx)
{
	struct fw_msg m = { .type = FW_DATA, .index = -1, .flags = FW_F_EOS };

	mutex_lock(&ctx->fw_lock);
	if (strict) {
		if (ctx->draining || !vb2_is_streaming(v4l2_m2m_get_src_vq(ctx->fh.m2m_ctx)))
			goto out;
		ctx->draining = true;
	} else {
		if (ctx->eos_in_use)
			pr_err(NAME ": EOS buffers already in use\n");
		ctx->eos_in_use = true;
	}
	if (ctx->component && ctx->enabled[SRC])
		fw_post(ctx, &m, NULL);
out:
	mutex_unlock(&ctx->fw_lock);
	return 0;
}

static void cmd_start(struct twin_ctx *ctx)
{
	struct fw_msg m = { .type = FW_START };

	vb2_clear_last_buffer_dequeued(v4l2_m2m_get_dst_vq(ctx->fh.m2m_ctx));
	if (!strict && !start_resumes)
		return;			/* The Pi: nothing restarts the firmware. */
	mutex_lock(&ctx->fw_lock);
	fw_post(ctx, &m, NULL);
	mutex_unlock(&ctx->fw_lock);
}

static int try_decoder_cmd(struct file *file, void *priv, struct v4l2_decoder_cmd *c)
{
	if (strict)
		return v4l2_m2m_ioctl_try_decoder_cmd(file, priv, c);
	if (c->cmd == V4L2_DEC_CMD_STOP && c->flags & V4L2_DEC_CMD_STOP_TO_BLACK)
		return -EINVAL;
	return c->cmd == V4L2_DEC_CMD_STOP || c->cmd == V4L2_DEC_CMD_START ? 0 : -EINVAL;
}

static int decoder_cmd(struct file *file, void *priv, struct v4l2_decoder_cmd *c)
{
	struct twin_ctx *ctx = file2ctx(file);
	int ret = try_decoder_cmd(file, priv, c);

	if (ret)
		return ret;
	dbg(1, ctx, "DECODER_CMD %s", c->cmd == V4L2_DEC_CMD_STOP ? "STOP" : "START");
	if (c->cmd == V4L2_DEC_CMD_STOP)
		return cmd_stop(ctx);
	if (strict && ctx->draining)
		return -EBUSY;
	cmd_start(ctx);
	return 0;
}

static int try_encoder_cmd(struct file *file, void *priv, struct v4l2_encoder_cmd *c)
{
	if (strict)
		return v4l2_m2m_ioctl_try_encoder_cmd(file, priv, c);
	return c->cmd == V4L2_ENC_CMD_STOP || c->cmd == V4L2_ENC_CMD_START ? 0 : -EINVAL;
}

static int encoder_cmd(struct file *file, void *priv, struct v4l2_encoder_cmd *c)
{
	struct twin_ctx *ctx = file2ctx(file);
	int ret = try_encoder_cmd(file, priv, c);

	if (ret)
		return ret;
	dbg(1, ctx, "ENCODER_CMD %s", c->cmd == V4L2_ENC_CMD_STOP ? "STOP" : "START");
	if (c->cmd == V4L2_ENC_CMD_STOP)
		return cmd_stop(ctx);
	if (strict) {
		if (ctx->draining)
			return -EBUSY;
		cmd_start(ctx);
	}
	return 0;
}

static int enum_framesizes(struct file *file, void *priv, struct v4l2_frmsizeenum *f)
{
	struct twin_ctx *ctx = file2ctx(file);

	if (f->index || (!find_fmt(ctx, SRC, f->pixel_format) && !find_fmt(ctx, DST, f->pixel_format)))
		return -EINVAL;
	f->type = V4L2_FRMSIZE_TYPE_STEPWISE;
	f->stepwise.min_width = f->stepwise.min_height = MIN_SIZE;
	f->stepwise.max_width = f->stepwise.max_height = max_size;
	f->stepwise.step_width = f->stepwise.step_height = 2;
	return 0;
}

static int reqbufs(struct file *file, void *priv, struct v4l2_requestbuffers *rb)
{
	struct twin_ctx *ctx = file2ctx(file);

	if (!rb->count && V4L2_TYPE_IS_CAPTURE(rb->type))
		check_held(ctx, "REQBUFS(0)");
	return v4l2_m2m_ioctl_reqbufs(file, priv, rb);
}

/*
 * The calls that `fail` may name: each is made as always, or answered otherwise.
 */
#define FAILS(call, name, type, arg, queue) \
static int failing_##name(struct file *file, void *priv, type arg) \
{ \
	int answer = fail_now(video_drvdata(file), call, queue); \
\
	return answer < 0 ? answer : fail_made(video_drvdata(file), call, queue, name(file, priv, arg)); \
}

FAILS("QBUF", v4l2_m2m_ioctl_qbuf, struct v4l2_buffer *, b, queue_of(b->type))
FAILS("DQBUF", v4l2_m2m_ioctl_dqbuf, struct v4l2_buffer *, b, queue_of(b->type))
FAILS("EXPBUF", v4l2_m2m_ioctl_expbuf, struct v4l2_exportbuffer *, e, queue_of(e->type))
FAILS("STREAMON", v4l2_m2m_ioctl_streamon, enum v4l2_buf_type, type, queue_of(type))
FAILS("STREAMOFF", v4l2_m2m_ioctl_streamoff, enum v4l2_buf_type, type, queue_of(type))
FAILS("DECODER_CMD", decoder_cmd, struct v4l2_decoder_cmd *, c, -1)

static int failing_reqbufs(struct file *file, void *priv, struct v4l2_requestbuffers *rb)
{
	/* Giving buffers back is another matter. */
	int answer = rb->count ? fail_now(video_drvdata(file), "REQBUFS", queue_of(rb->type)) : 0;

	if (answer < 0)
		return answer;
	if (answer == FAIL_NONE) {
		rb->count = 0;
		return 0;
	}
	if (answer == FAIL_FEW)
		rb->count = 1;
	if (!rb->count)
		return reqbufs(file, priv, rb);
	return fail_made(video_drvdata(file), "REQBUFS", queue_of(rb->type), reqbufs(file, priv, rb));
}

static int failing_s_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	int i = queue_of(f->type), answer = fail_now(video_drvdata(file), "S_FMT", i);
	struct v4l2_pix_format_mplane *p = &f->fmt.pix_mp;

	if (answer < 0)
		return answer;
	if (answer == FAIL_IGNORED)
		return 0;
	if (answer == FAIL_OTHER && i == SRC) {
		p->pixelformat = V4L2_PIX_FMT_MPEG2;
		return 0;
	}
	if (answer == FAIL_OTHER)
		p->pixelformat = V4L2_PIX_FMT_YVU420;
	return fail_made(video_drvdata(file), "S_FMT", i, i == SRC ? s_fmt_out(file, priv, f) : s_fmt_cap(file, priv, f));
}

static int failing_g_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	int i = queue_of(f->type), answer = fail_now(video_drvdata(file), "G_FMT", i);
	int ret;

	if (answer < 0)
		return answer;
	ret = fail_made(video_drvdata(file), "G_FMT", i, g_fmt(file2ctx(file), f, i));
	if (answer == FAIL_ABSURD)
		f->fmt.pix_mp.width = f->fmt.pix_mp.height = INT_MAX;
	return ret;
}

static int failing_subscribe(struct v4l2_fh *fh, const struct v4l2_event_subscription *sub)
{
	struct twin_dev *dev = container_of(fh, struct twin_ctx, fh)->dev;
	int answer = fail_now(dev, "SUBSCRIBE_EVENT", -1);

	return answer < 0 ? answer : fail_made(dev, "SUBSCRIBE_EVENT", -1, subscribe_event(fh, sub));
}

static const struct v4l2_ioctl_ops ioctl_ops = {
	.vidioc_querycap = querycap,
	.vidioc_enum_fmt_vid_cap = enum_fmt_cap,
	.vidioc_g_fmt_vid_cap_mplane = failing_g_fmt,
	.vidioc_try_fmt_vid_cap_mplane = try_fmt_cap,
	.vidioc_s_fmt_vid_cap_mplane = failing_s_fmt,
	.vidioc_enum_fmt_vid_out = enum_fmt_out,
	.vidioc_g_fmt_vid_out_mplane = failing_g_fmt,
	.vidioc_try_fmt_vid_out_mplane = try_fmt_out,
	.vidioc_s_fmt_vid_out_mplane = failing_s_fmt,
	.vidioc_reqbufs = failing_reqbufs,
	.vidioc_querybuf = v4l2_m2m_ioctl_querybuf,
	.vidioc_qbuf = failing_v4l2_m2m_ioctl_qbuf,
	.vidioc_dqbuf = failing_v4l2_m2m_ioctl_dqbuf,
	.vidioc_prepare_buf = v4l2_m2m_ioctl_prepare_buf,
	.vidioc_create_bufs = v4l2_m2m_ioctl_create_bufs,
	.vidioc_expbuf = failing_v4l2_m2m_ioctl_expbuf,
	.vidioc_streamon = failing_v4l2_m2m_ioctl_streamon,
	.vidioc_streamoff = failing_v4l2_m2m_ioctl_streamoff,
	.vidioc_g_selection = g_selection,
	.vidioc_s_selection = s_selection,
	.vidioc_g_parm = g_parm,
	.vidioc_s_parm = s_parm,
	.vidioc_g_pixelaspect = g_pixelaspect,
	.vidioc_subscribe_event = failing_subscribe,
	.vidioc_unsubscribe_event = v4l2_event_unsubscribe,
	.vidioc_decoder_cmd = failing_decoder_cmd,
	.vidioc_try_decoder_cmd = try_decoder_cmd,
	.vidioc_encoder_cmd = encoder_cmd,
	.vidioc_try_encoder_cmd = try_encoder_cmd,
	.vidioc_enum_framesizes = enum_framesizes,
};

/* ---------------------------------------------------------------- queues */

static int queue_setup(struct vb2_queue *vq, unsigned int *nbufs, unsigned int *nplanes, unsigned int sizes[],
		       struct device *alloc_devs[])
{
	struct twin_ctx *ctx = vb2_get_drv_priv(vq);
	struct twin_q *q = &ctx->q[V4L2_TYPE_IS_OUTPUT(vq->type) ? SRC : DST];

	if (fw_create(ctx))
		return -EINVAL;
	if (*nplanes)
		return sizes[0] < q->size ? -EINVAL : 0;
	*nplanes = 1;
	sizes[0] = q->size;
	if (V4L2_TYPE_IS_CAPTURE(vq->type))
		*nbufs = max(*nbufs, min_capture);
	return 0;
}

static int buf_init(struct vb2_buffer *vb)
{
	struct twin_buf *b = container_of(to_vb2_v4l2_buffer(vb), struct twin_buf, m2m.vb);

	INIT_LIST_HEAD(&b->list);
	return 0;
}

static int buf_out_validate(struct vb2_buffer *vb)
{
	struct vb2_v4l2_buffer *v = to_vb2_v4l2_buffer(vb);

	if (v->field == V4L2_FIELD_ANY || strict)
		v->field = V4L2_FIELD_NONE;
	return 0;
}

static int buf_prepare(struct vb2_buffer *vb)
{
	struct twin_ctx *ctx = vb2_get_drv_priv(vb->vb2_queue);
	bool out = V4L2_TYPE_IS_OUTPUT(vb->type);
	struct twin_q *q = &ctx->q[out ? SRC : DST];

	/*
	 * The Pi's driver wants the whole sizeimage on OUTPUT as well, and the new size on CAPTURE from a source change on:
	 * QBUF of an old buffer is EINVAL then.
	 */
	if (vb2_plane_size(vb, 0) < q->size && !(strict && (out || vb2_is_streaming(vb->vb2_queue))))
		return -EINVAL;
	if (!out)
		vb2_set_plane_payload(vb, 0, min_t(u32, q->size, vb2_plane_size(vb, 0)));
	return 0;
}

static void buf_queue(struct vb2_buffer *vb)
{
	struct twin_ctx *ctx = vb2_get_drv_priv(vb->vb2_queue);

	v4l2_m2m_buf_queue(ctx->fh.m2m_ctx, to_vb2_v4l2_buffer(vb));
}

static int start_streaming(struct vb2_queue *vq, unsigned int count)
{
	struct twin_ctx *ctx = vb2_get_drv_priv(vq);
	int i = V4L2_TYPE_IS_OUTPUT(vq->type) ? SRC : DST;

	dbg(1, ctx, "STREAMON %s", i == SRC ? "OUTPUT" : "CAPTURE");
	mutex_lock(&ctx->fw_lock);
	ctx->q[i].sequence = 0;
	ctx->enabled[i] = true;
	if (i == SRC) {
		ctx->eos_in_use = false;
		ctx->draining = false;
	} else {
		ctx->change_pending = false;
	}
	fw_post_enable(ctx, i == SRC ? FW_IN_ENABLE : FW_OUT_ENABLE);
	mutex_unlock(&ctx->fw_lock);
	return 0;
}

static void stop_streaming(struct vb2_queue *vq)
{
	struct twin_ctx *ctx = vb2_get_drv_priv(vq);
	int i = V4L2_TYPE_IS_OUTPUT(vq->type) ? SRC : DST;
	struct vb2_v4l2_buffer *v;

	dbg(1, ctx, "STREAMOFF %s", i == SRC ? "OUTPUT" : "CAPTURE");
	if (i == DST)
		check_held(ctx, "STREAMOFF");
	while ((v = i == SRC ? v4l2_m2m_src_buf_remove(ctx->fh.m2m_ctx) : v4l2_m2m_dst_buf_remove(ctx->fh.m2m_ctx)))
		v4l2_m2m_buf_done(v, VB2_BUF_STATE_ERROR);
	fw_disable(ctx, i);
	if (i == DST)
		ctx->change_pending = false;
	else
		ctx->draining = false;
}

static const struct vb2_ops qops = {
	.queue_setup = queue_setup,
	.buf_init = buf_init,
	.buf_out_validate = buf_out_validate,
	.buf_prepare = buf_prepare,
	.buf_queue = buf_queue,
	.start_streaming = start_streaming,
	.stop_streaming = stop_streaming,
};

static int queue_init(void *priv, struct vb2_queue *src, struct vb2_queue *dst)
{
	struct twin_ctx *ctx = priv;
	struct vb2_queue *q[2] = { src, dst };
	int i, ret;

	for (i = 0; i < 2; i++) {
		q[i]->type = i == SRC ? V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
		q[i]->io_modes = VB2_MMAP | VB2_DMABUF;
		q[i]->drv_priv = ctx;
		q[i]->buf_struct_size = sizeof(struct twin_buf);
		q[i]->ops = &qops;
		q[i]->mem_ops = contig ? &contig_ops : &vmalloc_ops;
		q[i]->dev = ctx->dev->drv->dev;
		q[i]->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_COPY;
		q[i]->lock = &ctx->dev->mutex;
		ret = vb2_queue_init(q[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int job_ready(void *priv)
{
	struct twin_ctx *ctx = priv;

	if (v4l2_m2m_num_src_bufs_ready(ctx->fh.m2m_ctx) && vb2_is_streaming(v4l2_m2m_get_src_vq(ctx->fh.m2m_ctx)))
		return 1;
	return v4l2_m2m_num_dst_bufs_ready(ctx->fh.m2m_ctx) && vb2_is_streaming(v4l2_m2m_get_dst_vq(ctx->fh.m2m_ctx));
}

/* Any buffer that is ready goes to the firmware at once; the queues run on their own. */
static void device_run(void *priv)
{
	struct twin_ctx *ctx = priv;
	struct vb2_v4l2_buffer *v;
	struct twin_buf *b;

	mutex_lock(&ctx->fw_lock);
	if (vb2_is_streaming(v4l2_m2m_get_src_vq(ctx->fh.m2m_ctx)) && (v = v4l2_m2m_src_buf_remove(ctx->fh.m2m_ctx))) {
		struct fw_msg m = { .type = FW_DATA, .index = v->vb2_buf.index };

		m.length = vb2_get_plane_payload(&v->vb2_buf, 0);
		m.pad = min_t(u32, v->vb2_buf.planes[0].data_offset, m.length);
		m.length -= m.pad;
		m.pts = div_s64(v->vb2_buf.timestamp, 1000);
		if (v->flags & V4L2_BUF_FLAG_KEYFRAME)
			m.flags |= FW_F_KEYFRAME;
		if (!m.length || v->flags & V4L2_BUF_FLAG_LAST)
			m.flags |= FW_F_EOS;
		b = container_of(v, struct twin_buf, m2m.vb);
		list_add_tail(&b->list, &ctx->with_fw[SRC]);
		ctx->meta[ctx->n_in % ARRAY_SIZE(ctx->meta)].pts = m.pts;
		ctx->meta[ctx->n_in % ARRAY_SIZE(ctx->meta)].flags = v->flags;
		ctx->meta[ctx->n_in % ARRAY_SIZE(ctx->meta)].tc = v->timecode;
		ctx->n_in++;
		dbg(2, ctx, "in %u: buffer %u, %u bytes, pts %lld", ctx->n_in, m.index, m.length, m.pts);
		fw_post(ctx, &m, b);
	}
	if (vb2_is_streaming(v4l2_m2m_get_dst_vq(ctx->fh.m2m_ctx)) && (v = v4l2_m2m_dst_buf_remove(ctx->fh.m2m_ctx))) {
		struct fw_msg m = { .type = FW_BUF, .index = v->vb2_buf.index, .size = vb2_plane_size(&v->vb2_buf, 0) };

		b = container_of(v, struct twin_buf, m2m.vb);
		list_add_tail(&b->list, &ctx->with_fw[DST]);
		fw_post(ctx, &m, NULL);
		strict_last(ctx);
	}
	mutex_unlock(&ctx->fw_lock);
	v4l2_m2m_job_finish(ctx->dev->m2m, ctx->fh.m2m_ctx);
}

static const struct v4l2_m2m_ops m2m_ops = { .device_run = device_run, .job_ready = job_ready };

/* ---------------------------------------------------------------- controls */

static int s_ctrl(struct v4l2_ctrl *c)
{
	struct twin_ctx *ctx = container_of(c->handler, struct twin_ctx, hdl);
	struct fw_enc *e = &ctx->enc;
	struct fw_msg m = { .type = FW_PARAM };
	/* Ten times the level, by V4L2's menu; 9 is 1b. */
	static const u8 levels[] = { 10, 9, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51 };

	e->force_key = 0;
	switch (c->id) {
	case V4L2_CID_MPEG_VIDEO_BITRATE:
		e->bitrate = c->val;
		break;
	case V4L2_CID_MPEG_VIDEO_BITRATE_MODE:
		e->cbr = c->val == V4L2_MPEG_VIDEO_BITRATE_MODE_CBR;
		break;
	case V4L2_CID_MPEG_VIDEO_GOP_SIZE:
	case V4L2_CID_MPEG_VIDEO_H264_I_PERIOD:
		e->gop = c->val;
		break;
	case V4L2_CID_MPEG_VIDEO_H264_PROFILE:
		e->profile = c->val;
		break;
	case V4L2_CID_MPEG_VIDEO_H264_LEVEL:
		e->level = c->val < ARRAY_SIZE(levels) ? levels[c->val] : 40;
		break;
	case V4L2_CID_MPEG_VIDEO_H264_MIN_QP:
		e->min_qp = c->val;
		break;
	case V4L2_CID_MPEG_VIDEO_H264_MAX_QP:
		e->max_qp = c->val;
		break;
	case V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER:
		e->repeat_headers = c->val;
		break;
	case V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME:
		e->force_key = 1;
		break;
	default:
		/* Accepted, and without effect on the encoder. */
		return 0;
	}
	if (ctx->dev->role == FW_ROLE_ENCODE && ctx->component) {
		mutex_lock(&ctx->fw_lock);
		m.enc = *e;
		m.enc.fps_num = ctx->tpf.denominator;
		m.enc.fps_den = ctx->tpf.numerator;
		fw_post(ctx, &m, NULL);
		mutex_unlock(&ctx->fw_lock);
	}
	return 0;
}

static const struct v4l2_ctrl_ops ctrl_ops = { .s_ctrl = s_ctrl };

static void add_profiles(struct v4l2_ctrl_handler *h)
{
	v4l2_ctrl_new_std_menu(h, &ctrl_ops, V4L2_CID_MPEG_VIDEO_H264_LEVEL, V4L2_MPEG_VIDEO_H264_LEVEL_5_1, 0,
			       V4L2_MPEG_VIDEO_H264_LEVEL_4_0);
	v4l2_ctrl_new_std_menu(h, &ctrl_ops, V4L2_CID_MPEG_VIDEO_H264_PROFILE, V4L2_MPEG_VIDEO_H264_PROFILE_HIGH,
			       ~(BIT(V4L2_MPEG_VIDEO_H264_PROFILE_BASELINE) |
				 BIT(V4L2_MPEG_VIDEO_H264_PROFILE_CONSTRAINED_BASELINE) |
				 BIT(V4L2_MPEG_VIDEO_H264_PROFILE_MAIN) | BIT(V4L2_MPEG_VIDEO_H264_PROFILE_HIGH)),
			       V4L2_MPEG_VIDEO_H264_PROFILE_HIGH);
}

static int init_ctrls(struct twin_ctx *ctx)
{
	struct v4l2_ctrl_handler *h = &ctx->hdl;

	v4l2_ctrl_handler_init(h, 14);
	if (ctx->dev->role == FW_ROLE_DECODE) {
		v4l2_ctrl_new_std(h, &ctrl_ops, V4L2_CID_MIN_BUFFERS_FOR_CAPTURE, 1, strict ? 32 : 1, 1, 1);
		add_profiles(h);
	} else {
		v4l2_ctrl_new_std_menu(h, &ctrl_ops, V4L2_CID_MPEG_VIDEO_BITRATE_MODE, V4L2_MPEG_VIDEO_BITRATE_MODE_CBR, 0,
				       V4L2_MPEG_VIDEO_BITRATE_MODE_VBR);
		v4l2_ctrl_new_std(h, &ctrl_ops, V4L2_CID_MPEG_VIDEO_BITRATE, 25000, 25000000, 25000, 10000000);
		v4l2_ctrl_new_std_menu(h, &ctrl_ops, V4L2_CID_MPEG_VIDEO_HEADER_MODE,
				       V4L2_MPEG_VIDEO_HEADER_MODE_JOINED_WITH_1ST_FRAME, 0,
				       V4L2_MPEG_VIDEO_HEADER_MODE_JOINED_WITH_1ST_FRAME);
		v4l2_ctrl_new_std(h, &ctrl_ops, V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER, 0, 1, 1, 0);
		v4l2_ctrl_new_std(h, &ctrl_ops, V4L2_CID_MPEG_VIDEO_H264_I_PERIOD, 0, 0x7fffffff, 1, 60);
		v4l2_ctrl_new_std(h, &ctrl_ops, V4L2_CID_MPEG_VIDEO_GOP_SIZE, 0, 0x7fffffff, 1, 60);
		v4l2_ctrl_new_std(h, &ctrl_ops, V4L2_CID_MPEG_VIDEO_H264_MIN_QP, 0, 51, 1, 20);
		v4l2_ctrl_new_std(h, &ctrl_ops, V4L2_CID_MPEG_VIDEO_H264_MAX_QP, 0, 51, 1, 51);
		v4l2_ctrl_new_std(h, &ctrl_ops, V4L2_CID_MPEG_VIDEO_B_FRAMES, 0, 0, 1, 0);
		v4l2_ctrl_new_std(h, &ctrl_ops, V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, 0, 0, 0, 0);
		if (strict)
			v4l2_ctrl_new_std(h, &ctrl_ops, V4L2_CID_MIN_BUFFERS_FOR_OUTPUT, 1, 1, 1, 1);
		add_profiles(h);
	}
	if (h->error)
		return h->error;
	ctx->fh.ctrl_handler = h;
	return v4l2_ctrl_handler_setup(h);
}

/* ---------------------------------------------------------------- files, devices */

static void drv_free(struct kref *ref)
{
	struct twin_drv *drv = container_of(ref, struct twin_drv, ref);

	media_device_cleanup(&drv->mdev);
	kfree(drv);
}

static int twin_open(struct file *file)
{
	struct twin_dev *dev = video_drvdata(file);
	struct twin_ctx *ctx;
	int i, ret;

	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	kref_init(&ctx->ref);
	mutex_init(&ctx->fw_lock);
	INIT_LIST_HEAD(&ctx->msgs);
	INIT_LIST_HEAD(&ctx->with_fw[SRC]);
	INIT_LIST_HEAD(&ctx->with_fw[DST]);
	init_waitqueue_head(&ctx->wq);
	init_completion(&ctx->bound);
	init_completion(&ctx->acked);
	ctx->dev = dev;
	ctx->colorspace = V4L2_COLORSPACE_REC709;
	ctx->tpf.numerator = 1;
	ctx->tpf.denominator = 30;
	for (i = 0; i < 2; i++) {
		struct twin_q *q = &ctx->q[i];

		q->fmt = is_coded(ctx, i) ? &h264_fmt : &raw_fmts[0];
		q->width = q->crop_w = q->crop_h = q->height = MIN_SIZE;
		q->bpl = min_bpl(ctx, MIN_SIZE, q->fmt);
		q->size = min_size(q->bpl, MIN_SIZE, MIN_SIZE, q->fmt);
		q->field = V4L2_FIELD_NONE;
		q->par.numerator = q->par.denominator = 1;
	}
	v4l2_fh_init(&ctx->fh, &dev->vfd);
	ret = init_ctrls(ctx);
	if (ret)
		goto err;
	ctx->fh.m2m_ctx = v4l2_m2m_ctx_init(dev->m2m, ctx, queue_init);
	if (IS_ERR(ctx->fh.m2m_ctx)) {
		ret = PTR_ERR(ctx->fh.m2m_ctx);
		goto err;
	}
	v4l2_m2m_set_src_buffered(ctx->fh.m2m_ctx, true);
	v4l2_m2m_set_dst_buffered(ctx->fh.m2m_ctx, true);
	/* Packets go to the firmware before CAPTURE streams: that is how the first SOURCE_CHANGE comes. */
	ctx->fh.m2m_ctx->ignore_cap_streaming = true;
	kref_get(&dev->drv->ref);
	v4l2_fh_add(&ctx->fh, file);
	return 0;
err:
	v4l2_ctrl_handler_free(&ctx->hdl);
	v4l2_fh_exit(&ctx->fh);
	kfree(ctx);
	return ret;
}

static int twin_release(struct file *file)
{
	struct twin_ctx *ctx = file2ctx(file);
	struct twin_drv *drv = ctx->dev->drv;

	mutex_lock(&ctx->dev->mutex);
	v4l2_m2m_ctx_release(ctx->fh.m2m_ctx);
	fw_destroy(ctx);
	mutex_unlock(&ctx->dev->mutex);
	v4l2_fh_del(&ctx->fh, file);
	v4l2_fh_exit(&ctx->fh);
	v4l2_ctrl_handler_free(&ctx->hdl);
	kref_put(&ctx->ref, ctx_free);
	kref_put(&drv->ref, drv_free);
	return 0;
}

static const struct v4l2_file_operations twin_fops = {
	.owner = THIS_MODULE,
	.open = twin_open,
	.release = twin_release,
	.poll = v4l2_m2m_fop_poll,
	.unlocked_ioctl = video_ioctl2,
	.mmap = v4l2_m2m_fop_mmap,
};

static void node_release(struct v4l2_device *v)
{
	struct twin_dev *dev = container_of(v, struct twin_dev, v4l2);

	v4l2_device_unregister(v);
	v4l2_m2m_release(dev->m2m);
	kref_put(&dev->drv->ref, drv_free);
}

static void node_remove(struct twin_dev *dev)
{
	if (!dev->registered)
		return;
	dev->registered = false;
	v4l2_m2m_unregister_media_controller(dev->m2m);
	video_unregister_device(&dev->vfd);
	v4l2_device_put(&dev->v4l2);
}

static int node_add(struct twin_drv *drv, int role)
{
	struct twin_dev *dev = &drv->node[role];
	struct video_device *vfd = &dev->vfd;
	int ret;

	dev->drv = drv;
	dev->role = role;
	mutex_init(&dev->mutex);
	ret = v4l2_device_register(drv->dev, &dev->v4l2);
	if (ret)
		return ret;
	dev->m2m = v4l2_m2m_init(&m2m_ops);
	if (IS_ERR(dev->m2m)) {
		v4l2_device_unregister(&dev->v4l2);
		return PTR_ERR(dev->m2m);
	}
	dev->v4l2.mdev = &drv->mdev;
	strscpy(vfd->name, role == FW_ROLE_DECODE ? NAME "-decode" : NAME "-encode", sizeof(vfd->name));
	vfd->vfl_dir = VFL_DIR_M2M;
	vfd->fops = &twin_fops;
	vfd->ioctl_ops = &ioctl_ops;
	vfd->minor = -1;
	vfd->release = video_device_release_empty;
	vfd->lock = &dev->mutex;
	vfd->v4l2_dev = &dev->v4l2;
	vfd->device_caps = V4L2_CAP_VIDEO_M2M_MPLANE | V4L2_CAP_STREAMING;
	video_set_drvdata(vfd, dev);
	if (role == FW_ROLE_DECODE) {
		v4l2_disable_ioctl(vfd, VIDIOC_ENCODER_CMD);
		v4l2_disable_ioctl(vfd, VIDIOC_TRY_ENCODER_CMD);
		v4l2_disable_ioctl(vfd, VIDIOC_S_PARM);
		v4l2_disable_ioctl(vfd, VIDIOC_G_PARM);
	} else {
		v4l2_disable_ioctl(vfd, VIDIOC_DECODER_CMD);
		v4l2_disable_ioctl(vfd, VIDIOC_TRY_DECODER_CMD);
	}
	ret = video_register_device(vfd, VFL_TYPE_VIDEO, role == FW_ROLE_DECODE ? decode_nr : encode_nr);
	if (ret) {
		v4l2_m2m_release(dev->m2m);
		v4l2_device_unregister(&dev->v4l2);
		return ret;
	}
	dev->v4l2.release = node_release;
	kref_get(&drv->ref);
	ret = v4l2_m2m_register_media_controller(dev->m2m, vfd, role == FW_ROLE_DECODE ?
						 MEDIA_ENT_F_PROC_VIDEO_DECODER : MEDIA_ENT_F_PROC_VIDEO_ENCODER);
	if (ret)
		pr_err(NAME ": no media controller: %d\n", ret);
	dev->registered = true;
	v4l2_info(&dev->v4l2, "%s is /dev/video%d\n", vfd->name, vfd->num);
	return 0;
}

static int twin_probe(struct platform_device *pdev)
{
	struct twin_drv *drv = kzalloc(sizeof(*drv), GFP_KERNEL);
	int ret;

	if (!drv)
		return -ENOMEM;
	kref_init(&drv->ref);
	drv->dev = &pdev->dev;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		pr_err(NAME ": no DMA mask: %d\n", ret);
	vb2_dma_contig_set_max_seg_size(&pdev->dev, DMA_BIT_MASK(32));
	drv->mdev.dev = &pdev->dev;
	strscpy(drv->mdev.model, NAME, sizeof(drv->mdev.model));
	strscpy(drv->mdev.bus_info, "platform:" NAME, sizeof(drv->mdev.bus_info));
	strscpy(drv->mdev.serial, "0000", sizeof(drv->mdev.serial));
	drv->mdev.hw_revision = 1;
	media_device_init(&drv->mdev);
	platform_set_drvdata(pdev, drv);
	ret = node_add(drv, FW_ROLE_DECODE) ?: node_add(drv, FW_ROLE_ENCODE) ?: media_device_register(&drv->mdev);
	if (ret) {
		node_remove(&drv->node[0]);
		node_remove(&drv->node[1]);
		kref_put(&drv->ref, drv_free);
	}
	return ret;
}

/* The nodes go away: echo bcm2835-codec > /sys/bus/platform/drivers/bcm2835-codec/unbind */
static void twin_remove(struct platform_device *pdev)
{
	struct twin_drv *drv = platform_get_drvdata(pdev);

	media_device_unregister(&drv->mdev);
	node_remove(&drv->node[FW_ROLE_DECODE]);
	node_remove(&drv->node[FW_ROLE_ENCODE]);
	kref_put(&drv->ref, drv_free);
}

static struct platform_driver twin_driver = {
	.probe = twin_probe,
	.remove = twin_remove,
	.driver = { .name = NAME },
};

static struct platform_device *twin_pdev;

static int __init twin_init(void)
{
	int ret;

	if (!enable)
		return -ENODEV;
	contig_ops = vb2_dma_contig_memops;
	contig_ops.get_dmabuf = contig_get_dmabuf;
	vmalloc_ops = vb2_vmalloc_memops;
	vmalloc_ops.get_dmabuf = vmalloc_get_dmabuf;
	ret = misc_register(&fw_misc);
	if (ret)
		return ret;
	ret = platform_driver_register(&twin_driver);
	if (!ret) {
		twin_pdev = platform_device_register_simple(NAME, PLATFORM_DEVID_NONE, NULL, 0);
		ret = PTR_ERR_OR_ZERO(twin_pdev);
		if (ret)
			platform_driver_unregister(&twin_driver);
	}
	if (ret)
		misc_deregister(&fw_misc);
	return ret;
}
module_init(twin_init);

static void __exit twin_exit(void)
{
	platform_device_unregister(twin_pdev);
	platform_driver_unregister(&twin_driver);
	misc_deregister(&fw_misc);
}
module_exit(twin_exit);

MODULE_DESCRIPTION("Twin of the Raspberry Pi's bcm2835-codec");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("DMA_BUF");
