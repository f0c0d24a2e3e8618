//! Whether anybody can see the pictures: what the screen said of its display, and what came of showing on it.
//!
//! ```text
//!              Disconnected, seen before
//!        Seen ---------------------------> Gone
//!        ^ | ^                              |
//!        | |  \_ flip __                    | ModeChanged
//!   flip | | error      \                   v
//!        | +---------> Failing          Returning <--- ModeChanged --- Waiting
//!        |                                  |                            ^
//!        +----------------------------------+                            | Disconnected, never seen
//! ```
//! `Disconnected` counts in every state; an error in `Returning` is one in `Seen`.

/// See the module's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// Pictures reach the display, or the first one will, as far as is known.
    #[default]
    Seen,
    /// The screen refuses pictures, but has not said that its display is gone: each picture is tried.
    Failing,
    /// The display was unplugged.
    Gone,
    /// There has been no display yet.
    Waiting,
    /// A display is there; the first picture is on its way to it.
    Returning,
}

/// What a user is to be told of a `disconnected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The display went away.
    Lost,
    /// There was none to begin with.
    Absent,
    /// The display went away, which was counted when the screen refused a picture.
    Explained,
    /// It was gone already.
    Known,
}

/// Follows one display.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sight {
    state: State,
    /// A picture has been on it.
    ever: bool,
    /// Its loss was counted, and its return is to be.
    lost: bool,
}

impl Sight {
    /// Pictures reach the display, as far as is known: what is measured of them means something.
    pub fn is_clear(&self) -> bool {
        self.state == State::Seen
    }

    /// The screen has not said that it has no display.
    pub fn has_display(&self) -> bool {
        !matches!(self.state, State::Gone | State::Waiting)
    }

    /// The screen refuses pictures and does not say why.
    pub fn is_failing(&self) -> bool {
        self.state == State::Failing
    }

    /// The screen says that no display is connected.
    pub fn disconnected(&mut self) -> Loss {
        if !self.has_display() {
            return Loss::Known;
        }
        if !self.ever {
            self.state = State::Waiting;
            return Loss::Absent;
        }
        let before = std::mem::replace(&mut self.state, State::Gone);
        match (std::mem::replace(&mut self.lost, true), before) {
            (false, _) => Loss::Lost,
            (true, State::Failing) => Loss::Explained,
            (true, _) => Loss::Known,
        }
    }

    /// The screen says that a display is connected, or has another mode.
    pub fn connected(&mut self) {
        if self.state != State::Seen {
            self.state = State::Returning;
        }
    }

    /// A picture was refused. True when the display counts as lost by it.
    pub fn refused(&mut self) -> bool {
        if self.has_display() {
            self.state = State::Failing;
        }
        self.ever && !std::mem::replace(&mut self.lost, true)
    }

    /// A picture is on the screen. True when the display counts as regained by it.
    pub fn flipped(&mut self) -> bool {
        (self.state, self.ever) = (State::Seen, true);
        std::mem::take(&mut self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_that_goes_and_comes_counts_once_each_way() {
        let mut it = Sight::default();
        assert!(it.is_clear() && !it.flipped());
        assert_eq!([it.disconnected(), it.disconnected()], [Loss::Lost, Loss::Known]);
        assert!(!it.has_display() && !it.is_clear());
        it.connected();
        assert!(it.has_display() && !it.is_clear(), "nothing is seen before the first flip");
        // A pulse of the plug before that is the same loss.
        assert_eq!(it.disconnected(), Loss::Known);
        it.connected();
        assert!(it.flipped() && it.is_clear());
        assert!(!it.flipped());
    }

    #[test]
    fn a_display_that_was_never_there_was_not_lost() {
        let mut it = Sight::default();
        assert!(!it.refused());
        assert_eq!([it.disconnected(), it.disconnected()], [Loss::Absent, Loss::Known]);
        it.connected();
        assert!(!it.flipped() && it.is_clear());
    }

    #[test]
    fn a_screen_that_refuses_is_tried_again_and_counts_once() {
        let mut it = Sight::default();
        it.flipped();
        assert!(it.refused() && !it.refused());
        assert!(it.is_failing() && it.has_display() && !it.is_clear());
        assert_eq!([it.disconnected(), it.disconnected()], [Loss::Explained, Loss::Known]);
        it.connected();
        assert!(!it.refused());
        assert!(it.flipped());
    }

    #[test]
    fn another_mode_hides_nothing() {
        let mut it = Sight::default();
        it.connected();
        assert!(it.is_clear());
    }
}
