//! Is the committed document the one of this program, and is it whole?

use std::collections::BTreeSet;

use counterfoil::http::{OPERATIONS, code::Code, document};

use super::{
    server::Server,
    specification::{self, operations},
};

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");

#[test]
fn the_committed_document_is_the_generated_one() {
    let generated = document().to_pretty_json().expect("JSON") + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(COMMITTED, &generated).expect("docs/ can be written");
    }
    let committed = std::fs::read_to_string(COMMITTED).expect("docs/openapi.json is there");
    assert!(
        committed == generated,
        "docs/openapi.json is not up to date: run the tests with UPDATE_GOLDEN=1"
    );
}

#[tokio::test]
async fn the_document_and_its_explorer_are_served_to_everybody() {
    let server = Server::start().await;
    let get = async |path: &str| {
        let answer = reqwest::get(format!("{}{path}", server.address)).await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.expect("text")
    };
    let served: serde_json::Value = serde_json::from_str(&get("/openapi.json").await).expect("JSON");
    assert_eq!(&served, specification::document());
    let page = get("/docs").await;
    assert!(page.contains("swagger-ui"), "{page}");
    assert!(!page.contains("https://"), "nothing is loaded from elsewhere");
    assert!(get("/docs/swagger-initializer.js").await.contains("/openapi.json"));
    assert!(get("/docs/swagger-ui-bundle.js").await.len() > 100_000);
}

#[test]
fn every_operation_is_described_and_every_description_is_of_one() {
    let routed: BTreeSet<&str> =
        operations().iter().map(|operation| operation["operationId"].as_str().expect("an id")).collect();
    let described: BTreeSet<&str> = OPERATIONS.iter().map(|described| described.id).collect();
    assert_eq!(routed, described);
}

#[test]
fn every_code_is_listed_by_an_operation() {
    let listed: BTreeSet<Code> = OPERATIONS.iter().flat_map(|described| described.codes()).collect();
    // These have no operation: nothing is at the address, or nothing that the ledger is asked for refuses so.
    let unlisted = [Code::RouteNotFound, Code::MethodNotAllowed];
    for code in Code::ALL {
        assert!(listed.contains(code) != unlisted.contains(code), "{code:?}");
    }
}

#[test]
fn codes_are_unique_and_problems_are_errors() {
    let mut seen = BTreeSet::new();
    for code in Code::ALL {
        let about = code.about();
        assert!(seen.insert(about.code), "{} is there twice", about.code);
        assert!(about.status.is_client_error() || about.status.is_server_error());
        assert!(!about.advice.is_empty() && !about.title.ends_with('.'));
    }
}
