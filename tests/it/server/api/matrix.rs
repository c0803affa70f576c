//! May each key do what the document says, and nothing else? Every route is asked with every kind of key.

use std::collections::BTreeSet;

use counterfoil::auth::keys::KeyScope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{http::Server, specification};

/// A key for some accounts may ask for these too, and gets to see, or to change, its own alone.
pub const OF_SEVERAL: [&str; 4] = [COMMANDS, "list_accounts", "find_customers", "list_shards"];
const COMMANDS: &str = "execute_commands";

struct Route {
    id: &'static str,
    method: Method,
    path: &'static str,
    takes_body: bool,
    /// Any one of these is enough. Empty: everybody may.
    scopes: BTreeSet<&'static str>,
}

/// Every route, with what the document says that it needs.
fn routes() -> Vec<Route> {
    let paths = specification::document()["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object().expect("an item").iter().map(move |(method, operation)| {
            let alternatives = operation["security"].as_array().expect("each route says what it needs");
            let named = alternatives.iter().flat_map(|one| one["api_key"].as_array().into_iter().flatten());
            Route {
                id: operation["operationId"].as_str().expect("an id"),
                method: method.to_ascii_uppercase().parse().expect("one of HTTP's"),
                path,
                takes_body: operation["requestBody"].is_object(),
                scopes: named.map(|scope| scope.as_str().expect("a scope")).collect(),
            }
        })
    });
    all.collect()
}

impl Route {
    fn is_of_an_account(&self) -> bool {
        self.path.contains("{account}")
    }

    /// Status and code, when this account is asked about with this key. What is asked for is not there, or nonsense:
    /// what matters is whether it was looked at.
    async fn ask(&self, server: &Server, account: &str, key: Option<&str>) -> (u16, String) {
        let path = self.path.split('/').map(|part| match part {
            "{account}" => account,
            part if part.starts_with('{') => "nothing",
            part => part,
        });
        let path = path.collect::<Vec<_>>().join("/");
        let mut call = server.call(self.method.clone(), &path).without_key();
        if let Some(key) = key {
            call = call.key(key);
        }
        if self.takes_body {
            let body = if self.id == COMMANDS { json!([]) } else { json!({ "nonsense": true }) };
            call = call.json(body);
        }
        let answer = call.send().await;
        (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default().to_owned())
    }

    async fn check(&self, server: &Server, account: &str, key: Option<&str>, refused: Option<(u16, &str)>) {
        let (status, code) = self.ask(server, account, key).await;
        let what = format!("{} of {account}: {status} {code}", self.id);
        match refused {
            Some(expected) => assert_eq!((status, code.as_str()), expected, "{what}"),
            None => assert!(status != 401 && status != 500 && !REFUSALS.contains(&code.as_str()), "{what}"),
        }
    }
}

/// With what somebody is turned away for being who they are.
const REFUSALS: [&str; 2] = ["scope_missing", "account_not_allowed"];

#[tokio::test]
async fn each_route_is_for_the_keys_that_the_document_says_and_for_no_others() {
    let server = Server::start().await;
    for account in ["acme", "other"] {
        server.open(account).await;
    }
    let mut asked = 0;
    let mut single = Vec::new();
    for scope in KeyScope::ALL {
        single.push((scope.as_str(), server.key([scope], None).await));
    }
    let some = [KeyScope::Deduct, KeyScope::Read, KeyScope::Billing, KeyScope::Audit, KeyScope::Operate];
    let restricted = server.key(some, Some(&["acme"])).await;
    let restricted_admin = server.key([KeyScope::Admin], Some(&["acme"])).await;
    for route in routes() {
        let is_open = route.scopes.is_empty();
        let unless_open = |refusal| if is_open { None } else { Some(refusal) };
        route.check(&server, "acme", None, unless_open((401, "unauthenticated"))).await;
        let unknown = Some("cf_test_nobody_has_this_key");
        route.check(&server, "acme", unknown, unless_open((401, "api_key_invalid"))).await;
        for (scope, key) in &single {
            let refused = (!is_open && !route.scopes.contains(scope)).then_some((403, "scope_missing"));
            route.check(&server, "acme", Some(key), refused).await;
        }
        let is_for_some = some.iter().any(|scope| route.scopes.contains(scope.as_str()));
        for (key, has_scope) in [(&restricted, is_for_some), (&restricted_admin, true)] {
            for (account, is_its_own) in [("acme", route.is_of_an_account()), ("other", false)] {
                let refused = if is_open {
                    None
                } else if !has_scope {
                    Some((403, "scope_missing"))
                } else if is_its_own || OF_SEVERAL.contains(&route.id) {
                    None
                } else {
                    Some((403, "account_not_allowed"))
                };
                route.check(&server, account, Some(key), refused).await;
            }
        }
        asked += 12;
    }
    assert!(asked > 900, "{asked}");
}

/// What a batch names is checked for each of its commands.
#[tokio::test]
async fn a_command_of_a_batch_is_for_the_keys_of_its_own_route() {
    let server = Server::start().await;
    for account in ["acme", "other"] {
        server.open(account).await;
    }
    let operator = server.key([KeyScope::Operate], None).await;
    let restricted = server.key([KeyScope::Deduct, KeyScope::Operate], Some(&["acme"])).await;
    let deduction = |account: &str| json!([{ "account": account, "command": "deduct", "amount": 1, "idempotency_key": "k" }]);
    let codes = async |body: Value, key: &str| {
        let answer = server.post("/v1/commands", body).key(key).send().await;
        answer.body[0]["body"]["code"].as_str().unwrap_or("done").to_owned()
    };
    assert_eq!(codes(deduction("acme"), &operator).await, "scope_missing");
    assert_eq!(codes(deduction("other"), &restricted).await, "account_not_allowed");
    assert_eq!(codes(deduction("acme"), &restricted).await, "done");
}
