//! What does each figure of churn mean?

use super::definition::{FigureDefinition, FigureKind};

pub(super) const DEFINITIONS: [FigureDefinition; 8] = [
    FigureDefinition {
        figure: "mrr_at_start, accounts_at_start",
        kind: FigureKind::Balance,
        definition: "The MRR at the start of the interval, and the accounts that pay it.",
        formula: "as `mrr_at_start` of /v1/analytics/mrr",
    },
    FigureDefinition {
        figure: "accounts_churned, logo_churn",
        kind: FigureKind::Activity,
        definition: "The accounts that paid at the start and stopped at some time in the interval, even if they pay \
            again, and their share.",
        formula: "logo_churn = accounts_churned ÷ accounts_at_start",
    },
    FigureDefinition {
        figure: "churn, contraction, expansion, reactivation",
        kind: FigureKind::Activity,
        definition: "The movements of these types, also of accounts that did not pay at the start.",
        formula: "as in /v1/analytics/mrr",
    },
    FigureDefinition {
        figure: "gross_revenue_churn",
        kind: FigureKind::Activity,
        definition: "The lost share of the MRR at the start.",
        formula: "−(churn + contraction) ÷ mrr_at_start",
    },
    FigureDefinition {
        figure: "net_revenue_churn, net_revenue_churn_with_reactivation",
        kind: FigureKind::Activity,
        definition: "The same, less what accounts added that went on paying; or also less what those added that came \
            back.",
        formula: "−(churn + contraction + expansion [+ reactivation]) ÷ mrr_at_start",
    },
    FigureDefinition {
        figure: "voluntary",
        kind: FigureKind::Activity,
        definition: "Churn that somebody asked for: a cancellation was scheduled or requested before the end, or the \
            subscription ended at once while it was paid.",
        formula: "accounts that paid at the start, by the first time that each stopped; amount and count of all \
            movements of churn",
    },
    FigureDefinition {
        figure: "involuntary, other",
        kind: FigureKind::Activity,
        definition: "Churn for want of payment: the subscription ended while it was past due or unpaid and nobody had \
            asked for it, or goes on unpaid; and churn by a pause, a move to another account, or because nothing is \
            charged any more.",
        formula: "as for voluntary; voluntary + involuntary + other = churn",
    },
    FigureDefinition {
        figure: "at_risk",
        kind: FigureKind::Balance,
        definition: "The MRR now of subscriptions that are past due, or set to end, and still count.",
        formula: "the sum over these subscriptions; accounts once in each member",
    },
];
