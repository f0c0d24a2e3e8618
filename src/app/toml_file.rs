//! TOML files of ours: every mistake names the file, the line, the column, and what was probably meant.
use std::io::Read;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::app::exit::Failure;

/// Largest file read, in bytes. A playlist of ten thousand items has one; more is not a file of ours.
const MAX_BYTES: u64 = 4 << 20;
/// Largest number of milliseconds.
const MAX_MILLISECONDS: f64 = 60_000.0;
/// How unlike a known key a word may be and still be taken for it (Jaro-Winkler; clap draws the same line).
const ALIKE: f64 = 0.7;

/// Reads a small text file whole.
pub fn read(path: &str) -> Result<String, Failure> {
    let fail = |why: &dyn std::fmt::Display| Failure::usage(format_args!("{path}: {why}"));
    let file = std::fs::File::open(path).map_err(|it| fail(&it).advise("check the path and its permissions"))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|it| fail(&it))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(fail(&"over the limit of 4 MiB for a TOML file").advise("check that it is the right file"));
    }
    String::from_utf8(bytes).map_err(|it| {
        let at = it.utf8_error().valid_up_to();
        fail(&format_args!("byte {at} is not UTF-8 text")).advise("save it as UTF-8")
    })
}

/// A file's name and text: what it takes to point at a place in it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its path, as the user gave it.
    pub name: &'a str,
    /// All of it.
    pub text: &'a str,
}

impl<'a> Source<'a> {
    /// The document, or the place where it is not TOML.
    pub fn parse(self) -> Result<Spanned<DeTable<'a>>, Failure> {
        DeTable::parse(self.text).map_err(|it| self.fail(it.span().unwrap_or_default(), it.message()))
    }

    /// `name:line:column: what`, both counted from 1.
    pub fn fail(self, at: Range<usize>, what: impl std::fmt::Display) -> Failure {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|it| *it != '\n').count() + 1;
        Failure::usage(format_args!("{}:{line}:{column}: {what}", self.name))
    }
}

/// One table, all of whose keys are known.
#[derive(Debug)]
pub struct Table<'a, 'i> {
    source: Source<'a>,
    table: &'a DeTable<'i>,
}

impl<'a, 'i> Table<'a, 'i> {
    /// Refuses the first key in the file that is not in `known`, and says which one comes nearest.
    pub fn open(source: Source<'a>, table: &'a DeTable<'i>, known: &[&str]) -> Result<Self, Failure> {
        let unknown = table.keys().filter(|it| !known.contains(&it.get_ref().as_ref()));
        let Some(key) = unknown.min_by_key(|it| it.span().start) else {
            return Ok(Self { source, table });
        };
        let failure = source.fail(key.span(), format_args!("unknown key \"{}\"", key.get_ref()));
        let nearest = known.iter().map(|it| (strsim::jaro_winkler(it, key.get_ref()), it));
        Err(match nearest.max_by(|one, other| one.0.total_cmp(&other.0)) {
            Some((likeness, known)) if likeness > ALIKE => failure.advise(&format!("did you mean \"{known}\"?")),
            _ => failure.advise(&format!("known here: {}", known.join(", "))),
        })
    }

    /// A string or a whole number, read by `parse`, and where it stands.
    pub fn value<T>(
        &self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<(T, Range<usize>)>, Failure> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let text = match value.get_ref() {
            DeValue::String(it) => it.as_ref(),
            DeValue::Integer(it) => it.as_str(),
            other => {
                let what = format_args!("{key} is a {} here, not a string or a whole number", other.type_str());
                return Err(self.source.fail(value.span(), what));
            }
        };
        match parse(text) {
            Ok(it) => Ok(Some((it, value.span()))),
            Err(why) => Err(self.source.fail(value.span(), format_args!("{key} = {text:?}: {why}"))),
        }
    }

    /// As `value`, without the place.
    pub fn plain<T>(&self, key: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, Failure> {
        Ok(self.value(key, parse)?.map(|(it, _)| it))
    }

    /// A number of milliseconds, whole or not; a minute at most, beyond which it was surely meant otherwise.
    pub fn milliseconds(&self, key: &str) -> Result<Option<Duration>, Failure> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let text = match value.get_ref() {
            DeValue::Integer(it) => it.as_str(),
            DeValue::Float(it) => it.as_str(),
            other => {
                let what = format_args!("{key} is a {} here, not a number", other.type_str());
                return Err(self.source.fail(value.span(), what));
            }
        };
        let number = text.parse::<f64>().ok().filter(|it| (0.0..=MAX_MILLISECONDS).contains(it));
        let duration = number.map(|it| Duration::from_secs_f64(it / 1000.0)).ok_or_else(|| {
            let what = format_args!("{key} = {text:?}: a number of milliseconds from 0 to {MAX_MILLISECONDS}");
            self.source.fail(value.span(), what)
        })?;
        Ok(Some(duration))
    }

    /// The tables of an array of tables (`[[key]]`), each with its place.
    pub fn tables(&self, key: &str) -> Result<Vec<(&'a DeTable<'i>, Range<usize>)>, Failure> {
        let Some(value) = self.table.get(key) else { return Ok(Vec::new()) };
        let not_tables = |at| self.source.fail(at, format_args!("write each {key} under a line [[{key}]]"));
        let array = value.get_ref().as_array().ok_or_else(|| not_tables(value.span()))?;
        array
            .iter()
            .map(|it| match it.get_ref() {
                DeValue::Table(table) => Ok((table, it.span())),
                _ => Err(not_tables(it.span())),
            })
            .collect()
    }
}
