//! What a filter says of a kind of resource: names are found in the schema, values have the types of the attributes.

use muster_domain::Timestamp;
use muster_domain::predicate::{Match, Order};
use muster_domain::text;
use serde_json::Value;

use super::evaluate::fits;
use super::{Filter, Operator};
use crate::scim::path::AttrPath;
use crate::scim::schema::{Attribute, GROUPS, Kind, RESOURCE_TYPES, ResourceType, Returned, Target};
use crate::scim::{ScimError, ScimType};

/// A filter that makes sense.
#[derive(Clone, Debug)]
pub enum Condition {
    /// An empty `All` always holds.
    All(Vec<Condition>),
    /// An empty `Any` never holds.
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Present(Target),
    /// One of the values compares so.
    Test(Target, Comparison),
    /// One of the elements is as the condition says, whose targets are the sub-attributes.
    Within(Target, Box<Condition>),
}

/// A comparison with a value.
#[derive(Clone, Debug)]
pub enum Comparison {
    /// With a text, which is a key ([`text::key`]) unless the attribute is caseExact.
    Text(Match, String),
    Boolean(bool),
    Time(Order, Timestamp),
}

impl Condition {
    /// What a filter says of resources of this kind.
    ///
    /// An attribute that only other kinds have is one without a value (RFC 7644, section 3.4.2.2). One that none has
    /// is an error: a filter that is not understood must not select.
    ///
    /// Errors: `invalidFilter`.
    pub fn of(filter: &Filter, kind: &ResourceType) -> Result<Self, ScimError> {
        Scope::Resource(kind).condition(filter)
    }

    /// What a filter says of the elements of a complex attribute. Errors: `invalidFilter`.
    pub fn of_elements(filter: &Filter, attribute: &'static Attribute) -> Result<Self, ScimError> {
        Scope::Element(attribute).condition(filter)
    }

    /// Whether the condition looks at this attribute of a resource.
    pub fn names(&self, name: &str) -> bool {
        match self {
            Self::All(conditions) | Self::Any(conditions) => {
                conditions.iter().any(|condition| condition.names(name))
            }
            Self::Not(condition) => condition.names(name),
            Self::Present(target) | Self::Test(target, _) | Self::Within(target, _) => {
                target.extension.is_none() && target.attribute.name == name
            }
        }
    }

    /// How many comparisons it takes to evaluate the condition.
    pub(in crate::scim) fn comparisons(&self) -> usize {
        match self {
            Self::All(conditions) | Self::Any(conditions) => conditions.iter().map(Self::comparisons).sum(),
            Self::Not(condition) | Self::Within(_, condition) => condition.comparisons(),
            Self::Present(_) | Self::Test(..) => 1,
        }
    }

    const ALWAYS: Self = Self::All(Vec::new());
    const NEVER: Self = Self::Any(Vec::new());

    fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// Where names are looked up.
#[derive(Clone, Copy)]
enum Scope<'a> {
    Resource(&'a ResourceType),
    Element(&'static Attribute),
}

impl Scope<'_> {
    fn condition(self, filter: &Filter) -> Result<Condition, ScimError> {
        match filter {
            Filter::Or(any) => self.each(any).map(Condition::Any),
            Filter::And(all) => self.each(all).map(Condition::All),
            Filter::Not(inner) => self.condition(inner).map(Condition::negated),
            Filter::Present(path) => Ok(self.of_target(path, Condition::Present(self.target(path)?))),
            Filter::Compare(path, operator, value) => self.comparison(path, *operator, value),
            Filter::Within(path, inner) => {
                let target = self.target(path)?;
                let Target { attribute: Attribute { kind: Kind::Complex, .. }, sub: None, .. } = target
                else {
                    return refuse(format!("{path} has no sub-attributes"));
                };
                let inner = Scope::Element(target.attribute).condition(inner)?;
                Ok(self.of_target(path, Condition::Within(target, Box::new(inner))))
            }
        }
    }

    fn each(self, filters: &[Filter]) -> Result<Vec<Condition>, ScimError> {
        filters.iter().map(|filter| self.condition(filter)).collect()
    }

    /// `ne` is the opposite of `eq`, also where there are several values or none.
    fn comparison(self, path: &AttrPath, operator: Operator, value: &Value) -> Result<Condition, ScimError> {
        let mut target = self.target(path)?;
        if value.is_null() {
            let present = self.of_target(path, Condition::Present(target));
            return match operator {
                Operator::Eq => Ok(present.negated()),
                Operator::Ne => Ok(present),
                _ => refuse(format!("{path} cannot be compared with null by {}", operator.as_str())),
            };
        }
        // RFC 7644, section 3.4.2.2: a complex attribute compares by its `value`.
        if target.leaf().kind == Kind::Complex {
            target.sub = target.attribute.sub("value");
        }
        let how = match operator {
            Operator::Eq | Operator::Ne => Match::Is(Order::Equal),
            Operator::Co => Match::Contains,
            Operator::Sw => Match::StartsWith,
            Operator::Ew => Match::EndsWith,
            Operator::Gt => Match::Is(Order::Greater),
            Operator::Ge => Match::Is(Order::GreaterOrEqual),
            Operator::Lt => Match::Is(Order::Less),
            Operator::Le => Match::Is(Order::LessOrEqual),
        };
        let value = &self.as_kept(&target, how, value);
        let Some(comparison) = comparison(target.leaf(), how, value) else {
            return refuse(format!("{path} cannot be compared with {value} by {}", operator.as_str()));
        };
        let condition = match self {
            // Known of the kind already, so a search of all kinds need not look at the resources of the others.
            Self::Resource(kind) if target.name() == "meta.resourceType" => {
                if fits(target.leaf(), &comparison, &kind.name.into()) {
                    Condition::ALWAYS
                } else {
                    Condition::NEVER
                }
            }
            _ => self.of_target(path, Condition::Test(target, comparison)),
        };
        Ok(if operator == Operator::Ne { condition.negated() } else { condition })
    }

    /// A text as the attribute keeps it: some are trimmed, and in NFC. Of a part of one the blanks count.
    fn as_kept(self, target: &Target, how: Match, value: &Value) -> Value {
        let is_trimmed = match self {
            Self::Resource(kind) if target.extension.is_none() && target.sub.is_none() => {
                let name = target.attribute.name;
                let is_group = kind.name == GROUPS.name;
                name == "userName" || (is_group && matches!(name, "displayName" | "externalId"))
            }
            _ => false,
        };
        match (value, how) {
            (Value::String(text), Match::Is(_)) if is_trimmed => text::normalize(text).into(),
            (Value::String(text), _) if is_trimmed => text::nfc(text).into(),
            _ => value.clone(),
        }
    }

    fn target(self, path: &AttrPath) -> Result<Target, ScimError> {
        let known = match self {
            Self::Resource(kind) => kind.resolve(path).or_else(|| elsewhere(path)),
            Self::Element(attribute) if path.schema.is_none() && path.sub.is_none() => {
                attribute.sub(&path.name).map(|attribute| Target { extension: None, attribute, sub: None })
            }
            Self::Element(_) => None,
        };
        match known {
            None => refuse(format!("there is no attribute {path}")),
            Some(target) if target.leaf().returned == Returned::Never => {
                refuse(format!("{path} cannot be searched for"))
            }
            Some(target) => Ok(target),
        }
    }

    /// A condition on an attribute that this kind of resource may not have.
    fn of_target(self, path: &AttrPath, condition: Condition) -> Condition {
        match self {
            Self::Resource(kind) if kind.resolve(path).is_none() => Condition::NEVER,
            _ => condition,
        }
    }
}

fn elsewhere(path: &AttrPath) -> Option<Target> {
    RESOURCE_TYPES.iter().find_map(|kind| kind.resolve(path))
}

fn comparison(attribute: &Attribute, how: Match, value: &Value) -> Option<Comparison> {
    match (attribute.kind, how) {
        (Kind::String | Kind::Reference, _) | (Kind::Binary, Match::Is(Order::Equal)) => {
            // As in every text that is sent; no text column of PostgreSQL is compared with U+0000.
            let value = text::limited(value.as_str()?, usize::MAX).ok()?;
            let value = if attribute.case_exact { value } else { text::key(&value) };
            Some(Comparison::Text(how, value))
        }
        (Kind::Boolean, Match::Is(Order::Equal)) => {
            crate::scim::value::boolean(value).map(Comparison::Boolean)
        }
        (Kind::DateTime, Match::Is(order)) => {
            Some(Comparison::Time(order, text::instant(value.as_str()?).ok()?))
        }
        _ => None,
    }
}

fn refuse<T>(detail: String) -> Result<T, ScimError> {
    Err(ScimError::new(ScimType::InvalidFilter, detail))
}
