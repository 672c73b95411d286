//! Holders that stand still for longer than their lease, and go on where they were.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use state_runtime::prelude::*;
use tests::{
    cases::cases,
    fencing::{Control, Protected, late},
    servers::redis,
};
use tokio::time::{Instant, sleep};

const HOLDERS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that takes the lock again and again. It is killed when this is dropped.
struct Holder(Child);

impl Drop for Holder {
    fn drop(&mut self) {
        // That it has ended by itself is seen elsewhere.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Holder {
    fn signal(&self, signal: &str) {
        let arguments = [format!("-{signal}"), self.0.id().to_string()];
        let sent = Command::new("kill").args(arguments).status().expect("`kill` runs");
        assert!(sent.success(), "a holder has ended by itself");
    }
}

/// What the holders have printed.
struct Printed {
    lines: Receiver<(usize, String, u64)>,
    /// Who took the lock last, and the token.
    held: (usize, u64),
    /// The last token that each holder has lost.
    lost: [u64; HOLDERS],
}

impl Printed {
    /// Reads on until `is_so`.
    fn until(&mut self, is_so: impl Fn(&Self) -> bool) {
        let deadline = std::time::Instant::now() + PATIENCE;
        while !is_so(self) {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            let (holder, what, token) = self.lines.recv_timeout(left).expect("the holders go on");
            match what.as_str() {
                "held" if token > self.held.1 => self.held = (holder, token),
                "lost" => self.lost[holder] = token,
                _ => {}
            }
        }
    }
}

fn start(url: &str) -> (Vec<Holder>, Printed) {
    let (lines, printed) = channel();
    let holders = (0..HOLDERS).map(|holder| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lock_holder"))
            .arg(url)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a holder starts");
        let (out, lines) = (child.stdout.take().expect("it has a pipe"), lines.clone());
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let (what, token) = line.split_once(' ').expect("a line is whole");
                let token = token.parse().expect("a line names a token");
                if lines.send((holder, what.to_owned(), token)).is_err() {
                    return;
                }
            }
        });
        Holder(child)
    });
    let printed = Printed { lines: printed, held: (0, 0), lost: [0; HOLDERS] };
    (holders.collect(), printed)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_late_write_is_accepted_where_the_token_is_checked_and_some_are_where_it_is_not() {
    let server = redis::Server::start(redis::Flavour::Redis8).await;
    let store = StateStore::connect(&server.url()).await.unwrap();
    let (holders, mut printed) = start(&server.url());
    printed.until(|it| it.held.1 > 0);
    for _ in 0..cases(16, 200) {
        let (holder, token) = printed.held;
        holders[holder].signal("STOP");
        // Somebody else takes over and writes, so the stopped one is late from here on.
        printed.until(|it| it.held.1 > token);
        written_after(&store, token).await;
        holders[holder].signal("CONT");
        printed.until(|it| it.lost[holder] >= token);
    }
    drop(holders);
    let protected = store.get(Protected::key()).await.unwrap().unwrap().tokens;
    let control = store.get(Control::key()).await.unwrap().unwrap().tokens;
    assert_eq!(late(&protected), 0, "{protected:?}");
    assert!(late(&control) > 0, "nobody was late, so nothing was tested");
}

/// Waits until a holder later than `token` has written to both.
async fn written_after(store: &StateStore, token: u64) {
    let deadline = Instant::now() + PATIENCE;
    let is_later = |tokens: &[u64]| tokens.iter().any(|it| *it > token);
    loop {
        let protected = store.get(Protected::key()).await.unwrap();
        let control = store.get(Control::key()).await.unwrap();
        if protected.is_some_and(|it| is_later(&it.tokens))
            && control.is_some_and(|it| is_later(&it.tokens))
        {
            return;
        }
        assert!(Instant::now() < deadline, "nobody has taken over");
        sleep(Duration::from_millis(2)).await;
    }
}
