//! The HTTP server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, ContentType};
use actix_web::middleware::DefaultHeaders;
use actix_web::{App, HttpResponse, HttpServer, Resource, web};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::{Deserialize, Serialize};

use crate::AdminError;
use crate::ports::{Check, Health};

/// What is served, in the words of the answer to a wrong path.
const PATHS: [&str; 5] = ["/metrics", "/livez", "/readyz", "/healthz", "/info"];

/// Connections at a time. Operators and scrapers are few.
const CONNECTIONS_MAX: usize = 64;
/// How long a request may take to come in whole.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may be idle.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long requests under way may take at the end.
const STOP_SECONDS: u64 = 2;
/// How often histograms are digested, so that they do not pile up between two scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// Where the server gets what it tells.
#[derive(Clone)]
pub struct Ports {
    /// The node.
    pub health: Arc<dyn Health>,
    /// Its figures: [`crate::metrics::install`].
    pub metrics: PrometheusHandle,
}

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    listen: SocketAddr,
    server: ServerHandle,
    upkeep: actix_rt::task::JoinHandle<()>,
}

impl Running {
    /// Returns where it listens; says which port was found if it was asked for port 0.
    #[must_use]
    pub const fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Stops taking requests and answers those under way.
    pub async fn stop(self) {
        self.server.stop(true).await;
        self.upkeep.abort();
    }
}

/// Serves operators on `listen`, in the actix system of the caller and one thread of its own.
///
/// Signals are the caller's: the server stops by [`Running::stop`] or with the system.
///
/// # Errors
/// [`AdminError::Listen`] if the address cannot be listened on.
///
/// # Panics
/// Outside an actix system.
pub fn serve(listen: SocketAddr, ports: Ports) -> Result<Running, AdminError> {
    let refused = |source| AdminError::Listen { listen, source };
    let metrics = ports.metrics.clone();
    let ports = web::Data::new(ports);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(ports.clone())
            .wrap(security_headers())
            .service(get("/metrics", web::get().to(figures)))
            .service(get("/livez", web::get().to(alive)))
            .service(get("/readyz", web::get().to(ready)))
            .service(get("/healthz", web::get().to(healthy)))
            .service(get("/info", web::get().to(info)))
            .default_service(web::to(not_found))
    })
    .workers(1)
    .max_connections(CONNECTIONS_MAX)
    .client_request_timeout(REQUEST_TIMEOUT)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(STOP_SECONDS)
    .disable_signals()
    .bind(listen)
    .map_err(refused)?;
    let listen = server.addrs().first().copied().unwrap_or(listen);
    let server = server.run();
    let handle = server.handle();
    drop(actix_rt::spawn(server));
    let upkeep = actix_rt::spawn(async move {
        loop {
            actix_rt::time::sleep(UPKEEP).await;
            metrics.run_upkeep();
        }
    });
    Ok(Running { listen, server: handle, upkeep })
}

fn get(path: &str, route: actix_web::Route) -> Resource {
    web::resource(path).route(route).default_service(web::to(not_allowed))
}

/// Headers by which a browser does nothing with an answer but show it.
fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("X-Frame-Options", "DENY"))
        .add(("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"))
        .add(("Referrer-Policy", "no-referrer"))
        .add(("Cache-Control", "no-store"))
}

/// Prometheus text (exposition format 0.0.4).
async fn figures(ports: web::Data<Ports>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(ports.metrics.render())
}

/// That it answers is the answer.
async fn alive() -> HttpResponse {
    text(StatusCode::OK, "ok\n")
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    checks: Vec<Check>,
}

async fn ready(ports: web::Data<Ports>) -> HttpResponse {
    let checks = ports.health.checks();
    let ready = checks.iter().all(|check| check.ok);
    HttpResponse::build(status(ready)).json(Readiness { ready, checks })
}

#[derive(Deserialize)]
struct Detail {
    verbose: Option<String>,
}

/// One word, or with `?verbose` a line for each check.
async fn healthy(ports: web::Data<Ports>, detail: web::Query<Detail>) -> HttpResponse {
    let checks = ports.health.checks();
    let well = checks.iter().all(|check| check.ok);
    let mut lines = String::new();
    if detail.verbose.is_some() {
        for Check { name, ok, detail } in &checks {
            let mark = if *ok { "ok" } else { "failing" };
            lines.push_str(&format!("{name}: {mark}: {detail}\n"));
        }
    }
    lines.push_str(if well { "ok\n" } else { "failing\n" });
    text(status(well), lines)
}

async fn info(ports: web::Data<Ports>) -> HttpResponse {
    HttpResponse::Ok().json(ports.health.info())
}

#[derive(Serialize)]
struct Refusal {
    error: &'static str,
    paths: [&'static str; 5],
}

async fn not_found() -> HttpResponse {
    HttpResponse::NotFound().json(Refusal { error: "there is nothing at this path", paths: PATHS })
}

async fn not_allowed() -> HttpResponse {
    let error = "only GET is served";
    HttpResponse::MethodNotAllowed()
        .insert_header((ALLOW, "GET"))
        .json(Refusal { error, paths: PATHS })
}

const fn status(well: bool) -> StatusCode {
    if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn text(status: StatusCode, body: impl Into<String>) -> HttpResponse {
    HttpResponse::build(status).content_type(ContentType::plaintext()).body(body.into())
}
