//! What is the MRR of each day, week or month, and which figures follow from it?

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::projections::calendar::FigureInterval;

use super::{
    movements::MovementKind,
    queries::{DayChange, KindChange},
};

/// The sum of the movements of one kind. `amount` is signed: churn and contraction are negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MovementSum {
    pub amount: i64,
    /// How many movements: one for each account and day.
    pub count: i64,
}

/// One interval, in one currency. All amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    pub currency: String,
    /// The interval's first day; for the first interval, the first requested day.
    pub start: NaiveDate,
    /// The interval's last day; for the last interval, the last requested day.
    pub end: NaiveDate,
    pub mrr_at_start: i64,
    /// Accounts that pay in this currency at the start.
    pub accounts_at_start: i64,
    pub new: MovementSum,
    pub reactivation: MovementSum,
    pub expansion: MovementSum,
    pub contraction: MovementSum,
    pub churn: MovementSum,
    /// `mrr_at_start` plus all changes.
    pub mrr: i64,
    /// Accounts that pay in this currency at the end of the interval.
    pub paying_accounts: i64,
}

impl Figures {
    /// Twelve times the MRR. `None`: it does not fit.
    #[must_use]
    pub const fn arr(&self) -> Option<i64> {
        self.mrr.checked_mul(12)
    }

    /// MRR divided by paying accounts.
    #[must_use]
    pub const fn arpu(&self) -> Proportion {
        Proportion { part: self.mrr, whole: self.paying_accounts }
    }

    /// Gained revenue divided by lost revenue.
    #[must_use]
    pub const fn quick_ratio(&self) -> Proportion {
        let won =
            self.new.amount.saturating_add(self.reactivation.amount).saturating_add(self.expansion.amount);
        Proportion { part: won, whole: self.lost() }
    }

    /// Lost revenue divided by the MRR at the start.
    #[must_use]
    pub const fn gross_revenue_churn(&self) -> Proportion {
        Proportion { part: self.lost(), whole: self.mrr_at_start }
    }

    const fn lost(&self) -> i64 {
        self.churn.amount.saturating_add(self.contraction.amount).saturating_neg()
    }

    fn add(&mut self, kind: MovementKind, amount: i64, count: i64) {
        let (change, accounts) = match kind {
            MovementKind::New => (&mut self.new, count),
            MovementKind::Reactivation => (&mut self.reactivation, count),
            MovementKind::Expansion => (&mut self.expansion, 0),
            MovementKind::Contraction => (&mut self.contraction, 0),
            MovementKind::Churn => (&mut self.churn, count.saturating_neg()),
        };
        change.amount = change.amount.saturating_add(amount);
        change.count = change.count.saturating_add(count);
        self.mrr = self.mrr.saturating_add(amount);
        self.paying_accounts = self.paying_accounts.saturating_add(accounts);
    }

    /// Adds the interval after it, so that both are one.
    pub fn go_on(&mut self, next: &Self) {
        let sums = [
            (MovementKind::New, next.new),
            (MovementKind::Reactivation, next.reactivation),
            (MovementKind::Expansion, next.expansion),
            (MovementKind::Contraction, next.contraction),
            (MovementKind::Churn, next.churn),
        ];
        for (kind, MovementSum { amount, count }) in sums {
            self.add(kind, amount, count);
        }
        self.end = next.end;
    }

    /// Without anything before it.
    #[must_use]
    pub fn beginning(currency: &str, start: NaiveDate) -> Self {
        let nothing = MovementSum::default();
        Self {
            currency: currency.to_owned(),
            start,
            end: start,
            mrr_at_start: 0,
            accounts_at_start: 0,
            new: nothing,
            reactivation: nothing,
            expansion: nothing,
            contraction: nothing,
            churn: nothing,
            mrr: 0,
            paying_accounts: 0,
        }
    }

    /// The next interval, without any movement yet.
    fn followed_by(&self, start: NaiveDate) -> Self {
        Self {
            mrr_at_start: self.mrr,
            accounts_at_start: self.paying_accounts,
            mrr: self.mrr,
            paying_accounts: self.paying_accounts,
            ..Self::beginning(&self.currency, start)
        }
    }
}

/// A ratio of two whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proportion {
    pub part: i64,
    pub whole: i64,
}

impl Proportion {
    /// With `places` decimals, rounded half up. `None`: the denominator is 0.
    #[must_use]
    pub fn decimal(self, places: u32) -> Option<String> {
        if self.whole == 0 {
            return None;
        }
        let unit = 10_i128.checked_pow(places)?;
        let (part, whole) = (i128::from(self.part), i128::from(self.whole));
        let twice = part.checked_mul(unit)?.checked_mul(2)?.checked_add(whole)?;
        let rounded = twice.div_euclid(whole.checked_mul(2)?);
        let sign = if rounded < 0 { "-" } else { "" };
        let (left, right) = (rounded.checked_div(unit)?.abs(), rounded.checked_rem(unit)?.abs());
        let width = usize::try_from(places).ok()?;
        Some(if places == 0 { format!("{sign}{left}") } else { format!("{sign}{left}.{right:0width$}") })
    }
}

/// All intervals from `from` until before `until`, for each currency that had movements by then.
///
/// `before` is what all changes before `from` sum to, and `changes` are those of the days, both as they are read.
#[must_use]
pub fn series(
    before: &[KindChange],
    changes: &[DayChange],
    (from, until): (NaiveDate, NaiveDate),
    interval: FigureInterval,
) -> Vec<Figures> {
    let mut currencies: BTreeMap<&str, (Figures, Vec<&DayChange>)> = BTreeMap::new();
    let start = |currency| (Figures::beginning(currency, from), Vec::new());
    for change in before {
        let (figures, _) = currencies.entry(&change.currency).or_insert_with(|| start(&change.currency));
        if let Some(kind) = MovementKind::parse(&change.kind) {
            figures.add(kind, change.change, change.accounts);
        }
    }
    for change in changes {
        let (_, own) = currencies.entry(&change.currency).or_insert_with(|| start(&change.currency));
        own.push(change);
    }
    let whole = |(before, own): (Figures, Vec<&DayChange>)| of_currency(&before, &own, until, interval);
    currencies.into_values().flat_map(whole).collect()
}

fn of_currency(
    before: &Figures,
    changes: &[&DayChange],
    until: NaiveDate,
    interval: FigureInterval,
) -> Vec<Figures> {
    let mut rest = changes.iter().peekable();
    let mut current = before.followed_by(before.start);
    let mut series = Vec::new();
    for (_, end) in interval.of_days(before.start, until) {
        while let Some(change) = rest.next_if(|change| change.day < end) {
            if let Some(kind) = MovementKind::parse(&change.kind) {
                current.add(kind, change.change, change.accounts);
            }
        }
        current.end = end.pred_opt().unwrap_or(end);
        let following = current.followed_by(end);
        series.push(std::mem::replace(&mut current, following));
    }
    series
}
