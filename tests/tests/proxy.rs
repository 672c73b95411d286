//! The fault proxy does exactly what it is told, byte by byte.

use std::{io, time::Duration};

use tests::proxy::{Action, Direction, Fault, Proxy, Traffic};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

type TestResult = Result<(), io::Error>;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Long enough for bytes that are not held back to arrive.
const MOMENT: Duration = Duration::from_millis(50);

/// A proxy and a server behind it, whose connections the test serves itself.
struct Setup {
    proxy: Proxy,
    server: TcpListener,
}

impl Setup {
    async fn new() -> io::Result<Self> {
        let server = TcpListener::bind("127.0.0.1:0").await?;
        let proxy = Proxy::start(server.local_addr()?.to_string()).await;
        Ok(Self { proxy, server })
    }

    /// Both ends of a new connection, over which a byte has passed.
    async fn connect(&self) -> io::Result<(TcpStream, TcpStream)> {
        let mut client = TcpStream::connect(self.proxy.address()).await?;
        let (mut server, _) = timeout(PATIENCE, self.server.accept()).await??;
        client.write_all(b"!").await?;
        assert_eq!(read(&mut server, 1).await?, b"!");
        Ok((client, server))
    }
}

/// How a stream ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Close,
    Reset,
}

/// Everything that still comes, and how it ends.
async fn rest(stream: &mut TcpStream) -> io::Result<(Vec<u8>, End)> {
    let mut bytes = Vec::new();
    let end = match timeout(PATIENCE, stream.read_to_end(&mut bytes)).await? {
        Ok(_) => End::Close,
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => End::Reset,
        Err(error) => return Err(error),
    };
    Ok((bytes, end))
}

async fn read(stream: &mut TcpStream, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    timeout(PATIENCE, stream.read_exact(&mut bytes)).await??;
    Ok(bytes)
}

#[tokio::test]
async fn without_a_fault_everything_passes_and_is_counted() -> TestResult {
    let setup = Setup::new().await?;
    let (mut client, mut server) = setup.connect().await?;
    setup.proxy.record();
    client.write_all(b"question").await?;
    assert_eq!(read(&mut server, 8).await?, b"question");
    server.write_all(b"answer").await?;
    assert_eq!(read(&mut client, 6).await?, b"answer");
    let recording = setup.proxy.recorded();
    let seen: Vec<_> = recording.chunks.iter().map(|c| (c.direction, &*c.bytes)).collect();
    let expected: [(_, &[u8]); 2] =
        [(Direction::ToServer, b"question"), (Direction::ToClient, b"answer")];
    assert_eq!(seen, expected);
    assert_eq!(recording.exchanges(), 1);
    let traffic = Traffic { connections: 1, to_server: 9, to_client: 6, faults: 0 };
    assert_eq!(setup.proxy.traffic(), traffic);
    Ok(())
}

#[tokio::test]
async fn a_half_that_one_side_closes_is_closed_on_the_other() -> TestResult {
    let setup = Setup::new().await?;
    let (mut client, mut server) = setup.connect().await?;
    client.write_all(b"all").await?;
    client.shutdown().await?;
    assert_eq!(rest(&mut server).await?, (b"all".to_vec(), End::Close));
    server.write_all(b"still").await?;
    drop(server);
    assert_eq!(rest(&mut client).await?, (b"still".to_vec(), End::Close));
    Ok(())
}

#[tokio::test]
async fn a_cut_lets_exactly_the_bytes_before_it_pass() -> TestResult {
    for (action, end) in [(Action::Reset, End::Reset), (Action::Close, End::Close)] {
        for after in 0..6 {
            let setup = Setup::new().await?;
            let (mut client, mut server) = setup.connect().await?;
            setup.proxy.arm(Fault::new(Direction::ToServer, after, action));
            client.write_all(b"abcdef").await?;
            let (bytes, how) = rest(&mut server).await?;
            assert_eq!(bytes.len() as u64, after, "{action:?} after {after}");
            assert!(b"abcdef".starts_with(&bytes));
            assert_eq!(how, end, "{action:?} after {after}");
            assert_eq!(rest(&mut client).await?, (Vec::new(), how));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_cut_of_the_answer_leaves_the_question_whole() -> TestResult {
    for after in 0..6 {
        let setup = Setup::new().await?;
        let (mut client, mut server) = setup.connect().await?;
        setup.proxy.arm(Fault::new(Direction::ToClient, after, Action::Close));
        client.write_all(b"question").await?;
        assert_eq!(read(&mut server, 8).await?, b"question");
        server.write_all(b"answer").await?;
        let (bytes, end) = rest(&mut client).await?;
        assert_eq!((bytes.len() as u64, end), (after, End::Close));
    }
    Ok(())
}

#[tokio::test]
async fn after_a_fault_new_connections_pass() -> TestResult {
    let setup = Setup::new().await?;
    let (mut client, mut server) = setup.connect().await?;
    setup.proxy.arm(Fault::new(Direction::ToServer, 0, Action::Reset));
    client.write_all(b"lost").await?;
    assert_eq!(rest(&mut server).await?.0, b"");
    let (mut client, mut server) = setup.connect().await?;
    client.write_all(b"found").await?;
    assert_eq!(read(&mut server, 5).await?, b"found");
    assert_eq!(setup.proxy.traffic().faults, 1);
    Ok(())
}

#[tokio::test]
async fn a_fault_can_wait_for_one_connection() -> TestResult {
    let setup = Setup::new().await?;
    let (mut first, mut first_server) = setup.connect().await?;
    let (mut second, mut second_server) = setup.connect().await?;
    setup.proxy.arm(Fault::new(Direction::ToServer, 0, Action::Close).on(1));
    first.write_all(b"passes").await?;
    assert_eq!(read(&mut first_server, 6).await?, b"passes");
    second.write_all(b"ends").await?;
    assert_eq!(rest(&mut second_server).await?, (Vec::new(), End::Close));
    Ok(())
}

#[tokio::test]
async fn what_is_swallowed_never_arrives_and_the_other_direction_goes_on() -> TestResult {
    let setup = Setup::new().await?;
    let (mut client, mut server) = setup.connect().await?;
    setup.proxy.arm(Fault::new(Direction::ToServer, 2, Action::Swallow));
    client.write_all(b"abcdef").await?;
    assert_eq!(read(&mut server, 2).await?, b"ab");
    server.write_all(b"heard").await?;
    assert_eq!(read(&mut client, 5).await?, b"heard");
    client.write_all(b"more").await?;
    client.shutdown().await?;
    assert_eq!(rest(&mut server).await?, (Vec::new(), End::Close));
    Ok(())
}

#[tokio::test]
async fn what_is_held_arrives_when_it_is_released() -> TestResult {
    let setup = Setup::new().await?;
    let (mut client, mut server) = setup.connect().await?;
    setup.proxy.arm(Fault::new(Direction::ToServer, 2, Action::Hold));
    client.write_all(b"abcdef").await?;
    assert_eq!(read(&mut server, 2).await?, b"ab");
    let mut byte = [0];
    assert!(timeout(MOMENT, server.read(&mut byte)).await.is_err(), "a held byte arrives");
    setup.proxy.release();
    assert_eq!(read(&mut server, 4).await?, b"cdef");
    Ok(())
}

#[tokio::test]
async fn what_is_delayed_arrives_later() -> TestResult {
    let setup = Setup::new().await?;
    let (mut client, mut server) = setup.connect().await?;
    setup.proxy.arm(Fault::new(Direction::ToServer, 0, Action::Delay(MOMENT)));
    let start = Instant::now();
    client.write_all(b"late").await?;
    assert_eq!(read(&mut server, 4).await?, b"late");
    assert!(start.elapsed() >= MOMENT);
    Ok(())
}

#[tokio::test]
async fn a_fault_that_is_disarmed_does_not_happen() -> TestResult {
    let setup = Setup::new().await?;
    let (mut client, mut server) = setup.connect().await?;
    setup.proxy.arm(Fault::new(Direction::ToServer, 0, Action::Reset));
    setup.proxy.disarm();
    client.write_all(b"passes").await?;
    assert_eq!(read(&mut server, 6).await?, b"passes");
    Ok(())
}

#[tokio::test]
async fn severing_resets_what_is_connected_and_nothing_else() -> TestResult {
    let setup = Setup::new().await?;
    let (mut client, mut server) = setup.connect().await?;
    setup.proxy.sever().await;
    assert_eq!(rest(&mut client).await?, (Vec::new(), End::Reset));
    assert_eq!(rest(&mut server).await?, (Vec::new(), End::Reset));
    let (mut client, mut server) = setup.connect().await?;
    client.write_all(b"passes").await?;
    assert_eq!(read(&mut server, 6).await?, b"passes");
    Ok(())
}

#[tokio::test]
async fn it_refuses_connections_until_it_accepts_them_again() -> TestResult {
    let setup = Setup::new().await?;
    let (mut client, _server) = setup.connect().await?;
    setup.proxy.refuse().await;
    assert_eq!(rest(&mut client).await?, (Vec::new(), End::Reset));
    let refused = TcpStream::connect(setup.proxy.address()).await;
    assert_eq!(refused.map_err(|error| error.kind()).err(), Some(io::ErrorKind::ConnectionRefused));
    setup.proxy.accept().await;
    let (mut client, mut server) = setup.connect().await?;
    client.write_all(b"passes").await?;
    assert_eq!(read(&mut server, 6).await?, b"passes");
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_not_there_ends_the_connection() -> TestResult {
    let gone = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let proxy = Proxy::start(gone.to_string()).await;
    let mut client = TcpStream::connect(proxy.address()).await?;
    assert_eq!(rest(&mut client).await?, (Vec::new(), End::Reset));
    Ok(())
}
