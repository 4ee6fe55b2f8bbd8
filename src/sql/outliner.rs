//! Finds the outline of a query in its tokens.

use std::ops::Range;

use polyglot_sql::TokenType as T;

use super::outline::{Branch, Cte, Item, Query, Relation, RelationKind, Select, Star, Using};
use super::source::{self, Source};

/// Recursive descent over tokens of a text that the parser has accepted.
pub(super) struct Outliner<'a> {
    pub source: &'a Source<'a>,
}

impl Outliner<'_> {
    fn kind(&self, index: usize) -> Option<T> {
        self.source.kind(index)
    }

    pub fn query(&self, range: Range<usize>) -> Query {
        let mut query = Query::default();
        let mut index = range.start;
        if self.kind(index) == Some(T::With) {
            index = self.ctes(index + 1, &mut query.ctes);
        }
        while index < range.end {
            let (branch, next) = self.branch(index..range.end);
            query.branches.push(branch);
            index = next;
            if !matches!(self.kind(index), Some(T::Union | T::Intersect | T::Except)) {
                break;
            }
            query.compares |= (self.kind(index), self.kind(index + 1)) != (Some(T::Union), Some(T::All));
            index += 1;
            if matches!(self.kind(index), Some(T::All | T::Distinct)) {
                index += 1;
            }
        }
        query.tail = index.min(range.end)..range.end;
        query
    }

    fn ctes(&self, mut index: usize, ctes: &mut Vec<Cte>) -> usize {
        let recursive = self.kind(index) == Some(T::Recursive);
        if recursive {
            index += 1;
        }
        loop {
            let (at, name) = (index, self.source.name(index));
            index += 1;
            let mut columns = Vec::new();
            if self.kind(index) == Some(T::LParen) {
                columns = self.names(index);
                index = self.source.after(index);
            }
            while index < self.source.tokens.len() && self.kind(index) != Some(T::LParen) {
                index += 1;
            }
            let close = self.source.partner(index).unwrap_or(self.source.tokens.len());
            ctes.push(Cte { at, name, columns, query: self.query(index + 1..close), recursive });
            index = close + 1;
            if self.kind(index) != Some(T::Comma) {
                return index;
            }
            index += 1;
        }
    }

    fn branch(&self, range: Range<usize>) -> (Branch, usize) {
        let stop = self
            .source
            .find(range.start..range.end, |index| {
                matches!(self.kind(index), Some(T::Union | T::Intersect | T::Except)) || self.starts_tail(index)
            })
            .unwrap_or(range.end);
        let branch = match self.kind(range.start) {
            Some(T::LParen) => {
                let close = self.source.partner(range.start).unwrap_or(stop);
                Branch::Nested(self.query(range.start + 1..close))
            }
            Some(T::Values) => Branch::Values(range.start + 1..stop),
            _ => Branch::Select(self.select(range.start..stop)),
        };
        (branch, stop)
    }

    fn starts_tail(&self, index: usize) -> bool {
        match self.kind(index) {
            Some(T::Order | T::OrderBy | T::Limit) => true,
            Some(T::Offset) => self.kind(index + 1) == Some(T::Number),
            Some(T::Fetch) => self.source.is_word(index + 1, "first") || self.source.is_word(index + 1, "next"),
            _ => false,
        }
    }

    fn select(&self, range: Range<usize>) -> Select {
        let mut select = Select { at: range.start, ..Select::default() };
        let mut start = range.start + 1;
        if matches!(self.kind(start), Some(T::Distinct | T::All)) {
            select.distinct = self.kind(start) == Some(T::Distinct);
            start += 1;
        }
        let is_from = |index: usize| self.kind(index) == Some(T::From) && self.kind(index - 1) != Some(T::Distinct);
        let list_end = self
            .source
            .find(start..range.end, |index| is_from(index) || self.starts_clause(index))
            .unwrap_or(range.end);
        select.items = self.source.split(start..list_end).into_iter().map(|tokens| self.item(tokens)).collect();
        let mut index = list_end;
        if index < range.end && is_from(index) {
            let end = self.source.find(index + 1..range.end, |at| self.starts_clause(at)).unwrap_or(range.end);
            self.relations(index + 1..end, &mut select);
            index = end;
        }
        while index < range.end {
            let end = self.source.find(index + 1..range.end, |at| self.starts_clause(at)).unwrap_or(range.end);
            select.grouped |= matches!(self.kind(index), Some(T::Group | T::GroupBy | T::Having));
            select.clauses.push(index..end);
            index = end;
        }
        select
    }

    fn starts_clause(&self, index: usize) -> bool {
        match self.kind(index) {
            Some(T::Where | T::GroupBy | T::Having | T::Qualify) => true,
            // Not the GROUP of WITHIN GROUP.
            Some(T::Group) => self.kind(index + 1) == Some(T::By),
            Some(T::Window) => self.kind(index + 2) == Some(T::As) && self.kind(index + 3) == Some(T::LParen),
            _ => false,
        }
    }

    fn item(&self, tokens: Range<usize>) -> Item {
        let source = self.source;
        let last = tokens.end.saturating_sub(1).max(tokens.start);
        let star = (self.kind(last) == Some(T::Star)).then(|| match tokens.len() {
            1 => Some(Star { relation: None }),
            _ if self.kind(last - 1) == Some(T::Dot) => Some(Star { relation: Some(source.name(last - 2)) }),
            _ => None,
        });
        if let Some(Some(star)) = star {
            return Item { value: tokens.clone(), tokens, name: None, star: Some(star) };
        }
        let with_as = tokens.len() > 1 && self.kind(last - 1) == Some(T::As);
        let aliased = with_as || (tokens.len() > 1 && source.is_alias(last));
        let value = tokens.start..if with_as {
            last - 1
        } else if aliased {
            last
        } else {
            tokens.end
        };
        let dotted = tokens
            .clone()
            .enumerate()
            .all(|(nth, index)| if nth % 2 == 0 { self.is_name(index) } else { self.kind(index) == Some(T::Dot) });
        let names_itself = dotted && tokens.len() % 2 == 1;
        let name = (aliased || names_itself).then(|| source.name(last));
        Item { tokens, name, star: None, value }
    }

    fn is_name(&self, index: usize) -> bool {
        self.source
            .tokens
            .get(index)
            .is_some_and(|token| token.token_type == T::QuotedIdentifier || source::is_bare(token))
    }

    fn relations(&self, range: Range<usize>, select: &mut Select) {
        let mut index = range.start;
        let mut first = select.relations.len();
        while index < range.end {
            index = self.relation(index..range.end, select);
            if self.kind(index) == Some(T::On) {
                let end = self.source.find(index + 1..range.end, |at| self.ends_condition(at)).unwrap_or(range.end);
                select.clauses.push(index + 1..end);
                index = end;
            } else if self.kind(index) == Some(T::Using) && self.kind(index + 1) == Some(T::LParen) {
                let close = self.source.partner(index + 1).unwrap_or(range.end);
                let names = (index + 2..close).filter(|&at| self.kind(at) != Some(T::Comma)).collect();
                select.using.push(Using { names, relations: first..select.relations.len() });
                index = close + 1;
            }
            if index < range.end && !self.ends_condition(index) {
                select.unread.push(index);
                index = self.source.find(index..range.end, |at| self.ends_condition(at)).unwrap_or(range.end);
            }
            while index < range.end && self.ends_condition(index) {
                match self.kind(index) {
                    Some(T::Natural) => select.unread.push(index),
                    Some(T::Comma) => first = select.relations.len(),
                    _ => {}
                }
                index += 1;
            }
        }
    }

    fn is_join_word(&self, index: usize) -> bool {
        let word = matches!(
            self.kind(index),
            Some(T::Join | T::Inner | T::Left | T::Right | T::Full | T::Outer | T::Cross | T::Natural)
        );
        word && (self.kind(index) == Some(T::Join) || self.kind(index + 1) != Some(T::LParen))
    }

    fn ends_condition(&self, index: usize) -> bool {
        matches!(self.kind(index), Some(T::Comma)) || self.is_join_word(index)
    }

    /// Reads one relation and returns the index after it, at least one further on.
    fn relation(&self, range: Range<usize>, select: &mut Select) -> usize {
        let at = range.start;
        let mut start = at;
        if self.kind(start) == Some(T::Lateral) {
            start += 1;
        }
        let after = self.source.after(start);
        if self.kind(start) == Some(T::LParen) {
            let mut first = start + 1;
            while self.kind(first) == Some(T::LParen) {
                first += 1;
            }
            if !matches!(self.kind(first), Some(T::Select | T::With | T::Values)) {
                self.relations(start + 1..after - 1, select);
                return after;
            }
            let kind = RelationKind::Derived(self.query(start + 1..after - 1));
            return self.alias(at, after, range.end, kind, select);
        }
        if self.kind(start + 1) == Some(T::LParen) {
            if !self.source.is_word(start, "unnest") {
                select.unread.push(start);
            }
            let close = self.source.partner(start + 1).unwrap_or(range.end);
            let ordinality = self.kind(close + 1) == Some(T::With);
            let kind = RelationKind::Function { arguments: start + 2..close, ordinality };
            let next = if ordinality { close + 3 } else { close + 1 };
            return self.alias(at, next, range.end, kind, select);
        }
        let mut end = start + 1;
        while self.kind(end) == Some(T::Dot) {
            end += 2;
        }
        let kind = RelationKind::Table { name: self.source.name(end - 1), parts: start..end };
        self.alias(at, end, range.end, kind, select)
    }

    fn alias(&self, at: usize, mut index: usize, end: usize, kind: RelationKind, select: &mut Select) -> usize {
        let mut relation = Relation { at, kind, alias: None, columns: Vec::new() };
        index = self.skip_sample(index);
        let explicit = self.kind(index) == Some(T::As);
        if explicit {
            index += 1;
        }
        let named = matches!(self.kind(index), Some(T::Var | T::QuotedIdentifier | T::Identifier)) || explicit;
        if index < end && named && !self.source.is_word(index, "match_recognize") {
            relation.alias = Some(self.source.name(index));
            index += 1;
            if self.kind(index) == Some(T::LParen) {
                relation.columns = self.names(index);
                index = self.source.after(index);
            }
        }
        index = self.skip_sample(index);
        select.relations.push(relation);
        index.max(at + 1)
    }

    fn skip_sample(&self, index: usize) -> usize {
        if self.kind(index) == Some(T::TableSample) { self.source.after(index + 2) } else { index }
    }

    /// The names in a bracket.
    fn names(&self, open: usize) -> Vec<String> {
        let close = self.source.partner(open).unwrap_or(open);
        self.source.split(open + 1..close).into_iter().map(|part| self.source.name(part.start)).collect()
    }
}
