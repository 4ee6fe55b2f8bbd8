//! Progress on stderr: one line a step under way, with time; a line with rows when it ends.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::pipeline::{Event, Reporter};

/// Spinners where stderr is a terminal; plain lines elsewhere; nothing if quiet.
pub struct Progress {
    bars: MultiProgress,
    open: Mutex<BTreeMap<String, ProgressBar>>,
    plain: bool,
    quiet: bool,
}

impl Progress {
    pub fn new(quiet: bool) -> Self {
        let bars = MultiProgress::new();
        if quiet {
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        let plain = !quiet && bars.is_hidden();
        Self { bars, open: Mutex::default(), plain, quiet }
    }

    /// Clears what is still drawn.
    pub fn finish(&self) {
        let _ = self.bars.clear();
    }

    fn line(&self, text: &str) {
        if self.plain {
            use std::io::Write;
            let _ = writeln!(anstream::stderr(), "{text}");
        } else if !self.quiet {
            let _ = self.bars.println(text);
        }
    }

    fn close(&self, step: &str) {
        if let Some(bar) = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(step) {
            bar.finish_and_clear();
        }
    }
}

impl Reporter for Progress {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Started { step } => {
                let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}").expect("the template is ours");
                let bar = self.bars.add(ProgressBar::new_spinner().with_style(style).with_message((*step).to_owned()));
                bar.enable_steady_tick(Duration::from_millis(120));
                self.open.lock().unwrap_or_else(PoisonError::into_inner).insert((*step).to_owned(), bar);
            }
            Event::Finished { step, rows, millis } => {
                self.close(step);
                let seconds = *millis as f64 / 1000.0;
                // A check answers with one row, which says nothing.
                let rows = match *rows {
                    _ if step.starts_with("check ") => String::new(),
                    1 => "1 row, ".into(),
                    rows => format!("{rows} rows, "),
                };
                self.line(&format!("  {step}  {rows}{seconds:.2} s"));
            }
            Event::Failed { step, message } => {
                self.close(step);
                // All of it, and its help, is in the result.
                self.line(&format!("  {step}  failed: {}", message.lines().next().unwrap_or_default()));
            }
        }
    }
}
