//! Reads Rust as text: what is code, what is a comment or a string, what is a test.
use std::collections::BTreeSet;

/// A source file, as the rules see it.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path below `src`.
    pub path: String,
    /// All of it.
    pub text: String,
    /// Without comments and the insides of strings: blanks stand in for them, so that lines keep their numbers.
    pub code: String,
    /// `code` without what is compiled for tests only.
    pub shipped: String,
    /// The whole file is compiled for tests only.
    pub is_test: bool,
}

impl Source {
    /// A file of the given path and text.
    pub fn new(path: &str, text: &str) -> Self {
        let code = blank_comments_and_strings(text);
        let shipped = blank_tests(&code);
        Self { path: path.to_owned(), text: text.to_owned(), code, shipped, is_test: false }
    }

    /// The first folder, or the file's own name.
    pub fn layer(&self) -> &str {
        self.path.split('/').next().unwrap_or("").trim_end_matches(".rs")
    }
}

/// Marks the files that `#[cfg(test)] mod name;` brings in.
pub fn mark_tests(sources: &mut [Source]) {
    let tests: BTreeSet<String> = sources.iter().flat_map(test_files).collect();
    for it in sources.iter_mut().filter(|it| tests.contains(&it.path)) {
        it.is_test = true;
        it.shipped = String::new();
    }
}

fn test_files(source: &Source) -> Vec<String> {
    let folder = source.path.strip_suffix("mod.rs").map(str::to_owned);
    let folder = folder.unwrap_or_else(|| format!("{}/", source.path.trim_end_matches(".rs")));
    let mut found = Vec::new();
    for (at, _) in source.code.match_indices("#[cfg(test)]") {
        let rest = source.code[at + "#[cfg(test)]".len()..].trim_start();
        let rest = rest.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        if let Some((name, _)) = rest.strip_prefix("mod ").and_then(|it| it.split_once(';'))
            && is_word(name)
        {
            found.push(format!("{folder}{name}.rs"));
            found.push(format!("{folder}{name}/mod.rs"));
        }
    }
    found
}

/// The number of the line that holds byte `at`, from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Where `word` stands in `code` as a word of its own.
pub fn words(code: &str, word: &str) -> Vec<usize> {
    let inside = |it: Option<char>| it.is_some_and(is_word_char);
    let alone =
        |at: &usize| !inside(code[..*at].chars().next_back()) && !inside(code[at + word.len()..].chars().next());
    code.match_indices(word).map(|(at, _)| at).filter(alone).collect()
}

pub fn is_word_char(it: char) -> bool {
    it.is_alphanumeric() || it == '_'
}

fn is_word(it: &str) -> bool {
    !it.is_empty() && it.chars().all(is_word_char)
}

/// The bytes from an opening bracket at `open` up to the one that closes it, both included.
pub fn balanced(code: &str, open: usize) -> &str {
    let mut depth = 0usize;
    for (at, it) in code[open..].char_indices() {
        match it {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &code[open..open + at + 1];
        }
    }
    &code[open..]
}

/// Comments and what stands between quotes become blanks; the quotes stay.
pub fn blank_comments_and_strings(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (skipped, quotes) = skip(rest);
        if skipped == 0 {
            let end = rest.chars().next().map_or(0, char::len_utf8);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        let blank: String = rest[..skipped].chars().map(|it| if it == '\n' { '\n' } else { ' ' }).collect();
        if quotes && blank.len() >= 2 {
            out.push_str(&format!("\"{}\"", &blank[2..]))
        } else {
            out.push_str(&blank)
        }
        rest = &rest[skipped..];
    }
    out
}

/// How many bytes from the start are one comment or literal, and whether it is a literal.
fn skip(rest: &str) -> (usize, bool) {
    let bytes = rest.as_bytes();
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), false);
    }
    if rest.starts_with("/*") {
        let mut depth = 0;
        let mut at = 0;
        while at < bytes.len() {
            match &bytes[at..(at + 2).min(bytes.len())] {
                b"/*" => (depth, at) = (depth + 1, at + 2),
                b"*/" => (depth, at) = (depth - 1, at + 2),
                _ => at += 1,
            }
            if depth == 0 {
                break;
            }
        }
        return (at, false);
    }
    if let Some(hashes) = rest.strip_prefix('r').map(|it| it.len() - it.trim_start_matches('#').len())
        && bytes.get(1 + hashes) == Some(&b'"')
    {
        let end = format!("\"{}", "#".repeat(hashes));
        let body = 2 + hashes;
        return (rest[body..].find(&end).map_or(rest.len(), |it| body + it + end.len()), true);
    }
    match bytes[0] {
        b'"' => (quoted(bytes, b'"'), true),
        // A lifetime has no closing quote right behind its first character.
        b'\'' if bytes.get(1) == Some(&b'\\') => (quoted(bytes, b'\''), true),
        b'\'' => {
            let first = rest[1..].chars().next().map_or(0, char::len_utf8);
            if bytes.get(1 + first) == Some(&b'\'') { (first + 2, true) } else { (0, false) }
        }
        _ => (0, false),
    }
}

fn quoted(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// What follows `#[cfg(test)]`, up to its closing brace or semicolon, becomes blanks.
fn blank_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(at) = out.find("#[cfg(test)]") {
        let end = out[at..].find(['{', ';']).map_or(out.len(), |it| {
            let open = at + it;
            if out[open..].starts_with('{') { open + balanced(&out, open).len() } else { open + 1 }
        });
        let blank: String = out[at..end].chars().map(|it| if it == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(at..end, &blank);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_blank_and_lines_stay() {
        for (text, want) in [
            ("a // b\nc", "a     \nc"),
            ("a /* /* b */ \n */ c", "a            \n    c"),
            (r#"x("a\"b") y"#, r#"x("    ") y"#),
            ("r#\"a\"b\"# c", "\"      \" c"),
            ("'\"' 'a 'x'", "\" \" 'a \" \""),
            (r"'\'' b", "\"  \" b"),
        ] {
            assert_eq!(blank_comments_and_strings(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_for_tests_is_not_shipped() {
        let it = Source::new("a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\nfn c() {}");
        assert_eq!(it.shipped.split_whitespace().collect::<String>(), "fna(){}fnc(){}");
        let mut all =
            [Source::new("x/mod.rs", "#[cfg(test)]\nmod suite;"), Source::new("x/suite.rs", "fn a() { b.unwrap() }")];
        mark_tests(&mut all);
        assert!(all[1].is_test && !all[0].is_test);
    }
}
