//! `counterfoil stripe …`: what is done with Stripe by hand. One file a command.

mod send;

use clap::Subcommand;

use super::{exit::Answer, output::Output};

pub(super) use send::reachable;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Sign events and post them to a server
    #[command(after_help = send::HELP)]
    Send(send::Send),
}

impl Command {
    pub(super) async fn run(self, output: Output) -> Answer {
        match self {
            Self::Send(send) => send.run(output).await,
        }
    }
}
