//! Writes to the store in the folder that is its argument until it is killed, and prints
//! `writer step` once a step is acknowledged.

use std::{
    io::{self, Write as _},
    sync::Arc,
};

use state_runtime::backends::FileBackend;
use tests::ledger::{self, WRITERS};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let folder = std::env::args_os().nth(1).ok_or("name a folder")?;
    let backend = Arc::new(FileBackend::open(folder).await?);
    let mut writers = Vec::with_capacity(WRITERS);
    for writer in 0..WRITERS {
        let backend = Arc::clone(&backend);
        let mut step = ledger::step_of(&*backend, writer).await?;
        writers.push(tokio::spawn(async move {
            loop {
                step += 1;
                ledger::carry_out(&*backend, writer, step).await?;
                // One call for the whole line, so that a kill leaves no half of one.
                io::stdout().lock().write_all(format!("{writer} {step}\n").as_bytes())?;
            }
        }));
    }
    for writer in writers {
        let ended: Result<(), Box<dyn std::error::Error + Send + Sync>> = writer.await?;
        ended?;
    }
    Ok(())
}
