//! What a GL context can import, found out once, and imports by these findings.
use std::rc::Rc;

use super::NAME;
use super::draw::LastDraw;
use super::formats::{self, FORMATS};
use super::importer::{EglImporter, ImportError, Importer};
use super::layout::{Layout, Planes};
use super::trial::{Styles, Trial, Verdict};
use crate::base::capability::Capability;
use crate::base::dmabuf::{DmabufPlane, MODIFIER_LINEAR};
use crate::base::format::PixelFormat;
use crate::seam::interop::Sampling;
use crate::sys::dmabuf::{Heap, Placement};
use crate::sys::egl::{Display, DmaBuf, DmaBufModifier, ImageTexture};
use crate::sys::gl::{Context, Fence, TextureTarget};

const EXTENSION: &str = "EGL_EXT_image_dma_buf_import";
/// Mesa's software rasteriser draws what it imports into a display's own memory only, and ends the process when it draws
/// anything else; from this version on it does not.
const MESA_WITH_WHOLE_RASTERISER: u32 = 26;

/// Imports of one GL context, shared by its screens.
pub struct Imports {
    gl: Rc<Context>,
    importer: Box<dyn Importer>,
    verdicts: Vec<Verdict>,
    formats: &'static [PixelFormat],
    last_draw: LastDraw,
}

impl std::fmt::Debug for Imports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Imports").field("verdicts", &self.verdicts).finish_non_exhaustive()
    }
}

impl Imports {
    /// Tries out what the context current on this thread can do; it must be on `display`. The error says why it can do
    /// nothing.
    pub fn open(gl: &Rc<Context>, display: &Display) -> Result<Rc<Self>, String> {
        if !display.has_extension(EXTENSION) {
            return Err(format!("this EGL has no {EXTENSION}"));
        }
        if is_dangerous(display.platform_name(), gl.renderer(), gl.version()) {
            return Err(format!("{} would crash; install Mesa {MESA_WITH_WHOLE_RASTERISER}", gl.renderer()));
        }
        let heap = Heap::find(Placement::Anywhere).map_err(|it| format!("nothing to try imports with: {it}"))?;
        let importer = Box::new(EglImporter::new(Rc::clone(gl), display.clone()));
        Self::tried(gl, importer, &heap, Styles::Auto)
    }

    /// Tries out an importer, with memory of `heap`.
    pub fn tried(
        gl: &Rc<Context>,
        importer: Box<dyn Importer>,
        heap: &Heap,
        styles: Styles,
    ) -> Result<Rc<Self>, String> {
        let lost = |it| match it {
            ImportError::ContextLost => "the GL context was lost".to_owned(),
            ImportError::Refused(why) => why,
        };
        let last_draw = LastDraw::new(gl).map_err(|it| it.to_string())?;
        let trial = Trial::new(gl, &*importer, heap).map_err(lost)?;
        let verdicts: Result<Vec<Verdict>, ImportError> = FORMATS.iter().map(|it| trial.verdict(*it, styles)).collect();
        drop(trial);
        last_draw.draw();
        let verdicts = verdicts.map_err(lost)?;
        for it in &verdicts {
            log::debug!("{NAME}: {it}");
        }
        let works = |pixel| verdicts.iter().any(|it: &Verdict| it.pixel == pixel && it.sampling.is_some());
        let formats = formats::subset(works);
        if formats.is_empty() {
            // Each format has its own reasons, in the log; where nothing works they are mostly the same.
            let first = verdicts.first().map_or_else(String::new, ToString::to_string);
            return Err(format!("no import shows what is in the buffer: {first}"));
        }
        Ok(Rc::new(Self { gl: Rc::clone(gl), importer, verdicts, formats, last_draw }))
    }

    /// The context.
    pub fn gl(&self) -> &Rc<Context> {
        &self.gl
    }

    /// Textures were deleted, and their memory is to go with them.
    pub fn forget_deleted(&self) {
        self.last_draw.draw();
    }

    /// Whether the GPU has done what it was asked before `fence`. It is taken for dead where nobody can say.
    pub fn has_passed(&self, fence: &Fence) -> Result<bool, ImportError> {
        self.importer.has_passed(fence)
    }

    /// The formats that come out right.
    pub fn formats(&self) -> &'static [PixelFormat] {
        self.formats
    }

    /// What came out for each format that was tried, for `probe`.
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    /// What came out for one; `None`: it was not tried.
    pub fn verdict(&self, pixel: PixelFormat) -> Option<&Verdict> {
        self.verdicts.iter().find(|it| it.pixel == pixel)
    }

    /// Each format that was tried, and as its parts how its pixels may lie.
    pub fn describe(&self) -> Vec<Capability> {
        let part = |it: &DmaBufModifier| {
            let how = if it.external_only { "external textures only" } else { "any texture" };
            Capability::yes(format!("modifier 0x{:x}", it.modifier), how)
        };
        let format = |it: &Verdict| {
            let fourcc = formats::of_picture(it.pixel);
            let modifiers = fourcc.map(|it| self.importer.modifiers(it)).unwrap_or_default();
            let works = it.sampling.is_some();
            Capability { works, ..Capability::yes(it.pixel.name(), it.reason.as_str()) }
                .with(modifiers.iter().map(part).collect())
        };
        self.verdicts.iter().map(format).collect()
    }

    /// Whether the driver knows pixels to lie so. Rows one after the other are what the trial was made with.
    pub fn check_modifier(&self, layout: &Layout, sampling: Sampling) -> Result<(), String> {
        let modifier = layout.modifier;
        if modifier == MODIFIER_LINEAR {
            return Ok(());
        }
        let is_whole = sampling == Sampling::External;
        let planes = layout.pixel.planes().iter().map(|it| formats::of_plane(*it, sampling));
        let whole = is_whole.then(|| formats::of_picture(layout.pixel));
        for fourcc in planes.filter(|_| !is_whole).chain(whole).flatten() {
            let known = self.importer.modifiers(fourcc);
            if !known.iter().any(|it| it.modifier == modifier && (is_whole || !it.external_only)) {
                return Err(format!("{} cannot be imported with modifier 0x{modifier:x}", formats::name(fourcc)));
            }
        }
        Ok(())
    }

    /// Textures of a picture whose layout has been checked.
    pub fn import(
        &self,
        layout: &Layout,
        planes: &Planes<'_>,
        sampling: Sampling,
    ) -> Result<[Option<ImageTexture>; 3], ImportError> {
        let none = || ImportError::Refused("there is no such DRM format".to_owned());
        let modifier = Some(layout.modifier);
        let mut textures = [None, None, None];
        if sampling == Sampling::External {
            let fourcc = formats::of_picture(layout.pixel).ok_or_else(none)?;
            let planes: Vec<DmabufPlane<'_>> = planes.iter().collect();
            let picture = DmaBuf { size: layout.coded, fourcc, modifier, planes: &planes, yuv: Some(layout.yuv) };
            textures[0] = Some(self.importer.import(&picture, TextureTarget::External)?);
            return Ok(textures);
        }
        for ((texture, plane), of) in textures.iter_mut().zip(planes.iter()).zip(layout.pixel.planes()) {
            let fourcc = formats::of_plane(*of, sampling).ok_or_else(none)?;
            let size = of.size(layout.coded);
            let picture = DmaBuf { size, fourcc, modifier, planes: &[plane], yuv: None };
            *texture = Some(self.importer.import(&picture, TextureTarget::D2)?);
        }
        Ok(textures)
    }
}

/// Whether importing would end the process.
fn is_dangerous(platform: &str, renderer: &str, version: &str) -> bool {
    let is_software = ["llvmpipe", "softpipe", "swrast"].iter().any(|it| renderer.contains(it));
    let major = version.split("Mesa ").nth(1).and_then(|it| it.split('.').next()).and_then(|it| it.parse::<u32>().ok());
    platform == "gbm" && is_software && major.is_none_or(|it| it < MESA_WITH_WHOLE_RASTERISER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_old_software_rasteriser_on_a_card_is_dangerous() {
        let llvmpipe = "llvmpipe (LLVM 19.1.7, 256 bits)";
        assert!(is_dangerous("gbm", llvmpipe, "OpenGL ES 3.2 Mesa 25.0.7-2"));
        assert!(!is_dangerous("gbm", llvmpipe, "OpenGL ES 3.2 Mesa 26.1.6-1~bpo13+1"));
        assert!(!is_dangerous("surfaceless", llvmpipe, "OpenGL ES 3.2 Mesa 25.0.7-2"));
        assert!(!is_dangerous("gbm", "V3D 4.2", "OpenGL ES 3.1 Mesa 24.2.8-1"));
    }
}
