//! The door of the page: connections come in here, bounded in number, in size and in time.
//!
//! In: a bound socket, perhaps a certificate. Out: requests with the address they came from. Invariants: no more than
//! [`CONNECTIONS_MAX`] connections are open, and of one address no more than [`CONNECTIONS_OF_ONE`]; who says nothing, or says it
//! too slowly, is let go; a connection that breaks off takes nothing with it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// From where a request came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visitor(pub(super) IpAddr);

/// Serves whoever comes in until the runtime ends.
pub(super) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router) {
    let open = Arc::new(Mutex::new(BTreeMap::new()));
    loop {
        let Ok((stream, from)) = listener.accept().await else {
            // No room for another file: some connection will end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let address = from.ip().to_canonical();
        let Some(place) = Place::take(&open, address) else { continue };
        let (tls, router) = (tls.clone(), router.clone());
        tokio::spawn(async move {
            let _place = place;
            match tls {
                None => speak(stream, address, router).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(stream)).await {
                        speak(stream, address, router).await;
                    }
                }
            }
        });
    }
}

/// Answers the requests of one connection.
async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin, address: IpAddr, router: Router) {
    let answering = TowerToHyperService::new(router);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request<Incoming> = request;
        request.extensions_mut().insert(Visitor(address));
        answering.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADERS_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // What a visitor does wrong is theirs alone.
    if timeout(CONNECTION_WITHIN, connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = timeout(LAST_WORDS_WITHIN, connection).await;
    }
}

type Open = Arc<Mutex<BTreeMap<IpAddr, usize>>>;

/// One of the connections that may be open at a time.
struct Place {
    open: Open,
    address: IpAddr,
}

impl Place {
    fn take(open: &Open, address: IpAddr) -> Option<Self> {
        let mut counts = open.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, of_one) = (counts.values().sum::<usize>(), counts.get(&address).copied().unwrap_or(0));
        if all >= CONNECTIONS_MAX || of_one >= CONNECTIONS_OF_ONE {
            return None;
        }
        counts.insert(address, of_one + 1);
        Some(Self { open: Arc::clone(open), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                counts.remove(&self.address);
            }
        }
    }
}

/// Connections that may be open at a time.
pub const CONNECTIONS_MAX: usize = 128;
/// Connections of one address that may be open at a time: a browser opens six.
pub const CONNECTIONS_OF_ONE: usize = 32;
const HANDSHAKE: Duration = Duration::from_secs(5);
/// A request's headers, and the next request, have to be there within this time.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);
const HEADERS_MAX: usize = 64;
const HEADERS_BYTES_MAX: usize = 16 << 10;
const CONNECTION_WITHIN: Duration = Duration::from_secs(600);
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(30);
