//! What a GL context can import, found out format by format, and imports by these findings.
//!
//! Each format is tried out when somebody first asks for it: a trial compiles programs and waits for what they draw, and a
//! film has one format, if it is drawn at all. What came out stands for as long as the context.
use std::cell::OnceCell;
use std::rc::Rc;

use super::NAME;
use super::draw::{Drawing, LastDraw};
use super::formats::{self, FORMATS};
use super::importer::{EglImporter, ImportError, Importer};
use super::layout::{Layout, Planes};
use super::pattern;
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
    /// What trials are made with.
    heap: Rc<Heap>,
    styles: Styles,
    /// In the order of `FORMATS`; empty: not tried yet.
    verdicts: [OnceCell<Verdict>; FORMATS.len()],
    tools: OnceCell<Tools>,
}

/// What trials, and the ends of imports, are drawn with: made for the first trial, and without one there are no imports.
struct Tools {
    drawing: Drawing,
    last_draw: LastDraw,
}

impl std::fmt::Debug for Imports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Imports").field("verdicts", &self.verdicts).finish_non_exhaustive()
    }
}

impl Imports {
    /// Imports for the context current on this thread, which must be on `display`. Nothing is tried yet. The error says why
    /// nothing can be.
    pub fn open(gl: &Rc<Context>, display: &Display) -> Result<Rc<Self>, String> {
        if !display.has_extension(EXTENSION) {
            return Err(format!("this EGL has no {EXTENSION}"));
        }
        if is_dangerous(display.platform_name(), gl.renderer(), gl.version()) {
            return Err(format!("{} would crash; install Mesa {MESA_WITH_WHOLE_RASTERISER}", gl.renderer()));
        }
        let heap = Heap::find(Placement::Anywhere).map_err(|it| format!("nothing to try imports with: {it}"))?;
        let importer = Box::new(EglImporter::new(Rc::clone(gl), display.clone()));
        Ok(Rc::new(Self::new(gl, importer, &Rc::new(heap), Styles::Auto)))
    }

    /// The same with every format tried out. The error says why none can be imported.
    pub fn open_tried(gl: &Rc<Context>, display: &Display) -> Result<Rc<Self>, String> {
        let it = Self::open(gl, display)?;
        it.try_all()?;
        Ok(it)
    }

    /// Tries out an importer, with memory of `heap`. The error says why it can import nothing.
    pub fn tried(
        gl: &Rc<Context>,
        importer: Box<dyn Importer>,
        heap: &Rc<Heap>,
        styles: Styles,
    ) -> Result<Rc<Self>, String> {
        let it = Self::new(gl, importer, heap, styles);
        it.try_all()?;
        Ok(Rc::new(it))
    }

    fn new(gl: &Rc<Context>, importer: Box<dyn Importer>, heap: &Rc<Heap>, styles: Styles) -> Self {
        let (verdicts, tools) = (Default::default(), OnceCell::new());
        Self { gl: Rc::clone(gl), importer, heap: Rc::clone(heap), styles, verdicts, tools }
    }

    fn try_all(&self) -> Result<(), String> {
        for pixel in FORMATS {
            self.verdict(pixel).map_err(|it| it.to_string())?;
        }
        if self.verdicts().any(|it| it.sampling.is_some()) {
            return Ok(());
        }
        // Each format has its own reasons, in the log; where nothing works they are mostly the same.
        let first = self.verdicts().next().map_or_else(String::new, ToString::to_string);
        Err(format!("no import shows what is in the buffer: {first}"))
    }

    /// What comes out for a format, tried out now if it was not before; `None`: there is nothing to try. A trial waits for
    /// the GPU. An error says nothing of the format: it was not tried.
    pub fn verdict(&self, pixel: PixelFormat) -> Result<Option<&Verdict>, ImportError> {
        let Some(cell) = FORMATS.iter().position(|it| *it == pixel).map(|it| &self.verdicts[it]) else {
            return Ok(None);
        };
        if let Some(it) = cell.get() {
            return Ok(Some(it));
        }
        let tools = self.tools()?;
        let tried = Trial::new(&*self.importer, &self.heap, &tools.drawing).verdict(pixel, self.styles);
        // Nothing of a trial outlives it: a driver that still lets go of its buffer, on a thread of its own, when the next
        // is imported may keep that one.
        tools.last_draw.draw();
        self.gl.finish();
        let verdict = tried?;
        log::debug!("{NAME}: {verdict}");
        Ok(Some(cell.get_or_init(|| verdict)))
    }

    /// Tries out a format before anybody asks, where that takes a refresh or two. Where the CPU draws, compiling what a trial
    /// draws with takes longer than opening everything else: that is left until the answer is wanted.
    pub fn prepare(&self, pixel: PixelFormat) {
        if !is_software(self.gl.renderer()) {
            // What comes out is asked for again, and said then.
            let _tried = self.verdict(pixel);
        }
    }

    fn tools(&self) -> Result<&Tools, ImportError> {
        if let Some(it) = self.tools.get() {
            return Ok(it);
        }
        let made = Tools { drawing: Drawing::new(&self.gl, pattern::SIZE)?, last_draw: LastDraw::new(&self.gl)? };
        Ok(self.tools.get_or_init(|| made))
    }

    /// The context.
    pub fn gl(&self) -> &Rc<Context> {
        &self.gl
    }

    /// Textures were deleted, and their memory is to go with them.
    pub fn forget_deleted(&self) {
        if let Some(it) = self.tools.get() {
            it.last_draw.draw();
        }
    }

    /// Whether the GPU has done what it was asked before `fence`. It is taken for dead where nobody can say.
    pub fn has_passed(&self, fence: &Fence) -> Result<bool, ImportError> {
        self.importer.has_passed(fence)
    }

    /// The formats that come out right, or may: those that were not tried yet are among them.
    pub fn formats(&self) -> &'static [PixelFormat] {
        let tried = |pixel| self.verdicts().find(|it| it.pixel == pixel);
        formats::subset(|it| tried(it).is_none_or(|it| it.sampling.is_some()))
    }

    /// What came out for each format that was tried.
    pub fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().filter_map(OnceCell::get)
    }

    /// Each format, tried out if it was not before, and as its parts how its pixels may lie.
    pub fn describe(&self) -> Vec<Capability> {
        if let Err(why) = self.try_all() {
            log::debug!("{NAME}: {why}");
        }
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
        self.verdicts().map(format).collect()
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

/// Whether the CPU does what a GPU should, in Mesa's ways to do that.
fn is_software(renderer: &str) -> bool {
    ["llvmpipe", "softpipe", "swrast"].iter().any(|it| renderer.contains(it))
}

/// Whether importing would end the process.
fn is_dangerous(platform: &str, renderer: &str, version: &str) -> bool {
    let major = version.split("Mesa ").nth(1).and_then(|it| it.split('.').next()).and_then(|it| it.parse::<u32>().ok());
    platform == "gbm" && is_software(renderer) && major.is_none_or(|it| it < MESA_WITH_WHOLE_RASTERISER)
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
