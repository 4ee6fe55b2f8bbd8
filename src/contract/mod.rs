//! The stored promise about a table: an ODCS document, its lossless form and its meaning.
//!
//! [`Document`] is the text and everything in it; [`Contract`] is what the program understands of it.

mod document;
mod model;

pub use document::Document;
pub use model::{Contract, Origin, Policy, Tolerance};
