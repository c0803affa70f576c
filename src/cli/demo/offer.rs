//! What is there to choose from, as customers see it? It is read off the catalog, whichever that is.

use std::{collections::BTreeMap, sync::Arc};

use crate::domain::{
    catalog::{Allocation, Catalog, GenerationPrice, Interval, PackRefunds, Plan},
    ids::{GenerationType, OptionName},
};

/// All that a customer can choose.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    /// What everybody has who has no subscription.
    pub(super) free: Option<PlanOffered>,
    /// What costs something, from the smallest to the largest.
    pub(super) plans: Vec<PlanOffered>,
    pub(super) packs: Vec<PackOffered>,
    pub(super) packs_are_refunded: bool,
}

#[derive(Clone, Debug)]
pub(super) struct PlanOffered {
    pub(super) id: Arc<str>,
    pub(super) popular: bool,
    pub(super) by_year: bool,
    pub(super) trial: Option<TrialOffered>,
    /// The credits of each month, or, if they are given only once, of the first.
    pub(super) credits: i64,
    pub(super) once: bool,
    /// The most that is kept of a month for the next one.
    pub(super) kept_max: i64,
    /// The work that can be paid for on this plan.
    pub(super) works: Vec<Arc<PieceOfWork>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct TrialOffered {
    pub(super) days: u32,
    pub(super) credits: i64,
}

#[derive(Clone, Debug)]
pub(super) struct PackOffered {
    pub(super) id: Arc<str>,
    pub(super) credits: i64,
}

/// A piece of work as somebody asks for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PieceOfWork {
    pub(super) kind: GenerationType,
    pub(super) options: BTreeMap<OptionName, OptionName>,
    pub(super) price: i64,
}

impl Offer {
    pub(super) fn of(catalog: &Catalog) -> Self {
        let costs = |plan: &&Plan| plan.is_sold() && plan.prices.iter().any(|price| price.amount.minor > 0);
        let free = catalog.plans.iter().find(|plan| plan.id == catalog.free_plan);
        let packs = catalog.packs.iter().filter(|pack| pack.is_sold());
        Self {
            free: free.map(|plan| PlanOffered::of(catalog, plan)),
            plans: catalog.plans.iter().filter(costs).map(|plan| PlanOffered::of(catalog, plan)).collect(),
            packs: packs
                .map(|pack| PackOffered { id: pack.id.as_str().into(), credits: pack.credits.get() })
                .collect(),
            packs_are_refunded: catalog.payments.pack_refunds == PackRefunds::Given,
        }
    }
}

impl PlanOffered {
    fn of(catalog: &Catalog, plan: &Plan) -> Self {
        let credits = plan.allocation.credits();
        Self {
            id: plan.id.as_str().into(),
            popular: plan.popular,
            by_year: plan.price(Interval::Year).is_some(),
            trial: plan
                .trial
                .map(|trial| TrialOffered { days: trial.days.into(), credits: trial.credits.get() }),
            credits: credits.get(),
            once: !matches!(plan.allocation, Allocation::Monthly(_)),
            kept_max: plan.rollover.map_or(0, |cap| cap.carry_max(credits).get()),
            works: works(catalog, plan),
        }
    }

    /// What a piece of work costs on average; at least 1.
    pub(super) fn usual_price(&self) -> i64 {
        let sum = self.works.iter().fold(0_i64, |sum, work| sum.saturating_add(work.price));
        let count = i64::try_from(self.works.len()).unwrap_or(1).max(1);
        (sum / count).max(1)
    }

    /// The cheapest work.
    pub(super) fn smallest(&self) -> Option<&Arc<PieceOfWork>> {
        self.works.iter().min_by_key(|work| work.price)
    }
}

/// Each kind of work for which the plan has the features: plain, and with each option that costs more.
fn works(catalog: &Catalog, plan: &Plan) -> Vec<Arc<PieceOfWork>> {
    let allowed = |price: &GenerationPrice| price.needs.is_subset(&plan.features);
    let kinds = catalog.generations.iter().filter(|(_, price)| allowed(price));
    let forms = kinds.flat_map(|(kind, price)| {
        let dearer = price.options.iter().flat_map(|(option, values)| {
            let dearer = values.iter().filter(|(_, more)| !more.is_zero());
            dearer.map(move |(value, _)| BTreeMap::from([(option.clone(), value.clone())]))
        });
        std::iter::once(BTreeMap::new()).chain(dearer).map(move |options| (kind, options))
    });
    forms
        .filter_map(|(kind, options)| {
            let price = catalog.price(&plan.id, kind, &options).ok()?.get();
            Some(Arc::new(PieceOfWork { kind: kind.clone(), options, price }))
        })
        .collect()
}
