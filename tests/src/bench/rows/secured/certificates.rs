//! Handshakes with certificates on both sides, and the memory of their sessions.

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Config, Dtls, DtlsCertificate, Output};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use super::super::super::plan::Plan;
use super::super::super::process::Gateway;
use super::super::super::report::{Row, Target};
use super::super::super::{Failure, device_address};
use super::memory::{AT_ONCE, SETTLE, in_parallel};
use super::stage::Stage;

/// Sessions of one device: as many as the gateway keeps.
const SESSIONS: usize = 4;
/// Above the handshake's own repetitions on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of a flight.
const SILENCE: Duration = Duration::from_secs(1);

/// Handshakes per second, and bytes of each session.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    // A tenth: a handshake takes thirty times as long as one with a key.
    let count = plan.secured / 10;
    let authority = Authority::make()?;
    let stage = Stage::start_with(gateway, &authority.configuration(gateway.scratch())?)?;
    let config = Arc::new(Config::builder().dtls13_cipher_suites(&[]).build()?);
    let mut made = Vec::new();
    for number in 0..count.div_ceil(SESSIONS) {
        let certificate = authority.device(number)?;
        for _ in 0..SESSIONS {
            let mut dtls = Dtls::new_12(config.clone(), certificate.clone(), Instant::now());
            dtls.set_active(true);
            made.push(dtls);
        }
    }
    let handshakes = made.len() as f64;
    std::thread::sleep(SETTLE);
    let rss = || stage.server.memory("VmRSS").map(|bytes| bytes as f64);
    let (idle, ran, began) = (rss()?, stage.server.run_time()?, Instant::now());
    in_parallel(made, |number, dtls| shake(number, stage.coaps, dtls))?;
    let elapsed = began.elapsed().as_secs_f64();
    let cpu = (stage.server.run_time()? - ran).as_secs_f64();
    std::thread::sleep(SETTLE);
    let loaded = rss()?;
    let row = |name: &str, figure: f64, unit: &'static str, target: Target, notes: String| Row {
        name: name.to_owned(),
        figure,
        unit,
        baseline: None,
        ratio: None,
        target,
        runs: 1,
        notes,
    };
    let at_once =
        format!("{handshakes} handshakes, {AT_ONCE} at a time, the devices on the same cores");
    Ok(vec![
        row(
            "handshakes with certificates",
            handshakes / elapsed,
            "/s",
            Target::None,
            at_once,
        ),
        row(
            "handshakes with certificates, in a second of the gateway's CPU",
            handshakes / cpu,
            "/s",
            Target::AtLeast(1_000.0),
            String::new(),
        ),
        row(
            "memory of a session with certificates",
            (loaded - idle) / handshakes / 1024.0,
            "KiB",
            Target::AtMost(12.0),
            format!(
                "RSS {:.1} MB before, {:.1} MB with the sessions",
                idle / 1e6,
                loaded / 1e6
            ),
        ),
    ])
}

/// Signs the certificates of the gateway and of devices.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn make() -> Result<Self, Failure> {
        let key = KeyPair::generate()?;
        let mut params = params("bench");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Ok(Self {
            certificate: params.self_signed(&key)?.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// The files of a gateway, and its settings that name them.
    fn configuration(&self, folder: &Path) -> Result<String, Failure> {
        let key = KeyPair::generate()?;
        let own = params("gateway").signed_by(&key, &self.issuer)?.pem();
        let mut settings = "[coaps]\n".to_owned();
        for (setting, name, text) in [
            ("certificate", "gateway.pem", own),
            ("key", "gateway.key", key.serialize_pem()),
            ("ca_file", "authority.pem", self.certificate.clone()),
        ] {
            let path = folder.join(name);
            let mut options = std::fs::OpenOptions::new();
            let file = options.write(true).create(true).truncate(true).mode(0o600);
            file.open(&path)?.write_all(text.as_bytes())?;
            settings += &format!("{setting} = \"{}\"\n", path.display());
        }
        Ok(settings)
    }

    /// The certificate of the device with this number.
    fn device(&self, number: usize) -> Result<DtlsCertificate, Failure> {
        let key = KeyPair::generate()?;
        let certificate = params(&format!("device{number}")).signed_by(&key, &self.issuer)?;
        Ok(DtlsCertificate {
            certificate: certificate.der().to_vec(),
            private_key: key.serialize_der(),
        })
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// Shakes hands. The certificate of the gateway is not checked: this measures the gateway.
fn shake(number: usize, at: SocketAddr, mut dtls: Dtls) -> Result<(), Failure> {
    let socket = UdpSocket::bind((device_address(number), 0))?;
    socket.connect(at)?;
    socket.set_read_timeout(Some(SILENCE))?;
    let (began, mut output, mut datagram) = (Instant::now(), [0; 4096], [0; 2048]);
    dtls.handle_timeout(began)?;
    while began.elapsed() < PATIENCE {
        loop {
            match dtls.poll_output(&mut output) {
                Output::Packet(packet) => drop(socket.send(packet)?),
                Output::Connected => return Ok(()),
                Output::Timeout(_) => break,
                _ => {}
            }
        }
        let received = socket.recv(&mut datagram);
        dtls.handle_timeout(Instant::now())?;
        if let Ok(length) = received {
            dtls.handle_packet(&datagram[..length])?;
        }
    }
    Err("a handshake with a certificate was not finished in time".into())
}
