//! A server's process: started, waited for until it is ready, stopped for a while, killed.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

/// Why a server did not get ready.
#[derive(Debug)]
pub(super) enum NotReady {
    /// Another program has its port.
    PortTaken,
    /// Something else, told with what the server printed.
    Failed(String),
}

/// A running process. It is killed and reaped when it is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, with everything that it prints in the file `log`.
    pub(super) fn spawn(mut command: Command, log: PathBuf) -> io::Result<Self> {
        let file = File::create(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            // Whoever interrupts the tests at the terminal does not interrupt the server.
            .process_group(0)
            .spawn()?;
        Ok(Self { child, log })
    }

    /// Whether the server has printed `sign`, which says that it is ready.
    ///
    /// What is printed is more reliable than a connection: another program may have the port.
    pub(super) fn is_ready(&mut self, sign: &str) -> Result<bool, NotReady> {
        // In this order, so that nothing is missed that was printed before the end.
        let ended = self.child.try_wait();
        let printed = read(&self.log);
        match ended {
            _ if printed.contains(sign) => Ok(true),
            Ok(None) => Ok(false),
            _ if printed.contains("ddress already in use") => Err(NotReady::PortTaken),
            ended => Err(NotReady::Failed(format!("it ended: {ended:?}\n{printed}"))),
        }
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub(super) fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Whether it has come to a stop since this was asked last: a signal takes its time to reach all
    /// threads.
    pub(super) fn has_stopped(&self) -> io::Result<bool> {
        let id = WaitId::Pid(Pid::from_child(&self.child));
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
        Ok(waitid(id, options)?.is_some_and(|status| status.stopped()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a server has printed.
pub(super) fn read(log: &Path) -> String {
    String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
}

/// Ends a server and removes its folder when the test program is gone, however it ended: statics are
/// never dropped, and a program that is killed drops nothing.
#[derive(Debug)]
pub(super) struct Guard {
    shell: Child,
}

/// Reads process identifiers until its input ends, then kills the last one if it is not empty.
const SCRIPT: &str = r#"
    while read -r line; do process=$line; done
    [ -z "$process" ] || kill -9 "$process"
    rm -rf "$1"
"#;

impl Guard {
    /// Watches over a folder.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "guard"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { shell })
    }

    /// Says which process is to be killed in the end, if any.
    pub(super) fn watch(&mut self, process: Option<&Process>) -> io::Result<()> {
        let id = process.map(|process| process.id().to_string()).unwrap_or_default();
        match &mut self.shell.stdin {
            Some(input) => writeln!(input, "{id}"),
            None => Ok(()),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // It fails only where the shell has ended already.
        let _ = self.shell.wait();
    }
}
