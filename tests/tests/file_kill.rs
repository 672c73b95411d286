//! A process that is killed at random moments: what it was told is done is there.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use state_runtime::{backend::Backend as _, backends::FileBackend};
use tests::{
    disk::Random,
    ledger::{self, WRITERS},
};

/// How many kills the full run, and the ordinary one, carry out.
fn kills() -> usize {
    if std::env::var_os("STATE_TEST_FULL").is_some() { 200 } else { 25 }
}

/// Lets a process write until it is killed, and notes what it said was done.
fn write_and_kill(folder: &Path, after: Duration, acknowledged: &mut [u64]) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_file_writer"))
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the writer starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it has a pipe"));
    let mut note = |line: &str| {
        let (writer, step) = line.trim_end().split_once(' ').expect("a line is whole");
        let writer: usize = writer.parse().expect("a line names a writer");
        acknowledged[writer] = step.parse().expect("a line names a step");
    };
    let mut line = String::new();
    // From here on it is busy, and the kill hits it at work.
    lines.read_line(&mut line).expect("the pipe is open");
    note(&line);
    let killer = thread::spawn(move || {
        thread::sleep(after);
        child.kill().expect("the writer still runs");
        child.wait().expect("the writer ends")
    });
    for line in lines.lines() {
        note(&line.expect("the pipe holds text"));
    }
    assert!(!killer.join().expect("the killer does not panic").success());
}

#[tokio::test]
async fn acknowledged_writes_survive_every_kill() {
    let folder = tempfile::tempdir().unwrap();
    let (mut random, mut acknowledged) = (Random::new(7), vec![0; WRITERS]);
    for kill in 0..kills() {
        let before = acknowledged.clone();
        let after = Duration::from_micros(random.below(60_000));
        write_and_kill(folder.path(), after, &mut acknowledged);
        assert_ne!(before, acknowledged);

        let backend = FileBackend::open(folder.path()).await.unwrap();
        if let Err(error) = ledger::check(&backend, &acknowledged).await {
            panic!("kill {kill} after {after:?}: {error}");
        }
        // A step that was on its way may be there; the writers go on from it.
        for (writer, step) in acknowledged.iter_mut().enumerate() {
            *step = ledger::step_of(&backend, writer).await.unwrap();
        }
        backend.close().await.unwrap();
    }
}
