//! Textures by the buffer's name, for the buffer's life.
use crate::base::dmabuf::{BufferId, Import};
use crate::seam::interop::{Sampling, TextureId};
use crate::sys::egl::ImageTexture;

use super::layout::Layout;

/// Buffers kept at most: what two decoders' pools and a screen's queue have, and as many again. Beyond it, the one that
/// was not used for longest goes.
pub const CAPACITY: usize = 64;

/// A buffer's textures.
#[derive(Debug)]
pub struct Entry {
    id: BufferId,
    layout: Layout,
    sampling: Sampling,
    textures: [Option<ImageTexture>; 3],
    /// How many hold a picture made of it, or wait for the GPU to have read one.
    users: u32,
    /// When it was used last, by the cache's count of uses.
    used: u64,
    /// Dropped after the textures: the memory may go when it is gone.
    import: Import,
}

impl Entry {
    /// Its textures' names.
    pub fn names(&self) -> [Option<TextureId>; 3] {
        [0, 1, 2].map(|it| self.textures[it].as_ref().map(|it| TextureId(it.name())))
    }
}

/// See the module's text.
#[derive(Debug)]
pub struct Cache {
    entries: Vec<Entry>,
    uses: u64,
}

impl Cache {
    /// An empty one, with all the room it will need.
    pub fn new() -> Self {
        Self { entries: Vec::with_capacity(CAPACITY), uses: 0 }
    }

    /// How many buffers it has textures of.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The textures of a buffer that lies as it did.
    pub fn find(&mut self, id: BufferId, layout: &Layout, sampling: Sampling) -> Option<&mut Entry> {
        self.uses += 1;
        let uses = self.uses;
        let fits = |it: &&mut Entry| {
            // Only a driver that converts by itself was told of the colours.
            let same_colors = sampling != Sampling::External || it.layout.yuv == layout.yuv;
            let old = Layout { yuv: layout.yuv, ..it.layout };
            it.id == id && it.sampling == sampling && same_colors && old == *layout
        };
        let found = self.entries.iter_mut().find(fits)?;
        found.used = uses;
        Some(found)
    }

    /// Makes room for one more; `false` when all are in use.
    pub fn make_room(&mut self) -> bool {
        if self.entries.len() < CAPACITY {
            return true;
        }
        let idle = self.entries.iter().enumerate().filter(|it| it.1.users == 0);
        let Some((oldest, _)) = idle.min_by_key(|it| it.1.used) else { return false };
        self.entries.swap_remove(oldest);
        true
    }

    /// Keeps a buffer's textures. There must be room.
    pub fn insert(
        &mut self,
        id: BufferId,
        layout: Layout,
        sampling: Sampling,
        textures: [Option<ImageTexture>; 3],
        import: Import,
    ) {
        self.uses += 1;
        self.entries.push(Entry { id, layout, sampling, textures, users: 0, used: self.uses, import });
    }

    /// Somebody has a picture of these textures now.
    pub fn take(&mut self, names: &[Option<TextureId>; 3]) {
        if let Some(it) = self.named(names) {
            it.users += 1;
        }
    }

    /// Nobody reads that picture any more. Whether anyone had.
    pub fn give_back(&mut self, names: &[Option<TextureId>; 3]) -> bool {
        let Some(it) = self.named(names).filter(|it| it.users > 0) else { return false };
        it.users -= 1;
        true
    }

    fn named(&mut self, names: &[Option<TextureId>; 3]) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|it| it.names() == *names)
    }

    /// Deletes the textures of pools that are wanted back, but for what is in use. `imports` takes what is to be dropped
    /// when the driver has let go of them too. Whether anything went.
    pub fn drop_retiring(&mut self, imports: &mut Vec<Import>) -> bool {
        let before = self.entries.len();
        while let Some(index) = self.entries.iter().position(|it| it.users == 0 && it.import.pool().is_retiring()) {
            imports.push(self.entries.swap_remove(index).import);
        }
        self.entries.len() < before
    }

    /// Forgets everything: the context is gone, and with it what the names meant.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}
