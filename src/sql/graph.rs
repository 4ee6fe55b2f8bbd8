//! Models in dependency order.

use std::collections::BTreeMap;

use super::Model;
use crate::problem::Problems;

/// All models of a project, acyclic, each read table known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Graph {
    /// Name → model.
    pub models: BTreeMap<String, Model>,
    /// Model names, each after everything it reads; ties by name.
    pub order: Vec<String>,
}

impl Graph {
    /// `sources` are the tables that exist without a model (the contracts' raw tables). A table that is
    /// neither, a cycle (named whole) and two models of one name are problems, all reported at once.
    pub fn new(_models: Vec<Model>, _sources: &[String]) -> Result<Self, Problems> {
        todo!()
    }

    /// The models that `name` reads.
    pub fn upstream(&self, _name: &str) -> Vec<&str> {
        todo!()
    }

    /// The models that read `name`, directly or through others, in build order.
    pub fn downstream(&self, _name: &str) -> Vec<&str> {
        todo!()
    }
}
