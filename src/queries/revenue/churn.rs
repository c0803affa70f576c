//! How much revenue was lost, why, and how much is at risk?

use std::collections::BTreeMap;

use strum::IntoEnumIterator;

use crate::{
    domain::{amount::Currency, ids::AccountId, recorded::JournalPositions, time::Timestamp},
    projections::{
        FigureInterval,
        mrr::{
            self, AccountPartCursor, AtRiskRow, ChurnedAccounts, ChurnedRevenue, ChurnedRow, Figures,
            MovementSum, Proportion, RevenueAtRisk, RiskSelection,
            churn::{ChurnCause, ChurnClass},
        },
    },
};

use super::{MODEL, RevenueSpan};
use crate::queries::{Freshness, QueryError, ReportSource, snapshot};

/// What was lost for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChurnedPart {
    pub movements: MovementSum,
    /// Of the accounts that paid at the start.
    pub accounts: i64,
}

/// What was lost in one interval, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevenueChurn {
    pub figures: Figures,
    pub causes: BTreeMap<ChurnCause, ChurnedPart>,
}

impl RevenueChurn {
    /// For all causes of a class.
    #[must_use]
    pub fn of_class(&self, class: ChurnClass) -> ChurnedPart {
        let own = self.causes.iter().filter(|(cause, _)| cause.class() == class);
        own.fold(ChurnedPart::default(), |sum, (_, part)| sum.plus(*part))
    }

    #[must_use]
    pub fn accounts(&self) -> i64 {
        self.causes.values().fold(0, |sum, part| sum.saturating_add(part.accounts))
    }

    #[must_use]
    pub fn logo_churn(&self) -> Proportion {
        self.of_accounts(self.accounts())
    }

    /// As a share of the accounts that paid at the start.
    #[must_use]
    pub const fn of_accounts(&self, accounts: i64) -> Proportion {
        Proportion { part: accounts, whole: self.figures.accounts_at_start }
    }

    /// The MRR that was lost, as a share of that at the start, without what accounts that went on paying added.
    #[must_use]
    pub const fn net_revenue_churn(&self) -> Proportion {
        let Figures { churn, contraction, expansion, mrr_at_start, .. } = &self.figures;
        let change = churn.amount.saturating_add(contraction.amount).saturating_add(expansion.amount);
        Proportion { part: change.saturating_neg(), whole: *mrr_at_start }
    }

    /// The same, without what accounts added that came back.
    #[must_use]
    pub const fn net_revenue_churn_with_reactivation(&self) -> Proportion {
        let Proportion { part, whole } = self.net_revenue_churn();
        Proportion { part: part.saturating_sub(self.figures.reactivation.amount), whole }
    }
}

impl ChurnedPart {
    const fn plus(self, other: Self) -> Self {
        Self {
            movements: MovementSum {
                amount: self.movements.amount.saturating_add(other.movements.amount),
                count: self.movements.count.saturating_add(other.movements.count),
            },
            accounts: self.accounts.saturating_add(other.accounts),
        }
    }
}

pub struct ChurnReport {
    /// Every interval, for each currency.
    pub intervals: Vec<RevenueChurn>,
    pub at_risk: Vec<RevenueAtRisk>,
    /// When one of the figures was last changed after its days were over. `None`: none was.
    pub restated_since: Option<Timestamp>,
    pub freshness: Freshness,
}

/// What was lost, in one currency or in each, and what is at risk by all that is known.
///
/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn churn(
    source: ReportSource<'_>,
    RevenueSpan { from, until }: RevenueSpan,
    (interval, currency): (FigureInterval, Option<&Currency>),
    min_position: Option<&JournalPositions>,
) -> Result<ChurnReport, QueryError> {
    let freshness = source.wait(MODEL, None, min_position).await?;
    let intervals = interval.of_days(from, until);
    let mut moment = snapshot(source.pool).await?;
    let before = mrr::changes_before(&mut *moment, from, currency).await?;
    let changes = mrr::day_changes(&mut *moment, from, until, currency).await?;
    let revenue = mrr::revenue_churned(&mut *moment, &intervals, currency).await?;
    let accounts = mrr::accounts_churned(&mut *moment, &intervals, currency).await?;
    let at_risk = mrr::at_risk(&mut *moment, currency).await?;
    let restated_since = mrr::restated_balances(&mut *moment, from, until, currency).await?;
    moment.rollback().await?;
    let series = mrr::series(&before, &changes, (from, until), interval);
    let place = |figures: &Figures| intervals.iter().position(|(first, _)| *first == figures.start);
    let of = |figures: Figures| {
        let causes = causes(place(&figures), &figures.currency, &revenue, &accounts);
        RevenueChurn { figures, causes }
    };
    let intervals = series.into_iter().map(of).collect();
    Ok(ChurnReport { intervals, at_risk, restated_since, freshness })
}

fn causes(
    place: Option<usize>,
    currency: &str,
    revenue: &[ChurnedRevenue],
    accounts: &[ChurnedAccounts],
) -> BTreeMap<ChurnCause, ChurnedPart> {
    let mut causes: BTreeMap<ChurnCause, ChurnedPart> =
        ChurnCause::iter().map(|cause| (cause, ChurnedPart::default())).collect();
    let is_own = |its: i32, of: &str| usize::try_from(its).ok() == place && of == currency;
    for lost in revenue.iter().filter(|lost| is_own(lost.place, &lost.currency)) {
        if let Some(part) = ChurnCause::parse(&lost.cause).and_then(|cause| causes.get_mut(&cause)) {
            part.movements = MovementSum { amount: lost.amount, count: lost.count };
        }
    }
    for lost in accounts.iter().filter(|lost| is_own(lost.place, &lost.currency)) {
        if let Some(part) = ChurnCause::parse(&lost.cause).and_then(|cause| causes.get_mut(&cause)) {
            part.accounts = lost.accounts;
        }
    }
    causes
}

/// A page of what is listed.
pub struct AccountPartsPage<Row> {
    pub rows: Vec<Row>,
    /// Where the next page begins. `None`: this is the last page.
    pub next: Option<AccountPartCursor>,
    pub freshness: Freshness,
}

/// Where a page begins: after an account and its currency, or an account and its subscription.
pub(super) fn cursor(
    source: &ReportSource<'_>,
    after: Option<(&AccountId, &str)>,
) -> Option<AccountPartCursor> {
    after.map(|(account, of)| AccountPartCursor {
        shard: source.ledger.shard_of(account),
        account_id: account.to_string(),
        of: of.to_owned(),
    })
}

/// The accounts that paid at the start of the days and stopped in them: in one currency or any, for causes of one class
/// or any.
///
/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn churned_accounts(
    source: ReportSource<'_>,
    span: RevenueSpan,
    (currency, class): (Option<&Currency>, Option<ChurnClass>),
    (after, limit): (Option<(&AccountId, &str)>, usize),
    min_position: Option<&JournalPositions>,
) -> Result<AccountPartsPage<ChurnedRow>, QueryError> {
    let freshness = source.wait(MODEL, None, min_position).await?;
    let after = cursor(&source, after);
    let causes = class.map(ChurnClass::causes);
    let (days, rows) = ((span.from, span.until), i64::try_from(limit).unwrap_or(i64::MAX));
    let rows = mrr::churned(source.pool, days, (currency, causes.as_deref()), after.as_ref(), rows).await?;
    let next = rows.last().filter(|_| rows.len() == limit).map(ChurnedRow::cursor);
    Ok(AccountPartsPage { rows, next, freshness })
}

/// The subscriptions that are past due, or set to end, and still count.
///
/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn subscriptions_at_risk(
    source: ReportSource<'_>,
    selection: RiskSelection<'_>,
    (after, limit): (Option<(&AccountId, &str)>, usize),
    min_position: Option<&JournalPositions>,
) -> Result<AccountPartsPage<AtRiskRow>, QueryError> {
    let freshness = source.wait(MODEL, None, min_position).await?;
    let after = cursor(&source, after);
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = mrr::at_risk_rows(source.pool, selection, after.as_ref(), rows).await?;
    let next = rows.last().filter(|_| rows.len() == limit).map(AtRiskRow::cursor);
    Ok(AccountPartsPage { rows, next, freshness })
}
