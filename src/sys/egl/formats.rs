//! What can be imported: DRM formats, and how their pixels may lie in memory (EGL_EXT_image_dma_buf_import_modifiers).
use std::ptr;

use super::abi::{self, Int};
use super::display::Display;
use super::error::EglError;

const EXTENSION: &str = "EGL_EXT_image_dma_buf_import_modifiers";

/// One way in which the pixels of a format may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DmaBufModifier {
    /// The DRM_FORMAT_MOD.
    pub modifier: u64,
    /// Only external textures can be made of it.
    pub external_only: bool,
}

impl Display {
    /// The DRM formats that can be imported, by their four letters. Empty where the driver does not say.
    pub fn dma_buf_formats(&self) -> Result<Vec<u32>, EglError> {
        let Some(query) = self.lib().query_dma_buf_formats().filter(|_| self.has_extension(EXTENSION)) else {
            return Ok(Vec::new());
        };
        let call = "eglQueryDmaBufFormatsEXT";
        let mut count = 0;
        // SAFETY: the display is open; with no room asked for, only the count is written.
        let answer = unsafe { query(self.raw(), 0, ptr::null_mut(), &mut count) };
        self.lib().check(call, answer)?;
        let mut found: Vec<Int> = vec![0; usize::try_from(count).unwrap_or(0)];
        // SAFETY: the list has room for as many as we say.
        let answer = unsafe { query(self.raw(), count.max(0), found.as_mut_ptr(), &mut count) };
        self.lib().check(call, answer)?;
        found.truncate(usize::try_from(count).unwrap_or(0));
        Ok(found.into_iter().map(Int::cast_unsigned).collect())
    }

    /// How the pixels of a format may lie. Empty where the driver does not say.
    pub fn dma_buf_modifiers(&self, fourcc: u32) -> Result<Vec<DmaBufModifier>, EglError> {
        let Some(query) = self.lib().query_dma_buf_modifiers().filter(|_| self.has_extension(EXTENSION)) else {
            return Ok(Vec::new());
        };
        let (call, format) = ("eglQueryDmaBufModifiersEXT", fourcc.cast_signed());
        let mut count = 0;
        // SAFETY: the display is open; with no room asked for, only the count is written.
        let answer = unsafe { query(self.raw(), format, 0, ptr::null_mut(), ptr::null_mut(), &mut count) };
        self.lib().check(call, answer)?;
        let room = usize::try_from(count).unwrap_or(0);
        let (mut modifiers, mut external) = (vec![0; room], vec![abi::Boolean::default(); room]);
        // SAFETY: both lists have room for as many as we say.
        let answer = unsafe {
            query(self.raw(), format, count.max(0), modifiers.as_mut_ptr(), external.as_mut_ptr(), &mut count)
        };
        self.lib().check(call, answer)?;
        let both = modifiers.into_iter().zip(external).take(usize::try_from(count).unwrap_or(0));
        Ok(both.map(|it| DmaBufModifier { modifier: it.0, external_only: it.1 == abi::TRUE }).collect())
    }
}
