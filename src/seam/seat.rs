//! Turns at the machine's screen, where several programs share it: the virtual terminals of a console.
use std::os::fd::BorrowedFd;

/// What is asked of whoever shows something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatRequest {
    /// Let go of the screen, then say so by [`Seat::let_go`]: somebody waits for it.
    LetGo,
    /// The screen is ours again.
    TakeBack,
}

/// Our turn at the screen. It lasts from the start until a `LetGo`, and ends for good when this is dropped.
pub trait Seat: std::fmt::Debug {
    /// The next request, or `None`. Never waits.
    fn poll(&mut self) -> Option<SeatRequest>;
    /// The answer to `LetGo`: nothing of ours is done to the screen from now on.
    fn let_go(&mut self);
    /// Readable when `poll` has news; `None` where nobody ever asks.
    fn wakes_by(&self) -> Option<BorrowedFd<'_>>;
}
