//! Texts with places that are filled for each recipient (LOX24 messaging contract, section 3; Convirza platform contract,
//! section 4).

use crate::contact::COLUMNS;
use crate::{Problem, text};

use super::{MAX_PARTS, TooManyParts, text::Encoding};

/// Characters of a template (LOX24 messaging contract, section 3).
pub const MAX_TEMPLATE: usize = 1785;

/// The most characters of a filled text that are looked at. The longest message has 1530; this leaves room for marks that
/// go when it is transliterated.
const MAX_FILLED: usize = 4 * MAX_PARTS * 153;

/// How a place is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlaceholderStyle {
    /// `[label]`, as in bulks of LOX24.
    Brackets,
    /// `{{label}}`, as in broadcasts of Convirza.
    Braces,
}

impl PlaceholderStyle {
    /// The word that a store keeps.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Brackets => "brackets",
            Self::Braces => "braces",
        }
    }

    /// The style with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Brackets, Self::Braces].into_iter().find(|style| style.as_str() == name)
    }

    const fn opening(self) -> &'static str {
        match self {
            Self::Brackets => "[",
            Self::Braces => "{{",
        }
    }

    const fn closing(self) -> &'static str {
        match self {
            Self::Brackets => "]",
            Self::Braces => "}}",
        }
    }

    /// What a label between the marks cannot have.
    const fn is_mark(self, character: char) -> bool {
        match self {
            Self::Brackets => matches!(character, '[' | ']'),
            Self::Braces => matches!(character, '{' | '}'),
        }
    }
}

/// Checks a template, which is kept as it is sent. Errors: `Blank`, `TooLong`, `Format` for U+0000.
pub fn template_text(raw: &str) -> Result<String, Problem> {
    if raw.trim().is_empty() {
        return Err(Problem::Blank);
    }
    text::limited(raw, MAX_TEMPLATE)
}

/// A text that is ready to be filled for the contacts of one list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template<'a> {
    pieces: Vec<Piece<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    /// The place of a column.
    Column(usize),
}

impl<'a> Template<'a> {
    /// Reads a text. What stands between the marks is compared with the labels of the list, white space around it and
    /// the normal form apart; of columns with the same label the first is meant. What is no label stays as it is, and
    /// so does everything when there is no list, whose labels are all `None`.
    pub fn new(text: &'a str, style: PlaceholderStyle, labels: &[Option<String>; COLUMNS]) -> Self {
        let mut pieces = Vec::new();
        let mut kept = 0;
        for (start, end, label) in Placeholders::new(text, style) {
            let label = text::normalize(label);
            let is_meant = |known: &Option<String>| known.as_ref().is_some_and(|known| *known == label);
            if let Some(column) = labels.iter().position(is_meant).filter(|_| !label.is_empty()) {
                pieces.extend([Piece::Text(&text[kept..start]), Piece::Column(column)]);
                kept = end;
            }
        }
        pieces.push(Piece::Text(&text[kept..]));
        Self { pieces }
    }

    /// The text for one contact; a column without a text is empty. Errors: `TooManyParts` when so much comes of it that
    /// no message can have it, whatever the encoding.
    pub fn fill(&self, columns: &[Option<String>; COLUMNS]) -> Result<String, TooManyParts> {
        let mut filled = String::new();
        let mut left = MAX_FILLED;
        for piece in &self.pieces {
            let piece = match piece {
                Piece::Text(text) => text,
                Piece::Column(column) => columns[*column].as_deref().unwrap_or_default(),
            };
            left = left.checked_sub(piece.chars().count()).ok_or(TooManyParts { encoding: Encoding::Gsm })?;
            filled.push_str(piece);
        }
        Ok(filled)
    }

    /// Whether every contact gets the same text.
    pub fn is_constant(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Text(_)))
    }
}

/// The places of a text, from left to right, in one pass: where one begins and ends, marks included, and what stands
/// between the marks. Of marks that open one after the other the last one counts.
struct Placeholders<'a> {
    text: &'a str,
    style: PlaceholderStyle,
    at: usize,
    /// Where the label of the place begins that is open.
    open: Option<usize>,
}

impl<'a> Placeholders<'a> {
    fn new(text: &'a str, style: PlaceholderStyle) -> Self {
        Self { text, style, at: 0, open: None }
    }
}

impl<'a> Iterator for Placeholders<'a> {
    type Item = (usize, usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (opening, closing) = (self.style.opening(), self.style.closing());
        loop {
            let rest = self.text.get(self.at..)?;
            let found = rest.find(|character| self.style.is_mark(character))?;
            let (at, rest) = (self.at + found, rest.get(found..)?);
            // All marks are ASCII.
            self.at = at + 1;
            if rest.starts_with(opening) {
                self.open = Some(at + opening.len());
            } else if let Some(label) = self.open
                && at >= label
            {
                self.open = None;
                if rest.starts_with(closing) {
                    self.at = at + closing.len();
                    return Some((label - opening.len(), self.at, &self.text[label..at]));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
