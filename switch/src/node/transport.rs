//! The RSA key of the host, under which terminals send transport keys: made when it is first
//! needed, and kept sealed beside the journal.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use keys::{Hsm, SealedTransportKey, TransportKey};

use super::NodeError;
use crate::programme::Programme;

/// Its file in the data directory: hexadecimal digits of the sealed key.
const FILE: &str = "transport.key";

/// Returns the key, if any terminal of the programme may fetch a new master key.
pub(super) fn host_key(
    directory: &Path,
    programme: &Programme,
    hsm: &dyn Hsm,
) -> Result<Option<Arc<TransportKey>>, NodeError> {
    if programme.terminals.iter().all(|terminal| terminal.tmk_download.is_none()) {
        return Ok(None);
    }
    let path = directory.join(FILE);
    let failed = |error| NodeError::HostKey { path: path.clone(), error };
    let sealed = match fs::read_to_string(&path) {
        Ok(text) => {
            let bytes = const_hex::decode(text.trim());
            let error = |_| failed(io::Error::other("hexadecimal digits expected"));
            SealedTransportKey::from_bytes(bytes.map_err(error)?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let sealed = hsm.generate_transport_key()?;
            keep(directory, &path, &sealed).map_err(failed)?;
            sealed
        }
        Err(error) => return Err(failed(error)),
    };
    let key = hsm.load_transport_key(&sealed)?;
    let fingerprint = const_hex::encode(key.public().fingerprint());
    tracing::info!(fingerprint, "terminals may fetch new master keys under this RSA key");
    Ok(Some(key))
}

/// Writes the key whole or not at all: a terminal may hold its public half as soon as it is used.
fn keep(directory: &Path, path: &Path, sealed: &SealedTransportKey) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    writeln!(file, "{}", const_hex::encode(sealed.as_bytes()))?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    File::open(directory)?.sync_all()
}
