//! What is asked by whoever only reads.

use std::collections::BTreeMap;

use super::{Case, case, get};

pub(super) fn cases() -> BTreeMap<&'static str, Case> {
    let of_account = [
        ("get_account", ""),
        ("get_balance", "/balance"),
        ("get_overview", "/overview"),
        ("list_grants", "/grants"),
        ("list_holds", "/holds"),
        ("get_limits", "/limits"),
        ("get_entitlements", "/entitlements"),
        ("get_subscription", "/subscription"),
        ("list_subscriptions", "/subscriptions"),
        ("list_events", "/events"),
        ("get_subscription_history", "/subscription/history"),
        ("get_statement", "/statement"),
        ("list_lots", "/lots"),
        ("list_paid_periods", "/paid-periods"),
        ("get_runway", "/runway"),
    ];
    let mut cases: BTreeMap<&'static str, Case> = of_account
        .into_iter()
        .map(|(id, path)| {
            let of = |account: &str, query: &str| get(format!("/v1/accounts/{account}{path}{query}"));
            (id, case(of("acme", ""), of("nobody", ""), 404, of("acme", "?min_position=x")))
        })
        .collect();
    let days = "from=2026-11-01&to=2026-11-30";
    cases.insert(
        "get_usage",
        case(
            get(format!("/v1/accounts/acme/usage?{days}")),
            get(format!("/v1/accounts/nobody/usage?{days}")),
            404,
            get("/v1/accounts/acme/usage"),
        ),
    );
    for (id, path) in [
        ("analyse_usage", "/v1/analytics/usage"),
        ("analyse_mrr", "/v1/analytics/mrr"),
        ("analyse_movements", "/v1/analytics/movements"),
        ("analyse_churn", "/v1/analytics/churn"),
        ("analyse_churn_rows", "/v1/analytics/churn/rows"),
        ("analyse_cohorts", "/v1/analytics/cohorts"),
        ("analyse_retention", "/v1/analytics/retention"),
        ("analyse_retention_rows", "/v1/analytics/retention/rows"),
        ("analyse_credits", "/v1/analytics/credits"),
        ("analyse_restatements", "/v1/analytics/restatements"),
        ("analyse_credit_rows", "/v1/analytics/credits/rows"),
        ("analyse_deferred_revenue", "/v1/analytics/deferred-revenue"),
        ("analyse_summary", "/v1/analytics/summary"),
    ] {
        let ahead = get(format!("{path}?{days}&min_position=p0-999999999"));
        cases.insert(id, case(get(format!("{path}?{days}")), ahead, 422, get(format!("{path}?from=x"))));
    }
    let of_currency = |more: &str| get(format!("/v1/analytics/deferred-revenue/rows?to=2026-11-30{more}"));
    let ahead = of_currency("&currency=usd&min_position=p0-999999999");
    let rows = case(of_currency("&currency=usd"), ahead, 422, of_currency("&currency=x"));
    cases.insert("analyse_deferred_revenue_rows", rows);
    let on = "on=2026-11-30";
    let of_day = |more: &str| get(format!("/v1/analytics/mrr/rows?{on}{more}"));
    let ahead = of_day("&min_position=p0-999999999");
    cases.insert("analyse_mrr_rows", case(of_day(""), ahead, 422, get("/v1/analytics/mrr/rows?on=x")));
    let of_month = |more: &str| get(format!("/v1/analytics/cohorts/rows?month=2026-10-01&{on}{more}"));
    let (ahead, bad) = (of_month("&min_position=p0-999999999"), of_month("&paying=perhaps"));
    cases.insert("analyse_cohort_rows", case(of_month(""), ahead, 422, bad));
    let at_risk = |query: &str| get(format!("/v1/analytics/churn/at-risk{query}"));
    let (ahead, bad) = (at_risk("?min_position=p0-999999999"), at_risk("?past_due=perhaps"));
    cases.insert("analyse_revenue_at_risk", case(at_risk(""), ahead, 422, bad));
    for (id, path) in [
        ("list_all_subscriptions", "/v1/subscriptions"),
        ("list_all_payments", "/v1/payments"),
        ("list_all_refunds", "/v1/refunds"),
    ] {
        let ahead = get(format!("{path}?min_position=p0-999999999"));
        cases.insert(id, case(get(path), ahead, 422, get(format!("{path}?cursor=x"))));
    }
    let list = |query: &str| get(format!("/v1/accounts{query}"));
    cases.insert("list_accounts", case(list(""), list("?min_position=p0-999999999"), 422, list("?cursor=x")));
    let bad = Some(get("/v1/catalog?account=a%20b"));
    cases.insert("get_catalog", Case { success: get("/v1/catalog"), refusal: None, bad });
    for (id, path) in [
        ("health", "/healthz"),
        ("readiness", "/readyz"),
        ("metrics", "/metrics"),
        ("list_projections", "/v1/projections"),
        ("list_shards", "/v1/shards"),
        ("list_api_keys", "/v1/api-keys"),
    ] {
        cases.insert(id, Case { success: get(path), refusal: None, bad: None });
    }
    let success = get("/v1/audit/verify");
    let bad = Some(get("/v1/audit/verify?read_models=perhaps"));
    cases.insert("verify_journal", Case { success, refusal: None, bad });
    cases.insert(
        "replay_account",
        case(
            get("/v1/audit/accounts/acme/replay"),
            get("/v1/audit/accounts/nobody/replay"),
            404,
            get("/v1/audit/accounts/acme/replay?as_of=now"),
        ),
    );
    cases
}
