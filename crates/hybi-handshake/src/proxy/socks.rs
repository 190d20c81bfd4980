//! SOCKS version 5 as client: methods, user name and password, CONNECT (RFC 1928, RFC 1929).

use core::net::IpAddr;

use super::Proxy;
use super::error::{SocksReply, TunnelError};

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NONE_ACCEPTABLE: u8 = 0xff;

/// The exchange, as far as it has come.
#[derive(Debug)]
pub(super) struct Socks {
    /// The message of user name and password, if there are any (RFC 1929 §2).
    credentials: Option<Vec<u8>>,
    request: Vec<u8>,
    step: Step,
    /// What has come of the message of this step.
    message: Vec<u8>,
    /// Bytes before it.
    before: usize,
}

/// Which message comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The version and the method chosen.
    Method,
    /// The version of the subnegotiation, and how it went.
    Status,
    /// The reply, which ends with an address of any of three lengths.
    Reply,
}

impl Socks {
    /// Prepares an exchange; gives it and its first message.
    pub(super) fn new(
        proxy: &Proxy,
        host: &str,
        port: u16,
    ) -> Result<(Self, Vec<u8>), TunnelError> {
        let mut request = vec![VERSION, 1, 0];
        match host.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => {
                request.push(1);
                request.extend(address.octets());
            }
            Ok(IpAddr::V6(address)) => {
                request.push(4);
                request.extend(address.octets());
            }
            Err(_) => {
                let len = u8::try_from(host.len()).map_err(|_| TunnelError::NameTooLong)?;
                request.extend([3, len]);
                request.extend(host.as_bytes());
            }
        }
        request.extend(port.to_be_bytes());
        let credentials = proxy.user_and_password().map(|(user, password)| {
            let mut message = vec![1];
            for part in [user, password] {
                // Their lengths were judged with the URL.
                message.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
                message.extend(part);
            }
            message
        });
        let greeting = match credentials {
            None => vec![VERSION, 1, NO_AUTHENTICATION],
            Some(_) => vec![VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
        };
        let this =
            Self { credentials, request, step: Step::Method, message: Vec::new(), before: 0 };
        Ok((this, greeting))
    }

    /// How many bytes are certain to come still, in this message.
    pub(super) fn wants(&self) -> usize {
        self.len() - self.message.len()
    }

    /// How many bytes have come.
    pub(super) fn received(&self) -> usize {
        self.before + self.message.len()
    }

    /// The length of the message of this step, as far as it is known.
    fn len(&self) -> usize {
        match (self.step, self.message.get(3), self.message.get(4)) {
            (Step::Method | Step::Status, ..) => 2,
            (Step::Reply, Some(1), _) => 4 + 4 + 2,
            (Step::Reply, Some(4), _) => 4 + 16 + 2,
            (Step::Reply, Some(3), Some(len)) => 5 + usize::from(*len) + 2,
            (Step::Reply, Some(3), None) => 5,
            (Step::Reply, ..) => 4,
        }
    }

    /// Takes one byte; what is to be sent, and whether that was the last one.
    pub(super) fn take(&mut self, byte: u8, output: &mut Vec<u8>) -> Result<bool, TunnelError> {
        self.message.push(byte);
        self.judge(byte)?;
        if self.wants() > 0 {
            return Ok(false);
        }
        match self.step {
            Step::Method if byte == USER_AND_PASSWORD => {
                output.extend(self.credentials.take().unwrap_or_default());
                self.step = Step::Status;
            }
            Step::Method | Step::Status => {
                output.append(&mut self.request);
                self.step = Step::Reply;
            }
            Step::Reply => return Ok(true),
        }
        self.before += self.message.len();
        self.message.clear();
        Ok(false)
    }

    /// Judges the byte that came last, as early as that can be.
    fn judge(&self, byte: u8) -> Result<(), TunnelError> {
        let at = self.message.len() - 1;
        let with_credentials = self.credentials.is_some();
        match (self.step, at, byte) {
            (Step::Method | Step::Reply, 0, VERSION) => Ok(()),
            (Step::Method, 0, byte) => Err(TunnelError::NotSocks { byte }),
            (Step::Method, _, NONE_ACCEPTABLE) => Err(TunnelError::NoMethod { with_credentials }),
            (Step::Method, _, NO_AUTHENTICATION) => Ok(()),
            (Step::Method, _, USER_AND_PASSWORD) if with_credentials => Ok(()),
            (Step::Method, _, method) => Err(TunnelError::MethodNotOffered { method }),
            // Proxies are known that give the version of SOCKS here.
            (Step::Status, 0, 1 | VERSION) | (Step::Status, 1, 0) => Ok(()),
            (Step::Status, 1, _) => Err(TunnelError::WrongCredentials),
            (Step::Reply, 1, 0) => Ok(()),
            (Step::Reply, 1, reply) => Err(TunnelError::Failed(SocksReply::new(reply))),
            (Step::Reply, 3, 1 | 3 | 4) => Ok(()),
            (Step::Status, ..) | (Step::Reply, 0 | 3, _) => {
                Err(TunnelError::Malformed { offset: self.before + at })
            }
            (Step::Reply, ..) => Ok(()),
        }
    }
}
