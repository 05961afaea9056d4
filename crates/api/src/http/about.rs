//! What a call asks for and gives, beside its handler in the table of routes: the rights are enforced from here,
//! and the rest is published.

use http::StatusCode;
use muster_domain::{Access, Area};

use super::schemas::{Content, Schemas};
use super::{Fields, Ids, Mode, Query};

/// Reads a body or a query, for what it says about it.
pub(super) type ReadBody = fn(&mut Fields<'_>);
pub(super) type ReadQuery = fn(&mut Query<'_>);

/// Describes one call.
#[derive(Clone, Copy)]
pub(crate) struct About {
    pub(super) summary: &'static str,
    /// What the role of the caller must be able to do; `None` is open to everybody.
    pub(super) access: Option<Access>,
    /// Where it must be able to do so.
    pub(super) area: Area,
    /// Too many calls get 429.
    pub(super) limited: bool,
    /// The entity has a version, which conditions are about.
    pub(super) versioned: bool,
    /// `Accept` is looked at, if the dialect does so at all.
    pub(super) negotiates: bool,
    pub(super) query: Option<ReadQuery>,
    pub(super) body: Option<(Mode, ReadBody)>,
    /// The schemas of a body that is not read field by field.
    pub(super) takes: Option<fn(&mut Schemas) -> Content>,
    /// The body is a form with a file under this name.
    pub(super) form: Option<(&'static str, ReadBody)>,
    /// What a part of the answer is answered with, if parts can be asked for.
    pub(super) part: Option<StatusCode>,
    /// The body is an array of so many at most.
    pub(super) array: Option<usize>,
    /// What stands in the path where it varies, if it is something else than in most paths of the dialect.
    pub(super) ids: Option<Ids>,
    /// What an unknown id in the path gets.
    pub(super) unknown_id: StatusCode,
    /// What else it answers, in the form of failures.
    pub(super) refusals: &'static [StatusCode],
    pub(super) status: StatusCode,
    /// The schemas of a good answer.
    pub(super) answer: Option<fn(&mut Schemas) -> Content>,
}

impl About {
    const fn new(summary: &'static str, access: Option<Access>) -> Self {
        Self {
            summary,
            access,
            area: Area::Directory,
            limited: false,
            versioned: false,
            negotiates: true,
            query: None,
            body: None,
            takes: None,
            form: None,
            part: None,
            array: None,
            ids: None,
            unknown_id: StatusCode::NOT_FOUND,
            refusals: &[],
            status: StatusCode::OK,
            answer: None,
        }
    }

    /// A call that needs no credentials.
    pub(crate) const fn open(summary: &'static str) -> Self {
        Self::new(summary, None)
    }

    /// A call of everybody who is logged in.
    pub(crate) const fn any_role(summary: &'static str) -> Self {
        Self::new(summary, Some(Access::None))
    }

    /// A call of those who may read groups and users, or what [`About::of`] names.
    pub(crate) const fn read(summary: &'static str) -> Self {
        Self::new(summary, Some(Access::Read))
    }

    /// A call of those who may write groups and users, or what [`About::of`] names.
    pub(crate) const fn write(summary: &'static str) -> Self {
        Self::new(summary, Some(Access::Write))
    }

    /// A call on the things of an area.
    pub(crate) const fn of(self, area: Area) -> Self {
        Self { area, ..self }
    }

    pub(crate) const fn limited(self) -> Self {
        Self { limited: true, ..self }
    }

    pub(crate) const fn versioned(self) -> Self {
        Self { versioned: true, ..self }
    }

    /// A call with one format, whatever the client takes.
    pub(crate) const fn one_format(self) -> Self {
        Self { negotiates: false, ..self }
    }

    pub(crate) const fn query(self, read: ReadQuery) -> Self {
        Self { query: Some(read), ..self }
    }

    pub(crate) const fn body(self, mode: Mode, read: ReadBody) -> Self {
        Self { body: Some((mode, read)), ..self }
    }

    /// The body is read as a whole, and is of one of these content types.
    pub(crate) const fn takes(self, body: fn(&mut Schemas) -> Content) -> Self {
        Self { takes: Some(body), ..self }
    }

    /// The body is a form with a file under this name, and texts that `read` reads. It may take ten times as long as other
    /// requests.
    pub(crate) const fn form(self, file: &'static str, read: ReadBody) -> Self {
        Self { form: Some((file, read)), ..self }
    }

    /// The answer is a content that never changes, of which parts can be asked for.
    pub(crate) const fn ranges(self) -> Self {
        Self { part: Some(StatusCode::PARTIAL_CONTENT), versioned: true, ..self }
    }

    /// The body is an array of at most `max` entities, each of which is read by itself and may fail by itself.
    pub(crate) const fn array(self, max: usize, read: ReadBody) -> Self {
        Self { array: Some(max), ..self.body(Mode::Create, read) }
    }

    pub(super) const fn has_body(&self) -> bool {
        self.body.is_some() || self.takes.is_some() || self.form.is_some()
    }

    pub(crate) const fn ids(self, ids: Ids) -> Self {
        Self { ids: Some(ids), ..self }
    }

    pub(crate) const fn unknown_id(self, status: StatusCode) -> Self {
        Self { unknown_id: status, ..self }
    }

    pub(crate) const fn refuses(self, refusals: &'static [StatusCode]) -> Self {
        Self { refusals, ..self }
    }

    pub(crate) const fn answers(self, answer: fn(&mut Schemas) -> Content) -> Self {
        Self { answer: Some(answer), ..self }
    }

    pub(crate) const fn deletes(self) -> Self {
        Self { status: StatusCode::NO_CONTENT, ..self }
    }

    pub(crate) const fn creates(self, answer: fn(&mut Schemas) -> Content) -> Self {
        Self { status: StatusCode::CREATED, ..self.answers(answer) }
    }
}
