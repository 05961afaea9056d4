//! Who asks, for which tenant, with which rights.

use std::fmt;

use crate::credential::Profile;
use crate::{CredentialId, Error, OrgUnitId, TenantId, Timestamp, UserId};

/// The wire dialect through which a request came, or the command line, which also stands for the server itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Cli,
    Convirza,
    Lox24,
    Onlive,
    Scim,
}

impl Dialect {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::Convirza => "convirza",
            Self::Lox24 => "lox24",
            Self::Onlive => "onlive",
            Self::Scim => "scim",
        }
    }
}

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    User(UserId),
    Credential(CredentialId),
    /// The person at the server's command line.
    Operator,
    /// The server itself, when something's time has come.
    Server,
}

/// `user:71`, `credential:3`, `operator` or `server`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Credential(id) => write!(f, "credential:{id}"),
            Self::Operator => f.write_str("operator"),
            Self::Server => f.write_str("server"),
        }
    }
}

/// What a caller may do with the things of an [`Area`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    None,
    Read,
    Write,
}

/// The things of a tenant, as roles tell them apart (Convirza contract, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// Org units, users and what belongs to them.
    Directory,
    /// What those who are in the directory work with, such as tags.
    Resources,
}

/// The caller of a use case. Only the authentication of a dialect, or the command line, builds one;
/// every use case on tenant data takes one.
#[derive(Clone, Debug)]
pub struct Ctx {
    tenant: TenantId,
    actor: Actor,
    access: Access,
    /// In [`Area::Resources`].
    resources: Access,
    scope: OrgUnitId,
    top: OrgUnitId,
    dialect: Dialect,
    profile: Profile,
    now: Timestamp,
}

impl Ctx {
    /// The operator at the command line: may do everything in the tenant.
    pub fn operator(tenant: TenantId, top: OrgUnitId, now: Timestamp) -> Self {
        let dialect = Dialect::Cli;
        let profile = Profile::Rfc;
        Self {
            tenant,
            actor: Actor::Operator,
            access: Access::Write,
            resources: Access::Write,
            scope: top,
            top,
            dialect,
            profile,
            now,
        }
    }

    pub(crate) fn user(caller: &crate::session::Caller, dialect: Dialect, now: Timestamp) -> Self {
        Self {
            tenant: caller.tenant,
            actor: Actor::User(caller.user),
            access: caller.role.access(Area::Directory),
            resources: caller.role.access(Area::Resources),
            scope: caller.org_unit,
            top: caller.top,
            dialect,
            profile: Profile::Rfc,
            now,
        }
    }

    /// A program: all of the tenant is its scope.
    pub(crate) fn credential(
        caller: &crate::credential::CredentialCaller,
        dialect: Dialect,
        now: Timestamp,
    ) -> Self {
        let access = if caller.read_only { Access::Read } else { Access::Write };
        Self {
            tenant: caller.tenant,
            actor: Actor::Credential(caller.credential),
            access,
            resources: access,
            scope: caller.top,
            top: caller.top,
            dialect,
            profile: caller.profile,
            now,
        }
    }

    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// The unit whose subtree, itself included, is all that the caller sees.
    pub fn scope(&self) -> OrgUnitId {
        self.scope
    }

    /// The top of the tenant's tree.
    pub fn top(&self) -> OrgUnitId {
        self.top
    }

    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whose habits the caller has.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The time of the request.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The address that a request came from, as far as what it makes keeps it: that of a program, which LOX24 shows. Where
    /// a person was is nobody's business, and would have to be forgotten with them.
    pub(crate) fn kept_address(&self, address: Option<String>) -> Option<String> {
        address.filter(|_| !matches!(self.actor, Actor::User(_)))
    }

    /// Refuses callers whose role does not reach `needed` on groups and users
    /// (Convirza contract, section 3).
    pub fn allow(&self, needed: Access) -> Result<(), Error> {
        self.allow_in(Area::Directory, needed)
    }

    /// Refuses callers whose role does not reach `needed` in an area.
    pub fn allow_in(&self, area: Area, needed: Access) -> Result<(), Error> {
        let access = match area {
            Area::Directory => self.access,
            Area::Resources => self.resources,
        };
        if access >= needed {
            Ok(())
        } else {
            Err(Error::Forbidden("Your role does not permit this operation"))
        }
    }
}
