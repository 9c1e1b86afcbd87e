//! A TCP proxy that injects faults: delay, silence, reset, refusal, or a cut after an exact byte.
//!
//! Put it between a store and its server. It listens on a free loopback port. Its behaviour can be changed at any moment,
//! also for open connections. For tests: it panics on its own errors.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// What the proxy does with the bytes.
///
/// ```
/// # use session_conformance::proxy::{Proxy, Weather};
/// # use std::time::Duration;
/// # #[tokio::main] async fn main() -> std::io::Result<()> {
/// let proxy = Proxy::start("127.0.0.1:6379".parse().unwrap()).await?;
/// for weather in [Weather::Slow(Duration::from_millis(50)), Weather::BlackHole, Weather::Fine] {
///     proxy.set(weather);
///     assert_eq!(proxy.weather(), weather);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Weather {
    /// Forwards them.
    Fine,
    /// Forwards each chunk after this delay.
    Slow(Duration),
    /// Drops them and keeps connections open. A connection that lost bytes stays silent.
    BlackHole,
    /// Resets open connections and each new one.
    Reset,
    /// Resets open connections and stops listening.
    Refuse,
    /// Passes this many bytes to the server, then ends that connection; afterwards the weather is `Fine`.
    CutRequest(u64),
    /// Passes this many bytes from the server, then ends that connection; afterwards the weather is `Fine`.
    CutReply(u64),
}

/// The number of bytes that have passed since the weather was set.
///
/// ```
/// # use session_conformance::proxy::{Proxy, Weather};
/// # use std::time::Duration;
/// # #[tokio::main] async fn main() -> std::io::Result<()> {
/// let proxy = Proxy::start("127.0.0.1:6379".parse().unwrap()).await?;
/// assert_eq!((proxy.passed().request, proxy.passed().reply), (0, 0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passed {
    /// To the server.
    pub request: u64,
    /// From the server.
    pub reply: u64,
}

/// A running proxy. It stops on drop.
///
/// ```no_run
/// # async fn test() -> std::io::Result<()> {
/// use session_conformance::proxy::{Proxy, Weather};
///
/// let proxy = Proxy::start("127.0.0.1:6379".parse().unwrap()).await?;
/// let url = format!("redis://{}", proxy.address());
/// proxy.set(Weather::CutReply(7));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    sky: Arc<Sky>,
    listening: AbortHandle,
    _claim: TcpSocket,
}

#[derive(Debug)]
struct Sky {
    weather: watch::Sender<Weather>,
    passed: Mutex<Passed>,
}

impl Proxy {
    /// Listens on a free loopback port and passes everything to `server`.
    ///
    /// # Errors
    /// If no port is available.
    pub async fn start(server: SocketAddr) -> io::Result<Self> {
        // The port stays bound while the proxy does not listen, so that no other program gets it.
        let claim = TcpSocket::new_v4()?;
        claim.set_reuseaddr(true)?;
        claim.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = claim.local_addr()?;
        let listener = listen_at(address)?;
        let sky = Arc::new(Sky { weather: watch::Sender::new(Weather::Fine), passed: Mutex::default() });
        let listening = tokio::spawn(listen(listener, address, server, Arc::clone(&sky))).abort_handle();
        Ok(Self { address, sky, listening, _claim: claim })
    }

    /// Returns the address of the proxy.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the weather, for open connections as well, and resets the counts.
    pub fn set(&self, weather: Weather) {
        let mut passed = self.sky.passed();
        *passed = Passed::default();
        self.sky.weather.send_replace(weather);
    }

    /// Returns the weather: `Fine` again after a cut.
    #[must_use]
    pub fn weather(&self) -> Weather {
        *self.sky.weather.borrow()
    }

    /// Returns how many bytes have passed since the weather was set.
    #[must_use]
    pub fn passed(&self) -> Passed {
        *self.sky.passed()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        // Open connections end with the listener.
        self.sky.weather.send_replace(Weather::Refuse);
    }
}

/// Listens on the port that a bound socket keeps.
fn listen_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

const BACKLOG: u32 = 1_024;

async fn listen(first: TcpListener, address: SocketAddr, server: SocketAddr, sky: Arc<Sky>) {
    let mut listener = Some(first);
    let mut weather = sky.weather.subscribe();
    loop {
        if *weather.borrow_and_update() == Weather::Refuse {
            listener = None;
            if weather.wait_for(|weather| *weather != Weather::Refuse).await.is_err() {
                return;
            }
        }
        let open = match listener.take() {
            Some(open) => open,
            None => listen_at(address).expect("the port is still ours"),
        };
        tokio::select! {
            biased;
            _ = weather.changed() => {}
            accepted = open.accept() => {
                if let Ok((client, _)) = accepted {
                    tokio::spawn(carry(client, server, Arc::clone(&sky)));
                }
            }
        }
        listener = Some(open);
    }
}

async fn carry(mut client: TcpStream, server: SocketAddr, sky: Arc<Sky>) {
    let mut weather = sky.weather.subscribe();
    if let Ok(mut upstream) = TcpStream::connect(server).await {
        let _ = (client.set_nodelay(true), upstream.set_nodelay(true));
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = upstream.split();
        tokio::select! {
            biased;
            _ = weather.wait_for(|weather| matches!(weather, Weather::Reset | Weather::Refuse)) => {}
            () = pump(from_client, to_server, &sky, Way::Request) => {}
            () = pump(from_server, to_client, &sky, Way::Reply) => {}
        }
    }
    if matches!(*sky.weather.borrow(), Weather::Reset | Weather::Refuse) {
        let _ = client.set_zero_linger();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Request,
    Reply,
}

/// Forwards bytes in one direction until the connection ends.
async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, sky: &Sky, way: Way) {
    let mut buffer = vec![0; 16 * 1024];
    let mut swallowing = false;
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        let weather = *sky.weather.borrow();
        match weather {
            Weather::BlackHole => swallowing = true,
            Weather::Slow(pause) => tokio::time::sleep(pause).await,
            _ => {}
        }
        if swallowing {
            continue;
        }
        let (length, cut) = sky.allow(length, way);
        if to.write_all(&buffer[..length]).await.is_err() || cut {
            return;
        }
    }
}

impl Sky {
    fn passed(&self) -> MutexGuard<'_, Passed> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how many of these bytes pass, and whether the connection ends after them.
    fn allow(&self, length: usize, way: Way) -> (usize, bool) {
        let mut passed = self.passed();
        let count = match way {
            Way::Request => &mut passed.request,
            Way::Reply => &mut passed.reply,
        };
        let left = match (*self.weather.borrow(), way) {
            (Weather::CutRequest(after), Way::Request) | (Weather::CutReply(after), Way::Reply) => {
                usize::try_from(after.saturating_sub(*count)).unwrap_or(usize::MAX)
            }
            _ => usize::MAX,
        };
        let cut = length > left;
        let allowed = length.min(left);
        *count += allowed as u64;
        if cut {
            self.weather.send_replace(Weather::Fine);
        }
        (allowed, cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        address
    }

    async fn say(stream: &mut TcpStream, text: &str) -> io::Result<String> {
        stream.write_all(text.as_bytes()).await?;
        let mut heard = vec![0; text.len()];
        stream.read_exact(&mut heard).await?;
        Ok(String::from_utf8(heard).unwrap())
    }

    #[tokio::test]
    async fn it_cuts_after_exactly_that_byte_and_then_passes_again() {
        let proxy = Proxy::start(echo().await).await.unwrap();
        for after in 0..5 {
            let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
            proxy.set(Weather::CutReply(after));
            stream.write_all(b"hello").await.unwrap();
            let mut heard = Vec::new();
            let _ = stream.read_to_end(&mut heard).await;
            assert_eq!(heard, b"hello"[..usize::try_from(after).unwrap()]);
            assert_eq!(proxy.weather(), Weather::Fine);
            let mut next = TcpStream::connect(proxy.address()).await.unwrap();
            assert_eq!(say(&mut next, "again").await.unwrap(), "again");
        }
    }

    #[tokio::test]
    async fn it_resets_refuses_swallows_and_recovers() {
        let proxy = Proxy::start(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(say(&mut stream, "hello").await.unwrap(), "hello");
        proxy.set(Weather::Reset);
        assert!(say(&mut stream, "hello").await.is_err());
        proxy.set(Weather::Refuse);
        tokio::task::yield_now().await;
        while TcpStream::connect(proxy.address()).await.is_ok() {
            tokio::task::yield_now().await;
        }
        proxy.set(Weather::BlackHole);
        let mut lost = loop {
            if let Ok(stream) = TcpStream::connect(proxy.address()).await {
                break stream;
            }
            tokio::task::yield_now().await;
        };
        let silent = tokio::time::timeout(Duration::from_millis(50), say(&mut lost, "hello")).await;
        assert!(silent.is_err());
        proxy.set(Weather::Fine);
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(say(&mut stream, "hello").await.unwrap(), "hello");
    }
}
