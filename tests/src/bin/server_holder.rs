//! Starts a server, says where it is, and waits to be killed.

use std::{
    io::{Write as _, stdout},
    thread,
    time::Duration,
};

use tests::servers::redis::{Flavour, Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let server = Server::shared(Flavour::Redis7).await;
    println!("{}\n{}", server.address(), server.folder().display());
    stdout().flush()?;
    thread::sleep(Duration::from_secs(60));
    Ok(())
}
