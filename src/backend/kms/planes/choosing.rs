//! Asking the hardware which arrangement of planes it takes, once for each configuration.
use std::io;

use drm::buffer::DrmFourcc;
use drm::control::AtomicCommitFlags;

use crate::backend::kms::planes::ability::VideoPlane;
use crate::backend::kms::planes::config::{Config, Pixels};
use crate::backend::kms::planes::{Choice, Planes, Refusal};
use crate::base::format::PlaneLayout;
use crate::base::frame::VideoFormat;
use crate::logic::plane_choice::{self, Arrangement, PlaneFacts};
use crate::seam::interop::Place;
use crate::sys::kms::DumbPicture;

/// Configurations that are remembered: those of a playlist's films, with and without something above.
const MOST_KNOWN: usize = 32;

impl Planes {
    /// Whether frames of such a format, rows one after the other, could be shown in such a place. The hardware is asked
    /// with a picture that says nothing.
    pub fn would_accept(&mut self, format: &VideoFormat, place: &Place) -> Result<(), Refusal> {
        let pixels = Pixels::in_rows(format).map_err(Refusal::Never)?;
        let config = Config::with(pixels, format, place, false).map_err(Refusal::Never)?;
        let planes = format.pixel.planes();
        let rows = planes.iter().map(|it| it.size(format.coded).height);
        let bytes = |it: &PlaneLayout| it.size(format.coded).width.saturating_mul(it.texel_bytes() as u32);
        let row = planes.iter().map(bytes).max().unwrap_or(0);
        let blank = DumbPicture::blank(self.device.card(), format.coded, pixels.fourcc, row, rows);
        let blank = blank.map_err(|it| Refusal::Never(format!("a framebuffer of such a picture: {it}")))?;
        self.choose(&config, blank.framebuffer().id(), None).map(drop)
    }

    pub(super) fn choose(
        &mut self,
        config: &Config,
        framebuffer: u64,
        above: Option<(u64, DrmFourcc)>,
    ) -> Result<Arrangement, Refusal> {
        if let Some((_, known)) = self.known.iter().find(|it| it.0 == *config) {
            return known.clone().map_err(Refusal::Never);
        }
        let found = self.ask(config, framebuffer, above).map_err(Refusal::Now)?;
        let letters = plane_choice::letters(config.pixels.fourcc as u32);
        match &found {
            Ok(it) => log::info!("planes: {letters} {} goes {it}", config.pixels.coded),
            Err(what) => log::info!("planes: {letters} {}: cannot take {what}", config.pixels.coded),
        }
        if self.known.len() == MOST_KNOWN {
            let _oldest = self.known.remove(0);
        }
        self.known.push((*config, found.clone()));
        found.map_err(Refusal::Never)
    }

    /// Asks the hardware which arrangement it takes. The inner error names what it cannot take; the outer one says why it
    /// cannot be asked.
    fn ask(
        &mut self,
        config: &Config,
        framebuffer: u64,
        above: Option<(u64, DrmFourcc)>,
    ) -> io::Result<Result<Arrangement, String>> {
        if !self.device.is_master() {
            return Err(io::Error::from_raw_os_error(libc::EACCES));
        }
        let facts = self.look()?;
        let arrangements = match plane_choice::arrangements(&facts, &config.need(above.map(|it| it.1))) {
            Ok(arrangements) => arrangements,
            Err(what) => return Ok(Err(what)),
        };
        let mut refusal = None;
        for arrangement in arrangements {
            match self.test(Choice { config: *config, arrangement }, framebuffer, above.map(|it| it.0)) {
                Ok(()) => {
                    self.claim(&arrangement);
                    return Ok(Ok(arrangement));
                }
                Err(error) if is_refusal(&error) && !is_passing(&error) => {
                    log::debug!("planes: not {arrangement:?}: {error}");
                    refusal.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        let why = refusal.map_or_else(String::new, |it| it.to_string());
        Ok(Err(config.scaling().unwrap_or_else(|| format!("such a frame: {why}"))))
    }

    /// What the output's planes offer; asks the kernel once for each mode.
    fn look(&mut self) -> io::Result<Vec<PlaneFacts>> {
        let stage = self.stage.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        if stage.planes.is_empty() {
            let topology = self.device.topology();
            let bit = topology.crtc_bit(stage.pipe.crtc());
            let own = stage.pipe.plane();
            let fitting =
                topology.planes.iter().filter(|it| it.crtcs & bit != 0 && (it.is_overlay || it.handle == own));
            stage.planes = fitting.map(|it| VideoPlane::of(self.device.card(), it)).collect::<io::Result<_>>()?;
        }
        let facts =
            |it: &VideoPlane| PlaneFacts { is_taken: self.device.has_other(self.slot, it.handle), ..it.facts.clone() };
        Ok(stage.planes.iter().map(facts).collect())
    }

    fn test(&mut self, choice: Choice, framebuffer: u64, above: Option<u64>) -> io::Result<()> {
        let mut request = std::mem::take(&mut self.request);
        request.clear();
        let mut flags = AtomicCommitFlags::TEST_ONLY;
        if self.is_dark {
            flags |= AtomicCommitFlags::ALLOW_MODESET;
        }
        let written = self.write(&mut request, choice, framebuffer, above, self.is_dark);
        let tested = written.and_then(|()| request.commit(self.device.card(), flags).map(drop));
        self.request = request;
        tested
    }

    fn claim(&self, arrangement: &Arrangement) {
        for overlay in self.overlays(arrangement).into_iter().flatten() {
            self.device.claim(self.slot, overlay);
        }
    }
}

/// By these the kernel refuses an arrangement; by others it refuses us, or has to be asked again
/// (`Documentation/gpu/drm-kms.rst`, and what vc4 says when its line buffers are full).
pub fn is_refusal(error: &io::Error) -> bool {
    let refusals = [libc::EINVAL, libc::ERANGE, libc::ENOSPC, libc::E2BIG, libc::EOPNOTSUPP, libc::ENOMEM];
    error.raw_os_error().is_some_and(|it| refusals.contains(&it))
}

/// These say nothing of what was asked for: the kernel has no memory or descriptors left, is at something else, or was
/// interrupted. It is to be asked again.
pub fn is_passing(error: &io::Error) -> bool {
    let passing = [libc::ENOMEM, libc::EMFILE, libc::ENFILE, libc::EBUSY, libc::EAGAIN, libc::EINTR];
    error.raw_os_error().is_some_and(|it| passing.contains(&it))
}
