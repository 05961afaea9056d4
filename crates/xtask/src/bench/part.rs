//! What of a run can be asked for.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::messages::MessageRow;
use super::rows::RowKind;
use super::webhooks::WebhookRow;

/// A part of a run that can be asked for: a row of the table, the commands, or rows of webhooks or messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Row(RowKind),
    /// `muster import contacts` and `muster export contacts`.
    Commands,
    Webhooks(WebhookRow),
    Messages(MessageRow),
}

const ROWS: usize = RowKind::ALL.len();
/// Where the rows of webhooks begin, and those of messages.
const WEBHOOKS: usize = ROWS + 1;
const MESSAGES: usize = WEBHOOKS + WebhookRow::ALL.len();
const PARTS: usize = MESSAGES + MessageRow::ALL.len();

impl Part {
    const ALL: [Self; PARTS] = {
        let mut all = [Self::Commands; PARTS];
        let mut at = 0;
        while at < ROWS {
            all[at] = Self::Row(RowKind::ALL[at]);
            at += 1;
        }
        let mut at = 0;
        while at < WebhookRow::ALL.len() {
            all[WEBHOOKS + at] = Self::Webhooks(WebhookRow::ALL[at]);
            at += 1;
        }
        let mut at = 0;
        while at < MessageRow::ALL.len() {
            all[MESSAGES + at] = Self::Messages(MessageRow::ALL[at]);
            at += 1;
        }
        all
    };
}

impl ValueEnum for Part {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Row(kind) => kind.to_possible_value(),
            Self::Commands => Some(
                PossibleValue::new("csv-import").help("The commands that import and export contacts, once"),
            ),
            Self::Webhooks(row) => row.to_possible_value(),
            Self::Messages(row) => row.to_possible_value(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_can_be_asked_for() {
        let names: Vec<String> =
            Part::ALL.iter().map(|part| part.to_possible_value().unwrap().get_name().to_owned()).collect();
        assert_eq!(names[0], "bare");
        assert_eq!(
            names[12..],
            [
                "contact-group-read",
                "contact-group-update",
                "contact-batch",
                "csv-export",
                "user-group-read",
                "user-group-update",
                "user-group-join",
                "user-group-join-great",
                "scim-by-name",
                "scim-users",
                "scim-active",
                "scim-sorted",
                "scim-cursor",
                "scim-middle",
                "scim-group",
                "scim-member",
                "scim-member-great",
                "csv-import",
                "webhook-deliveries",
                "webhook-writes",
                "webhook-silent",
                "webhook-backlog",
                "sms",
                "bulk-expansion",
                "sandbox",
                "smpp"
            ]
        );
    }
}
