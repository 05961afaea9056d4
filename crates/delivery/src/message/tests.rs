use std::collections::BTreeSet;

use muster_domain::webhook::{StaticParameter, WebhookStatus};
use muster_domain::{Actor, Dialect, OrgUnitId, TenantId, UserId, WebhookId};
use secrecy::ExposeSecret as _;

use super::*;

const AT: Timestamp = Timestamp(1_770_091_506_789_000);
const FORMATS: [WebhookFormat; 2] = [WebhookFormat::Standard, WebhookFormat::Lox24];

fn webhook(format: WebhookFormat) -> Webhook {
    Webhook {
        id: WebhookId(9),
        tenant: TenantId(3),
        org_unit_id: OrgUnitId(5001),
        name: "CRM".to_owned(),
        url: "https://crm.example.org/hook".to_owned(),
        events: vec!["user.*".to_owned()],
        static_parameters: vec![StaticParameter { name: "source".to_owned(), value: "muster".to_owned() }],
        format,
        status: WebhookStatus::Active,
        include_sub_groups: true,
        version: 1,
        created_at: AT,
        modified_at: AT,
    }
}

fn record(kind: &str, entity_id: &str, payload: Value) -> JournalRecord {
    JournalRecord {
        sequence: 12,
        at: AT,
        actor: Actor::User(UserId(71)),
        dialect: Dialect::Convirza,
        kind: kind.to_owned(),
        entity: kind.split('.').next().unwrap().to_owned(),
        entity_id: entity_id.to_owned(),
        version: 4,
        org_unit_id: Some(OrgUnitId(5002)),
        payload,
    }
}

/// The bodies of the events of an entry.
fn bodies(format: WebhookFormat, entry: &JournalRecord, attempt: usize) -> Vec<Value> {
    let webhook = webhook(format);
    let body = |event: Event| {
        let delivery = DeliveryId::of(entry.sequence, event.part);
        serde_json::from_slice(
            &message(&webhook, delivery, attempt, &event, entry, text_of(&event, entry).map(|_| "hello?"))
                .body,
        )
        .unwrap()
    };
    Event::of(entry).into_iter().map(body).collect()
}

#[test]
fn a_change_tells_what_was_and_what_is() {
    let entry =
        record("org_unit.updated", "5002", json!({"name": ["North", "South"], "city": [null, "Reno"]}));
    let body = &bodies(WebhookFormat::Standard, &entry, 1)[0];
    let wanted = json!({
        "type": "group.updated",
        "timestamp": "2026-02-03T04:05:06.789Z",
        "data": {
            "entity": "group", "id": 5002, "version": 4, "org_unit_id": 5002, "actor": "user:71", "dialect": "convirza",
            "before": {"name": "North", "city": null},
            "after": {"name": "South", "city": "Reno"},
        },
        "source": "muster",
    });
    assert_eq!(*body, wanted);
}

#[test]
fn what_is_new_has_no_before_and_what_is_gone_no_after() {
    let data = |kind: &str, payload| {
        bodies(WebhookFormat::Standard, &record(kind, "7", payload), 1)[0]["data"].clone()
    };
    let made = data("contact_group.created", json!({"name": [null, "VIP"], "phones": {"added": 2}}));
    assert_eq!((made.get("before"), &made["after"]), (None, &json!({"name": "VIP"})));
    assert_eq!(made["details"], json!({"phones": {"added": 2}}));
    let gone = data("user.deleted", json!({"status": ["active", "deleted"], "group_id": [null, 4]}));
    assert_eq!((&gone["before"], gone.get("after")), (&json!({"status": "active", "group_id": 4}), None));
    let gone = data("user_group.deleted", json!({}));
    assert!(gone.get("before").is_none() && gone.get("after").is_none());
}

#[test]
fn members_come_and_go_by_themselves() {
    let group = "0195a5a2-7b8e-7000-8000-000000000001";
    let entry = record("user_group.members_changed", group, json!({"members": [[1], [2, 3]]}));
    let told: Vec<Value> = bodies(WebhookFormat::Standard, &entry, 1);
    let told: Vec<_> = told
        .iter()
        .map(|body| (&body["type"], &body["data"]["group_id"], &body["data"]["members"]))
        .collect();
    let (removed, added) = (json!("membership.removed"), json!("membership.added"));
    assert_eq!(told, [(&removed, &json!(group), &json!([1])), (&added, &json!(group), &json!([2, 3]))]);
}

#[test]
fn a_message_is_told_as_lox24_tells_it() {
    let uuid = "0195a5a2-7b8e-7000-8000-000000000001";
    let payload = json!({"status": [100, 100], "receipt": [0, 1], "key": [7, 7], "phone": ["+1", "+1"]});
    let entry = record("sms.delivered", uuid, payload);
    let (first, second) =
        (&bodies(WebhookFormat::Lox24, &entry, 1)[0], &bodies(WebhookFormat::Lox24, &entry, 2)[0]);
    let wanted = json!({"id": uuid, "key_id": 7, "dlr_code": 1, "status_code": 100, "callback_data": null});
    assert_eq!((&first["name"], &first["data"]), (&json!("sms.delivery"), &wanted));
    assert_eq!((&first["attempt_number"], &second["attempt_number"]), (&json!(1), &json!(2)));
    assert_eq!((&first["attempt_total"], &first["created_at"]), (&json!(4), &json!(1_770_091_506)));
    assert_eq!(
        (&first["id"], &first["notification_task_id"]),
        (&second["id"], &second["notification_task_id"])
    );
    assert_ne!(first["id"], first["notification_task_id"]);
    assert_eq!(first["source"], "muster");
    let payload = json!({"from": [null, "+49151"], "received_at": [null, "2026-02-03T04:05:01.000Z"]});
    let entry = record("sms.received", uuid, payload);
    let told = &bodies(WebhookFormat::Standard, &entry, 1)[0];
    let wanted = json!({"from": "+49151", "received_at": "2026-02-03T04:05:01.000Z", "text": "hello?"});
    assert_eq!((&told["type"], &told["data"]["after"]), (&json!("sms.received"), &wanted));
    assert_eq!(told["data"].get("before"), None);
    let received = &bodies(WebhookFormat::Lox24, &entry, 1)[0];
    let wanted = json!({
        "id": uuid, "from": "+49151", "to": null, "text": "hello?", "received_at": 1_770_091_501, "msg_uuid": null,
    });
    assert_eq!((&received["name"], &received["data"]), (&json!("sms.incoming"), &wanted));
}

/// So that a static parameter can have none of these names.
#[test]
fn the_members_of_a_body_are_those_of_its_format() {
    let entry = record("sms.sent", "x", json!({}));
    for format in FORMATS {
        let mut webhook = webhook(format);
        webhook.static_parameters.clear();
        let names: BTreeSet<_> = format.members().iter().copied().map(str::to_owned).collect();
        for message in [
            message(&webhook, DeliveryId(48), 1, &Event::of(&entry)[0], &entry, None),
            sample(&webhook, Uuid::nil(), AT),
        ] {
            let body: Map<String, Value> = serde_json::from_slice(&message.body).unwrap();
            assert_eq!(body.keys().cloned().collect::<BTreeSet<_>>(), names, "{format:?}");
        }
    }
}

#[test]
fn an_id_is_that_of_the_delivery() {
    let entry = record("user.created", "71", json!({}));
    let event = &Event::of(&entry)[0];
    let id =
        |attempt| message(&webhook(WebhookFormat::Standard), DeliveryId(48), attempt, event, &entry, None).id;
    let expected = format!("msg_3_9_48_{}", entry.at.0);
    assert_eq!([id(1), id(2)], [expected.clone(), expected]);
}

#[test]
fn the_secret_of_before_signs_until_its_time_is_over() {
    let (key, webhook) = (ServerKey::new([7; 32]), webhook(WebhookFormat::Standard));
    let plain = |byte: u8| SigningSecret::new([byte; 32]).reveal().expose_secret().to_owned();
    let sealed =
        |byte: u8| key.seal([1; 24], &seal_context(webhook.tenant, webhook.id), plain(byte).as_bytes());
    let secret = WebhookSecret { sealed: sealed(2), before: Some((sealed(1), AT)) };
    let count =
        |key: &ServerKey, now| secrets(key, &webhook, &secret, Timestamp(now)).map(|secrets| secrets.len());
    assert_eq!((count(&key, AT.0 - 1), count(&key, AT.0)), (Ok(2), Ok(1)));
    assert_eq!(count(&ServerKey::new([8; 32]), AT.0), Err(Unreadable));

    let both = secrets(&key, &webhook, &secret, Timestamp(AT.0 - 1)).unwrap();
    let sent = call(&webhook, sample(&webhook, Uuid::nil(), AT), &both, AT).unwrap();
    assert_eq!(sent.headers["webhook-timestamp"], "1770091506");
    assert_eq!(sent.headers["content-type"], "application/json");
    let signatures: Vec<_> = sent.headers["webhook-signature"].to_str().unwrap().split(' ').collect();
    let wanted = |byte| {
        let other = standardwebhooks::Webhook::new(&plain(byte)).unwrap();
        other.sign(sent.headers["webhook-id"].to_str().unwrap(), 1_770_091_506, &sent.body).unwrap()
    };
    assert_eq!(signatures, [wanted(2), wanted(1)]);
}
