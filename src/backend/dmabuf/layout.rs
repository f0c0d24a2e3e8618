//! Where a picture lies in its buffers, checked before any driver gets to see it.
use std::fmt::Write;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::unistd::{Whence, lseek};

use crate::base::dmabuf::{DmabufPicture, DmabufPlane, MODIFIER_LINEAR};
use crate::base::format::{PixelFormat, Size};
use crate::base::frame::VideoFormat;
use crate::sys::egl::YuvHints;

/// All that an import is made of, but for the memory itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    pub pixel: PixelFormat,
    pub coded: Size,
    pub modifier: u64,
    /// Offset and stride of each plane, in bytes.
    pub planes: [(u32, u32); 3],
    pub yuv: YuvHints,
}

impl Layout {
    /// A frame's. The error is in words.
    pub fn of(format: &VideoFormat, picture: &dyn DmabufPicture) -> Result<Self, String> {
        let mut planes = [(0, 0); 3];
        for (index, (place, _)) in planes.iter_mut().zip(format.pixel.planes()).enumerate() {
            let plane = picture.plane(index).ok_or_else(|| format!("plane {index} is missing"))?;
            *place = (plane.offset, plane.stride);
        }
        let color = format.color;
        let yuv = YuvHints { matrix: color.matrix, range: color.range, siting: color.siting };
        Ok(Self { pixel: format.pixel, coded: format.coded, modifier: picture.modifier(), planes, yuv })
    }

    /// Whether every row of every plane lies inside the memory it is said to be in. `lengths` are those of the planes'
    /// memory, in bytes.
    pub fn check(&self, lengths: [u64; 3]) -> Result<(), String> {
        for (index, layout) in self.pixel.planes().iter().enumerate() {
            let ((offset, stride), length) = (self.planes[index], lengths[index]);
            let size = layout.size(self.coded);
            let row = u64::from(size.width) * layout.texel_bytes() as u64;
            let (offset, stride) = (u64::from(offset), u64::from(stride));
            // Only the driver knows how tiles lie; it checks them.
            let (row, rows) = if self.modifier == MODIFIER_LINEAR { (row, u64::from(size.height)) } else { (1, 1) };
            if row == 0 || rows == 0 {
                return Err(format!("plane {index} is empty"));
            }
            if stride < row {
                return Err(format!("plane {index}'s rows have {row} bytes, {stride} apart"));
            }
            let end = offset + stride * (rows - 1) + row;
            if end > length {
                return Err(format!("plane {index} ends at byte {end} of {length}"));
            }
        }
        Ok(())
    }
}

/// The planes of a picture in dma-bufs, as a list with room for three.
pub struct Planes<'a> {
    planes: [Option<DmabufPlane<'a>>; 3],
}

impl<'a> Planes<'a> {
    pub fn of(pixel: PixelFormat, picture: &'a dyn DmabufPicture) -> Self {
        let count = pixel.planes().len();
        Self { planes: [0, 1, 2].map(|it| picture.plane(it).filter(|_| it < count)) }
    }

    /// Those there are.
    pub fn iter(&self) -> impl Iterator<Item = DmabufPlane<'a>> {
        self.planes.iter().copied().flatten()
    }

    /// How long the memory of each is, in bytes; nothing where nobody knows.
    pub fn lengths(&self) -> [u64; 3] {
        self.planes.map(|it| it.map_or(0, |it| length(it.fd)))
    }
}

/// A dma-buf's length: seeking to its end is how the kernel tells.
fn length(fd: BorrowedFd<'_>) -> u64 {
    lseek(fd, 0, Whence::SeekEnd).ok().and_then(|it| u64::try_from(it).ok()).unwrap_or(0)
}

/// A picture in dma-bufs in the words that a driver's author would ask for.
pub fn in_words(format: &VideoFormat, picture: &dyn DmabufPicture) -> String {
    let planes = Planes::of(format.pixel, picture);
    let modifier = picture.modifier();
    let mut words = format!("{} {}", format.pixel.name(), format.coded);
    let count = planes.iter().count();
    // Writing to a String cannot fail.
    let _ = write!(words, ", {count} planes, modifier 0x{modifier:x}");
    for (plane, length) in planes.iter().zip(planes.lengths()) {
        let (fd, offset, stride) = (plane.fd.as_raw_fd(), plane.offset, plane.stride);
        let _ = write!(words, ", fd {fd} of {length} bytes: offset {offset}, stride {stride}");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::color::{ChromaSiting, Matrix, Range};

    const YUV: YuvHints = YuvHints { matrix: Matrix::Bt709, range: Range::Limited, siting: ChromaSiting::Left };

    #[track_caller]
    fn check(change: impl Fn(&mut Layout), lengths: [u64; 3], want: Result<(), &str>) {
        // 5x3, so chroma is 3x2: luma is 2 * 8 + 5 bytes, chroma of two components 8 + 6 from byte 24 on.
        let (coded, modifier) = (Size::new(5, 3), MODIFIER_LINEAR);
        let planes = [(0, 8), (24, 8), (0, 0)];
        let mut it = Layout { pixel: PixelFormat::Nv12, coded, modifier, planes, yuv: YUV };
        change(&mut it);
        assert_eq!(it.check(lengths).as_ref().map_err(String::as_str), want.as_ref().map_err(|it| *it).map(|()| &()));
    }

    #[test]
    fn the_last_row_may_end_with_the_memory() {
        check(|_| {}, [21, 38, 0], Ok(()));
        check(|_| {}, [20, 38, 0], Err("plane 0 ends at byte 21 of 20"));
        check(|_| {}, [21, 37, 0], Err("plane 1 ends at byte 38 of 37"));
        check(|it| it.planes[1].0 = u32::MAX, [21, 38, 0], Err("plane 1 ends at byte 4294967309 of 38"));
    }

    #[test]
    fn rows_do_not_overlap() {
        check(|it| it.planes[0].1 = 4, [64, 64, 0], Err("plane 0's rows have 5 bytes, 4 apart"));
        check(|it| it.planes[1].1 = 0, [64, 64, 0], Err("plane 1's rows have 6 bytes, 0 apart"));
        check(|it| it.planes = [(u32::MAX, u32::MAX); 3], [64, 64, 0], Err("plane 0 ends at byte 12884901890 of 64"));
    }

    #[test]
    fn there_is_something_to_see() {
        check(|it| it.coded.width = 0, [64, 64, 0], Err("plane 0 is empty"));
        check(|it| it.coded.height = 0, [64, 64, 0], Err("plane 0 is empty"));
    }

    #[test]
    fn tiles_are_for_the_driver_to_check_but_not_where_there_is_no_memory() {
        check(|it| it.modifier = 7, [1, 25, 0], Ok(()));
        check(|it| it.modifier = 7, [1, 24, 0], Err("plane 1 ends at byte 25 of 24"));
    }
}
