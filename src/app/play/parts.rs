//! Which playlists there are, and which outputs show which.
use crate::app::cli::PlayOptions;
use crate::app::cli_values::LoopCount;
use crate::app::exit::Failure;
use crate::app::inputs::{Item, Show};
use crate::app::play::watcher::Watcher;
use crate::pipeline::player::programme::{PlayItem, ProgrammeOptions};
use crate::platform::Platform;

/// One playlist, with the outputs that show it: the first leads, the others mirror it.
#[derive(Debug, PartialEq)]
pub struct Part {
    /// Places among the outputs asked for; 0 where none was.
    pub outputs: Vec<usize>,
    /// What it plays, as the command line says it.
    pub inputs: Vec<String>,
    /// The same, understood.
    pub show: Show,
}

impl Part {
    /// How often it is played, where somebody says.
    pub fn loops(&self, options: &PlayOptions) -> Option<LoopCount> {
        options.loops.or(self.show.loops())
    }

    /// What the player is to do. `usual`: how often it is played when nobody says.
    pub fn prepare(
        self,
        options: &PlayOptions,
        usual: LoopCount,
        platform: &Platform,
    ) -> Result<(ProgrammeOptions, Watcher), Failure> {
        let loops = self.loops(options).unwrap_or(usual);
        let forever = loops == LoopCount::Forever;
        let mut watcher = Watcher::new(self.show, forever, platform);
        let programme = ProgrammeOptions {
            items: to_items(watcher.expand()),
            turns: match loops {
                LoopCount::Times(times) => Some(u32::try_from(times).unwrap_or(u32::MAX)),
                LoopCount::Forever => None,
            },
            preroll: !options.no_preroll,
            waiting_text: watcher.waiting_text(),
            waits_when_empty: forever && watcher.has_folders(),
        };
        if programme.items.is_empty() && !programme.waits_when_empty {
            return Err(Failure::failed(format!("nothing to play in {}", self.inputs.join(", ")))
                .advise("name films, pictures or folders that hold some"));
        }
        Ok((programme, watcher))
    }
}

/// The playlists, in the order of the outputs that lead them. An output without an input of its own shows the command
/// line's inputs, which the first such output leads.
pub fn parts(options: &PlayOptions) -> Result<Vec<Part>, Failure> {
    let mut found: Vec<(Vec<usize>, Vec<String>)> = Vec::new();
    let mut main = None;
    for (place, output) in options.outputs.iter().enumerate() {
        match (&output.input, main) {
            (Some(input), _) => found.push((vec![place], vec![input.clone()])),
            (None, Some(main)) => {
                let part: &mut (Vec<usize>, Vec<String>) = &mut found[main];
                part.0.push(place);
            }
            (None, None) => {
                main = Some(found.len());
                found.push((vec![place], options.inputs.clone()));
            }
        }
    }
    if found.is_empty() {
        found.push((vec![0], options.inputs.clone()));
    }
    let open = |(outputs, inputs): (Vec<usize>, Vec<String>)| {
        let show = Show::open(&inputs)?;
        Ok(Part { outputs, inputs, show })
    };
    found.into_iter().map(open).collect()
}

/// The player's items of an expanded list.
pub fn to_items(items: Vec<Item>) -> Vec<PlayItem> {
    let play = |it: Item| PlayItem {
        input: it.input.to_string(),
        duration: it.settings.duration,
        still: it.settings.image_duration,
        fit: it.settings.fit,
        rotation: it.settings.rotate,
    };
    items.into_iter().map(play).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::cli::{Command, Request, parse};

    fn plan(line: &str) -> Vec<(Vec<usize>, Vec<String>)> {
        let words = format!("lucarne play {line}");
        let Ok(Request::Run(Command::Play(options))) = parse(words.split_whitespace().map(Into::into)) else {
            panic!("{line}");
        };
        parts(&options).unwrap().into_iter().map(|it| (it.outputs, it.inputs)).collect()
    }

    #[test]
    fn outputs_share_the_playlist_or_play_their_own() {
        let a = || vec!["a.mp4".to_owned()];
        let own = |it: &str| vec![it.to_owned()];
        for (line, want) in [
            ("a.mp4", vec![(vec![0], a())]),
            ("--output X a.mp4", vec![(vec![0], a())]),
            ("--output X --output Y a.mp4", vec![(vec![0, 1], a())]),
            ("--output X=x.mp4 --output Y=y.mp4", vec![(vec![0], own("x.mp4")), (vec![1], own("y.mp4"))]),
            ("--output X=x.mp4 --output Y a.mp4", vec![(vec![0], own("x.mp4")), (vec![1], a())]),
            ("--output X --output Y=y.mp4 --output Z a.mp4", vec![(vec![0, 2], a()), (vec![1], own("y.mp4"))]),
        ] {
            assert_eq!(plan(line), want, "{line}");
        }
    }
}
