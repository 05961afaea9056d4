//! The demo tenant: a small organisation to try the interface on. It is a tenant like any other.

use anyhow::Context as _;
use muster_domain::contact::{ContactGroupPatch, ContactPatch};
use muster_domain::credential::signature::{self, SignedRequest};
use muster_domain::credential::{NewCredential, lox24_client_id};
use muster_domain::org_unit::OrgUnitPatch;
use muster_domain::secret::ServerKey;
use muster_domain::tenant::NewTenant;
use muster_domain::user::{Role, UserPatch, UserStore as _, password};
use muster_domain::{
    ContactGroupId, Ctx, Directory, Error, IdKind, OrgUnitId, Patch, Store as _, Timestamp, UserId,
};
use muster_store::Store;
use secrecy::{ExposeSecret as _, SecretString};

use crate::cli::output::line;
use crate::cli::sign::{AccessKey, curl};
use crate::system::generate_password;

const NAME: &str = "Demo Company";
const ADMIN: &str = "admin@demo.example";
/// The demo's top has this id in a new store, so that the vendor's published requests work as they stand: they create
/// a group under 1000, and move group 1002 under 1001.
const TOP_ID: i64 = 1000;
/// Likewise its contact list: the vendor's published request changes group 12344.
const CONTACT_GROUP_ID: i64 = 12_344;

/// The groups below the top, each with those below it.
const GROUPS: [(&str, &[&str]); 3] = [
    ("Sales", &["Sales Division", "Key Accounts"]),
    ("Support", &["Help Desk", "Field Service"]),
    ("Operations", &["Logistics"]),
];

/// First name, last name, role, and the group, counted as the groups are made.
const USERS: [(&str, &str, Role, usize); 11] = [
    ("Stan", "Dard", Role::Standard, 0),
    ("Rea", "Donly", Role::ReadOnly, 0),
    ("Ann", "Lee", Role::Admin, 1),
    ("Bo", "Ek", Role::Standard, 1),
    ("Cem", "Aydin", Role::Standard, 2),
    ("Dina", "Ruiz", Role::ReadOnly, 2),
    ("Emil", "Novak", Role::Standard, 3),
    ("Fay", "Moreau", Role::Admin, 4),
    ("Gus", "Holm", Role::Standard, 5),
    ("Hana", "Sato", Role::ReadOnly, 6),
    ("Ivo", "Petrov", Role::Standard, 7),
];

/// Makes the demo tenant if it is not there, and prints how to use it.
pub(crate) async fn prepare(
    directory: &Directory<Store>,
    key: &ServerKey,
    database: &str,
    url: &str,
) -> anyhow::Result<()> {
    let text = if directory.store.user_by_claim(ADMIN).await?.is_some() {
        welcome_back(url, database)
    } else {
        let password = generate_password(&*directory.entropy);
        let made = create(directory, key, &password).await.context("the demo tenant")?;
        welcome(url, &password, &made, directory.now())
    };
    // This is for the person at the terminal, not for the log.
    line(text)
}

/// What the printed lines name.
struct Made {
    /// The org units, the top first.
    units: Vec<OrgUnitId>,
    user: UserId,
    contacts: ContactGroupId,
    /// What `X-LOX24-AUTH-TOKEN` has.
    lox24: SecretString,
    onlive: NewCredential,
}

/// Makes the tenant.
async fn create(directory: &Directory<Store>, key: &ServerKey, password: &str) -> Result<Made, Error> {
    while directory.store.next_id(IdKind::OrgUnit).await? < TOP_ID - 1 {}
    let checked = |text: &str| password::check(text).map_err(|problem| Error::field("password", problem));
    let admin = user("Ada", "Min", Role::Admin, ADMIN.to_owned(), None, Some(checked(password)?));
    let made = directory
        .tenant_create(
            key,
            NewTenant {
                name: NAME.to_owned(),
                country: "US".to_owned(),
                timezone: "America/New_York".to_owned(),
                admin,
            },
        )
        .await?;
    let top = made.tenant.top_org_unit_id;
    let ctx = Ctx::operator(made.tenant.id, top, directory.now());
    let mut units = vec![top];
    for (name, below) in GROUPS {
        let parent = group(directory, &ctx, name, top).await?;
        units.push(parent);
        for name in below {
            units.push(group(directory, &ctx, name, parent).await?);
        }
    }
    let mut newest = made.admin.id;
    for (first, last, role, unit) in USERS {
        let login = format!("{}@demo.example", first.to_lowercase());
        // Those in the top unit show what the other roles may do, so they can log in.
        let password = if unit == 0 { Some(checked(password)?) } else { None };
        let unit = units.get(unit).copied();
        let made = directory.user_create(&ctx, user(first, last, role, login, unit, password).into()).await?;
        newest = made.id;
    }
    let client = lox24_client_id(made.tenant.id);
    let lox24 = format!("{client}:{}", made.lox24.secret.expose_secret()).into();
    let contacts = contacts(directory, &ctx).await?;
    Ok(Made { units, user: newest, contacts, lox24, onlive: made.onlive })
}

/// Makes the contact list.
async fn contacts(directory: &Directory<Store>, ctx: &Ctx) -> Result<ContactGroupId, Error> {
    while directory.store.next_id(IdKind::ContactGroup).await? < CONTACT_GROUP_ID - 1 {}
    let entry = |(number, phone, name): (usize, &str, &str)| {
        let [a, b] = [Patch::Keep, Patch::Set(name.to_owned())];
        let columns = [a, b, Patch::Keep, Patch::Keep, Patch::Keep];
        (
            number.to_string(),
            ContactPatch { phone: Some(phone.to_owned()), columns, ..ContactPatch::default() },
        )
    };
    let phones = [(0, "+12015550123", "Kim"), (1, "(202) 555-0188", "Noor"), (2, "+4915112345678", "Jonas")];
    let patch = ContactGroupPatch {
        name: Some("Clients".to_owned()),
        phones: Some(phones.map(entry).into()),
        ..ContactGroupPatch::default()
    };
    Ok(directory.contact_group_create(ctx, patch.into()).await?.id)
}

async fn group(
    directory: &Directory<Store>,
    ctx: &Ctx,
    name: &str,
    parent: OrgUnitId,
) -> Result<OrgUnitId, Error> {
    let patch =
        OrgUnitPatch { name: Some(name.to_owned()), parent_id: Some(parent), ..OrgUnitPatch::default() };
    Ok(directory.org_unit_create(ctx, patch.into()).await?.id)
}

fn user(
    first_name: &str,
    last_name: &str,
    role: Role,
    login: String,
    org_unit_id: Option<OrgUnitId>,
    password: Option<SecretString>,
) -> UserPatch {
    UserPatch {
        login: Some(login),
        first_name: Some(first_name.to_owned()),
        last_name: Some(last_name.to_owned()),
        role: Some(role),
        org_unit_id,
        password,
        claims_login: true,
        ..UserPatch::default()
    }
}

fn welcome(url: &str, password: &str, made: &Made, now: Timestamp) -> String {
    let id = |at: usize| made.units.get(at).map_or(TOP_ID, |id| id.0);
    let secret = made.onlive.secret.expose_secret();
    let access_key = made.onlive.credential.public_id.as_deref().unwrap_or_default();
    let (top, parent, group) = (id(0), id(1), id(2));
    let (user, contacts) = (made.user, made.contacts);
    format!(
        r"
The demo tenant is ready at {url}

  Log in as   {ADMIN}  (Admin)
              stan@demo.example   (Standard), rea@demo.example (ReadOnly)
  Password    {password}  (for all three; not shown again)
  LOX24 key   in the lines below (not shown again)
  Access key  {access_key}, secret {secret}  (Onlive; not shown again)

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

# 10. The users over the Onlive API (signed, so it works for 15 minutes; `muster sign GET /api/v1/users` makes a new line)
{signed}

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
        change_contacts = lox24_line(
            made,
            &format!("-X PUT {url}/groups/{contacts}"),
            r#"{"name":"My Clients","description":"Best clients","name_a":"prefix","name_b":"name","name_c":"datetime","name_d":"price","name_e":"something_else"}"#
        ),
        batch = lox24_line(
            made,
            &format!("{url}/groups/{contacts}/phones/batch"),
            r#"[{"phone":"+49 30 1234567","a":"Dr.","b":"Lee"},{"phone":"+1 201 555 0123","b":"is there"}]"#
        ),
        csv = lox24_read(made, &format!("{url}/groups/{contacts}/file/csv")),
        signed = signed_line(url, &AccessKey { id: access_key, secret }, now),
    )
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

fn welcome_back(url: &str, database: &str) -> String {
    format!(
        r"
The demo at {url} goes on with the data that is there.

Its passwords were shown when it was made. For a new one:

muster user set-password --database {database} --email {ADMIN}

(or `cargo run --release -- user set-password …`; it works while the server runs). For a new LOX24 key:

muster credential create --database {database} --tenant '{NAME}' --dialect lox24 --name demo

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

/// A line that reads, with a signature of now.
fn signed_line(url: &str, key: &AccessKey<'_>, now: Timestamp) -> String {
    let date = signature::date(now);
    let request =
        SignedRequest { method: "GET", path: "/api/v1/users", query: "limit=5", date: &date, body: b"" };
    format!("{}; echo", curl(url, &request, key, None))
}

fn read_line(url: &str) -> String {
    format!("curl -s '{url}' -H \"Authorization: Bearer $TOKEN\"; echo")
}
