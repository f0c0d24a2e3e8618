//! Structures and ioctls that the `drm` crate keeps to itself, as `include/uapi/drm/drm_mode.h` has them; nothing else.

/// DRM_IOCTL_BASE.
pub(super) const DRM_IOCTL_BASE: u8 = b'd';
/// The number in DRM_IOCTL_MODE_GETPROPERTY.
pub(super) const MODE_GETPROPERTY: u8 = 0xAA;
/// The number in DRM_IOCTL_MODE_ATOMIC.
pub(super) const MODE_ATOMIC: u8 = 0xBC;

/// `struct drm_mode_atomic`.
#[repr(C)]
#[derive(Debug, Default)]
pub(super) struct ModeAtomic {
    pub(super) flags: u32,
    pub(super) count_objs: u32,
    /// `u32[count_objs]`.
    pub(super) objs_ptr: u64,
    /// `u32[count_objs]`.
    pub(super) count_props_ptr: u64,
    /// `u32[]`, as many as the counts add up to.
    pub(super) props_ptr: u64,
    /// `u64[]`, as many as the counts add up to.
    pub(super) prop_values_ptr: u64,
    pub(super) reserved: u64,
    /// Comes back in the page flip event.
    pub(super) user_data: u64,
}

/// `struct drm_mode_get_property`.
#[repr(C)]
#[derive(Debug, Default)]
pub(super) struct ModeGetProperty {
    /// `u64[count_values]`.
    pub(super) values_ptr: u64,
    pub(super) enum_blob_ptr: u64,
    pub(super) prop_id: u32,
    pub(super) flags: u32,
    pub(super) name: [u8; 32],
    pub(super) count_values: u32,
    pub(super) count_enum_blobs: u32,
}
