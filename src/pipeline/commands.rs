//! The commands that texts name, as their reader would type them.

use crate::plan::UNASKED;
use crate::problem::{Problem, shell_word};

/// The program's word in texts that know nothing of their reader.
const PROGRAM: &str = "crawlguard";

/// How a user calls this program on this project.
#[derive(Debug, Clone, Default)]
pub struct Commands {
    /// The program's word, quoted for a shell; `crawlguard` if empty.
    pub program: String,
    /// Words between the program and the subcommand, quoted for a shell.
    pub globals: Vec<String>,
}

impl Commands {
    /// The exact line that accepts what is [`seen`](crate::drift::seen()) of a table, and nothing that came since; `renames`
    /// are the columns that only have new names, as `old=new`.
    pub fn accept(&self, table: &str, renames: &[String], seen: &str) -> String {
        let renames: String = renames.iter().map(|pair| format!(" --rename {}", shell_word(pair))).collect();
        self.line(&format!("contracts update {}{renames}{UNASKED} {seen}", shell_word(table)))
    }

    /// The exact line of a subcommand, whose words are quoted already.
    pub fn line(&self, subcommand: &str) -> String {
        let program = if self.program.is_empty() { PROGRAM } else { &self.program };
        let words = std::iter::once(program).chain(self.globals.iter().map(String::as_str));
        words.chain([subcommand]).collect::<Vec<_>>().join(" ")
    }

    /// A text whose commands stand in backticks (`` `crawlguard crawl` ``), with each as its reader would type it. Those that
    /// are spelt so already stay.
    pub fn spell(&self, text: &str) -> String {
        let (any, ours) = (format!("`{PROGRAM} "), format!("`{}", self.line("")));
        text.replace(&ours, &any).replace(&any, &ours)
    }

    /// A problem whose texts are spelt so.
    pub fn spelt(&self, problem: Problem) -> Problem {
        Problem { message: self.spell(&problem.message), help: self.spell(&problem.help), ..problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_in_a_text_are_spelt_as_they_are_called() {
        let text = "run `crawlguard contracts update raw_a`; crawlguard stands in `crawlguard.toml`";
        assert_eq!(Commands::default().spell(text), text);
        let commands = Commands { program: "./crawlguard".into(), globals: vec!["--target".into(), "prod".into()] };
        let expected =
            "run `./crawlguard --target prod contracts update raw_a`; crawlguard stands in `crawlguard.toml`";
        assert_eq!(commands.spell(text), expected);
        let commands = Commands { globals: vec!["--project".into(), "p".into()], ..Commands::default() };
        assert_eq!(commands.spell(&commands.spell(text)), commands.spell(text));
    }
}
