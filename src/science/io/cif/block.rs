//! A block of a CIF file: tags and their values, single ones and those of loops alike.

use super::tokens::{Kind, Token};
use crate::science::error::{Error, Result};

/// A value and its line. `None` where the file has `?` or `.`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub line: usize,
    pub text: Option<String>,
}

/// What one tag says: the values of a column of a loop, or a single value.
#[derive(Clone, Debug)]
struct Item {
    tag: String,
    /// Which loop the tag stands in; tags of one loop have one value per row.
    group: usize,
    words: Vec<Word>,
}

/// `data_NAME` and what follows, up to the next one.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    pub name: String,
    /// The line of its header.
    pub line: usize,
    items: Vec<Item>,
}

impl Block {
    /// The values of the first of `tags` that the block has, and the line of the first value.
    pub fn column(&self, tags: &[&str]) -> Option<&[Word]> {
        tags.iter().find_map(|tag| self.item(tag)).map(|item| item.words.as_slice())
    }

    /// The value of the first of `tags` that the block has a single value for.
    pub fn single(&self, tags: &[&str]) -> Option<(&str, usize)> {
        let known = |tag: &&str| match self.item(tag)?.words.as_slice() {
            [Word { line, text: Some(text) }] => Some((text.as_str(), *line)),
            _ => None,
        };
        tags.iter().find_map(known)
    }

    /// The values of `tag` if it stands in the same loop as `other`.
    pub fn beside(&self, other: &str, tag: &str) -> Option<&[Word]> {
        let (other, item) = (self.item(other)?, self.item(tag)?);
        (item.group == other.group).then_some(item.words.as_slice())
    }

    fn item(&self, tag: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.tag == tag)
    }

    fn add(&mut self, line: usize, tag: String, group: usize) -> Result<()> {
        if self.item(&tag).is_some() {
            return Err(Error::at(line, format!("{tag} is given twice in data_{}", self.name)));
        }
        self.items.push(Item { tag, group, words: Vec::new() });
        Ok(())
    }
}

/// The blocks of a file.
pub(super) fn blocks(tokens: Vec<Token>) -> Result<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    let mut group = 0;
    while let Some(Token { line, kind }) = tokens.next() {
        group += 1;
        if let Kind::Data(name) = kind {
            blocks.push(Block { name, line, items: Vec::new() });
            continue;
        }
        let Some(block) = blocks.last_mut() else {
            return Err(Error::at(line, "a block (data_NAME) should begin here"));
        };
        let start = block.items.len();
        match kind {
            Kind::Loop => {
                while let Some(Token { line, kind: Kind::Tag(tag) }) =
                    tokens.next_if(|next| matches!(next.kind, Kind::Tag(_)))
                {
                    block.add(line, tag, group)?;
                }
                let columns = &mut block.items[start..];
                let mut filled = 0;
                while let Some(word) = tokens.next_if(is_value).and_then(word) {
                    let Some(width) = Some(columns.len()).filter(|width| *width > 0) else {
                        return Err(Error::at(line, "loop_ needs tags before its values"));
                    };
                    columns[filled % width].words.push(word);
                    filled += 1;
                }
                if columns.is_empty() || filled % columns.len() != 0 {
                    let reason = format!("the loop has {filled} values for {} columns", columns.len());
                    return Err(Error::at(line, reason));
                }
            }
            Kind::Tag(tag) => {
                block.add(line, tag.clone(), group)?;
                let value = tokens.next_if(is_value).and_then(word);
                block.items[start].words.push(value.ok_or_else(|| Error::at(line, format!("{tag} has no value")))?);
            }
            Kind::Plain(text) | Kind::Quoted(text) => {
                return Err(Error::at(line, format!("{text:?} belongs to no tag")));
            }
            Kind::Data(_) => {}
        }
    }
    Ok(blocks)
}

fn is_value(token: &Token) -> bool {
    matches!(token.kind, Kind::Plain(_) | Kind::Quoted(_))
}

fn word(token: Token) -> Option<Word> {
    let line = token.line;
    match token.kind {
        Kind::Plain(text) => Some(Word { line, text: Some(text).filter(|text| text != "?" && text != ".") }),
        Kind::Quoted(text) => Some(Word { line, text: Some(text) }),
        _ => None,
    }
}
