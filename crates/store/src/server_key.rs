//! The server key: 32 bytes in a file that only its owner reads, or given by the environment.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use muster_domain::Entropy;
use muster_domain::secret::{self, ServerKey};

use crate::{OpenError, owner};

/// Where the server key comes from.
#[derive(Clone)]
pub enum KeySource {
    /// `server.key` in this folder; made, with the folder, when the store has none yet.
    Folder(PathBuf),
    /// 64 hexadecimal characters, from the environment.
    Given(String),
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(folder) => f.debug_tuple("Folder").field(folder).finish(),
            Self::Given(_) => f.write_str("Given(…)"),
        }
    }
}

impl KeySource {
    /// The key of a store that has this fingerprint; a store without one gets the key that is there, or a new one
    /// if it may be made.
    pub(crate) fn load(
        &self,
        fingerprint: Option<&[u8]>,
        make: bool,
        entropy: &dyn Entropy,
    ) -> Result<ServerKey, OpenError> {
        let (key, place) = self.present()?;
        match (key, fingerprint) {
            (Some(key), Some(known)) if key.fingerprint() != known => match self.settle(known)? {
                Some(key) => Ok(key),
                None => Err(self.not_the_one(&place, known)),
            },
            (Some(key), _) => Ok(key),
            (None, fingerprint) if fingerprint.is_some() || !make => Err(OpenError::Key(format!(
                "is missing: this store was made with one, expected in {place}; put it back, give its folder with \
                 --data-dir, or the key itself in MUSTER_SECRET_KEY"
            ))),
            (None, _) => match self {
                Self::Folder(folder) => {
                    let key = random(entropy);
                    write(folder, FILE, &key)?;
                    Ok(key)
                }
                Self::Given(_) => Err(OpenError::Key("is empty".to_owned())),
            },
        }
    }
}

impl KeySource {
    /// The key that is there, and where it is or would be.
    fn present(&self) -> Result<(Option<ServerKey>, String), OpenError> {
        Ok(match self {
            Self::Given(hex) => (Some(parse(hex, "MUSTER_SECRET_KEY")?), "MUSTER_SECRET_KEY".to_owned()),
            Self::Folder(folder) => {
                let path = folder.join(FILE);
                (read(&path)?, path.display().to_string())
            }
        })
    }

    /// Whether a key is not there and can be put. Errors: another one is there.
    pub(crate) fn lacks(&self, key: &ServerKey) -> Result<bool, OpenError> {
        match self.present()? {
            (None, _) => Ok(true),
            (Some(present), _) if present.fingerprint() == key.fingerprint() => Ok(false),
            (Some(_), place) => Err(OpenError::Key(format!(
                "in {place} is not the source's, which goes along with the store; name another folder"
            ))),
        }
    }

    /// Puts a key where none is.
    pub(crate) fn put(&self, key: &ServerKey) -> Result<(), OpenError> {
        match self {
            Self::Folder(folder) => write(folder, FILE, key),
            Self::Given(_) => Ok(()),
        }
    }

    /// Makes the key that is to take the place of the present one, without putting it there: `given`, or a new
    /// one beside it. What is given by the environment has to be changed there.
    pub(crate) fn next(&self, given: Option<&str>, entropy: &dyn Entropy) -> Result<ServerKey, OpenError> {
        let key = match (self, given) {
            (_, Some(hex)) => parse(hex, "MUSTER_NEW_SECRET_KEY")?,
            (Self::Folder(_), None) => random(entropy),
            (Self::Given(_), None) => {
                return Err(OpenError::Key(
                    "is given by MUSTER_SECRET_KEY: give the one that shall take its place in MUSTER_NEW_SECRET_KEY \
                     (64 hexadecimal characters, such as `openssl rand -hex 32` prints)"
                        .to_owned(),
                ));
            }
        };
        if let Self::Folder(folder) = self {
            write(folder, NEXT, &key)?;
        }
        Ok(key)
    }

    fn not_the_one(&self, place: &str, known: &[u8]) -> OpenError {
        let kept = kept_name(known);
        let of_before = match self {
            Self::Folder(folder) => Some(folder.join(&kept)),
            Self::Given(_) => None,
        };
        let fits = |path: &PathBuf| matches!(read(path), Ok(Some(key)) if key.fingerprint() == known);
        OpenError::Key(match of_before.filter(fits) {
            Some(path) => format!(
                "in {place} is not the one that this store was made with, but the one of before a rotation is: {}; \
                 keep the present one under another name and copy that one to its place",
                path.display()
            ),
            None => format!(
                "in {place} is not the one that this store was made with; put the right one back (if it was rotated \
                 since, it was kept as {kept})"
            ),
        })
    }

    /// Keeps a key that goes out of use beside the one that takes its place, under a name of its own.
    pub(crate) fn keep(&self, old: &ServerKey) -> Result<Option<PathBuf>, OpenError> {
        let Self::Folder(folder) = self else {
            return Ok(None);
        };
        let name = kept_name(&old.fingerprint());
        write(folder, &name, old)?;
        Ok(Some(folder.join(name)))
    }

    /// Puts the key that [`KeySource::next`] has made in its place, if the store knows it by now. A rotation that
    /// was broken off between its two steps is finished here.
    pub(crate) fn settle(&self, known: &[u8]) -> Result<Option<ServerKey>, OpenError> {
        let Self::Folder(folder) = self else {
            return Ok(None);
        };
        let next = folder.join(NEXT);
        let Some(key) = read(&next)?.filter(|key| key.fingerprint() == known) else {
            return Ok(None);
        };
        let path = folder.join(FILE);
        fs::rename(&next, &path)
            .and_then(|()| fs::File::open(folder)?.sync_all())
            .map_err(|source| OpenError::Io { path, source })?;
        Ok(Some(key))
    }
}

const FILE: &str = "server.key";
/// The key that a rotation is about to put in its place.
const NEXT: &str = "server.key.next";

/// What a key is called that has gone out of use.
fn kept_name(fingerprint: &[u8]) -> String {
    format!("{FILE}.before-{}", secret::hex(fingerprint.get(..4).unwrap_or(fingerprint)))
}

fn parse(hex: &str, place: &str) -> Result<ServerKey, OpenError> {
    let hex = hex.trim();
    let mut bytes = [0; 32];
    let digits = hex.as_bytes();
    let wrong = || OpenError::Key(format!("in {place} must be 64 hexadecimal characters"));
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(wrong());
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(ServerKey::new(bytes))
}

fn read(path: &Path) -> Result<Option<ServerKey>, OpenError> {
    match fs::read_to_string(path) {
        Ok(text) => parse(&text, &path.display().to_string()).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OpenError::Io { path: path.to_owned(), source }),
    }
}

fn random(entropy: &dyn Entropy) -> ServerKey {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    ServerKey::new(bytes)
}

/// Writes a key. The caller holds the store's write lock, so no other process makes one for it; the file is
/// complete and on the disk before it has its name.
fn write(folder: &Path, name: &str, key: &ServerKey) -> Result<(), OpenError> {
    let path = folder.join(name);
    let draft = folder.join(format!("{name}.{}", std::process::id()));
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        writeln!(file, "{}", secret::hex(key.expose()))?;
        file.sync_all()?;
        owner::take_after(&draft, &folder.join(FILE))?;
        fs::rename(&draft, &path)?;
        fs::File::open(folder)?.sync_all()
    };
    write().map_err(|source| OpenError::Io { path: path.clone(), source })
}
