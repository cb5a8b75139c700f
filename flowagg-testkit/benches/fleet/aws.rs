//! The whole of this AWS: its services' state, its token buckets, and every call that was made.

use std::time::Instant;

use crate::buckets::Buckets;
use crate::call::{Answer, Call, Service};
use crate::ec2::Ec2;
use crate::fleet::Size;
use crate::s3::S3;
use crate::stamps::{OnWire, Stamps};
use crate::{organizations, sts};

/// A call that was made.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) service: Service,
    pub(crate) operation: String,
    /// The account, and the region.
    pub(crate) place: (String, String),
    pub(crate) at: Instant,
    pub(crate) throttled: bool,
    /// The connection, and the number of the call on it.
    pub(crate) connection: (Stamps, usize),
}

impl Made {
    /// When it was on the wire; `None` if its answer has not gone.
    pub(crate) fn on_wire(&self) -> Option<OnWire> {
        let (stamps, number) = &self.connection;
        stamps.of(*number)
    }
}

#[derive(Debug)]
pub(crate) struct Aws {
    size: Size,
    buckets: Buckets,
    ec2: Ec2,
    s3: S3,
    pub(crate) made: Vec<Made>,
}

impl Aws {
    /// `policy` is the policy of the bucket; `None`: the bucket does not exist.
    pub(crate) fn new(size: Size, policy: Option<String>) -> Self {
        Self {
            ec2: Ec2::new(size.vpcs),
            size,
            buckets: Buckets::default(),
            s3: S3::with(policy),
            made: Vec::new(),
        }
    }

    /// Answers a call that came at this moment.
    pub(crate) fn answer(&mut self, call: Call, at: Instant, connection: (Stamps, usize)) -> Answer {
        let throttled = !self.buckets.take(&call, at);
        let answer = if throttled {
            Answer::throttled(call.service)
        } else {
            match call.service {
                Service::Ec2 => self.ec2.answer(&call),
                Service::Sts => sts::answer(&call),
                Service::S3 => self.s3.answer(&call),
                Service::Organizations => organizations::answer(&call, &self.size),
            }
        };
        let Call { service, operation, account, region, .. } = call;
        self.made.push(Made { service, operation, place: (account, region), at, throttled, connection });
        answer
    }
}
