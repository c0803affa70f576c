//! Does `counterfoil report` say what the API says, to people, programs and spreadsheets?

use serde_json::Value;

use super::serve::off_thread;
use crate::support::{http::Server, program};

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_credits_is_what_the_api_answers() {
    let server = Server::start().await;
    server.open("acme").await;
    server.grant("acme", 100).await;
    let spent = serde_json::json!({ "type": "standard_generation", "generation_id": "gen_1" });
    server.post("/v1/accounts/acme/generations", spent).send().await;
    let days = "from=2026-10-01&to=2026-12-31&interval=month&time_zone=UTC";
    let position = server.everything().await;
    let path = format!("/v1/analytics/credits?{days}&min_position={position}");
    let mut answer = server.get(&path).send().await.body;
    let file = server.get(&path).header("accept", "text/csv").send().await.text;
    for interval in answer["intervals"].as_array_mut().expect("intervals") {
        let flows = interval["flows"].as_array().cloned().unwrap_or_default();
        interval["flows"] = flows.into_iter().map(without_rows).collect();
        for stock in ["opening", "closing"] {
            interval[stock] = without_rows(interval[stock].take());
        }
    }
    let url = server.test.database.url();
    let run = move |more: &[&str]| {
        let asked = ["report", "credits", "--from", "2026-10-01", "--to", "2026-12-31"];
        let arguments: Vec<&str> = asked.iter().chain(more).copied().collect();
        program::run(program::command(&arguments).env("DATABASE_URL", &url))
    };
    let (shown, printed, saved, wrong, long) = off_thread(move || {
        let days = ["--from", "2000-01-01", "--to", "2026-10-01"];
        let long = program::run(program::command(&["report", "credits"]).args(days));
        let wrong = program::run(&mut program::command(&[
            "report",
            "credits",
            "--from",
            "2026-10-02",
            "--to",
            "2026-10-01",
        ]));
        (program::json(&run(&["--json"])), run(&[]), run(&["--csv"]), wrong, long)
    })
    .await;
    assert_eq!(shown["intervals"], answer["intervals"]);
    assert_eq!(String::from_utf8_lossy(&saved.stdout), file);
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    let november: Vec<&str> = printed
        .lines()
        .find(|line| line.contains("2026-11-01"))
        .expect("a line")
        .split_whitespace()
        .collect();
    let figures = november.iter().filter_map(|word| word.parse().ok()).collect::<Vec<i64>>();
    assert_eq!(figures, [0, 150, 0, -5, 0, 0, 145], "{printed}");
    assert!(printed.contains('█'), "{printed}");
    assert_eq!(program::code(&wrong), 2);
    assert!(program::stderr(&wrong).contains("--to is before --from"));
    assert_eq!(program::code(&long), 2);
    assert!(program::stderr(&long).contains("at most 3660 days"), "{}", program::stderr(&long));
    // How old they are, in each form.
    assert_eq!((&shown["lag_events"], &shown["lag_ms"]), (&Value::from(0), &Value::from(0)));
    assert!(printed.contains("It has every event up to now."), "{printed}");
    assert!(program::stderr(&saved).contains("It has every event up to now."));
    // The days are those of the catalog in use, as over HTTP.
    assert_eq!(shown["time_zone"], "UTC");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_deferred_revenue_is_what_the_api_answers() {
    let server = Server::start().await;
    let grant = serde_json::json!({
        "source": "top_up", "amount": 100, "cost": { "minor": 1_000, "currency": "usd" },
    });
    let state = serde_json::json!({ "as_of": "2026-11-01T00:00:00Z", "grants": [grant] });
    let moved = server.post("/v1/accounts/acme/import", state).send().await;
    assert_eq!(moved.status, 201, "{}", moved.text);
    server.post("/v1/accounts/acme/deductions", serde_json::json!({ "amount": 80 })).send().await;
    let position = server.everything().await;
    let path = "/v1/analytics/deferred-revenue?from=2026-10-01&to=2026-12-31&interval=month";
    let path = format!("{path}&min_position={position}");
    let mut answer = server.get(&path).send().await.body;
    let file = server.get(&path).header("accept", "text/csv").send().await.text;
    for figures in answer["series"].as_array_mut().expect("a series") {
        for list in ["flows", "contra"] {
            let flows = figures[list].as_array().cloned().unwrap_or_default();
            figures[list] = flows.into_iter().map(without_rows).collect();
        }
        for stock in ["opening", "closing"] {
            figures[stock] = figures[stock]["amount"].clone();
        }
    }
    let url = server.test.database.url();
    let run = move |more: &[&str]| {
        let asked = ["report", "deferred-revenue", "--from", "2026-10-01", "--to", "2026-12-31"];
        let arguments: Vec<&str> = asked.iter().chain(more).copied().collect();
        program::run(program::command(&arguments).env("DATABASE_URL", &url))
    };
    let (shown, printed, saved, none) = off_thread(move || {
        let shown = program::json(&run(&["--json"]));
        (shown, run(&[]), run(&["--csv"]), program::json(&run(&["--json", "--currency", "eur"])))
    })
    .await;
    assert_eq!(shown["series"], answer["series"]);
    assert_eq!(String::from_utf8_lossy(&saved.stdout), file);
    assert_eq!(none["series"], serde_json::json!([]));
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    let last = printed.lines().find(|line| line.contains("2026-12-01")).expect("a line");
    assert!(last.contains('█') && printed.contains("It has every event up to now."), "{printed}");
}

fn without_rows(mut figure: Value) -> Value {
    figure.as_object_mut().expect("a figure").remove("rows");
    figure
}
