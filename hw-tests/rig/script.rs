//! A job as a script for bash: steps.sh says what each step does, and a rig's own lines how its plugs are pulled.
use std::fmt::Write;

use super::job::{Job, Step};

/// Functions that are the same on every rig.
const STEPS: &str = include_str!("steps.sh");

/// The script of a job; `own` are the rig's functions: `set_up_outputs`, `unplug`, `plug`, `crc_of`, `start_recording`,
/// `stop_recording` and `cut_power`.
pub fn of(job: &Job, own: &str) -> String {
    let mut text = format!("{STEPS}\n{own}\n");
    for (name, value) in &job.environment {
        line(&mut text, format_args!("export {name}={}", quoted(value)));
    }
    if let Some(count) = job.outputs {
        let absent: Vec<String> = job.absent.iter().map(ToString::to_string).collect();
        line(&mut text, format_args!("set_up_outputs {count} {}", absent.join(" ")));
    }
    for step in &job.steps {
        match step {
            Step::Player(arguments) => {
                let words: Vec<String> = arguments.iter().map(|it| quoted(it)).collect();
                line(&mut text, format_args!("start_player {}", words.join(" ")));
            }
            Step::Wait(time) => line(&mut text, format_args!("sleep {:.6}", time.as_secs_f64())),
            Step::Signal(name) => line(&mut text, format_args!("signal_player {name}")),
            Step::Finish => line(&mut text, format_args!("finish_player")),
            Step::Unplug(output) => line(&mut text, format_args!("unplug {output}")),
            Step::Plug(output) => line(&mut text, format_args!("plug {output}")),
            Step::Crc(output) => line(&mut text, format_args!("start_crc {output}")),
            Step::Record => line(&mut text, format_args!("start_recording")),
            Step::PowerCut => line(&mut text, format_args!("cut_power")),
            Step::Shell(lines) => line(&mut text, format_args!("{lines}")),
        }
    }
    line(&mut text, format_args!("end_job"));
    text
}

fn line(text: &mut String, it: std::fmt::Arguments<'_>) {
    writeln!(text, "{it}").expect("memory can be written");
}

/// One word for bash, whatever is in it.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
