//! What a dialect keeps of users beside the columns: it is told anew, it ends with the user, and the doctor knows what must hold
//! of it. What is looked up of it: `selections`.

use muster_domain::Patch;
use muster_domain::credential::{CredentialWish, Profile};
use muster_domain::user::{User, UserDocument, UserPatch};
use muster_domain::{Dialect, JournalRecord};
use serde_json::{Map, json};

use crate::support::{Backend, findings};
use crate::world::{Org, World};

contract![
    a_document_is_told_anew_after_a_column_has_changed,
    nothing_of_a_document_outlives_its_user,
    the_doctor_finds_what_must_not_be,
];

/// A user with everything that a document has columns for.
pub(crate) fn documented(login: &str, title: &str) -> UserPatch {
    let sent = json!({"title": title, "displayName": format!("{title} D"), "timezone": "Mars/Olympus"});
    let document = UserDocument {
        sent: sent.as_object().cloned().unwrap_or_default(),
        columns: Map::new(),
        display_name: Some(format!("{title} D")),
        emails: Some(vec![format!("{title}@home.example"), format!("{title}@WORK.example")]),
    };
    UserPatch { login: Some(login.to_owned()), document: Some(document), ..UserPatch::default() }
}

/// What the journal says of a user.
async fn entries<B: Backend>(world: &World<B>, org: &Org, user: &User) -> Vec<JournalRecord> {
    let is_own = |record: &JournalRecord| record.entity == "user" && record.entity_id == user.id.to_string();
    world.journal(org).await.into_iter().filter(is_own).collect()
}

async fn a_document_is_told_anew_after_a_column_has_changed<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let told = || documented("ann@x.org", "chief");
    let user = world.create_user(&org, told()).await.unwrap();
    assert!(user.is_as_sent("timezone").is_some());
    let unchanged = world.update_user(&org, user.id, told()).await.unwrap();
    assert_eq!(unchanged.version, 1, "the same once more changes nothing");
    let zone = UserPatch { timezone: Patch::Set("Asia/Tokyo".to_owned()), ..UserPatch::default() };
    let elsewhere = world.update_user(&org, user.id, zone).await.unwrap();
    assert!(elsewhere.is_as_sent("timezone").is_none() && elsewhere.is_as_sent("login").is_some());
    let again = world.update_user(&org, user.id, told()).await.unwrap();
    assert_eq!(again.version, 3);
    assert_eq!(world.stored_user(&user).await, again);
    assert!(again.is_as_sent("timezone").is_some(), "what was said again holds again");
    assert_eq!(world.update_user(&org, user.id, told()).await.unwrap().version, 3);
    let kinds: Vec<String> =
        entries(&world, &org, &user).await.into_iter().map(|record| record.kind).collect();
    assert_eq!(kinds, ["user.created", "user.updated", "user.updated"]);
    world.is_sound().await;
}

async fn nothing_of_a_document_outlives_its_user<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let emails = || world.backend.look("SELECT COUNT(*) FROM user_emails");
    let stays = world.create_user(&org, documented("stays@x.org", "stays")).await.unwrap();
    for is_deleted_before in [false, true] {
        let user = world.create_user(&org, documented("goes@x.org", "secretword")).await.unwrap();
        world.update_user(&org, user.id, documented("goes@x.org", "otherword")).await.unwrap();
        assert_eq!(emails(), 4);
        if is_deleted_before {
            world.delete_user(&org, user.id).await.unwrap();
            assert_eq!(emails(), 2, "nobody is found by the address of a deleted user");
            world.is_sound().await;
        }
        world.erase_user(&org, user.id).await.unwrap();
        assert_eq!(emails(), 2);
        let dump = world.backend.dump_of(Some(org.tenant));
        for word in ["secretword", "otherword", "goes@"] {
            assert!(!dump.iter().any(|row| row.contains(word)), "{word}");
        }
        assert!(dump.iter().any(|row| row.contains("stays@home.example")));
        let entries = entries(&world, &org, &user).await;
        assert!(entries.len() > 2 && entries.iter().all(|record| record.payload == json!({})));
    }
    assert!(world.stored_user(&stays).await.document.is_some());
    world.is_sound().await;
}

/// A finding without what is between brackets, which the reader of rows says.
fn without_brackets(what: String) -> String {
    match (what.split_once(" ("), what.split_once("): ")) {
        (Some((begin, _)), Some((_, end))) => format!("{begin}: {end}"),
        _ => what,
    }
}

async fn the_doctor_finds_what_must_not_be<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = world.create_user(&org, documented("ann@x.org", "chief")).await.unwrap();
    let plain = world.add_user(&org, org.top, "bo@x.org").await;
    let gone = world.create_user(&org, documented("gone@x.org", "gone")).await.unwrap();
    world.delete_user(&org, gone.id).await.unwrap();
    let wish = CredentialWish {
        dialect: Dialect::Scim,
        name: "entra".to_owned(),
        read_only: false,
        profile: Profile::Entra,
        expires_at: None,
    };
    let credential =
        world.directory.credential_create(&org.ctx, &world.key, wish).await.unwrap().credential.id;
    let unread = format!("a row is not understood: user {}", user.id);
    let name = format!("the display name is not the one it is compared by: user {}", user.id);
    let stands_in =
        |user: &User| format!("whether the login stands in for addresses is wrong: user {}", user.id);
    let count = |user: &User| format!("its addresses are not as many as its document has: user {}", user.id);
    let other = format!("its document does not have an address of: user {}", user.id);
    let nobody = |id: i64| format!("has an address, but is deleted or nobody: user {id}");
    let of = |id: i64, set: &str| format!("UPDATE users SET {set} WHERE id = {id}");
    let document = |text: &str| of(user.id.0, &format!("document = '{text}'"));
    let address = |id: i64| {
        format!("INSERT INTO user_emails (tenant_id, user_id, email_key) VALUES ({}, {id}, 'x')", org.tenant)
    };
    let emails = format!("WHERE user_id = {}", user.id);
    let mut damages = vec![
        (of(user.id.0, "display_name_key = 'x'"), vec![name.clone()]),
        (of(user.id.0, "display_name_key = NULL"), vec![name]),
        (
            of(plain.id.0, "display_name_key = ''"),
            vec![format!("the display name is not the one it is compared by: user {}", plain.id)],
        ),
        (of(user.id.0, "login_is_email = 1"), vec![stands_in(&user)]),
        (of(plain.id.0, "login_is_email = 0"), vec![stands_in(&plain)]),
        (format!("DELETE FROM user_emails {emails}"), vec![count(&user)]),
        (format!("DELETE FROM user_emails {emails} AND email_key LIKE 'chief@w%'"), vec![count(&user)]),
        (
            format!("UPDATE user_emails SET email_key = 'x' {emails} AND email_key LIKE 'chief@w%'"),
            vec![other.clone()],
        ),
        (address(user.id.0), vec![count(&user), other]),
        (
            address(plain.id.0),
            vec![count(&plain), format!("its document does not have an address of: user {}", plain.id)],
        ),
        (address(gone.id.0), vec![count(&gone), nobody(gone.id.0)]),
        (address(9999), vec![nobody(9999)]),
        (
            of(user.id.0, "document = NULL"),
            vec![
                format!("the display name is not the one it is compared by: user {}", user.id),
                format!("its document does not have an address of: user {}", user.id),
                format!("its document does not have an address of: user {}", user.id),
            ],
        ),
        (
            format!("UPDATE credentials SET profile = 9 WHERE id = {credential}"),
            vec![format!("a row is not understood: credential {credential}")],
        ),
    ];
    for text in [
        "",
        "[]",
        "{\"sent\": {}}",
        "{\"sent\": {}, \"columns\": []}",
        "{\"sent\": {}, \"columns\": {}, \"emails\": \"x\"}",
        "{\"sent\": {}, \"columns\": {}, \"emails\": [5]}",
        "{\"sent\": {}, \"columns\": {}, \"display_name\": 5}",
    ] {
        damages.push((document(text), vec![unread.clone()]));
    }
    for (damage, expected) in damages {
        world.is_sound().await;
        world.backend.tamper(
            "CREATE TABLE u AS SELECT id, display_name_key, login_is_email, document FROM users;
             CREATE TABLE e AS SELECT * FROM user_emails; CREATE TABLE c AS SELECT id, profile FROM credentials;",
        );
        world.backend.tamper(&damage);
        let found = findings(world.store(), &world.key).await;
        // SQLite says of the reference too that nobody is there.
        let is_told = |finding: &String| !finding.contains("refers to what is not there");
        let found: Vec<String> = found.into_iter().filter(is_told).map(without_brackets).collect();
        assert_eq!(found, expected, "{damage}");
        world.backend.tamper(
            "DELETE FROM user_emails; INSERT INTO user_emails SELECT * FROM e;
             UPDATE users SET display_name_key = (SELECT u.display_name_key FROM u WHERE u.id = users.id),
                 login_is_email = (SELECT u.login_is_email FROM u WHERE u.id = users.id),
                 document = (SELECT u.document FROM u WHERE u.id = users.id);
             UPDATE credentials SET profile = (SELECT c.profile FROM c WHERE c.id = credentials.id);
             DROP TABLE u; DROP TABLE e; DROP TABLE c;",
        );
    }
    world.is_sound().await;
}
