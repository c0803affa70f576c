//! Does each figure close, say what it means, and lead to the rows that make it up?

use serde_json::{Value, json};

use crate::support::http::Server;

const DAYS: &str = "from=2026-10-01&to=2026-12-31";

/// A server of two accounts that got credits, used some and hold some.
async fn busy() -> Server {
    let server = Server::start().await;
    for account in ["acme", "band"] {
        server.open(account).await;
        server.grant(account, 100).await;
        let generation = json!({ "type": "standard_generation", "generation_id": format!("gen_{account}") });
        server.post(&format!("/v1/accounts/{account}/generations"), generation).send().await;
    }
    server.post("/v1/accounts/acme/deductions", json!({ "amount": 3 })).send().await;
    let held = json!({ "amount": 5, "generation_id": "gen_held", "expires_in_s": 600 });
    let held = server.post("/v1/accounts/band/holds", held).send().await;
    assert_eq!(held.status, 201, "{}", held.text);
    server
}

fn number(of: &Value, name: &str) -> i64 {
    of[name].as_i64().unwrap_or_else(|| panic!("{name} of {of}"))
}

const AMOUNTS: [&str; 3] = ["available", "held", "debt"];

/// Fails unless the rows of a figure sum to it, and the lines of each row's statement to the row.
async fn leads_to_its_rows(server: &Server, figure: &Value) {
    let (mut sums, mut count) = ([0; 3], 0);
    let link = figure["rows"].as_str().unwrap();
    let mut next = Some(format!("{link}&limit=1"));
    while let Some(path) = next.take() {
        let page = server.get(&path).send().await;
        for row in page.body["rows"].as_array().unwrap_or_else(|| panic!("{path}: {}", page.text)) {
            for (sum, name) in sums.iter_mut().zip(AMOUNTS) {
                *sum += number(row, name);
            }
            count += number(row, "count");
            let statement = server.get(row["statement"].as_str().unwrap()).send().await;
            let lines = statement.body["lines"].as_array().unwrap_or_else(|| panic!("{}", statement.text));
            let wanted = figure.get("generation_type");
            let lines =
                lines.iter().filter(|line| wanted.is_none_or(|kind| line["generation_type"] == *kind));
            let amounts: Vec<i64> = lines.map(|line| number(line, "amount")).collect();
            assert_eq!(amounts.iter().sum::<i64>(), number(row, "available"), "{row}");
            assert_eq!(i64::try_from(amounts.len()).unwrap(), number(row, "count"), "{row}");
        }
        next = page.body["next_cursor"].as_str().map(|cursor| format!("{link}&limit=1&cursor={cursor}"));
    }
    assert_eq!(sums, AMOUNTS.map(|name| number(figure, name)), "{figure}");
    if let Some(counted) = figure.get("count") {
        assert_eq!(counted, &json!(count), "{figure}");
    }
}

#[tokio::test]
async fn credits_close_and_lead_to_the_lines_of_statements() {
    let server = busy().await;
    let position = server.everything().await;
    for query in ["interval=month", "interval=year", "interval=day&time_zone=Asia/Kathmandu"] {
        let path = format!("/v1/analytics/credits?{DAYS}&{query}&min_position={position}");
        let answer = server.get(&path).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.body["restated_since"], Value::Null);
        let intervals = answer.body["intervals"].as_array().unwrap();
        let mut before = [0; 3];
        for interval in intervals {
            assert_eq!(before, AMOUNTS.map(|name| number(&interval["opening"], name)));
            let flows = interval["flows"].as_array().unwrap();
            for flow in flows {
                for (sum, name) in before.iter_mut().zip(AMOUNTS) {
                    *sum += number(flow, name);
                }
                leads_to_its_rows(&server, flow).await;
            }
            assert_eq!(before, AMOUNTS.map(|name| number(&interval["closing"], name)));
        }
        leads_to_its_rows(&server, &intervals.last().unwrap()["closing"]).await;
        let mut there = [0; 3];
        for account in ["acme", "band"] {
            let balance = server.balance(account).await;
            for (sum, name) in there.iter_mut().zip(AMOUNTS) {
                *sum += number(&balance, name);
            }
        }
        assert_eq!(before, there);
    }
}

#[tokio::test]
async fn credits_as_csv_have_a_line_for_each_flow() {
    let server = busy().await;
    let path =
        format!("/v1/analytics/credits?{DAYS}&interval=year&min_position={}", server.everything().await);
    let csv = server.get(&path).header("accept", "text/csv").send().await;
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines.first(), Some(&"start,type,generation_type,count,available,held,debt"));
    assert_eq!(lines.get(1), Some(&"2026-10-01,opening,,,0,0,0"));
    assert!(lines.contains(&"2026-10-01,bonus,,2,200,0,0"), "{}", csv.text);
    assert!(lines.contains(&"2026-10-01,usage,standard_generation,2,-10,0,0"), "{}", csv.text);
    assert!(lines.contains(&"2026-10-01,hold,,1,-5,5,0"), "{}", csv.text);
}

#[tokio::test]
async fn what_figures_do_not_know_is_refused() {
    let server = Server::start().await;
    for (query, path) in [
        ("interval=hour", "interval"),
        ("time_zone=Mars/Olympus", "time_zone"),
        ("colour=red", "colour"),
        ("preset=other", "preset"),
    ] {
        let answer = server.get(&format!("/v1/analytics/credits?{DAYS}&{query}")).send().await;
        answer.is_problem(400, "invalid_parameter");
        assert_eq!(answer.body["path"], path, "{}", answer.text);
    }
    for (query, path) in
        [("type=luck", "type"), ("generation_type=a%20b", "generation_type"), ("cursor=a%20b", "cursor")]
    {
        let answer = server.get(&format!("/v1/analytics/credits/rows?{DAYS}&{query}")).send().await;
        answer.is_problem(400, "invalid_parameter");
        assert_eq!(answer.body["path"], path, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_runway_is_what_is_available_by_the_use_of_a_week() {
    let server = busy().await;
    server.open("idle").await;
    let position = server.everything().await;
    let runway = async |account: &str| {
        server.get(&format!("/v1/accounts/{account}/runway?min_position={position}")).send().await.body
    };
    let acme = runway("acme").await;
    assert_eq!((&acme["available"], &acme["used"]), (&json!(142), &json!(8)), "{acme}");
    assert_eq!((&acme["mean_daily_use"], &acme["days"]), (&json!("1.14"), &json!("124.25")), "{acme}");
    assert!(acme["empty_at"].is_string() && acme["not_applicable"] == json!([]), "{acme}");
    assert_eq!((&acme["next_credits_at"], &acme["empty_before_next_credits"]), (&Value::Null, &Value::Null));
    let idle = runway("idle").await;
    assert_eq!((&idle["used"], &idle["days"], &idle["empty_at"]), (&json!(0), &Value::Null, &Value::Null));
    assert_eq!(idle["not_applicable"], json!(["days"]), "{idle}");
    let refund = json!({ "generation_id": "gen_acme", "reason": "failed" });
    server.post("/v1/accounts/acme/refunds", refund).send().await;
    let position = server.everything().await;
    let acme = server.get(&format!("/v1/accounts/acme/runway?min_position={position}")).send().await.body;
    assert_eq!((&acme["available"], &acme["used"]), (&json!(147), &json!(3)), "{acme}");
    server.get("/v1/accounts/nobody/runway").send().await.is_problem(404, "account_not_found");
}
