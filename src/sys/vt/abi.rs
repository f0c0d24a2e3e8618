//! The virtual terminals' numbers and structures as linux/kd.h and linux/vt.h have them, nothing else.

pub(super) const KDSETMODE: u32 = 0x4B3A;
pub(super) const KDGETMODE: u32 = 0x4B3B;
pub(super) const KD_TEXT: i32 = 0x00;
pub(super) const KD_GRAPHICS: i32 = 0x01;

pub(super) const KDGKBMODE: u32 = 0x4B44;
pub(super) const KDSKBMODE: u32 = 0x4B45;
pub(super) const K_RAW: i32 = 0x00;
pub(super) const K_UNICODE: i32 = 0x03;
pub(super) const K_OFF: i32 = 0x04;

pub(super) const VT_GETMODE: u32 = 0x5601;
pub(super) const VT_SETMODE: u32 = 0x5602;
pub(super) const VT_GETSTATE: u32 = 0x5603;
pub(super) const VT_RELDISP: u32 = 0x5605;
pub(super) const VT_ACTIVATE: u32 = 0x5606;
pub(super) const VT_AUTO: i8 = 0x00;
pub(super) const VT_PROCESS: i8 = 0x01;
pub(super) const VT_ACKACQ: i32 = 0x02;

/// `struct vt_mode`.
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct VtMode {
    pub(super) mode: i8,
    pub(super) waitv: i8,
    pub(super) relsig: i16,
    pub(super) acqsig: i16,
    pub(super) frsig: i16,
}

/// `struct vt_stat`.
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct VtStat {
    pub(super) v_active: u16,
    pub(super) v_signal: u16,
    pub(super) v_state: u16,
}
