//! Who is at the keyboard: the name that git would put on a commit, else the account's.

use std::path::Path;
use std::process::{Command, Stdio};

/// `Ann <ann@example.org>`, from the environment as git reads it, then git's settings for the project's folder.
pub fn who(root: &Path) -> String {
    let of = |variable: &str, key: &str| set(variable).or_else(|| git(root, key));
    let name = of("GIT_AUTHOR_NAME", "user.name");
    let email = of("GIT_AUTHOR_EMAIL", "user.email");
    let account = || ["USER", "LOGNAME", "USERNAME"].iter().find_map(|variable| set(variable));
    identity(name, email).or_else(account).unwrap_or_else(|| "unknown".to_owned())
}

fn identity(name: Option<String>, email: Option<String>) -> Option<String> {
    match (name, email) {
        (Some(name), Some(email)) => Some(format!("{name} <{email}>")),
        (name, email) => name.or(email),
    }
}

fn set(variable: &str) -> Option<String> {
    std::env::var(variable).ok().and_then(said)
}

/// Without git, nothing.
fn git(root: &Path, key: &str) -> Option<String> {
    let mut command = Command::new("git");
    let output = command.arg("-C").arg(root).args(["config", "--get", key]).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok().and_then(said)
}

/// One line that says something.
fn said(text: String) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_an_address_make_an_identity() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(identity(some("Ann"), some("a@b.c")), some("Ann <a@b.c>"));
        assert_eq!(identity(None, some("a@b.c")), some("a@b.c"));
        assert_eq!(identity(some("Ann"), None), some("Ann"));
        assert_eq!(identity(None, None), None);
    }

    #[test]
    fn blank_is_not_said_and_a_log_line_stays_one() {
        assert_eq!(said(" \n".to_owned()), None);
        assert_eq!(said("Ann\nLee\n".to_owned()).as_deref(), Some("Ann Lee"));
    }
}
