//! A SenML pack, resolved: each record stands for itself (RFC 8428 §4.6).

use comatrix_sdk::code;
use comatrix_sdk::error_response::ErrorResponse;
use comatrix_sdk::homeserver_error::RETRY_SECONDS;

use crate::decimal::Decimal;
use crate::record::Record;

/// Records of one pack. More would make a message unreadable and a call longer than its 20 ms; a sensor's pack has a
/// few.
pub const MAX_RECORDS: usize = 256;

/// Times below are relative to now (RFC 8428 §4.5.3).
const RELATIVE_BELOW: i64 = 1 << 28;

/// The version of RFC 8428; packs of later ones are not understood (§4.4).
const VERSION: i64 = 10;

/// A reading that needs no other one to be understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Base Name and Name.
    pub name: String,
    /// Unit or Base Unit.
    pub unit: Option<String>,
    /// The value; none if there is only a sum.
    pub value: Option<Measured>,
    /// Integrated over time, with the Base Sum.
    pub sum: Option<Decimal>,
    /// Unix time in seconds; none if neither the pack nor the gateway has one.
    pub time: Option<Decimal>,
    /// Whether the pack has a time.
    pub timed: bool,
    /// Seconds until the next reading, at most.
    pub update_time: Option<Decimal>,
}

/// The kinds of values.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured {
    /// `v` with the Base Value.
    Number(Decimal),
    /// `vs`.
    Text(String),
    /// `vb`.
    Bool(bool),
    /// `vd` in base64url.
    Bytes(String),
}

/// A pack that is being read.
#[derive(Debug)]
pub struct Pack {
    now: Option<u64>,
    base: Record,
    records: usize,
    readings: Vec<Reading>,
}

impl Pack {
    /// An empty one; `now` is the gateway's clock.
    pub fn new(now: Option<u64>) -> Pack {
        Pack {
            now,
            base: Record::default(),
            records: 0,
            readings: Vec::new(),
        }
    }

    /// The next record's name in a diagnostic.
    pub fn here(&self) -> String {
        format!("record {}", self.records + 1)
    }

    /// The next record; refused if it does not fit those before.
    pub fn push(&mut self, record: Record) -> Result<(), ErrorResponse> {
        if self.records == MAX_RECORDS {
            let remedy = format!("payload: more than {MAX_RECORDS} records; send several packs");
            return Err(ErrorResponse::new(code::REQUEST_ENTITY_TOO_LARGE, remedy));
        }
        self.rebase(&record)?;
        if let Some(reading) = self.resolve(record)? {
            self.readings.push(reading);
        }
        self.records += 1;
        Ok(())
    }

    /// The readings, of which there must be one.
    pub fn finish(self) -> Result<Vec<Reading>, ErrorResponse> {
        match self.readings.is_empty() {
            true => Err(ErrorResponse::bad_request(
                "payload: no record with a value",
            )),
            false => Ok(self.readings),
        }
    }

    fn wrong(&self, what: &str) -> ErrorResponse {
        ErrorResponse::bad_request(format!("payload: {}: {what}", self.here()))
    }

    /// Base fields hold from their record on (RFC 8428 §4.1).
    fn rebase(&mut self, record: &Record) -> Result<(), ErrorResponse> {
        let whole = |version: Decimal| Decimal::new(version.floor()?.into(), 0);
        let is_supported = |version: Decimal| {
            whole(version) == Some(version) && !version.is_below(1) && version.is_below(VERSION + 1)
        };
        if !record.bver.is_none_or(is_supported) {
            return Err(self.wrong("label bver: only versions 1 to 10 are understood"));
        }
        if record.bver.is_some() && self.records > 0 && record.bver != self.base.bver {
            return Err(self.wrong("label bver: must be the same in all records"));
        }
        let keep = |held: &mut Option<Decimal>, new: &Option<Decimal>| *held = new.or(*held);
        keep(&mut self.base.bver, &record.bver);
        keep(&mut self.base.bt, &record.bt);
        keep(&mut self.base.bv, &record.bv);
        keep(&mut self.base.bs, &record.bs);
        if record.bn.is_some() {
            self.base.bn.clone_from(&record.bn);
        }
        if record.bu.is_some() {
            self.base.bu.clone_from(&record.bu);
        }
        Ok(())
    }

    /// None if the record only sets base fields.
    fn resolve(&self, record: Record) -> Result<Option<Reading>, ErrorResponse> {
        let bare = Record {
            bn: None,
            bt: None,
            bu: None,
            bv: None,
            bs: None,
            bver: None,
            ..record.clone()
        };
        if bare == Record::default() {
            return Ok(None);
        }
        let sum = match (self.base.bs, record.s) {
            (None, None) => None,
            // A missing one counts as zero.
            (base, sum) => Some(
                base.unwrap_or(Decimal::ZERO)
                    .plus(sum.unwrap_or(Decimal::ZERO)),
            ),
        };
        let value = self.value(&record)?;
        if value.is_none() && sum.is_none() {
            return Err(self.wrong("neither a value (v, vs, vb, vd) nor a sum (s)"));
        }
        let name =
            self.base.bn.clone().unwrap_or_default() + record.n.as_deref().unwrap_or_default();
        if !is_name(&name) {
            return Err(self.wrong(
                "labels bn and n: the name must begin with a letter or digit and continue with letters, digits and \
                 - : . / _",
            ));
        }
        let (time, timed) = self.time(&record)?;
        Ok(Some(Reading {
            name,
            unit: record.u.or_else(|| self.base.bu.clone()),
            value,
            sum,
            time,
            timed,
            update_time: record.ut,
        }))
    }

    fn value(&self, record: &Record) -> Result<Option<Measured>, ErrorResponse> {
        let base = self.base.bv.unwrap_or(Decimal::ZERO);
        let mut values = [
            record.v.map(|number| Measured::Number(base.plus(number))),
            record.vs.clone().map(Measured::Text),
            record.vb.map(Measured::Bool),
            record.vd.clone().map(Measured::Bytes),
        ]
        .into_iter()
        .flatten();
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(self.wrong("more than one of the values v, vs, vb and vd")),
            // A missing value counts as zero (RFC 8428 §4.5.4), but not beside a sum alone.
            (None, None) if record.s.is_none() => Ok(self.base.bv.map(Measured::Number)),
            (value, None) => Ok(value),
        }
    }

    /// The absolute time, and whether the pack has one.
    fn time(&self, record: &Record) -> Result<(Option<Decimal>, bool), ErrorResponse> {
        let zero = Decimal::ZERO;
        let time = self.base.bt.unwrap_or(zero).plus(record.t.unwrap_or(zero));
        if !time.is_below(RELATIVE_BELOW) {
            return Ok((Some(time), true));
        }
        let now = self.now.and_then(|now| Decimal::new(now.into(), 0));
        match now {
            Some(now) => Ok((Some(now.plus(time)), time != zero)),
            None if time == zero => Ok((None, false)),
            None => Err(ErrorResponse::new(
                code::SERVICE_UNAVAILABLE,
                "the gateway's clock is not set yet; send Unix times, or none",
            )
            .retry_after(RETRY_SECONDS)),
        }
    }
}

/// RFC 8428 §4.5.1.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-:./_".contains(&byte))
}
