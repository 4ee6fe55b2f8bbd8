//! Names of one query resolved against schemas: what each output column comes from.

use std::collections::BTreeMap;
use std::ops::Range;

use polyglot_sql::TokenType as T;

use super::changes::EffectOf;
use super::fields::{self, Access};
use super::ident;
use super::meets;
use super::origins::Origins;
use super::outline::{Branch, Item, Query, Relation, RelationKind, Select, Star, Using};
use super::resolved::{Columns, Output, Resolved, Site, United};
use super::scope::{Bound, Lookup, Scope};
use super::source::{Mention, Source};
use super::values;
use crate::problem::{Problem, closest};
use crate::schema::DataType;

/// Resolves a query; `tables` are the columns of every table it may read.
pub(super) fn resolve(file: &str, source: &Source, query: &Query, tables: &BTreeMap<String, Columns>) -> Resolved {
    resolved(file, source, query, tables, None)
}

/// [`resolve`], with the types of what is made of each access, and whose values are cast.
pub(super) fn followed(
    file: &str,
    source: &Source,
    query: &Query,
    tables: &BTreeMap<String, Columns>,
    effect: EffectOf,
) -> Resolved {
    resolved(file, source, query, tables, Some(effect))
}

fn resolved<'a>(
    file: &'a str,
    source: &'a Source,
    query: &Query,
    tables: &'a BTreeMap<String, Columns>,
    follows: Option<EffectOf<'a>>,
) -> Resolved {
    let mut resolver = Resolver { file, source, tables, lambdas: lambdas(source), follows, found: Resolved::default() };
    let columns = resolver.query(query, &BTreeMap::new(), None);
    Resolved { columns, ..resolver.found }
}

type Ctes = BTreeMap<String, Columns>;

pub(super) struct Resolver<'a> {
    pub(super) file: &'a str,
    pub(super) source: &'a Source<'a>,
    tables: &'a BTreeMap<String, Columns>,
    lambdas: Vec<(Vec<String>, Range<usize>)>,
    pub(super) follows: Option<EffectOf<'a>>,
    pub(super) found: Resolved,
}

impl Resolver<'_> {
    fn query(&mut self, query: &Query, outer: &Ctes, parent: Option<&Scope>) -> Columns {
        let mut ctes = outer.clone();
        for cte in &query.ctes {
            if cte.recursive {
                let unknown = |name: &String| Output {
                    name: name.clone(),
                    origins: Origins::new(),
                    data_type: None,
                    is_copy: false,
                    values: None,
                };
                let outputs = cte.columns.iter().map(unknown).collect();
                ctes.insert(cte.name.clone(), Columns { outputs, rows: Origins::new() });
                let known = self.found.accesses.len();
                let mut first_round = self.query(&cte.query, &ctes, parent);
                // The second round reads the same, and knows more of it.
                self.found.accesses.truncate(known);
                self.rename(&mut first_round, &cte.columns, cte.at);
                ctes.insert(cte.name.clone(), first_round);
            }
            let mut columns = self.query(&cte.query, &ctes, parent);
            self.rename(&mut columns, &cte.columns, cte.at);
            ctes.insert(cte.name.clone(), columns);
        }
        if let [Branch::Select(select)] = query.branches.as_slice() {
            return self.select(select, &query.tail, &ctes, parent);
        }
        let mut all: Option<Columns> = None;
        for branch in &query.branches {
            let columns = match branch {
                Branch::Select(select) => self.select(select, &(0..0), &ctes, parent),
                Branch::Nested(nested) => self.query(nested, &ctes, parent),
                Branch::Values(range) => self.values(range, &ctes, parent),
            };
            all = Some(match all {
                None => columns,
                Some(first) => self.union(first, columns, query),
            });
        }
        let mut columns = all.unwrap_or_default();
        if query.compares {
            columns.rows.extend(columns.outputs.iter().flat_map(|output| output.origins.iter().cloned()));
        }
        let scope = Scope { outputs: columns.outputs.clone(), parent, ..Scope::default() };
        let tail = self.expression(&query.tail, &scope, &ctes);
        columns.rows.extend(tail);
        columns.rows.extend(self.positions(&query.tail, &columns.outputs));
        columns
    }

    fn union(&mut self, mut first: Columns, second: Columns, query: &Query) -> Columns {
        if first.outputs.len() != second.outputs.len() {
            let (left, right) = (first.outputs.len(), second.outputs.len());
            let message = format!("a set operation of {left} and {right} columns");
            self.problem(query.tail.start.saturating_sub(1), message, "give both sides the same columns".to_owned());
        }
        for (output, other) in first.outputs.iter_mut().zip(second.outputs) {
            output.values = Some(Box::new(values::union(output.values(), other.values())));
            let sides = [output.data_type.take(), other.data_type];
            let token = query.tail.start.saturating_sub(1);
            let united = United { token, name: output.name.clone(), sides };
            output.data_type = united.common();
            self.found.paired.push((output.origins.clone(), other.origins.clone()));
            output.origins.extend(other.origins);
            output.is_copy = false;
            self.unite(united);
        }
        first.rows.extend(second.rows);
        first
    }

    fn unite(&mut self, united: United) {
        if let [Some(a), Some(b)] = &united.sides
            && !meets::meet(a, b)
        {
            let (shown_a, shown_b) = (meets::shown(a), meets::shown(b));
            let message =
                format!("`{}` of {shown_a} and of {shown_b} become one column, which Athena refuses", united.name);
            self.problem(united.token, message, meets::mend(a, b));
        }
        self.found.united.push(united);
    }

    fn values(&mut self, range: &Range<usize>, ctes: &Ctes, parent: Option<&Scope>) -> Columns {
        let scope = Scope { parent, ..Scope::default() };
        let origins = self.expression(range, &scope, ctes);
        let open = range.start + usize::from(self.source.is_word(range.start, "row"));
        let width = self.source.partner(open).map_or(1, |close| self.source.split(open + 1..close).len());
        let outputs = (0..width)
            .map(|index| Output {
                name: format!("_col{index}"),
                origins: origins.clone(),
                data_type: None,
                is_copy: false,
                values: None,
            })
            .collect();
        Columns { outputs, rows: Origins::new() }
    }

    fn select(&mut self, select: &Select, tail: &Range<usize>, ctes: &Ctes, parent: Option<&Scope>) -> Columns {
        let mut scope = Scope { parent, ..Scope::default() };
        let mut rows = Origins::new();
        for &token in &select.unread {
            let message = format!("`{}` in FROM is not understood", self.source.name(token));
            let help = "use tables, subqueries and UNNEST, joined with ON or USING".to_owned();
            self.problem(token, message, help);
        }
        for (index, relation) in select.relations.iter().enumerate() {
            let (bound, columns) = self.relation(relation, &scope, ctes, &mut rows);
            rows.extend(columns.rows);
            scope.push(bound, columns.outputs);
            for using in select.using.iter().filter(|using| using.relations.end == index + 1) {
                rows.extend(self.using(using, &mut scope));
            }
        }
        let mut outputs = Vec::new();
        for item in &select.items {
            self.item(item, &scope, ctes, &mut outputs);
        }
        if select.distinct {
            rows.extend(outputs.iter().flat_map(|output| output.origins.iter().cloned()));
        }
        for clause in &select.clauses {
            rows.extend(self.expression(clause, &scope, ctes));
            rows.extend(self.positions(clause, &outputs));
        }
        rows.extend(self.positions(tail, &outputs));
        scope.outputs = outputs;
        rows.extend(self.expression(tail, &scope, ctes));
        Columns { outputs: scope.outputs, rows }
    }

    fn relation(&mut self, relation: &Relation, scope: &Scope, ctes: &Ctes, rows: &mut Origins) -> (Bound, Columns) {
        let qualifier = relation.qualifier().map(str::to_owned);
        let mut table = None;
        let mut columns = match &relation.kind {
            RelationKind::Table { name, parts } => match ctes.get(name).filter(|_| parts.len() == 1) {
                Some(columns) => columns.clone(),
                None => {
                    table = Some(name.clone());
                    self.table(name, parts.start)
                }
            },
            RelationKind::Derived(query) => self.query(query, ctes, Some(scope)),
            RelationKind::Function { arguments, ordinality } => {
                let origins = self.expression(arguments, scope, ctes);
                if !self.has_fixed_length(arguments) {
                    rows.extend(origins.iter().cloned());
                }
                let given = self.given(relation, arguments, *ordinality, scope);
                self.unnested(relation, &origins, *ordinality, &given)
            }
        };
        if !matches!(relation.kind, RelationKind::Function { .. }) {
            self.rename(&mut columns, &relation.columns, relation.at);
        }
        (Bound { qualifier, table }, columns)
    }

    /// Gives the columns the names that an alias lists: one for each.
    fn rename(&mut self, columns: &mut Columns, names: &[String], token: usize) {
        let outputs = &mut columns.outputs;
        if !names.is_empty() && !outputs.is_empty() && names.len() != outputs.len() {
            let message = format!("an alias lists {} columns of {}", names.len(), outputs.len());
            self.problem(token, message, "name every column, or none".to_owned());
        }
        for (output, name) in outputs.iter_mut().zip(names) {
            output.name.clone_from(name);
        }
    }

    fn table(&mut self, name: &str, token: usize) -> Columns {
        if let Some(columns) = self.tables.get(name) {
            return columns.clone();
        }
        let help = match closest(name, self.tables.keys().map(String::as_str)) {
            Some(known) => format!("did you mean `{known}`?"),
            None => "add a model or a contract for it".to_owned(),
        };
        self.problem(token, format!("unknown table `{name}`"), help);
        Columns::default()
    }

    fn using(&mut self, using: &Using, scope: &mut Scope) -> Origins {
        let mut origins = Origins::new();
        for (place, &token) in using.names.iter().enumerate() {
            let name = self.source.name(token);
            if let [first, second] = scope.types(&using.relations, &name).as_slice() {
                self.unite(United { token, name: name.clone(), sides: [first.clone(), second.clone()] });
            }
            let (count, tables) = scope.merge(&using.relations, &name, place);
            match count {
                0 | 1 => self.unknown(token, &name, scope),
                2 => {}
                _ => self.ambiguous(token, &name),
            }
            self.found.unnamed.extend(tables.into_iter().map(|table| (token, table)));
            let merged = scope.columns.iter().filter(|column| column.output.name == name);
            origins.extend(merged.flat_map(|column| column.output.origins.iter().cloned()));
        }
        origins
    }

    fn item(&mut self, item: &Item, scope: &Scope, ctes: &Ctes, outputs: &mut Vec<Output>) {
        if let Some(star) = &item.star {
            self.star(item.tokens.start, star, scope, outputs);
            return;
        }
        let origins = self.expression(&item.tokens, scope, ctes);
        let data_type = self.data_type(item.value.clone(), scope);
        let name = item.name.clone().unwrap_or_else(|| format!("_col{}", outputs.len()));
        let is_copy = self.copied(&item.value, scope).is_some();
        let values = self.follows.map(|_| Box::new(self.values_of(&item.value, scope)));
        outputs.push(Output { name, origins, data_type, is_copy, values });
    }

    fn star(&mut self, token: usize, star: &Star, scope: &Scope, outputs: &mut Vec<Output>) {
        let taken = |bound: &&Bound| star.relation.is_none() || star.relation == bound.qualifier;
        let relations: Vec<&Bound> = scope.relations.iter().filter(taken).collect();
        if relations.is_empty() {
            let name = star.relation.clone().unwrap_or_default();
            let help = "use the relation's alias".to_owned();
            self.problem(token, format!("`{name}.*` names no relation of this FROM"), help);
        }
        let tables = relations.iter().filter_map(|bound| bound.table.clone());
        self.found.unnamed.extend(tables.map(|table| (token, table)));
        match &star.relation {
            Some(relation) => outputs.extend(scope.of_relation(relation).cloned()),
            None => outputs.extend(scope.columns.iter().map(|column| column.output.clone())),
        }
    }

    /// Everything that an expression reads, subqueries included.
    fn expression(&mut self, range: &Range<usize>, scope: &Scope, ctes: &Ctes) -> Origins {
        let mut origins = Origins::new();
        let nested = Query::inside(self.source, range.clone());
        let mentions: Vec<Mention> = self.mentions(range).to_vec();
        for mention in &mentions {
            if !nested.iter().any(|(inner, _)| inner.contains(&mention.tokens.start)) {
                let known = self.found.accesses.len();
                origins.extend(self.mention(mention, scope));
                if let Some(access) = self.found.accesses.get(known).filter(|_| self.follows.is_some()) {
                    let tokens = access.tokens.clone();
                    self.found.accesses[known].values = self.values_of(&tokens, scope);
                    self.follow(tokens, range, scope);
                }
            }
        }
        let inner: Vec<Range<usize>> = nested.iter().map(|(inner, _)| inner.clone()).collect();
        self.arguments(range, &inner, scope);
        self.meetings(range, &inner, scope);
        if self.follows.is_some() {
            self.casts(range, &inner, scope);
        }
        for (range, query) in nested {
            let columns = self.query(&query, ctes, Some(scope));
            origins.extend(columns.rows);
            // EXISTS asks for rows, whatever stands in them.
            if range.start < 2 || self.source.kind(range.start - 2) != Some(T::Exists) {
                if columns.outputs.len() > 1 {
                    let places = columns.outputs.iter().enumerate();
                    let placed =
                        places.map(|(place, output)| (Origins::of("", &place.to_string()), output.origins.clone()));
                    self.found.paired.extend(placed);
                }
                origins.extend(columns.outputs.into_iter().flat_map(|output| output.origins));
            }
        }
        origins
    }

    pub(super) fn mentions(&self, range: &Range<usize>) -> &[Mention] {
        let all = &self.source.mentions;
        let start = all.partition_point(|mention| mention.tokens.start < range.start);
        let end = all.partition_point(|mention| mention.tokens.start < range.end);
        &all[start..end.max(start)]
    }

    fn mention(&mut self, mention: &Mention, scope: &Scope) -> Origins {
        if self.is_parameter(mention) {
            return Origins::new();
        }
        match scope.lookup(mention) {
            Lookup::Found { output, table, qualified } => {
                if let Some(table) = table {
                    let site = Site { tokens: mention.tokens.clone(), table, column: output.name.clone() };
                    self.found.sites.push(site);
                }
                self.found.accesses.push(self.access(mention, &output, qualified));
                output.origins
            }
            Lookup::Ambiguous(origins) => {
                self.ambiguous(mention.tokens.start, &mention.name);
                origins
            }
            Lookup::Unknown if scope.is_merged(mention) => {
                let (start, name) = (mention.tokens.start, ident::plain(&mention.name));
                let qualified = self.source.slice(&mention.tokens);
                let message =
                    format!("`{qualified}`: the USING made one column of `{name}`, which belongs to no relation");
                let help = format!("write `{name}` alone, or join with ON to tell the two apart");
                self.problem(start, message, help);
                Origins::new()
            }
            Lookup::Unknown => {
                self.unknown(mention.tokens.start, &mention.name, scope);
                Origins::new()
            }
        }
    }

    fn ambiguous(&mut self, token: usize, name: &str) {
        let help = "qualify it with its relation, in which no other column may have this name".to_owned();
        self.problem(token, format!("ambiguous column `{name}`"), help);
    }

    /// True if it names a parameter of a lambda around it, which hides a column of that name.
    pub(super) fn is_parameter(&self, mention: &Mention) -> bool {
        let first = mention.qualifier.as_ref().unwrap_or(&mention.name);
        let is_of =
            |(names, body): &(Vec<String>, Range<usize>)| body.contains(&mention.tokens.start) && names.contains(first);
        self.lambdas.iter().any(is_of)
    }

    fn unknown(&mut self, token: usize, name: &str, scope: &Scope) {
        let known = scope.columns.iter().map(|column| column.output.name.as_str());
        let names: Vec<&str> = known.clone().collect();
        let help = match closest(name, known) {
            Some(known) => format!("did you mean `{known}`?"),
            None if names.is_empty() => "use a column of the tables in this FROM".to_owned(),
            None => format!("the tables in this FROM have {}", listed(&names)),
        };
        self.problem(token, format!("unknown column `{name}`"), help);
    }

    pub(super) fn problem(&mut self, token: usize, message: String, help: String) {
        let problem = Problem::new(self.file, self.source.place(token), message, help);
        if !self.found.problems.contains(&problem) {
            self.found.problems.push(problem);
        }
    }

    /// The type of the column that an expression is, or of what is read inside it, if it is just that.
    pub(super) fn column_type(&self, range: &Range<usize>, scope: &Scope) -> Option<DataType> {
        let mention = self.mentions(range).first().filter(|mention| mention.tokens.start == range.start)?;
        if self.is_parameter(mention) {
            return None;
        }
        let Lookup::Found { output, qualified, .. } = scope.lookup(mention) else { return None };
        let access = self.access(mention, &output, qualified);
        access.data_type.filter(|_| access.tokens == *range)
    }

    /// What is read at a mention, fields and subscripts after it included where they are certain.
    fn access(&self, mention: &Mention, output: &Output, qualified: bool) -> Access {
        let start = mention.tokens.start;
        let column = start..start + if qualified { 3 } else { 1 };
        match &output.data_type {
            Some(data_type) => {
                let access = fields::walk(self.source, column.clone(), data_type);
                let copies = output.copied().filter(|_| access.tokens == column).cloned();
                Access { copies, ..access }
            }
            None => Access { tokens: column, origins: output.origins.clone(), ..Access::default() },
        }
    }
}

/// The first names of many.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| ident::plain(name)).collect();
    let more = names.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// Lambdas: their parameters, and the tokens of their bodies.
fn lambdas(source: &Source) -> Vec<(Vec<String>, Range<usize>)> {
    let mut found = Vec::new();
    for arrow in (1..source.tokens.len()).filter(|&index| source.kind(index) == Some(T::Arrow)) {
        let parameters = match source.partner(arrow - 1) {
            Some(open) => (open + 1..arrow - 1).map(|index| source.name(index)).collect(),
            None => vec![source.name(arrow - 1)],
        };
        let ends = |index: usize| matches!(source.kind(index), Some(T::Comma | T::RParen | T::RBracket));
        let end = source.find(arrow + 1..source.tokens.len(), ends).unwrap_or(source.tokens.len());
        found.push((parameters, arrow + 1..end));
    }
    found
}
