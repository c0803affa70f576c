//! What is read from read models, delivered by Stripe, and audited.

use std::sync::Arc;

use chrono::TimeDelta;
use chrono_tz::Tz;
use counterfoil::{
    auth::keys::KeyScope,
    domain::{
        catalog::{Limit, Measure, WindowKind},
        time::{CalendarUnit, Timestamp},
    },
    http::HttpSettings,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    http::Server,
    ledger::{TestLedger, music, noon},
};

const NOON: &str = "2026-11-20";

async fn busy() -> (Server, String) {
    let server = Server::start().await;
    server.open("acme").await;
    let generation = json!({ "type": "standard_generation", "generation_id": "gen_1" });
    server.post("/v1/accounts/acme/generations", generation).send().await;
    let spent = json!({ "amount": 3, "description": "a \"quoted\", line" });
    let last = server.post("/v1/accounts/acme/deductions", spent).send().await;
    let position = last.body["position"].as_str().unwrap().to_owned();
    (server, position)
}

#[tokio::test]
async fn a_statement_has_every_movement_in_pages_and_as_csv() {
    let (server, position) = busy().await;
    let path = format!("/v1/accounts/acme/statement?min_position={position}");
    let all = server.get(&path).send().await;
    assert_eq!(all.header("counterfoil-position"), Some(position.as_str()));
    assert_eq!(all.header("counterfoil-lag-ms"), Some("0"));
    let lines = all.body["lines"].as_array().unwrap();
    let amounts: Vec<_> = lines.iter().map(|line| line["amount"].as_i64().unwrap()).collect();
    assert_eq!(amounts, [-3, -5, 50]);
    let words: Vec<_> = lines.iter().map(|line| line["description"].as_str().unwrap()).collect();
    assert_eq!(words, ["a \"quoted\", line", "standard_generation", "Credits for signing up"]);

    let usage = server.get(&format!("{path}&type=usage&limit=1")).send().await;
    assert_eq!(usage.body["lines"][0]["amount"], -3);
    let cursor = usage.body["next_cursor"].as_str().unwrap();
    let rest = server.get(&format!("{path}&type=usage&limit=1&cursor={cursor}")).send().await;
    assert_eq!(rest.body["lines"][0]["generation_id"], "gen_1");

    let csv = server.get(&path).header("accept", "text/csv").send().await;
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[0].starts_with("sequence,line,effective_at"));
    assert!(lines[3].contains("\"a \"\"quoted\"\", line\""), "{}", lines[3]);
}

/// With its holds, and with what was given back.
#[tokio::test]
async fn all_that_a_generation_did_is_found_by_its_id() {
    let server = Server::start().await;
    server.open("acme").await;
    for id in ["gen_1", "gen_2"] {
        let held = json!({ "type": "standard_generation", "generation_id": id, "hold": true });
        let held = server.post("/v1/accounts/acme/generations", held).send().await;
        let hold = held.body["hold_id"].as_str().unwrap_or_else(|| panic!("{}", held.text));
        let committed = format!("/v1/accounts/acme/holds/{hold}/commit");
        assert_eq!(server.post(&committed, json!({})).send().await.status, 200);
    }
    let named = json!({ "amount": 1, "generation_id": "gen_1", "description": "a share" });
    assert_eq!(server.post("/v1/accounts/acme/deductions", named).send().await.status, 201);
    let refund = json!({ "generation_id": "gen_1", "reason": "failed" });
    let refunded = server.post("/v1/accounts/acme/refunds", refund).send().await;
    assert_eq!(refunded.status, 201, "{}", refunded.text);
    let path = "/v1/accounts/acme/statement?generation_id=gen_1";
    let whole = server.get(path).send().await;
    let types: Vec<_> = whole.body["lines"].as_array().unwrap().iter().map(|line| &line["type"]).collect();
    assert_eq!(types, ["refund", "refund", "usage", "usage", "hold_returned", "hold"], "{}", whole.text);
    for order in ["newest_first", "oldest_first"] {
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = server.get(&format!("{path}&limit=1&order={order}{cursor}")).send().await;
            paged.extend(page.body["lines"].as_array().unwrap().clone());
            let Some(next) = page.body["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        if order == "oldest_first" {
            paged.reverse();
        }
        assert_eq!(&paged, whole.body["lines"].as_array().unwrap());
    }
    let usage = server.get(&format!("{path}&type=usage")).send().await;
    assert_eq!(usage.body["lines"].as_array().unwrap().len(), 2);
}

/// What was held and never spent, and what a refund gave as a new grant.
#[tokio::test]
async fn what_came_back_of_a_generation_is_found_by_its_id_and_its_type() {
    let server = Server::start().await;
    server.open("acme").await;
    let held = async |id: &str| {
        let held = json!({ "type": "standard_generation", "generation_id": id, "hold": true });
        let held = server.post("/v1/accounts/acme/generations", held).send().await;
        held.body["hold_id"].as_str().unwrap_or_else(|| panic!("{}", held.text)).to_owned()
    };
    let released = format!("/v1/accounts/acme/holds/{}/release", held("gen_1").await);
    assert_eq!(server.post(&released, json!({})).send().await.status, 200);
    held("gen_2").await;
    let ends = noon().plus(TimeDelta::hours(1)).to_string();
    let short = json!({ "source": "bonus", "amount": 5, "reason": "today", "expires_at": ends });
    assert_eq!(server.post("/v1/accounts/acme/grants", short).send().await.status, 201);
    let generation = json!({ "type": "standard_generation", "generation_id": "gen_3" });
    assert_eq!(server.post("/v1/accounts/acme/generations", generation).send().await.status, 201);

    server.test.clock.set(noon().plus(TimeDelta::hours(2)));
    let refund = json!({ "generation_id": "gen_3", "reason": "failed" });
    let refunded = server.post("/v1/accounts/acme/refunds", refund).send().await;
    assert_eq!(refunded.status, 201, "{}", refunded.text);
    let types = async |filter: &str| {
        let path = format!("/v1/accounts/acme/statement?order=oldest_first&{filter}");
        let answer = server.get(&path).send().await;
        let lines = answer.body["lines"].as_array().unwrap_or_else(|| panic!("{}", answer.text)).clone();
        lines.iter().map(|line| line["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(types("generation_id=gen_1").await, ["hold", "hold_returned"]);
    assert_eq!(types("generation_id=gen_2").await, ["hold", "hold_returned"]);
    assert_eq!(types("generation_id=gen_3").await, ["usage", "refund"]);
    let all = ["hold", "hold_returned", "hold", "usage", "hold_returned", "refund"];
    assert_eq!(types("generation_type=standard_generation").await, all);
    // The generation is neither charged nor refunded a second time by these events.
    let position = refunded.body["position"].as_str().unwrap();
    let day = format!("/v1/accounts/acme/usage?from={NOON}&to={NOON}&min_position={position}");
    let usage = server.get(&day).send().await;
    let day = &usage.body["days"][0];
    let figures = ["count", "credits", "refunds", "credits_refunded"].map(|name| day[name].as_i64().unwrap());
    assert_eq!((usage.body["days"].as_array().unwrap().len(), figures), (1, [1, 5, 1, 5]), "{}", usage.text);
    let again = json!({ "generation_id": "gen_3", "reason": "failed" });
    server.post("/v1/accounts/acme/refunds", again).send().await.is_problem(409, "refund_exceeds_deduction");
}

#[tokio::test]
async fn what_a_table_would_run_is_text_in_a_csv() {
    let server = Server::start().await;
    server.open("acme").await;
    let formulas = ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "＝1"];
    let harmless = ["a-b", " =1", "1=1", "'=1", "\"=1\",2", "é@b"];
    let mut position = String::new();
    for text in formulas.iter().chain(&harmless) {
        let spent = json!({ "amount": 1, "description": text });
        let spent = server.post("/v1/accounts/acme/deductions", spent).send().await;
        // What is no plain text is not taken in the first place.
        if text.contains(['\t', '\r']) && spent.status == 422 {
            continue;
        }
        assert_eq!(spent.status, 201, "{text}: {}", spent.text);
        position = spent.body["position"].as_str().unwrap().to_owned();
    }
    let spent = json!({ "type": "standard_generation", "generation_id": "-gen" });
    let spent = server.post("/v1/accounts/acme/generations", spent).send().await;
    let position = spent.body["position"].as_str().map_or(position, str::to_owned);
    let path = format!("/v1/accounts/acme/statement?min_position={position}");
    let answer = server.get(&path).header("accept", "text/csv").send().await;
    let mut reader = csv::Reader::from_reader(answer.text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let told: Vec<&str> = rows.iter().map(|row| &row[11]).collect();
    for text in formulas.into_iter().filter(|text| !text.contains(['\t', '\r'])) {
        assert!(told.contains(&format!("'{text}").as_str()), "{text}: {told:?}");
    }
    for text in harmless {
        assert!(told.contains(&text), "{text}: {told:?}");
    }
    // Each number is one, also below nothing.
    assert!(rows.iter().all(|row| row[6].parse::<i64>().is_ok()), "{}", answer.text);
    assert!(rows.iter().any(|row| &row[6] == "-1"), "{}", answer.text);
    let runs =
        |cell: &str| cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<i64>().is_err();
    assert!(!rows.iter().flatten().any(runs), "{}", answer.text);
}

#[tokio::test]
async fn usage_is_counted_by_day_and_type() {
    let (server, position) = busy().await;
    let range = format!("from={NOON}&to={NOON}&min_position={position}");
    let of_account = server.get(&format!("/v1/accounts/acme/usage?{range}")).send().await;
    let days = of_account.body["days"].as_array().unwrap();
    let credits: Vec<_> = days.iter().map(|day| (&day["generation_type"], &day["credits"])).collect();
    assert!(credits.contains(&(&json!("standard_generation"), &json!(5))), "{}", of_account.text);
    assert!(credits.contains(&(&Value::Null, &json!(3))));
    let overall = server.get(&format!("/v1/analytics/usage?{range}&interval=month")).send().await;
    assert_eq!(overall.body["usage"][0]["start"], "2026-11-01", "{}", overall.text);
}

/// A server whose free plan counts credits by the day, week and month of `zone`.
async fn counting_in(zone: Tz) -> Server {
    let mut catalog = (*music()).clone();
    catalog.time_zone = zone;
    let units = [CalendarUnit::Day, CalendarUnit::Week, CalendarUnit::Month];
    for plan in &mut catalog.plans {
        let limit = |unit| Limit {
            measure: Measure::Credits,
            unit,
            window: WindowKind::Calendar,
            max: 100_000,
            per_seat: false,
        };
        plan.limits = units.map(limit).to_vec();
    }
    Server::start_on(TestLedger::selling(Arc::new(catalog)).await, HttpSettings::default()).await
}

/// West and east of Greenwich, by halves and quarters of an hour, and where the clocks change.
#[tokio::test]
async fn days_weeks_and_months_of_usage_are_those_of_limits() {
    for zone in [
        Tz::UTC,
        Tz::Europe__Berlin,
        Tz::America__Los_Angeles,
        Tz::Asia__Kolkata,
        Tz::Asia__Kathmandu,
        Tz::Australia__Lord_Howe,
    ] {
        let server = counting_in(zone).await;
        server.test.clock.set(Timestamp::parse("2027-01-01T00:00:00Z").unwrap());
        server.open("acme").await;
        server.grant("acme", 100_000).await;
        let mut amount = 1;
        for at in [
            "2027-03-27T18:14:59Z",
            "2027-03-27T18:15:00Z",
            "2027-03-27T18:30:00Z",
            "2027-03-27T23:00:00Z",
            "2027-03-28T06:59:59Z",
            "2027-03-28T07:00:00Z",
            "2027-03-28T21:59:59Z",
            "2027-03-28T22:00:00Z",
            "2027-03-29T00:00:00Z",
            "2027-03-31T13:00:00Z",
            "2027-03-31T18:20:00Z",
            "2027-03-31T22:00:00Z",
            "2027-04-01T06:59:00Z",
            "2027-04-01T07:00:00Z",
        ] {
            let now = Timestamp::parse(at).unwrap();
            server.test.clock.set(now);
            let spent = server.post("/v1/accounts/acme/deductions", json!({ "amount": amount })).send().await;
            amount *= 2;
            let limits = server.get("/v1/accounts/acme/limits").send().await.body;
            let position = spent.body["position"].as_str().unwrap();
            let today = now.to_utc().with_timezone(&zone).date_naive();
            for limit in limits["limits"].as_array().unwrap() {
                let range = format!("from=2027-03-01&to={today}&min_position={position}");
                let interval = limit["per"].as_str().unwrap();
                for path in ["/v1/accounts/acme/usage", "/v1/analytics/usage"] {
                    let used = server.get(&format!("{path}?{range}&interval={interval}")).send().await;
                    let rows = used.body["days"].as_array().or(used.body["usage"].as_array()).unwrap();
                    let last = rows.last().unwrap();
                    assert_eq!(
                        last["credits"], limit["used"],
                        "{zone} {at} {interval} {path}: {}",
                        used.text
                    );
                    assert_eq!(used.body["time_zone"], zone.name());
                }
            }
        }
        // All days, weeks and months together are the same.
        for interval in ["day", "week", "month"] {
            let range = format!("from=2027-03-01&to=2027-04-30&interval={interval}");
            let used = server.get(&format!("/v1/accounts/acme/usage?{range}")).send().await;
            let days = used.body["days"].as_array().unwrap();
            let sum: i64 = days.iter().map(|day| day["credits"].as_i64().unwrap()).sum();
            assert_eq!(sum, amount - 1, "{zone} {interval}: {}", used.text);
            assert!(days.is_sorted_by_key(|day| day["day"].as_str().unwrap().to_owned()));
        }
    }
}

/// A week that begins before the first day is named by its Monday, and only the days that were asked for count.
#[tokio::test]
async fn a_week_that_is_cut_counts_what_was_asked_for() {
    let (server, position) = busy().await;
    let used = async |range: &str| {
        let path = format!("/v1/accounts/acme/usage?{range}&min_position={position}");
        server.get(&path).send().await.body["days"].clone()
    };
    let week = used("from=2026-11-20&to=2026-11-21&interval=week").await;
    assert_eq!((&week[0]["day"], &week[0]["credits"]), (&json!("2026-11-16"), &json!(3)), "{week}");
    assert_eq!(used("from=2026-11-16&to=2026-11-19&interval=week").await, json!([]));
    let month = used("from=2026-11-20&to=2026-12-31&interval=month").await;
    assert_eq!(month[0]["day"], "2026-11-01", "{month}");
    let wrong =
        server.get(&format!("/v1/accounts/acme/usage?from={NOON}&to={NOON}&interval=decade")).send().await;
    wrong.is_problem(400, "invalid_parameter");
}

#[tokio::test]
async fn the_stream_is_read_in_pages_and_as_lines() {
    let (server, _) = busy().await;
    let first = server.get("/v1/accounts/acme/events?limit=2").send().await;
    let types: Vec<_> = first.body["events"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(types, ["AccountOpened", "CreditsGranted"]);
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let rest = server.get(&format!("/v1/accounts/acme/events?cursor={cursor}")).send().await;
    assert_eq!(rest.body["events"][0]["data"]["amount"], 5);
    assert_eq!(rest.body["next_cursor"], Value::Null);
    let lines = server.get("/v1/accounts/acme/events").header("accept", "application/x-ndjson").send().await;
    let events: Vec<Value> = lines.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 4);
    assert_eq!(events[3]["data"]["amount"], 3);
}

#[tokio::test]
async fn a_read_model_that_is_behind_is_waited_for_and_then_named() {
    let (server, position) = busy().await;
    // Beyond the end, and of a shard that there is not.
    for nowhere in ["p0-9999", "p1-1"] {
        for read in ["statement", "balance"] {
            let address = format!("/v1/accounts/acme/{read}?min_position={nowhere}");
            server.get(&address).send().await.is_problem(422, "position_unknown");
        }
    }
    let reached =
        server.get(&format!("/v1/accounts/acme/usage?from={NOON}&to={NOON}&min_position={position}"));
    assert_eq!(reached.send().await.status, 200);
}

fn delivery() -> Value {
    let text = include_str!("../../support/webhooks/2025-basil/customer.created.json");
    serde_json::from_str(text).expect("JSON")
}

#[tokio::test]
async fn a_delivery_is_kept_and_one_without_signature_is_not() {
    let server = Server::start().await;
    let event = delivery();
    let forged =
        server.call(Method::POST, "/v1/webhooks/stripe").without_key().json(event.clone()).send().await;
    forged.is_problem(400, "webhook_signature_invalid");
    let listed = server.get("/v1/inbox").send().await;
    assert_eq!(listed.body["events"], json!([]));

    for _ in 0..2 {
        let received = server.deliver(&event).await;
        assert_eq!((received.status.as_u16(), received.text.as_str()), (200, r#"{"received":true}"#));
    }
    let listed = server.get("/v1/inbox").send().await;
    assert_eq!(listed.body["events"].as_array().unwrap().len(), 1);
    let id = listed.body["events"][0]["event_id"].as_str().unwrap();
    let shown = server.get(&format!("/v1/inbox/{id}")).send().await;
    let object = |event: &Value| event["data"]["object"]["id"].clone();
    assert_eq!(object(&shown.body["document"]), object(&event));
    let operator = server.key([KeyScope::Operate], None).await;
    let shown = server.get(&format!("/v1/inbox/{id}")).key(&operator).send().await;
    assert_eq!(
        (shown.status.as_u16(), &shown.body["document"]),
        (200, &Value::Null),
        "that is for `billing`"
    );
}

#[tokio::test]
async fn revenue_is_empty_before_anybody_pays() {
    let server = Server::start().await;
    let range = "from=2025-06-01&to=2025-09-02";
    let mrr = server.get(&format!("/v1/analytics/mrr?{range}&interval=day")).send().await;
    assert_eq!((mrr.status.as_u16(), &mrr.body["series"]), (200, &json!([])), "{}", mrr.text);
    let movements = server.get(&format!("/v1/analytics/movements?{range}&type=churn")).send().await;
    assert_eq!(movements.body["movements"], json!([]));
    let invalid = server.get(&format!("/v1/analytics/movements?{range}&type=luck")).send().await;
    invalid.is_problem(400, "invalid_parameter");
}

#[tokio::test]
async fn an_auditor_replays_and_verifies() {
    let (server, _) = busy().await;
    let replay = server.get("/v1/audit/accounts/acme/replay").send().await;
    assert_eq!(replay.body["matches"], true, "{}", replay.text);
    assert_eq!(replay.body["balance"]["available"], 42);
    let verified = server.get("/v1/audit/verify").send().await;
    assert_eq!(
        (&verified.body["clean"], &verified.body["events"]),
        (&json!(true), &json!(4)),
        "{}",
        verified.text
    );
    let models = verified.body["read_models"].as_array().expect("a list");
    assert!(models.contains(&json!("usage")) && models.contains(&json!("mrr")), "{}", verified.text);
    let listed = server.get("/v1/projections").send().await;
    assert_eq!(listed.body["projections"][0]["state"], "live", "{}", listed.text);
}
