//! How are figures of recurring revenue written as the lines of a CSV file?

use crate::projections::mrr::{Figures, MovementSum};

/// The names of the columns of [`revenue_lines`].
pub const REVENUE_COLUMNS: [&str; 15] = [
    "start",
    "currency",
    "mrr_at_start",
    "new",
    "new_count",
    "reactivation",
    "reactivation_count",
    "expansion",
    "expansion_count",
    "contraction",
    "contraction_count",
    "churn",
    "churn_count",
    "mrr",
    "paying_accounts",
];

/// One for each interval and currency.
#[must_use]
pub fn revenue_lines(series: &[Figures]) -> Vec<[String; 15]> {
    let line = |figures: &Figures| {
        let sum = |of: MovementSum| [of.amount.to_string(), of.count.to_string()];
        let [new, new_count] = sum(figures.new);
        let [reactivation, reactivation_count] = sum(figures.reactivation);
        let [expansion, expansion_count] = sum(figures.expansion);
        let [contraction, contraction_count] = sum(figures.contraction);
        let [churn, churn_count] = sum(figures.churn);
        [
            figures.start.to_string(),
            figures.currency.clone(),
            figures.mrr_at_start.to_string(),
            new,
            new_count,
            reactivation,
            reactivation_count,
            expansion,
            expansion_count,
            contraction,
            contraction_count,
            churn,
            churn_count,
            figures.mrr.to_string(),
            figures.paying_accounts.to_string(),
        ]
    };
    series.iter().map(line).collect()
}
