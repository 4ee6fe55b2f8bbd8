//! A SQL text, its tokens and its parsed tree, all addressed by token index.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use polyglot_sql::traversal::DfsIter;
use polyglot_sql::{Error, Expression, Token, TokenType};

use super::dialect::dialect;

/// A statement with one tree. Comments are blanked before parsing, so that where a comment stands never
/// decides whether two trees are equal; offsets and lines stay those of the text.
pub(super) struct Source<'a> {
    pub text: &'a str,
    pub tokens: Vec<Token>,
    pub tree: Expression,
    /// Byte offset of every character, and of the end.
    bytes: Vec<usize>,
    /// The partner of each bracket, both ways.
    partners: BTreeMap<usize, usize>,
    /// Tokens that the parser read as the name after AS.
    aliases: BTreeSet<usize>,
    /// Column references in text order.
    pub mentions: Vec<Mention>,
}

/// A column reference: `name` or `qualifier.name`, both lowercase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    pub qualifier: Option<String>,
    pub name: String,
    pub tokens: Range<usize>,
}

/// What kept a text from being read: a place (`line:column`) and a message.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub place: String,
    pub message: String,
    pub help: &'static str,
}

/// The tokens of a text: enough where no tree is needed.
pub(super) fn tokenize(text: &str) -> Result<(Vec<Token>, Vec<usize>), Unreadable> {
    let bytes = text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect();
    match dialect().tokenize(text) {
        Ok(tokens) => Ok((tokens, bytes)),
        Err(error) => Err(unreadable(text, &error)),
    }
}

/// The byte where the statement ends, without semicolons and what follows it.
pub(super) fn end(text: &str) -> usize {
    let Ok((tokens, bytes)) = tokenize(text) else { return text.len() };
    let last = tokens.iter().rfind(|token| token.token_type != TokenType::Semicolon);
    last.map_or(text.len(), |token| bytes[token.span.end])
}

impl<'a> Source<'a> {
    /// Reads exactly one SELECT or WITH.
    pub fn read(text: &'a str) -> Result<Self, Unreadable> {
        let (mut tokens, bytes) = tokenize(text)?;
        while tokens.last().is_some_and(|token| token.token_type == TokenType::Semicolon) {
            tokens.pop();
        }
        refused(text, &tokens)?;
        let tree = Self::tree(text, &tokens)?;
        let starts: BTreeMap<usize, usize> =
            tokens.iter().enumerate().map(|(index, token)| (token.span.start, index)).collect();
        let partners = partners(&tokens);
        let mut source = Self { text, tokens, tree, bytes, partners, aliases: BTreeSet::new(), mentions: Vec::new() };
        source.collect_names(&starts)?;
        Ok(source)
    }

    fn tree(text: &str, tokens: &[Token]) -> Result<Expression, Unreadable> {
        let statement = |token: Option<&Token>, message: &str| Unreadable {
            place: token.map_or_else(String::new, |token| place(text, token.span.start)),
            message: message.to_owned(),
            help: "write exactly one SELECT, with or without WITH",
        };
        let Some(first) = tokens.first() else { return Err(statement(None, "no statement")) };
        if let Some(second) = tokens.iter().position(|token| token.token_type == TokenType::Semicolon) {
            return Err(statement(tokens.get(second + 1), "a second statement"));
        }
        let read: Vec<&Token> =
            (0..tokens.len()).filter(|index| !is_typed_literal(tokens, *index)).map(|index| &tokens[index]).collect();
        let trees = dialect().parse(&with_only(text, &read)).map_err(|error| unreadable(text, &error))?;
        match <[Expression; 1]>::try_from(trees) {
            Ok([tree])
                if matches!(first.token_type, TokenType::Select | TokenType::With | TokenType::LParen)
                    && is_query(&tree) =>
            {
                Ok(tree)
            }
            _ => Err(statement(Some(first), "not a SELECT")),
        }
    }

    fn collect_names(&mut self, starts: &BTreeMap<usize, usize>) -> Result<(), Unreadable> {
        let ends: BTreeMap<usize, usize> =
            self.tokens.iter().enumerate().map(|(index, token)| (token.span.end, index + 1)).collect();
        for node in DfsIter::new(&self.tree) {
            match node {
                Expression::Column(column) => {
                    let span = column.span.or(column.name.span);
                    let tokens = span.and_then(|span| Some((*starts.get(&span.start)?, *ends.get(&span.end)?)));
                    // A name that is passed over would be missing from the lineage.
                    let (start, end) = tokens.ok_or_else(|| Unreadable {
                        place: String::new(),
                        message: format!("the parser does not tell where the column `{}` stands", column.name.name),
                        help: "write the expression that names it in another way",
                    })?;
                    self.mentions.push(Mention {
                        qualifier: column.table.as_ref().map(|table| table.name.to_lowercase()),
                        name: column.name.name.to_lowercase(),
                        tokens: start..end,
                    });
                }
                Expression::Alias(alias) => {
                    self.aliases.extend(alias.alias.span.and_then(|span| starts.get(&span.start)));
                }
                _ => {}
            }
        }
        self.mentions.sort_by_key(|mention| mention.tokens.start);
        self.mentions.dedup_by_key(|mention| mention.tokens.start);
        Ok(())
    }

    pub fn kind(&self, index: usize) -> Option<TokenType> {
        self.tokens.get(index).map(|token| token.token_type)
    }

    /// True if the token is this word, unquoted.
    pub fn is_word(&self, index: usize, word: &str) -> bool {
        self.tokens.get(index).is_some_and(|token| is_bare(token) && token.text.eq_ignore_ascii_case(word))
    }

    /// The name that an identifier token stands for, lowercase.
    pub fn name(&self, index: usize) -> String {
        self.tokens.get(index).map_or_else(String::new, |token| token.text.to_lowercase())
    }

    pub fn is_alias(&self, index: usize) -> bool {
        self.aliases.contains(&index)
    }

    /// The bracket that closes the one at `index`; past the end where there is none.
    pub fn partner(&self, index: usize) -> Option<usize> {
        self.partners.get(&index).copied()
    }

    /// The index after the token, or after the whole bracket that it opens.
    pub fn after(&self, index: usize) -> usize {
        match self.partner(index) {
            Some(close) if close > index => close + 1,
            _ => index + 1,
        }
    }

    /// The first token in the range, outside brackets, that satisfies the test.
    pub fn find(&self, range: Range<usize>, test: impl Fn(usize) -> bool) -> Option<usize> {
        let mut index = range.start;
        while index < range.end {
            if test(index) {
                return Some(index);
            }
            index = self.after(index);
        }
        None
    }

    /// The parts of a range between its commas.
    pub fn split(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let mut start = range.start;
        while let Some(comma) = self.find(start..range.end, |index| self.kind(index) == Some(TokenType::Comma)) {
            parts.push(start..comma);
            start = comma + 1;
        }
        parts.push(start..range.end);
        parts
    }

    /// The byte range of tokens.
    pub fn bytes(&self, tokens: &Range<usize>) -> Range<usize> {
        let start = self.tokens.get(tokens.start).map_or(self.bytes.len() - 1, |token| token.span.start);
        let end = self.tokens[..tokens.end].last().map_or(start, |token| token.span.end);
        self.bytes[start]..self.bytes[end.max(start)]
    }

    pub fn slice(&self, tokens: &Range<usize>) -> &'a str {
        &self.text[self.bytes(tokens)]
    }

    /// The text's line, and column in characters, where a token starts.
    pub fn place(&self, index: usize) -> String {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.get(index.min(last)).map_or_else(String::new, |token| place(self.text, token.span.start))
    }
}

/// `line:column` of a character offset, both from 1.
pub fn place(text: &str, offset: usize) -> String {
    let (mut line, mut column) = (1, 1);
    for character in text.chars().take(offset) {
        if character == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    format!("{line}:{column}")
}

/// True unless the token is a string, a number or a quoted name.
pub(super) fn is_bare(token: &Token) -> bool {
    token.token_type != TokenType::QuotedIdentifier
        && token.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && token.span.end - token.span.start == token.text.chars().count()
}

fn is_query(tree: &Expression) -> bool {
    match tree {
        Expression::Select(_) | Expression::Union(_) | Expression::Intersect(_) | Expression::Except(_) => true,
        Expression::Subquery(subquery) => is_query(&subquery.this),
        Expression::Paren(paren) => is_query(&paren.this),
        _ => false,
    }
}

/// What the parser takes, and Athena does not, or what is not understood here.
fn refused(text: &str, tokens: &[Token]) -> Result<(), Unreadable> {
    use TokenType as T;
    let kind = |index: usize| tokens.get(index).map(|token| token.token_type);
    for (index, token) in tokens.iter().enumerate() {
        let (message, help) = match (token.token_type, kind(index + 1)) {
            (T::DColon, _) => ("`::` is no cast on Athena", "write CAST(… AS …)"),
            (T::Distinct, Some(T::On)) => ("DISTINCT ON is not known to Athena", "number the rows and keep the first"),
            (T::By | T::GroupBy | T::OrderBy, Some(T::All)) if ends_list(kind(index + 2)) => {
                ("ALL names no columns on Athena", "list the columns")
            }
            (T::Union | T::Intersect | T::Except, _) if is_corresponding(&tokens[index + 1..]) => {
                ("CORRESPONDING is not understood", "list the columns of both sides in the same order")
            }
            // The parser takes it for a constructor, and its name for no column.
            (_, Some(T::LBracket)) if index.checked_sub(1).and_then(kind) != Some(T::Dot) && is_constructor(token) => {
                ("a column of this name is not understood before `[`", "put its table before it: t.name[…]")
            }
            (_, Some(T::String)) if is_literal_of(&["char", "json"], tokens, index) => {
                ("a literal with this type before it is not understood", "write CAST('…' AS type)")
            }
            _ => continue,
        };
        return Err(Unreadable { place: place(text, token.span.start), message: message.to_owned(), help });
    }
    Ok(())
}

/// Whether the parser reads `name[…]` as something else than a column's element. ARRAY[…] is that on Athena, too.
fn is_constructor(token: &Token) -> bool {
    let is_word = |word: &str| token.text.eq_ignore_ascii_case(word);
    is_word("list") || is_word("map") || (is_word("array") && !is_bare(token))
}

/// True for a type's name before a text that is a value of it, as in `BIGINT '4'`, where the parser takes the name for a
/// column. It reads decimals, dates and times itself.
pub fn is_typed_literal(tokens: &[Token], index: usize) -> bool {
    is_literal_of(
        &["bigint", "boolean", "double", "int", "integer", "real", "smallint", "tinyint", "varchar"],
        tokens,
        index,
    )
}

/// True for the name of one of these types before a text.
fn is_literal_of(types: &[&str], tokens: &[Token], index: usize) -> bool {
    let is_before_text = tokens.get(index + 1).is_some_and(|next| next.token_type == TokenType::String);
    let token = &tokens[index];
    is_before_text && is_bare(token) && types.iter().any(|known| token.text.eq_ignore_ascii_case(known))
}

fn ends_list(kind: Option<TokenType>) -> bool {
    use TokenType as T;
    let ends = [T::RParen, T::Semicolon, T::Having, T::Order, T::OrderBy, T::Limit, T::Offset, T::Fetch, T::Window];
    kind.is_none_or(|kind| ends.contains(&kind) || matches!(kind, T::Union | T::Intersect | T::Except))
}

fn is_corresponding(after: &[Token]) -> bool {
    let quantified =
        after.first().is_some_and(|token| matches!(token.token_type, TokenType::All | TokenType::Distinct));
    let word = after.get(usize::from(quantified));
    word.is_some_and(|token| is_bare(token) && token.text.eq_ignore_ascii_case("corresponding"))
}

/// The text with spaces where none of these tokens is: where comments are.
fn with_only(text: &str, tokens: &[&Token]) -> String {
    let mut tokens = tokens.iter().peekable();
    let mut bare = String::with_capacity(text.len());
    for (offset, character) in text.chars().enumerate() {
        while tokens.next_if(|token| token.span.end <= offset).is_some() {}
        let inside = tokens.peek().is_some_and(|token| token.span.start <= offset);
        bare.push(if inside || character.is_whitespace() { character } else { ' ' });
    }
    bare
}

fn partners(tokens: &[Token]) -> BTreeMap<usize, usize> {
    let mut open = Vec::new();
    let mut partners = BTreeMap::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.token_type {
            TokenType::LParen | TokenType::LBracket | TokenType::LBrace => open.push(index),
            TokenType::RParen | TokenType::RBracket | TokenType::RBrace => {
                if let Some(start) = open.pop() {
                    partners.insert(start, index);
                    partners.insert(index, start);
                }
            }
            _ => {}
        }
    }
    partners
}

fn unreadable(text: &str, error: &Error) -> Unreadable {
    let message = match error {
        Error::Tokenize { message, .. } | Error::Parse { message, .. } | Error::Syntax { message, .. } => {
            message.clone()
        }
        other => other.to_string(),
    };
    let place = error.start().map_or_else(String::new, |start| place(text, start));
    let mut characters = message.chars();
    let message = characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default();
    Unreadable { place, message, help: "mend the SQL; it has to run in the Athena console as it is" }
}
