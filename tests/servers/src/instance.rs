//! `Instance`: what all servers have in common, whatever they speak.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{
    ports,
    process::{Guard, NotReady, Process, read},
};

/// Longer than a server takes to get ready, or to end, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a server that starts or ends is looked at.
const STEP: Duration = Duration::from_millis(5);

/// How often another port is tried when somebody else was faster.
const ATTEMPTS: usize = 10;

/// How long a server that comes back waits for its port.
const PORT_PATIENCE: Duration = Duration::from_secs(10);

/// How a server is run on a port with its data in a folder.
type Recipe = dyn Fn(u16, &Path) -> Command + Send + Sync;

/// A server on a loopback port with a folder of its own.
pub struct Instance {
    state: Mutex<State>,
    folder: PathBuf,
    port: u16,
    recipe: Box<Recipe>,
    sign: &'static str,
}

struct State {
    process: Option<Process>,
    guard: Guard,
}

impl Instance {
    /// Starts what `recipe` says. It is ready when it has printed `sign`.
    pub(super) async fn start(
        sign: &'static str,
        recipe: impl Fn(u16, &Path) -> Command + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::Builder::new().prefix("state-server-").tempdir();
        // From here on the guard removes it.
        let folder = folder.expect("a temporary folder can be made").keep();
        let guard = Guard::new(&folder).expect("`sh` can be started");
        let state = Mutex::new(State { process: None, guard });
        let mut instance = Self { state, folder, port: 0, recipe: Box::new(recipe), sign };
        for _ in 0..ATTEMPTS {
            instance.port = ports::free();
            match instance.run().await {
                Ok(()) => return instance,
                Err(NotReady::PortTaken) => {}
                Err(NotReady::Failed(why)) => panic!("{}: {why}", instance.program()),
            }
        }
        panic!("{}: {ATTEMPTS} ports were taken by others meanwhile", instance.program());
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:<port>`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The folder with its data, settings and log. It is removed in the end.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it has printed since it was started last.
    pub fn log(&self) -> String {
        read(&self.folder.join("log"))
    }

    /// Ends it at once, as a crash would. It has ended when this returns.
    pub fn kill(&self) {
        self.lock().replace(None);
    }

    /// Starts it again, on the same port with the same data. Kills it before, if it still runs.
    ///
    /// # Panics
    ///
    /// If it does not get ready.
    pub async fn restart(&self) {
        self.kill();
        let deadline = Instant::now() + PORT_PATIENCE;
        loop {
            match self.run().await {
                Ok(()) => return,
                Err(NotReady::PortTaken) if Instant::now() < deadline => {}
                Err(why) => panic!("{}, started again: {why:?}", self.program()),
            }
        }
    }

    /// Stops it: it keeps its connections, and answers nothing until it is resumed. It stands still
    /// when this returns.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
        let deadline = Instant::now() + PATIENCE;
        let stands =
            || self.lock().process.as_ref().is_none_or(|it| it.has_stopped().unwrap_or(true));
        while !stands() {
            assert!(Instant::now() < deadline, "{} does not stop", self.program());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets it go on.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Asks it to end by itself, and waits until it has: how it would end in an orderly deployment.
    ///
    /// # Panics
    ///
    /// If it does not run, or does not end.
    pub async fn stop(&self) {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        while !self.lock().process.as_mut().is_none_or(Process::has_ended) {
            assert!(Instant::now() < deadline, "{} does not end when asked to", self.program());
            tokio::time::sleep(STEP).await;
        }
        self.kill();
    }

    /// Reads a word that follows `label` in what it has printed.
    pub(super) fn printed(&self, label: &str) -> String {
        let log = self.log();
        let rest = log.split_once(label).map_or("", |(_, rest)| rest);
        rest.trim_start().split([' ', ',', '\n']).next().unwrap_or_default().to_owned()
    }

    async fn run(&self) -> Result<(), NotReady> {
        let command = (self.recipe)(self.port, &self.folder);
        let process = Process::spawn(command, self.folder.join("log"));
        let process = process.map_err(|error| NotReady::Failed(error.to_string()))?;
        self.lock().replace(Some(process));
        let deadline = Instant::now() + PATIENCE;
        while !self.is_ready()? {
            if Instant::now() > deadline {
                return Err(NotReady::Failed(format!("it does not get ready\n{}", self.log())));
            }
            tokio::time::sleep(STEP).await;
        }
        Ok(())
    }

    fn is_ready(&self) -> Result<bool, NotReady> {
        // A test that kills it while another one starts it has only itself to blame.
        self.lock().process.as_mut().map_or(Ok(true), |process| process.is_ready(self.sign))
    }

    fn signal(&self, signal: Signal) {
        let state = self.lock();
        let process = state.process.as_ref().expect("the server runs");
        process.signal(signal).expect("a signal can be sent");
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn program(&self) -> String {
        (self.recipe)(self.port, &self.folder).get_program().to_string_lossy().into_owned()
    }
}

impl State {
    /// Kills the process that there was.
    fn replace(&mut self, process: Option<Process>) {
        self.process = process;
        self.guard.watch(self.process.as_ref()).expect("the guard runs");
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // First the process, then what watches over it, which removes the folder.
        self.replace(None);
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("program", &self.program())
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Writes a file of settings.
pub(super) fn configure(file: &Path, settings: &str) {
    fs::write(file, settings).expect("the server's folder can be written to");
}
