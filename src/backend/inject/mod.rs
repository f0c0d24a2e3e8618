//! Costs where there are none. In virtual time the processor is free, so that a player which begins its work too late
//! looks as good as one that does not. These decorators wrap whatever a machine offers and take as long as another
//! machine would, by a table ([`costs::Costs`]).
//!
//! They cost what they cost where the real thing does: opening and rewinding block the feed's thread, as a slow card
//! does; a decoder answers "not yet" and hands its frames out one after the other; making a frame renderable, drawing
//! and committing hold the present thread. What the wrapped one answers goes through unchanged.
pub mod costs;
pub mod decoder;
pub mod demuxer;
mod hold;
pub mod interop;
pub mod presenter;
