//! What a usage error does not say by itself.

use std::io::Write;

use clap::error::{ContextKind, ContextValue, Error};

/// Names the option that was meant, where it is another one.
pub fn hint(error: &Error) {
    let given = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let rows = ["csv", "table"].contains(&given(ContextKind::InvalidValue));
    if rows && given(ContextKind::InvalidArg).starts_with("--format") {
        let output = given(ContextKind::InvalidValue);
        let _ = writeln!(anstream::stderr(), "\nFor rows as {output}: crawlguard query SQL --output {output}");
    }
}
