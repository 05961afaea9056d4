//! Messages: short texts to phones and from them, one by one and to many, in both dialects that have them.

pub mod gsm;
mod text;
mod transliterate;

pub use text::{Encoding, MAX_PARTS, MessageText, Segment, Segments, TooManyParts, decode_ucs2, segments};
pub use transliterate::transliterate;
