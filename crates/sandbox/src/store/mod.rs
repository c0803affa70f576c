//! What does the sandbox keep? A table for each kind of object, with one file for each kind.

pub mod card;
pub mod charge;
pub mod checkout;
pub mod coupon;
pub mod credit_note;
pub mod customer;
pub mod dispute;
pub mod endpoint;
pub mod event;
pub mod invoice;
pub mod line;
pub mod payment_intent;
pub mod payment_link;
pub mod payment_method;
pub mod portal;
pub mod price;
pub mod product;
pub mod recorded;
pub mod refund;
pub mod schedule;
pub mod setup_intent;
pub mod subscription;
pub mod table;

use self::{
    charge::SandboxCharge,
    checkout::SandboxCheckout,
    coupon::{AppliedCoupon, Coupon, PromotionCode},
    credit_note::SandboxCreditNote,
    customer::Customer,
    dispute::SandboxDispute,
    endpoint::Endpoint,
    invoice::Invoice,
    payment_intent::PaymentIntent,
    payment_link::PaymentLink,
    payment_method::PaymentMethod,
    portal::{Configuration, PortalSession},
    price::SandboxPrice,
    product::SandboxProduct,
    recorded::RecordedRequest,
    refund::SandboxRefund,
    schedule::SubscriptionSchedule,
    setup_intent::SetupIntent,
    subscription::SandboxSubscription,
    table::ObjectTable,
};
use crate::{failure::SandboxFailure, ids::IdMaker};

/// All objects, and the current time. Events are in the outbox.
#[derive(Debug, Default)]
pub struct Store {
    /// Unix seconds on the sandbox's clock.
    pub now: i64,
    /// The base URL of the sandbox's pages.
    pub origin: String,
    pub ids: IdMaker,
    pub customers: ObjectTable<Customer>,
    pub payment_methods: ObjectTable<PaymentMethod>,
    pub products: ObjectTable<SandboxProduct>,
    pub prices: ObjectTable<SandboxPrice>,
    pub payment_intents: ObjectTable<PaymentIntent>,
    pub setup_intents: ObjectTable<SetupIntent>,
    pub charges: ObjectTable<SandboxCharge>,
    pub refunds: ObjectTable<SandboxRefund>,
    pub disputes: ObjectTable<SandboxDispute>,
    pub subscriptions: ObjectTable<SandboxSubscription>,
    pub schedules: ObjectTable<SubscriptionSchedule>,
    pub invoices: ObjectTable<Invoice>,
    pub credit_notes: ObjectTable<SandboxCreditNote>,
    pub coupons: ObjectTable<Coupon>,
    pub promotion_codes: ObjectTable<PromotionCode>,
    pub discounts: ObjectTable<AppliedCoupon>,
    pub sessions: ObjectTable<SandboxCheckout>,
    pub links: ObjectTable<PaymentLink>,
    pub portal_sessions: ObjectTable<PortalSession>,
    pub configurations: ObjectTable<Configuration>,
    pub endpoints: ObjectTable<Endpoint>,
    /// Objects that were recorded elsewhere.
    pub recorded: RecordedRequest,
}

impl Store {
    /// A customer that is not deleted.
    pub fn customer(&self, id: &str) -> Result<&Customer, SandboxFailure> {
        self.customers
            .find(id)
            .filter(|customer| !customer.deleted)
            .ok_or_else(|| SandboxFailure::no_such("customer", id).status(400).param("customer"))
    }
}
