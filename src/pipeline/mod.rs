//! Queues, runners and elements: the only layer that owns threads.
pub mod deck;
pub mod elements;
pub mod env;
pub mod link;
pub mod player;
pub mod queue;
pub mod runner;
pub mod status_picture;
