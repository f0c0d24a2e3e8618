//! The rules for a Rust file below `src`. Each answers what is wrong, with the line.
use crate::text::{Source, balanced, is_word_char, line_of, words};

/// Each layer, and the layers it may name. What is missing here would be a dependency pointing the wrong way.
const LAYERS: &[(&str, &[&str])] = &[
    ("base", &["base"]),
    ("seam", &["base", "seam"]),
    ("logic", &["base", "seam", "logic"]),
    ("sys", &["base", "sys"]),
    ("render", &["base", "seam", "sys", "render"]),
    ("backend", &["base", "seam", "logic", "sys", "backend"]),
    ("platform", &["base", "seam", "sys", "render", "backend", "platform"]),
    ("pipeline", &["base", "seam", "logic", "render", "pipeline"]),
    ("app", &["base", "seam", "logic", "render", "pipeline", "platform", "app"]),
];
/// Where code may depend on the platform, by choosing files.
const PLATFORM_FILES: &[&str] = &["sys/mod.rs", "backend/mod.rs", "platform/mod.rs"];
/// Parts of `backend` that are nobody's own: every backend may use them.
const SHARED_BACKEND: &[&str] = &["wait"];
/// Where something may be written to the terminal.
const OUTPUT_FILES: &[&str] = &["app/output.rs"];
/// Lines of code a file may have, and lines altogether unless it is a test.
const MAX_CODE_LINES: usize = 400;
const MAX_LINES: usize = 450;

pub type Rule = fn(&Source) -> Vec<String>;

fn at(source: &Source, place: usize, what: impl std::fmt::Display) -> String {
    format!("src/{}:{}: {what}", source.path, line_of(&source.code, place))
}

/// Every occurrence of a text in `code` is wrong.
fn every(source: &Source, code: &str, unwanted: &str, what: &str) -> Vec<String> {
    let places = code.match_indices(unwanted);
    places.map(|(place, _)| at(source, place, format_args!("{unwanted} {what}"))).collect()
}

/// The paths named behind each `crate::`, as (place, first part, second part).
fn crate_paths(code: &str) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    for place in words(code, "crate") {
        let Some(rest) = code[place..].strip_prefix("crate::") else { continue };
        for path in branches(rest) {
            let mut parts = path.split("::").map(|it| it.chars().take_while(|it| is_word_char(*it)).collect());
            found.push((place, parts.next().unwrap_or_default(), parts.next().unwrap_or_default()));
        }
    }
    found
}

/// A path, or each of the paths of a group: `{a, b::{c, d}}` is `a`, `b::c` and `b::d`.
fn branches(rest: &str) -> Vec<String> {
    let rest = rest.trim_start();
    if !rest.starts_with('{') {
        let head: String = rest.chars().take_while(|it| is_word_char(*it) || *it == '*').collect();
        let Some(tail) = rest[head.len()..].strip_prefix("::") else { return vec![head] };
        return branches(tail).into_iter().map(|it| format!("{head}::{it}")).collect();
    }
    let group = balanced(rest, 0);
    let inside = &group[1..group.len() - 1];
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (place, it) in inside.char_indices().chain([(inside.len(), ',')]) {
        match it {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inside[start..place].trim().is_empty() {
                    found.extend(branches(&inside[start..place]));
                }
                start = place + 1;
            }
            _ => {}
        }
    }
    found
}

/// A layer names only layers below it; a backend names no other backend.
pub fn layers(source: &Source) -> Vec<String> {
    let Some((layer, allowed)) = LAYERS.iter().find(|(it, _)| *it == source.layer()) else { return Vec::new() };
    let mut wrong = every(source, &source.code, "super::super::", "hides which layer it names; use crate::");
    for (place, first, second) in crate_paths(&source.shipped) {
        let own_backend = source.path.split('/').nth(1).unwrap_or("").trim_end_matches(".rs");
        if !allowed.contains(&first.as_str()) {
            wrong.push(at(source, place, format_args!("{layer} may not name crate::{first}")));
        } else if first == "backend" && *layer == "backend" {
            let shared = SHARED_BACKEND.contains(&second.as_str());
            if second != own_backend && own_backend != "mod" && !shared {
                wrong.push(at(source, place, format_args!("backend {own_backend} may not name backend {second}")));
            }
        }
    }
    if source.path.ends_with("/mod.rs") && source.path.matches('/').count() == 1 {
        let above = source.shipped.match_indices("super::");
        wrong.extend(above.map(|(place, _)| at(source, place, "super:: leaves the layer; use crate::")));
    }
    wrong
}

/// The platform is chosen in three files, on `mod` and `pub use` lines.
pub fn platforms(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    for opening in ["cfg(", "cfg!(", "cfg_attr("] {
        for (place, _) in source.code.match_indices(opening) {
            let argument = balanced(&source.code, place + opening.len() - 1);
            let names_one = ["target_", "unix", "windows"].iter().any(|it| argument.contains(it));
            if !names_one {
                continue;
            }
            let behind = &source.code[place + opening.len() - 1 + argument.len()..];
            let item = behind.trim_start_matches([']', ' ', '\n']);
            let is_choice = ["mod ", "pub mod ", "pub(crate) mod ", "pub use "].iter().any(|it| item.starts_with(it));
            if !PLATFORM_FILES.contains(&source.path.as_str()) {
                wrong.push(at(source, place, format_args!("a platform is chosen outside {PLATFORM_FILES:?}")));
            } else if opening != "cfg(" || !is_choice {
                wrong.push(at(source, place, "a platform may only choose a `mod` or a `pub use`"));
            }
        }
    }
    wrong
}

/// `unsafe` lives in `sys`.
pub fn unsafe_code(source: &Source) -> Vec<String> {
    if source.layer() == "sys" {
        return Vec::new();
    }
    words(&source.code, "unsafe").into_iter().map(|it| at(source, it, "unsafe belongs in src/sys")).collect()
}

/// Files stay short.
pub fn length(source: &Source) -> Vec<String> {
    let all = source.text.lines().count();
    // The tests' own lines are blank in `shipped` as comments are, so only they are subtracted.
    let tests = source.code.lines().zip(source.shipped.lines());
    let tests = tests.filter(|(code, shipped)| code.trim() != shipped.trim()).count();
    if source.is_test || (all - tests <= MAX_CODE_LINES && all <= MAX_LINES) {
        return Vec::new();
    }
    vec![format!("src/{}: {} lines and {tests} of tests; split it along a seam", source.path, all - tests)]
}

/// Every file says what it is.
pub fn header(source: &Source) -> Vec<String> {
    let says = source.text.strip_prefix("//! ").is_some_and(|it| !it.starts_with('\n'));
    if says { Vec::new() } else { vec![format!("src/{}:1: begin with //! and what the file is for", source.path)] }
}

/// Nothing that is shipped may give up.
pub fn no_panics(source: &Source) -> Vec<String> {
    let panics = [".unwrap()", ".expect(", "panic!(", "todo!(", "unimplemented!(", "unreachable!("];
    panics.iter().flat_map(|it| every(source, &source.shipped, it, "may not ship; return an error")).collect()
}

/// Only the output modules write to the terminal.
pub fn output(source: &Source) -> Vec<String> {
    if OUTPUT_FILES.contains(&source.path.as_str()) {
        return Vec::new();
    }
    let prints = ["print", "println", "eprint", "eprintln", "dbg"].iter();
    let prints = prints.flat_map(|it| words(&source.shipped, it).into_iter().map(move |place| (place, it)));
    let mut wrong: Vec<String> = prints
        .filter(|(place, it)| source.shipped[place + it.len()..].starts_with('!'))
        .map(|(place, it)| at(source, place, format_args!("{it}! belongs in {OUTPUT_FILES:?}")))
        .collect();
    for it in ["stdout", "stderr"] {
        let streams = words(&source.shipped, it).into_iter();
        let streams = streams.filter(|place| source.shipped[place + it.len()..].starts_with("()"));
        wrong.extend(streams.map(|place| at(source, place, format_args!("{it}() belongs in {OUTPUT_FILES:?}"))));
    }
    wrong
}

/// No test is left out, and nobody sleeps: waiting is for something.
pub fn no_ignore_no_sleep(source: &Source) -> Vec<String> {
    let mut wrong = every(source, &source.code, "#[ignore", "hides a failure; assert today's answer and say so");
    let naps = words(&source.code, "sleep").into_iter().filter(|it| source.code[it + 5..].starts_with('('));
    wrong.extend(naps.map(|it| at(source, it, "sleep waits for nothing; wait on what is to happen")));
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: Rule, path: &str, text: &str, want: usize) {
        let got = rule(&Source::new(path, text));
        assert_eq!(got.len(), want, "{path}: {text:?}: {got:?}");
    }

    #[test]
    fn a_layer_that_looks_up_is_found() {
        check(layers, "logic/a.rs", "use crate::base::time::MonoTime;", 0);
        check(layers, "logic/a.rs", "use crate::sys::clock;", 1);
        check(layers, "logic/a.rs", "fn a() { crate::app::run() }", 1);
        check(layers, "logic/a.rs", "use crate::{base::time, sys::{a, b}, backend};", 3);
        check(layers, "logic/a.rs", "use crate::{\n    base::{x, y},\n    seam,\n};", 0);
        check(layers, "logic/a.rs", "use crate::*;", 1);
        check(layers, "logic/a.rs", "use super::super::sys;", 1);
        check(layers, "logic/mod.rs", "use super::sys;", 1);
        check(layers, "logic/a.rs", "// crate::sys\nconst A: &str = \"crate::sys\";", 0);
        check(layers, "logic/a.rs", "#[cfg(test)]\nmod tests { use crate::backend::x; }", 0);
        check(layers, "app/a.rs", "use crate::backend::headless;\nuse crate::sys::alloc;", 2);
        check(layers, "main.rs", "use lucarne::app;", 0);
    }

    #[test]
    fn a_backend_that_names_another_is_found() {
        check(layers, "backend/alsa/sink.rs", "use crate::backend::alsa::pcm;", 0);
        check(layers, "backend/alsa/sink.rs", "use crate::backend::{alsa::pcm, headless::clock};", 1);
        check(layers, "backend/alsa/sink.rs", "use crate::backend::wait::Waker;", 0);
        check(layers, "backend/mod.rs", "pub use crate::backend::alsa::x;", 0);
    }

    #[test]
    fn a_platform_chosen_anywhere_is_found() {
        let gate = "#[cfg(target_os = \"linux\")]\n";
        check(platforms, "sys/mod.rs", &format!("{gate}pub mod egl;"), 0);
        check(platforms, "sys/mod.rs", &format!("{gate}fn a() {{}}"), 1);
        check(platforms, "sys/egl.rs", &format!("{gate}mod a;"), 1);
        check(platforms, "app/a.rs", "if cfg!(unix) {}", 1);
        check(platforms, "sys/mod.rs", "fn a() { if cfg!(target_os = \"linux\") {} }", 1);
        check(platforms, "app/a.rs", "#[cfg_attr(any(windows), path = \"x\")]\nmod a;", 1);
        check(platforms, "sys/ffmpeg.rs", "#[cfg(ffmpeg_7_0)]\ntype A = u8;", 0);
    }

    #[test]
    fn unsafe_outside_sys_is_found() {
        check(unsafe_code, "app/a.rs", "fn a() { unsafe { b() } }", 1);
        check(unsafe_code, "sys/a.rs", "fn a() { unsafe { b() } }", 0);
        check(unsafe_code, "app/a.rs", "#![forbid(unsafe_code)] // unsafe", 0);
    }

    #[test]
    fn a_long_file_is_found() {
        let line = "fn a() {}\n";
        let tests = |lines: usize| format!("#[cfg(test)]\nmod tests {{\n{}}}\n", line.repeat(lines));
        check(length, "app/a.rs", &line.repeat(400), 0);
        check(length, "app/a.rs", &line.repeat(401), 1);
        check(length, "app/a.rs", &(line.repeat(300) + &tests(140)), 0);
        check(length, "app/a.rs", &(line.repeat(300) + &tests(150)), 1);
        check(length, "app/a.rs", &"// word\n".repeat(401), 1);
    }

    #[test]
    fn a_silent_file_is_found() {
        check(header, "app/a.rs", "//! The app.\n", 0);
        check(header, "app/a.rs", "use std::io;\n//! The app.\n", 1);
        check(header, "app/a.rs", "//! \n", 1);
    }

    #[test]
    fn code_that_gives_up_is_found() {
        check(no_panics, "app/a.rs", "fn a() { b.unwrap(); c.expect(\"d\"); panic!(\"e\"); todo!(); }", 4);
        check(no_panics, "app/a.rs", "fn a() { unimplemented!(); unreachable!(\"x\") }", 2);
        check(no_panics, "app/a.rs", "fn a() { b.unwrap_or(1); c.expect_err(2); debug_assert!(true); }", 0);
        check(no_panics, "app/a.rs", "#[cfg(test)]\nmod tests { fn a() { b.unwrap() } }", 0);
    }

    #[test]
    fn a_stray_print_is_found() {
        check(output, "app/a.rs", "fn a() { println!(\"x\"); eprint!(\"y\"); dbg!(z); }", 3);
        check(output, "app/a.rs", "fn a() { io::stderr().lock() }", 1);
        check(output, "app/output.rs", "fn a() { io::stdout().lock() }", 0);
        check(output, "app/a.rs", "use crate::app::output::print;\nfn a() { print(text) }", 0);
    }

    #[test]
    fn an_ignored_test_and_a_nap_are_found() {
        check(no_ignore_no_sleep, "app/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() {}", 1);
        check(no_ignore_no_sleep, "app/a.rs", "fn a() { thread::sleep(b) }", 1);
        check(no_ignore_no_sleep, "app/a.rs", "fn a() { asleep(b); sleep_until; }", 0);
    }
}
