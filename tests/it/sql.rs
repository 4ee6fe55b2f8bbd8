//! Tests of sql.
