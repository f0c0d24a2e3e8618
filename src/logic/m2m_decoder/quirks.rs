//! What drivers do in their own way.

/// The ways of one driver. The default is the specification's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quirks {
    /// A size on OUTPUT is taken for CAPTURE's as well, and then no change of the source may ever be said: OUTPUT gets no
    /// size, which always brings the word.
    pub size_on_output_hides_change: bool,
    /// CAPTURE's height, as it answers, is padded, but what is asked is taken for the visible height: the visible size
    /// is asked, or a change of the source follows.
    pub wants_visible_size: bool,
    /// A drain goes on when CAPTURE is restarted for a change; being told again would end the next one early.
    pub drain_outlives_restart: bool,
    /// The pixel aspect it answers is width to height, where the specification says height to width.
    pub aspect_is_width_to_height: bool,
    /// It takes larger pictures by its own word, and decodes them wrong: so many macroblocks of 16x16 are the most.
    pub most_macroblocks: Option<u32>,
}

impl Quirks {
    /// By the driver's name (QUERYCAP). The Raspberry Pi's: raspberrypi/linux, bcm2835-v4l2-codec.c.
    pub fn of_driver(driver: &str) -> Self {
        match driver {
            "bcm2835-codec" => Self {
                size_on_output_hides_change: true,
                wants_visible_size: true,
                drain_outlives_restart: true,
                aspect_is_width_to_height: true,
                // 1920x1088; firmware corrupts 1920x1200 (raspberrypi/linux PR 5084).
                most_macroblocks: Some(8192),
            },
            _ => Self::default(),
        }
    }
}
