//! `cross.toml` and `.ci/setup` install the same to build with.
use std::collections::BTreeSet;

use crate::file;

const TARGET: &str = "aarch64-unknown-linux-gnu";
/// Besides what .ci/setup names: the cross compiler, and what Debian's smallest image lacks.
const OF_CROSS_ALONE: [&str; 3] = ["ca-certificates", "clang", "crossbuild-essential-arm64"];

/// What `.ci/setup` installs to build with: the lines from its comment that says so to the next one.
fn wanted() -> BTreeSet<String> {
    let setup = file(".ci/setup");
    let lines = setup.lines().map(str::trim).skip_while(|it| !it.starts_with("# To build:"));
    let lines: Vec<&str> = lines.skip(1).take_while(|it| !it.starts_with('#')).collect();
    lines.iter().flat_map(|it| it.split_whitespace()).map(str::to_owned).collect()
}

/// What `cross.toml` installs.
fn named() -> BTreeSet<String> {
    let config: toml::Table = file("cross.toml").parse().unwrap();
    let commands = config["target"][TARGET]["pre-build"].as_array().unwrap();
    let commands = commands.iter().map(|it| it.as_str().unwrap()).filter(|it| it.starts_with("apt-get install"));
    let words = commands.flat_map(|it| it.split_whitespace().skip(2)).filter(|it| !it.starts_with('-'));
    words.map(str::to_owned).collect()
}

#[test]
fn the_lists_of_packages_are_one() {
    let (wanted, named) = (wanted(), named());
    assert!(wanted.contains("libavcodec-dev"), "{wanted:?}");
    // Headers and libraries are the target's, tools this machine's. C's own come with the cross compiler; libclang is a tool.
    let is_tool = |it: &&String| !it.ends_with("-dev") || ["libc6-dev", "libclang-dev"].contains(&it.as_str());
    let mut expected: BTreeSet<String> =
        wanted.iter().map(|it| if is_tool(&it) { it.clone() } else { format!("{it}:arm64") }).collect();
    expected.extend(OF_CROSS_ALONE.map(str::to_owned));
    assert_eq!(named, expected);
}

#[test]
fn it_says_how_to_be_used_and_so_does_the_readme() {
    let line = format!("CROSS_CONFIG=cross.toml cross build --release --target {TARGET}");
    for path in ["cross.toml", "README.md"] {
        assert!(file(path).contains(&line), "{path}");
    }
}

#[test]
fn every_key_is_one_that_cross_knows() {
    // cross itself only warns of others, and goes on without them.
    let config: toml::Table = file("cross.toml").parse().unwrap();
    let keys = |table: &toml::Table| table.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&config), ["build", "target"]);
    assert_eq!(keys(config["build"].as_table().unwrap()), ["env"]);
    let target = config["target"][TARGET].as_table().unwrap();
    assert_eq!(keys(target), ["env", "image", "pre-build"]);
    for env in [&config["build"]["env"], &target["env"]] {
        assert_eq!(keys(env.as_table().unwrap()), ["passthrough"]);
    }
}
