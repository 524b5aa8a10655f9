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
mod spans;
mod terminal;

fn main() -> ExitCode {
    let arguments = arguments::parse();
    let spans = match environment::log(&arguments) {
        Ok(spans) => spans,
        Err(error) => return exit::Exit::Configuration(error).into(),
    };
    let exit = command::run(arguments).into();
    spans.end();
    exit
}
