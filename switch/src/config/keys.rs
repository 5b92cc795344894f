//! Every key: its section, name, type and default, in one table.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::setting::{
    ByteSize, InstitutionCode, Kind, LmkSource, LogFormat, LogLevel, Profile, Setting,
};

/// A key of the configuration.
pub(super) struct Key {
    /// Its section.
    pub(super) section: &'static str,
    /// Its name in the section.
    pub(super) name: &'static str,
    /// How its value stands in TOML.
    pub(super) kind: Kind,
    /// Takes a value over.
    pub(super) set: fn(&mut Config, &str) -> Result<(), String>,
    /// Returns the value as TOML, secrets as `***`.
    pub(super) show: fn(&Config) -> String,
}

/// Writes the sections as types, [`Config`] that holds them, and [`KEYS`], so that no key can be
/// in one and not in the others.
macro_rules! settings {
    ($(
        $(#[$section_doc:meta])*
        $section:ident: $type:ident {
            $($(#[$doc:meta])* $name:ident: $setting:ty = $default:expr,)*
        }
    )*) => {
        $(
            $(#[$section_doc])*
            #[derive(Clone, Debug, Eq, PartialEq)]
            pub struct $type {
                $($(#[$doc])* pub $name: $setting,)*
            }

            impl Default for $type {
                fn default() -> Self {
                    Self { $($name: $default,)* }
                }
            }
        )*

        /// How a node is set up. [`Config::default`] serves a demonstration on a laptop.
        #[derive(Clone, Debug, Default, Eq, PartialEq)]
        pub struct Config {
            $($(#[$section_doc])* pub $section: $type,)*
        }

        /// Every key, in the order in which they are shown.
        pub(super) static KEYS: &[Key] = &[$($(
            Key {
                section: stringify!($section),
                name: stringify!($name),
                kind: <$setting as Setting>::KIND,
                set: |config, text| {
                    let expected = || format!("{} expected", <$setting as Setting>::EXPECTED);
                    config.$section.$name = Setting::parse(text).ok_or_else(expected)?;
                    Ok(())
                },
                show: |config| config.$section.$name.show(),
            },
        )*)*];
    };
}

settings! {
    /// The node itself.
    node: Node {
        /// What the node is for, and so what it refuses.
        profile: Profile = Profile::Demo,
        /// Where the journal, its snapshots and the ledger file lie.
        directory: PathBuf = PathBuf::from("data"),
        /// Threads that serve connections and accounts; 0 is one for each processor.
        threads: u32 = 0,
    }

    /// The line to the terminals.
    pos: Pos {
        /// Where terminals connect to.
        listen: SocketAddr = loopback(8583),
        /// The number of this acquirer, as answers carry it (F32).
        acquirer: InstitutionCode = InstitutionCode::default(),
        /// The longest frame, without its length prefix.
        frame_max: ByteSize = ByteSize::kib(4),
        /// How long a connection may stay without its first message.
        idle_timeout: Duration = Duration::from_secs(60),
        /// How long a frame may take from its first byte to its last.
        frame_deadline: Duration = Duration::from_secs(5),
        /// How long an answer may take to be taken by the other side.
        write_timeout: Duration = Duration::from_secs(10),
        /// Requests of one connection that may be under way.
        in_flight_max: u32 = 32,
        /// Connections at a time.
        connections_max: u32 = 20_000,
        /// Connections at a time from one address.
        connections_per_address_max: u32 = 10_000,
        /// Connections that are accepted in a second; more wait for the next.
        accepts_per_second: u32 = 2_000,
    }

    /// The line to operators and scrapers.
    http: Http {
        /// Where metrics, health and info are served.
        listen: SocketAddr = loopback(8580),
    }

    /// How terminals are treated.
    terminal: Terminal {
        /// How long after a request its answer still leaves. A later one is dropped.
        answer_deadline: Duration = Duration::from_secs(20),
        /// What must be left of that time for a request to be decided at all.
        decide_margin: Duration = Duration::from_secs(1),
        /// How long a request may wait for room in the node before it is turned away.
        wait_max: Duration = Duration::from_secs(2),
        /// Wrong message codes in a row after which a terminal must sign on again.
        mac_errors_max: u32 = 3,
        /// How far the local time of a request may be from the host's; `None`: it is not looked at.
        clock_drift_max: Option<Duration> = None,
        /// Sign-ons and sign-offs, and settlements, of one terminal that are taken in a minute.
        unsigned_per_minute: u32 = 20,
        /// Messages of batch uploads of one terminal that are taken in a minute.
        uploads_per_minute: u32 = 3_000,
    }

    /// The journal.
    journal: Journal {
        /// The length of a segment file.
        segment_size: ByteSize = ByteSize::mib(64),
        /// After how many entries the next snapshot is written; more, where the last was large.
        snapshot_entries: u32 = 1_000_000,
        /// How long after a snapshot the next is written, if there is anything new.
        snapshot_interval: Duration = Duration::from_secs(600),
    }

    /// The SQL ledger behind the journal.
    ledger: Ledger {
        /// True if it is written.
        enabled: bool = true,
        /// Its SQLite file; a relative path is from `node.directory`.
        file: PathBuf = PathBuf::from("ledger.db"),
    }

    /// Keys.
    keys: Keys {
        /// Where the local master key is found.
        lmk: LmkSource = LmkSource::Demo,
    }

    /// The card programme.
    programme: ProgrammeSource {
        /// The programme's directory; `None` is the built-in demonstration.
        directory: Option<PathBuf> = None,
    }

    /// The end of the business day.
    cutoff: Cutoff {
        /// When the next business date begins.
        time: Time = Time::constant(23, 0, 0, 0),
        /// The time zone of that time and of local times in messages.
        zone: TimeZone = shanghai(),
    }

    /// The log.
    log: Log {
        /// The least severe lines that are written.
        level: LogLevel = LogLevel::Info,
        /// The form of the lines.
        format: LogFormat = LogFormat::Auto,
        /// One of so many approved transactions gets a line; 0 is none. Others always do.
        approved_one_in: u32 = 1,
    }

    /// How the node ends.
    shutdown: Shutdown {
        /// How long requests under way may take to be answered, and then the ledger to catch up.
        drain_timeout: Duration = Duration::from_secs(30),
    }
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn shanghai() -> TimeZone {
    TimeZone::get("Asia/Shanghai").expect("the time zones are built in")
}
