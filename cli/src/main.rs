//! The program `marple`: parses what it is told and wires the parts.

use std::process::ExitCode;

mod arguments;
mod command;
mod connect;
mod environment;
mod exit;
mod investigator;
mod progress;
mod recorder;
mod reload;
mod server;
mod show;
mod terminal;

fn main() -> ExitCode {
    let arguments = arguments::parse();
    environment::log(&arguments);
    command::run(arguments).into()
}
