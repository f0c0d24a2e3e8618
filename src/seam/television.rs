//! The devices behind the outputs, as far as they can be switched from here.

/// Televisions that listen. Nothing here waits, fails or asks: what becomes of it is logged.
pub trait Televisions {
    /// Switches all of them on, showing us, or off. The last call counts.
    fn switch(&self, on: bool);
}
