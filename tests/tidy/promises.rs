//! The rule for `tests/README.md`: what is promised there names tests that there are.
use std::collections::BTreeSet;

use crate::text::{Source, is_word_char};

/// The promises, by their letters, and how many each has.
const PROMISES: [(char, u32); 2] = [('Z', 18), ('V', 11)];

/// A test as it is started: the program (`lib`, or what `--test` or `--bench` names), and its name as the program prints it.
pub type Name = (String, String);

/// Every test that the files hold, by their paths from the repository's root.
pub fn tests(files: &[(String, String)]) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    for (path, text) in files.iter().filter(|it| it.0.ends_with(".rs")) {
        let Some((program, module)) = place(path) else { continue };
        let named = functions(&Source::new(path, text).code).into_iter();
        found.extend(named.map(|it| (program.clone(), join(&module, &it))));
        // Programs with a harness of their own have a table of names.
        let listed = table(text).into_iter();
        found.extend(listed.map(|it| (program.clone(), it)));
        if path.starts_with("benches/") {
            found.insert((program, String::new()));
        }
    }
    found
}

/// The program that a file belongs to, and its module in that.
fn place(path: &str) -> Option<(String, String)> {
    let module = |it: &str| {
        let it = it.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
        if ["main", "lib", "mod"].contains(&it.as_str()) { String::new() } else { it }
    };
    if let Some(rest) = path.strip_prefix("src/") {
        return Some(("lib".to_owned(), module(rest)));
    }
    if path.starts_with("hw-tests/") {
        return Some(("board".to_owned(), String::new()));
    }
    let rest = path.strip_prefix("tests/").or_else(|| path.strip_prefix("benches/"))?;
    match rest.split_once('/') {
        Some((program, rest)) => Some((program.to_owned(), module(rest))),
        None => Some((rest.trim_end_matches(".rs").to_owned(), String::new())),
    }
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

/// The functions marked as tests, with the module that stands around them in the file, if any.
fn functions(code: &str) -> Vec<String> {
    let (mut found, mut inner, mut is_marked) = (Vec::new(), "", false);
    for line in code.lines() {
        if let Some(name) = line.strip_prefix("mod ").and_then(|it| it.strip_suffix(" {")) {
            inner = name;
        } else if line.starts_with('}') {
            inner = "";
        }
        let line = line.trim();
        is_marked |= line == "#[test]";
        if let Some(rest) = line.strip_prefix("fn ").filter(|_| is_marked) {
            found.push(join(inner, rest.split(|it| !is_word_char(it)).next().unwrap_or_default()));
            is_marked = false;
        }
    }
    found
}

/// Names in a table of cases: behind `name:`, or first in a pair.
fn table(text: &str) -> Vec<String> {
    let named = text.match_indices("name: \"").map(|(at, it)| at + it.len());
    let paired = text.match_indices("    (\"").map(|(at, it)| at + it.len());
    let name = |at| text[at..].split_once('"').map(|it| it.0).filter(|it| is_name(it));
    named.chain(paired).filter_map(name).map(str::to_owned).collect()
}

fn is_name(it: &str) -> bool {
    !it.is_empty() && it.chars().all(|it| is_word_char(it) || it == ':')
}

/// Every promise has a line in a table, with tests in its last column, and all of these are there.
pub fn kept(path: &str, text: &str, tests: &BTreeSet<Name>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut missing: BTreeSet<String> =
        PROMISES.iter().flat_map(|(letter, count)| (1..=*count).map(move |it| format!("{letter}{it}"))).collect();
    for (number, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let (Some(id), Some(last)) = (cells.first(), cells.last()) else { continue };
        let named: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
        if cells.len() != 3 || named.is_empty() {
            continue;
        }
        missing.remove(*id);
        for it in named {
            let (program, name) = it.split_once(' ').unwrap_or((it, ""));
            if !tests.contains(&(program.to_owned(), name.to_owned())) {
                wrong.push(format!("{path}:{}: there is no test `{it}`", number + 1));
            }
        }
    }
    wrong.extend(missing.iter().map(|it| format!("{path}: no test is named for {it}")));
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> (String, String) {
        (path.to_owned(), text.to_owned())
    }

    #[test]
    fn tests_are_found_by_the_names_that_are_printed() {
        let own = "#[test]\n#[cfg(x)]\nfn a() {}\nfn b() {}\n// #[test]\nfn c() {}\n";
        let inside = "fn x() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() {}\n}\n#[test]\nfn d() {}\n";
        let table = "const A: [B; 1] = [\n    (\"h264::e\", e),\n    (\"two words\", f),\n];\n";
        let cases = "    Case { name: \"pacing::f\", needs: &[], run: f },\n";
        let files = [
            file("src/logic/x.rs", inside),
            file("src/logic/x/tests.rs", own),
            file("src/pipeline/deck/mod.rs", own),
            file("tests/pipeline/ways.rs", own),
            file("tests/wait.rs", own),
            file("tests/v4l2/main.rs", table),
            file("hw-tests/cases/pacing.rs", cases),
            file("benches/texture.rs", "fn main() {}"),
        ];
        let found = tests(&files);
        let names: Vec<String> = found.iter().map(|(program, name)| format!("{program} {name}")).collect();
        let want = [
            "board pacing::f",
            "lib logic::x::d",
            "lib logic::x::tests::a",
            "lib pipeline::deck::a",
            "pipeline ways::a",
            "texture ",
            "v4l2 h264::e",
            "wait a",
        ];
        assert_eq!(names, want);
    }

    #[test]
    fn a_promise_without_a_test_and_a_test_that_is_gone_are_found() {
        let found = tests(&[file("tests/wait.rs", "#[test]\nfn a() {}\n"), file("benches/texture.rs", "")]);
        let ids = PROMISES.iter().flat_map(|(letter, count)| (1..=*count).map(move |it| format!("{letter}{it}")));
        let good: String = ids.map(|it| format!("| {it} | it waits | `wait a`, `texture` |\n")).collect();
        assert_eq!(kept("a.md", &good, &found), [""; 0]);
        let gone = good.replacen("`wait a`", "`wait b`", 1);
        assert_eq!(kept("a.md", &gone, &found), ["a.md:1: there is no test `wait b`"]);
        let elsewhere = good.replacen("`wait a`", "`a`", 1);
        assert_eq!(kept("a.md", &elsewhere, &found), ["a.md:1: there is no test `a`"]);
        let without = good.replacen("| V11 | it waits | `wait a`, `texture` |", "| V11 | it waits | soon |", 1);
        assert_eq!(kept("a.md", &without, &found), ["a.md: no test is named for V11"]);
        assert_eq!(kept("a.md", &good.replacen("| Z2 |", "| Z1 |", 1), &found), ["a.md: no test is named for Z2"]);
    }
}
