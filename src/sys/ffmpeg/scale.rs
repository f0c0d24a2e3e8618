//! One conversion of a picture to another pixel format, same size, by libswscale.
use std::ffi::CStr;
use std::ptr::{self, NonNull};

use ffmpeg_sys_next as ff;

use super::error::{AvError, check};
use super::frame::AvFrame;
use crate::base::color::{Matrix, Range};
use crate::base::format::Size;

/// The slow and exact paths: a conversion is the exception, and its errors would show in gradients. By name, because the
/// numbers' C type differs between versions.
const FLAGS: &CStr = c"bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact";

/// What a conversion is between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    /// FFmpeg's number of the format there is.
    pub from: i32,
    /// FFmpeg's number of the format there is to be.
    pub to: i32,
    /// The picture's size.
    pub size: Size,
    /// The matrix of what is YUV among them.
    pub matrix: Matrix,
    /// The range before; RGB is always full.
    pub from_range: Range,
    /// The range after.
    pub to_range: Range,
}

/// An owned, initialised `SwsContext`.
#[derive(Debug)]
pub struct Scaler {
    context: NonNull<ff::SwsContext>,
    conversion: Conversion,
}

// SAFETY: the context belongs to no thread.
unsafe impl Send for Scaler {}

impl Scaler {
    /// Sets up for `conversion`. `Err` where libswscale cannot do it.
    pub fn new(conversion: Conversion) -> Result<Self, AvError> {
        // SAFETY: allocates and sets defaults; null when out of memory.
        let context =
            NonNull::new(unsafe { ff::sws_alloc_context() }).ok_or(AvError::no_memory("sws_alloc_context"))?;
        let it = Self { context, conversion };
        let Conversion { from, to, size, .. } = conversion;
        let full = |range: Range| i64::from(range == Range::Full);
        for (name, value) in [
            (c"srcw", i64::from(size.width)),
            (c"srch", i64::from(size.height)),
            (c"dstw", i64::from(size.width)),
            (c"dsth", i64::from(size.height)),
            (c"src_format", i64::from(from)),
            (c"dst_format", i64::from(to)),
            (c"src_range", full(conversion.from_range)),
            (c"dst_range", full(conversion.to_range)),
        ] {
            // SAFETY: a context that knows AVOptions, and a string that ends in nul; the value is checked by its range.
            let code = unsafe { ff::av_opt_set_int(it.as_ptr().cast(), name.as_ptr(), value, 0) };
            check("av_opt_set_int", code)?;
        }
        // SAFETY: as above; both strings end in nul.
        let code = unsafe { ff::av_opt_set(it.as_ptr().cast(), c"sws_flags".as_ptr(), FLAGS.as_ptr(), 0) };
        check("av_opt_set", code)?;
        // SAFETY: a context prepared just above, without filters.
        let code = unsafe { ff::sws_init_context(it.as_ptr(), ptr::null_mut(), ptr::null_mut()) };
        check("sws_init_context", code)?;
        it.set_matrix();
        Ok(it)
    }

    fn as_ptr(&self) -> *mut ff::SwsContext {
        self.context.as_ptr()
    }

    /// Refused (and needless) where neither side is YUV.
    fn set_matrix(&self) {
        // H.273's numbers.
        let number = match self.conversion.matrix {
            Matrix::Bt601 => 5,
            Matrix::Bt709 => 1,
            Matrix::Bt2020 => 9,
        };
        // SAFETY: answers a static table for any number.
        let table = unsafe { ff::sws_getCoefficients(number) };
        let full = |range: Range| libc::c_int::from(range == Range::Full);
        let (from, to) = (full(self.conversion.from_range), full(self.conversion.to_range));
        // No change of brightness; contrast and saturation are 16.16 fixed-point ones.
        let one = 1 << 16;
        // SAFETY: an initialised context and a table of four numbers that is only read.
        let code = unsafe { ff::sws_setColorspaceDetails(self.as_ptr(), table, from, table, to, 0, one, one) };
        let _ = check("sws_setColorspaceDetails", code);
    }

    /// What it was set up for.
    pub fn conversion(&self) -> Conversion {
        self.conversion
    }

    /// Converts the pixels of `from` into `to`, whose memory is its own. Either may be stored bottom up.
    pub fn convert(&mut self, from: &AvFrame, to: &mut AvFrame) -> Result<(), AvError> {
        let Conversion { from: source, to: target, size, .. } = self.conversion;
        let fits = |frame: &AvFrame, format| frame.format() == format && frame.coded_size() == size;
        if !fits(from, source) || !fits(to, target) {
            return Err(AvError::errno("sws_scale", libc::EINVAL));
        }
        let height = i32::try_from(size.height).unwrap_or(0);
        let (from_data, from_strides) = (from.data_pointers(), from.strides());
        let (to_data, to_strides) = (to.data_pointers(), to.strides());
        // SAFETY: both frames have the format and size the context was made for, as just checked, with every plane FFmpeg
        // allocates for them, and nobody else writes to `to`.
        let code = unsafe {
            ff::sws_scale(
                self.as_ptr(),
                from_data.as_ptr().cast::<*const u8>(),
                from_strides.as_ptr(),
                0,
                height,
                to_data.as_ptr(),
                to_strides.as_ptr(),
            )
        };
        check("sws_scale", code).map(drop)
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        // SAFETY: allocated by `sws_alloc_context`, freed once, here.
        unsafe { ff::sws_freeContext(self.as_ptr()) };
    }
}
