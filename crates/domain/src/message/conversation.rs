//! Conversations: the thread between one of a tenant's numbers and another number (Convirza platform contract, section 5).

use std::time::Duration;

use serde_json::json;

use crate::{ConversationId, MessageId, Problem, Slice, TenantId, Timestamp, UserId, journal};

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    Incoming,
    Outgoing,
}

impl Direction {
    /// The `sms_type` of Convirza.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
        }
    }
}

/// What is to be done about a conversation; it follows from its other fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConversationStatus {
    /// There are messages that nobody has read.
    Unread,
    /// All is read, and the last word is theirs.
    Read,
    /// The last word is ours.
    Replied,
    Closed,
}

impl ConversationStatus {
    /// The `conversation_status` of Convirza.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Read => "read",
            Self::Replied => "replied",
            Self::Closed => "closed",
        }
    }
}

/// Which conversations are asked for: the `type` of Convirza.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConversationFilter {
    #[default]
    AllOpen,
    /// Open ones of the caller.
    AssignedToYou,
    /// Open ones of nobody.
    Unassigned,
    Closed,
}

impl ConversationFilter {
    pub const NAMES: [&str; 4] = ["allOpen", "assignedToYou", "unassigned", "close"];
    pub const ALL: [Self; 4] = [Self::AllOpen, Self::AssignedToYou, Self::Unassigned, Self::Closed];

    /// The filter with this name of [`ConversationFilter::NAMES`].
    pub fn from_name(name: &str) -> Option<Self> {
        let at = Self::NAMES.iter().position(|known| *known == name)?;
        Self::ALL.get(at).copied()
    }

    /// Whether a conversation is asked for by this user.
    pub fn matches(self, conversation: &Conversation, caller: Option<UserId>) -> bool {
        let is_open = conversation.closed_at.is_none();
        match self {
            Self::AllOpen => is_open,
            Self::AssignedToYou => is_open && caller.is_some() && conversation.assigned_to == caller,
            Self::Unassigned => is_open && conversation.assigned_to.is_none(),
            Self::Closed => !is_open,
        }
    }
}

/// What is looked for in the names and numbers of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationSearch {
    /// In small letters, as far as they are of ASCII: a part of the name.
    pub name: String,
    /// A part of the number, if it can be one: digits, without what numbers are written with.
    pub digits: Option<String>,
}

impl ConversationSearch {
    /// The most characters (Convirza platform contract, section 5).
    pub const MAX: usize = 255;

    /// Errors: `TooLong`.
    pub fn read(raw: &str) -> Result<Self, Problem> {
        if raw.chars().count() > Self::MAX {
            return Err(Problem::TooLong { max: Self::MAX });
        }
        let written = |character: &char| matches!(character, '+' | '-' | '.' | '/' | '(' | ')' | ' ');
        let digits: String = raw.chars().filter(|character| !written(character)).collect();
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        // Nothing that is stored has a NUL, and not every store takes one: it stands for what is no character.
        let name = raw.replace('\0', "\u{ffff}").to_ascii_lowercase();
        Ok(Self { name, digits: is_number.then_some(digits) })
    }

    /// Whether it is found: the definition, which a store's statements agree with.
    pub fn finds(&self, conversation: &Conversation) -> bool {
        let name = conversation.name.as_deref().unwrap_or_default().to_ascii_lowercase();
        let in_number = |digits: &String| conversation.their_number.contains(digits);
        name.contains(&self.name) || self.digits.as_ref().is_some_and(in_number)
    }
}

/// A slice of the conversations, by the time of their last message, then by id.
#[derive(Clone, Debug)]
pub struct ConversationQuery {
    pub filter: ConversationFilter,
    pub search: Option<ConversationSearch>,
    /// The last message is not older than this.
    pub since: Option<Timestamp>,
    /// And not younger.
    pub until: Option<Timestamp>,
    pub is_descending: bool,
    pub slice: Slice,
}

/// A message that belongs to a thread, which begins with it if there is none between the two numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadMove {
    /// Of the thread, if it begins.
    pub id: ConversationId,
    /// Ours and theirs, digits only.
    pub numbers: [String; 2],
    pub direction: Direction,
    pub at: Timestamp,
    pub message: MessageId,
}

/// The thread between one of our numbers and another one. There is one for each pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    pub id: ConversationId,
    pub tenant: TenantId,
    /// Our number, digits only: the `phone_number` of Convirza.
    pub our_number: String,
    /// The other number, digits only: the `source` of Convirza.
    pub their_number: String,
    /// What a contact list calls them, if one does: of the contact with the least id that has this number, the column that
    /// is labelled `name`, in any case, else the first one.
    pub name: Option<String>,
    /// The last message: which way it went, when, and its text, empty when that is gone. It is not kept here, so that it is
    /// forgotten with the message.
    pub last: Direction,
    pub last_at: Timestamp,
    pub last_text: String,
    /// Messages of theirs that nobody has read.
    pub unread: u32,
    pub responses: ResponseTimes,
    /// Whose it is; of nobody, once they are deleted.
    pub assigned_to: Option<UserId>,
    /// What they are called, while it is somebody's.
    pub agent: Option<String>,
    pub is_pinned: bool,
    pub closed_at: Option<Timestamp>,
    /// From 1, raised by each change of this conversation.
    pub version: i64,
    pub started_at: Timestamp,
}

/// How long they waited for our answers: from the first message after our last one to our next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseTimes {
    pub first: Option<Duration>,
    /// Of all answers together.
    pub sum: Duration,
    pub count: u32,
    /// Since when they wait.
    pub waiting_since: Option<Timestamp>,
}

impl ResponseTimes {
    /// `None` without an answer.
    pub fn average(&self) -> Option<Duration> {
        self.sum.checked_div(self.count)
    }

    fn answered(&mut self, at: Timestamp) {
        if let Some(since) = self.waiting_since.take() {
            let micros = u64::try_from(at.0.saturating_sub(since.0)).unwrap_or(0);
            let time = Duration::from_micros(micros);
            self.first.get_or_insert(time);
            self.sum = self.sum.saturating_add(time);
            self.count = self.count.saturating_add(1);
        }
    }
}

impl Conversation {
    /// A thread that begins with a message.
    pub fn begin(
        tenant: TenantId,
        id: ConversationId,
        [our_number, their_number]: [String; 2],
        direction: Direction,
        text: &str,
        at: Timestamp,
    ) -> Self {
        let begun = Self {
            id,
            tenant,
            our_number,
            their_number,
            name: None,
            last: direction,
            last_at: at,
            last_text: String::new(),
            unread: 0,
            responses: ResponseTimes::default(),
            assigned_to: None,
            agent: None,
            is_pinned: false,
            closed_at: None,
            version: 0,
            started_at: at,
        };
        begun.with_message(direction, text, at)
    }

    /// After another message: the definition of what a store does with a [`ThreadMove`], the text apart. One of theirs
    /// opens a thread that was closed and is unread; whoever answers has read what came before.
    #[must_use]
    pub fn with_message(mut self, direction: Direction, text: &str, at: Timestamp) -> Self {
        self.version += 1;
        match direction {
            Direction::Incoming => {
                self.unread = self.unread.saturating_add(1);
                self.closed_at = None;
                self.responses.waiting_since.get_or_insert(at);
            }
            Direction::Outgoing => {
                self.unread = 0;
                self.responses.answered(at);
            }
        }
        // Carriers deliver late: what was sent earlier does not become the last.
        if at >= self.last_at {
            self.last = direction;
            self.last_at = at;
            text.clone_into(&mut self.last_text);
        }
        self
    }

    pub fn status(&self) -> ConversationStatus {
        if self.closed_at.is_some() {
            ConversationStatus::Closed
        } else if self.unread > 0 {
            ConversationStatus::Unread
        } else if self.last == Direction::Outgoing {
            ConversationStatus::Replied
        } else {
            ConversationStatus::Read
        }
    }

    /// The fields that the journal shows when they are changed.
    pub fn fields(&self) -> journal::Fields {
        vec![
            ("assigned_to", json!(self.assigned_to.map(|user| user.0))),
            ("is_pinned", json!(self.is_pinned)),
            ("closed_at", json!(self.closed_at.map(|at| at.millis().to_string()))),
            ("is_read", json!(self.unread == 0)),
        ]
    }
}

/// What a request wants of a conversation.
#[derive(Clone, Debug, Default)]
pub struct ConversationPatch {
    pub assigned_to: crate::Patch<UserId>,
    pub is_pinned: Option<bool>,
    pub is_closed: Option<bool>,
    /// All of it is read; what is read cannot be made unread.
    pub mark_read: bool,
}

impl ConversationPatch {
    /// Writes the wishes into `conversation`; one that is closed already keeps its time. The version stays.
    pub fn apply(&self, conversation: &mut Conversation, now: Timestamp) {
        self.assigned_to.clone().apply(&mut conversation.assigned_to);
        conversation.is_pinned = self.is_pinned.unwrap_or(conversation.is_pinned);
        match self.is_closed {
            Some(true) => {
                conversation.closed_at.get_or_insert(now);
            }
            Some(false) => conversation.closed_at = None,
            None => {}
        }
        if self.mark_read {
            conversation.unread = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Patch;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000_000)
    }

    fn begun(direction: Direction) -> Conversation {
        let numbers = ["13035550111", "13035550112"].map(str::to_owned);
        Conversation::begin(TenantId(1), ConversationId(31), numbers, direction, "hello?", at(0))
    }

    #[test]
    fn messages_move_a_conversation() {
        use Direction::{Incoming, Outgoing};
        let thread = begun(Incoming);
        assert_eq!((thread.status().as_str(), thread.unread, thread.version), ("unread", 1, 1));
        let thread = thread.with_message(Incoming, "anyone?", at(60));
        assert_eq!((thread.unread, thread.last_text.as_str()), (2, "anyone?"));
        let thread = thread.with_message(Outgoing, "Hi", at(130));
        assert_eq!(
            (thread.status().as_str(), thread.unread, thread.last.as_str()),
            ("replied", 0, "outgoing")
        );
        let thread = thread.with_message(Outgoing, "Hi again", at(140));
        // An answer is one, however many messages it has, and they wait since the first of theirs.
        assert_eq!(thread.responses.first, Some(Duration::from_secs(130)));
        let thread = thread.with_message(Incoming, "thanks", at(200)).with_message(Outgoing, "Bye", at(430));
        assert_eq!(thread.responses.first, Some(Duration::from_secs(130)));
        assert_eq!(thread.responses.average(), Some(Duration::from_mins(3)));
        assert_eq!((thread.started_at, thread.last_at), (at(0), at(430)));
        // One that comes late is unread, and not the last.
        let thread = thread.with_message(Incoming, "late", at(300));
        assert_eq!((thread.status().as_str(), thread.last_text.as_str()), ("unread", "Bye"));
        assert_eq!(begun(Outgoing).responses.average(), None);
    }

    #[test]
    fn people_assign_pin_read_and_close() {
        let mut thread = begun(Direction::Incoming);
        let patch = ConversationPatch {
            assigned_to: Patch::Set(UserId(71)),
            is_pinned: Some(true),
            is_closed: None,
            mark_read: true,
        };
        patch.apply(&mut thread, at(5));
        assert_eq!((thread.status().as_str(), thread.assigned_to), ("read", Some(UserId(71))));
        let close = ConversationPatch { is_closed: Some(true), ..ConversationPatch::default() };
        close.apply(&mut thread, at(6));
        close.apply(&mut thread, at(7));
        assert_eq!((thread.status().as_str(), thread.closed_at), ("closed", Some(at(6))));
        assert!(thread.is_pinned);
        // Our own message leaves it closed; theirs does not.
        let thread = thread.with_message(Direction::Outgoing, "Bye", at(8));
        assert_eq!(thread.status(), ConversationStatus::Closed);
        let thread = thread.with_message(Direction::Incoming, "one more", at(9));
        assert_eq!(thread.status(), ConversationStatus::Unread);
    }

    #[test]
    fn filters_are_those_of_the_contract() {
        let open = begun(Direction::Incoming);
        let mine = Conversation { assigned_to: Some(UserId(71)), ..open.clone() };
        let closed = Conversation { closed_at: Some(at(1)), ..mine.clone() };
        for (name, wanted) in [
            ("allOpen", [true, true, false]),
            ("assignedToYou", [false, true, false]),
            ("unassigned", [true, false, false]),
            ("close", [false, false, true]),
        ] {
            let filter = ConversationFilter::from_name(name).unwrap();
            let found = [&open, &mine, &closed].map(|thread| filter.matches(thread, Some(UserId(71))));
            assert_eq!(found, wanted, "{name}");
        }
        assert!(!ConversationFilter::AssignedToYou.matches(&open, None));
        assert_eq!(ConversationFilter::from_name("AllOpen"), None);
    }
}
