//! Which lines of a YAML text carry a comment.

/// Numbers of the lines (from 1) with a comment. Errs towards too many: a comment lost in silence is the worse mistake.
pub(super) fn comment_lines(text: &str) -> Vec<usize> {
    let mut scanner = Scanner::default();
    let found: Vec<usize> = numbered(text).filter(|(_, line)| scanner.has_comment(line)).map(|(at, _)| at).collect();
    if scanner.quote.is_none() {
        return found;
    }
    // A quote that never closes means the scanner lost its way.
    numbered(text).filter(|(_, line)| line.contains('#')).map(|(at, _)| at).collect()
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

#[derive(Default)]
struct Scanner {
    /// The quote a scalar was opened with; it may span lines.
    quote: Option<char>,
    /// Open `[` and `{`.
    depth: usize,
    /// In a block scalar: the column that its text stands right of.
    block: Option<usize>,
}

impl Scanner {
    fn has_comment(&mut self, line: &str) -> bool {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if let Some(parent) = self.block {
            if line.trim().is_empty() || indent > parent {
                return false;
            }
            self.block = None;
        }
        self.scan(line)
    }

    fn scan(&mut self, line: &str) -> bool {
        let mut before = ' ';
        let mut at_token = true;
        let mut parent = None;
        let mut dash = 0;
        let mut chars = line.char_indices().peekable();
        while let Some((column, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            if let Some(quote) = self.quote {
                if c == '\\' && quote == '"' || c == '\'' && quote == '\'' && next == Some('\'') {
                    chars.next();
                } else if c == quote {
                    self.quote = None;
                }
                before = c;
                continue;
            }
            let ends_token = next.is_none_or(char::is_whitespace);
            match c {
                '#' if before.is_whitespace() => return true,
                '\'' | '"' if at_token => (self.quote, at_token) = (Some(c), false),
                '|' | '>' if at_token && self.depth == 0 => {
                    self.block = Some(parent.unwrap_or(dash));
                    at_token = false;
                }
                '-' if at_token && ends_token => dash = column,
                ':' | '?' if ends_token => at_token = true,
                '[' | '{' if at_token || self.depth > 0 => (self.depth, at_token) = (self.depth + 1, true),
                ']' | '}' if self.depth > 0 => (self.depth, at_token) = (self.depth - 1, false),
                ',' if self.depth > 0 => at_token = true,
                _ if c.is_whitespace() => {}
                _ => at_token = false,
            }
            if !c.is_whitespace() && c != '-' {
                parent = parent.or(Some(column));
            }
            before = c;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::comment_lines;

    #[test]
    fn finds_comments_and_nothing_else() {
        let cases: &[(&str, &[usize])] = &[
            ("a: 1\n", &[]),
            ("# top\na: 1 # end\n  # indented\n", &[1, 2, 3]),
            ("a: b#c\nb: 'x # y'\nc: \"x # \\\" # y\"\n", &[]),
            ("a: 'it''s # in'\nb: don't # out\n", &[2]),
            ("a: the 'x # y'\n", &[1]),
            ("a: |\n  # text\n\n  more\nb: 1 # out\n", &[5]),
            ("- d: >-\n    # text\n  e: 1 # out\n", &[3]),
            ("- |\n  # text\n- 2 # out\n", &[3]),
            ("a: | # header\n  # text\n", &[1]),
            ("a: [x, 'b # c', {d: \"#\"}] # out\n", &[1]),
            ("a: 'two\n  lines # in'\nb: 1\n", &[]),
            ("pattern: ^a|b$\nb: x > 1 # out\n", &[2]),
            ("a:\n  'broken # maybe\nb: 1 # maybe\n", &[2, 3]),
        ];
        for (text, lines) in cases {
            assert_eq!(comment_lines(text), *lines, "{text}");
        }
    }
}
