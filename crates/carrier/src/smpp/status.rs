//! What the statuses of a message centre mean for a message (SMPP 3.4, section 5.1.3).

use std::time::Duration;

use rusmpp::CommandStatus;

use crate::{Failed, Reason};

/// What a message that was answered so is to its sender. `pause` says how long nothing is sent when the message centre
/// wants to be asked less often.
pub(super) fn failed(status: CommandStatus, pause: impl FnOnce() -> Duration) -> Failed {
    use CommandStatus as Status;
    let reason = match status {
        Status::EsmeRthrottled | Status::EsmeRmsgqful => return Failed::Throttled { after: pause() },
        // It is the message centre that is not well, or the connection.
        Status::EsmeRsyserr | Status::EsmeRinvbndsts | Status::EsmeRxTAppn | Status::EsmeRsertypunavail => {
            return Failed::unavailable(name(status));
        }
        Status::EsmeRinvdstadr
        | Status::EsmeRinvdstton
        | Status::EsmeRinvdstnpi
        | Status::EsmeRinvdstaddrsubunit => Reason::InvalidRecipient,
        Status::EsmeRinvsrcadr
        | Status::EsmeRinvsrcton
        | Status::EsmeRinvsrcnpi
        | Status::EsmeRinvsrcaddrsubunit => Reason::InvalidSender,
        Status::EsmeRinvmsglen
        | Status::EsmeRinvcmdlen
        | Status::EsmeRinvcmdid
        | Status::EsmeRinvesmclass
        | Status::EsmeRinvdcs
        | Status::EsmeRinvexpiry
        | Status::EsmeRinvregdlvflg
        | Status::EsmeRinvsched => Reason::InvalidMessage,
        Status::EsmeRprohibited | Status::EsmeRsertypunauth | Status::EsmeRsertypdenied => Reason::Blocked,
        Status::EsmeRdeliveryfailure => Reason::NoRoute,
        _ => Reason::Other,
    };
    Failed::refused(reason, name(status))
}

fn name(status: CommandStatus) -> String {
    format!("status 0x{:08X}", u32::from(status))
}
