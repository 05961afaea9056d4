//! Every route of the server from another tenant: nothing is seen, and nothing is touched.

use http::Method;
use muster_api::Settings;
use muster_domain::{Ctx, JournalFilter, JournalRecord, Store as _};
use serde_json::Value;

use crate::cases::{self, Case, Kind, Own, Who, Worlds};
use crate::people::profile;
use crate::support::{Caller, Reply, World};

/// Two tenants with the same kinds of things.
struct Two {
    world: World,
    other: Ctx,
    /// What Acme has; no id or text of it may come into Other's hands.
    acme: Own,
    /// What the caller has.
    own: Own,
    /// The token of Acme's admin.
    ada: String,
    /// The token of Other's, who makes the calls.
    olga: Caller,
    /// The key with which Other makes those that want one.
    key: Caller,
    /// And this one to sign with.
    signer: Caller,
    /// And the token of its identity provider.
    bearer: Caller,
}

impl Two {
    async fn new() -> Self {
        let world = World::with(Settings { rate_limits: false, ..Settings::default() }).await;
        let other = world.tenant("Other", "olga@other.example").await;
        let (ada, olga) = (world.admin().await, world.token("olga@other.example").await);
        let acme = Own::of(&world, &world.acme, &ada, "ada@acme.example").await;
        let own = Own::of(&world, &other, &olga, "olga@other.example").await;
        let key = Caller::Key(world.key(&other).await);
        let signer = Caller::Signer(world.access_key(&other).await);
        let bearer = Caller::Bearer(world.scim_token(&other, false).await);
        Self { world, other, acme, own, ada, olga: Caller::Bearer(olga), key, signer, bearer }
    }

    /// As [`Two::new`]; what is archived or deleted is as foreign as the rest.
    async fn with_gone() -> Self {
        let two = Self::new().await;
        for path in [
            format!("/v3/users/{}", two.acme.id(Kind::User)),
            format!("/v3/groups/{}", two.acme.id(Kind::Unit)),
        ] {
            assert_eq!(two.world.delete(&path).bearer(&two.ada).send().await.status, 200);
        }
        two
    }

    /// Who makes a call.
    fn caller(&self, case: &Case) -> &Caller {
        match case.who {
            Who::Anyone | Who::Roles(_) => &self.olga,
            Who::Keys(_) => &self.key,
            Who::Signers(_) => &self.signer,
            Who::Tokens(_) => &self.bearer,
        }
    }

    /// The journals of both tenants, where every change leaves a trace.
    async fn journals(&self) -> [Vec<JournalRecord>; 2] {
        let store = &self.world.directory().store;
        let other = store.journal(self.other.tenant(), 0, JournalFilter::default(), 10_000).await.unwrap();
        [self.world.journal().await, other]
    }
}

/// What no answer to Other may say: `acme` is in every login of Acme and in the names of its things.
fn assert_nothing_of_acme(text: &str) {
    for word in ["acme", "north", "south", "team a", "team b"] {
        assert!(!text.to_lowercase().contains(word), "{word:?} in {text}");
    }
}

/// What a failure says, in whatever dialect.
fn text(reply: &Reply) -> &str {
    ["error", "hydra:description", "detail", "message"]
        .iter()
        .find_map(|name| reply.body[name].as_str())
        .unwrap()
}

#[tokio::test]
async fn an_id_of_another_tenant_in_a_path_is_unknown() {
    let two = Two::new().await;
    let before = two.journals().await;
    for (route, case) in cases::all() {
        let Some(kind) = case.path.filter(|kind| !matches!(kind, Kind::Common(_))) else {
            continue;
        };
        let call = async |id: &str, body: Value| {
            cases::call(&two.world, route, id, body).by(two.caller(case)).send().await
        };
        // Whatever the body is.
        for body in [(case.body)(&two.own), (case.body)(&two.acme), Value::from("no object")] {
            let foreign = call(&two.acme.path_id(kind), body.clone()).await;
            let unknown = call(&cases::in_path(&kind.unknown()), body).await;
            assert_eq!(foreign.status, case.hidden, "{} {}: {foreign}", route.method, route.path);
            assert_eq!((foreign.status, text(&foreign)), (unknown.status, text(&unknown)));
            assert_nothing_of_acme(&foreign.to_string());
        }
    }
    assert_eq!(two.journals().await, before);
    assert_eq!(profile(&two.world, &two.ada).await, 200);
}

#[tokio::test]
async fn an_id_of_another_tenant_in_a_body_is_a_wrong_value() {
    let two = Two::new().await;
    let before = two.journals().await;
    for (route, case) in cases::all() {
        for (names, kind) in case.body_ids {
            let call = async |name: &str, id: Value| {
                let mut body = (case.body)(&two.own);
                body.as_object_mut().unwrap().remove(names[0]);
                body[name] = id;
                let path_id = case.path.map_or_else(String::new, |kind| two.own.path_id(kind));
                cases::call(&two.world, route, &path_id, body).by(two.caller(case)).send().await
            };
            for name in *names {
                let foreign = call(name, two.acme.id(*kind)).await;
                let unknown = call(name, kind.unknown()).await;
                assert_eq!(
                    (foreign.status.as_u16(), foreign.fields()),
                    (400, vec![names[0]]),
                    "{} {} {name}: {foreign}",
                    route.method,
                    route.path
                );
                assert_eq!(foreign.body["errors"], unknown.body["errors"]);
                assert_nothing_of_acme(&foreign.to_string());
            }
        }
    }
    assert_eq!(two.journals().await, before);
}

#[tokio::test]
async fn an_id_of_another_tenant_in_a_query_gives_nothing() {
    let two = Two::new().await;
    let before = two.journals().await;
    for (route, case) in cases::all() {
        for (name, kind) in case.query_ids {
            let call = async |id: Value| {
                let path = format!("{}?{name}={}", route.path, cases::in_path(&id));
                two.world.call(route.method.as_str(), &path).by(two.caller(case)).send().await
            };
            assert_eq!(call(two.own.id(*kind)).await.status, 200, "{} is no list by {name}", route.path);
            let (foreign, unknown) = (call(two.acme.id(*kind)).await, call(kind.unknown()).await);
            assert_eq!(foreign.status, unknown.status);
            if foreign.status == 200 {
                assert_eq!((&foreign.body["total"], &foreign.body), (&Value::from(0), &unknown.body));
            } else {
                assert_eq!(foreign.status, 403, "{} {}: {foreign}", route.method, route.path);
                assert_eq!(foreign.body["error"], unknown.body["error"]);
            }
            assert_nothing_of_acme(&foreign.to_string());
        }
    }
    assert_eq!(two.journals().await, before);
}

#[tokio::test]
async fn no_answer_shows_and_no_call_touches_anything_of_another_tenant() {
    let mut worlds = Worlds::new();
    for (route, case) in cases::all() {
        let two = worlds.of(route, Two::with_gone).await;
        let [acme, _] = two.journals().await;
        if route.method == Method::GET && case.path.is_none() {
            for query in ["user_status=deleted", "status=all&active=false&nested=true", "email=acme&name=lee"]
            {
                let call = two.world.get(&format!("{}?{query}", route.path)).by(two.caller(case));
                let reply = call.send().await;
                assert!(case.answers(reply.status), "{reply}");
                assert_nothing_of_acme(&reply.to_string());
            }
        }
        let reply = case.call(&two.world, route, &two.own).by(two.caller(case)).send().await;
        assert!(case.answers(reply.status), "{} {}: {reply}", route.method, route.path);
        assert_nothing_of_acme(&reply.to_string());
        assert_eq!(two.journals().await[0], acme, "{} {}", route.method, route.path);
        assert_eq!(profile(&two.world, &two.ada).await, 200);
    }
}
