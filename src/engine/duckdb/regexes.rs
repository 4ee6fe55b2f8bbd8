//! Regular expressions: Athena's (Joni, Java syntax) as RE2 reads them, or refused.

use regex::Regex;

/// What the match is used for: `$` also matches before a last line break, which matters only where text is cut out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Whether it matches, or what a group holds.
    Find,
    /// The matched text itself.
    Cut,
}

/// A pattern that means in RE2 what it meant in Athena.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub regex: String,
    /// The subject must not end in a line break: `$` cannot be said exactly.
    pub unbroken: bool,
    pub groups: usize,
}

const SPACE: &str = r"\t\n\x0B\f\r ";

/// Rewrites a pattern; the error says what in it has no equal.
pub(super) fn pattern(source: &str, used: Use) -> Result<Pattern, String> {
    let multiline = source.contains("(?m") || source.contains("(?im") || source.contains("(?sm");
    let mut scan = Scan { chars: source.chars().collect(), at: 0, out: String::new(), used, multiline, unbroken: false };
    while scan.at < scan.chars.len() {
        scan.step()?;
    }
    let compiled = Regex::new(&scan.out).map_err(|_| "this pattern, which is not valid".to_owned())?;
    Ok(Pattern { regex: scan.out, unbroken: scan.unbroken, groups: compiled.captures_len() - 1 })
}

/// True if a match can be empty.
pub(super) fn matches_empty(regex: &str) -> bool {
    Regex::new(&format!(r"\A(?:{regex})\z")).is_ok_and(|regex| regex.is_match(""))
}

/// Whether a group may take no part in a match, and could also match nothing: then '' and NULL cannot be told apart.
pub(super) fn group(regex: &str, wanted: usize) -> Group {
    let spans = groups(regex);
    let Some(span) = spans.iter().find(|span| span.number == wanted) else { return Group::Always };
    let optional = |span: &Span| {
        let after = &regex[span.end..];
        after.starts_with(['?', '*']) || after.starts_with("{0")
    };
    let enclosing: Vec<&Span> = spans.iter().filter(|outer| outer.start <= span.start && span.end <= outer.end).collect();
    let alternated = enclosing.iter().any(|outer| outer.start < span.start && outer.alternatives)
        || top_level_alternatives(regex, &spans);
    if !alternated && !enclosing.iter().any(|outer| optional(outer)) {
        return Group::Always;
    }
    if matches_empty(&regex[span.start..span.end]) { Group::Ambiguous } else { Group::Sometimes }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// In every match.
    Always,
    /// Not in every match, but never empty when it is.
    Sometimes,
    /// Not in every match, and may be empty when it is.
    Ambiguous,
}

struct Span {
    /// 0 for a group that does not capture.
    number: usize,
    start: usize,
    end: usize,
    /// Has a `|` of its own.
    alternatives: bool,
}

/// Every group of an accepted pattern: bytes outside classes and escapes are what they seem.
fn groups(regex: &str) -> Vec<Span> {
    let mut open: Vec<Span> = Vec::new();
    let mut closed = Vec::new();
    let mut number = 0;
    walk(regex, |at, byte| match byte {
        b'(' => {
            let captures = !regex[at..].starts_with("(?") || regex[at..].starts_with("(?P<");
            number += usize::from(captures);
            open.push(Span { number: if captures { number } else { 0 }, start: at, end: at, alternatives: false });
        }
        b'|' => {
            if let Some(span) = open.last_mut() {
                span.alternatives = true;
            }
        }
        b')' => {
            if let Some(mut span) = open.pop() {
                span.end = at + 1;
                closed.push(span);
            }
        }
        _ => {}
    });
    closed
}

fn top_level_alternatives(regex: &str, spans: &[Span]) -> bool {
    let mut found = false;
    walk(regex, |at, byte| {
        found |= byte == b'|' && !spans.iter().any(|span| span.start < at && at < span.end);
    });
    found
}

/// Visits the bytes that are neither escaped nor in a class.
fn walk(regex: &str, mut visit: impl FnMut(usize, u8)) {
    let (mut escaped, mut class) = (false, false);
    for (at, byte) in regex.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b']' => class = false,
            _ if class => {}
            b'[' => class = true,
            _ => visit(at, byte),
        }
    }
}

struct Scan {
    chars: Vec<char>,
    at: usize,
    out: String,
    used: Use,
    multiline: bool,
    unbroken: bool,
}

impl Scan {
    fn step(&mut self) -> Result<(), String> {
        let c = self.chars[self.at];
        self.at += 1;
        match c {
            '\\' => self.escape(false),
            '[' => self.class(),
            '(' if self.peek() == Some('?') => self.special_group(),
            '$' if !self.multiline => {
                self.end_of_text();
                Ok(())
            }
            _ => {
                self.out.push(c);
                Ok(())
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn end_of_text(&mut self) {
        if self.used == Use::Find {
            self.out.push_str(r"(?:\n?\z)");
            return;
        }
        // Greedy white space takes the line break with it, in both engines.
        let takes_break = ['+', '*'].iter().any(|many| self.out.ends_with(&format!("[{SPACE}]{many}")));
        self.unbroken |= !takes_break;
        self.out.push_str(r"\z");
    }

    fn escape(&mut self, class: bool) -> Result<(), String> {
        let Some(c) = self.peek() else { return Err(r"a lone \".to_owned()) };
        self.at += 1;
        match c {
            's' if class => self.out.push_str(SPACE),
            's' => self.out.push_str(&format!("[{SPACE}]")),
            'S' if !class => self.out.push_str(&format!("[^{SPACE}]")),
            'd' => self.out.push_str(if class { "0-9" } else { "[0-9]" }),
            'w' => self.out.push_str(if class { "0-9A-Za-z_" } else { "[0-9A-Za-z_]" }),
            'D' if !class => self.out.push_str("[^0-9]"),
            'W' if !class => self.out.push_str("[^0-9A-Za-z_]"),
            't' | 'n' | 'r' | 'f' => self.out.extend(['\\', c]),
            'p' | 'P' if self.peek() == Some('{') => self.out.extend(['\\', c]),
            'A' | 'z' if !class => self.out.extend(['\\', c]),
            _ if !c.is_alphanumeric() => {
                let text = c.to_string();
                self.out.push_str(&regex::escape(&text));
            }
            'b' | 'B' => return Err(format!(r"\{c}, which takes é for a letter there and not here")),
            _ => return Err(format!(r"\{c}")),
        }
        Ok(())
    }

    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.peek() == Some('^') {
            self.at += 1;
            self.out.push('^');
        }
        if self.peek() == Some(']') {
            return Err("a class that starts with ]".to_owned());
        }
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '\\' => self.escape(true)?,
                '[' => return Err("a class inside a class".to_owned()),
                '&' if self.peek() == Some('&') => return Err("&& in a class".to_owned()),
                '~' | '-' if self.peek() == Some(c) => return Err(format!("{c}{c} in a class")),
                ']' => {
                    self.out.push(c);
                    return Ok(());
                }
                _ => self.out.push(c),
            }
        }
        Err("a class that does not end".to_owned())
    }

    fn special_group(&mut self) -> Result<(), String> {
        let rest: String = self.chars[self.at..].iter().collect();
        let flags = rest[1..].chars().take_while(|c| "ims".contains(*c)).count();
        let after = rest[1 + flags..].chars().next();
        if matches!(after, Some(':' | ')')) && (flags > 0 || after == Some(':')) {
            self.out.push('(');
            self.out.push_str(&rest[..flags + 2]);
            self.at += flags + 2;
            return Ok(());
        }
        if rest.starts_with("?<") && !rest.starts_with("?<=") && !rest.starts_with("?<!") {
            self.out.push_str("(?P<");
            self.at += 2;
            return Ok(());
        }
        Err(format!("({}, which RE2 does not have", rest.chars().take(3).collect::<String>()))
    }
}

/// A replacement as RE2 reads it: `$1` becomes `\1`.
pub(super) fn replacement(source: &str, groups: usize) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('\\') => out.push_str(r"\\"),
                Some(other) => out.push(other),
                None => return Err(r"a lone \ in the replacement".to_owned()),
            },
            '$' => match chars.next().and_then(|digit| digit.to_digit(10)) {
                Some(digit) if digit as usize <= groups && !chars.peek().is_some_and(char::is_ascii_digit) => {
                    out.push_str(&format!(r"\{digit}"));
                }
                _ => return Err("a $ in the replacement that is not one group's number".to_owned()),
            },
            _ => out.push(c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regex(source: &str, used: Use) -> Result<String, String> {
        pattern(source, used).map(|pattern| pattern.regex)
    }

    #[test]
    fn classes_and_ends_keep_their_meaning() {
        assert_eq!(regex(r"^\d+[\w-]$", Use::Find).expect("plain"), r"^[0-9]+[0-9A-Za-z_-](?:\n?\z)");
        assert_eq!(regex(r"\s+$", Use::Cut).expect("plain"), format!(r"[{SPACE}]+\z"));
        assert!(!pattern(r"^\s+|\s+$", Use::Cut).expect("plain").unbroken);
        assert!(pattern(",$", Use::Cut).expect("plain").unbroken);
        assert_eq!(regex(r"(?m)^b$", Use::Find).expect("plain"), "(?m)^b$");
        assert_eq!(regex(r"(?<f>\w) x", Use::Find).expect("plain"), "(?P<f>[0-9A-Za-z_]) x");
    }

    #[test]
    fn what_re2_reads_otherwise_is_refused() {
        for source in [r"a\b", r"(?=a)", r"(?<!a)b", r"(a)\1", "[[:alpha:]]", "[a&&b]", "a(", r"\", "[a", r"\h", "[]a]"] {
            assert!(pattern(source, Use::Find).is_err(), "{source}");
        }
    }

    #[test]
    fn optional_groups_are_told_apart() {
        assert_eq!(group("(a)(b)?", 1), Group::Always);
        assert_eq!(group("(a)(b)?", 2), Group::Sometimes);
        assert_eq!(group("(?:x(a*))?", 1), Group::Ambiguous);
        assert_eq!(group("(a)|(b)", 2), Group::Sometimes);
        assert_eq!(group(r"\((a)\)?", 1), Group::Always);
        assert_eq!(group("[(](a)", 1), Group::Always);
    }

    #[test]
    fn replacements_are_rewritten() {
        assert_eq!(replacement(r"$2-\$\\", 2).expect("two groups"), r"\2-$\\");
        assert!(replacement("$3", 2).is_err());
        assert!(replacement("${f}", 2).is_err());
    }
}
