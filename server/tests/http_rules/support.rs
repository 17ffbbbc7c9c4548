//! A server of our own for each test, and a client that sends exactly what it is told.

use std::net::SocketAddr;

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName};
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use plainsync::config::Config;
use plainsync::serve::{self, ServeError};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A PNG of one pixel, as a data URL.
pub(crate) const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A running server; stopped by [`Server::stop`] or when dropped.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The folder it serves.
    pub(crate) folder: TempDir,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ServeError>>,
}

/// An answer, its body read to the end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text, its values joined by commas; empty when absent.
    pub(crate) fn header(&self, name: &str) -> String {
        let values = self.headers.get_all(name).iter();
        let values: Vec<_> = values.map(|value| value.to_str().unwrap()).collect();
        values.join(", ")
    }

    /// Asserts that this is a problem of `slug` with `status`, and returns its sentence.
    pub(crate) fn problem(&self, status: u16, slug: &str) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["type"], format!("/api/docs#{slug}"), "{problem}");
        assert_eq!(problem["status"], status);
        problem["detail"].as_str().unwrap().to_owned()
    }
}

impl Server {
    /// A server on a fresh folder with the default configuration.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// The same, its configuration changed by `change`.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), change).await
    }

    /// A server on `folder`, which may hold something already.
    pub(crate) async fn start_in(folder: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        Self::launch(folder, "127.0.0.1:0", change).await
    }

    /// A server on a fresh folder that listens at `address`.
    pub(crate) async fn start_on(address: &str, change: impl FnOnce(&mut Config)) -> Self {
        Self::launch(tempfile::tempdir().unwrap(), address, change).await
    }

    async fn launch(folder: TempDir, address: &str, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new(folder.path().join("job_history.json"));
        config.state_dir = Some(folder.path().join("state"));
        change(&mut config);
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            let _gone = stopped.await;
        };
        let task = tokio::spawn(serve::run(listener, config, shutdown));
        Self {
            address,
            folder,
            stop: Some(stop),
            task,
        }
    }

    /// Stops it and returns its folder.
    pub(crate) async fn stop(mut self) -> TempDir {
        drop(self.stop.take());
        self.task.await.unwrap().unwrap();
        self.folder
    }

    /// `127.0.0.1:port`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// A request to `path` with our own `Host`.
    pub(crate) fn request(&self, method: &str, path: &str) -> hyper::http::request::Builder {
        Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(path)
            .header(HOST, self.host())
    }

    /// Sends `request` as it is, on a connection of its own.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        self.send_to(self.address, request).await
    }

    /// The same, to another address of this machine.
    pub(crate) async fn send_to(
        &self,
        address: SocketAddr,
        request: Request<Full<Bytes>>,
    ) -> Answer {
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        let response = sender.send_request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// `GET path` with further headers.
    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send_with("GET", path, headers, "").await
    }

    /// `GET path`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    /// A request with headers and a body. A `host` among the headers replaces our own.
    pub(crate) async fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = self.request(method, path);
        let set = request.headers_mut().unwrap();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            if name == HOST {
                set.remove(HOST);
            }
            set.append(name, value.parse().unwrap());
        }
        self.send(request.body(Full::from(body.to_owned())).unwrap())
            .await
    }

    /// A request with a JSON body.
    pub(crate) async fn json(
        &self,
        method: &str,
        path: &str,
        body: impl Into<serde_json::Value>,
    ) -> Answer {
        self.send_with(
            method,
            path,
            &[(CONTENT_TYPE.as_str(), "application/json")],
            &body.into().to_string(),
        )
        .await
    }
}
