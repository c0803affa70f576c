//! What is subscribed to, and what it costs and gives.

use crate::functions::truth::paper::Priced;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    Basic,
    Creator,
    Team,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    Month,
    Year,
}

/// What is subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    pub plan: Plan,
    pub every: Every,
    pub seats: u32,
}

pub const fn monthly(plan: Plan) -> Terms {
    Terms { plan, every: Every::Month, seats: 1 }
}

pub const fn yearly(plan: Plan) -> Terms {
    Terms { plan, every: Every::Year, seats: 1 }
}

impl Plan {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Creator => "creator",
            Self::Team => "team",
        }
    }

    const fn credits(self) -> i64 {
        match self {
            Self::Basic => 500,
            Self::Creator => 1_500,
            Self::Team => 5_000,
        }
    }
}

impl Terms {
    pub const fn seats(self, seats: u32) -> Self {
        Self { seats, ..self }
    }

    pub(super) const fn price(self) -> (&'static str, i64) {
        match (self.plan, self.every) {
            (Plan::Basic, Every::Month) => ("price_1QLedgerBasicMonthly00001", 999),
            (Plan::Creator, Every::Month) => ("price_1QLedgerCreatorMonthly002", 1_999),
            (Plan::Team, Every::Month) => ("price_1QLedgerTeamMonthly000003", 2_999),
            (Plan::Basic, Every::Year) => ("price_t_basic_year", 9_990),
            (Plan::Creator, Every::Year) => ("price_t_creator_year", 19_990),
            (Plan::Team, Every::Year) => ("price_t_team_year", 29_990),
        }
    }

    pub const fn other_interval(self) -> Self {
        match self.every {
            Every::Month => Self { every: Every::Year, ..self },
            Every::Year => Self { every: Every::Month, ..self },
        }
    }

    pub const fn months(self) -> u32 {
        match self.every {
            Every::Month => 1,
            Every::Year => 12,
        }
    }

    /// Credits a month.
    pub const fn credits(self) -> i64 {
        self.plan.credits() * self.seats as i64
    }

    /// What a whole interval costs, in minor units.
    pub(super) const fn full(self) -> i64 {
        self.price().1 * self.seats as i64
    }

    pub(super) fn item(self) -> Priced {
        let (price, minor) = self.price();
        let interval = if self.every == Every::Month { "month" } else { "year" };
        Priced { price, minor, interval, seats: self.seats }
    }
}
