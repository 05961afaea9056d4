//! The server key: 32 bytes in a file that only its owner reads, or given by the environment.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use muster_domain::Entropy;
use muster_domain::secret::{self, ServerKey};

use crate::OpenError;

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
    /// The key of a store that has this fingerprint; a store without one gets the key that is there,
    /// or a new one.
    pub(crate) fn load(
        &self,
        fingerprint: Option<&[u8]>,
        entropy: &dyn Entropy,
    ) -> Result<ServerKey, OpenError> {
        let (key, place) = match self {
            Self::Given(hex) => (Some(parse(hex, "MUSTER_SECRET_KEY")?), "MUSTER_SECRET_KEY".to_owned()),
            Self::Folder(folder) => {
                let path = folder.join("server.key");
                (read(&path)?, path.display().to_string())
            }
        };
        match (key, fingerprint) {
            (Some(key), Some(known)) if key.fingerprint() != known => Err(OpenError::Key(format!(
                "in {place} is not the one that this store was made with; put the right one back"
            ))),
            (Some(key), _) => Ok(key),
            (None, Some(_)) => Err(OpenError::Key(format!(
                "is missing: this store was made with one, expected in {place}; put it back, give its folder with \
                 --data-dir, or the key itself in MUSTER_SECRET_KEY"
            ))),
            (None, None) => match self {
                Self::Folder(folder) => make(folder, entropy),
                Self::Given(_) => Err(OpenError::Key("is empty".to_owned())),
            },
        }
    }
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

/// Makes a key. The caller holds the store's write lock, so no other process makes one for it; the
/// file is complete and on the disk before it has its name.
fn make(folder: &Path, entropy: &dyn Entropy) -> Result<ServerKey, OpenError> {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    let path = folder.join("server.key");
    let draft = folder.join(format!("server.key.{}", std::process::id()));
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        writeln!(file, "{}", secret::hex(&bytes))?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        fs::File::open(folder)?.sync_all()
    };
    write().map_err(|source| OpenError::Io { path: path.clone(), source })?;
    Ok(ServerKey::new(bytes))
}
