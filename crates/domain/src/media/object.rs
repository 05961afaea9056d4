//! Objects: bytes that are kept beside the store, under keys of their own.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use uuid::Uuid;

use crate::{Batch, Change, Directory, Error, Store, StoreError, TenantId};

/// Where an object is. It names the tenant, so that no two have anything in common, and is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectKey {
    pub tenant: TenantId,
    /// Random.
    pub name: Uuid,
}

/// `7/01890a5d…`, the tenant and 32 hexadecimal digits.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.name.simple())
    }
}

/// Reads what `Display` writes; anything else has no key.
impl FromStr for ObjectKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (tenant, name) = text.split_once('/').ok_or(())?;
        let (tenant, name) = (tenant.parse().map_err(|_| ())?, Uuid::try_parse(name).map_err(|_| ())?);
        let key = Self { tenant: TenantId(tenant), name };
        if key.to_string() == text { Ok(key) } else { Err(()) }
    }
}

/// Where objects are kept, as far as use cases have to do with it.
pub trait Objects: Sync {
    /// Removes an object, and what is left of an upload of it that was broken off. None is fine too.
    fn remove(&self, key: &ObjectKey) -> impl Future<Output = Result<(), Error>> + Send;
}

/// How long after its begin an upload is taken for broken off. A request lasts minutes at most.
pub(super) const UPLOAD: Duration = Duration::from_hours(24);

/// How long an object that could not be removed is left alone: others do not wait for it.
const AGAIN: Duration = Duration::from_hours(1);

/// Objects that are read at once.
const STEP: u32 = 100;

impl<S: Store> Directory<S> {
    /// Removes an object that nothing refers to, and its mark. What fails is left to [`Directory::objects_reap`].
    pub async fn object_remove(&self, objects: &impl Objects, key: ObjectKey) -> Result<(), Error> {
        objects.remove(&key).await?;
        // The mark goes last, so that the object is never forgotten.
        match self.store.commit(Batch::new(key.tenant).change(Change::ObjectForget(key))).await {
            Ok(()) | Err(StoreError::Stale) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the objects that nothing refers to: of prompts and tenants that were deleted, and of uploads that were broken
    /// off. How many there were. One that cannot be removed is left for an hour, and the others are removed; the first of
    /// such errors is told at the end.
    pub async fn objects_reap(&self, objects: &impl Objects) -> Result<u64, Error> {
        let (mut removed, mut failed) = (0, None);
        loop {
            let keys = self.store.objects_to_remove(self.now(), STEP).await?;
            for key in &keys {
                match self.object_remove(objects, *key).await {
                    Ok(()) => removed += 1,
                    Err(error) => {
                        let later = Change::ObjectDiscard { key: *key, due_at: self.now().plus(AGAIN) };
                        self.store.commit(Batch::new(key.tenant).change(later)).await?;
                        failed.get_or_insert(error);
                    }
                }
            }
            if keys.len() < STEP as usize {
                return failed.map_or(Ok(removed), Err);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_as_it_is_written() {
        let key = ObjectKey { tenant: TenantId(7), name: Uuid::from_u128(10) };
        assert_eq!(key.to_string(), "7/0000000000000000000000000000000a");
        assert_eq!(key.to_string().parse(), Ok(key));
        for wrong in ["", "7", "7/", "/0", "07/0000000000000000000000000000000a", "7/../8", "7/a/b"] {
            assert_eq!(wrong.parse::<ObjectKey>(), Err(()), "{wrong}");
        }
    }
}
