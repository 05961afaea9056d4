//! Errors of the core, in the words of the command line.

use muster_domain::{Entity, Error, Problem, Rule, Unique};

/// What the operator reads. Fields are named as flags.
pub(super) fn explain(error: Error) -> anyhow::Error {
    anyhow::anyhow!(match error {
        Error::Invalid(fields) => fields
            .iter()
            .map(|error| format!("--{} {}", flag(&error.field), problem(&error.problem)))
            .collect::<Vec<_>>()
            .join("\n"),
        Error::Duplicate(Unique::Login) =>
            "another user, here or in another tenant, logs in with this address".to_owned(),
        Error::Duplicate(Unique::OrgUnitName) => "a group with this name exists".to_owned(),
        Error::NotFound(Entity::User) => "there is no such user".to_owned(),
        Error::NotFound(Entity::Tenant) => "there is no such tenant".to_owned(),
        Error::NotFound(Entity::Credential) => "there is no such credential".to_owned(),
        Error::NotFound(Entity::OrgUnit) => "there is no such org unit".to_owned(),
        Error::NotFound(Entity::UserGroup) => "there is no such user group".to_owned(),
        Error::NotFound(Entity::ContactGroup) => "there is no such contact group".to_owned(),
        Error::NotFound(Entity::Webhook) => "there is no such webhook".to_owned(),
        Error::NotFound(Entity::Delivery) => "there is no such delivery".to_owned(),
        Error::Rule(Rule::DeliveryNotFailed) => "this delivery was not given up".to_owned(),
        Error::Rule(Rule::EventForgotten) =>
            "the journal does not tell of the event any more: see --journal-retention".to_owned(),
        Error::Rule(Rule::LastAdmin) =>
            "this is the last active admin of the tenant's top, or the last one who can log in".to_owned(),
        other => other.to_string(),
    })
}

fn flag(field: &str) -> String {
    match field {
        // The one way in which it is given.
        "password" => "password-stdin".to_owned(),
        field => field.replace('_', "-"),
    }
}

/// What is wrong with a value, as a sentence without its subject.
pub(super) fn problem(problem: &Problem) -> String {
    match problem {
        Problem::Required | Problem::Blank => "must not be empty".to_owned(),
        Problem::TooLong { max } => format!("must not be longer than {max} characters"),
        Problem::TooShort { min } => format!("must not be shorter than {min} characters"),
        Problem::Format(rule) => (*rule).to_owned(),
        other => format!("is not right: {other:?}"),
    }
}
