//! The stored promise about a table: an ODCS document, its lossless form and its meaning.
//!
//! [`Document`] is the text and everything in it; [`Contract`] is what the program understands of it.
//! Nothing in a document is skipped: what is neither understood nor plainly prose is a problem.

mod accept;
mod comments;
mod create;
mod custom;
mod document;
mod layout;
mod model;
mod observed;
mod outputs;
mod parse;
mod place;
mod quality;
mod range;
mod read;
mod rule;

pub use document::Document;
pub use model::{Contract, Origin, Policy, Tolerance};
pub use observed::Observed;
pub use outputs::{without_accepted_target, without_model, without_output, without_target, without_target_column};
