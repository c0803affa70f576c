//! `counterfoil stripe …`: what is done with Stripe by hand. One file a command.

mod doctor;
mod send;
mod setup;

use clap::Subcommand;

use super::{exit::Answer, output::Output};

pub(super) use send::reachable;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Sign events and post them to a server
    #[command(after_help = send::HELP)]
    Send(send::Send),
    /// Make products, prices, the portal and the webhook endpoint at Stripe, from the catalog
    #[command(after_help = setup::HELP)]
    Setup(Box<setup::Setup>),
    /// Check keys, prices, the portal and the webhook endpoint at Stripe
    #[command(after_help = doctor::HELP)]
    Doctor(Box<doctor::Doctor>),
}

impl Command {
    pub(super) async fn run(self, output: Output) -> Answer {
        match self {
            Self::Send(send) => send.run(output).await,
            Self::Setup(setup) => setup.run(output).await,
            Self::Doctor(doctor) => doctor.run(output).await,
        }
    }
}
