//! The server as a client sees it, over real sockets.
#![allow(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use admin::AdminError;
use admin::ports::{Check, Health, Info};
use admin::server::{Ports, Running, serve};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Default)]
struct Node {
    drains: AtomicBool,
}

impl Health for Node {
    fn checks(&self) -> Vec<Check> {
        let drains = self.drains.load(Ordering::Relaxed);
        let detail = if drains { "draining" } else { "taking requests" };
        vec![
            Check { name: "journal", ok: true, detail: "at 17".into() },
            Check { name: "draining", ok: !drains, detail: detail.into() },
        ]
    }

    fn info(&self) -> Info {
        Info {
            version: "0.1.0".into(),
            profile: "test".into(),
            commit_mode: "data".into(),
            config_hash: "0123456789abcdef".into(),
        }
    }
}

fn start() -> (Running, Arc<Node>) {
    let node = Arc::new(Node::default());
    let ports = Ports { health: node.clone(), metrics: admin::metrics::install() };
    let running = serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ports).unwrap();
    (running, node)
}

/// An answer: status, head in lower case, body.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

async fn ask(running: &Running, request: &str) -> Answer {
    let mut stream = TcpStream::connect(running.listen()).await.unwrap();
    let request = format!("{request} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

#[actix_rt::test]
async fn a_node_that_serves_is_ready_and_one_that_drains_is_not() {
    let (running, node) = start();
    assert_eq!(ask(&running, "GET /livez").await.body, "ok\n");

    let answer = ask(&running, "GET /readyz").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({ "ready": true, "checks": [
            { "name": "journal", "ok": true, "detail": "at 17" },
            { "name": "draining", "ok": true, "detail": "taking requests" },
        ] })
    );
    assert_eq!(ask(&running, "GET /healthz").await.body, "ok\n");

    node.drains.store(true, Ordering::Relaxed);
    let answer = ask(&running, "GET /readyz").await;
    assert_eq!((answer.status, &answer.json()["ready"]), (503, &json!(false)));
    let answer = ask(&running, "GET /healthz?verbose").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.body, "journal: ok: at 17\ndraining: failing: draining\nfailing\n");
    assert_eq!(ask(&running, "GET /livez").await.status, 200);
    running.stop().await;
}

#[actix_rt::test]
async fn figures_are_served_as_prometheus_text() {
    let (running, _node) = start();
    metrics::counter!("posp_asked_total", "rc" => "00").increment(1);
    let answer = ask(&running, "GET /metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("content-type: text/plain; version=0.0.4"), "{}", answer.head);
    assert!(answer.body.contains("posp_build_info{version="), "{}", answer.body);
    assert!(answer.body.contains("posp_asked_total{rc=\"00\"} 1"), "{}", answer.body);
    running.stop().await;
}

#[actix_rt::test]
async fn a_node_says_what_it_is() {
    let (running, _node) = start();
    let answer = ask(&running, "GET /info").await;
    assert_eq!(
        answer.json(),
        json!({ "version": "0.1.0", "profile": "test", "commit_mode": "data",
                "config_hash": "0123456789abcdef" })
    );
    running.stop().await;
}

#[actix_rt::test]
async fn nothing_else_is_served_and_every_answer_is_guarded() {
    let (running, _node) = start();
    let answer = ask(&running, "GET /admin").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.json()["error"], "there is nothing at this path");
    for path in answer.json()["paths"].as_array().unwrap() {
        assert_eq!(ask(&running, &format!("GET {}", path.as_str().unwrap())).await.status, 200);
    }
    for method in ["POST", "PUT", "DELETE"] {
        let answer = ask(&running, &format!("{method} /readyz")).await;
        assert_eq!(answer.status, 405);
        assert!(answer.head.contains("allow: get"), "{}", answer.head);
    }
    for request in ["GET /metrics", "GET /nowhere", "POST /info", "GET /healthz?verbose"] {
        let head = ask(&running, request).await.head;
        for header in [
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "content-security-policy: default-src 'none'; frame-ancestors 'none'",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
        ] {
            assert!(head.contains(header), "{request}: {header} is not in {head}");
        }
    }
    running.stop().await;
}

#[actix_rt::test]
async fn a_server_that_stopped_takes_nobody() {
    let (running, _node) = start();
    let listen = running.listen();
    assert_ne!(listen.port(), 0);
    let ports = Ports { health: Arc::new(Node::default()), metrics: admin::metrics::install() };
    let taken = serve(listen, ports).unwrap_err();
    assert!(matches!(taken, AdminError::Listen { .. }));
    assert!(taken.to_string().starts_with(&format!("cannot listen on {listen}: ")), "{taken}");
    running.stop().await;
    assert!(TcpStream::connect(listen).await.is_err());
}
