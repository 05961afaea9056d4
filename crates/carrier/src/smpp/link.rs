//! One connection to a message centre, from the bind to the end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rusmpp::pdus::DataSmResp;
use rusmpp::{CommandId, CommandStatus, Pdu};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::frame::{self, Frame};
use super::hold::Hold;
use super::session::{Answer, Clogged, Out, Session};
use super::{Shared, SmppConfig, deliver, pdu};

/// How often is looked for what has taken too long.
const TICK: Duration = Duration::from_millis(100);
/// How much is read, and written, at once.
const CHUNK: usize = 16 * 1024;
/// How many PDUs are read before what they made is written.
const AT_ONCE: usize = 64;
/// How many PDUs that are none a message centre may send within a minute before it is left.
const MAX_BAD: u32 = 32;
const MINUTE: Duration = Duration::from_mins(1);
/// How long what is on its way may take when the carrier closes, and the leave-taking.
const LAST_ANSWERS: Duration = Duration::from_secs(3);
const LEAVE: Duration = Duration::from_secs(1);

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// We have closed it.
    Closed,
    /// It broke, or was no good.
    Lost(String),
    /// The message centre takes submissions and answers none.
    Hanging,
}

/// A connection that is bound.
pub(super) struct Link {
    stream: TcpStream,
    /// What was read after the answer to the bind.
    received: BytesMut,
}

impl Link {
    /// Connects and binds as a transceiver (SMPP 3.4, sections 2.2 and 4.1.5).
    pub(super) async fn bind(config: &SmppConfig) -> Result<Self, String> {
        let bind = async {
            let mut stream =
                TcpStream::connect(&config.address).await.map_err(|error| error.kind().to_string())?;
            // What is sent is sent at once; without it there is only a delay.
            _ = stream.set_nodelay(true);
            let request = pdu::write(CommandStatus::EsmeRok, 1, pdu::bind(config));
            stream.write_all(&request).await.map_err(|error| error.kind().to_string())?;
            let mut received = BytesMut::with_capacity(CHUNK);
            loop {
                while let Some(frame) = frame::next(&mut received).map_err(|error| error.to_string())? {
                    match (frame.id, frame.status) {
                        (CommandId::BindTransceiverResp, CommandStatus::EsmeRok) => {
                            return Ok(Self { stream, received });
                        }
                        (CommandId::BindTransceiverResp | CommandId::GenericNack, status) => {
                            return Err(format!("the bind is refused: {status:?}"));
                        }
                        _ => {}
                    }
                }
                match stream.read_buf(&mut received).await {
                    Ok(1..) => {}
                    Ok(0) => return Err("the connection was closed before the bind".to_owned()),
                    Err(error) => return Err(error.kind().to_string()),
                }
            }
        };
        timeout(config.connect_timeout, bind)
            .await
            .unwrap_or_else(|_| Err("the bind took too long".to_owned()))
    }

    /// Serves the connection until it ends, or until `stop` says so.
    pub(super) async fn run(
        mut self,
        session: Arc<Session>,
        queue: mpsc::Receiver<Out>,
        shared: &Shared,
        stop: watch::Receiver<bool>,
    ) -> End {
        let (read_half, write_half) = self.stream.split();
        let now = Instant::now();
        let bad = Bad { count: 0, since: now };
        let hold = Hold::new(shared.config.response_timeout);
        let reader = Reader { session: &session, shared, heard: now, asked: None, bad, hold, leaving: None };
        tokio::select! {
            // What is read makes answers, so they are written first.
            biased;
            end = write(write_half, queue, &session, shared.config.response_timeout) => end,
            end = reader.run(read_half, self.received, stop) => end,
        }
    }
}

/// Writes what comes, as much at once as there is.
async fn write(
    mut half: WriteHalf<'_>,
    mut queue: mpsc::Receiver<Out>,
    session: &Session,
    limit: Duration,
) -> End {
    let mut bytes = BytesMut::with_capacity(CHUNK);
    while let Some(out) = queue.recv().await {
        let mut next = Some(out);
        while let Some(out) = next {
            // What was given up meanwhile is not sent.
            if out.submission.is_none_or(|sequence| session.begin_writing(sequence)) {
                bytes.extend_from_slice(&out.bytes);
            }
            next = if bytes.len() < CHUNK { queue.try_recv().ok() } else { None };
        }
        match timeout(limit, half.write_all(&bytes)).await {
            Ok(Ok(())) => {
                bytes.clear();
                session.written.notify_one();
            }
            Ok(Err(error)) => return lost(&error),
            Err(_) => return End::Lost("the message centre does not read".to_owned()),
        }
    }
    End::Closed
}

fn lost(error: &io::Error) -> End {
    End::Lost(error.kind().to_string())
}

struct Reader<'l> {
    session: &'l Arc<Session>,
    shared: &'l Shared,
    /// When something came last, and when we have asked whether somebody is there.
    heard: Instant,
    asked: Option<Instant>,
    bad: Bad,
    hold: Hold,
    leaving: Option<Leaving>,
}

/// PDUs that are none, of the last minute or so: a connection lasts for weeks, in which some odd ones may come.
struct Bad {
    count: u32,
    since: Instant,
}

impl Bad {
    /// Counts one; false if it is one too many.
    fn add(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= MINUTE {
            *self = Self { count: 0, since: now };
        }
        self.count += 1;
        self.count <= MAX_BAD
    }
}

/// We, or the message centre, end the connection.
struct Leaving {
    since: Instant,
    /// The last word is said.
    is_unbound: bool,
}

impl Reader<'_> {
    async fn run(
        mut self,
        mut half: ReadHalf<'_>,
        mut received: BytesMut,
        mut stop: watch::Receiver<bool>,
    ) -> End {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let session = self.session;
        loop {
            let mut is_whole_read = false;
            for _ in 0..AT_ONCE {
                // Who does not read our answers is not read either, until the writer finds that it takes too long.
                if !session.has_room() {
                    break;
                }
                // Nor who delivers more than can be taken.
                if let Err(end) = said(self.hold.again(&self.shared.inbound, session)) {
                    return end;
                }
                if self.hold.is_on() {
                    break;
                }
                match frame::next(&mut received) {
                    Ok(Some(frame)) => {
                        if let Err(end) = self.frame(&frame) {
                            return end;
                        }
                    }
                    Ok(None) => {
                        is_whole_read = true;
                        break;
                    }
                    Err(error) => {
                        // Where the next PDU begins is not known (section 4.3.1), so there is no going on.
                        return End::Lost(error.to_string());
                    }
                }
            }
            // Now the answers are written.
            yield_now().await;
            let (has_room, is_held) = (session.has_room(), self.hold.is_on());
            received.reserve(CHUNK);
            tokio::select! {
                read = half.read_buf(&mut received), if is_whole_read => match read {
                    Ok(1..) => self.heard(),
                    Ok(0) => return self.closed(),
                    Err(error) => return lost(&error),
                },
                () = std::future::ready(()), if !is_whole_read && has_room && !is_held => {}
                () = session.written.notified(), if !has_room || is_held => {}
                () = self.shared.inbound.room(), if has_room && is_held && session.may_deliver() => {}
                _ = tick.tick() => if let Err(end) = self.tick(Instant::now()) {
                    return end;
                },
                // An error is that the carrier is gone.
                _ = stop.wait_for(|stop| *stop), if self.leaving.is_none() => {
                    self.leaving = Some(Leaving { since: Instant::now(), is_unbound: false });
                }
            }
        }
    }

    fn heard(&mut self) {
        self.heard = Instant::now();
        self.asked = None;
    }

    fn closed(&self) -> End {
        match &self.leaving {
            Some(_) => End::Closed,
            None => End::Lost("the connection was closed".to_owned()),
        }
    }

    fn tick(&mut self, now: Instant) -> Result<(), End> {
        self.hold.look(self.session, now);
        if self.hold.is_on() {
            // There is something to be read.
            self.heard();
        }
        self.session.expire(now).map_err(|_| End::Hanging)?;
        if let Some(leaving) = &mut self.leaving {
            let age = now.saturating_duration_since(leaving.since);
            if leaving.is_unbound {
                return if age >= LEAVE { Err(End::Closed) } else { Ok(()) };
            }
            // Of a message the first part may be answered, and the others not yet handed over.
            if self.shared.is_idle() && self.session.is_idle() || age >= LAST_ANSWERS {
                self.session.close();
                *leaving = Leaving { since: now, is_unbound: true };
                return self.session.ask(Pdu::Unbind).map_err(|_| End::Closed);
            }
            return Ok(());
        }
        match self.asked {
            // Section 2.6: who does not answer is not there.
            Some(asked) if now.saturating_duration_since(asked) >= self.shared.config.response_timeout => {
                Err(End::Lost("the message centre does not say that it is there".to_owned()))
            }
            None if now.saturating_duration_since(self.heard) >= self.shared.config.enquire_interval => {
                self.asked = Some(now);
                said(self.session.ask(Pdu::EnquireLink))
            }
            _ => Ok(()),
        }
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), End> {
        let (session, sequence) = (self.session, frame.sequence);
        match (frame.id, frame.status) {
            (CommandId::SubmitSmResp, CommandStatus::EsmeRok) => {
                session.answered(sequence, Answer::Taken(deliver::message_id(&frame.body)));
            }
            (CommandId::SubmitSmResp, status) => session.answered(sequence, Answer::Refused(status)),
            // Section 4.3.1: something was wrong with what we have sent. Whatever its status says, it is no success.
            (CommandId::GenericNack, status) => {
                let status =
                    if status == CommandStatus::EsmeRok { CommandStatus::EsmeRunknownerr } else { status };
                session.answered(sequence, Answer::Refused(status));
            }
            (CommandId::DeliverSm, _) => {
                let Ok(deliver) = deliver::deliver(&frame.body) else {
                    // It would be no better the next time.
                    let answer = pdu::deliver_answer();
                    said(session.answer(CommandStatus::EsmeRxRAppn, sequence, answer))?;
                    return self.bad();
                };
                said(self.hold.take(&self.shared.inbound, session, sequence, deliver))?;
            }
            // It is not served (section 4.7), which is no fault of the message centre.
            (CommandId::DataSm, _) => {
                let answer = DataSmResp::default();
                return said(session.answer(CommandStatus::EsmeRxRAppn, sequence, answer));
            }
            (CommandId::EnquireLink, _) => {
                return said(session.answer(CommandStatus::EsmeRok, sequence, Pdu::EnquireLinkResp));
            }
            (CommandId::Unbind, _) => {
                said(session.answer(CommandStatus::EsmeRok, sequence, Pdu::UnbindResp))?;
                session.close();
                // The connection ends when the answer is written, or the other side has closed it.
                self.leaving = Some(Leaving { since: Instant::now(), is_unbound: true });
            }
            (CommandId::UnbindResp, _) => return Err(End::Closed),
            // They have no answer (sections 4.1.7 and 4.12.1).
            (CommandId::AlertNotification | CommandId::Outbind, _) => {}
            (id, _) if id.is_response() => {}
            _ => {
                said(session.answer(CommandStatus::EsmeRinvcmdid, sequence, Pdu::GenericNack))?;
                return self.bad();
            }
        }
        Ok(())
    }

    fn bad(&mut self) -> Result<(), End> {
        if self.bad.add(Instant::now()) {
            Ok(())
        } else {
            Err(End::Lost("the message centre sends what is no SMPP".to_owned()))
        }
    }
}

fn said(said: Result<(), Clogged>) -> Result<(), End> {
    said.map_err(|_| End::Lost("the message centre does not read our answers".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn odd_pdus_are_too_many_only_within_a_minute() {
        let begun = Instant::now();
        let mut bad = Bad { count: 0, since: begun };
        for minute in 0..10 {
            for _ in 0..MAX_BAD {
                assert!(bad.add(begun + MINUTE * minute));
            }
        }
        assert!(!bad.add(begun + MINUTE * 9));
    }
}
