//! The demo tenant: a small organisation to try the interface on. It is a tenant like any other.

mod text;

use anyhow::Context as _;
use muster_domain::contact::{ContactGroupPatch, ContactPatch};
use muster_domain::credential::{NewCredential, lox24_client_id};
use muster_domain::org_unit::OrgUnitPatch;
use muster_domain::secret::ServerKey;
use muster_domain::tenant::NewTenant;
use muster_domain::user::{Role, UserPatch, UserStore as _, password};
use muster_domain::user_group::UserGroupPatch;
use muster_domain::{
    ContactGroupId, Ctx, Directory, Error, IdKind, OrgUnitId, Patch, Store as _, UserGroupId, UserId,
};
use muster_store::Store;
use secrecy::{ExposeSecret as _, SecretString};

use crate::cli::output::line;
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
        text::welcome_back(url, database)
    } else {
        let password = generate_password(&*directory.entropy);
        let made = create(directory, key, &password).await.context("the demo tenant")?;
        text::welcome(url, &password, &made, directory.now())
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
    user_group: UserGroupId,
    /// What `X-LOX24-AUTH-TOKEN` has.
    lox24: SecretString,
    onlive: NewCredential,
    /// The bearer token of SCIM.
    scim: SecretString,
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
    let user_group = user_group(directory, &ctx).await?;
    let mut newest = made.admin.id;
    for (first, last, role, unit) in USERS {
        let login = format!("{}@demo.example", first.to_lowercase());
        // Those in the top unit show what the other roles may do, so they can log in.
        let password = if unit == 0 { Some(checked(password)?) } else { None };
        let unit = units.get(unit).copied();
        let mut patch = user(first, last, role, login, unit, password);
        if role == Role::Standard {
            patch.user_group = Patch::Set(user_group);
        }
        newest = directory.user_create(&ctx, patch.into()).await?.id;
    }
    let client = lox24_client_id(made.tenant.id);
    let lox24 = format!("{client}:{}", made.lox24.secret.expose_secret()).into();
    let contacts = contacts(directory, &ctx).await?;
    Ok(Made { units, user: newest, contacts, user_group, lox24, onlive: made.onlive, scim: made.scim.secret })
}

/// Makes the user group.
async fn user_group(directory: &Directory<Store>, ctx: &Ctx) -> Result<UserGroupId, Error> {
    let patch = UserGroupPatch {
        name: Some("Sales Team".to_owned()),
        external_id: Patch::Set("SALES_TEAM_01".to_owned()),
        ..UserGroupPatch::default()
    };
    Ok(directory.user_group_create(ctx, patch.into()).await?.id)
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
