//! The newcomer's way: the demo, and the lines that it prints.

use std::process::Command;

use crate::place::Place;
use crate::support::{Server, create_tenant, run, text};

/// Pastes lines into a shell; what they print.
fn paste(lines: &str) -> String {
    let output = Command::new("bash").args(["-euc", lines]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn shell_lines(printed: &str) -> String {
    let is_command = |line: &&str| line.starts_with("TOKEN=") || line.starts_with("curl ");
    printed.lines().filter(is_command).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_printed_lines_work_as_they_stand() {
    let server = Server::start(&["--demo"]);
    let lines = shell_lines(&server.stdout());
    assert_eq!(lines.lines().count(), 16, "{lines}");
    let printed = paste(&lines);
    let answers: Vec<&str> = printed.lines().collect();
    assert!(answers[0].starts_with("mua_"), "{printed}");
    for answer in &answers[1..6] {
        assert!(answer.starts_with(r#"{"code":200,"message":"Success""#), "{answer}");
    }
    assert!(answers[2].contains(r#""orgUnitId":1002"#), "{}", answers[2]);
    for name in ["Demo Company", "New Sales Division", "Updated Sales Division", "Logistics"] {
        assert!(answers[3].contains(name), "{}", answers[3]);
    }
    assert!(
        answers[5].contains("updated.user@example.com") && answers[5].contains(r#""total":3"#),
        "{}",
        answers[5]
    );
    assert!(answers[6].contains(r#""id":12344,"name":"My Clients""#), "{}", answers[6]);
    assert!(
        answers[7].contains(r#""status":201"#) && answers[7].contains(r#""status":422"#),
        "{}",
        answers[7]
    );
    assert_eq!(answers[8], "id,phone,prefix,name,datetime,price,something_else,callback_data");
    assert!(answers[13].contains(r#""phone":"+4915112345678""#), "{}", answers[13]);
    assert!(answers[14].contains(r#""msg_groups":[12344]"#), "{}", answers[14]);
    assert!(answers[15].contains("Hello from the sandbox"), "{}", answers[15]);
    assert!(answers[16].contains(r#""name":"Global Sales Team""#), "{}", answers[16]);
    assert!(answers[16].contains(r#""externalId":"SALES_TEAM_01""#), "{}", answers[16]);
    assert!(
        answers[17].contains(r#""fullName":"Stan Dard""#) && answers[17].contains(r#""total":6"#),
        "{printed}"
    );
    assert!(answers[18].contains(r#""totalResults":1"#), "{printed}");
    assert!(answers[18].contains(r#""userName":"ann@demo.example""#), "{printed}");
    assert!(answers[19].contains(r#""displayName":"Global Sales Team""#), "{printed}");
    assert_eq!(answers[19].matches("/scim/v2/Users/").count(), 6, "{printed}");
    assert_eq!(answers.len(), 20, "{printed}");
    let key = lines.split("X-LOX24-AUTH-TOKEN: ").nth(1).and_then(|rest| rest.get(8..40)).unwrap();
    for secret in ["mua_", "mus_", key] {
        assert!(!server.log().contains(secret), "no secret in the log");
    }
}

#[test]
fn started_again_the_demo_keeps_its_data_and_tells_how_to_get_in() {
    let first = Server::start(&["--demo"]);
    paste(&shell_lines(&first.stdout()));
    let folder = first.stop();
    let again = Server::start_in(folder, &["--demo"]);
    let printed = again.stdout();
    assert!(!printed.contains("Password "), "{printed}");
    let command = printed.lines().find(|line| line.starts_with("muster user set-password")).unwrap();
    let args: Vec<&str> = command.split(' ').skip(1).collect();
    let output = run(again.folder(), &args);
    let said = text(&output.stdout);
    let password = said.split(' ').nth(6).unwrap_or_else(|| panic!("{said} {}", text(&output.stderr)));
    let pasted = paste(&shell_lines(&printed).replace("THE-NEW-PASSWORD", password));
    assert!(pasted.contains("Updated Sales Division"), "{pasted}");
}

#[test]
fn beside_other_tenants_the_demo_is_made_all_the_same() {
    let folder = Place::new();
    create_tenant(folder.path(), "Acme", "ada@acme.example");
    let server = Server::start_in(folder, &["--demo"]);
    let printed = paste(&shell_lines(&server.stdout()));
    assert_eq!(printed.matches(r#"{"code":200,"message":"Success""#).count(), 5, "{printed}");
}

#[test]
fn the_demo_has_a_dozen_users_over_the_three_roles() {
    let server = Server::start(&["--demo"]);
    let printed = server.stdout();
    let password = printed.lines().find(|line| line.contains("Password")).unwrap();
    let password = password.split_whitespace().nth(1).unwrap();
    for (email, role, groups) in [
        ("admin@demo.example", "Admin", 200),
        ("stan@demo.example", "Standard", 403),
        ("rea@demo.example", "ReadOnly", 403),
    ] {
        let token = server.log_in(email, password).unwrap();
        let profile = server.send("GET", "/v3/auth/profile", &token, None);
        assert_eq!(profile.body["data"]["role"], role);
        assert_eq!(server.send("GET", "/v3/groups", &token, None).status, groups);
    }
}
