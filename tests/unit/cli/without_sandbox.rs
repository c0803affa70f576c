//! Does a program without a sandbox say so, whatever is asked of one?

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    command: NoSandboxCommand,
}

#[tokio::test]
async fn whoever_asks_for_a_sandbox_is_told_that_there_is_none() {
    for arguments in [&["sandbox"][..], &["sandbox", "--listen", "127.0.0.1:0", "--key", "x"]] {
        let command = Arguments::try_parse_from(arguments).map_err(|error| error.to_string());
        let answer = command.expect("it takes all").command.run(Output::new(false)).await;
        let Err(CliFailure::Usage(said)) = answer else { panic!("{arguments:?}: it ran") };
        assert!(said.contains("built without a sandbox"), "{said}");
    }
}
