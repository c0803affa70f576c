//! What does a billing page show of an account?
//! Everything in one answer: exact as far as the ledger knows it, and as Stripe says where only Stripe does.

use axum::{body::Body, extract::State, http::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        account::Account,
        amount::{Credits, Currency, Money},
        credits::Balance,
        ids::{AccountId, PlanId},
        limits,
        metadata::Metadata,
        rollout::BillingState,
        time::Timestamp,
    },
    http::{
        AppState,
        commands::account::AccountStatus,
        failure::Failure,
        limits::LimitWindowResponse,
        openapi::Problems,
        position::Token,
        problems::{AccountNotFound, Reading},
        request::{AccountOf, Pairs, Query, Reads},
        schema::{Count, Id, MoneySchema, Place, Time},
    },
    stripe::{
        client::StripeInvoice,
        outbound::{Glance, InvoicePreview, UntoldReason},
    },
};

use super::{fresh, now, plan::SubscriptionResponse};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OverviewQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// Whether to ask Stripe for what only Stripe knows; `true` if left out.
    /// Without that, the answer does not depend on Stripe.
    #[param(value_type = Option<bool>)]
    #[serde(default = "yes")]
    ask_stripe: bool,
}

const fn yes() -> bool {
    true
}

/// What a billing page shows. All but `at_stripe` is exact, as of `as_of_position`.
#[derive(Serialize, ToSchema)]
#[schema(as = OverviewResponse)]
pub struct OverviewResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    status: AccountStatus,
    /// Whether anything is sold to it: `on` or `off`
    #[schema(value_type = String)]
    billing: BillingState,
    /// As it was sent.
    #[schema(value_type = Pairs)]
    metadata: &'a Metadata,
    plan: OverviewPlan<'a>,
    /// The subscription that gives the plan, else the one with the newest report; `null`: there never was one.
    /// `cancel_at` says whether it ends.
    subscription: Option<SubscriptionResponse<'a>>,
    /// The end of the last period that was paid for and not given back.
    #[schema(value_type = Option<Time>)]
    paid_until: Option<Timestamp>,
    credits: OverviewCredits,
    /// Each window of the plan's limits.
    limits: Vec<LimitWindowResponse>,
    at_stripe: AtStripe<'a>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

#[derive(Serialize, ToSchema)]
pub struct OverviewPlan<'a> {
    #[schema(value_type = Id)]
    id: &'a PlanId,
    /// `null`: no known catalog has had this plan.
    name: Option<&'a str>,
    /// How many credits it gives a month, for a quantity of one.
    #[schema(value_type = Option<Count>)]
    credits_a_month: Option<Credits>,
}

/// The figures of the balance.
#[derive(Serialize, ToSchema)]
pub struct OverviewCredits {
    /// What a deduction may use.
    #[schema(value_type = Count)]
    available: Credits,
    #[schema(value_type = Count)]
    held: Credits,
    /// What cannot be spent while a payment is disputed.
    #[schema(value_type = Count)]
    frozen: Credits,
    #[schema(value_type = Count)]
    debt: Credits,
    /// What the plan has given for the running month.
    #[schema(value_type = Count)]
    allocated: Credits,
    /// How much of `allocated` was spent.
    #[schema(value_type = Count)]
    used: Credits,
    #[schema(value_type = Option<Time>)]
    next_credits_at: Option<Timestamp>,
    scale: u8,
}

/// What only Stripe knows, or why it is missing.
#[derive(Serialize, ToSchema)]
pub struct AtStripe<'a> {
    /// When Stripe was asked. `null`: it was not.
    #[schema(value_type = Option<Time>)]
    asked_at: Option<Timestamp>,
    next_invoice: Option<OverviewNextInvoice<'a>>,
    /// Why `next_invoice` is `null`.
    next_invoice_untold: Option<UntoldReason>,
    /// The newest five. Their links are only in the list of invoices, for keys with the scope `billing`.
    invoices: Option<Vec<OverviewInvoice<'a>>>,
    /// Why `invoices` is `null`.
    invoices_untold: Option<UntoldReason>,
}

/// As Stripe would make it now.
#[derive(Serialize, ToSchema)]
pub struct OverviewNextInvoice<'a> {
    #[schema(value_type = MoneySchema)]
    total: &'a Money,
    /// How much remains to be paid after the customer's balance is used.
    #[schema(value_type = MoneySchema)]
    amount_due: &'a Money,
    #[schema(value_type = Time)]
    due_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
pub struct OverviewInvoice<'a> {
    #[schema(value_type = Id)]
    invoice: &'a str,
    number: Option<&'a str>,
    /// Stripe's status: `draft`, `open`, `paid`, `uncollectible` or `void`.
    status: Option<&'a str>,
    #[schema(value_type = Option<MoneySchema>)]
    total: Option<Money>,
    #[schema(value_type = Option<Time>)]
    created_at: Option<Timestamp>,
}

impl<'a> From<&'a Glance> for AtStripe<'a> {
    fn from(glance: &'a Glance) -> Self {
        let (next, last) = (glance.next_invoice.as_ref(), glance.invoices.as_ref());
        Self {
            asked_at: glance.asked_at,
            next_invoice: next.ok().map(OverviewNextInvoice::from),
            next_invoice_untold: next.err().copied(),
            invoices: last.ok().map(|invoices| invoices.iter().map(OverviewInvoice::from).collect()),
            invoices_untold: last.err().copied(),
        }
    }
}

impl<'a> From<&'a InvoicePreview> for OverviewNextInvoice<'a> {
    fn from(invoice: &'a InvoicePreview) -> Self {
        Self { total: &invoice.total, amount_due: &invoice.amount_due, due_at: invoice.due_at }
    }
}

impl<'a> From<&'a StripeInvoice> for OverviewInvoice<'a> {
    fn from(seen: &'a StripeInvoice) -> Self {
        let currency = Currency::parse(&seen.currency).ok();
        Self {
            invoice: &seen.id,
            number: seen.number.as_deref(),
            status: seen.status.as_deref(),
            total: currency.map(|currency| Money { minor: seen.total, currency }),
            created_at: Timestamp::from_seconds(seen.created),
        }
    }
}

/// See all that a billing page shows
///
/// Plan, price, period, credits, limits and cancellation are exact.
/// The next invoice and the last ones come from Stripe, which is waited for at most a few seconds; if they are missing
/// they are `null`, with the reason beside them.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/overview", operation_id = "get_overview", tag = "Accounts",
    params(("account" = Id, Path), OverviewQuery),
    responses(
        (status = 200, description = "The account at a glance.", body = OverviewResponse),
        Problems<(Reading, AccountNotFound)>,
    )
)]
pub async fn overview(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(asked): Query<OverviewQuery>,
) -> Result<Response<Body>, Failure> {
    let now = now(&state, &of.account, asked.min_position).await?;
    let (opened, catalog) = (now.opened()?, state.ledger.catalog());
    let terms = opened.subscription(now.at, catalog);
    let glance = if asked.ask_stripe {
        let going = terms.filter(|terms| !terms.has_ended(now.at)).map(|terms| &terms.subscription);
        state.billing.glance(&of.account, going).await
    } else {
        Glance::untold(UntoldReason::NotAsked)
    };
    let (plan, allocated) = (opened.plan(now.at, catalog), opened.allocated(now.at));
    let plan_terms = catalog.terms_of(plan);
    let limits = opened.terms(now.at, catalog);
    let limits = limits.map(|terms| limits::states(&opened.usage, &terms, catalog, now.at));
    let Balance { available, held, debt, .. } = opened.wallet.balance(now.at);
    let document = OverviewResponse {
        account: &of.account,
        status: match &now.account {
            Account::Unopened | Account::Open(_) => AccountStatus::Open,
            Account::Closed(_) => AccountStatus::Closed,
        },
        billing: state.billing.state_of(&of.account),
        metadata: &opened.metadata,
        plan: OverviewPlan {
            id: plan,
            name: plan_terms.map(|plan| plan.name.as_str()),
            credits_a_month: plan_terms.map(|plan| plan.allocation.monthly()),
        },
        subscription: terms.map(|terms| SubscriptionResponse::at(terms, now.at, &opened.discounts)),
        paid_until: opened.subscriptions.paid_until(&opened.payments),
        credits: OverviewCredits {
            available,
            held,
            frozen: opened.wallet.frozen(now.at),
            debt,
            allocated: allocated.amount,
            used: allocated.used,
            next_credits_at: now.next_credits_at(catalog),
            scale: catalog.scale,
        },
        limits: limits.unwrap_or_default().into_iter().map(LimitWindowResponse::from).collect(),
        at_stripe: AtStripe::from(&glance),
        as_of_position: Token::of(now.position),
        lag_ms: 0,
    };
    fresh(now.position, &document)
}
