//! The dialect that models are written in.

use std::sync::LazyLock;

use polyglot_sql::{CustomDialectBuilder, Dialect, DialectType};

const NAME: &str = "crawlguard-athena";

static DIALECT: LazyLock<Dialect> = LazyLock::new(|| {
    CustomDialectBuilder::new(NAME)
        .based_on(DialectType::Trino)
        .tokenizer_config_modifier(|config| {
            config.quotes.remove("\"\"\"");
        })
        .register()
        .expect("the name is this program's own and is registered once");
    Dialect::get_by_name(NAME).expect("it was registered above")
});

/// What Athena runs SELECTs on: Trino, where a backslash in a string is a backslash and `"""x"` is the name `"x`.
///
/// The parser's own Athena dialect takes a backslash for an escape, as Hive does, and both dialects read three double
/// quotes as a string.
/// <https://trino.io/docs/current/language/types.html#varchar>
pub fn dialect() -> &'static Dialect {
    &DIALECT
}
