//! Where the file is.

use std::fs;

use crate::place::Place;
use crate::support::Server;

#[test]
fn the_file_gives_defaults_that_the_environment_and_flags_win_over() {
    let folder = Place::file();
    fs::write(
        folder.path().join("muster.toml"),
        "database = \"sqlite:from-file/a.db\"\nlogins_per_minute = 1\nrate-limits = \"on\"\nlog-format = \"json\"\n\
         trusted-proxy = [\"10.0.0.0/8\", \"192.0.2.1\"]\ndemo = true\nlisten = \"256.0.0.1:0\"\n",
    )
    .unwrap();
    let server = Server::start_in(folder, &["--config", "muster.toml", "--data-dir", "keys"]);
    assert!(server.folder().join("from-file/a.db").exists());
    assert!(server.folder().join("keys/server.key").exists());
    assert!(server.stdout().contains("admin@demo.example"));
    assert!(server.log_in("admin@demo.example", "wrong").is_none());
    let body = serde_json::json!({});
    assert_eq!(server.send("POST", "/oauth/token", "", Some(&body)).status, 429);
    assert!(server.log().lines().all(|line| line.starts_with('{')), "{}", server.log());
}
