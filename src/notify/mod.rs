//! The notifier port and the text of an alert.

mod render;

pub use render::{Rendered, render};
