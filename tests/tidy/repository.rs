//! The rules for the repository as a whole: its manifest, its shaders, its documents.
use std::path::Path;

use crate::text::Source;

/// Each dependency says above it what it is here for.
pub fn dependencies(manifest: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut listing, mut explained) = (false, false);
    for (number, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            listing = line.trim_matches(['[', ']']).ends_with("dependencies");
        } else if listing
            && line.split_once('=').is_some_and(|(name, _)| !name.trim().contains(['#', '"']))
            && !explained
        {
            wrong.push(format!("Cargo.toml:{}: say above it what it is here for", number + 1));
        }
        // A comment speaks for the line below it.
        explained = line.starts_with('#');
    }
    wrong
}

/// Every shader is used, and leaves its version line to `render`.
pub fn shaders(files: &[(String, String)], sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, text) in files {
        let name = path.rsplit('/').next().unwrap_or(path);
        // `include_str!` names the file in a string, which only the whole text still has.
        let included = sources.iter().filter(|it| !it.is_test).any(|it| {
            it.text.match_indices("include_str!(").any(|(at, _)| {
                it.text[at..].split_once(')').is_some_and(|(call, _)| call.contains(&format!("/{name}\"")))
            })
        });
        if !included {
            wrong.push(format!("{path}: no include_str! names it"));
        }
        if text.contains("#version") {
            wrong.push(format!("{path}: leave #version to render"));
        }
    }
    wrong
}

/// Nothing names a folder of the machine it was written on.
pub fn machine_paths(path: &str, text: &str) -> Vec<String> {
    // Put together here so that this file does not find itself.
    let folders = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| folders.iter().any(|it| line.contains(it)))
        .map(|(number, _)| format!("{path}:{}: names a folder of one machine", number + 1))
        .collect()
}

/// A shell script, by its name or its first line.
pub fn is_script(path: &str, text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    path.ends_with(".sh") || (first.starts_with("#!") && first.ends_with("sh"))
}

/// A script says what it is below its first line, and one that is run by name by people stops at the first mistake.
pub fn script(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    if !lines.next().is_some_and(|it| it.starts_with("# ") && it.len() > 20) {
        wrong.push(format!("{path}:2: say what the script is for"));
    }
    // One that is read by another inherits its settings; process 1 must not end by a mistake, or the machine does.
    let is_entry = first == "#!/usr/bin/env bash";
    if is_entry && !text.lines().any(|it| it == "set -euo pipefail") {
        wrong.push(format!("{path}: set -euo pipefail"));
    }
    wrong
}

/// Relative links of a document lead somewhere.
pub fn links(root: &Path, path: &str, text: &str) -> Vec<String> {
    let folder = root.join(path).parent().map(Path::to_owned).unwrap_or_default();
    let mut wrong = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for part in line.split("](").skip(1) {
            let target = part.split([')', '#', ' ']).next().unwrap_or("");
            let elsewhere = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
            if !elsewhere && !folder.join(target).exists() {
                wrong.push(format!("{path}:{}: {target} is not there", number + 1));
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        assert!(dependencies("[dependencies]\n# For x.\na = \"1\"\n\n[lints.rust]\nb = \"deny\"").is_empty());
        assert_eq!(dependencies("[dependencies]\n# For x.\na = \"1\"\nb = \"1\"").len(), 1);
        assert_eq!(dependencies("[target.'cfg(unix)'.dependencies]\na = { version = \"1\" }").len(), 1);
        assert_eq!(dependencies("[dev-dependencies]\na = \"1\"").len(), 1);
    }

    #[test]
    fn a_forgotten_shader_and_a_version_line_are_found() {
        let uses = [Source::new("render/a.rs", "const A: &str = include_str!(\"../../shaders/quad.vert\");")];
        let file = |name: &str, text: &str| (format!("shaders/{name}"), text.to_owned());
        assert!(shaders(&[file("quad.vert", "void main() {}")], &uses).is_empty());
        assert_eq!(shaders(&[file("other.frag", "")], &uses).len(), 1);
        assert_eq!(shaders(&[file("quad.vert", "#version 300 es")], &uses).len(), 1);
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        assert_eq!(machine_paths("README.md", concat!("see /ho", "me/me/film.mp4")).len(), 1);
        assert!(machine_paths("README.md", "see ~/film.mp4").is_empty());
    }

    #[test]
    fn a_script_that_says_nothing_or_goes_on_is_found() {
        assert!(is_script("a", "#!/usr/bin/env bash\n") && is_script("a.sh", "") && !is_script("a.rs", "//! sh"));
        let good = "#!/usr/bin/env bash\n# What this script is good for.\nset -euo pipefail\n";
        assert!(script("a", good).is_empty());
        assert_eq!(script("a", &good.replace("set -euo pipefail", "")).len(), 1);
        assert_eq!(script("a.sh", "echo\n").len(), 1);
    }

    #[test]
    fn a_link_to_nowhere_is_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = "[a](Cargo.toml) [b](https://example.com/x) [c](#here) [d](src/lib.rs#L1) ![e](nowhere.png)";
        assert_eq!(links(root, "README.md", text), ["README.md:1: nowhere.png is not there"]);
    }
}
