//! Cards to test on: the one vkms makes by itself, and others made through configfs
//! (`Documentation/gpu/vkms.rst`).
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use drm::Device as _;

const CONFIGFS: &str = "/sys/kernel/config/vkms";

/// A node opened beside the player.
pub struct Node(File);

impl AsFd for Node {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
impl drm::Device for Node {}
impl drm::control::Device for Node {}

impl Node {
    pub fn open(path: &Path) -> Self {
        Self(File::options().read(true).write(true).open(path).unwrap())
    }
}

/// What this machine has.
pub struct Surroundings {
    /// vkms's own card.
    pub vkms: PathBuf,
}

impl Surroundings {
    /// Or why the cases cannot run.
    pub fn find() -> Result<Self, &'static str> {
        let folder = std::fs::read_dir("/dev/dri").map_err(|_| "there is no /dev/dri (run it on the virtual board)")?;
        let mut nodes: Vec<PathBuf> = folder.flatten().map(|it| it.path()).collect();
        nodes.sort();
        let is_vkms = |it: &PathBuf| {
            let is_card = it.file_name().is_some_and(|it| it.to_string_lossy().starts_with("card"));
            let Ok(file) = File::options().read(true).write(true).open(it) else { return false };
            is_card && Node(file).get_driver().is_ok_and(|it| it.name() == "vkms")
        };
        let vkms = nodes.into_iter().find(is_vkms).ok_or("there is no vkms card (run it on the virtual board)")?;
        Ok(Self { vkms })
    }
}

/// A card with two outputs, as the Raspberry Pi 4 has. Gone when dropped.
pub struct TwoHeads {
    folder: PathBuf,
}

impl TwoHeads {
    /// `None` where the kernel cannot make cards, or configfs is not mounted.
    pub fn new(name: &str) -> Option<Self> {
        Self::made(name, false)
    }

    /// The same, with an overlay that both outputs can have.
    pub fn with_overlay(name: &str) -> Option<Self> {
        Self::made(name, true)
    }

    fn made(name: &str, has_overlay: bool) -> Option<Self> {
        let folder = Path::new(CONFIGFS).join(name);
        std::fs::create_dir(&folder).ok()?;
        for head in 0..2 {
            let at = |kind: &str, name: &str| folder.join(kind).join(format!("{name}{head}"));
            let (plane, crtc) = (at("planes", "primary"), at("crtcs", "crtc"));
            let (encoder, connector) = (at("encoders", "encoder"), at("connectors", "hdmi"));
            for it in [&plane, &crtc, &encoder, &connector] {
                std::fs::create_dir(it).unwrap();
            }
            std::fs::write(plane.join("type"), "1").unwrap();
            std::fs::write(crtc.join("writeback"), "1").unwrap();
            symlink(&crtc, plane.join("possible_crtcs/crtc")).unwrap();
            symlink(&crtc, encoder.join("possible_crtcs/crtc")).unwrap();
            symlink(&encoder, connector.join("possible_encoders/encoder")).unwrap();
        }
        if has_overlay {
            let overlay = folder.join("planes/overlay");
            std::fs::create_dir(&overlay).unwrap();
            std::fs::write(overlay.join("type"), "0").unwrap();
            for head in 0..2 {
                let crtc = folder.join(format!("crtcs/crtc{head}"));
                symlink(crtc, overlay.join(format!("possible_crtcs/crtc{head}"))).unwrap();
            }
        }
        Some(Self { folder })
    }

    /// The card comes into being.
    pub fn enable(&self) {
        std::fs::write(self.folder.join("enabled"), "1").unwrap();
    }

    /// A display is plugged in or pulled out.
    pub fn plug(&self, head: usize, connected: bool) {
        let status = self.folder.join(format!("connectors/hdmi{head}/status"));
        std::fs::write(status, if connected { "1" } else { "2" }).unwrap();
    }
}

impl Drop for TwoHeads {
    fn drop(&mut self) {
        let _ = std::fs::write(self.folder.join("enabled"), "0");
        for head in 0..2 {
            let _ = std::fs::remove_file(self.folder.join(format!("planes/overlay/possible_crtcs/crtc{head}")));
        }
        let _ = std::fs::remove_dir(self.folder.join("planes/overlay"));
        for head in 0..2 {
            for link in [
                format!("planes/primary{head}/possible_crtcs/crtc"),
                format!("encoders/encoder{head}/possible_crtcs/crtc"),
                format!("connectors/hdmi{head}/possible_encoders/encoder"),
            ] {
                let _ = std::fs::remove_file(self.folder.join(link));
            }
            for kind in ["connectors/hdmi", "encoders/encoder", "crtcs/crtc", "planes/primary"] {
                let _ = std::fs::remove_dir(self.folder.join(format!("{kind}{head}")));
            }
        }
        let _ = std::fs::remove_dir(&self.folder);
    }
}
