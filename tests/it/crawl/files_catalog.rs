//! The catalog port, on files.
