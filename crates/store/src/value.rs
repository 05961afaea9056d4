//! What is bound to the parameters of a statement, in the portable types that both stores have.

use std::borrow::Cow;
use std::error::Error;

use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::{IsNull, ToSql, Type};
use uuid::Uuid;

/// A value, or the absence of one, of a type that is known either way.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Integer(Option<i64>),
    Text(Option<Cow<'a, str>>),
    Bytes(Option<Cow<'a, [u8]>>),
    /// Stored as 16 bytes.
    Uuid(Option<Uuid>),
}

impl Value<'_> {
    /// What PostgreSQL calls its type.
    pub(crate) fn kind(&self) -> Type {
        match self {
            Self::Integer(_) => Type::INT8,
            Self::Text(_) => Type::TEXT,
            Self::Bytes(_) | Self::Uuid(_) => Type::BYTEA,
        }
    }

    /// The same, for as long as it is wanted.
    pub(crate) fn to_owned(&self) -> Value<'static> {
        match self {
            Self::Integer(value) => Value::Integer(*value),
            Self::Text(value) => Value::Text(value.as_deref().map(|text| text.to_owned().into())),
            Self::Bytes(value) => Value::Bytes(value.as_deref().map(|bytes| bytes.to_vec().into())),
            Self::Uuid(value) => Value::Uuid(*value),
        }
    }
}

/// An array of values from what each is made of.
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::value::Value::from($value)),*] };
}
pub(crate) use values;

macro_rules! from {
    ($($type:ty => |$value:ident| $made:expr;)*) => {
        $(impl<'a> From<$type> for Value<'a> {
            fn from($value: $type) -> Self { $made }
        })*
    };
}

from! {
    i64 => |value| Self::Integer(Some(value));
    Option<i64> => |value| Self::Integer(value);
    u32 => |value| Self::Integer(Some(value.into()));
    bool => |value| Self::Integer(Some(value.into()));
    &'a str => |value| Self::Text(Some(value.into()));
    Option<&'a str> => |value| Self::Text(value.map(Into::into));
    &'a String => |value| Self::Text(Some(value.into()));
    &'a Option<String> => |value| Self::Text(value.as_deref().map(Into::into));
    String => |value| Self::Text(Some(value.into()));
    Option<String> => |value| Self::Text(value.map(Into::into));
    &'a [u8; 32] => |value| Self::Bytes(Some(value[..].into()));
    &'a Option<[u8; 32]> => |value| Self::Bytes(value.as_ref().map(|bytes| bytes[..].into()));
    &'a Vec<u8> => |value| Self::Bytes(Some(value.as_slice().into()));
    &'a Option<Vec<u8>> => |value| Self::Bytes(value.as_deref().map(Into::into));
    Uuid => |value| Self::Uuid(Some(value));
    Option<Uuid> => |value| Self::Uuid(value);
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(Some(value)) => ValueRef::Integer(*value),
            Self::Text(Some(value)) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(Some(value)) => ValueRef::Blob(value),
            Self::Uuid(Some(value)) => ValueRef::Blob(value.as_bytes()),
            Self::Integer(None) | Self::Text(None) | Self::Bytes(None) | Self::Uuid(None) => ValueRef::Null,
        }))
    }
}

/// PostgreSQL knows no text with a NUL. Nothing that is stored has one, so a look-up by such finds nothing, nor by what
/// stands here for it: a code point that is no character.
fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{ffff}").into() } else { text.into() }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let own = self.kind();
        if own != *wanted {
            return Err(format!("the statement wants {wanted}, not {own}").into());
        }
        match self {
            Self::Integer(value) => value.to_sql(wanted, out),
            Self::Text(value) => value.as_deref().map(without_nul).to_sql(wanted, out),
            Self::Bytes(value) => value.as_deref().to_sql(wanted, out),
            Self::Uuid(value) => value.as_ref().map(|id| &id.as_bytes()[..]).to_sql(wanted, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}
