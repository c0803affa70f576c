//! Do the figures of the story's revenue say what they mean, and lead to the rows that make them up?

use serde_json::{Value, json};

use super::ending::{FROM, TO};
use crate::support::{
    documents::{SHAPES, story},
    in_process::Program,
    ledger::noon,
};

const TYPES: [&str; 5] = ["new", "reactivation", "expansion", "contraction", "churn"];

async fn told(shape: &str) -> Program {
    let program = Program::start(noon()).await;
    for file in story(shape) {
        program.deliver(shape, &file).await;
    }
    program.handled().await;
    program
}

fn whole(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value}"))
}

/// All that an address lists, two a page.
async fn listed(program: &Program, link: &Value, name: &str) -> Vec<Value> {
    let (link, mut all, mut next) = (link.as_str().expect("an address"), Vec::new(), String::new());
    loop {
        let page = program.read(&format!("{link}&limit=2{next}")).await;
        all.extend(page[name].as_array().unwrap_or_else(|| panic!("{page}")).iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else { return all };
        next = format!("&cursor={cursor}");
    }
}

/// The sum of the MRR of accounts, and how many there are. Each has the movement that led to it.
async fn paid(program: &Program, link: &Value) -> (i64, i64) {
    let rows = listed(program, link, "rows").await;
    for row in &rows {
        let movements = listed(program, &row["movements"], "movements").await;
        assert_eq!(movements.len(), 1, "{row}");
        assert_eq!(movements[0]["after"], row["mrr"], "{row}");
    }
    (rows.iter().map(|row| whole(&row["mrr"])).sum(), i64::try_from(rows.len()).expect("few"))
}

async fn leads_to_its_rows(program: &Program, figures: &Value) {
    for kind in TYPES {
        let movements = listed(program, &figures[kind]["rows"], "movements").await;
        let sum: i64 = movements.iter().map(|one| whole(&one["after"]) - whole(&one["before"])).sum();
        let count = i64::try_from(movements.len()).expect("few");
        assert_eq!(
            (sum, count),
            (whole(&figures[kind]["amount"]), whole(&figures[kind]["count"])),
            "{figures}"
        );
        assert!(movements.iter().all(|one| one["type"] == kind && one["currency"] == figures["currency"]));
    }
    let expected = (whole(&figures["mrr"]), whole(&figures["paying_accounts"]));
    assert_eq!(paid(program, &figures["rows"]["mrr"]).await, expected, "{figures}");
    assert_eq!(figures["rows"]["mrr"], figures["rows"]["paying_accounts"]);
    let (at_start, _) = paid(program, &figures["rows"]["mrr_at_start"]).await;
    assert_eq!(at_start, whole(&figures["mrr_at_start"]), "{figures}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_of_revenue_lead_to_the_rows_that_sum_to_them() {
    let program = told(SHAPES[0]).await;
    for interval in ["month", "quarter", "week"] {
        let path = format!("/v1/analytics/mrr?from={FROM}&to={TO}&interval={interval}");
        let answer = program.read(&path).await;
        let series = answer["series"].as_array().expect("a series");
        assert!(series.iter().any(|figures| whole(&figures["expansion"]["count"]) > 0));
        for figures in series {
            leads_to_its_rows(&program, figures).await;
        }
        let named: Vec<&str> = answer["definitions"]
            .as_array()
            .expect("a list")
            .iter()
            .flat_map(|of| of["figure"].as_str())
            .collect();
        let named: Vec<&str> = named.into_iter().flat_map(|names| names.split(", ")).collect();
        let without = ["currency", "start", "rows"];
        for shown in
            series[0].as_object().expect("figures").keys().filter(|name| !without.contains(&name.as_str()))
        {
            assert!(named.contains(&shown.as_str()), "{shown} has no definition");
        }
        let euros = program.read(&format!("{path}&currency=eur")).await;
        assert_eq!((&euros["series"], &euros["retention"]), (&json!([]), &json!([])));
        let dollars = program.read(&format!("{path}&currency=USD")).await;
        assert_eq!(dollars["series"], answer["series"]);
    }
    // All of it was told long after.
    let answer = program.read(&format!("/v1/analytics/mrr?from={FROM}&to={TO}")).await;
    assert_eq!(answer["restated_since"], json!(noon()));
    let path = "/v1/analytics/mrr?from=2025-06-01&to=2025-06-30&interval=month";
    let csv = program.server.get(path).header("accept", "text/csv").send().await;
    let mut lines = csv.text.lines();
    let columns = "start,currency,mrr_at_start,new,new_count,reactivation,reactivation_count,expansion,\
        expansion_count,contraction,contraction_count,churn,churn_count,mrr,paying_accounts";
    assert_eq!(lines.next(), Some(columns));
    assert_eq!(lines.next(), Some("2025-06-01,usd,0,3998,2,0,0,1000,1,0,0,0,0,4998,2"));
    assert_eq!(lines.next(), None);
}

/// Fails unless the rows of each part of churn sum to it.
async fn churn_leads_to_its_rows(program: &Program, figures: &Value) {
    let accounts = listed(program, &figures["rows"]["accounts_churned"], "rows").await;
    assert_eq!(figures["accounts_churned"], json!(accounts.len()), "{figures}");
    let (mut amount, mut count) = (0, 0);
    for class in ["voluntary", "involuntary", "other"] {
        let part = &figures[class];
        let rows = listed(program, &part["rows"]["accounts"], "rows").await;
        assert_eq!(part["accounts"], json!(rows.len()), "{class} of {figures}");
        let movements = listed(program, &part["rows"]["amount"], "movements").await;
        let sum: i64 = movements.iter().map(|one| whole(&one["after"]) - whole(&one["before"])).sum();
        assert_eq!((&part["amount"], &part["count"]), (&json!(sum), &json!(movements.len())), "{class}");
        let causes = part["causes"].as_array().expect("causes");
        assert!(causes.iter().all(|cause| cause["reason"] == "unknown"), "{part}");
        assert_eq!(causes.iter().map(|cause| whole(&cause["amount"])).sum::<i64>(), sum);
        (amount, count) = (amount + sum, count + movements.len());
    }
    assert_eq!((&figures["churn"]["amount"], &figures["churn"]["count"]), (&json!(amount), &json!(count)));
    for (name, link) in [("mrr_at_start", "mrr_at_start"), ("accounts_at_start", "accounts_at_start")] {
        let (mrr, accounts) = paid(program, &figures["rows"][link]).await;
        assert_eq!(figures[name], json!(if name == "mrr_at_start" { mrr } else { accounts }), "{figures}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn churn_says_who_asked_for_it_and_leads_to_its_rows() {
    let program = told(SHAPES[0]).await;
    let path = format!("/v1/analytics/churn?from={FROM}&to={TO}&interval=month");
    let answer = program.read(&path).await;
    let series = answer["series"].as_array().expect("a series");
    for figures in series {
        churn_leads_to_its_rows(&program, figures).await;
    }
    let of = |start: &str| series.iter().find(|figures| figures["start"] == start).expect("a month");
    // Bob had cancelled at the end of his period.
    let july = of("2025-07-01");
    assert_eq!((&july["voluntary"]["amount"], &july["logo_churn"]), (&json!(-2_999), &json!("0.5000")));
    assert_eq!(july["gross_revenue_churn"], "0.6000", "2999 of 4998");
    // Ada's payments were paused for a day.
    let august = of("2025-08-01");
    assert_eq!((&august["other"]["amount"], &august["voluntary"]["accounts"]), (&json!(-999), &json!(0)));
    assert_eq!(august["other"]["causes"][0]["cause"], "paused");
    // 1000 less by the downgrade, 999 by the pause, of 1999; 999 came back.
    assert_eq!(august["gross_revenue_churn"], "1.0000");
    assert_eq!(august["net_revenue_churn"], "1.0000");
    assert_eq!(august["net_revenue_churn_with_reactivation"], "0.5003");
    // Nobody is left.
    assert_eq!(answer["at_risk"], json!([]));
}

/// Fails unless the accounts of a cohort sum to its figures of one month.
async fn cohort_leads_to_its_rows(program: &Program, cohort: &Value, month: &Value) {
    let rows = listed(program, &month["rows"], "rows").await;
    assert_eq!(cohort["accounts"], json!(rows.len()), "{month}");
    let sum = |name: &str| rows.iter().map(|row| whole(&row[name])).sum::<i64>();
    assert_eq!((&month["mrr"], &month["kept"]), (&json!(sum("mrr")), &json!(sum("kept"))), "{month}");
    assert_eq!(cohort["mrr_at_start"], json!(sum("mrr_at_start")));
    let paying = json!(format!("{}&paying=true", month["rows"].as_str().expect("an address")));
    assert_eq!(month["accounts"], json!(listed(program, &paying, "rows").await.len()), "{month}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cohorts_and_retention_lead_to_their_rows() {
    let program = told(SHAPES[0]).await;
    let answer = program.read("/v1/analytics/cohorts?from=2025-06-10&to=2025-09-30").await;
    let cohorts = answer["cohorts"].as_array().expect("cohorts");
    assert_eq!(cohorts.len(), 1, "both first paid in June: {answer}");
    let june = &cohorts[0];
    assert_eq!(
        (&june["month"], &june["accounts"], &june["mrr_at_start"]),
        (&json!("2025-06-01"), &json!(2), &json!(4_998))
    );
    let months = june["months"].as_array().expect("months");
    let seen: Vec<_> = months.iter().map(|of| (&of["accounts"], &of["net_revenue_retention"])).collect();
    let expected =
        [(2, "1.0000"), (1, "0.4000"), (1, "0.1999"), (0, "0.0000")].map(|of| (json!(of.0), json!(of.1)));
    assert_eq!(seen, expected.iter().map(|(accounts, share)| (accounts, share)).collect::<Vec<_>>());
    for month in months {
        cohort_leads_to_its_rows(&program, june, month).await;
    }
    let path = format!("/v1/analytics/retention?from={FROM}&to={TO}&interval=month");
    let answer = program.read(&path).await;
    for figures in answer["series"].as_array().expect("a series") {
        let rows = listed(&program, &figures["rows"], "rows").await;
        let sum = |name: &str| json!(rows.iter().map(|row| whole(&row[name])).sum::<i64>());
        let seen = ["mrr_at_start", "kept_and_grown", "kept"].map(|name| &figures[name]);
        assert_eq!(seen, ["mrr_at_start", "mrr_at_end", "kept"].map(sum).each_ref(), "{figures}");
        assert_eq!(figures["accounts_at_start"], json!(rows.len()));
        let kept = rows.iter().filter(|row| whole(&row["mrr_at_end"]) > 0).count();
        assert_eq!(figures["accounts_kept"], json!(kept));
    }
    // Nobody paid before June, so nothing of it can be left.
    assert_eq!(answer["series"][1]["net_revenue_retention"], Value::Null);
    assert_eq!(answer["series"][2]["logo_retention"], "0.5000", "Bob leaves in July");
}

/// Told until shortly before Bob's end: he has cancelled, and still pays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_set_to_end_is_at_risk_until_it_has_ended() {
    let program = Program::start(noon()).await;
    for file in story(SHAPES[0]).into_iter().take_while(|file| !file.contains("deleted.bob")) {
        program.deliver(SHAPES[0], &file).await;
    }
    program.handled().await;
    let answer = program.read("/v1/analytics/churn?from=2025-06-01&to=2025-06-30").await;
    let risk = answer["at_risk"].as_array().expect("a list");
    assert_eq!(risk.len(), 1, "{answer}");
    for (name, mrr) in [("set_to_end", 2_999), ("past_due", 0), ("all", 2_999)] {
        let part = &risk[0][name];
        let rows = listed(&program, &part["rows"], "rows").await;
        assert_eq!(rows.iter().map(|row| whole(&row["mrr"])).sum::<i64>(), mrr, "{name}");
        assert_eq!((&part["mrr"], &part["accounts"]), (&json!(mrr), &json!(rows.len())), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_figures_of_revenue_do_not_know_is_refused() {
    let program = Program::start(noon()).await;
    for (path, query, named) in [
        ("mrr", "from=2025-06-01&to=2025-06-30&currency=euro", "currency"),
        ("mrr", "from=2025-06-01&to=2025-06-30&time_zone=UTC", "time_zone"),
        ("movements", "from=2025-06-01&to=2025-06-30&currency=e", "currency"),
        ("movements", "from=2025-06-01&to=2025-06-30&churn=sad", "churn"),
        ("churn", "from=2025-06-01&to=2025-06-30&currency=e", "currency"),
        ("churn/rows", "from=2025-06-01&to=2025-06-30&churn=sad", "churn"),
        ("churn/rows", "from=2025-06-01&to=2025-06-30&cursor=acme", "cursor"),
        ("churn/at-risk", "set_to_end=soon", "set_to_end"),
        ("cohorts", "from=2025-06-01&to=2025-06-30&interval=day", "interval"),
        ("cohorts/rows", "month=2025-06-01&on=never", "on"),
        ("retention", "from=2025-06-01&to=2025-06-30&currency=e", "currency"),
        ("retention/rows", "from=2025-06-01&to=2025-06-30&cursor=acme", "cursor"),
        ("mrr/rows", "on=yesterday", "on"),
        ("mrr/rows", "on=2025-06-30&cursor=acme", "cursor"),
    ] {
        let answer = program.server.get(&format!("/v1/analytics/{path}?{query}")).send().await;
        answer.is_problem(400, "invalid_parameter");
        assert_eq!(answer.body["path"], named, "{}", answer.text);
    }
}
