//! What does each figure of recurring revenue mean?

use super::definition::{FigureDefinition, FigureKind};

pub(super) const DEFINITIONS: [FigureDefinition; 12] = [
    FigureDefinition {
        figure: "mrr_at_start, mrr",
        kind: FigureKind::Balance,
        definition: "What active and past due subscriptions bring in a month, at the start and at the \
            end of the interval: without trials, taxes, metered usage and discounts for a limited time.",
        formula: "mrr = mrr_at_start + new + reactivation + expansion + contraction + churn",
    },
    FigureDefinition {
        figure: "new",
        kind: FigureKind::Activity,
        definition: "MRR of accounts that paid for the first time in this currency.",
        formula: "the sum of the movements of this type",
    },
    FigureDefinition {
        figure: "reactivation",
        kind: FigureKind::Activity,
        definition: "MRR of accounts that had stopped paying, and pay again.",
        formula: "the sum of the movements of this type",
    },
    FigureDefinition {
        figure: "expansion",
        kind: FigureKind::Activity,
        definition: "MRR by which accounts that paid before pay more.",
        formula: "the sum of the movements of this type",
    },
    FigureDefinition {
        figure: "contraction",
        kind: FigureKind::Activity,
        definition: "MRR by which accounts that still pay pay less; negative.",
        formula: "the sum of the movements of this type",
    },
    FigureDefinition {
        figure: "churn",
        kind: FigureKind::Activity,
        definition: "MRR of accounts that stopped paying; negative.",
        formula: "the sum of the movements of this type",
    },
    FigureDefinition {
        figure: "arr",
        kind: FigureKind::Balance,
        definition: "The MRR for a year.",
        formula: "12 × mrr",
    },
    FigureDefinition {
        figure: "paying_accounts, arpu",
        kind: FigureKind::Balance,
        definition: "The accounts with MRR at the end of the interval, and the mean of theirs.",
        formula: "arpu = mrr ÷ paying_accounts",
    },
    FigureDefinition {
        figure: "quick_ratio",
        kind: FigureKind::Activity,
        definition: "How much revenue was won for each unit that was lost.",
        formula: "(new + reactivation + expansion) ÷ −(churn + contraction)",
    },
    FigureDefinition {
        figure: "gross_revenue_churn",
        kind: FigureKind::Activity,
        definition: "The lost share of the MRR at the start.",
        formula: "−(churn + contraction) ÷ mrr_at_start",
    },
    FigureDefinition {
        figure: "net_revenue_retention, gross_revenue_retention",
        kind: FigureKind::Activity,
        definition: "The MRR at the end of the accounts that paid at the start, as a share of theirs at \
            the start; gross: each counts at most as much as at the start.",
        formula: "net: Σ at end ÷ Σ at start; gross: Σ min(at end, at start) ÷ Σ at start",
    },
    FigureDefinition {
        figure: "logo_churn",
        kind: FigureKind::Activity,
        definition: "The share of the accounts that paid at the start and stopped at some time in the \
            days, even if they pay again.",
        formula: "accounts_churned ÷ accounts_at_start",
    },
];
