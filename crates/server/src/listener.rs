//! Accepting connections within limits, and ending them gracefully.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use muster_api::AppService;
use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What bounds connections.
#[derive(Clone, Copy)]
pub(crate) struct ConnectionLimits {
    /// Served at once; more are answered with 503.
    pub(crate) max_connections: usize,
    /// For the head of a request.
    pub(crate) header_timeout: Duration,
    /// How long a client may take nothing of what is sent to it.
    pub(crate) write_timeout: Duration,
}

/// How long running requests get to finish; with closing the store it stays below 10 s.
const GRACE: Duration = Duration::from_secs(8);
/// Connections over the limit that are answered at once; more are closed without a word.
const REFUSALS: usize = 256;

/// Serves until `shutdown` completes, then finishes what is running.
pub(crate) async fn serve(
    listener: TcpListener,
    service: AppService,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.max_connections));
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: others have to end first.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let connection = connect(stream, peer, service.clone(), limits);
            let connection = graceful.watch(connection);
            tokio::spawn(async move {
                // Whatever went wrong with a connection, its client knows.
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection ended early");
                }
                drop(place);
            });
        } else if let Ok(place) = Arc::clone(&refusals).try_acquire_owned() {
            tokio::spawn(async move {
                let refusal = tokio::time::timeout(Duration::from_secs(2), refuse(stream));
                // A client that does not take its answer has lost it.
                let _ = refusal.await;
                drop(place);
            });
        }
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
}

fn connect(
    stream: TcpStream,
    peer: SocketAddr,
    service: AppService,
    limits: ConnectionLimits,
) -> impl GracefulConnection<Error = hyper::Error> + Send {
    let socket = SockRef::from(&stream);
    // A client that takes nothing of its answer for so long has lost it, and its memory is freed.
    let options =
        socket.set_tcp_nodelay(true).and_then(|()| socket.set_tcp_user_timeout(Some(limits.write_timeout)));
    if let Err(error) = options {
        tracing::debug!(%error, "socket options");
    }
    let answer = service_fn(move |request| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.handle(request, peer).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .serve_connection(TokioIo::new(stream), answer)
}

/// Tells a client that there is no place for it.
async fn refuse(mut stream: TcpStream) -> std::io::Result<()> {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
        Content-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 32\r\n\r\n\
        {\"error\":\"Too many connections\"}";
    stream.write_all(ANSWER).await?;
    stream.shutdown().await?;
    // What the client is still sending is read, or its answer might be lost with the connection.
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
