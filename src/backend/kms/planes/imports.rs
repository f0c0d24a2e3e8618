//! Framebuffers made of decoders' buffers, kept from frame to frame by the buffers' names.
use std::rc::Rc;

use crate::backend::kms::planes::config::Pixels;
use crate::backend::kms::planes::{Refusal, is_passing};
use crate::base::dmabuf::{BufferId, DmabufPlane, Import, Lease};
use crate::sys::kms::{DmabufLayout, Framebuffer, Importer, MOST_PLANES};

/// A buffer's framebuffer.
#[derive(Debug)]
pub struct Imported {
    /// Removed before the pool is told that its buffer is imported no more.
    framebuffer: Framebuffer,
    import: Import,
    id: BufferId,
    shape: Shape,
}

impl Imported {
    /// What FB_ID takes.
    pub fn framebuffer(&self) -> u64 {
        self.framebuffer.id()
    }
}

/// What a framebuffer was made for: a pool may give the same memory to pictures of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    pixels: Pixels,
    /// Offset and stride of each plane.
    planes: [Option<(u32, u32)>; MOST_PLANES],
}

/// All of an output's. What is on the screen is held by who waits for it to leave, too, and so is never removed there.
#[derive(Debug, Default)]
pub struct Imports(Vec<Rc<Imported>>);

impl Imports {
    /// The framebuffer of a frame's buffer.
    pub fn of(
        &mut self,
        lease: &Lease,
        pixels: &Pixels,
        importer: &Importer,
        modifiers: bool,
    ) -> Result<Rc<Imported>, Refusal> {
        let picture = lease.picture();
        let planes: [Option<DmabufPlane<'_>>; MOST_PLANES] = std::array::from_fn(|it| picture.plane(it));
        let shape = Shape { pixels: *pixels, planes: planes.map(|it| it.map(|it| (it.offset, it.stride))) };
        let id = lease.id();
        if let Some(at) = self.0.iter().position(|it| it.id == id) {
            if self.0[at].shape == shape {
                return Ok(Rc::clone(&self.0[at]));
            }
            self.0.swap_remove(at);
        }
        if lease.pool().is_retiring() {
            // It would stay on the screen until another comes, and its decoder waits for it.
            return Err(Refusal::Late);
        }
        let import = Import::new(lease);
        let modifier = pixels.modifier_for(modifiers);
        let layout = DmabufLayout { size: pixels.coded, fourcc: pixels.fourcc, modifier, planes };
        let framebuffer = importer.import(&layout).map_err(|error| refusal(&shape, &error))?;
        let imported = Rc::new(Imported { framebuffer, import, id, shape });
        self.0.push(Rc::clone(&imported));
        Ok(imported)
    }

    /// Lets go of those whose memory is wanted back.
    pub fn tidy(&mut self) {
        self.0.retain(|it| !it.import.pool().is_retiring());
    }

    /// Lets go of all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// A kernel without memory or descriptors says nothing of the picture.
fn refusal(shape: &Shape, error: &std::io::Error) -> Refusal {
    let words = describe(shape, error);
    if is_passing(error) { Refusal::Short(words) } else { Refusal::Never(words) }
}

fn describe(shape: &Shape, error: &std::io::Error) -> String {
    let letters = crate::logic::plane_choice::letters(shape.pixels.fourcc as u32);
    let planes: Vec<String> =
        shape.planes.iter().flatten().map(|(offset, stride)| format!("{stride} from {offset}")).collect();
    let Pixels { coded, modifier, .. } = shape.pixels;
    let planes = planes.join(", ");
    format!("a framebuffer of {letters} {coded}, modifier {modifier:#x}, rows of {planes} bytes: {error}")
}
