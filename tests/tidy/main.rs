//! The house rules that a machine can check. Each rule is also shown, beside it, to find what it is for.
mod promises;
mod repository;
mod rules;
mod text;

use std::fs;
use std::path::{Path, PathBuf};

use crate::rules::Rule;
use crate::text::{Source, mark_tests};

/// Not ours to read: what git, cargo and the demo put there.
const NOT_OURS: &[&str] = &[".git", "target", "demo"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if NOT_OURS.iter().any(|it| root().join(it) == path) {
            continue;
        }
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

/// The text files below a folder, by their path from the repository's root.
fn text_files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    files_below(&root().join(folder), &mut found);
    found.sort();
    let read = |it: &PathBuf| Some((it.strip_prefix(root()).ok()?.to_str()?.to_owned(), fs::read_to_string(it).ok()?));
    found.iter().filter_map(read).collect()
}

fn sources() -> Vec<Source> {
    let rust = text_files("src").into_iter().filter(|(path, _)| path.ends_with(".rs"));
    let mut sources: Vec<Source> =
        rust.map(|(path, text)| Source::new(path.trim_start_matches("src/"), &text)).collect();
    assert!(sources.len() > 20, "the sources were not found: {}", sources.len());
    mark_tests(&mut sources);
    sources
}

#[track_caller]
fn none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[track_caller]
fn every_source_keeps(rule: Rule) {
    none(sources().iter().flat_map(rule).collect());
}

#[test]
fn layers_only_look_down() {
    every_source_keeps(rules::layers);
}

#[test]
fn platforms_are_chosen_in_three_files() {
    every_source_keeps(rules::platforms);
}

#[test]
fn unsafe_lives_in_sys() {
    every_source_keeps(rules::unsafe_code);
}

#[test]
fn files_are_short() {
    every_source_keeps(rules::length);
}

#[test]
fn every_file_says_what_it_is() {
    every_source_keeps(rules::header);
}

#[test]
fn nothing_shipped_gives_up() {
    every_source_keeps(rules::no_panics);
}

#[test]
fn only_the_output_modules_print() {
    every_source_keeps(rules::output);
}

#[test]
fn no_test_is_ignored_and_nobody_sleeps() {
    every_source_keeps(rules::no_ignore_no_sleep);
    let tests = ["tests", "benches", "hw-tests"].into_iter().flat_map(text_files);
    let rust = tests.filter(|(path, _)| path.ends_with(".rs"));
    none(rust.map(|(path, text)| Source::new(&path, &text)).flat_map(|it| rules::no_ignore_no_sleep(&it)).collect());
}

#[test]
fn every_hardware_test_file_is_short_and_says_what_it_is() {
    let files = text_files("hw-tests").into_iter().filter(|(path, _)| path.ends_with(".rs"));
    let files: Vec<Source> = files.map(|(path, text)| Source::new(&path, &text)).collect();
    assert!(files.len() > 5, "the files were not found: {}", files.len());
    none(files.iter().flat_map(|it| [rules::length(it), rules::header(it)].concat()).collect());
}

#[test]
fn every_script_says_what_it_is_and_stops_at_the_first_mistake() {
    let scripts = text_files("").into_iter().filter(|(path, text)| repository::is_script(path, text));
    let scripts: Vec<_> = scripts.collect();
    assert!(scripts.len() > 3, "the scripts were not found: {}", scripts.len());
    none(scripts.iter().flat_map(|(path, text)| repository::script(path, text)).collect());
}

#[test]
fn every_dependency_says_why() {
    none(repository::dependencies(&fs::read_to_string(root().join("Cargo.toml")).unwrap()));
}

#[test]
fn every_shader_is_used() {
    none(repository::shaders(&text_files("shaders"), &sources()));
}

#[test]
fn nothing_names_a_folder_of_one_machine() {
    none(text_files("").iter().flat_map(|(path, text)| repository::machine_paths(path, text)).collect());
}

#[test]
fn links_lead_somewhere() {
    let documents = text_files("").into_iter().filter(|(path, _)| path.ends_with(".md"));
    none(documents.flat_map(|(path, text)| repository::links(root(), &path, &text)).collect());
}

#[test]
fn every_promise_names_tests_that_there_are() {
    let files: Vec<_> = ["src", "tests", "benches", "hw-tests"].into_iter().flat_map(text_files).collect();
    let tests = promises::tests(&files);
    assert!(tests.len() > 500, "the tests were not found: {}", tests.len());
    let page = "tests/README.md";
    none(promises::kept(page, &fs::read_to_string(root().join(page)).unwrap(), &tests));
}
