//! Failing fields, with Symfony's messages and the codes of its constraints.

use std::borrow::Cow;
use std::fmt;

use muster_domain::{FieldError, Kind, Problem};
use serde::Serialize;
use utoipa::ToSchema;

/// A failing field of a body, or parameter of a query.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Violation {
    property_path: Cow<'static, str>,
    message: Cow<'static, str>,
    /// Names the kind of the problem.
    #[schema(format = Uuid)]
    code: &'static str,
}

/// A line of a failure's detail.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An entry of a list that fails as a whole has no path of its own.
        if !self.property_path.is_empty() {
            write!(f, "{}: ", self.property_path)?;
        }
        f.write_str(&self.message)
    }
}

const NOT_BLANK: &str = "c1051bb4-d103-4f74-8988-acbcafc7fdc3";
const TOO_LONG: &str = "d94b19cc-114f-4f44-9cc4-4138e80a87b9";
const TOO_SHORT: &str = "9ff3fdc4-b214-49db-8718-39c315e33d45";
const TYPE: &str = "ba785a8c-82cb-4283-967c-3cf342181b40";
const CHOICE: &str = "8e179f1b-97aa-4560-a02f-2a8b42e49df7";
const TOO_MANY: &str = "756b1212-697c-468d-a9ad-50dd783bb169";
const NOT_IN_RANGE: &str = "04b91c99-a946-4221-afc5-e65ebac401eb";
const INVALID: &str = "de1e3db3-5ed4-4941-aae4-59f3667cc3a3";
const NOT_UNIQUE: &str = "23bd9dbf-6b9b-41cd-a99e-4844bcf3077f";

/// A field whose value is there already.
pub(super) fn taken(field: impl Into<Cow<'static, str>>, message: &'static str) -> Violation {
    Violation { property_path: field.into(), message: message.into(), code: NOT_UNIQUE }
}

/// What the dialect says about a failing field.
pub(super) fn violation(error: FieldError) -> Violation {
    let (message, code) = match &error.problem {
        // As it was recorded.
        Problem::NotOneOf(_) if error.field == "service_code" => {
            ("Service's code is invalid or unavailable.".into(), NOT_BLANK)
        }
        problem => of_problem(problem),
    };
    Violation { property_path: error.field, message, code }
}

fn of_problem(problem: &Problem) -> (Cow<'static, str>, &'static str) {
    let characters = |number: usize| if number == 1 { "character" } else { "characters" };
    match problem {
        Problem::Required | Problem::Blank => ("This value should not be blank.".into(), NOT_BLANK),
        Problem::TooLong { max } => {
            let most = characters(*max);
            (format!("This value is too long. It should have {max} {most} or less.").into(), TOO_LONG)
        }
        Problem::TooShort { min } => {
            let least = characters(*min);
            (format!("This value is too short. It should have {min} {least} or more.").into(), TOO_SHORT)
        }
        Problem::TooManyEntries { max } => {
            (format!("This collection should contain {max} elements or less.").into(), TOO_MANY)
        }
        Problem::WrongType(kind) => {
            let name = match kind {
                Kind::Text => "string",
                Kind::Integer => "int",
                Kind::Boolean => "bool",
                Kind::Object => "object",
                Kind::Array => "array",
            };
            (format!("This value should be of type {name}.").into(), TYPE)
        }
        Problem::OutOfRange { min, max: i64::MAX } => {
            (format!("This value should be {min} or more.").into(), NOT_IN_RANGE)
        }
        Problem::OutOfRange { min, max } => {
            (format!("This value should be between {min} and {max}.").into(), NOT_IN_RANGE)
        }
        Problem::NotOneOf(_) => ("The value you selected is not a valid choice.".into(), CHOICE),
        Problem::Format(rule) => (format!("This value {rule}.").into(), INVALID),
        Problem::Unknown(_) | Problem::Inactive(_) | Problem::Conflict(_) | Problem::Mismatch => {
            ("This value is not valid.".into(), INVALID)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_told_in_symfonys_words() {
        let text = |problem| {
            let field = "phones[3].phone".into();
            violation(FieldError { field, problem }).to_string()
        };
        let problems = [
            Problem::Required,
            Problem::Blank,
            Problem::TooLong { max: 50 },
            Problem::TooLong { max: 1 },
            Problem::TooShort { min: 1 },
            Problem::TooShort { min: 4 },
            Problem::WrongType(Kind::Text),
            Problem::WrongType(Kind::Integer),
            Problem::WrongType(Kind::Boolean),
            Problem::WrongType(Kind::Object),
            Problem::WrongType(Kind::Array),
            Problem::OutOfRange { min: 1, max: i64::MAX },
            Problem::OutOfRange { min: 1, max: 5 },
            Problem::NotOneOf(&["a"]),
            Problem::Unknown("group"),
            Problem::Format("must be in the future"),
        ];
        let texts: Vec<String> = problems.into_iter().map(text).collect();
        insta::assert_snapshot!(texts.join("\n"));
    }
}
