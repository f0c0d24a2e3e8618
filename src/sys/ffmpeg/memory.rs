//! Decoders' pictures in memory of the caller's choice: `AVCodecContext.get_buffer2`.
//!
//! A decoder asks on whichever of its threads begins a picture. It gets a buffer that was claimed from a [`FrameMemory`],
//! and gives it back when its last reference is gone: to a picture that it may still refer to, and to one that was handed
//! out.
use std::fmt;
use std::os::raw::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ffmpeg_sys_next as ff;

use super::frame::AvFrame;
use super::pixel;
use crate::base::dmabuf::Lease;
use crate::base::format::{PixelFormat, Size};
use crate::sys::mapping::Mapping;

/// Planes of the widest format of the house.
const MAX_PLANES: usize = 3;
/// Rows begin at multiples of this, and so do planes: what GPUs and display controllers ask for.
const ROW_ALIGNMENT: usize = 64;
/// FFmpeg's filters and decoders touch up to this many bytes behind a plane's last row: `STRIDE_ALIGN` and 16, as its own
/// allocator leaves, and `AV_INPUT_BUFFER_PADDING_SIZE`, whichever is more.
const PADDING: usize = 128;

/// Where one plane lies in a picture's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanePlace {
    /// Where it begins, in bytes.
    pub offset: u32,
    /// From one row to the next, in bytes.
    pub stride: u32,
    /// From its first byte to its last, in bytes, without what FFmpeg may touch behind it.
    pub length: u32,
}

/// How a decoder wants one of its pictures to lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureLayout {
    /// Its format.
    pub pixel: PixelFormat,
    /// The picture as the decoder writes it, even both ways.
    pub coded: Size,
    /// Its planes.
    pub planes: [PlanePlace; MAX_PLANES],
    /// Bytes in all.
    pub bytes: usize,
}

/// Gives decoders memory for their pictures, on any of their threads. Allocates nothing of Rust's once it is warm.
pub trait FrameMemory: Send + Sync + fmt::Debug {
    /// Memory of at least `layout.bytes` that nobody reads or writes. `None` where there is no more: FFmpeg takes its own.
    fn take(&self, layout: &PictureLayout) -> Option<Claim>;
    /// Hands out the picture in `frame`, if its memory is from here. The lease keeps the decoder from writing to it.
    fn lease(&self, frame: &AvFrame) -> Option<Lease>;
    /// Pictures so far for which there was no memory.
    fn n_refused(&self) -> u64;
}

/// Makes memory for decoders.
pub trait FrameMemorySource: Send + Sync + fmt::Debug {
    /// For a decoder that needs up to `n_pictures` at once, with all who hold what it handed out. `None`: it is to take its
    /// own.
    fn memory(&self, n_pictures: usize) -> Option<Arc<dyn FrameMemory>>;
}

/// Memory that one decoder writes at a time.
#[derive(Debug)]
pub struct FrameBuffer {
    mapping: Mapping,
    claimed: AtomicBool,
}

impl FrameBuffer {
    /// Nobody's, yet.
    pub fn new(mapping: Mapping) -> Arc<Self> {
        Arc::new(Self { mapping, claimed: AtomicBool::new(false) })
    }

    /// Its bytes. Read them only while a lease keeps the decoder from writing.
    pub fn bytes(&self) -> &[u8] {
        self.mapping.bytes()
    }

    /// For a decoder to write, if no other does.
    pub fn claim(self: &Arc<Self>) -> Option<Claim> {
        let taken = self.claimed.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed);
        taken.is_ok().then(|| Claim(Some(Arc::clone(self))))
    }

    /// A decoder writes it, or somebody holds what it wrote.
    pub fn is_claimed(&self) -> bool {
        self.claimed.load(Ordering::Acquire)
    }

    /// Whether the picture in `frame` lies in it.
    pub fn holds(&self, frame: &AvFrame) -> bool {
        frame.first_buffer().is_some_and(|it| it.start() == self.mapping.start())
    }
}

/// A buffer is some decoder's, until this is dropped.
#[derive(Debug)]
pub struct Claim(Option<Arc<FrameBuffer>>);

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(it) = self.0.take() {
            it.claimed.store(false, Ordering::Release);
        }
    }
}

/// A reference to a frame's buffer. While somebody has one, decoders do not write into the buffer.
#[derive(Debug)]
pub struct BufferRef(NonNull<ff::AVBufferRef>);

// SAFETY: buffer references are counted atomically and belong to no thread.
unsafe impl Send for BufferRef {}

impl BufferRef {
    /// A new reference to what `it` refers to. `None` when out of memory.
    fn to(it: FirstBuffer) -> Option<Self> {
        // SAFETY: the reference of a live frame.
        NonNull::new(unsafe { ff::av_buffer_ref(it.0.as_ptr()) }).map(Self)
    }

    /// One more to the buffer of `frame`'s first plane; `None` where it has none.
    pub fn of(frame: &AvFrame) -> Option<Self> {
        frame.first_buffer().and_then(Self::to)
    }
}

impl Drop for BufferRef {
    fn drop(&mut self) {
        let mut it = self.0.as_ptr();
        // SAFETY: our own reference, given up once, here.
        unsafe { ff::av_buffer_unref(&raw mut it) };
    }
}

/// A live frame's first buffer reference.
#[derive(Clone, Copy)]
pub(super) struct FirstBuffer(pub(super) NonNull<ff::AVBufferRef>);

impl FirstBuffer {
    fn start(self) -> NonNull<u8> {
        // SAFETY: a plain field of a live reference; FFmpeg's buffers are never at null.
        NonNull::new(unsafe { (*self.0.as_ptr()).data }).unwrap_or(NonNull::dangling())
    }
}

/// What a decoder's `opaque` leads to.
#[derive(Debug)]
pub(super) struct MemoryHook {
    memory: Arc<dyn FrameMemory>,
}

impl MemoryHook {
    /// Makes a decoder that is not open yet ask `memory`. The answer must live as long as the decoder.
    ///
    /// # Safety
    /// `context` is a live `AVCodecContext` that is not open yet.
    pub(super) unsafe fn install(context: *mut ff::AVCodecContext, memory: Arc<dyn FrameMemory>) -> Arc<Self> {
        let it = Arc::new(Self { memory });
        // SAFETY: a plain field of the caller's context.
        unsafe { (*context).opaque = Arc::as_ptr(&it).cast_mut().cast::<c_void>() };
        // SAFETY: as above.
        unsafe { (*context).get_buffer2 = Some(get_buffer) };
        #[cfg(not(ffmpeg_6_0))]
        // SAFETY: as above. Or worker threads would wait for ours whenever they begin a picture.
        unsafe {
            (*context).thread_safe_callbacks = 1;
        }
        it
    }
}

/// `get_buffer2`.
unsafe extern "C" fn get_buffer(context: *mut ff::AVCodecContext, frame: *mut ff::AVFrame, flags: c_int) -> c_int {
    // A panic must not cross C; there is none in what is called, but other people's memory is behind it.
    // SAFETY: FFmpeg calls this with the decoder's (or its thread's copy of the) context and a frame to be filled.
    let filled = catch_unwind(AssertUnwindSafe(|| unsafe { fill(context, frame) })).ok().flatten();
    match filled {
        Some(()) => 0,
        // SAFETY: the very arguments FFmpeg gave; `fill` has changed nothing.
        None => unsafe { ff::avcodec_default_get_buffer2(context, frame, flags) },
    }
}

/// Gives `frame` memory of the decoder's [`FrameMemory`]. `None`, and nothing changed, where that cannot be.
///
/// # Safety
/// As `get_buffer2` is called: `context` is a decoder's whose `opaque` is a live [`MemoryHook`], `frame` has its format and
/// size set and no buffers.
unsafe fn fill(context: *mut ff::AVCodecContext, frame: *mut ff::AVFrame) -> Option<()> {
    // SAFETY: as the caller promises; FFmpeg copies `opaque` to its threads' contexts.
    let hook = unsafe { (*context).opaque }.cast::<MemoryHook>();
    // SAFETY: `install` put it there, and the decoder's owner keeps it as long as the decoder.
    let hook = unsafe { hook.as_ref() }?;
    // SAFETY: as the caller promises.
    let layout = unsafe { layout(context, frame) }?;
    let mut claim = hook.memory.take(&layout)?;
    let memory = claim.0.take_if(|it| it.mapping.len() >= layout.bytes)?;
    let (start, length) = (memory.mapping.start().as_ptr(), memory.mapping.len());
    // FFmpeg's from here on; `give_back` makes a claim of it again.
    let owner = Arc::into_raw(memory).cast_mut().cast::<c_void>();
    // SAFETY: the memory stays mapped until `give_back` gets `owner`, which keeps it.
    let buffer = unsafe { ff::av_buffer_create(start, length, Some(give_back), owner, 0) };
    if buffer.is_null() {
        // SAFETY: FFmpeg did not take what was to be its own.
        unsafe { give_back(owner, start) };
        return None;
    }
    // SAFETY: a frame without buffers, of which FFmpeg frees this reference.
    unsafe { (*frame).buf[0] = buffer };
    for (index, plane) in layout.planes.iter().take(layout.pixel.planes().len()).enumerate() {
        // SAFETY: the layout ends within the mapping, as just checked.
        let data = unsafe { start.add(plane.offset as usize) };
        // SAFETY: a plain field of the frame.
        unsafe { (*frame).data[index] = data };
        // SAFETY: a plain field of the frame.
        unsafe { (*frame).linesize[index] = plane.stride.cast_signed() };
    }
    // SAFETY: the address of a field of the frame.
    let planes = unsafe { &raw mut (*frame).data }.cast::<*mut u8>();
    // SAFETY: a plain field of the frame; pictures have no planes beyond `data`.
    unsafe { (*frame).extended_data = planes };
    Some(())
}

/// FFmpeg's last reference is gone.
unsafe extern "C" fn give_back(owner: *mut c_void, _start: *mut u8) {
    // SAFETY: what `fill` made by `Arc::into_raw`; called once.
    drop(Claim(Some(unsafe { Arc::from_raw(owner.cast_const().cast::<FrameBuffer>()) })));
}

/// How the picture is to lie. `None` where it is not one of ours to place: other formats, and decoders that allocate for
/// themselves.
///
/// # Safety
/// As for [`fill`].
unsafe fn layout(context: *mut ff::AVCodecContext, frame: *mut ff::AVFrame) -> Option<PictureLayout> {
    // SAFETY: a plain field of the context.
    let codec = unsafe { (*context).codec };
    // SAFETY: an open decoder's codec, which is static.
    let capabilities = unsafe { (*codec).capabilities };
    if capabilities & ff::AV_CODEC_CAP_DR1 as c_int == 0 {
        return None;
    }
    // SAFETY: a plain field of the frame.
    let format = unsafe { (*frame).format };
    // SAFETY: a plain field of the frame.
    let mut width = unsafe { (*frame).width };
    // SAFETY: a plain field of the frame.
    let mut height = unsafe { (*frame).height };
    let pixel = takes(format)?;
    let coded = Size::new(even(width)?, even(height)?);
    let mut alignments = [0 as c_int; 8];
    // SAFETY: live numbers, of which there are as many as AV_NUM_DATA_POINTERS.
    unsafe { ff::avcodec_align_dimensions2(context, &raw mut width, &raw mut height, alignments.as_mut_ptr()) };
    let aligned = Size::new(even(width)?, even(height)?);
    place(pixel, coded, aligned, alignments.map(|it| usize::try_from(it).unwrap_or(1).max(1)))
}

/// The format of the house of FFmpeg's `format`, where its pictures are put into memory of ours: 8 bits, with chroma.
fn takes(format: i32) -> Option<PixelFormat> {
    let (it, _) = pixel::native(format)?;
    let is_taken = matches!(it, PixelFormat::Nv12 | PixelFormat::Yuv420p | PixelFormat::Yuv422p | PixelFormat::Yuv444p);
    is_taken.then_some(it)
}

/// The format of the house of pictures that FFmpeg calls so, where they are put into the caller's memory.
pub fn placed_format(name: &str) -> Option<PixelFormat> {
    pixel::by_name(name).and_then(takes)
}

/// Framebuffers have no half chroma texels.
fn even(side: c_int) -> Option<u32> {
    u32::try_from(side).ok().filter(|it| *it > 0)?.checked_next_multiple_of(2)
}

/// A picture of `aligned` texels in one piece of memory, plane after plane. `None` where the numbers are out of bounds.
fn place(pixel: PixelFormat, coded: Size, aligned: Size, alignments: [usize; 8]) -> Option<PictureLayout> {
    let layouts = pixel.planes();
    // The rows of all planes must keep their ratio, so the width grows until every one of them is aligned.
    let mut width = u64::from(aligned.width.max(coded.width));
    let stride = |width: u64, index: usize| {
        let texels = width.div_ceil(u64::from(layouts[index].sub_x));
        texels.checked_mul(layouts[index].texel_bytes() as u64)
    };
    let is_aligned = |width: u64| {
        let fits = |(index, alignment): (usize, &usize)| {
            stride(width, index).is_some_and(|it| it % ROW_ALIGNMENT.max(*alignment) as u64 == 0)
        };
        alignments.iter().enumerate().take(layouts.len()).all(fits)
    };
    while !is_aligned(width) {
        // By its lowest bit that is set, which ends at a power of two at the latest.
        width = width.checked_add(width & width.wrapping_neg()).filter(|it| *it <= u64::from(u32::MAX))?;
    }
    let height = aligned.height.max(coded.height);
    let mut planes = [PlanePlace::default(); MAX_PLANES];
    let mut end: usize = 0;
    for (index, layout) in layouts.iter().enumerate() {
        let stride = usize::try_from(stride(width, index)?).ok()?;
        let rows = layout.size(Size::new(2, height)).height as usize;
        let length = stride.checked_mul(rows)?;
        let narrow = |it: usize| u32::try_from(it).ok();
        // `linesize` is an int.
        i32::try_from(stride).ok()?;
        planes[index] = PlanePlace { offset: narrow(end)?, stride: narrow(stride)?, length: narrow(length)? };
        end = end.checked_add(length)?.checked_add(PADDING)?.checked_next_multiple_of(ROW_ALIGNMENT)?;
    }
    Some(PictureLayout { pixel, coded, planes, bytes: end })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(pixel: PixelFormat, width: u32, height: u32, alignment: usize) -> PictureLayout {
        let size = Size::new(width, height);
        place(pixel, size, size, [alignment; 8]).expect("it can be placed")
    }

    #[test]
    fn rows_are_aligned_and_keep_their_ratio() {
        for pixel in [PixelFormat::Nv12, PixelFormat::Yuv420p, PixelFormat::Yuv422p, PixelFormat::Yuv444p] {
            for width in (2..400).step_by(2) {
                for alignment in [1, 16, 32, 64, 128] {
                    let it = placed(pixel, width, 18, alignment);
                    for (plane, layout) in it.planes.iter().zip(pixel.planes()) {
                        assert_eq!(plane.stride as usize % alignment.max(64), 0, "{pixel:?} {width}");
                        assert_eq!(plane.offset % 64, 0);
                        assert!(plane.stride >= width.div_ceil(layout.sub_x.into()) * layout.texel_bytes() as u32);
                        let ratio = u32::from(layout.sub_x) / layout.texel_bytes() as u32;
                        assert_eq!(plane.stride * ratio.max(1), it.planes[0].stride, "{pixel:?} {width}");
                    }
                }
            }
        }
    }

    #[test]
    fn planes_lie_behind_each_other_with_room_to_run_over() {
        let it = placed(PixelFormat::Yuv420p, 1920, 1088, 64);
        let [luma, cb, cr] = it.planes;
        assert_eq!((luma.offset, luma.stride, luma.length), (0, 1920, 1920 * 1088));
        assert_eq!((cb.offset, cb.stride), (1920 * 1088 + 128, 960));
        assert_eq!(cr.offset, cb.offset + 960 * 544 + 128);
        assert_eq!(it.bytes, (cr.offset + 960 * 544 + 128) as usize);
        // 1366 is no multiple of anything: 768 bytes of chroma beside 1536 of luma.
        assert_eq!(placed(PixelFormat::Yuv420p, 1366, 768, 32).planes.map(|it| it.stride), [1408, 704, 704]);
    }

    #[test]
    fn absurd_pictures_have_no_place() {
        for size in [Size::new(u32::MAX - 1, 2), Size::new(2, u32::MAX - 1), Size::new(1 << 30, 1 << 30)] {
            assert_eq!(place(PixelFormat::Yuv444p, size, size, [64; 8]), None);
        }
        assert_eq!(even(0), None);
        assert_eq!(even(-1), None);
        assert_eq!((even(41), even(42)), (Some(42), Some(42)));
    }

    #[test]
    fn only_eight_bits_with_chroma_are_placed() {
        let taken = |name: &str| takes(pixel::by_name(name).expect("known")).is_some();
        for name in ["yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12"] {
            assert!(taken(name), "{name}");
        }
        for name in ["yuv420p10le", "p010le", "gray", "rgb24", "rgba", "nv21", "yuv410p", "vaapi"] {
            assert!(!taken(name), "{name}");
        }
    }

    #[test]
    fn a_buffer_has_one_user_at_a_time() {
        let (file, length) = (tempfile::tempfile().expect("a file"), 4096);
        file.set_len(length as u64).expect("room");
        let mapping = Mapping::new(std::os::fd::AsFd::as_fd(&file), length).expect("mapped");
        let buffer = FrameBuffer::new(mapping);
        let claim = buffer.claim().expect("nobody's");
        assert!(buffer.claim().is_none() && buffer.is_claimed());
        drop(claim);
        let again = buffer.claim().expect("nobody's again");
        assert!(buffer.is_claimed() && Arc::strong_count(&buffer) == 2);
        drop(again);
        assert!(!buffer.is_claimed() && Arc::strong_count(&buffer) == 1);
    }
}
