//! Alert → subject and body, by the templates of alerts/.

use crate::plan::Alert;
use crate::problem::Problems;

/// The text that stdout shows and the SNS email carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// 1–99 printable ASCII characters, the first not a space (what SNS takes).
    pub subject: String,
    pub body: String,
}

/// Renders with `templates` (file name → text, of alerts/); the built-in ones stand in for what is missing.
pub fn render(_alert: &Alert, _templates: &[(String, String)]) -> Result<Rendered, Problems> {
    todo!()
}
