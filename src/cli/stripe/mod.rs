//! `counterfoil stripe …`: what can an operator do with Stripe? One file per command.

mod doctor;
mod reconcile;
mod send;
mod setup;

use std::net::SocketAddr;

use clap::Subcommand;

use super::{exit::CliResult, output::Output};

#[derive(Subcommand)]
pub(super) enum StripeCommand {
    /// Sign events and post them to a server
    #[command(after_help = send::HELP)]
    Send(send::Send),
    /// Make products, prices, the portal and the webhook endpoint at Stripe, from the catalog
    #[command(after_help = setup::HELP)]
    Setup(Box<setup::Setup>),
    /// Check keys, prices, the portal and the webhook endpoint at Stripe
    #[command(after_help = doctor::HELP)]
    Doctor(Box<doctor::Doctor>),
    /// Compare the ledger with Stripe, and make up for what was lost
    #[command(after_help = reconcile::HELP)]
    Reconcile(reconcile::Reconcile),
}

impl StripeCommand {
    pub(super) async fn run(self, output: Output) -> CliResult {
        match self {
            Self::Send(send) => send.run(output).await,
            Self::Setup(setup) => setup.run(output).await,
            Self::Doctor(doctor) => doctor.run(output).await,
            Self::Reconcile(reconcile) => reconcile.run(output).await,
        }
    }
}

/// A server that listens on all addresses can be reached at the loopback address.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let mut address = listen;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
