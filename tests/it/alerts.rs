//! Tests of alerts.
