//! The whole of this AWS: its services' state, its token buckets, and every call that was made.

use std::time::Instant;

use crate::buckets::Buckets;
use crate::call::{Answer, Call, Service};
use crate::ec2::Ec2;
use crate::fleet::Size;
use crate::s3::S3;
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
    pub(crate) fn new(size: Size) -> Self {
        Self {
            ec2: Ec2::new(size.vpcs),
            size,
            buckets: Buckets::default(),
            s3: S3::default(),
            made: Vec::new(),
        }
    }

    /// Answers a call that came at this moment.
    pub(crate) fn answer(&mut self, call: Call, at: Instant) -> Answer {
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
        self.made.push(Made { service, operation, place: (account, region), at, throttled });
        answer
    }
}
