//! The socket of `coaps`: closed until a device can use it, and opened while the gateway runs when the first one is
//! enrolled.

use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr};

use transport::{BindError, UdpTransport};

use crate::config::CoapsListen;

/// The socket of `coaps`, and when it is opened.
pub struct CoapsSocket {
    listen: CoapsListen,
    state: RefCell<State>,
}

enum State {
    Closed,
    /// Bound, and not yet taken by the event loop.
    Bound(Box<UdpTransport>, SocketAddr),
    Serving(SocketAddr),
}

impl CoapsSocket {
    /// A closed one.
    #[must_use]
    pub fn new(listen: CoapsListen) -> Self {
        Self {
            listen,
            state: State::Closed.into(),
        }
    }

    /// Whether it is opened without a device.
    #[must_use]
    pub fn is_always_open(&self) -> bool {
        matches!(self.listen, CoapsListen::Always(_))
    }

    /// Opens it, unless it is open or switched off. Returns its address; none if it is switched off.
    ///
    /// # Errors
    /// [`BindError`]; the next call tries again.
    pub fn open(&self) -> Result<Option<SocketAddr>, BindError> {
        let mut state = self.state.borrow_mut();
        let listen = match (&*state, self.listen) {
            (State::Bound(_, address) | State::Serving(address), _) => return Ok(Some(*address)),
            (State::Closed, CoapsListen::Off) => return Ok(None),
            (State::Closed, CoapsListen::WhenEnrolled(listen) | CoapsListen::Always(listen)) => {
                listen
            }
        };
        let transport = UdpTransport::bind(listen).or_else(|error| {
            // A machine without IPv6.
            if listen.ip().is_unspecified() && error.is_unsupported() {
                UdpTransport::bind((Ipv4Addr::UNSPECIFIED, listen.port()).into())
            } else {
                Err(error)
            }
        })?;
        let address = transport.local_addr().unwrap_or(listen);
        *state = State::Bound(Box::new(transport), address);
        Ok(Some(address))
    }

    /// The address that it listens on; none while it is closed.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match &*self.state.borrow() {
            State::Closed => None,
            State::Bound(_, address) | State::Serving(address) => Some(*address),
        }
    }

    /// The bound socket, once: for the event loop.
    pub(crate) fn take(&self) -> Option<UdpTransport> {
        let mut state = self.state.borrow_mut();
        let State::Bound(_, address) = &*state else {
            return None;
        };
        let serving = State::Serving(*address);
        match std::mem::replace(&mut *state, serving) {
            State::Bound(transport, _) => Some(*transport),
            State::Closed | State::Serving(_) => None,
        }
    }
}
