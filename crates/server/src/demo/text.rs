//! What the demo prints: how to get in, and lines to paste.

use muster_domain::Timestamp;
use muster_domain::credential::signature::{self, BodyHash, SignedRequest};
use secrecy::ExposeSecret as _;

use super::{ADMIN, Made, NAME, TOP_ID};
use crate::cli::sign::{AccessKey, curl};

pub(super) fn welcome(url: &str, password: &str, made: &Made, now: Timestamp) -> String {
    let id = |at: usize| made.units.get(at).map_or(TOP_ID, |id| id.0);
    let secret = made.onlive.secret.expose_secret();
    let access_key = made.onlive.credential.public_id.as_deref().unwrap_or_default();
    let key = AccessKey { id: access_key, secret };
    let date = signature::date(now);
    let signed = |method, path: &str, query, body: &str| {
        let hash = BodyHash::of(body.as_bytes());
        let request = SignedRequest { method, path, query, date: &date, body: &hash };
        format!("{}; echo", curl(url, &request, &key, Some(body).filter(|body| !body.is_empty())))
    };
    let (top, parent, group) = (id(0), id(1), id(2));
    let (user, contacts, user_group) = (made.user, made.contacts, made.user_group);
    format!(
        r"
The demo tenant is ready at {url}

  Log in as   {ADMIN}  (Admin)
              stan@demo.example   (Standard), rea@demo.example (ReadOnly)
  Password    {password}  (for all three; not shown again)
  LOX24 key   in the lines below (not shown again)
  Access key  {access_key}, secret {secret}  (Onlive; not shown again)
  SCIM token  in the last lines below (not shown again)

Paste these lines into another terminal:

# 1. Log in
{login}

# 2. Create a group
{create}

# 3. Replace a group (the vendor's published request)
{put}

# 4. The tree
{tree}

# 5. Replace a user (the vendor's published request)
{user}

# 6. The users of that group
{users}

# 7. Change a contact list (the vendor's published request, LOX24)
{change_contacts}

# 8. Put phones into it: each is told for itself
{batch}

# 9. The list as CSV
{csv}

# 10. Send a text message (the sandbox takes it: no phone rings)
{sms}

# 11. Send one to the whole list: each gets a text of their own
{bulk}

# 12. What became of them; some seconds later all have arrived
{messages}

# 13. Change a user group (the vendor's published request, Onlive; signed, so it works for 15 minutes: `muster sign` makes
#     new lines)
{change_group}

# 14. Its members, likewise
{members}

# 15. A user by name, as an identity provider looks for one (SCIM)
{found}

# 16. The group as identity providers see it, with its members
{shown}

Every call, to be read and tried: {url}/docs
",
        login = login_line(url, password),
        create = write_line(
            "POST",
            &format!("{url}/v3/groups"),
            &format!(
                r#"{{"org_unit_name":"New Sales Division","org_unit_ext_id":"ORG-2001","org_unit_parent_id":{top},"industry_id":5}}"#
            )
        ),
        put = write_line(
            "PUT",
            &format!("{url}/v3/groups/{group}"),
            &format!(
                r#"{{"org_unit_name":"Updated Sales Division","org_unit_ext_id":"ORG-2001-UPDATED","org_unit_parent_id":{parent},"address":"456 Updated Business Avenue","city":"Los Angeles","state":"CA","zip":"90001","phone_number":"+1987654321","industry_id":7}}"#
            )
        ),
        tree = read_line(&format!("{url}/v3/groups/tree")),
        user = write_line(
            "PUT",
            &format!("{url}/v3/users/{user}"),
            &format!(
                r#"{{"username":"updated.user@example.com","first_name":"Updated","last_name":"User","role":"Admin","user_ext_id":"EXT-001","user_status":"active","aliases":null,"timezone":"America/Los_Angeles","agent_ring_to":"+1234567890","agent_code":10,"ct_user_ou_id":{group},"score_call":false,"access_audio":true}}"#
            )
        ),
        users = read_line(&format!("{url}/v3/users/list?org_unit_id={group}")),
        change_contacts = change_contacts_line(made, url),
        batch = batch_line(made, url),
        csv = lox24_read(made, &format!("{url}/groups/{contacts}/file/csv")),
        sms = sms_line(made, url),
        bulk = bulk_line(made, url),
        messages = messages_line(made, url),
        change_group = signed(
            "PUT",
            &format!("/api/v1/user-groups/{user_group}"),
            "",
            r#"{"name":"Global Sales Team","description":"International sales team with product management access","extraFields":{"department":"Sales","location":"Global","allowedFeatures":["product_management","sales_reports","international_pricing"]}}"#
        ),
        members = signed("GET", "/api/v1/users", &format!("userGroupId={user_group}"), ""),
        found = scim_line(
            made,
            &format!(r#"-G {url}/scim/v2/Users --data-urlencode 'filter=userName eq "ann@demo.example"'"#)
        ),
        shown = scim_line(made, &format!("{url}/scim/v2/Groups/{user_group}")),
    )
}

fn change_contacts_line(made: &Made, url: &str) -> String {
    let body = r#"{"name":"My Clients","description":"Best clients","name_a":"prefix","name_b":"name","name_c":"datetime","name_d":"price","name_e":"something_else"}"#;
    lox24_line(made, &format!("-X PUT {url}/groups/{}", made.contacts), body)
}

fn batch_line(made: &Made, url: &str) -> String {
    let body =
        r#"[{"phone":"+49 30 1234567","a":"Dr.","b":"Lee"},{"phone":"+1 201 555 0123","b":"is there"}]"#;
    lox24_line(made, &format!("{url}/groups/{}/phones/batch", made.contacts), body)
}

fn sms_line(made: &Made, url: &str) -> String {
    let body = r#"{"sender_id":"Muster","text":"Hello from the sandbox","phone":"+49 151 12345678"}"#;
    lox24_line(made, &format!("{url}/sms"), body)
}

fn bulk_line(made: &Made, url: &str) -> String {
    let group = made.contacts;
    let body = format!(r#"{{"sender_id":"Muster","text":"Dear [prefix] [name]","msg_groups":[{group}]}}"#);
    lox24_line(made, &format!("{url}/bulks"), &body)
}

fn messages_line(made: &Made, url: &str) -> String {
    format!("{}; echo", lox24_read(made, &format!("{url}/sms")))
}

fn lox24_header(made: &Made) -> String {
    format!("X-LOX24-AUTH-TOKEN: {}", made.lox24.expose_secret())
}

fn lox24_read(made: &Made, url: &str) -> String {
    format!("curl -s {url} -H '{}'", lox24_header(made))
}

fn lox24_line(made: &Made, call: &str, body: &str) -> String {
    let header = lox24_header(made);
    format!("curl -s {call} -H '{header}' -H 'Content-Type: application/json' -d '{body}'; echo")
}

fn scim_line(made: &Made, call: &str) -> String {
    format!("curl -s {call} -H 'Authorization: Bearer {}'; echo", made.scim.expose_secret())
}

pub(super) fn welcome_back(url: &str, database: &str) -> String {
    format!(
        r"
The demo at {url} goes on with the data that is there.

Its passwords were shown when it was made. For a new one:

muster user set-password{database} --email {ADMIN}

(or `cargo run --release -- user set-password …`; it works while the server runs, on the database that `--database` or
`MUSTER_DATABASE` names). For a new LOX24 key, or with
`--dialect onlive` an access key to sign with, or with `--dialect scim` a token:

muster credential create{database} --tenant '{NAME}' --dialect lox24 --name demo

Then:

{login}
{tree}
",
        login = login_line(url, "THE-NEW-PASSWORD"),
        tree = read_line(&format!("{url}/v3/groups/tree")),
    )
}

fn login_line(url: &str, password: &str) -> String {
    format!(
        r#"TOKEN=$(curl -s {url}/oauth/token -H 'Content-Type: application/json' -d '{{"email":"{ADMIN}","password":"{password}"}}' | sed 's/.*"access_token":"\([^"]*\)".*/\1/'); echo "$TOKEN""#
    )
}

fn write_line(method: &str, url: &str, body: &str) -> String {
    format!(
        "curl -sX {method} {url} -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -d '{body}'; echo"
    )
}

fn read_line(url: &str) -> String {
    format!("curl -s '{url}' -H \"Authorization: Bearer $TOKEN\"; echo")
}
