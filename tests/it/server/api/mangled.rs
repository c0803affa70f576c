//! Is whatever is asked answered with what is wrong, and never with a fault? Each parameter and body that the document
//! knows is asked for with what nobody would mean.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{http::Server, specification};

/// What is put into a text, a number, a time, or a cursor.
const NONSENSE: [&str; 16] = [
    "%00",
    "a%00b",
    "%0a",
    "%7f",
    "%ff%fe",
    "-1",
    "0",
    "99999999999999999999999",
    "1e9",
    "0001-01-01",
    "9999-12-31",
    "-9999-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "p0-9223372036854775807",
    "e9223372036854775807",
    "%F0%9F%92%A9",
];

/// Every operation, with its method, and its address with a name for each part that is one.
fn operations() -> Vec<(Method, String, &'static Value)> {
    let paths = specification::document()["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, item)| {
        let of_path = item.as_object().expect("an item").iter();
        of_path.map(|(method, operation)| {
            let method = method.to_ascii_uppercase().parse().expect("one of HTTP's");
            (method, address(path), operation)
        })
    });
    all.collect()
}

fn address(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{account}" => "acme",
        part if part.starts_with('{') => "something",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn no_parameter_of_a_query_is_a_fault() {
    let server = Server::start().await;
    server.open("acme").await;
    let mut asked = 0;
    for (_, address, operation) in operations().into_iter().filter(|(method, ..)| *method == Method::GET) {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().expect("a name");
            for text in NONSENSE {
                let path = format!("{address}?{name}={text}");
                let answer = server.get(&path).send().await;
                assert_ne!(answer.status, 500, "{path}: {}", answer.text);
                if text.starts_with("a%00") {
                    assert!(answer.status.is_client_error(), "{path}: {}", answer.text);
                }
                asked += 1;
            }
        }
    }
    assert!(asked > 300, "{asked}");
}

/// A list of values would be taken for the fields in their order.
#[tokio::test]
async fn no_list_is_taken_for_an_object() {
    let server = Server::start().await;
    server.open("acme").await;
    let lists = [json!([]), json!([1]), json!([1, "x", 5]), json!(["x", "x"]), json!([null]), json!([{}])];
    let mut asked = 0;
    let with_body = operations().into_iter().filter(|(.., operation)| operation["requestBody"].is_object());
    for (method, address, operation) in with_body {
        let is_list = operation["operationId"] == "execute_commands";
        for list in &lists {
            let body = if is_list { json!([list]) } else { list.clone() };
            let call = server.call(method.clone(), &address).json(body);
            let key = uuid::Uuid::new_v4().to_string();
            let answer = call.header("idempotency-key", &key).send().await;
            if is_list {
                assert_eq!(answer.body[0]["status"], 422, "{}", answer.text);
            } else {
                assert!(answer.status.is_client_error(), "{operation:#}: {}", answer.text);
            }
            asked += 1;
        }
    }
    assert!(asked > 100, "{asked}");
    assert_eq!(server.balance("acme").await["available"], 50, "nothing was spent");
}

/// By itself, a word would also be read from an object that has it as its only name, and a number would be no JSON.
#[tokio::test]
async fn a_word_is_a_text() {
    let server = Server::start().await;
    server.open("acme").await;
    let url = "https://example.com";
    let shop = json!({ "plan": "creator", "success_url": url, "cancel_url": url });
    for (path, mut body, field, word) in [
        ("/v1/commands", json!({ "account": "acme", "amount": 1 }), "command", "deduct"),
        ("/v1/accounts/acme/grants", json!({ "amount": 1, "reason": "x" }), "source", "bonus"),
        ("/v1/accounts/acme/holds/hold_1/commit", json!({ "amount": 1 }), "excess", "cap"),
        ("/v1/accounts/ada/import", json!({ "amount": 1 }), "source", "bonus"),
        ("/v1/api-keys", json!({ "name": "x" }), "scopes", "admin"),
        ("/v1/accounts/acme/checkout-sessions", shop, "interval", "year"),
        ("/v1/accounts/acme/portal-sessions", json!({ "return_url": url }), "interval", "year"),
        ("/v1/accounts/acme/subscriptions", json!({ "plan": "creator" }), "interval", "year"),
        ("/v1/accounts/acme/subscription/change", json!({}), "interval", "year"),
        ("/v1/accounts/acme/subscription/cancel", json!({}), "at", "now"),
        ("/v1/accounts/acme/subscription/cancel", json!({ "at": "now" }), "feedback", "other"),
        ("/v1/accounts/acme/payments/pi_1/cancel", json!({}), "reason", "duplicate"),
        ("/v1/accounts/acme/payments/pi_1/refunds", json!({ "amount": 1 }), "reason", "duplicate"),
    ] {
        for no_word in [json!({ word: null }), json!(0), json!([word])] {
            body[field] = if field == "scopes" { json!([no_word]) } else { no_word };
            let sent = match path {
                "/v1/commands" => json!([body]),
                "/v1/accounts/ada/import" => json!({ "grants": [body] }),
                _ => body.clone(),
            };
            let call = server.post(path, sent).header("idempotency-key", "k");
            let answer = call.send().await;
            let problem = if path == "/v1/commands" { &answer.body[0]["body"] } else { &answer.body };
            assert_eq!(problem["code"], "invalid_request", "{path} {body}: {}", answer.text);
            let place = problem["path"].as_str().unwrap_or_default();
            assert!(place.contains(&format!(".{field}")), "{path} {body}: {}", answer.text);
        }
    }
    assert_eq!(server.balance("acme").await["available"], 50);
}

#[tokio::test]
async fn no_account_is_another_place_in_an_address() {
    let server = Server::start().await;
    let batch = json!([{ "command": "open", "account": ".." }]);
    let answer = server.post("/v1/commands", batch).send().await;
    assert_eq!(answer.body[0]["status"], 422, "{}", answer.text);
}
