//! Messages: short texts to phones and from them, one by one and to many, in both dialects that have them.

mod bulk_status;
mod destination;
mod event;
pub mod gsm;
mod money;
mod prefix;
mod price;
pub mod schedule;
mod sender;
mod status;
mod stop;
mod template;
mod text;
mod transliterate;
mod window;

pub use bulk_status::BulkStatus;
pub use destination::{Country, Destination, Line};
pub use event::{BroadcastEvent, LOX24_DRYRUN, SmsEvent};
pub use money::{Currency, Money};
pub use prefix::PrefixMap;
pub use price::{PRICE_COLUMNS, Price, PriceError, PriceTable, Tariff, Tier};
pub use sender::{SENDER_IDS, SenderId};
pub use status::{MessageState, MessageStatus, Receipt};
pub use stop::{BlockedBy, Keyword, STOP_WORDS, blocked_number};
pub use template::{MAX_TEMPLATE, PlaceholderStyle, Template, template_text};
pub use text::{Encoding, MAX_PARTS, MessageText, Segment, Segments, TooManyParts, decode_ucs2, segments};
pub use transliterate::transliterate;
pub use window::{Minute, SendWindow};
