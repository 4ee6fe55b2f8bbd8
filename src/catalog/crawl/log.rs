//! Collecting a file's problems without letting one bad file fill the screen.

use crate::problem::Problem;

/// Problems of one file beyond these are counted, not shown.
const SHOWN: usize = 20;

/// The problems of one file.
pub(super) struct Log<'a> {
    file: &'a str,
    problems: &'a mut Vec<Problem>,
    count: usize,
    /// Where the first stands that is not shown.
    hidden: String,
}

impl<'a> Log<'a> {
    pub(super) fn new(file: &'a str, problems: &'a mut Vec<Problem>) -> Self {
        Self { file, problems, count: 0, hidden: String::new() }
    }

    pub(super) fn push(&mut self, place: impl Into<String>, message: impl Into<String>, help: impl Into<String>) {
        self.count += 1;
        if self.count <= SHOWN {
            self.problems.push(Problem::new(self.file, place, message, help));
        } else if self.count == SHOWN + 1 {
            self.hidden = place.into();
        }
    }

    pub(super) fn at_line(&mut self, line: u64, message: impl Into<String>, help: impl Into<String>) {
        self.push(format!("line {line}"), message, help);
    }
}

impl Drop for Log<'_> {
    fn drop(&mut self) {
        if self.count > SHOWN {
            let rest = self.count - SHOWN;
            self.problems.push(Problem::new(
                self.file,
                &self.hidden,
                format!("{rest} more problems like these, from here on"),
                "mend those shown first",
            ));
        }
    }
}
