//! A line to MongoDB that lets through the first `n` commands of a transition, each statement of a bulk
//! counted, and is cut then: as if the process at its end, or the server, had died between any two
//! writes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bson::Document;
use volley::store::{self, Location, Store};

use crate::support::Launchpad;

/// A line to MongoDB that can be cut.
pub struct Line {
    address: String,
    traffic: Arc<Mutex<Traffic>>,
}

#[derive(Default)]
struct Traffic {
    /// Commands that still go through; none: all of them.
    left: Option<usize>,
    /// The answer to what goes through now is the last.
    is_last: bool,
    dead: bool,
    sockets: Vec<TcpStream>,
    cut: Option<Sender<()>>,
    /// The commands that have come.
    asked: Vec<Document>,
    /// Done when so many more commands have gone through.
    deed: Option<(usize, Box<dyn FnOnce() + Send>)>,
}

impl Traffic {
    fn cut(&mut self) {
        self.dead = true;
        if let Some(cut) = self.cut.take() {
            let _ = cut.send(());
        }
        for socket in &self.sockets {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// What is to be done before this message passes.
    fn due(&mut self, message: &[u8]) {
        self.asked.extend(any_command(message));
        if command(message).is_none() {
            return;
        }
        match self.deed.take() {
            Some((0, deed)) => deed(),
            Some((left, deed)) => self.deed = Some((left - 1, deed)),
            None => {}
        }
    }

    /// What passes of a message; nothing once the line is cut.
    fn pass(&mut self, message: Vec<u8>) -> Option<Vec<u8>> {
        let Some((left, mut command)) = self.left.zip(command(&message)) else { return Some(message) };
        let statements = command.get_array("updates").map_or(1, |statements| statements.len().max(1));
        if left >= statements {
            self.left = Some(left - statements);
            return Some(message);
        }
        if left == 0 {
            self.cut();
            return None;
        }
        self.is_last = true;
        command.get_array_mut("updates").expect("has several").truncate(left);
        let mut part = message[..BODY].to_vec();
        part.extend(command.to_vec().expect("encodes"));
        let length = u32::try_from(part.len()).expect("is small").to_le_bytes();
        part[..4].copy_from_slice(&length);
        Some(part)
    }
}

impl Line {
    fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let traffic = Arc::new(Mutex::new(Traffic::default()));
        let (server, shared) = (server.to_owned(), Arc::clone(&traffic));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(upstream) = TcpStream::connect(&server) else { continue };
                let mut traffic = shared.lock().expect("no panic");
                if traffic.dead {
                    return;
                }
                let copy = |socket: &TcpStream| socket.try_clone().expect("clones");
                traffic.sockets.extend([copy(&client), copy(&upstream)]);
                let (back, there) = (copy(&client), copy(&upstream));
                let (one, other) = (Arc::clone(&shared), Arc::clone(&shared));
                std::thread::spawn(move || commands(client, upstream, &one));
                std::thread::spawn(move || answers(there, back, &other));
            }
        });
        Line { address, traffic }
    }

    /// A launchpad over a line that will be cut.
    pub fn store(pad: &Launchpad) -> (Self, Arc<dyn Store>) {
        let (line, location) = Line::location(pad);
        (line, store::open(&location).expect("prepares").into())
    }

    /// Where that launchpad is, for whoever opens it himself.
    pub fn location(pad: &Launchpad) -> (Self, Location) {
        let Location::Mongo(settings) = &pad.location else { unreachable!("it is MongoDB") };
        let host = settings.host.trim_start_matches("mongodb://");
        let (server, options) = host.split_once('/').unwrap_or((host, ""));
        let line = Line::to(server);
        let mut settings = settings.clone();
        settings.host = format!("mongodb://{}/{options}", line.address);
        (line, Location::Mongo(settings))
    }

    /// Has a store do something with only so many commands. True when they sufficed.
    pub fn die_after(
        &self,
        commands: usize,
        mortal: &Arc<dyn Store>,
        act: impl FnOnce(&dyn Store) + Send + 'static,
    ) -> bool {
        let is_cut = self.cut_after(commands);
        let (done, is_done) = channel();
        let mortal = Arc::clone(mortal);
        // Left to itself once the line is cut: it will see for a while whether the server returns.
        std::thread::spawn(move || {
            act(&*mortal);
            let _ = done.send(());
        });
        loop {
            let ended = is_done.recv_timeout(Duration::from_millis(2)).is_ok();
            if is_cut.try_recv().is_ok() {
                return false;
            }
            if ended {
                return true;
            }
        }
    }

    /// Does something between two commands, when `count` have gone through.
    pub fn meanwhile(&self, count: usize, deed: impl FnOnce() + Send + 'static) {
        self.traffic.lock().expect("no panic").deed = Some((count, Box::new(deed)));
    }

    /// The commands that have come since this was asked last.
    pub fn asked(&self) -> Vec<Document> {
        std::mem::take(&mut self.traffic.lock().expect("no panic").asked)
    }

    /// Lets `count` more commands through; the answer comes when the one after them was cut off.
    fn cut_after(&self, count: usize) -> Receiver<()> {
        let (cut, is_cut) = channel();
        let mut traffic = self.traffic.lock().expect("no panic");
        traffic.left = Some(count);
        traffic.cut = Some(cut);
        is_cut
    }
}

fn commands(client: TcpStream, mut upstream: TcpStream, shared: &Mutex<Traffic>) {
    while let Some(message) = read_message(&client) {
        let mut traffic = shared.lock().expect("no panic");
        traffic.due(&message);
        let Some(message) = traffic.pass(message) else { return };
        drop(traffic);
        if upstream.write_all(&message).is_err() {
            return;
        }
    }
}

fn answers(upstream: TcpStream, mut client: TcpStream, shared: &Mutex<Traffic>) {
    while let Some(message) = read_message(&upstream) {
        let mut traffic = shared.lock().expect("no panic");
        if traffic.is_last {
            traffic.cut();
            return;
        }
        drop(traffic);
        if client.write_all(&message).is_err() {
            return;
        }
    }
}

fn read_message(mut socket: &TcpStream) -> Option<Vec<u8>> {
    let mut message = vec![0; HEADER];
    socket.read_exact(&mut message).ok()?;
    let length = u32::from_le_bytes([message[0], message[1], message[2], message[3]]);
    message.resize(length as usize, 0);
    socket.read_exact(&mut message[HEADER..]).ok()?;
    Some(message)
}

/// Bytes before the flags of a message, and before its command.
const HEADER: usize = 16;
const BODY: usize = HEADER + 5;

/// The command in a message, if it is one of the store and not the driver looking after its
/// connections.
fn command(message: &[u8]) -> Option<Document> {
    let name = |command: &Document| command.keys().next().cloned().unwrap_or_default();
    let transitions = ["find", "aggregate", "insert", "update", "delete", "findAndModify"];
    any_command(message).filter(|command| transitions.contains(&name(command).as_str()))
}

/// Any command at all, but what drivers say to servers of themselves.
fn any_command(message: &[u8]) -> Option<Document> {
    const OP_MSG: [u8; 4] = 2013_u32.to_le_bytes();
    let command = (message[12..HEADER] == OP_MSG).then(|| Document::from_reader(&message[BODY..]))?.ok()?;
    let name = command.keys().next()?.to_lowercase();
    (!["hello", "ismaster", "endsessions"].contains(&name.as_str())).then_some(command)
}
