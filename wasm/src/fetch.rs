//! `fetch` as far as images need it.

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, RequestInit, Response, WorkerGlobalScope};

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchError {
    /// No answer: offline, or refused by the browser.
    #[error("the server cannot be reached")]
    Unreachable,
    /// An answer, but not a good one.
    #[error("the server answered {0}")]
    Status(u16),
}

impl FetchError {
    /// Whether the same request may work later.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            FetchError::Unreachable => true,
            FetchError::Status(code) => *code >= 500 || matches!(code, 401 | 403 | 408 | 429),
        }
    }
}

/// `GET`s bytes.
pub(crate) async fn get(url: &str) -> Result<Vec<u8>, FetchError> {
    let response = send(url, &RequestInit::new()).await?;
    let body = response
        .array_buffer()
        .map_err(|_| FetchError::Unreachable)?;
    let body = JsFuture::from(body)
        .await
        .map_err(|_| FetchError::Unreachable)?;
    let buffer: ArrayBuffer = body.dyn_into().map_err(|_| FetchError::Unreachable)?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// `PUT`s bytes.
pub(crate) async fn put(url: &str, mime: &str, bytes: &[u8]) -> Result<(), FetchError> {
    let init = RequestInit::new();
    init.set_method("PUT");
    init.set_body(&Uint8Array::from(bytes));
    let headers = web_sys::Headers::new().map_err(|_| FetchError::Unreachable)?;
    headers
        .set("content-type", mime)
        .map_err(|_| FetchError::Unreachable)?;
    init.set_headers(&headers);
    send(url, &init).await.map(drop)
}

async fn send(url: &str, init: &RequestInit) -> Result<Response, FetchError> {
    let scope: WorkerGlobalScope = js_sys::global()
        .dyn_into()
        .map_err(|_| FetchError::Unreachable)?;
    let request = Request::new_with_str_and_init(url, init).map_err(|_| FetchError::Unreachable)?;
    let response = JsFuture::from(scope.fetch_with_request(&request))
        .await
        .map_err(|_| FetchError::Unreachable)?;
    let response: Response = response.dyn_into().map_err(|_| FetchError::Unreachable)?;
    if response.ok() {
        Ok(response)
    } else {
        Err(FetchError::Status(response.status()))
    }
}
