//! Flags, environment variables and the configuration file.

use std::fs;

use crate::place::Place;
use crate::support::{Server, muster, run, text};

#[test]
fn a_setting_that_does_not_exist_is_named() {
    let folder = Place::new();
    fs::write(folder.path().join("muster.toml"), "listn = \"127.0.0.1:0\"\n").unwrap();
    let output = muster(folder.path(), &["serve"]).env("MUSTER_CONFIG", "muster.toml").output().unwrap();
    let said = text(&output.stderr);
    assert!(!output.status.success() && said.contains("listn"), "{said}");
    let said = text(&run(folder.path(), &["serve", "--config=missing.toml"]).stderr);
    assert!(said.contains("missing.toml"), "{said}");
}

#[test]
fn the_help_names_the_environment_variables() {
    let folder = Place::new();
    let help = text(&run(folder.path(), &["serve", "--help"]).stdout);
    for name in
        ["DATABASE", "DATA_DIR", "LISTEN", "DEMO", "PUBLIC_URL", "TRUSTED_PROXY", "RATE_LIMITS", "LOG_FORMAT"]
    {
        assert!(help.contains(&format!("MUSTER_{name}")), "{name}: {help}");
    }
    assert!(!run(folder.path(), &["serve", "--listen", "nowhere"]).status.success());
    assert!(!run(folder.path(), &["serve", "--trusted-proxy", "10.0.0.0/40"]).status.success());
}

#[test]
fn every_flag_of_every_command_is_an_environment_variable_too() {
    let folder = Place::new();
    let commands = [
        &["serve"][..],
        &["tenant", "create"],
        &["tenant", "list"],
        &["tenant", "delete"],
        &["user", "set-password"],
        &["user", "erase"],
        &["credential", "create"],
        &["credential", "list"],
        &["sign"],
        &["journal"],
        &["restore"],
        &["doctor"],
        &["key", "rotate"],
        &["migrate-store"],
        &["sandbox", "inbound"],
        &["worker"],
    ];
    for command in commands {
        let help = text(&run(folder.path(), &[command, &["--help"]].concat()).stdout);
        let flags = help.lines().filter(|line| line.trim_start().starts_with("--"));
        let mut count = 0;
        let is_name = |word: &&str| word.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase());
        for flag in flags.filter_map(|line| line.split_whitespace().next()).filter(is_name) {
            let name = format!("MUSTER_{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase());
            assert!(help.contains(&name), "{command:?} {flag}: {name}");
            count += 1;
        }
        assert!(count >= 4, "{help}");
    }
    let make = ["tenant", "create", "--admin-email", "ada@acme.example"];
    let output =
        muster(folder.path(), &make).envs([("MUSTER_NAME", "Acme"), ("MUSTER_JSON", "yes")]).output();
    assert!(text(&output.unwrap().stdout).starts_with('{'));
    assert!(!run(folder.path(), &["serve", "--cors-origin", "https://a.example/path"]).status.success());
}

#[test]
fn switched_off_limits_are_said_in_the_log() {
    let server = Server::start(&["--rate-limits", "off"]);
    assert!(server.log().contains("rate limits are off"));
    for _ in 0..20 {
        assert_eq!(server.send("POST", "/oauth/token", "", Some(&serde_json::json!({}))).status, 400);
    }
}
