//! What a project says of a source's CSV, where the built-in classifier would guess.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// A target's classifiers, by the name of the source's folder.
#[derive(Debug, Clone)]
pub struct Classifiers<'a> {
    /// The target's name, as its settings are keyed by it.
    pub target: &'a str,
    pub by_source: BTreeMap<String, CsvClassifier>,
}

impl Classifiers<'_> {
    /// The table of `crawlguard.toml` that holds a source's settings.
    pub(super) fn setting(&self, source: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let key = |name: &str| match !name.is_empty() && name.chars().all(plain) {
            true => name.to_owned(),
            false => toml::Value::String(name.to_owned()).to_string(),
        };
        format!("targets.{}.classifiers.{}", key(self.target), key(source))
    }
}

/// How one source's CSV is read, as Glue's custom CSV classifier says it.
/// <https://docs.aws.amazon.com/glue/latest/webapi/API_CreateCsvClassifierRequest.html>
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CsvClassifier {
    /// Who reads the cells: `LazySimpleSerDe` knows no quotes, `OpenCSVSerDe` does and makes every column a string.
    pub serde: CsvSerde,
    /// Whether the first line of a file is its header.
    pub header: CsvHeader,
    /// The character between cells; found by looking if not given.
    pub delimiter: Option<char>,
    /// The character around cells that hold a delimiter; OpenCSVSerDe only, `"` if not given.
    pub quote: Option<char>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum CsvSerde {
    #[default]
    LazySimpleSerDe,
    OpenCSVSerDe,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CsvHeader {
    /// By the built-in classifier's rule.
    #[default]
    Unknown,
    Present,
    Absent,
}

impl CsvClassifier {
    /// What is wrong with it, and how to mend it.
    pub fn fault(&self) -> Option<(&'static str, &'static str)> {
        let signs = [self.delimiter, self.quote];
        if signs.iter().flatten().any(|sign| !sign.is_ascii() || matches!(sign, '\n' | '\r' | '\\')) {
            return Some(("a delimiter or quote is not one ASCII character", "use a character such as `;` or `'`"));
        }
        if self.quote.is_some() && self.serde == CsvSerde::LazySimpleSerDe {
            return Some(("LazySimpleSerDe knows no quote", "set serde = \"OpenCSVSerDe\", or remove `quote`"));
        }
        if self.delimiter.is_some() && self.delimiter == Some(self.quote_char()) {
            return Some(("delimiter and quote are the same", "set two different characters"));
        }
        None
    }

    pub(super) fn quote_char(&self) -> char {
        self.quote.unwrap_or('"')
    }

    pub(super) fn is_open_csv(&self) -> bool {
        self.serde == CsvSerde::OpenCSVSerDe
    }
}
