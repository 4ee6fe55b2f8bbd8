//! Facts about columns, what is nested in them, and partition keys.

use super::align::Alignment;
use super::decode::{Reading, Update, partition_key_retype};
use super::facts::Facts;
use super::{ChangeKind, Decode, Promotion};
use crate::schema::{Column, DataType, Evidence, Format, StructField, Table, path, reads_like_row, same_name};

/// States what differs in the data columns.
pub(super) fn columns(facts: &mut Facts<'_>, before: &Table, after: &Table) {
    let (before, now) = (members_of(&before.columns), members_of(&after.columns));
    if after.storage.format() == Format::Csv && row_for_header(&before, &now) {
        // What stands there is not named: it leaves in alerts.
        facts.add("", ChangeKind::HeaderLost, Some(names(&before)), None, Decode::Unsafe);
        return;
    }
    if header_lost(&before, &now) {
        facts.add("", ChangeKind::HeaderLost, Some(names(&before)), Some(names(&now)), Decode::Unsafe);
        return;
    }
    compare(facts, Place::Table(after), &before, &now);
}

/// States what differs in the partition keys.
pub(super) fn partition_keys(facts: &mut Facts<'_>, before: &Table, after: &Table) {
    let (before, after) = (members_of(&before.partition_keys), members_of(&after.partition_keys));
    let alignment = Alignment::of(&before, &after, |key| key.name);
    for &index in &alignment.removed {
        let key = before[index];
        facts.add(path::column(key.name), ChangeKind::PartitionKeyRemoved, key.type_text(), None, Decode::Unsafe);
    }
    for &index in &alignment.added {
        let key = after[index];
        facts.add(path::column(key.name), ChangeKind::PartitionKeyAdded, None, key.type_text(), Decode::Unsafe);
    }
    if !alignment.moved().is_empty() {
        let kind = ChangeKind::PartitionKeyReordered;
        facts.add("", kind, Some(names(&before)), Some(names(&after)), Decode::Unsafe);
    }
    for (b, a) in alignment.kept {
        let (before, after) = (before[b], after[a]);
        if before.data_type == after.data_type {
            continue;
        }
        let (kind, decode) = match unreadable(before.data_type, after.data_type) {
            true => (ChangeKind::Unreadable, Decode::Unknown),
            false => (ChangeKind::PartitionKeyRetyped, partition_key_retype(before.data_type, after.data_type)),
        };
        facts.add(path::column(before.name), kind, before.type_text(), after.type_text(), decode);
    }
}

/// A column or a field, as the comparison sees it.
#[derive(Clone, Copy)]
struct Member<'a> {
    name: &'a str,
    data_type: &'a DataType,
    evidence: Evidence,
}

impl<'a> Member<'a> {
    fn of_column(column: &'a Column) -> Self {
        Self { name: &column.name, data_type: &column.data_type, evidence: column.evidence }
    }

    fn of_field(field: &'a StructField) -> Self {
        Self { name: &field.name, data_type: &field.data_type, evidence: Evidence::Seen }
    }

    fn type_text(&self) -> Option<String> {
        Some(self.data_type.to_string())
    }
}

/// Whose members are compared: the table's, as it is now, or those of the struct at a path.
#[derive(Clone, Copy)]
enum Place<'a> {
    Table(&'a Table),
    Struct(&'a str),
}

impl Place<'_> {
    fn path(self, name: &str) -> String {
        match self {
            Self::Table(_) => path::column(name),
            Self::Struct(parent) => path::field(parent, name),
        }
    }

    fn decode(self, reading: Reading, update: Update) -> Decode {
        match self {
            Self::Table(_) => reading.update(update),
            Self::Struct(_) => reading.field_update(update),
        }
    }

    fn added(self, at_end: bool) -> ChangeKind {
        match self {
            Self::Table(_) if at_end => ChangeKind::ColumnAddedAtEnd,
            Self::Table(_) => ChangeKind::ColumnAddedInMiddle,
            Self::Struct(_) => ChangeKind::FieldAdded,
        }
    }

    fn removed(self) -> ChangeKind {
        match self {
            Self::Table(_) => ChangeKind::ColumnRemoved,
            Self::Struct(_) => ChangeKind::FieldRemoved,
        }
    }

    fn reordered(self) -> ChangeKind {
        match self {
            Self::Table(_) => ChangeKind::ColumnReordered,
            Self::Struct(_) => ChangeKind::FieldReordered,
        }
    }

    /// Notes which columns the last fact shifted: none if the bytes are found all the same. A struct is hit as a whole.
    fn shift<'n>(self, facts: &mut Facts<'_>, decode: Decode, columns: impl Iterator<Item = &'n str>) {
        if matches!(self, Self::Table(_)) && decode != Decode::Safe {
            facts.shifting(columns);
        }
    }

    /// True if the column at `index` shares its name with another one, or with a partition key.
    fn is_taken(self, index: usize) -> bool {
        let Self::Table(table) = self else { return false };
        let others = table.columns.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, column)| column);
        others.chain(&table.partition_keys).any(|other| same_name(&other.name, &table.columns[index].name))
    }
}

fn compare(facts: &mut Facts<'_>, place: Place<'_>, before: &[Member<'_>], after: &[Member<'_>]) {
    let unmoved = before.len() == after.len() && before.iter().zip(after).all(|(b, a)| b.name == a.name);
    if unmoved {
        for (before, after) in before.iter().zip(after) {
            member_type(facts, place, *before, *after);
        }
        return;
    }
    let alignment = Alignment::of(before, after, |member| member.name);
    removed_and_added(facts, place, &alignment, before, after);
    for block in alignment.moved() {
        let (b, a) = block[0];
        let (from, to) = (places(b, block.len()), places(a, block.len()));
        let decode = place.decode(facts.reading, Update::Reorder);
        facts.add(place.path(before[b].name), place.reordered(), Some(from), Some(to), decode);
        let (first, last) = (b.min(a), b.max(a) + block.len());
        let is_passed = |(b, a): &(usize, usize)| (first..last).contains(b) || (first..last).contains(a);
        place.shift(facts, decode, alignment.kept.iter().filter(|pair| is_passed(pair)).map(|(b, _)| before[*b].name));
    }
    for (b, a) in alignment.kept {
        let (before, after) = (before[b], after[a]);
        if before.name != after.name {
            let sides = (Some(before.name.to_owned()), Some(after.name.to_owned()));
            let decode = facts.reading.case_change();
            facts.add(place.path(before.name), ChangeKind::ColumnCaseChanged, sides.0, sides.1, decode);
        }
        member_type(facts, place, before, after);
    }
}

fn removed_and_added(
    facts: &mut Facts<'_>,
    place: Place<'_>,
    alignment: &Alignment,
    before: &[Member<'_>],
    after: &[Member<'_>],
) {
    let reading = facts.reading;
    // By position a name is a label: an addition exactly in the place of a removal is what the grid calls a rename.
    let renames = reading.by_position() && alignment.in_place();
    for &index in &alignment.removed {
        let update = if renames && index < after.len() { Update::Rename } else { Update::Remove };
        let member = before[index];
        let decode = place.decode(reading, update);
        facts.add(place.path(member.name), place.removed(), member.type_text(), None, decode);
        facts.at(index);
        if update == Update::Remove {
            let behind = alignment.kept.iter().filter(|(b, _)| *b > index);
            place.shift(facts, decode, behind.map(|(b, _)| before[*b].name));
        }
    }
    for &index in &alignment.added {
        let at_end = alignment.at_end(index);
        let update = match index < before.len() && reading.by_position() {
            true if renames => Update::Rename,
            true => Update::AddInMiddle,
            false if at_end => Update::AddAtEnd,
            false => Update::AddInMiddle,
        };
        let member = after[index];
        let mut decode = place.decode(reading, update);
        if update == Update::Rename && before[index].data_type != member.data_type {
            // The stored bytes there are of the removed one's type.
            decode = decode.max(reading.retype(before[index].data_type, member.data_type));
        }
        let (kind, decode) = match member.data_type.has_unrecognized() {
            _ if place.is_taken(index) => (ChangeKind::ColumnDuplicated, Decode::Unsafe),
            true => (ChangeKind::Unreadable, Decode::Unknown),
            false => (place.added(at_end), decode),
        };
        facts.add(place.path(member.name), kind, None, member.type_text(), decode);
        facts.at(index);
        if update == Update::AddInMiddle {
            let behind = alignment.kept.iter().filter(|(_, a)| *a > index);
            place.shift(facts, place.decode(reading, update), behind.map(|(b, _)| before[*b].name));
        }
    }
}

fn member_type(facts: &mut Facts<'_>, place: Place<'_>, before: Member<'_>, after: Member<'_>) {
    // A column that was empty in the whole sample has a placeholder for a type.
    if after.evidence == Evidence::None || before.data_type == after.data_type {
        return;
    }
    let path = place.path(before.name);
    if before.evidence == Evidence::None && *before.data_type == DataType::String {
        return first_type(facts, path, before, after);
    }
    data_type(facts, path, before.data_type, after.data_type);
}

/// A column that was promised by its placeholder has values now. What was written for a text reads them still, if they have
/// a text.
fn first_type(facts: &mut Facts<'_>, path: String, before: Member<'_>, after: Member<'_>) {
    let (kind, decode) = match Promotion::of(before.data_type, after.data_type) {
        _ if after.data_type.has_unrecognized() => (ChangeKind::Unreadable, Decode::Unknown),
        Promotion::Incompatible => {
            (ChangeKind::Retyped(Promotion::Incompatible), facts.reading.first_type(before.data_type, after.data_type))
        }
        _ => (ChangeKind::TypeShown, facts.reading.first_type(before.data_type, after.data_type)),
    };
    facts.add(path, kind, before.type_text(), after.type_text(), decode);
}

fn data_type(facts: &mut Facts<'_>, path: String, before: &DataType, after: &DataType) {
    use DataType::{Array, Map, Struct};
    match (before, after) {
        _ if before == after => {}
        (Array(before), Array(after)) => data_type(facts, path::item(&path), before, after),
        (Map(before_key, before_value), Map(after_key, after_value)) => {
            data_type(facts, path::key(&path), before_key, after_key);
            data_type(facts, path::value(&path), before_value, after_value);
        }
        (Struct(before), Struct(after)) => {
            compare(facts, Place::Struct(&path), &fields_of(before), &fields_of(after));
        }
        _ => {
            let (kind, decode) = match unreadable(before, after) {
                true => (ChangeKind::Unreadable, Decode::Unknown),
                false => (ChangeKind::Retyped(Promotion::of(before, after)), facts.reading.retype(before, after)),
            };
            facts.add(path, kind, Some(before.to_string()), Some(after.to_string()), decode);
        }
    }
}

fn unreadable(before: &DataType, after: &DataType) -> bool {
    before.has_unrecognized() || after.has_unrecognized()
}

/// True if every column has lost its name: the classifier found no header and took the first line for data.
fn header_lost(before: &[Member<'_>], after: &[Member<'_>]) -> bool {
    let generated = |name: &str, index: usize| name.strip_prefix("col").is_some_and(|rest| rest == index.to_string());
    let nameless = |(index, member): (usize, &Member<'_>)| generated(member.name, index);
    !after.is_empty() && after.iter().enumerate().all(nameless) && !before.iter().enumerate().any(nameless)
}

/// True if a row of data is taken for the header, as where the classifier says that there is one.
fn row_for_header(before: &[Member<'_>], after: &[Member<'_>]) -> bool {
    let [before, after] = [before, after].map(|members| members.iter().map(|member| member.name).collect::<Vec<_>>());
    !before.is_empty() && reads_like_row(&after, &before)
}

fn members_of(columns: &[Column]) -> Vec<Member<'_>> {
    columns.iter().map(Member::of_column).collect()
}

fn fields_of(fields: &[StructField]) -> Vec<Member<'_>> {
    fields.iter().map(Member::of_field).collect()
}

fn names(members: &[Member<'_>]) -> String {
    members.iter().map(|member| member.name).collect::<Vec<_>>().join(", ")
}

/// Places as people count them: `3`, or `3–4` for a block.
fn places(first: usize, length: usize) -> String {
    match length {
        1 => format!("{}", first + 1),
        _ => format!("{}–{}", first + 1, first + length),
    }
}
