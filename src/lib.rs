//! Lucarne plays films, pictures and streams on a screen for months without anyone looking.
//!
//! This text is the architecture; `tests/tidy` holds the code to it.
//!
//! # Layers
//!
//! ```text
//!             main.rs            parse, build, run, exit code
//!                |
//!               app              the commands: play, probe                                (policy)
//!              /   \
//!      platform     pipeline     what this system offers | threads, queues, elements, the player
//!         |          /    \
//!      backend   render    \     implementations of the seams | GL passes
//!       /   \     /         \
//!     sys    \---+-- seam ---+-- logic        thin unsafe bindings | traits | pure state machines
//!       \              |             /
//!        +----------- base ---------+         vocabulary: time, format, geometry, colour, frame, packet, stats
//! ```
//!
//! A module names only modules of the layers it may see:
//!
//! | layer | may name | may not |
//! |---|---|---|
//! | [`base`] | nothing | do I/O, own threads, be unsafe |
//! | [`seam`] | base | hold code beyond default methods |
//! | [`logic`] | base, seam | read a clock, a file or a socket, own a thread |
//! | [`sys`] | base | decide; it is the only layer with `unsafe` |
//! | [`render`] | base, seam, sys | know a display or own a thread |
//! | [`backend`] | base, seam, logic, sys | name another backend |
//! | [`platform`] | base, seam, sys, render, backend | decide beyond "which file" |
//! | [`pipeline`] | base, seam, logic, render | name a device or a library |
//! | [`app`] | all but sys and the backends | know a system call |
//!
//! # The way of a frame
//!
//! A *deck* ([`pipeline::deck`]) is one item of the programme, opened and decoding ahead. Its *feed* thread reads
//! packets (the input's own memory, by reference) into a bounded link; its *decode* thread offers them to a decoder and
//! puts frames into a link three deep. The present thread, which is the main thread because windows insist on it, takes
//! frames off the deck, moves them onto the programme's timeline and decides for each vblank
//! ([`logic::playsync`]). A [`seam::interop::VideoInterop`] makes textures of the frame, the
//! [`render::Compositor`] draws it, the [`seam::presenter::Presenter`] shows it and says when it became visible. Full
//! links push back: a slow screen slows the decoder, which slows the feed.
//!
//! Several outputs are several screens on the one GL context and the one present thread. Each playlist has a player, which
//! decides for its own screen; a *mirror* ([`pipeline::player::mirror`]) shows the same frames on another, for that one's
//! vblanks. What happens to one screen reaches no other.
//!
//! With a decoder in hardware, nothing of that touches the pixels. The decoder owns a *pool* of dma-bufs
//! ([`base::dmabuf`]); a frame is a *lease* of one of them, given up when the picture after it is on the screen or the GPU has
//! read it. Interops and presenters *import* a buffer once (an EGLImage, a framebuffer) and keep that by the buffer's name. To
//! take a pool away, its owner *retires* it: the screen's picture is copied or replaced, importers let go, leases come home,
//! and only then the queue stops. [`logic::m2m_decoder`] decides when, for the kernel's stateful codecs.
//!
//! The ways from a frame to a screen stand on a ladder (`plane`, `dmabuf`, `software_upload`); the first that accepts a
//! configuration is used, and each can fail by itself ([`logic::interop_policy`]). So do decoders
//! ([`logic::fallback`]): where one fails, another is given the packets since the last resume point. A decoder that wants the
//! memory of its frames back gets it: a copy takes the place of the one on the screen ([`pipeline::player`]'s `freeze`).
//!
//! When the device behind the screens is gone for good, all of them are dropped with their GL context; the players go on
//! unseen and keep their place, and `app` opens the display again ([`pipeline::player::Player::detach`]).
//!
//! The *sound* thread ([`pipeline::elements::sound`]) keeps one device playing without a break and fits the decks'
//! sound to the pictures' timeline. The device's position bends the clock that the pictures follow
//! ([`logic::master_clock`]); without a device the system's clock goes on from the same point.
//!
//! Two decks make a seam cost nothing: while one plays, the next is opened and its first frames are decoded. A single
//! item goes round on one deck, lap after lap, with one decoder ([`logic::laps`]).
//!
//! # What never happens
//!
//! 1. Below `app` nothing reads the wall clock, an environment variable or a configuration file.
//! 2. Nothing that takes a frame sleeps. Runners wait, in [`pipeline::runner`], and the present thread, in
//!    [`pipeline::player::run`].
//! 3. A full queue, an absent frame and the end of a stream are not errors.
//! 4. Nothing in `pipeline` knows which codec, GPU or system it runs on.
//! 5. One thread owns the GL context and the screen; one thread owns each device. No state has two writers.
//! 6. The screen never goes black by our doing: the last good picture stays until there is a better one.
//! 7. `cfg(target_os)` stands in `sys/mod.rs`, `backend/mod.rs` and `platform/mod.rs` only.
//! 8. Playing steadily allocates nothing: frames and packets live in pools, and `sys::alloc` counts.
pub mod app;
pub mod backend;
pub mod base;
pub mod logic;
pub mod pipeline;
pub mod platform;
pub mod render;
pub mod seam;
pub mod sys;
