//! A tenant's balance, and what changes it (LOX24 messaging contract, section 2).

use super::Money;
use crate::{BulkId, MessageId, MovementId, TenantId, Timestamp};

/// A change of a tenant's balance. The sum of all is the balance; none is ever changed or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    pub id: MovementId,
    pub tenant: TenantId,
    pub at: Timestamp,
    /// Below zero for what is taken.
    pub amount: Money,
    /// After it.
    pub balance: Money,
    pub reason: MovementReason,
}

/// Why a balance changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MovementReason {
    /// The operator has given or taken it, with a note.
    Credit(Option<String>),
    /// For a message, which is taken.
    Charge(MessageId),
    /// For a message that was not handed over, given back.
    Refund(MessageId),
    /// For messages of a bulk, all of one step of its expansion.
    BulkCharge { bulk: BulkId, messages: u32 },
    /// For messages of a bulk that were not handed over, likewise.
    BulkRefund { bulk: BulkId, messages: u32 },
}

impl MovementReason {
    /// The word that a store keeps.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Credit(_) => "credit",
            Self::Charge(_) => "charge",
            Self::Refund(_) => "refund",
            Self::BulkCharge { .. } => "bulk_charge",
            Self::BulkRefund { .. } => "bulk_refund",
        }
    }
}

/// The balance after something is taken; `None` when it does not suffice. Where nothing costs anything it always does,
/// whatever the balance.
pub fn charge(balance: Money, cost: Money) -> Option<Money> {
    let left = balance - cost;
    (cost == Money::ZERO || !left.is_negative()).then_some(left)
}

/// The balance after something is given, or, below zero, taken by the operator; `None` when it would be above
/// [`Money::FULL`], or no balance can say it.
pub fn credit(balance: Money, amount: Money) -> Option<Money> {
    refund(balance, amount).filter(|after| amount.is_negative() || *after <= Money::FULL)
}

/// The balance after something is given back; `None` when no balance can say it. Amounts stay at their bounds, which would
/// break the sum.
pub fn refund(balance: Money, amount: Money) -> Option<Money> {
    let sum = balance + amount;
    (sum - amount == balance && sum - balance == amount).then_some(sum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_no_balance_can_say_is_not_credited() {
        let one = Money::from_millionths(1);
        assert_eq!(credit(Money::FULL - one, one), Some(Money::FULL));
        assert_eq!(credit(Money::FULL, one), None);
        assert_eq!(refund(Money::FULL, one), Some(Money::FULL + one));
        assert_eq!(credit(Money::MAX, -one), Some(Money::MAX - one));
        assert_eq!(refund(Money::MAX - one, one), Some(Money::MAX));
        assert_eq!(refund(Money::MAX, one), None);
        assert_eq!(credit(-Money::MAX, -one), None);
        assert_eq!(credit(-Money::MAX, Money::MAX), Some(Money::ZERO));
        assert_eq!(credit(one, -one - one), Some(-one));
    }

    proptest! {
        #[test]
        fn a_balance_never_falls_below_zero_by_a_charge(
            credits in 0..10_000_i64, costs in prop::collection::vec(0..3_000_i64, 0..20),
        ) {
            let first = Money::from_millionths(credits);
            let mut balance = first;
            let mut taken = Money::ZERO;
            for cost in costs.into_iter().map(Money::from_millionths) {
                match charge(balance, cost) {
                    Some(left) => (balance, taken) = (left, taken + cost),
                    None => prop_assert!(cost > balance),
                }
                prop_assert!(!balance.is_negative());
                prop_assert_eq!(balance + taken, first);
            }
            prop_assert_eq!(charge(-first, Money::ZERO), Some(-first));
        }
    }
}
