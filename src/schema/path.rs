//! Paths into a table's columns: `order.items[].price`.
//!
//! `.name` is a struct's field, `[]` an array's item, `{key}` and `{value}` a map's halves. A name that holds one of
//! these signs stands in double quotes, a quote inside it doubled.

/// A top-level column as a path.
pub fn column(name: &str) -> String {
    if name.is_empty() || name.contains(['.', '[', ']', '{', '}', '"']) {
        return format!("\"{}\"", name.replace('"', "\"\""));
    }
    name.to_owned()
}

/// A field of the struct at `parent`.
pub fn field(parent: &str, name: &str) -> String {
    format!("{parent}.{}", column(name))
}

/// The item of the array at `parent`.
pub fn item(parent: &str) -> String {
    format!("{parent}[]")
}

/// The key of the map at `parent`.
pub fn key(parent: &str) -> String {
    format!("{parent}{{key}}")
}

/// The value of the map at `parent`.
pub fn value(parent: &str) -> String {
    format!("{parent}{{value}}")
}

/// The name of the top-level column a path starts at: the inverse of [`column()`]. Empty for the table's own path.
pub fn root(path: &str) -> String {
    let Some(quoted) = path.strip_prefix('"') else {
        let end = path.find(['.', '[', '{']).unwrap_or(path.len());
        return path[..end].to_owned();
    };
    let mut name = String::new();
    let mut characters = quoted.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '"' && characters.next_if_eq(&'"').is_none() {
            break;
        }
        name.push(character);
    }
    name
}

/// A path's parent and its last name, quotes kept: `a.b[].c` is `a.b[]` and `c`. A column's parent is empty.
pub fn split(path: &str) -> (&str, &str) {
    let mut quoted = false;
    let mut last = None;
    for (index, character) in path.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '.' if !quoted => last = Some(index),
            _ => {}
        }
    }
    last.map_or(("", path), |dot| (&path[..dot], &path[dot + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nested_paths_read_as_documented() {
        let items = item(&field(&column("order"), "items"));
        assert_eq!(field(&items, "price"), "order.items[].price");
        assert_eq!(value(&column("tags")), "tags{value}");
        assert_eq!(field(&column("a.b"), "say \"x\""), "\"a.b\".\"say \"\"x\"\"\"");
    }

    #[test]
    fn a_path_splits_at_its_last_name() {
        assert_eq!(split("order.items[].price"), ("order.items[]", "price"));
        assert_eq!(split("order.\"a.b\""), ("order", "\"a.b\""));
        assert_eq!(split("\"a.b\""), ("", "\"a.b\""));
    }

    proptest! {
        #[test]
        fn the_root_of_any_path_is_its_column(name in ".*", inner in ".*") {
            prop_assert_eq!(root(&column(&name)), name.clone());
            prop_assert_eq!(root(&item(&field(&column(&name), &inner))), name.clone());
            prop_assert_eq!(root(&value(&column(&name))), name);
        }
    }
}
