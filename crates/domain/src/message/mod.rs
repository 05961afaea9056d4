//! Messages: short texts to phones and from them, one by one and to many, in both dialects that have them.
//!
//! Rules: what a text counts and how it is parted is the same for what is shown, what is paid and what is handed over
//! ([`MessageText`]); a message leaves [`MessageStatus::New`] once, and what its phone has stays delivered
//! ([`MessageState`]); a bulk of LOX24 and a broadcast of Convirza are one thing ([`Bulk`], [`BulkStatus`]); what is not
//! handed over, and will not be, costs nothing ([`Message::in_state`]), and the sum of all movements is the balance
//! ([`Movement`]); a recipient's STOP outlives everything but their START ([`Keyword`]); what is sent from a number and what comes in moves
//! the thread between the two numbers ([`Conversation`]).

mod account;
mod balance;
mod blocks;
mod bulk;
mod bulk_status;
mod concat;
mod conversation;
mod conversations;
mod destination;
mod event;
mod filter;
pub mod gsm;
mod hand_over;
mod incomings;
mod journaling;
mod manage;
mod model;
mod money;
mod prefix;
mod price;
mod prices;
mod receipts;
pub mod schedule;
mod send;
mod sender;
mod status;
mod stop;
mod store;
mod tally;
mod template;
mod text;
mod transliterate;
mod window;

pub use account::{Account, BalanceStore, Quote};
pub use balance::{Movement, MovementReason, charge, credit, refund};
pub use blocks::BlockStore;
pub use bulk::{
    Bulk, BulkChunk, BulkContact, BulkCounts, BulkDelta, BulkMessage, BulkPatch, BulkPlace, BulkPreview,
    BulkStore, BulkWork, Counted, Expansion, NewBulk, StoredBulk, bulk_limits,
};
pub use bulk_status::BulkStatus;
pub use concat::ConcatHeader;
pub use conversation::{
    Conversation, ConversationFilter, ConversationPatch, ConversationQuery, ConversationSearch,
    ConversationStatus, Direction, ResponseTimes, ThreadMove,
};
pub use conversations::ConversationStore;
pub use destination::{Country, Destination, Line};
pub use event::{BroadcastEvent, LOX24_DRYRUN, SmsEvent};
pub use filter::{BlockField, BulkField, FieldValue, Filter, IncomingField, ListQuery, MessageField, Test};
pub use hand_over::{CLAIM, ClaimFailed, Claimed, MessageWork, Noted, Outcome};
pub use incomings::{Arrival, IncomingStore};
pub use model::{Block, DRY_RUN, Incoming, Message, SendOptions, Service, ThreadMessage, limits};
pub use money::{Currency, Money};
pub use prefix::PrefixMap;
pub use price::{PRICE_COLUMNS, Price, PriceError, PriceTable, Tariff, Tier};
pub use receipts::{CarrierPart, RECEIPTS_KEPT, ReceiptNews};
pub use send::MessageWish;
pub use sender::{SENDER_IDS, SenderId};
pub use status::{MessageState, MessageStatus, Receipt};
pub use stop::{BlockedBy, Keyword, STOP_WORDS, blocked_number};
pub use store::{Holder, MessageStore, MessageUpdate, PartUpdate, StoredMessage, Sweep, WithParts};
pub use template::{MAX_TEMPLATE, PlaceholderStyle, Template, template_text};
pub use text::{Encoding, MAX_PARTS, MessageText, Segment, Segments, TooManyParts, decode_ucs2, segments};
pub use transliterate::transliterate;
pub use window::{Minute, SendWindow};
