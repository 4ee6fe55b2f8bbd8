//! JSON objects of a store, each written only over what was read.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::RunError;
use crate::port::PortErrorKind;
use crate::store::{Expect, Store};

/// An object and the tag it was read under, or `None`.
pub(super) async fn read<T: DeserializeOwned>(store: &dyn Store, key: &str) -> Result<Option<(T, String)>, RunError> {
    let Some(object) = store.get(key).await? else { return Ok(None) };
    match serde_json::from_slice(&object.bytes) {
        Ok(value) => Ok(Some((value, object.tag))),
        Err(error) => Err(RunError::record(&store.place(key), error.to_string())),
    }
}

/// Writes an object over the one that was read under `tag`, or where none was; returns its tag. A write whose condition
/// fails was overtaken.
pub(super) async fn write<T: Serialize>(
    store: &dyn Store,
    key: &str,
    value: &T,
    tag: Option<&str>,
) -> Result<String, RunError> {
    let bytes = serde_json::to_vec_pretty(value).expect("what is stored is plain JSON");
    let expect = tag.map_or(Expect::Absent, |tag| Expect::Tag(tag.to_owned()));
    store.put(key, &bytes, &expect).await.map_err(|error| match error.kind {
        PortErrorKind::Conflict => RunError::Overtaken { key: key.into() },
        _ => error.into(),
    })
}

/// That an object is of the one version that is known.
pub(super) fn of_version(store: &dyn Store, key: &str, found: u32, known: u32) -> Result<(), RunError> {
    let error = || RunError::record(&store.place(key), format!("schema version {found} is not known"));
    if found == known { Ok(()) } else { Err(error()) }
}
