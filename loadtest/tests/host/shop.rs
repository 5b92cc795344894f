//! The tiny host on TCP, for many terminals.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use codec::{Dialect, Envelope, Limits, Message, cut};
use keys::{Hsm, Lmk, SeededRandom, SoftHsm};
use loadtest::Kit;

use super::{Answer, Host};

/// What it does with a sale, by how many it had before.
pub type Rule = fn(u64) -> Deed;

#[derive(Clone, Copy)]
pub enum Deed {
    Say(&'static str),
    Approve,
    /// Approve this many fen of what is asked for.
    Part(u64),
    /// Approve under a code that is wrong.
    Forge,
    /// Say nothing.
    Ignore,
    /// Close the line.
    HangUp,
}

/// Approvals so far, shared with its threads.
#[derive(Clone)]
pub struct Shop {
    pub address: SocketAddr,
    pub approved: Arc<AtomicU64>,
}

struct Inside {
    kit: Kit,
    hsm: SoftHsm,
    hosts: Mutex<BTreeMap<Vec<u8>, Arc<Host>>>,
    rule: Rule,
    sales: AtomicU64,
    approved: Arc<AtomicU64>,
}

impl Shop {
    pub fn open(kit: &Kit, rule: Rule) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let approved = Arc::new(AtomicU64::new(0));
        let inside = Arc::new(Inside {
            kit: kit.clone(),
            hsm: SoftHsm::with_randomness(Lmk::demo(), Box::new(SeededRandom::new(1))),
            hosts: Mutex::default(),
            rule,
            sales: AtomicU64::new(0),
            approved: Arc::clone(&approved),
        });
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let inside = Arc::clone(&inside);
                thread::spawn(move || inside.serve(stream));
            }
        });
        Self { address, approved }
    }
}

impl Inside {
    fn serve(&self, mut stream: TcpStream) {
        let (mut unread, mut room) = (Vec::new(), [0; 2048]);
        while let Ok(count @ 1..) = stream.read(&mut room) {
            unread.extend_from_slice(&room[..count]);
            while let Some(cut) = cut(&unread, &Limits::default()).unwrap() {
                let (request, consumed) = (unread[..cut.consumed].to_vec(), cut.consumed);
                unread.drain(..consumed);
                match self.answer(&request) {
                    None => return,
                    Some(frame) if frame.is_empty() => {}
                    Some(frame) => {
                        let length = u16::try_from(frame.len()).unwrap().to_be_bytes();
                        if stream.write_all(&[&length[..], &frame].concat()).is_err() {
                            return;
                        }
                    }
                }
            }
        }
    }

    /// An answer without its length; an empty one is silence, none hangs up.
    fn answer(&self, request: &[u8]) -> Option<Vec<u8>> {
        let envelope = Envelope::parse(&request[2..]).unwrap();
        let message = Message::parse(Dialect::unionpay_pos(), envelope.body).unwrap();
        let id = message.text(41).unwrap();
        if message.mti().as_bytes() == b"0800" {
            let host = Arc::new(self.host(id));
            self.hosts.lock().unwrap().insert(id.to_vec(), Arc::clone(&host));
            return Some(host.sign_on(request, "00000001003"));
        }
        let host = Arc::clone(&self.hosts.lock().unwrap()[id]);
        if message.mti().as_bytes() == b"0400" && !host.accepts(request) {
            return Some(host.refuse(request, "A0"));
        }
        if message.mti().as_bytes() != b"0200" {
            return Some(host.approve(request, "011510150000"));
        }
        assert!(host.accepts(request));
        match (self.rule)(self.sales.fetch_add(1, Ordering::Relaxed)) {
            Deed::Say(code) => Some(host.refuse(request, code)),
            Deed::Approve => {
                self.approved.fetch_add(1, Ordering::Relaxed);
                Some(host.approve(request, "011510150001"))
            }
            Deed::Part(fen) => {
                let rrn = "011510150001";
                let answer = Answer { code: "10", rrn, amount: Some(fen), ..Answer::default() };
                Some(host.answer(request, &answer))
            }
            Deed::Forge => {
                let mut frame = host.approve(request, "011510150001");
                *frame.last_mut().unwrap() ^= 1;
                Some(frame)
            }
            Deed::Ignore => Some(Vec::new()),
            Deed::HangUp => None,
        }
    }

    fn host(&self, id: &[u8]) -> Host {
        let setup = self.kit.terminals.iter().find(|setup| setup.id.0 == *id).unwrap();
        let tmk = setup.tmk.as_bytes();
        let sealed = self.hsm.import_tmk(&setup.id.0, tmk, setup.algorithm).unwrap();
        let fresh = self.hsm.generate_working_keys(&setup.id.0, &sealed, setup.layout).unwrap();
        Host::new(setup, &const_hex::encode(fresh.f62))
    }
}
