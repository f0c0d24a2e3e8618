/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What the twin driver (hw-tests/kernel/twin) and its firmware daemon (hw-tests/codecd) say to each other on
 * /dev/codec-firmware.
 *
 * The daemon opens the node once for control: read() gives FW_OPEN messages. For each it opens the node again, binds
 * that descriptor to the component with FW_IOC_BIND and from then on reads this component's messages and writes its own.
 * Every read() gives one message: a struct fw_msg, followed by `length` bytes of payload for FW_DATA.
 * Every write() is one message: a struct fw_msg, followed by `length` bytes of payload for FW_OUT.
 */
#ifndef CODEC_FIRMWARE_H
#define CODEC_FIRMWARE_H
#include <linux/types.h>
#include <linux/ioctl.h>

enum fw_type {
	/* to the daemon */
	FW_OPEN = 1,	/* a component is created: role, cfg */
	FW_CLOSE,	/* it is destroyed */
	FW_IN_ENABLE,	/* STREAMON(OUTPUT); fmt = output port's format, in = input port's */
	FW_IN_DISABLE,	/* STREAMOFF(OUTPUT): forget all input, then FW_ACK */
	FW_OUT_ENABLE,	/* STREAMON(CAPTURE) */
	FW_OUT_DISABLE,	/* STREAMOFF(CAPTURE): forget all FW_BUF, then FW_ACK */
	FW_DATA,	/* an OUTPUT buffer: index, pts, flags, payload; with FW_F_EOS only, no buffer (index -1) */
	FW_BUF,		/* an empty CAPTURE buffer: index, size */
	FW_PARAM,	/* encoder parameters: enc */
	FW_START,	/* CMD_START, in strict mode only */
	/* from the daemon */
	FW_ACK = 64,	/* of FW_IN_DISABLE or FW_OUT_DISABLE: index = that type */
	FW_IN_DONE,	/* OUTPUT buffer `index` is consumed */
	FW_OUT,		/* CAPTURE buffer `index` is filled: length, flags, pts */
	FW_FORMAT,	/* the output port's format changed: fmt */
};

enum { FW_ROLE_DECODE, FW_ROLE_ENCODE };

#define FW_F_EOS		1
#define FW_F_KEYFRAME		2
#define FW_F_CORRUPTED		4
#define FW_F_INTERLACED		8
#define FW_F_TFF		16
#define FW_F_CHANGED		32	/* FW_FORMAT: the geometry changed (else only colour or pixel aspect) */
#define FW_F_ERROR		64

struct fw_fmt {
	__u32 fourcc;
	__u32 width, height;		/* of the buffer, padded */
	__u32 crop_w, crop_h;		/* visible */
	__u32 stride, size;
	__u32 par_num, par_den;
	__u32 primaries, transfer, matrix, full_range;	/* as in H.273 */
	__u32 interlaced;		/* 0, 1 = top field first, 2 = bottom field first */
	__u32 min_buffers;
};

struct fw_cfg {
	__u32 strict;
	__u32 src_change;		/* 0 as the Pi, 1 always at the start of a stream, 2 never for an equal size */
	__u32 header_event;		/* the first format change comes with the headers, else with the first picture */
	__u32 colour_event;		/* a change of colour or pixel aspect is a format change */
	__u32 drop_on_change;		/* frames of the old format lost at a change */
	__u32 after_eos;		/* 0 goes on, 1 stalls, 2 swallows, until the input port is restarted */
	__u32 mb_rate;			/* macroblocks per second of the shared hardware; 0 = no limit */
	__u32 pool;			/* decoded pictures kept ahead of the output port */
	__u32 stall_after;		/* packets after which nothing is decoded any more */
	__u32 stall_hold;		/* and they are not given back either */
	__u32 corrupt_at;		/* this frame (from 1) is flagged corrupted */
};

struct fw_enc {
	__u32 bitrate, cbr, gop, profile, level, min_qp, max_qp, repeat_headers, header_separate, force_key;
	__u32 fps_num, fps_den;
};

struct fw_msg {
	__u32 type, ctx, role, index;
	__u32 length, size, flags, pad;
	__s64 pts;			/* microseconds */
	struct fw_fmt fmt, in;
	struct fw_cfg cfg;
	struct fw_enc enc;
};

#define FW_IOC_BIND _IOW('F', 1, __u32)
#endif
