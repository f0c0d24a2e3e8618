//! What was drawn, back in memory: for snapshots and checksums. Waits for the GPU.
use super::compose::RenderError;
use crate::base::format::{Rect, Size};
use crate::seam::presenter::RenderTarget;
use crate::sys::gl::Context;

/// Bytes of one RGBA picture.
pub const fn rgba_len(size: Size) -> usize {
    size.width as usize * size.height as usize * 4
}

/// Copies a target's pixels into `out` as RGBA, the screen's top row first, rows without padding. `out` must have
/// [`rgba_len`] bytes at least.
pub fn read_rgba(gl: &Context, target: &RenderTarget, out: &mut [u8]) -> Result<(), RenderError> {
    gl.bind_framebuffer(target.framebuffer);
    gl.read_rgba(Rect::of(target.size), out)?;
    if !target.top_down {
        let row = target.size.width as usize * 4;
        flip(&mut out[..rgba_len(target.size)], row);
    }
    Ok(())
}

/// The last row first.
fn flip(rows: &mut [u8], row: usize) {
    let count = rows.len().checked_div(row).unwrap_or(0);
    for y in 0..count / 2 {
        let (upper, lower) = rows.split_at_mut((count - 1 - y) * row);
        upper[y * row..(y + 1) * row].swap_with_slice(&mut lower[..row]);
    }
}
