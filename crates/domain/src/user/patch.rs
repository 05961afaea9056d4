//! What can be changed of a user, and what its fields take.

use secrecy::SecretString;
use serde_json::Value;

use super::{Role, User, UserDocument, UserStatus, limits};
use crate::{OrgUnitId, Patch, Problem, UserGroupId, text};

/// What a request wants of a user. A new user is a patch of an empty one.
#[derive(Clone, Debug, Default)]
pub struct UserPatch {
    /// Normalised and not empty.
    pub login: Option<String>,
    /// Whether a new login is to be unique over all tenants, even without a password.
    pub claims_login: bool,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub role: Option<Role>,
    pub org_unit_id: Option<OrgUnitId>,
    /// Not [`UserStatus::Deleted`], which has a use case of its own.
    pub status: Option<UserStatus>,
    /// It has passed [`super::password::check`].
    pub password: Option<SecretString>,
    pub external_id: Patch<String>,
    /// Cleared means: as the org unit's.
    pub timezone: Patch<String>,
    /// It has passed [`aliases`].
    pub aliases: Patch<Value>,
    /// It has passed [`ring_to`].
    pub agent_ring_to: Patch<String>,
    pub agent_code: Patch<i64>,
    pub score_call: Option<bool>,
    pub access_audio: Option<bool>,
    /// It has passed [`avatar`].
    pub avatar: Patch<String>,
    /// The columns that it names are those that this patch makes.
    pub document: Option<UserDocument>,
    /// The primary group; see [`crate::user_group::Memberships::wish`].
    pub user_group: Patch<UserGroupId>,
}

impl UserPatch {
    /// Writes the wishes into `user`, but for the password, which has to be hashed, and for the group, which is
    /// another row. `inherited` is the time zone that a cleared one falls back to.
    pub(super) fn apply(self, user: &mut User, inherited: &str) {
        fn set<T>(wish: Option<T>, field: &mut T) {
            if let Some(value) = wish {
                *field = value;
            }
        }
        set(self.login, &mut user.login);
        set(self.first_name, &mut user.first_name);
        set(self.last_name, &mut user.last_name);
        set(self.role, &mut user.role);
        set(self.org_unit_id, &mut user.org_unit_id);
        set(self.status, &mut user.status);
        self.external_id.apply(&mut user.external_id);
        match self.timezone {
            Patch::Keep => {}
            Patch::Clear => inherited.clone_into(&mut user.timezone),
            Patch::Set(timezone) => user.timezone = timezone,
        }
        self.aliases.apply(&mut user.aliases);
        self.agent_ring_to.apply(&mut user.agent_ring_to);
        self.agent_code.apply(&mut user.agent_code);
        set(self.score_call, &mut user.score_call);
        set(self.access_audio, &mut user.access_audio);
        self.avatar.apply(&mut user.avatar);
        if let Some(document) = self.document {
            user.document = Some(Box::new(UserDocument { columns: user.columns(), ..document }));
        }
    }
}

/// Checks the size of aliases: any JSON of at most [`limits::ALIASES`] bytes.
pub fn aliases(value: &Value) -> Result<Value, Problem> {
    if depth(value) > limits::ALIASES_DEPTH {
        return Err(Problem::Format("must not be nested deeper than 64 levels"));
    }
    if value.to_string().len() > limits::ALIASES {
        return Err(Problem::Format("must not be longer than 4096 bytes of JSON"));
    }
    Ok(value.clone())
}

/// A value that holds no other has depth 1.
pub(crate) fn depth(value: &Value) -> usize {
    let below = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => None,
    };
    1 + below.unwrap_or(0)
}

/// Checks the address of a picture: a URL with the scheme `https` and a host, without credentials, kept as it was sent
/// but for white space around it.
pub fn avatar(raw: &str) -> Result<String, Problem> {
    const REFUSED: Problem = Problem::Format("must be an HTTPS URL");
    let url = text::trimmed(raw, limits::AVATAR)?;
    let (scheme, rest) = url.split_once("://").ok_or(REFUSED)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_plain = !url.chars().any(|c| c.is_whitespace() || c.is_control() || "\"<>\\^`{|}".contains(c));
    let is_host = !authority.is_empty() && !authority.starts_with(':') && !authority.contains('@');
    let fits = scheme.eq_ignore_ascii_case("https") && is_plain && is_host;
    if fits { Ok(url) } else { Err(REFUSED) }
}

/// Checks a number to ring: `+` and 2 to 15 digits, the first of them not 0. Whether such a number exists
/// is not looked at (the vendor's own sample sends one that does not).
pub fn ring_to(raw: &str) -> Result<String, Problem> {
    let digits = raw.strip_prefix('+').unwrap_or_default();
    let fits = (2..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    if fits { Ok(raw.to_owned()) } else { Err(Problem::Format("must be + and 2 to 15 digits")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn aliases_are_bounded_in_length_and_depth() {
        let nested = |levels: usize| (1..levels).fold(json!([]), |inner, _| json!([inner]));
        assert!(aliases(&nested(64)).is_ok());
        assert!(aliases(&nested(65)).is_err());
        assert!(aliases(&json!("x".repeat(4094))).is_ok());
        assert!(aliases(&json!("x".repeat(4095))).is_err());
    }

    #[test]
    fn avatars_are_https_urls() {
        for right in
            ["https://img.example.org/1.png", "HTTPS://a", " https://[::1]:8443/x?y#z ", "https://ä.de"]
        {
            assert_eq!(avatar(right).as_deref(), Ok(right.trim()));
        }
        for wrong in [
            "",
            "https://",
            "https:///x",
            "http://a/b",
            "https://:80/",
            "https://a b",
            "//a",
            "https:a",
            "x",
            "https://u@a/",
        ] {
            assert_eq!(avatar(wrong), Err(Problem::Format("must be an HTTPS URL")), "{wrong}");
        }
        assert!(avatar(&format!("https://{}", "a".repeat(2040))).is_ok());
        assert_eq!(avatar(&format!("https://{}", "a".repeat(2041))), Err(Problem::TooLong { max: 2048 }));
    }

    #[test]
    fn numbers_to_ring_are_known_by_their_form() {
        for right in ["+12", "+1234567890", "+123456789012345"] {
            assert_eq!(ring_to(right).as_deref(), Ok(right));
        }
        for wrong in ["", "+", "+1", "+0123", "12345", "+1234567890123456", "+1 303", "+1303a", "++12"] {
            assert!(ring_to(wrong).is_err(), "{wrong}");
        }
    }
}
