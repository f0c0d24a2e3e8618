//! GL contexts to test on: one without a card, and one on vkms's.
use std::fs::File;
use std::rc::Rc;

use drm::Device as _;
use lucarne::backend::dmabuf::{DmabufInterop, EglImporter, Importer, Imports, Styles};
use lucarne::sys::dmabuf::{Heap, Placement};
use lucarne::sys::egl::{self, Display};
use lucarne::sys::gl::{Api, Context};

use crate::dmabuf_frames::DmabufFrames;
use crate::stage::Stage;

/// What is behind the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Surfaceless,
    GbmOnVkms,
}

pub const KINDS: [Kind; 2] = [Kind::Surfaceless, Kind::GbmOnVkms];

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Surfaceless => "surfaceless",
            Kind::GbmOnVkms => "gbm_on_vkms",
        }
    }
}

/// A context of a kind, and memory.
pub struct Place {
    display: Display,
    gl: Rc<Context>,
    pub heap: Rc<Heap>,
}

/// A card's node.
struct Node(File);

impl std::os::fd::AsFd for Node {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}
impl drm::Device for Node {}

fn vkms() -> Result<Rc<File>, String> {
    let missing = || "there is no vkms card (run it on the virtual board)".to_owned();
    let folder = std::fs::read_dir("/dev/dri").map_err(|_| missing())?;
    let is_card = |it: &std::fs::DirEntry| it.file_name().to_string_lossy().starts_with("card");
    let open = |it: std::fs::DirEntry| File::options().read(true).write(true).open(it.path()).ok();
    let is_vkms = |it: &File| Node(it.try_clone().unwrap()).get_driver().is_ok_and(|it| it.name() == "vkms");
    folder.flatten().filter(is_card).filter_map(open).find(is_vkms).map(Rc::new).ok_or_else(missing)
}

impl Place {
    /// Or why there is none.
    pub fn find(kind: Kind) -> Result<Self, String> {
        let words = |it: egl::EglError| it.to_string();
        let display = match kind {
            Kind::Surfaceless => Display::surfaceless().map_err(words)?,
            Kind::GbmOnVkms => {
                let device = gbm::Device::new(vkms()?).map_err(|it| it.to_string())?;
                Display::of_gbm(&device).map_err(words)?
            }
        };
        let extension = "EGL_EXT_image_dma_buf_import";
        if !display.has_extension(extension) {
            return Err(format!("this EGL has no {extension} (run it on the virtual board)"));
        }
        let heap = Rc::new(Heap::find(Placement::Anywhere)?);
        let config = display.choose_config(Api::Gles3, false, None).map_err(words)?;
        let context = egl::Context::new(&display, config, Api::Gles3).map_err(words)?;
        let gl = Context::new(context).map_err(|it| it.to_string())?;
        Ok(Self { display, gl, heap })
    }

    pub fn stage(&self) -> Stage {
        Stage::on(Rc::clone(&self.gl))
    }

    /// EGL's imports.
    pub fn importer(&self) -> Box<dyn Importer> {
        Box::new(EglImporter::new(Rc::clone(&self.gl), self.display.clone()))
    }

    /// What came out of trials of an importer.
    pub fn tried(&self, importer: Box<dyn Importer>, styles: Styles) -> Result<Rc<Imports>, String> {
        Imports::tried(&self.gl, importer, &self.heap, styles)
    }

    /// An interop as a screen of the player has it.
    pub fn interop(&self) -> DmabufInterop {
        DmabufInterop::new(Imports::open(&self.gl, &self.display).unwrap())
    }

    /// An empty pool.
    pub fn frames(&self) -> DmabufFrames {
        DmabufFrames::new(Rc::clone(&self.heap))
    }

    /// What the player's own trial finds.
    pub fn imports(&self) -> Rc<Imports> {
        Imports::open(&self.gl, &self.display).unwrap()
    }
}
