//! `cargo xtask demo`: Synapse, the gateway and a device on this machine, and every exchange shown.

// It speaks to the person at the terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod lines;
mod scene;
mod walk;

use std::env;
use std::panic;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let once = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--once"] => true,
        _ => {
            eprintln!("usage: cargo xtask demo [--once]");
            return ExitCode::from(2);
        }
    };
    // The parts that tests and demonstration share end a test by panicking; here only their message counts.
    panic::set_hook(Box::new(|panicked| {
        let payload = panicked.payload();
        let text = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or(payload.downcast_ref::<&str>().copied());
        eprintln!("\ndemo: {}", text.unwrap_or("it failed without a word"));
    }));
    match panic::catch_unwind(|| run(once)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failed)) => {
            eprintln!("\ndemo: {failed}");
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::FAILURE,
    }
}

fn run(once: bool) -> Result<(), walk::StepFailed> {
    let mut scene = scene::Scene::set();
    walk::walk(&scene)?;
    let lines = lines::lines(&scene);
    lines::print(&scene, &lines);
    if once {
        lines::run_each(&lines)?;
        println!("\n==> every step went well");
        return Ok(());
    }
    println!(
        "\nSynapse ({}) and the gateway stay up; Ctrl-C ends them.",
        scene.synapse.origin
    );
    println!(
        "Their logs: {}/synapse.log and gateway.log",
        scene.folder.display()
    );
    scene.wait_for_the_end();
    Ok(())
}
