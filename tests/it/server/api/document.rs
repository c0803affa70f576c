//! Is the committed document the one of this program, and is it whole?

use std::collections::BTreeSet;

use counterfoil::http::{ProblemCode, document};
use serde_json::Value;

use crate::support::{
    http::Server,
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
    let served: Value = serde_json::from_str(&get("/openapi.json").await).expect("JSON");
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
    let described: BTreeSet<&str> =
        counterfoil::http::operations().iter().map(|described| described.id.as_str()).collect();
    assert_eq!(routed, described);
}

#[test]
fn every_code_is_listed_by_an_operation() {
    let operations = counterfoil::http::operations();
    let listed: BTreeSet<&str> =
        operations.iter().flat_map(|described| described.codes.iter().map(|code| code.name)).collect();
    // These have no operation: nothing is at the address, or nothing that the ledger is asked for refuses so.
    let unlisted = ["route_not_found", "method_not_allowed"];
    for ProblemCode { name, .. } in ProblemCode::all() {
        assert!(listed.contains(name) != unlisted.contains(name), "{name}");
    }
}

#[test]
fn codes_are_unique_and_problems_are_errors() {
    let mut seen = BTreeSet::new();
    for ProblemCode { status, name, title, advice, .. } in ProblemCode::all() {
        assert!(seen.insert(name), "{name} is there twice");
        assert!(status.is_client_error() || status.is_server_error());
        assert!(!advice.is_empty() && !title.ends_with('.'));
    }
}

/// Each value of the document, with where it is.
fn values() -> Vec<(String, &'static Value)> {
    let (mut found, mut left) = (Vec::new(), vec![(String::new(), specification::document())]);
    while let Some((place, value)) = left.pop() {
        let of_object = value.as_object().into_iter().flatten();
        left.extend(of_object.map(|(name, inner)| (format!("{place}/{}", name.replace('/', "~1")), inner)));
        let of_list = value.as_array().into_iter().flatten().enumerate();
        left.extend(of_list.map(|(index, inner)| (format!("{place}/{index}"), inner)));
        found.push((place, value));
    }
    found
}

#[test]
fn every_reference_leads_somewhere() {
    let mut followed = 0;
    for (place, value) in values() {
        if let Some(reference) = value["$ref"].as_str() {
            let target =
                reference.strip_prefix('#').and_then(|pointer| specification::document().pointer(pointer));
            assert!(target.is_some(), "{place}: {reference} leads nowhere");
            followed += 1;
        }
    }
    assert!(followed > 1_000, "{followed}");
}

#[test]
fn a_body_that_may_be_left_out_is_not_one_that_may_be_null() {
    let mut optional = 0;
    for operation in operations() {
        for (kind, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
            let (schema, required) = (&content["schema"], &operation["requestBody"]["required"]);
            let id = &operation["operationId"];
            assert!(!schema["oneOf"].is_array() && !schema["anyOf"].is_array(), "{id} {kind}: {schema}");
            assert!(required.is_boolean(), "{id} says whether it needs a body");
            optional += usize::from(required == false);
        }
    }
    assert_eq!(optional, 11);
}

/// A client is generated from it: what is described once there is one type here, and not one for each route.
#[test]
fn a_problem_is_described_once_and_each_answer_says_its_codes() {
    let mut answers = 0;
    for operation in operations() {
        for (status, answer) in operation["responses"].as_object().expect("answers") {
            let schema = &answer["content"]["application/problem+json"]["schema"];
            if schema.is_null() {
                continue;
            }
            let any = schema["anyOf"].as_array().map_or_else(|| vec![schema], |any| any.iter().collect());
            let codes = answer["x-codes"]
                .as_array()
                .expect("codes")
                .iter()
                .map(|code| code.as_str().expect("a code"));
            let named = codes.map(|code| {
                let code = ProblemCode::all().find(|known| known.name == code).expect("a code that is known");
                assert_eq!(&code.status.as_u16().to_string(), status);
                let own = specification::schema_of(code.name);
                let has_members = specification::document()["components"]["schemas"][&own].is_object();
                format!("#/components/schemas/{}", if has_members { &own } else { "Problem" })
            });
            let referred = any.iter().map(|schema| schema["$ref"].as_str().expect("a reference").to_owned());
            let id = &operation["operationId"];
            assert_eq!(referred.collect::<BTreeSet<_>>(), named.collect::<BTreeSet<_>>(), "{id} {status}");
            answers += 1;
        }
    }
    assert!(answers > 500, "{answers}");
}
