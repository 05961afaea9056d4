//! What is looked at in the file of a store: this is tested with SQLite, whatever store the others have.

use muster_api::Settings;

use crate::place::Place;
use crate::support::{PASSWORD, World};

#[tokio::test]
async fn no_token_is_stored_in_plain() {
    let world = World::at(Place::file(), Settings::default()).await;
    let tokens = world.log_in("ada@acme.example").await.body;
    let random = |token: &str| tokens[token].as_str().unwrap().rsplit('_').next().unwrap().to_owned();
    let secrets = [random("access_token"), random("refresh_token"), PASSWORD.to_owned()];
    let mut seen = 0;
    for file in std::fs::read_dir(world.folder()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        seen += usize::from(bytes.windows(16).any(|window| window == b"ada@acme.example"));
        for secret in &secrets {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
    assert!(seen > 0, "these are not the files of the store");
}
