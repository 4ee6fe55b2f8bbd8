//! What the values of a JSON column have in common.

use std::collections::HashMap;

use crate::schema::{DataType, StructField};

/// Where a value stands: a file by its number in the listing, and a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) file: usize,
    pub(super) line: u64,
}

/// The narrowest type that holds every value seen so far.
#[derive(Debug, Default)]
pub(super) enum Shape {
    /// Nothing, or only nulls.
    #[default]
    Empty,
    Scalar(Scalar),
    Array(Box<Shape>),
    Struct(Fields),
    /// No Glue type holds them all. Stays so.
    Mixed {
        place: Place,
        before: &'static str,
        now: &'static str,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Boolean,
    Int,
    BigInt,
    Double,
    String,
}

impl Scalar {
    /// The narrowest scalar for both; Glue falls back to string.
    fn with(self, other: Self) -> Self {
        use Scalar::{BigInt, Double, Int, String};
        match (self, other) {
            _ if self == other => self,
            (Int, BigInt) | (BigInt, Int) => BigInt,
            (Int | BigInt, Double) | (Double, Int | BigInt) => Double,
            _ => String,
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int => DataType::Int,
            Self::BigInt => DataType::BigInt,
            Self::Double => DataType::Double,
            Self::String => DataType::String,
        }
    }
}

impl Shape {
    pub(super) fn see_scalar(&mut self, seen: Scalar, place: Place) {
        match self {
            Self::Empty => *self = Self::Scalar(seen),
            Self::Scalar(known) => *known = known.with(seen),
            Self::Array(_) | Self::Struct(_) => self.mix("a plain value", place),
            Self::Mixed { .. } => {}
        }
    }

    /// The shape of the items, `None` if other values were no arrays.
    pub(super) fn see_array(&mut self, place: Place) -> Option<&mut Self> {
        match self {
            Self::Empty => *self = Self::Array(Box::default()),
            Self::Scalar(_) | Self::Struct(_) => self.mix("an array", place),
            Self::Array(_) | Self::Mixed { .. } => {}
        }
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// The fields, `None` if other values were no objects.
    pub(super) fn see_struct(&mut self, place: Place) -> Option<&mut Fields> {
        match self {
            Self::Empty => *self = Self::Struct(Fields::default()),
            Self::Scalar(_) | Self::Array(_) => self.mix("an object", place),
            Self::Struct(_) | Self::Mixed { .. } => {}
        }
        if let Self::Struct(fields) = self { Some(fields) } else { None }
    }

    fn mix(&mut self, now: &'static str, place: Place) {
        let before = match self {
            Self::Array(_) => "an array",
            Self::Struct(_) => "an object",
            _ => "a plain value",
        };
        *self = Self::Mixed { place, before, now };
    }

    /// True if no value tells the type: nulls, `[]` and `{}` only.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Array(items) => items.is_blank(),
            Self::Struct(fields) => fields.list.is_empty(),
            Self::Scalar(_) | Self::Mixed { .. } => false,
        }
    }

    /// The Glue type. Where there is no evidence, `string`, as Glue does; Hive knows no struct without fields.
    pub(super) fn data_type(&self) -> DataType {
        match self {
            Self::Scalar(scalar) => scalar.data_type(),
            Self::Array(items) => DataType::Array(Box::new(items.data_type())),
            Self::Struct(fields) if !fields.list.is_empty() => {
                let field = |field: &Field| StructField { name: field.key.clone(), data_type: field.shape.data_type() };
                DataType::Struct(fields.list.iter().map(field).collect())
            }
            Self::Empty | Self::Struct(_) | Self::Mixed { .. } => DataType::String,
        }
    }
}

/// The keys of an object in first-seen order. Keys that differ only in case are one, as the OpenX SerDe reads them.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) list: Vec<Field>,
    by_lowercase: HashMap<String, usize>,
    objects: u64,
    /// The newest file that has such an object.
    pub(super) last_file: usize,
    /// All files that have one.
    pub(super) files: Files,
}

/// Files by their indices. They are read in order, so neighbours are one range.
#[derive(Debug, Default)]
pub(super) struct Files(Vec<(usize, usize)>);

impl Files {
    fn of(file: usize) -> Self {
        Self(vec![(file, file)])
    }

    fn add(&mut self, file: usize) {
        match self.0.last_mut() {
            Some((_, last)) if *last == file => {}
            Some((_, last)) if *last + 1 == file => *last = file,
            _ => self.0.push((file, file)),
        }
    }

    pub(super) fn has(&self, file: usize) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= file);
        after > 0 && self.0[after - 1].1 >= file
    }
}

#[derive(Debug)]
pub(super) struct Field {
    /// The spelling seen last.
    pub(super) key: String,
    pub(super) shape: Shape,
    /// Other spellings seen before, oldest first.
    pub(super) former_keys: Vec<String>,
    pub(super) first: Place,
    /// The newest file that has the key.
    pub(super) last_file: usize,
    /// All files that have it.
    pub(super) files: Files,
    /// Where one object first had the key twice.
    pub(super) twice: Option<Place>,
    seen_in: u64,
}

impl Fields {
    /// Starts an object; the same key may not come twice until the next start.
    pub(super) fn start(&mut self, place: Place) {
        self.objects += 1;
        self.last_file = place.file;
        self.files.add(place.file);
    }

    /// The index of a key. `likely` is where it would be if the objects all had the same keys in the same order.
    pub(super) fn index_of(&mut self, key: &str, likely: usize, place: Place) -> usize {
        let index = match self.list.get(likely) {
            Some(field) if field.key == key => likely,
            _ => self.look_up(key, place),
        };
        let field = &mut self.list[index];
        if field.seen_in == self.objects && field.twice.is_none() {
            field.twice = Some(place);
        }
        field.seen_in = self.objects;
        if field.last_file != place.file {
            field.last_file = place.file;
            field.files.add(place.file);
        }
        index
    }

    fn look_up(&mut self, key: &str, place: Place) -> usize {
        let next = self.list.len();
        let index = *self.by_lowercase.entry(key.to_lowercase()).or_insert(next);
        if index == next {
            self.list.push(Field::new(key, place));
        } else if self.list[index].key != key {
            self.list[index].respell(key);
        }
        index
    }
}

impl Field {
    fn new(key: &str, first: Place) -> Self {
        let key = key.to_owned();
        Self {
            key,
            shape: Shape::Empty,
            former_keys: Vec::new(),
            first,
            last_file: first.file,
            files: Files::of(first.file),
            twice: None,
            seen_in: 0,
        }
    }

    fn respell(&mut self, key: &str) {
        self.former_keys.retain(|former| former != key);
        self.former_keys.push(std::mem::replace(&mut self.key, key.to_owned()));
    }
}
