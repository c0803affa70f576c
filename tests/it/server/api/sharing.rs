//! May pages of other sites read what is for everybody, and nothing else?

use reqwest::{Method, Response};
use serde_json::json;

use crate::support::{http::Server, specification};

const OTHER: &str = "https://shop.example";
const ALLOWED: &str = "access-control-allow-origin";
const SHARED: [&str; 5] =
    ["/v1/catalog", "/v1/products", "/v1/products/{product}", "/v1/prices", "/openapi.json"];

/// A request as a browser sends it from a page of another site.
async fn from_page(server: &Server, method: Method, path: &str, with_key: bool) -> Response {
    let url = format!("{}{path}", server.address);
    let request = reqwest::Client::new().request(method, url).header("origin", OTHER);
    let request = if with_key { request.bearer_auth(&server.admin) } else { request };
    request.send().await.expect("an answer")
}

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers().get(name).map(|value| value.to_str().expect("text"))
}

/// Every address of the document and a few besides, with something in the place of each name.
fn addresses() -> Vec<(String, String)> {
    let paths = specification::document()["paths"].as_object().unwrap().keys().cloned();
    let besides = ["/openapi.json", "/docs/", "/v1/nothing", "/"].map(str::to_owned);
    let all = paths.chain(besides).map(|path| {
        let filled = path.replace("{product}", "creator");
        let filled = filled.split('/').map(|part| if part.starts_with('{') { "acme" } else { part });
        (path.clone(), filled.collect::<Vec<_>>().join("/"))
    });
    all.collect()
}

#[tokio::test]
async fn pages_of_other_sites_read_what_is_for_sale_and_nothing_else() {
    let server = Server::start().await;
    server.open("acme").await;
    let mut shared = 0;
    for (path, address) in addresses() {
        for (method, with_key) in [(Method::GET, true), (Method::GET, false), (Method::HEAD, false)] {
            let answer = from_page(&server, method.clone(), &address, with_key).await;
            let allowed = SHARED.contains(&path.as_str()).then_some("*");
            assert_eq!(header(&answer, ALLOWED), allowed, "{method} {address}: {}", answer.status());
            assert_eq!(header(&answer, "access-control-allow-credentials"), None, "{address}");
            shared += usize::from(allowed.is_some());
        }
    }
    assert_eq!(shared, SHARED.len() * 3);
    // What is not there is told, too.
    let none = from_page(&server, Method::GET, "/v1/products/gold", false).await;
    assert_eq!((none.status().as_u16(), header(&none, ALLOWED)), (404, Some("*")));
}

#[tokio::test]
async fn a_browser_that_asks_first_is_told_that_it_may_read() {
    let server = Server::start().await;
    for (path, address) in addresses() {
        let answer = from_page(&server, Method::OPTIONS, &address, false).await;
        if SHARED.contains(&path.as_str()) {
            assert_eq!(
                (answer.status().as_u16(), answer.content_length().unwrap_or(0)),
                (204, 0),
                "{address}"
            );
            assert_eq!(header(&answer, ALLOWED), Some("*"));
            assert_eq!(header(&answer, "access-control-allow-methods"), Some("GET, HEAD"), "{address}");
        } else {
            assert!([401, 404, 405].contains(&answer.status().as_u16()), "{address}: {}", answer.status());
            assert_eq!(header(&answer, ALLOWED), None, "{address}");
        }
    }
    for (path, body) in [("/v1/products", json!({})), ("/v1/prices", json!({}))] {
        let made = server.post(path, body).header("origin", OTHER).send().await;
        assert_eq!(made.header(ALLOWED), None, "{path}: what changes something is for no page");
    }
}
