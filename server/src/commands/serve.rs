//! `plainsync serve`: binds the socket, says where to look, serves until a signal.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use tokio::net::{TcpListener, lookup_host};
use tracing_subscriber::EnvFilter;

use super::failure::Failure;
use crate::cli::{ImagesArg, ServeArgs, answer, complain, exit, file_of, reaches_further};
use crate::config::{AllowedHost, Config, TlsFiles, Token};
use crate::document::{answer_soon, keep_free_memory};
use crate::http::places::raise_open_files;
use crate::runner::generator_from_environment;
use crate::serve::{ServeError, Server};

/// Runs `plainsync serve` until ctrl-c or SIGTERM.
#[must_use]
pub fn run(args: ServeArgs) -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&args.log))
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .with_target(false)
        .init();
    raise_open_files();
    keep_free_memory();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_start(answer_soon)
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(serve(args)),
        Err(error) => Err(Failure::new(
            exit::FAILED,
            format!("the system gives no threads: {error}"),
        )),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure.sentence);
            ExitCode::from(failure.code)
        }
    }
}

async fn serve(args: ServeArgs) -> Result<(), Failure> {
    let config = config(&args)?;
    let listener = bind(&args).await?;
    let bound = listener
        .local_addr()
        .map_err(|error| Failure::new(exit::ADDRESS, error.to_string()))?;
    let opened = Server::open(listener, &config).await;
    let server = opened.map_err(failed)?;
    // Whoever reads the address may send a signal at once: it must not meet the system's default.
    let stop = stop_signal();
    announce(&args, &config, bound);
    let served = server.run(stop).await;
    served.map_err(failed)
}

fn failed(error: ServeError) -> Failure {
    match error {
        ServeError::OpenWithoutToken(_) | ServeError::Tls(_) => {
            Failure::new(exit::USAGE, error.to_string())
        }
        ServeError::Socket(_) => Failure::new(exit::ADDRESS, error.to_string()),
        ServeError::Open(error) => error.into(),
    }
}

/// The checked configuration that the arguments ask for.
fn config(args: &ServeArgs) -> Result<Config, Failure> {
    if args.token.is_none() && reaches_further(&args.host) {
        return Err(Failure::new(
            exit::USAGE,
            format!(
                "--host {} can be reached from other machines, so a token is needed: add --token SECRET (or set PLAINSYNC_TOKEN), or use --host 127.0.0.1 for this machine only",
                args.host
            ),
        ));
    }
    let mut allow_hosts = args.allow_host.clone();
    if args.host.parse::<std::net::IpAddr>().is_err() {
        let name = args.host.parse::<AllowedHost>();
        allow_hosts
            .push(name.map_err(|error| Failure::new(exit::USAGE, format!("--host: {error}")))?);
    }
    let tls = match args.tls.as_deref() {
        Some([cert, key]) => Some(TlsFiles {
            cert: cert.clone(),
            key: key.clone(),
        }),
        _ => None,
    };
    let file = file_of(&args.path);
    Failure::unless_folder(&file)?;
    // A folder is opened as one, with the other files in it that carry a version of ours.
    let served = if args.path.is_dir() {
        args.path.clone()
    } else {
        file
    };
    let generator = generator_from_environment();
    Ok(Config {
        generator: generator.map_err(|error| Failure::new(exit::USAGE, error.to_string()))?,
        state_dir: args.state.clone(),
        allow_hosts,
        allow_origins: args.allow_origin.clone(),
        token: args.token.clone(),
        tls,
        parallel_jobs_max: args.max_parallel_jobs,
        link_images: args.images.map(|images| matches!(images, ImagesArg::Files)),
        ..Config::new(served)
    })
}

async fn bind(args: &ServeArgs) -> Result<TcpListener, Failure> {
    let host = args.host.trim_matches(['[', ']']);
    let found: Vec<SocketAddr> = match lookup_host((host, args.port)).await {
        Ok(found) => found.collect(),
        Err(error) => {
            return Err(Failure::new(
                exit::ADDRESS,
                format!("--host {host} is not known here: {error}"),
            ));
        }
    };
    // `localhost` may be ::1 first; the loopback address that browsers try first is IPv4.
    let address = found
        .iter()
        .find(|address| address.is_ipv4())
        .or_else(|| found.first())
        .copied();
    let Some(address) = address else {
        return Err(Failure::new(
            exit::ADDRESS,
            format!("--host {host} has no address"),
        ));
    };
    TcpListener::bind(address).await.map_err(|error| {
        let sentence = match error.kind() {
            io::ErrorKind::AddrInUse => format!(
                "port {} on {host} is taken by another program; choose another with --port, or --port 0 for any free one",
                args.port
            ),
            io::ErrorKind::PermissionDenied => {
                format!("port {} may not be used by this user; choose one above 1023 with --port", args.port)
            }
            io::ErrorKind::AddrNotAvailable => format!("{} is not an address of this machine", address.ip()),
            _ => format!("cannot listen on {address}: {error}"),
        };
        Failure::new(exit::ADDRESS, sentence)
    })
}

/// Says where to look. The URL alone goes to stdout.
fn announce(args: &ServeArgs, config: &Config, bound: SocketAddr) {
    let url = url(config, &args.host, bound);
    let with_token = |token: &Token| format!("{url}#token={}", percent_encode(token.expose()));
    let private_url = config
        .token
        .as_ref()
        .map_or_else(|| url.clone(), with_token);
    complain(&format!("serving {} at", file_of(&config.file).display()));
    // A log file is no place for the secret; a terminal is its owner's.
    let shown = if io::IsTerminal::is_terminal(&io::stdout()) {
        &private_url
    } else {
        &url
    };
    answer(shown);
    if config.token.as_ref().is_some_and(|token| !token.is_long()) {
        complain("the token is short and can be guessed; `openssl rand -hex 32` makes a good one");
    }
    if args.open
        && let Err(error) = open::that_detached(&private_url)
    {
        complain(&format!("no browser could be opened: {error}"));
    }
}

/// The address to open in a browser on this machine.
fn url(config: &Config, host: &str, bound: SocketAddr) -> String {
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let host = host.trim_matches(['[', ']']);
    let name = match host {
        "localhost" if config.tls.is_none() => bound.ip().to_string(),
        "0.0.0.0" | "::" => "127.0.0.1".to_owned(),
        name => name.to_owned(),
    };
    let name = if name.contains(':') {
        format!("[{name}]")
    } else {
        name
    };
    format!("{scheme}://{name}:{}/", bound.port())
}

fn percent_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Resolves at ctrl-c or SIGTERM, of which it hears from the call on. A second signal ends the
/// process at once.
fn stop_signal() -> impl Future<Output = ()> + Send {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        );
        async move {
            let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
                return std::future::pending().await;
            };
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            tokio::spawn(async move {
                tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
                complain("stopped at once; what was acknowledged is on disk");
                std::process::exit(i32::from(exit::FAILED));
            });
        }
    }
    #[cfg(not(unix))]
    async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    #[test]
    fn the_url_is_one_that_a_browser_can_open() {
        let config = Config::new("x.json".into());
        for (host, bound, expected) in [
            ("127.0.0.1", "127.0.0.1:5", "http://127.0.0.1:5/"),
            ("localhost", "127.0.0.1:5", "http://127.0.0.1:5/"),
            ("0.0.0.0", "0.0.0.0:5", "http://127.0.0.1:5/"),
            ("::1", "[::1]:5", "http://[::1]:5/"),
            ("box.local", "10.0.0.1:5", "http://box.local:5/"),
        ] {
            assert_eq!(url(&config, host, bound.parse().unwrap()), expected);
        }
        assert_eq!(percent_encode("a/b+c"), "a%2Fb%2Bc");
    }
}
