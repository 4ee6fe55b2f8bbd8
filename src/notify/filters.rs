//! What templates can do beyond minijinja's own filters.

use minijinja::{Environment, Value};

use super::headline::headline;
use crate::checks::numbers;
use crate::plan::asking;
use crate::problem::shell_word;

/// Longest line of what is printed.
const PRINTED: usize = 72;
/// Longest line of a mail, which may have 998 bytes (RFC 5322). Screens are of all widths, and what reads mail breaks lines at
/// its own: lines that are broken before are ragged on a phone.
const MAILED: usize = 900;

/// Adds every filter of this module to `environment`.
pub(super) fn add(environment: &mut Environment<'_>) {
    environment.add_filter("wrap", |text: &str, indent: Option<usize>| wrapped_to(MAILED, text, indent.unwrap_or(0)));
    environment.add_filter("listed", listed);
    environment.add_filter("shell", shell_word);
    environment.add_filter("pointing", |help: &str, lines: Vec<String>| pointing(help, &lines));
    environment.add_filter("headline", |finding: &Value| headline_of(finding));
    environment.add_filter("numbers", |measured: &Value| numbers_of(measured));
    environment.add_filter("masked", |text: &str| masked(text));
}

/// Lines of at most 72 characters, every line but the first indented. A longer word stays whole, and so do a command in
/// backticks and the text's own lines: they are there to be pasted.
pub fn wrap(text: &str, indent: usize) -> String {
    wrapped_to(PRINTED, text, indent)
}

fn wrapped_to(width: usize, text: &str, indent: usize) -> String {
    let lines: Vec<_> = text.lines().flat_map(|line| wrapped(line, width.saturating_sub(indent))).collect();
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in words(text) {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
        }
        let line = lines.last_mut().expect("it starts with one line");
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    lines
}

/// The words of a text; a command in backticks is one, with the punctuation behind it.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let inside = rest.strip_prefix('`').filter(|inside| is_command(inside));
        let closed = inside.and_then(|inside| Some(inside.find('`')? + 1)).unwrap_or_default();
        let end = rest[closed..].find(char::is_whitespace).map_or(rest.len(), |end| closed + end);
        words.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    words
}

/// True if a program's call begins here: `crawlguard`, or a path that ends so.
fn is_command(text: &str) -> bool {
    let program = text.split_whitespace().next().unwrap_or_default();
    program.rsplit('/').next().is_some_and(|name| name.trim_end_matches('\'') == "crawlguard") && text.contains(' ')
}

/// `names | listed(8)`: the first eight, and how many more there are.
fn listed(names: Vec<String>, most: usize) -> String {
    let shown = names.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(most) {
        0 => shown,
        more if shown.is_empty() => format!("{more}"),
        more => format!("{shown} and {more} more"),
    }
}

/// `finding.help | pointing(accept)`: a command that stands in a line of its own is not said twice.
fn pointing(help: &str, lines: &[String]) -> String {
    let commands = lines.iter().filter_map(|line| asking(line));
    commands.fold(help.to_owned(), |help, command| {
        let help = help.replace(&format!("Run `{command}`"), "Use the line below");
        help.replace(&format!("run `{command}`"), "use the line below")
    })
}

/// `finding | headline`: what happened to the finding's table, in a few words.
fn headline_of(finding: &Value) -> String {
    let text = |name: &str| finding.get_attr(name).ok().and_then(|text| text.as_str().map(str::to_owned));
    headline(&text("rule").unwrap_or_default(), &text("path").unwrap_or_default())
}

/// `check.measured | numbers`: what was measured, in words.
fn numbers_of(measured: &Value) -> String {
    numbers(&serde_json::to_value(measured).unwrap_or_default())
}

/// `error | masked`: an engine's message without what stands in quotes, which can be a row's value. From a line's first
/// opening quote to its last closing one, since a value can hold quotes itself; names in backticks stay.
pub fn masked(text: &str) -> String {
    let text = without_bad_data(text);
    let lines = text.lines().map(|line| match (opening_quote(line), line.rfind(['\'', '"'])) {
        (Some(start), Some(end)) if start < end => format!("{}...{}", &line[..=start], &line[end..]),
        (Some(start), _) => format!("{}...", &line[..=start]),
        (None, _) => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A value that did not fit its column stands at the end of its error, unquoted, and may have lines of its own.
fn without_bad_data(text: &str) -> String {
    let mut kept = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let begins = line.starts_with("build ") || line.starts_with("check ");
        if inside && !begins {
            continue;
        }
        let value = line.find("HIVE_BAD_DATA").and_then(|at| {
            let ends = [", not ", "pair up: "].iter().filter_map(|word| Some(line[at..].find(word)? + at + word.len()));
            ends.min()
        });
        inside = value.is_some();
        kept.push(value.map_or_else(|| line.to_owned(), |at| format!("{}...", &line[..at])));
    }
    kept.join("\n")
}

/// The first quote that no letter or digit stands before: that one would be an apostrophe.
fn opening_quote(line: &str) -> Option<usize> {
    let mut before = None;
    line.char_indices().find_map(|(index, char)| {
        let opens = matches!(char, '\'' | '"') && !before.is_some_and(char::is_alphanumeric);
        before = Some(char);
        opens.then_some(index)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_wrapped_between_words() {
        let wrapped = wrap(&"word ".repeat(30), 3);
        assert!(wrapped.lines().all(|line| line.chars().count() <= PRINTED));
        assert!(wrapped.lines().skip(1).all(|line| line.starts_with("   word")));
        assert_eq!(wrap(&"x".repeat(100), 0), "x".repeat(100));
        assert_eq!(wrap(" ", 0), "");
        assert_eq!(wrap("append:\n    [a]\n    b = 1", 2), "append:\n  [a]\n  b = 1");
    }

    #[test]
    fn a_mails_line_is_broken_only_where_no_mail_may_have_it() {
        let sentence = "word ".repeat(150);
        assert_eq!(wrapped_to(MAILED, &sentence, 2), sentence.trim_end());
        let lines = wrapped_to(MAILED, &"word ".repeat(300), 2);
        assert!(lines.lines().count() == 2 && lines.lines().all(|line| line.len() <= MAILED), "{lines}");
    }

    #[test]
    fn commands_are_wrapped_whole() {
        let command = format!("`./crawlguard --target prod contracts update raw_a --rename '{} b=c'`.", "a".repeat(60));
        let wrapped = wrap(&format!("Restore it, or run {command} Or `a  b` not."), 2);
        assert_eq!(wrapped, format!("Restore it, or run\n  {command}\n  Or `a b` not."));
        for open in ["`crawlguard runs", "`", "a `crawlguard` b"] {
            assert_eq!(wrap(open, 0), open);
        }
    }

    #[test]
    fn values_in_quotes_are_masked() {
        for (message, shown) in [
            ("Cannot cast 'ada@example.org' to INT", "Cannot cast '...' to INT"),
            ("Could not convert string 'O'Brien' to INT32", "Could not convert string '...' to INT32"),
            ("Invalid format: \"5/17/24\" is malformed", "Invalid format: \"...\" is malformed"),
            ("can't read table `raw_orders`", "can't read table `raw_orders`"),
            ("an open 'quote", "an open '..."),
            (
                "build a: HIVE_BAD_DATA: `t`.`id` is int, not Ada\nLovelace\nbuild b: no",
                "build a: HIVE_BAD_DATA: `t`.`id` is int, not ...\nbuild b: no",
            ),
        ] {
            assert_eq!(masked(message), shown);
        }
    }

    #[test]
    fn a_command_of_a_line_below_is_pointed_at() {
        let lines = ["crawlguard contracts update raw_a --yes --expect 0a1b2c", "crawlguard runs x"].map(String::from);
        for (help, shown) in [
            (
                "Restore it, or run `crawlguard contracts update raw_a` to accept it.",
                "Restore it, or use the line below to accept it.",
            ),
            ("Run `crawlguard contracts update raw_a` to accept it.", "Use the line below to accept it."),
        ] {
            assert_eq!(pointing(help, &lines), shown);
        }
        for other in
            ["run `crawlguard contracts update raw_ab`", "run `crawlguard contracts update raw_a --rename b=c`"]
        {
            assert_eq!(pointing(other, &lines), other);
        }
    }

    #[test]
    fn long_lists_say_how_many_more() {
        let names = |count| (1..=count).map(|n: u8| n.to_string()).collect::<Vec<_>>();
        assert_eq!(listed(names(3), 3), "1, 2, 3");
        assert_eq!(listed(names(5), 3), "1, 2, 3 and 2 more");
        assert_eq!(listed(names(0), 3), "");
    }
}
