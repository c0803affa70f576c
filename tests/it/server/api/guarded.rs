//! What may a browser make of an answer?

use fantoccini::Locator;
use serde_json::json;

use crate::support::{browser::Browser, http::Server, optional::leave_out};

#[tokio::test]
async fn an_answer_for_one_caller_is_kept_nowhere_and_is_what_it_says() {
    let server = Server::start().await;
    server.open("acme").await;
    let deducted = server.post("/v1/accounts/acme/deductions", json!({ "amount": 1 })).send().await;
    let refused = server.get("/v1/accounts/nobody").send().await;
    let keyless = server.get("/v1/accounts/acme").without_key().send().await;
    for answer in [deducted, refused, keyless, server.get("/v1/accounts/acme/balance").send().await] {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", answer.text);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(
            answer.header("content-security-policy"),
            Some("default-src 'none'; frame-ancestors 'none'")
        );
    }
    // What is for everybody may be kept.
    assert_eq!(server.get("/v1/catalog").without_key().send().await.header("cache-control"), None);
}

/// The page works with what it may load.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_the_document_is_shown_by_itself_alone() {
    let server = Server::start().await;
    let page = reqwest::get(format!("{}/docs/", server.address)).await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'self'"), "{policy}");
    let Some(browser) = Browser::open().await else {
        return leave_out("chromedriver, of the package chromium-driver, was not found");
    };
    browser.page.goto(&format!("{}/docs/", server.address)).await.unwrap();
    let shown = browser.page.wait().for_element(Locator::Css(".opblock")).await;
    assert!(shown.is_ok(), "{}", browser.page.source().await.unwrap());
    browser.close().await;
}
