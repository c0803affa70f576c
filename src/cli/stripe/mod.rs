//! `counterfoil stripe`: what can be done with Stripe from the command line? One file a command.

mod reconcile;
mod send;

use std::net::SocketAddr;

use clap::Subcommand;

use super::{exit::Answer, output::Output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Sign events and post them to a server
    #[command(after_help = send::HELP)]
    Send(send::Send),
    /// Compare the ledger with Stripe, and make up for what was lost
    #[command(after_help = reconcile::HELP)]
    Reconcile(reconcile::Reconcile),
}

impl Command {
    pub(super) async fn run(self, output: Output) -> Answer {
        match self {
            Self::Send(send) => send.run(output).await,
            Self::Reconcile(reconcile) => reconcile.run(output).await,
        }
    }
}

/// A server that listens on every address is also at this machine's own.
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
