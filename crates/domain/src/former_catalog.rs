//! Which plan, pack or price is meant?
//! One of today's catalog, or a former one: what the catalog no longer has keeps the terms of the last catalog that had
//! it, for those who have it.

use std::collections::BTreeSet;

use super::{
    amount::Money,
    catalog::{Availability, Catalog, Pack, Plan},
    ids::{FeatureId, PackId, PlanId},
    price::{Earlier, Interval, KnownPrice, PlanPrice, Priced, StripePrice},
};

impl Catalog {
    /// A plan of the catalog file, sold or not. For those who are on a plan, see [`Self::terms_of`].
    #[must_use]
    pub fn plan(&self, id: &PlanId) -> Option<&Plan> {
        self.terms_of(id).filter(|plan| plan.standing != Availability::Former)
    }

    /// What a plan gives to those who are on it, even if the catalog no longer has it.
    #[must_use]
    pub fn terms_of(&self, id: &PlanId) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.id == *id)
    }

    /// What an account on this plan has.
    /// For a plan that no catalog ever had these are the free plan's terms, so that no limit is lost with a plan.
    #[must_use]
    pub fn terms_or_free(&self, id: &PlanId) -> Option<&Plan> {
        self.terms_of(id).or_else(|| self.terms_of(&self.free_plan))
    }

    /// The place of the plan among all plans, from the smallest (0) to the largest. `None`: unknown, which sorts first.
    #[must_use]
    pub fn rank(&self, id: &PlanId) -> Option<usize> {
        self.plans.iter().position(|plan| plan.id == *id)
    }

    /// A pack of the catalog file, sold or not. For what was bought, see [`Self::terms_of_pack`].
    #[must_use]
    pub fn pack(&self, id: &PackId) -> Option<&Pack> {
        self.terms_of_pack(id).filter(|pack| pack.standing != Availability::Former)
    }

    /// What a pack gives to those who bought it, even if the catalog no longer has it.
    #[must_use]
    pub fn terms_of_pack(&self, id: &PackId) -> Option<&Pack> {
        self.packs.iter().find(|pack| pack.id == *id)
    }

    /// The plan and the price with this id at Stripe: of today's plans, or else of former ones.
    #[must_use]
    pub fn plan_by_price_id(&self, price_id: &str) -> Option<(&Plan, &PlanPrice)> {
        let find = |plan: &&'_ Plan| plan.price_by_id(price_id).is_some();
        let former = |plan: &&Plan| plan.standing == Availability::Former;
        let today = self.plans.iter().filter(|plan| !former(plan)).find(find);
        let plan = today.or_else(|| self.plans.iter().filter(former).find(find))?;
        Some((plan, plan.price_by_id(price_id)?))
    }

    /// The pack with this price id at Stripe: of today's packs, or else of former ones.
    #[must_use]
    pub fn pack_by_price_id(&self, price_id: &str) -> Option<&Pack> {
        let former = |pack: &&Pack| pack.standing == Availability::Former;
        let today = self.packs.iter().filter(|pack| !former(pack)).find(|pack| pack.has(price_id));
        today.or_else(|| self.packs.iter().filter(former).find(|pack| pack.has(price_id)))
    }

    /// The plans on sale that have all of `features`, the smallest first.
    pub fn plans_with<'a>(&'a self, features: &'a BTreeSet<FeatureId>) -> impl Iterator<Item = &'a Plan> {
        self.plans.iter().filter(|plan| plan.is_sold() && plan.features.is_superset(features))
    }

    /// Adds what `earlier`, a catalog that held before this one, has and this one has not.
    /// Of several earlier catalogs, the newest must be added first, so that the last terms of a plan hold.
    ///
    /// A former plan is placed after the plan that it followed in its own catalog.
    /// If new plans are there too, the prices decide.
    pub fn take_over(&mut self, mut earlier: Self) {
        // An id that has a meaning today has no other.
        earlier.plans.iter_mut().flat_map(Plan::stripe_mut).for_each(|stripe| self.forget_known(stripe));
        earlier.packs.iter_mut().flat_map(Pack::stripe_mut).for_each(|stripe| self.forget_known(stripe));
        let order: Vec<_> = earlier.plans.iter().map(|plan| plan.id.clone()).collect();
        for (place, plan) in earlier.plans.into_iter().enumerate() {
            if let Some(known) = self.plans.iter_mut().find(|known| known.id == plan.id) {
                known.take_over(plan);
                continue;
            }
            let (before, after) = order.split_at_checked(place).unwrap_or_default();
            let at = self.place(&plan, before.last(), after.get(1..).unwrap_or_default());
            self.plans.insert(at, plan.withdrawn(Availability::Former));
        }
        for pack in earlier.packs {
            match self.packs.iter_mut().find(|known| known.id == pack.id) {
                Some(known) => known.take_over(pack),
                None => self.packs.push(pack.withdrawn(Availability::Former)),
            }
        }
    }

    /// All price ids that have a meaning.
    #[must_use]
    pub fn known_prices(&self) -> Vec<KnownPrice> {
        let plans = self.plans.iter().flat_map(|plan| {
            let prices = plan.prices.iter().chain(&plan.earlier);
            prices.flat_map(|price| {
                price.stripe.known(&price.amount, Priced::Plan(plan.id.clone(), price.interval))
            })
        });
        let packs = self.packs.iter().flat_map(|pack| {
            let earlier = pack.earlier.iter().map(|earlier| (&earlier.amount, &earlier.stripe));
            std::iter::once((&pack.price, &pack.stripe))
                .chain(earlier)
                .flat_map(|(amount, stripe)| stripe.known(amount, Priced::Pack(pack.id.clone())))
        });
        plans.chain(packs).collect()
    }

    /// Restores what a price id meant before, unless it has a meaning today.
    pub fn recall(&mut self, price: KnownPrice) {
        let KnownPrice { id, of, amount } = price;
        let mut stripe = StripePrice { retired_price_ids: vec![id], ..StripePrice::default() };
        self.forget_known(&mut stripe);
        if stripe.is_unknown() {
            return;
        }
        match of {
            Priced::Plan(id, interval) => {
                let plan = self.plans.iter_mut().find(|plan| plan.id == id);
                plan.into_iter().for_each(|plan| plan.remember(interval, &amount, &stripe));
            }
            Priced::Pack(id) => {
                let pack = self.packs.iter_mut().find(|pack| pack.id == id);
                pack.into_iter().for_each(|pack| pack.remember(&amount, &stripe));
            }
        }
    }

    fn forget_known(&self, stripe: &mut StripePrice) {
        let is_known =
            |id: &String| self.plan_by_price_id(id).is_some() || self.pack_by_price_id(id).is_some();
        retire(stripe);
        stripe.retired_price_ids.retain(|id| !is_known(id));
    }

    /// The place of a former plan, between the plan before it and the next one of `after` that still exists.
    fn place(&self, plan: &Plan, before: Option<&PlanId>, after: &[PlanId]) -> usize {
        let find = |id: &PlanId| self.plans.iter().position(|plan| plan.id == *id);
        let from = before.and_then(find).map_or(0, |place| place.saturating_add(1));
        let to = after.iter().filter_map(find).find(|place| *place >= from).unwrap_or(self.plans.len());
        let between = self.plans.get(from..to).unwrap_or_default();
        let smaller = between.iter().take_while(|other| other.by_month() <= plan.by_month()).count();
        from.saturating_add(smaller)
    }
}

impl Plan {
    /// The price for a month in minor units, to compare plans by. `None`: it has no price.
    fn by_month(&self) -> Option<i64> {
        let by =
            |interval: Interval| self.price(interval)?.amount.minor.checked_div(i64::from(interval.months()));
        by(Interval::Month).or_else(|| by(Interval::Year))
    }

    /// The plan with nothing on sale.
    #[must_use]
    pub fn withdrawn(mut self, standing: Availability) -> Self {
        self.standing = standing;
        self.popular = false;
        self.stripe_mut().for_each(retire);
        self
    }

    fn stripe_mut(&mut self) -> impl Iterator<Item = &mut StripePrice> {
        self.prices.iter_mut().chain(&mut self.earlier).map(|price| &mut price.stripe)
    }

    /// Adds an id to the price with these terms, or else to an earlier price.
    fn remember(&mut self, interval: Interval, amount: &Money, stripe: &StripePrice) {
        let mut prices = self.prices.iter_mut().chain(&mut self.earlier);
        match prices.find(|price| price.interval == interval && price.amount == *amount) {
            Some(price) => price.stripe.retired_price_ids.extend(stripe.retired_price_ids.iter().cloned()),
            None => {
                self.earlier.push(PlanPrice { interval, amount: amount.clone(), stripe: stripe.clone() });
            }
        }
    }

    /// Adds the price ids that this plan had before.
    fn take_over(&mut self, before: Self) {
        let prices = before.prices.into_iter().chain(before.earlier);
        self.earlier.extend(prices.filter(|price| !price.stripe.is_unknown()));
    }
}

impl Pack {
    /// The pack with nothing on sale.
    #[must_use]
    pub fn withdrawn(mut self, standing: Availability) -> Self {
        self.standing = standing;
        self.stripe_mut().for_each(retire);
        self
    }

    fn stripe_mut(&mut self) -> impl Iterator<Item = &mut StripePrice> {
        std::iter::once(&mut self.stripe).chain(self.earlier.iter_mut().map(|earlier| &mut earlier.stripe))
    }

    /// Adds an id to today's price if the amount is the same, or else to an earlier price.
    fn remember(&mut self, amount: &Money, stripe: &StripePrice) {
        if self.price == *amount {
            self.stripe.retired_price_ids.extend(stripe.retired_price_ids.iter().cloned());
        } else {
            self.earlier.push(Earlier { amount: amount.clone(), stripe: stripe.clone() });
        }
    }

    /// Adds the price ids that this pack had before.
    fn take_over(&mut self, before: Self) {
        let price = Earlier { amount: before.price, stripe: before.stripe };
        let prices = std::iter::once(price).chain(before.earlier);
        self.earlier.extend(prices.filter(|price| !price.stripe.is_unknown()));
    }
}

fn retire(stripe: &mut StripePrice) {
    *stripe = std::mem::take(stripe).retired();
}
